/**
 * Kinds of records as plans see them: what names one, which fields it has, how it is read, put and taken back. A new field comes along
 * by standing in `fields` and in what `read` gives; how it is written is known to the kind's own writer only.
 */
import { fail } from '../canonical/index.ts';
import { numbers, type Queryable, texts } from '../store/index.ts';
import { type AccountRecord, writeAccounts } from './accounts.ts';
import { lockCrosswalk, readEntries, removeEntries } from './crosswalk.sql.ts';
import { type CrosswalkRecord, keyColumns, writeCrosswalk } from './crosswalk.ts';
import { findSkus } from './directory.sql.ts';
import { listKinds } from './list-kinds.ts';
import { lockPriceWriters } from './overlaps.ts';
import { admitPrices } from './price-owners.ts';
import { type ProductRecord, writeProducts } from './products.ts';
import { column, type RecordKey, type RecordKind, RecordsRefused, refuse } from './record-kind.ts';
import * as statements from './record-kinds.sql.ts';
import { type PriceRecord, tellPrices, writePrices } from './records.ts';

const products: RecordKind = {
  name: 'products',
  keyFields: ['sku'],
  fields: [
    ...['description', 'unit', 'gtin', 'lifecycle', 'weightG', 'lengthMm', 'widthMm', 'heightMm'],
    ...['orderMultiple', 'orderMinimum', 'orderRounding'],
  ],
  isSubject: true,
  lock: (tx) => tx.query(statements.lockProducts),
  async read(db, keys) {
    const rows = await db.query(statements.readProducts, [column(keys, 0)]);
    return new Map(rows.map(({ at, sku_id: subjectId, ...values }) => [at, { subjectId, values }]));
  },
  async put(tx, _directory, records) {
    // null: it has none any more.
    const all = records.map((record) => ({ ...record, gtin: record.gtin ?? '' })) as unknown as ProductRecord[];
    refuse((await writeProducts(tx, all, { whole: true })).findings, all);
  },
  async withdraw(tx, _directory, keys) {
    const uses = await tx.query(statements.findProductUses, [column(keys, 0)]);
    const usedBy = new Map(uses.map((row) => [row.code, row.used_by]));
    return withdrawUnused(
      keys,
      ([sku]) => usedBy.get(sku!),
      async (unused) => {
        await tx.query(statements.withdrawProducts, [column(unused, 0)]);
      },
    );
  },
};

const accounts: RecordKind = {
  name: 'accounts',
  keyFields: ['company', 'account'],
  fields: [
    ...['channel', 'name', 'parent', 'paymentTerms', 'hold', 'priceList', 'priorityClass', 'shipComplete', 'region'],
  ],
  isSubject: true,
  lock: (tx) => tx.query(statements.lockAccounts),
  async read(db, keys) {
    const rows = await db.query(statements.readAccounts, [column(keys, 0), column(keys, 1)]);
    return new Map(rows.map(({ at, account_id: subjectId, ...values }) => [at, { subjectId, values }]));
  },
  async put(tx, directory, records) {
    const all = records as unknown as AccountRecord[];
    refuse((await writeAccounts(tx, directory, all, { whole: true })).findings, all);
  },
  async withdraw(tx, _directory, keys) {
    const uses = await tx.query(statements.findAccountUses, [column(keys, 0), column(keys, 1)]);
    const usedBy = new Map(uses.map((row) => [row.at, row.used_by]));
    return withdrawUnused(
      keys,
      (_, i) => usedBy.get(i),
      async (unused) => {
        await tx.query(statements.withdrawAccounts, [column(unused, 0), column(unused, 1)]);
      },
    );
  },
};

