/** Contracts and their prices as plans of loads see them. */
import { column, lockPriceWriters, type RecordKey, type RecordKind, RecordsRefused } from '../master/index.ts';
import { numbers, type Tx } from '../store/index.ts';
import {
  type ContractPriceRecord,
  type ContractRecord,
  loadAccountsOf,
  writeContractPrices,
  writeContracts,
} from './contracts.ts';
import * as statements from './plan-kinds.sql.ts';

/** As its writers do: they wait for each other before they come to the tables. */
async function lockWriters(tx: Tx): Promise<void> {
  const companies = await tx.query(statements.listCompanies);
  await lockPriceWriters(
    tx,
    companies.map((row) => row.company_id),
  );
}

const contracts: RecordKind = {
  name: 'contracts',
  keyFields: ['company', 'contract'],
  fields: ['account', 'currency', 'validFrom', 'validTo'],
  isSubject: false,
  async lock(tx) {
    await lockWriters(tx);
    await tx.query(statements.lockContracts);
  },
  async read(db, keys) {
    const rows = await db.query(statements.readContractRecords, [column(keys, 0), column(keys, 1)]);
    return new Map(
      rows.map(({ at, account_id: subjectId, account, currency, valid_from: validFrom, valid_to: validTo }) => [
        at,
        { subjectId, values: { account, currency, validFrom, validTo } },
      ]),
    );
  },
  async put(tx, directory, records) {
    const all = records.map(
      (record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null)) as unknown,
    ) as ContractRecord[];
    await loadAccountsOf(directory, all);
    const { refused } = await writeContracts(tx, directory, all);
    if (refused.length > 0)
      throw new RecordsRefused(new Map(refused.map(({ at, reason }) => [at, { code: 'price_overlap', reason }])));
  },
  async withdraw(tx, _directory, keys) {
    const gone = await tx.query(statements.removeContracts, [column(keys, 0), column(keys, 1)]);
    const places = new Set(gone.map((row) => row.at));
    return new Map(keys.flatMap((_, i) => (places.has(i) ? [] : [[i, 'prices of it'] as const])));
  },
};

const priceColumns = (keys: readonly RecordKey[]) => [
  ...[column(keys, 0), column(keys, 1), column(keys, 2)],
  numbers(keys.map((key) => Number(key[3]))),
];

const contractPrices: RecordKind = {
  name: 'contract-prices',
  keyFields: ['company', 'contract', 'sku', 'quantityMin'],
  fields: ['unitPrice', 'pricePer'],
  decimals: ['unitPrice'],
  isSubject: false,
  async lock(tx) {
    await lockWriters(tx);
    await tx.query(statements.lockContractPrices);
  },
  async read(db, keys) {
    const rows = await db.query(statements.readContractPriceRecords, priceColumns(keys));
    return new Map(
      rows.map(({ at, sku_id: subjectId, unit_price: unitPrice, price_per: pricePer }) => [
        at,
        { subjectId, values: { unitPrice, pricePer } },
      ]),
    );
  },
  async put(tx, directory, records) {
    await directory.loadSkus(records.map((record) => String(record.sku)));
    const all = records.map((record) => ({ ...record, quantityMin: Number(record.quantityMin) }));
    await writeContractPrices(tx, directory, all as unknown as ContractPriceRecord[]);
  },
  async withdraw(tx, _directory, keys) {
    await tx.query(statements.removeContractPrices, priceColumns(keys));
    return new Map();
  },
};

export const pricingKinds: readonly RecordKind[] = [contracts, contractPrices];
