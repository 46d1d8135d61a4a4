/** A person takes a value that waits in the stewardship queue, or does not. */
import { fail } from '../canonical/index.ts';
import type { Database, Tx } from '../store/index.ts';
import { type AccountRecord, writeAccounts } from './accounts.ts';
import type { Directory } from './directory.ts';
import { failAtFirst } from './findings.ts';
import type { OwnerRules } from './owners.ts';
import { type ProductRecord, writeProducts } from './products.ts';
import { type PriceRecord, writePrices } from './records.ts';
import { endStewardship, getStewardship, type StewardshipItem } from './stewardship.ts';

/** The steward decides instead of the owner. */
const NOBODY_OWNS: OwnerRules = { owners: {}, ownership: {} };

/**
 * Accepted, the value holds from now on as that of the system that said it, until its owner says something later than it did before. The same
 * decision twice is one.
 * @throws XD_NOT_FOUND; XD_REFUSED when it was decided otherwise, or the system says something else by now; and what writing it throws
 */
export async function decideStewardship(
  db: Database,
  directory: Directory,
  itemId: number,
  { state, by, reason }: { state: 'accepted' | 'rejected'; by: string; reason?: string | undefined },
): Promise<StewardshipItem> {
  const item = await getStewardship(db, itemId);
  if (item.state === state) return item;
  if (item.state !== 'open')
    fail('XD_REFUSED', `stewardship item ${itemId} is ${item.state} already`, { itemId, state: item.state });
  if (item.domain === 'price') await directory.loadSkus([item.record.slice(0, item.record.indexOf('/'))]);
  return db.transaction(async (tx) => {
    // The record before the item: whoever queues holds the record's lock.
    if (state === 'accepted') await write(tx, directory, item);
    return endStewardship(tx, item, state, by, reason ?? null);
  });
}

async function write(tx: Tx, directory: Directory, item: StewardshipItem): Promise<void> {
  const { record, field, said, system } = item;
  const options = { rules: NOBODY_OWNS, whole: true, mustExist: true };
  if (item.domain === 'product') {
    const records: ProductRecord[] = [{ sku: record, system, [field]: said }];
    failAtFirst((await writeProducts(tx, records, options)).findings, records, 'products');
  } else if (item.domain === 'account') {
    const company = directory.companyById.get(item.companyId ?? 0)?.code ?? '';
    const records: AccountRecord[] = [{ account: record, company, system, [field]: said }];
    failAtFirst((await writeAccounts(tx, directory, records, options)).findings, records, 'accounts');
  } else await writePrices(tx, directory, [{ ...(said as PriceRecord), system }]);
}
