/**
 * Kinds of records as plans see them: what names one, which fields it has, how it is read, put and taken back. A new field comes along
 * by standing in `fields` and in what `read` gives; how it is written is known to the kind's own writer only.
 */
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import { type AccountRecord, writeAccounts } from './accounts.ts';
import { lockCrosswalk, readEntries, removeEntries } from './crosswalk.sql.ts';
import { type CrosswalkRecord, keyColumns, writeCrosswalk } from './crosswalk.ts';
import { findSkus } from './directory.sql.ts';
import type { Directory } from './directory.ts';
import type { Findings } from './findings.ts';
import { lockPriceWriters } from './overlaps.ts';
import { admitPrices } from './price-owners.ts';
import { type ProductRecord, writeProducts } from './products.ts';
import * as statements from './record-kinds.sql.ts';
import { type PriceRecord, tellPrices, writePrices } from './records.ts';

export type Value = string | number | boolean | null | readonly string[];
/** Field by field. */
export type Values = Readonly<Record<string, Value>>;
/** The fields of the key, in their order. */
export type RecordKey = readonly string[];

export interface Refusal {
  code: string;
  reason: string;
}

/** Some of a set can't be written, by their places. */
export class RecordsRefused extends Error {
  readonly refused: ReadonlyMap<number, Refusal>;
  constructor(refused: ReadonlyMap<number, Refusal>) {
    super(`${refused.size} records were refused`);
    this.refused = refused;
  }
}

export interface KnownRecord {
  subjectId: number | null;
  values: Values;
}

export const planKinds = ['products', 'accounts', 'prices', 'substitutes', 'crosswalk'] as const;
export type PlanKindName = (typeof planKinds)[number];

/** A record as files and writers have it: key fields and others by name. */
type Loose = Record<string, unknown>;

export interface RecordKind {
  readonly name: PlanKindName;
  readonly keyFields: readonly string[];
  readonly fields: readonly string[];
  /** Fields that are exact decimals: 2 and 2.00 are the same, and each stays as it was written. */
  readonly decimals?: readonly string[];
  /** The record is the subject: one that isn't there yet has no id. Else what its key names. */
  readonly isSubject: boolean;
  /** Keeps all other writers of the kind out until the transaction ends. */
  lock(tx: Tx): Promise<unknown>;
  /** By place in `keys`: those that are there. */
  read(db: Queryable, keys: readonly RecordKey[]): Promise<Map<number, KnownRecord>>;
  /**
   * Puts whole records.
   * @throws RecordsRefused, or a CrossdockError naming the place `…[i]`: nothing of the transaction may stay then
   */
  put(tx: Tx, directory: Directory, records: readonly Loose[]): Promise<void>;
  /** Takes back records that were added. @returns by place what still names those that stay */
  withdraw(tx: Tx, directory: Directory, keys: readonly RecordKey[]): Promise<Map<number, string>>;
}

const column = (keys: readonly RecordKey[], at: number) => texts(keys.map((key) => key[at]!));

const products: RecordKind = {
  name: 'products',
  keyFields: ['sku'],
  fields: ['description', 'unit', 'gtin', 'lifecycle', 'weightG', 'lengthMm', 'widthMm', 'heightMm'],
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

const substitutes: RecordKind = {
  name: 'substitutes',
  keyFields: ['sku'],
  fields: ['substitutes'],
  isSubject: false,
  lock: (tx) => tx.query(statements.lockSubstituteTables),
  async read(db, keys) {
    const rows = await db.query(statements.readSubstitutes, [column(keys, 0)]);
    return new Map(
      rows.map(({ at, sku_id: subjectId, substitutes: list }) => [at, { subjectId, values: { substitutes: list } }]),
    );
  },
  async put(tx, _directory, records) {
    const all = records as unknown as ProductRecord[];
    refuse((await writeProducts(tx, all, { whole: true, mustExist: true })).findings, all);
  },
  async withdraw(tx, _directory, keys) {
    const none = keys.map(([sku]) => ({ sku: sku!, substitutes: [] }));
    refuse((await writeProducts(tx, none, { whole: true, mustExist: true })).findings, none);
    return new Map();
  },
};

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

const kinds: Readonly<Record<PlanKindName, RecordKind>> = { products, accounts, prices, substitutes, crosswalk };

export function recordKind(name: PlanKindName): RecordKind {
  return kinds[name];
}

/** What could not be taken of a record refuses the whole of it. */
function refuse<R>(findings: Findings<R>, records: readonly R[]): void {
  if (findings.size === 0) return;
  const refused = new Map<number, Refusal>();
  records.forEach((record, i) => {
    const [first] = findings.get(record) ?? [];
    if (first === undefined) return;
    const code = first.class === 'gtin_taken' ? first.class : first.code;
    refused.set(i, { code, reason: `${first.field}: ${first.reason}` });
  });
  throw new RecordsRefused(refused);
}

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
