/** Products, accounts and prices that systems tell. What of a record can't be taken is set aside and named; the rest of it is taken. */
import { ownerOf, type RecordChanged } from '../canonical/index.ts';
import {
  admitPrices,
  type Directory,
  type Finding,
  type Findings,
  mergeAccounts,
  readOwnerRules,
  writeAccounts,
  writePrices,
  writeProducts,
} from '../master/index.ts';
import { changeContracts } from '../pricing/index.ts';
import type { Tx } from '../store/index.ts';
import { type Entry, refusalOf } from './entry.ts';
import { keepIdentities } from './matches.ts';
import { isFault } from './translated.ts';

type Told<K extends RecordChanged['kind']> = Extract<RecordChanged, { kind: K }> & { system: string };

/** Records first: they are locked by nobody who waits for an order or a balance. Products, then accounts, then prices. */
export async function applyRecords(tx: Tx, directory: Directory, entries: readonly Entry[]): Promise<void> {
  const by = new Map<RecordChanged & { system: string }, Entry>();
  for (const entry of entries)
    if (!isFault(entry.translated))
      for (const record of entry.translated.records) by.set({ ...record, system: entry.message.system }, entry);
  if (by.size === 0) return;
  const of = <K extends RecordChanged['kind']>(kind: K) =>
    [...by.keys()].filter((one): one is Told<K> => one.kind === kind);
  const set = (findings: Findings<RecordChanged & { system: string }>) => {
    for (const [record, found] of findings) setAside(by.get(record)!, found);
  };
  const products = of('product.changed');
  if (products.length > 0) set((await writeProducts(tx, products)).findings);
  const accounts = of('account.changed');
  if (accounts.length > 0) {
    set((await writeAccounts(tx, directory, accounts)).findings);
    await keepIdentities(tx, directory, entries);
  }
  const merges = of('account.merged');
  if (merges.length > 0) set(await mergeAccounts(tx, directory, merges));
  const contracts = of('contract.changed');
  if (contracts.length > 0) set(await applyContracts(tx, directory, contracts));
  const prices = of('price.changed');
  if (prices.length > 0) {
    const { dropped, findings } = await admitPrices(tx, directory, prices);
    set(findings);
    // Two prices on one day are two answers to one question: the one that was there stays.
    if (dropped.size < prices.length)
      for (const { at, reason } of (await writePrices(tx, directory, prices, dropped)).refused)
        setAside(by.get(prices[at]!)!, [
          { class: 'price_overlap', code: 'XD_PRICE_OVERLAP', field: 'validFrom', reason },
        ]);
  }
}

/** Of several of one contract the last change holds. */
async function applyContracts(
  tx: Tx,
  directory: Directory,
  contracts: readonly Told<'contract.changed'>[],
): Promise<Findings<Told<'contract.changed'>>> {
  const findings: Findings<Told<'contract.changed'>> = new Map();
  const owner = ownerOf((await readOwnerRules(tx)).owners, 'price');
  const owned = contracts.filter((record) => {
    if (owner === undefined || owner === record.system) return true;
    const reason = `prices are owned by ${owner}, and ${record.system} tells contract ${record.contract}`;
    findings.set(record, [{ class: 'not_owner', code: 'XD_NOT_OWNER', field: 'price', reason }]);
    return false;
  });
  for (const { record, ...why } of await changeContracts(tx, directory, owned)) findings.set(record, [why]);
  return findings;
}

function setAside(entry: Entry, findings: readonly Finding[]): void {
  // What comes by itself first: what is left is looked at when it runs again.
  const first = findings.find(({ waitKey }) => waitKey !== undefined) ?? findings[0]!;
  const reason = [first, ...findings.filter((one) => one !== first)].map(reasonOf).join('; ');
  const result = refusalOf(entry, first.class, reason, first.code);
  entry.result =
    result.status === 'parked'
      ? { ...result, place: first.field, ...(first.waitKey !== undefined && { waitKey: first.waitKey }) }
      : result;
}

function reasonOf(finding: Finding): string {
  if (finding.class !== 'gtin_taken') return finding.reason;
  return (
    `${finding.reason}: correct it in the system of the one it does not belong to; ` +
    'where it now is this one’s, take it from the other there and replay this, else resolve it. Both are sold by their SKUs meanwhile'
  );
}
