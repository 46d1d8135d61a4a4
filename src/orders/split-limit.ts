/** The places that a split limit leaves to an order, and to each of its lines. Pure. */
import { choosePlaces } from '../promise/index.ts';
import type { Offer, Offered, Order, SplitRule } from './types.ts';

export class SplitLimit {
  readonly #rule: SplitRule;
  /** Of the whole order, chosen over all its lines; undefined: it has no limit. */
  readonly #allowed: Set<number> | undefined;
  readonly #byLine = new Map<number, Set<number>>();

  /** @param order what it has already counts, also what has left by now: a place that a parcel came from is one of its places */
  constructor(
    rule: SplitRule,
    wants: readonly { skuId: number; quantity: number }[],
    offered: (skuId: number) => Offered,
    order: Order | undefined,
  ) {
    this.#rule = rule;
    const used = new Set<number>();
    for (const { lineNo, locationId } of order?.allocations.values() ?? []) {
      used.add(locationId);
      // What stands for a line together is as one line.
      this.use(order!.lines.get(lineNo)?.setNo ?? lineNo, locationId);
    }
    if (rule.orderMax !== null) this.#allowed = allowedPlaces(rule.orderMax, wants, offered, used);
  }

  /** Which places the line at hand is asked of, in turn: those it has already, then as many others as it may have besides. */
  turns(lineNo: number, places: readonly Offer[]): { offers: readonly Offer[]; placesMax: number | null }[] {
    const allowed = places.filter(({ locationId }) => this.#allowed?.has(locationId) !== false);
    const { lineMax } = this.#rule;
    if (lineMax === null) return [{ offers: allowed, placesMax: null }];
    const used = this.#byLine.get(lineNo) ?? new Set();
    return [
      { offers: allowed.filter(({ locationId }) => used.has(locationId)), placesMax: null },
      {
        offers: allowed.filter(({ locationId }) => !used.has(locationId)),
        placesMax: Math.max(0, lineMax - used.size),
      },
    ];
  }

  /** Where a set of lines is served from already, and from how many other places it may be besides; `placesMax` null: any. */
  placesOf(setNo: number, locationIds: readonly number[]): { used: number[]; placesMax: number | null; not: number[] } {
    const used = this.#byLine.get(setNo) ?? new Set();
    const { lineMax } = this.#rule;
    return {
      used: locationIds.filter((locationId) => used.has(locationId)),
      placesMax: lineMax === null ? null : Math.max(0, lineMax - used.size),
      not: locationIds.filter((locationId) => this.#allowed?.has(locationId) === false),
    };
  }

  /** For what is still to come: a place may be added as long as the order and the line have one left. */
  mayUse(lineNo: number, locationId: number): boolean {
    const { orderMax, lineMax } = this.#rule;
    const used = this.#byLine.get(lineNo);
    if (lineMax !== null && used?.has(locationId) !== true && (used?.size ?? 0) >= lineMax) return false;
    return this.#allowed === undefined || this.#allowed.has(locationId) || this.#allowed.size < orderMax!;
  }

  use(lineNo: number, locationId: number): void {
    this.#allowed?.add(locationId);
    const used = this.#byLine.get(lineNo);
    if (used === undefined) this.#byLine.set(lineNo, new Set([locationId]));
    else used.add(locationId);
  }
}

function allowedPlaces(
  orderMax: number,
  wants: readonly { skuId: number; quantity: number }[],
  offered: (skuId: number) => Offered,
  used: ReadonlySet<number>,
): Set<number> {
  const bySku = new Map<number, number>();
  for (const { skuId, quantity } of wants) bySku.set(skuId, (bySku.get(skuId) ?? 0) + quantity);
  const all = [...bySku].map(([skuId, quantity]) => ({ quantity, offer: offered(skuId) }));
  const ids = all[0]?.offer.places.map(({ locationId }) => locationId) ?? [];
  const chosen = choosePlaces(
    all.map(({ quantity, offer: { places, allocatable } }) => ({
      wanted: Math.min(quantity, allocatable),
      there: places.map(({ free, physical }) => Math.max(0, Math.min(free, physical))),
    })),
    ids.length,
    orderMax,
    ids.flatMap((locationId, at) => (used.has(locationId) ? [at] : [])),
  );
  // Places that the channel has no more still count.
  return new Set([...used, ...[...chosen].map((at) => ids[at]!)]);
}
