/**
 * Who gets what there is of one SKU, when it is decided anew. Pure.
 *
 * Each line claims by its account's class:
 * - win: served first, with what others have, and never worse than before;
 * - gain: keeps what it has, and gets more or earlier where it can;
 * - redistribute: may get more and may lose;
 * - fill: gets at most as much as it has;
 * - lose: gives up what it has, and gets what nobody else wants.
 * Within a class the earlier claim goes first. What is there comes before what is to come, the soonest of that first; what a line has already it
 * keeps where another place would be no better.
 */
import { PRIORITY_CLASSES, type PriorityClass } from '../canonical/index.ts';

/** Units by location, and of dated supply by its id. */
export interface Holding {
  stock: ReadonlyMap<number, number>;
  supply: ReadonlyMap<number, number>;
}

export interface Claim {
  priority: PriorityClass;
  /** Units that wait, with those of `has`. */
  wants: number;
  /** Where it may be served from, best first. */
  places: readonly number[];
  /** Of dated supply only what comes by then, ms since 1970; null: none of it. */
  until: number | null;
  /** What it has and may give up. */
  has: Holding;
}

export interface Pool {
  /** Free units by location, below 0 where goods are lost that somebody was promised. */
  stock: ReadonlyMap<number, number>;
  /** Units that are promised to nobody. */
  supply: readonly { supplyId: number; locationId: number; units: number; at: number }[];
}

class Stocks {
  readonly stock: Map<number, number>;
  readonly #supplies: { supplyId: number; locationId: number; at: number }[];
  readonly #left: Map<number, number>;

  constructor(pool: Pool) {
    this.stock = new Map(pool.stock);
    this.#supplies = [...pool.supply].sort((a, b) => a.at - b.at || a.supplyId - b.supplyId);
    this.#left = new Map(pool.supply.map(({ supplyId, units }) => [supplyId, units]));
  }

  giveBack({ stock, supply }: Holding): void {
    for (const [place, units] of stock) this.stock.set(place, (this.stock.get(place) ?? 0) + units);
    for (const [supplyId, units] of supply) this.#left.set(supplyId, (this.#left.get(supplyId) ?? 0) + units);
  }

  take(claim: Claim, wants: number): Holding {
    const stock = new Map<number, number>();
    const supply = new Map<number, number>();
    let missing = wants;
    const from = (place: number, most: number) => {
      const units = Math.max(0, Math.min(missing, most, this.stock.get(place) ?? 0));
      if (units === 0) return;
      this.stock.set(place, this.stock.get(place)! - units);
      stock.set(place, (stock.get(place) ?? 0) + units);
      missing -= units;
    };
    for (const [place, units] of claim.has.stock) from(place, units);
    const whole = claim.places.find((place) => (this.stock.get(place) ?? 0) >= missing);
    if (whole !== undefined) from(whole, missing);
    for (const place of claim.places) from(place, missing);
    for (const { supplyId, at } of this.#ranked(claim)) {
      if (missing === 0) break;
      // What it was promised before stays its own, however late.
      const mine = claim.has.supply.get(supplyId) ?? 0;
      const most = claim.until !== null && at <= claim.until ? missing : Math.min(mine, missing);
      const units = Math.min(most, this.#left.get(supplyId) ?? 0);
      if (units === 0) continue;
      this.#left.set(supplyId, this.#left.get(supplyId)! - units);
      supply.set(supplyId, units);
      missing -= units;
    }
    return { stock, supply };
  }

  /** Soonest first; of those of one moment, what it has. */
  #ranked({ places, has }: Claim) {
    return this.#supplies
      .filter(({ supplyId, locationId }) => has.supply.has(supplyId) || places.includes(locationId))
      .sort((a, b) => a.at - b.at || Number(has.supply.has(b.supplyId)) - Number(has.supply.has(a.supplyId)));
  }
}

export function unitsOf({ stock, supply }: Holding): number {
  let units = 0;
  for (const part of stock.values()) units += part;
  for (const part of supply.values()) units += part;
  return units;
}

const KEEPS: ReadonlySet<PriorityClass> = new Set(['win', 'gain']);

/**
 * @param claims the earliest first
 * @param pool what is free, without what the claims have
 * @returns what each has then, in the order given
 */
export function redistribute(claims: readonly Claim[], pool: Pool): Holding[] {
  const stocks = new Stocks(pool);
  for (const claim of claims) if (!KEEPS.has(claim.priority)) stocks.giveBack(claim.has);
  const result: Holding[] = new Array(claims.length);
  for (const priority of PRIORITY_CLASSES)
    claims.forEach((claim, i) => {
      if (claim.priority !== priority) return;
      if (KEEPS.has(priority)) stocks.giveBack(claim.has);
      result[i] = stocks.take(claim, priority === 'fill' ? Math.min(claim.wants, unitsOf(claim.has)) : claim.wants);
    });
  return result;
}

/** Whether one holding serves better than another: at every moment at least as many units, at some more. */
export function compareHoldings(
  before: Holding,
  after: Holding,
  atOf: (supplyId: number) => number,
): 'same' | 'gains' | 'loses' | 'moves' {
  const dated = ({ stock, supply }: Holding): [number, number][] => [
    [Number.NEGATIVE_INFINITY, [...stock.values()].reduce((sum, units) => sum + units, 0)],
    ...[...supply].map(([id, units]): [number, number] => [atOf(id), units]),
  ];
  const moments = [...new Set([...dated(before), ...dated(after)].map(([at]) => at))].sort((a, b) => a - b);
  const upTo = (of: Holding, moment: number) =>
    dated(of).reduce((sum, [at, units]) => sum + (at <= moment ? units : 0), 0);
  let better = false;
  let worse = false;
  for (const moment of moments) {
    const difference = upTo(after, moment) - upTo(before, moment);
    better ||= difference > 0;
    worse ||= difference < 0;
  }
  if (better !== worse) return better ? 'gains' : 'loses';
  return better || !isSame(before, after) ? 'moves' : 'same';
}

function isSame(one: Holding, other: Holding): boolean {
  const equal = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>) =>
    a.size === b.size && [...a].every(([key, units]) => b.get(key) === units);
  return equal(one.stock, other.stock) && equal(one.supply, other.supply);
}
