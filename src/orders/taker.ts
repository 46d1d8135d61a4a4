/** What a decision takes of stock and of dated supply. Pure: nothing but its own copies of the offers changes. */
import { splitOver } from '../promise/index.ts';
import { type PlacedSets, placeSets, type SetPart } from './place-sets.ts';
import { SplitLimit } from './split-limit.ts';
import type { DecideContext, NewCommitment, Offer, Offered, Order } from './types.ts';

/**
 * What this decision has taken already, on top of the offers: two lines of one order may share one SKU.
 * Takes from one location if it can cover all, in the channel's order; else as its sourcing rule splits, within its limits.
 */
export class Taker {
  readonly #context: DecideContext;
  readonly #left = new Map<number, Offered & { places: Offer[] }>();
  /** What other systems have allocated to the line at hand, by location: lines are served one after the other. */
  #kept = new Map<number, number>();
  readonly #toCome = new Map<number, { supplyId: number; locationId: number; quantity: number; dueAt: string }[]>();
  #limit: SplitLimit | undefined;
  #lineNo = 0;

  constructor(context: DecideContext) {
    this.#context = context;
  }

  #offered(skuId: number): Offered & { places: Offer[] } {
    let left = this.#left.get(skuId);
    if (left === undefined) {
      const offered = this.#context.offers(skuId);
      left = { ...offered, places: offered.places.map((offer) => ({ ...offer })) };
      this.#left.set(skuId, left);
    }
    return left;
  }

  /** Before anything is taken: where the order has a split limit, the places that it is served from are chosen over all its lines. */
  limit(wants: readonly { skuId: number; quantity: number }[], order?: Order): void {
    const { split } = this.#context;
    if (split === undefined || (split.orderMax === null && split.lineMax === null)) return;
    this.#limit = new SplitLimit(split, wants, (skuId) => this.#offered(skuId), order);
  }

  /** Units that could still be taken, if a line asked for all of them. */
  freeOf(skuId: number): number {
    const { places, allocatable } = this.#offered(skuId);
    return Math.min(
      allocatable,
      places.reduce((sum, offer) => sum + Math.max(0, unitsFree(offer)), 0),
    );
  }

  begin(lineNo: number, skuId: number): void {
    this.#lineNo = lineNo;
    this.#kept = new Map();
    for (const { locationId } of this.#offered(skuId).places) {
      const kept = this.#context.kept(skuId, locationId, lineNo);
      if (kept > 0) this.#kept.set(locationId, kept);
    }
  }

  /** What another system has allocated to the line comes first, and from where that system has it: those units are deducted already. */
  take(skuId: number, asked: number, from: 'own' | 'free'): { locationId: number; quantity: number }[] {
    const left = this.#offered(skuId);
    const taken = new Map<number, number>();
    const take = (offer: Offer, quantity: number) =>
      taken.set(offer.locationId, (taken.get(offer.locationId) ?? 0) + quantity);
    let missing = asked;
    for (const offer of left.places) {
      const kept = this.#kept.get(offer.locationId) ?? 0;
      if (kept === 0 || missing === 0) continue;
      const there =
        from === 'own' ? Math.min(offer.own, offer.physical + kept) : Math.min(offer.free, offer.physical) + kept;
      const quantity = Math.min(missing, kept, Math.max(0, there));
      if (quantity === 0) continue;
      this.#kept.set(offer.locationId, kept - quantity);
      // Out of the channel's number, and its place on the shelf is another's now.
      if (from === 'own') {
        offer.own -= quantity;
        offer.free += quantity;
      }
      missing -= quantity;
      take(offer, quantity);
    }
    if (missing > 0) this.#takeOffered(left, missing, from, take);
    return [...taken].map(([locationId, quantity]) => ({ locationId, quantity }));
  }

  #takeOffered(
    left: Offered & { places: Offer[] },
    asked: number,
    from: 'own' | 'free',
    take: (offer: Offer, quantity: number) => void,
  ): void {
    const wanted = from === 'own' ? asked : Math.min(asked, left.allocatable);
    const there = (offer: Offer) => (from === 'own' ? Math.min(offer.own, offer.physical) : unitsFree(offer));
    const how = this.#context.split === undefined ? 'fullest' : 'ranked';
    let missing = wanted;
    for (const { offers, placesMax } of this.#limit?.turns(this.#lineNo, left.places) ?? [
      { offers: left.places, placesMax: null },
    ])
      for (const { at, quantity } of splitOver(offers.map(there), missing, how, placesMax)) {
        const offer = offers[at]!;
        if (from === 'own') offer.own -= quantity;
        else {
          offer.free -= quantity;
          left.allocatable -= quantity;
          left.promisable -= quantity;
        }
        offer.physical -= quantity;
        missing -= quantity;
        this.#limit?.use(this.#lineNo, offer.locationId);
        take(offer, quantity);
      }
  }

  /**
   * Takes what a set of lines needs to deliver up to so many ordered units, and nothing that would be left over.
   * @param setNo counts as one line where lines may be split over so many places only
   * @param fromOwn also what is set aside for the order's channel, after what is free
   */
  takeSets(
    setNo: number,
    parts: readonly (SetPart & { lineNo: number; skuId: number })[],
    upTo: number,
    fromOwn = false,
  ): PlacedSets {
    const offers = parts.map(({ skuId }) => this.#offered(skuId));
    const locationIds = [...new Set(offers.flatMap(({ places }) => places.map(({ locationId }) => locationId)))];
    const kept = parts.map(({ lineNo, skuId }) => locationIds.map((at) => this.#context.kept(skuId, at, lineNo)));
    const own = offers.map(({ places }) =>
      locationIds.map((id) => (fromOwn ? ownOf(places.find(({ locationId }) => locationId === id)) : 0)),
    );
    const there = offers.map(({ places }, i) =>
      locationIds.map((id, at) => {
        const offer = places.find(({ locationId }) => locationId === id);
        return offer === undefined ? 0 : Math.max(0, unitsFree(offer) + kept[i]![at]!) + own[i]![at]!;
      }),
    );
    const sum = (units: readonly number[]) => units.reduce((all, one) => all + one, 0);
    const most = offers.map(({ allocatable }, i) => allocatable + sum(kept[i]!) + sum(own[i]!));
    const placed = placeSets(parts, upTo, {
      ...{ there, most, locationIds, how: this.#context.split === undefined ? 'fullest' : 'ranked' },
      ...(this.#limit?.placesOf(setNo, locationIds) ?? { used: [], placesMax: null }),
    });
    for (const taken of placed.taken) {
      const { part, locationId } = taken;
      const left = offers[part]!;
      const offer = left.places.find((one) => one.locationId === locationId)!;
      const quantity = taken.quantity - Math.min(taken.quantity, kept[part]![locationIds.indexOf(locationId)]!);
      const free = Math.min(quantity, Math.max(0, unitsFree(offer)));
      taken.fromOwn = quantity - free;
      offer.free -= free;
      offer.own -= taken.fromOwn;
      offer.physical -= quantity;
      left.allocatable -= free;
      left.promisable -= free;
      this.#limit?.use(setNo, locationId);
    }
    return placed;
  }

  /** Takes from dated supply what a set of lines needs for whole units, as far as there is some for each of them. */
  commitSets(
    parts: readonly { lineNo: number; skuId: number; perUnit: number }[],
    wanted: number,
  ): { units: number; taken: NewCommitment[] } {
    if (wanted === 0) return { units: 0, taken: [] };
    const there = parts.map(({ skuId, perUnit }) => {
      const units = this.#supplies(skuId).reduce((sum, { quantity }) => sum + quantity, 0);
      return Math.floor(Math.min(units, this.#offered(skuId).promisable) / perUnit);
    });
    // Where lines may be split over so many places only, who knows which of these is one of them: whole kits wait for stock.
    const units = this.#limit === undefined ? Math.max(0, Math.min(wanted, ...there)) : 0;
    return {
      units,
      taken: parts.flatMap(({ lineNo, skuId, perUnit }) => this.commit(lineNo, skuId, units * perUnit)),
    };
  }

  #supplies(skuId: number): { supplyId: number; locationId: number; quantity: number; dueAt: string }[] {
    let toCome = this.#toCome.get(skuId);
    if (toCome === undefined) {
      toCome = this.#context.supplies(skuId).map((supply) => ({ ...supply }));
      this.#toCome.set(skuId, toCome);
    }
    return toCome;
  }

  /** Takes from dated supply what no shelf has, soonest first. */
  commit(lineNo: number, skuId: number, wanted: number): NewCommitment[] {
    if (wanted === 0) return [];
    const toCome = this.#supplies(skuId);
    const taken: NewCommitment[] = [];
    const left = this.#offered(skuId);
    let missing = Math.min(wanted, left.promisable);
    for (const supply of toCome) {
      const quantity = Math.min(missing, supply.quantity);
      if (quantity === 0 || this.#limit?.mayUse(lineNo, supply.locationId) === false) continue;
      this.#limit?.use(lineNo, supply.locationId);
      supply.quantity -= quantity;
      left.promisable -= quantity;
      missing -= quantity;
      taken.push({ ...supply, lineNo, skuId, quantity });
    }
    return taken;
  }
}

/** What of a channel's own is there, beside what is free. */
function ownOf(offer: Offer | undefined): number {
  if (offer === undefined) return 0;
  return Math.max(0, Math.min(offer.own, offer.physical - Math.max(0, unitsFree(offer))));
}

function unitsFree({ free, physical }: Offer): number {
  return Math.min(free, physical);
}
