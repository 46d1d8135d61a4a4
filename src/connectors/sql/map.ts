/** Rows as records with their places; what their columns mean is the estate's. Pure. */
import type { ChangesBody, Placed, SqlRow } from '../kit/index.ts';

/** Of a page by time or number: named by their place in the feed, which is the same whenever they are read. */
export function placedRows(rows: readonly unknown[]): Placed[] {
  return (rows as SqlRow[]).map((row) => ({ place: `/row/${row.$id || row.$at}`, values: row }));
}

/** A thing that is gone has its key and what the estate says of such things; without that, nothing is told of it. */
export function placedChanges(
  { changes, readAt }: ChangesBody,
  key: readonly string[],
  gone: Record<string, string> | undefined,
): Placed[] {
  return changes.flatMap(({ key: values, rows }): Placed[] => {
    const own = { $readAt: readAt };
    const place = `/row/${values.join('/')}`;
    if (rows.length > 0) return rows.map((row) => ({ place, values: row, own }));
    if (gone === undefined) return [];
    const known = Object.fromEntries(key.map((column, index) => [column, values[index]]));
    return [{ place, values: { ...known, ...gone }, own }];
  });
}
