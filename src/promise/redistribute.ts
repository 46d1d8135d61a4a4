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

/** What a claim may be given besides what it keeps: of each place and supply, of all places, and in all. */
export interface ClaimOffer {
  places: ReadonlyMap<number, number>;
  supplies: ReadonlyMap<number, number>;
  allocatable: number;
  promisable: number;
}

/** What limits claims besides what there is, such as their channel's cap; asked at the turn of each. */
export interface Limits {
  /** What a claim may keep of what it has: others may have been given what limited it. */
  keeps(at: number): number;
  /**
   * @param stock free units by location
   * @param supplies the soonest first
   * @returns undefined: nothing limits it
   */
  offers(at: number, stock: ReadonlyMap<number, number>, supplies: Pool['supply']): ClaimOffer | undefined;
  /** The claim has so many units more; below 0: it has given them back. */
  count(at: number, stock: ReadonlyMap<number, number>, supplyUnits: number): void;
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

  /** @param offerOf asked once it is known what it keeps at its places */
  take(
    claim: Claim,
    wants: number,
    keeps = Number.POSITIVE_INFINITY,
    offerOf: (kept: Holding) => ClaimOffer | undefined = () => undefined,
  ): Holding {
    const stock = new Map<number, number>();
    const supply = new Map<number, number>();
    let missing = wants;
    const from = (place: number, most: number) => {
      const units = Math.max(0, Math.min(missing, most, this.stock.get(place) ?? 0));
      if (units === 0) return 0;
      this.stock.set(place, this.stock.get(place)! - units);
      stock.set(place, (stock.get(place) ?? 0) + units);
      missing -= units;
      return units;
    };
    let keepable = keeps;
    for (const [place, units] of claim.has.stock) keepable -= from(place, Math.min(units, keepable));
    const offer = offerOf({ stock, supply });
    const before = missing;
    const mostAt = (place: number) => Math.min(mostOf(offer?.places, place), this.stock.get(place) ?? 0);
    let allocatable = Math.min(missing, offer?.allocatable ?? missing);
    const whole = claim.places.find((place) => mostAt(place) >= allocatable);
    for (const place of whole === undefined ? claim.places : [whole])
      allocatable -= from(place, Math.min(mostAt(place), allocatable));
    // What it was promised of dated supply stays its own, whatever is offered by now.
    const held = Math.min(keepable, supplyUnitsOf(claim.has));
    const promisable = offer === undefined ? missing : Math.max(held, offer.promisable - (before - missing));
    this.#takeSupply(claim, supply, Math.min(missing, promisable), offer?.supplies);
    return { stock, supply };
  }

  #takeSupply(
    claim: Claim,
    supply: Map<number, number>,
    wanted: number,
    most: ReadonlyMap<number, number> | undefined,
  ): void {
    let missing = wanted;
    for (const { supplyId, at } of this.ranked(claim)) {
      if (missing <= 0) break;
      // However late.
      const mine = claim.has.supply.get(supplyId) ?? 0;
      const isInTime = claim.until !== null && at <= claim.until;
      const units = Math.min(missing, isInTime ? Math.max(mine, mostOf(most, supplyId)) : mine, this.left(supplyId));
      if (units === 0) continue;
      this.#left.set(supplyId, this.left(supplyId) - units);
      supply.set(supplyId, units);
      missing -= units;
    }
  }

  left(supplyId: number): number {
    return this.#left.get(supplyId) ?? 0;
  }

  /** Soonest first; of those of one moment, what it has. */
  ranked({ places, has }: Claim) {
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

function supplyUnitsOf({ supply }: Holding): number {
  return unitsOf({ stock: new Map(), supply });
}

/** Without limits there is none. */
function mostOf(most: ReadonlyMap<number, number> | undefined, key: number): number {
  return most === undefined ? Number.POSITIVE_INFINITY : (most.get(key) ?? 0);
}

const KEEPS: ReadonlySet<PriorityClass> = new Set(['win', 'gain']);

/**
 * @param claims the earliest first
 * @param pool what is free, without what the claims have
 * @returns what each has then, in the order given
 */
export function redistribute(claims: readonly Claim[], pool: Pool, limits?: Limits): Holding[] {
  const stocks = new Stocks(pool);
  const giveBack = (claim: Claim, i: number) => {
    stocks.giveBack(claim.has);
    limits?.count(i, negated(claim.has.stock), -supplyUnitsOf(claim.has));
  };
  claims.forEach((claim, i) => {
    if (!KEEPS.has(claim.priority)) giveBack(claim, i);
  });
  const result: Holding[] = new Array(claims.length);
  for (const priority of PRIORITY_CLASSES)
    claims.forEach((claim, i) => {
      if (claim.priority !== priority) return;
      if (KEEPS.has(priority)) giveBack(claim, i);
      const wants = priority === 'fill' ? Math.min(claim.wants, unitsOf(claim.has)) : claim.wants;
      if (limits === undefined) {
        result[i] = stocks.take(claim, wants);
        return;
      }
      let kept = new Map<number, number>();
      const holding = stocks.take(claim, wants, limits.keeps(i), (keeps) => {
        kept = new Map(keeps.stock);
        limits.count(i, kept, 0);
        const supplies = stocks.ranked(claim).map((one) => ({ ...one, units: stocks.left(one.supplyId) }));
        return limits.offers(i, stocks.stock, supplies);
      });
      const more = new Map([...holding.stock].map(([place, units]) => [place, units - (kept.get(place) ?? 0)]));
      limits.count(i, more, supplyUnitsOf(holding));
      result[i] = holding;
    });
  return result;
}

function negated(units: ReadonlyMap<number, number>): Map<number, number> {
  return new Map([...units].map(([place, quantity]) => [place, -quantity]));
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