const prices: RecordKind = {
  name: 'prices',
  keyFields: ['company', 'sku', 'priceList', 'currency', 'validFrom', 'quantityMin'],
  fields: ['unitPrice', 'pricePer', 'validTo'],
  // A price of one BX is that of as many base units.
  alsoSaid: ['unit'],
  decimals: ['unitPrice'],
  isSubject: false,
  async lock(tx) {
    // As its writers do: they wait for each other before they come to the table.
    const companies = await tx.query(statements.listCompanyIds);
    await lockPriceWriters(
      tx,
      companies.map((row) => row.company_id),
    );
    await tx.query(statements.lockPriceTable);
  },
  async read(db, keys) {
    const rows = await db.query(statements.readPrices, await priceColumns(db, keys));
    return new Map(
      rows.map(({ at, sku_id: subjectId, unit_price: unitPrice, price_per: pricePer, valid_to: validTo }) => [
        at,
        { subjectId, values: { unitPrice, pricePer, validTo } },
      ]),
    );
  },
  async put(tx, directory, records) {
    await directory.loadSkus(records.map((record) => String(record.sku)));
    const all = records.map(({ validFrom, validTo, quantityMin, ...record }) => ({
      ...record,
      ...(typeof validTo === 'string' && { validTo }),
      quantityMin: Number(quantityMin),
      ...(validFrom !== '' && { validFrom }),
    }));
    const told = all as unknown as PriceRecord[];
    const { findings, dropped } = await admitPrices(tx, directory, told);
    refuse(findings, told);
    const { refused } = await writePrices(tx, directory, told, dropped);
    if (refused.length > 0)
      throw new RecordsRefused(new Map(refused.map(({ at, reason }) => [at, { code: 'XD_PRICE_OVERLAP', reason }])));
  },
  async withdraw(tx, _directory, keys) {
    const gone = await tx.query(statements.withdrawPrices, await priceColumns(tx, keys));
    await tellPrices(tx, gone);
    return new Map();
  },
};

async function priceColumns(db: Queryable, keys: readonly RecordKey[]) {
  const companies = await db.query(statements.findCompanies, [texts([...new Set(keys.map(([company]) => company!))])]);
  const skus = await db.query(findSkus, [texts([...new Set(keys.map(([, sku]) => sku!))])]);
  const companyIds = new Map(companies.map((row) => [row.code, row.company_id]));
  const skuIds = new Map(skus.map((row) => [row.code, row.sku_id]));
  return [
    numbers(keys.map(([company]) => companyIds.get(company!) ?? null)),
    numbers(keys.map(([, sku]) => skuIds.get(sku!) ?? null)),
    ...[column(keys, 2), column(keys, 3)],
    texts(keys.map((key) => (key[4] === '' ? '-infinity' : key[4]!))),
    numbers(keys.map((key) => Number(key[5]))),
  ];
}

const crosswalk: RecordKind = {
  name: 'crosswalk',
  keyFields: ['system', 'kind', 'outsideId', 'validFrom'],
  fields: ['code', 'validTo'],
  isSubject: false,
  lock: (tx) => tx.query(lockCrosswalk),
  async read(db, keys) {
    const rows = await db.query(readEntries, keyColumns(keys.map(entryKey)));
    return new Map(
      rows.map((row) => [row.at, { subjectId: null, values: { code: row.our_code, validTo: row.valid_to } }]),
    );
  },
  async put(tx, _directory, records) {
    const all = records.map((record) => ({ ...record, validFrom: record.validFrom === '' ? null : record.validFrom }));
    await writeCrosswalk(tx, all as unknown as CrosswalkRecord[], 'plan');
  },
  async withdraw(tx, _directory, keys) {
    await tx.query(removeEntries, keyColumns(keys.map(entryKey)));
    return new Map();
  },
};

function entryKey([system, kind, outsideId, validFrom]: RecordKey) {
  const from = validFrom === '' ? null : validFrom!;
  return { system: system!, kind: kind as CrosswalkRecord['kind'], outsideId: outsideId!, validFrom: from };
}

const kinds: readonly RecordKind[] = [products, ...listKinds, accounts, prices, crosswalk];
export type KindOf = (name: string) => RecordKind;

/** Those of master data, and those that other rooms bring. @throws XD_VALUE_INVALID */
export function kindsWith(others: readonly RecordKind[]): KindOf {
  const all = [...kinds, ...others];
  return (name) =>
    all.find((kind) => kind.name === name) ??
    fail('XD_VALUE_INVALID', `there is no plan for ${name}; there are for ${all.map((kind) => kind.name).join(', ')}`, {
      place: 'kind',
    });
}
export const masterKinds = kindsWith([]);

async function withdrawUnused(
  keys: readonly RecordKey[],
  usedBy: (key: RecordKey, at: number) => string | null | undefined,
  withdraw: (unused: readonly RecordKey[]) => Promise<void>,
): Promise<Map<number, string>> {
  const stay = new Map<number, string>();
  keys.forEach((key, i) => {
    const by = usedBy(key, i);
    if (by !== null && by !== undefined) stay.set(i, by);
  });
  const unused = keys.filter((_, i) => !stay.has(i));
  if (unused.length > 0) await withdraw(unused);
  return stay;
}
