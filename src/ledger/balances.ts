/** Balances as rows give them, and the pairs that name them. */
import type { BalanceRow } from './session.sql.ts';
import type { Balance, Pair } from './stock.ts';

/** A pair as one number: SKU ids stay below 2^40 and location ids below 2^12. */
export function pairKey(skuId: number, locationId: number): number {
  return skuId * 4096 + locationId;
}

export function distinct(pairs: Iterable<Pair>): Pair[] {
  const unique = new Map<number, Pair>();
  for (const pair of pairs) unique.set(pairKey(pair[0], pair[1]), pair);
  return [...unique.values()];
}

export function balanceOf(row: BalanceRow): Balance {
  return {
    skuId: row.sku_id,
    locationId: row.location_id,
    onHand: row.on_hand,
    reserved: row.reserved,
    allocated: row.allocated,
    exposed: row.exposed,
    safetyStock: row.safety_stock,
    outsideOpen: row.outside_open,
    outsideDeducted: row.outside_deducted,
    version: row.version,
    countedAt: row.counted_at,
    countedSource: row.counted_source,
    countedSequence: row.counted_sequence,
    changed: false,
  };
}

export function emptyBalance([skuId, locationId]: Pair): Balance {
  return {
    ...{ skuId, locationId, onHand: 0, reserved: 0, allocated: 0, exposed: 0, safetyStock: 0 },
    ...{ outsideOpen: 0, outsideDeducted: 0, version: 0 },
    ...{ countedAt: null, countedSource: null, countedSequence: null, changed: false },
  };
}

/** What is promised, by us or by other systems. */
export function takenOf({ reserved, allocated, outsideDeducted }: Balance): number {
  return reserved + allocated + outsideDeducted;
}

/**
 * Whether a new promise takes more than there is. One that another system has made already, and that only becomes ours, too, takes
 * nothing more than was taken before, also where that system promised more than there is.
 */
export function isOverPromised(balance: Balance, takenBefore: number): boolean {
  const most = balance.onHand - balance.safetyStock;
  const taken = takenOf(balance);
  return balance.reserved + balance.allocated > most || (taken > most && taken > takenBefore);
}
