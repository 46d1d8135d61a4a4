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
  // Of two that name one number in one batch the first has it.
  const first = new Map<string, R>();
  for (const record of newest.values())
    if (record.gtin !== '' && !first.has(record.gtin!)) first.set(record.gtin!, record);
  if (first.size === 0) return taken;
  await tx.query(statements.claimGtins, columns([...first.values()]));
  // A statement of its own: it sees what another transaction claimed while this one waited for it.
  const holders = new Map(
    (await tx.query(statements.findHolders, [texts([...first.keys()])])).map((r) => [r.gtin, r.sku]),
  );
  for (const record of newest.values()) {
    const holder = record.gtin === '' ? undefined : holders.get(record.gtin!);
    if (holder !== undefined && holder !== codeOf(record)) taken.set(record, holder);
  }
  return taken;
}

/** As SKUs are kept: codes that differ only by case are one. */
function codeOf({ sku }: Named): string {
  return sku.toUpperCase();
}
