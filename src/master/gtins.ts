/** Whose a trade item number is. The database decides: two systems may name one for two SKUs at once. */
import { type Tx, texts } from '../store/index.ts';
import * as statements from './gtins.sql.ts';

interface Named {
  sku: string;
  gtin?: string;
  changedAt: string;
}

/**
 * Gives each SKU the number that its newest change names, and takes from it what it had. Changes that are older than what is known say
 * nothing. @returns by change whose number is another SKU's: that SKU
 */
export async function claimGtins<R extends Named>(tx: Tx, records: readonly R[]): Promise<Map<R, string>> {
  const taken = new Map<R, string>();
  const newest = new Map<string, R>();
  for (const record of records) {
    if (record.gtin === undefined) continue;
    const before = newest.get(codeOf(record));
    if (before === undefined || Date.parse(before.changedAt) <= Date.parse(record.changedAt))
      newest.set(codeOf(record), record);
  }
  if (newest.size === 0) return taken;
  const columns = (all: readonly R[]) => [
    texts(all.map(codeOf)),
    texts(all.map(({ gtin }) => gtin!)),
    texts(all.map(({ changedAt }) => changedAt)),
  ];
  const [skus, gtins, times] = columns([...newest.values()]);
  await tx.query(statements.lockGtins, [skus, gtins]);
  await tx.query(statements.releaseGtins, [skus, gtins, times]);
  const naming = [...newest.values()].filter(({ gtin }) => gtin !== '');
  if (naming.length === 0) return taken;
  await tx.query(statements.claimGtins, columns(naming));
  // A statement of its own: it sees what another transaction claimed while this one waited for it.
  for (const { sku, holder } of await tx.query(statements.findTaken, columns(naming)))
    taken.set(newest.get(sku)!, holder);
  return taken;
}

/** As SKUs are kept: codes that differ only by case are one. */
function codeOf({ sku }: Named): string {
  return sku.toUpperCase();
}
