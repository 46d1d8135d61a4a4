/** Whose a trade item number is. The database decides: two systems may name one for two SKUs at once. */
import { type Tx, texts } from '../store/index.ts';
import * as statements from './gtins.sql.ts';

/**
 * Gives each SKU the number that it shall have, and takes from it what it had. The SKUs' rows are locked.
 * @param claims by record, its SKU; '' as number: it has none any more
 * @returns by record whose number is another SKU's: that SKU
 */
export async function claimGtins<R extends { gtin?: string }>(
  tx: Tx,
  claims: ReadonlyMap<R, string>,
): Promise<Map<R, string>> {
  const taken = new Map<R, string>();
  if (claims.size === 0) return taken;
  const all = [...claims];
  const columns = (rows: typeof all) => [texts(rows.map(([, sku]) => sku)), texts(rows.map(([{ gtin }]) => gtin!))];
  await tx.query(statements.lockGtins, columns(all));
  await tx.query(statements.releaseGtins, columns(all));
  const naming = all.filter(([{ gtin }]) => gtin !== '');
  if (naming.length === 0) return taken;
  await tx.query(statements.claimGtins, columns(naming));
  // A statement of its own: it sees what another transaction claimed while this one waited for it.
  const holders = new Map((await tx.query(statements.findTaken, columns(naming))).map((row) => [row.sku, row.holder]));
  for (const [record, sku] of naming) if (holders.has(sku)) taken.set(record, holders.get(sku)!);
  return taken;
}
