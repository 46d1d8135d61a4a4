/**
 * Which earlier lines a cancellation undoes: the newest of the same account and SKU with quantity left, in file order. One
 * cancellation line may split over several originals; what finds none keeps `original` -1.
 */
import { KIND, type LineTable } from './table.ts';

export interface Matches {
  /** Row of the cancellation → range in `original` and `quantity`. */
  from: Map<number, number>;
  to: Map<number, number>;
  original: number[];
  quantity: number[];
  /** Units that are undone, by row of the original order line. */
  cancelled: Int32Array;
  unitsMatched: number;
  unitsWithoutOriginal: number;
}

export function matchCancellations(table: LineTable): Matches {
  const rows = table.length;
  const skus = table.skus.list.length;
  const keyOf = (row: number): number => table.account.at(row) * skus + table.sku.at(row);
  /** The newest line with quantity left, by account and SKU; older ones hang below it. Only where something is undone. */
  const newest = new Map<number, number>();
  for (let row = 0; row < rows; row += 1) {
    if (table.kind.at(row) === KIND.cancellation) newest.set(keyOf(row), -1);
  }
  const older = new Int32Array(rows).fill(-1);
  const left = new Int32Array(rows);
  const matches: Matches = {
    from: new Map(),
    to: new Map(),
    original: [],
    quantity: [],
    cancelled: new Int32Array(rows),
    unitsMatched: 0,
    unitsWithoutOriginal: 0,
  };
  for (let row = 0; row < rows; row += 1) {
    const kind = table.kind.at(row);
    if (kind !== KIND.order_line && kind !== KIND.cancellation) continue;
    const key = keyOf(row);
    const quantity = table.quantity.at(row);
    if (kind === KIND.order_line) {
      const before = newest.get(key);
      if (before === undefined) continue;
      older[row] = before;
      left[row] = quantity;
      newest.set(key, row);
      continue;
    }
    let open = -quantity;
    let original = newest.get(key) ?? -1;
    matches.from.set(row, matches.original.length);
    while (open > 0 && original >= 0) {
      const undone = Math.min(open, left[original]!);
      if (undone > 0) {
        matches.original.push(original);
        matches.quantity.push(undone);
        matches.cancelled[original]! += undone;
        matches.unitsMatched += undone;
        left[original]! -= undone;
        open -= undone;
      }
      if (left[original] === 0) original = older[original]!;
    }
    newest.set(key, original);
    if (open > 0) {
      matches.original.push(-1);
      matches.quantity.push(open);
      matches.unitsWithoutOriginal += open;
    }
    matches.to.set(row, matches.original.length);
  }
  return matches;
}
