/** Products, accounts and prices: upserts in sets. A changed price is a fact, so that the channels are told. */
import { fail, unitPriceOf } from '../canonical/index.ts';
import { appendFacts } from '../log/index.ts';
import { type Database, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import type { Directory } from './directory.ts';
import * as statements from './records.sql.ts';

export const RECORDS_MAX = 1_000;

export interface ProductRecord {
  sku: string;
  description?: string;
  unit?: string;
  /** When its system changed it; absent: a person put it. So with the others. */
  changedAt?: string;
}
export interface AccountRecord {
  account: string;
  company: string;
  channel?: string;
  name?: string;
  changedAt?: string;
}
export interface PriceRecord {
  /** Whose it is; may be left out where there is one company. */
  company?: string;
  sku: string;
  currency: string;
  unitPrice: string;
  priceList?: string;
  validFrom?: string;
  changedAt?: string;
}

interface PriceEntry {
  companyId: number;
  skuId: number;
  list: string;
  currency: string;
  from: string;
  price: string;
  changedAt: string | null;
}

export const UNITS: ReadonlySet<string> = new Set(['each']);

/** Adds or changes products. @throws XD_UNKNOWN_UNIT naming place and value; nothing is written then */
export async function putProducts(db: Queryable, records: readonly ProductRecord[]): Promise<{ written: number }> {
  const last = new Map<string, ProductRecord>();
  records.forEach((record, i) => {
    if (record.unit !== undefined && !UNITS.has(record.unit))
      fail(
        'XD_UNKNOWN_UNIT',
        `products[${i}].unit: no conversion for unit ${JSON.stringify(record.unit.slice(0, 40))}`,
        { place: `products[${i}].unit` },
      );
    last.set(record.sku.toUpperCase(), newer(last.get(record.sku.toUpperCase()), record));
  });
  const codes = [...last.keys()];
  const all = [...last.values()];
  const rows = await db.query(statements.upsertProducts, [
    texts(codes),
    texts(all.map((r) => r.description ?? '')),
    texts(all.map((r) => r.unit ?? 'each')),
    texts(all.map((r) => r.changedAt ?? null)),
  ]);
  return { written: rows.length };
}

/** Of two in one set: the one that changed later, else the one that stands later. */
function newer<R extends { changedAt?: string }>(one: R | undefined, other: R): R {
  const isOlder =
    one?.changedAt !== undefined &&
    other.changedAt !== undefined &&
    Date.parse(other.changedAt) < Date.parse(one.changedAt);
  return isOlder ? one : other;
}

export async function putAccounts(
  db: Queryable,
  directory: Directory,
  records: readonly AccountRecord[],
): Promise<{ written: number }> {
  const last = new Map<string, { record: AccountRecord; companyId: number; currency: string }>();
  records.forEach((record, i) => {
    const company = directory.companies.get(record.company);
    if (company === undefined)
      fail('XD_UNKNOWN_COMPANY', `accounts[${i}].company: no company ${record.company}`, {
        place: `accounts[${i}].company`,
      });
    const key = `${company.companyId}/${record.account}`;
    last.set(key, {
      record: newer(last.get(key)?.record, record),
      companyId: company.companyId,
      currency: company.currency,
    });
  });
  const all = [...last.values()];
  const rows = await db.query(statements.upsertAccounts, [
    numbers(all.map((a) => a.companyId)),
    texts(all.map((a) => a.record.account)),
    texts(all.map((a) => a.record.channel ?? null)),
    texts(all.map((a) => a.record.name ?? '')),
    texts(all.map((a) => a.currency)),
    texts(all.map((a) => a.record.changedAt ?? null)),
  ]);
  return { written: rows.length };
}

/** Adds or changes prices of companies and records `price.changed`, one for each company, for what really changed. */
export async function putPrices(
  db: Database,
  directory: Directory,
  records: readonly PriceRecord[],
): Promise<{ written: number }> {
  await directory.loadSkus(records.map((record) => record.sku.toUpperCase()));
  return db.transaction((tx) => writePrices(tx, directory, records));
}

/** As {@link putPrices}, in the caller's transaction; the SKUs' codes are loaded. */
export async function writePrices(
  tx: Tx,
  directory: Directory,
  records: readonly PriceRecord[],
): Promise<{ written: number }> {
  const only = directory.companies.size === 1 ? [...directory.companies.keys()][0] : undefined;
  const last = new Map<string, PriceEntry>();
  records.forEach((record, i) => {
    const place = `prices[${i}].company`;
    const code = record.company ?? only;
    if (code === undefined) fail('XD_VALUE_INVALID', `${place} is missing: there are several companies`, { place });
    const company = directory.companies.get(code);
    if (company === undefined) fail('XD_UNKNOWN_COMPANY', `${place}: no company ${code}`, { place });
    const skuId = directory.findSkuId(record.sku.toUpperCase());
    if (skuId === undefined)
      fail('XD_UNKNOWN_SKU', `prices[${i}].sku: no SKU ${JSON.stringify(record.sku.slice(0, 60))}`, {
        place: `prices[${i}].sku`,
      });
    const price = unitPriceOf(record.unitPrice, `prices[${i}].unitPrice`);
    const entry = {
      companyId: company.companyId,
      skuId,
      list: record.priceList ?? 'base',
      currency: record.currency,
      from: record.validFrom ?? '-infinity',
      price,
      changedAt: record.changedAt ?? null,
    };
    const key = `${entry.companyId}/${skuId}/${entry.list}/${entry.currency}/${entry.from}`;
    const before = last.get(key);
    const isOlder =
      before?.changedAt != null &&
      entry.changedAt !== null &&
      Date.parse(entry.changedAt) < Date.parse(before.changedAt);
    if (!isOlder) last.set(key, entry);
  });
  const all = [...last.values()];
  const rows = await tx.query(statements.upsertPrices, [
    numbers(all.map((p) => p.companyId)),
    numbers(all.map((p) => p.skuId)),
    texts(all.map((p) => p.list)),
    texts(all.map((p) => p.currency)),
    texts(all.map((p) => p.from)),
    texts(all.map((p) => p.price)),
    texts(all.map((p) => p.changedAt)),
  ]);
  const changed = Map.groupBy(rows, (row) => row.company_id);
  if (changed.size > 0)
    await appendFacts(
      tx,
      [...changed].map(([companyId, prices]) => ({
        type: 'price.changed',
        stream: 'price',
        version: 0,
        companyId,
        occurredAt: new Date().toISOString(),
        data: { skuIds: [...new Set(prices.map((row) => row.sku_id))] },
      })),
    );
  return { written: rows.length };
}
