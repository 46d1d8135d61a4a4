/** Accounts, products and price book entries, as they are. */
import { Fields, Unreadable } from '../kit/index.ts';
import { skuOf } from './map.ts';
import { id18, plainDecimal } from './values.ts';

export interface AccountRecord {
  /** Our account; null of an account that nobody gave one. */
  account: string | null;
  id: string;
  name: string;
  currency: string | null;
  /** The id of the account that took its place. */
  mergedInto: string | null;
  isDeleted: boolean;
}
export interface ProductRecord {
  sku: string;
  id: string;
  name: string;
  unit: string | null;
  isActive: boolean;
  isDeleted: boolean;
}
export interface PriceRecord {
  /** The id of the price book. */
  priceList: string;
  priceListName: string;
  isStandard: boolean;
  sku: string;
  currency: string;
  unitPrice: string;
  isActive: boolean;
}

/** What was read, or why it can't be: neighbours are read all the same. */
export type Read<T> =
  | { record: T }
  | { unreadable: { id: string | null; reason: string; place: string; value: unknown } };

export function readEach<T>(records: readonly unknown[], read: (fields: Fields) => T): Read<T>[] {
  return records.map((raw, index) => {
    try {
      return { record: read(new Fields(raw, `/records/${index}`)) };
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const { reason, place, value } = error;
      const id = (raw as { Id?: unknown } | null)?.Id;
      return { unreadable: { id: typeof id === 'string' ? id : null, reason, place, value } };
    }
  });
}

const idOf = (record: Fields, name = 'Id'): string => id18(record.text(name), `${record.place}/${name}`);
/** CSV has `true` and `false` as texts. */
const isTrue = (value: unknown): boolean => value === true || value === 'true';
const absent = (value: unknown): boolean => value == null || value === '';

export function mapAccount(record: Fields, { accountField }: { accountField: string }): AccountRecord {
  return {
    account: absent(record.raw[accountField]) ? null : record.text(accountField),
    id: idOf(record),
    name: record.text('Name', 255),
    currency: absent(record.raw.CurrencyIsoCode) ? null : record.currency('CurrencyIsoCode'),
    mergedInto: absent(record.raw.MasterRecordId) ? null : idOf(record, 'MasterRecordId'),
    isDeleted: isTrue(record.raw.IsDeleted),
  };
}

export function mapProduct(record: Fields, { skuField }: { skuField: string }): ProductRecord {
  return {
    sku: record.sku(skuField),
    id: idOf(record),
    name: record.text('Name', 255),
    unit: absent(record.raw.QuantityUnitOfMeasure) ? null : record.text('QuantityUnitOfMeasure'),
    isActive: isTrue(record.raw.IsActive),
    isDeleted: isTrue(record.raw.IsDeleted),
  };
}

export function mapPrice(record: Fields, reading: { skuField: string; currency: string | null }): PriceRecord {
  const book = new Fields(record.raw.Pricebook2, `${record.place}/Pricebook2`);
  const price = plainDecimal(record.raw.UnitPrice);
  if (price === undefined) throw record.unreadable('UnitPrice', 'must be a price');
  return {
    priceList: idOf(record, 'Pricebook2Id'),
    priceListName: book.text('Name', 255),
    isStandard: isTrue(book.raw.IsStandard),
    sku: skuOf(record, reading),
    currency: reading.currency ?? record.currency('CurrencyIsoCode'),
    unitPrice: new Fields({ UnitPrice: price }, record.place).unitPrice('UnitPrice'),
    isActive: isTrue(record.raw.IsActive),
  };
}

/**
 * By account that was merged away: the one that took its place in the end, however many merges that took. An account whose successor is
 * gone, or has no account of ours, stands under `lost`: a person decides.
 */
export function mergesOf(accounts: readonly AccountRecord[]): { into: Map<string, string>; lost: string[] } {
  const byId = new Map(accounts.map((one) => [one.id, one]));
  const into = new Map<string, string>();
  const lost: string[] = [];
  for (const one of accounts) {
    if (one.account === null || one.mergedInto === null) continue;
    const seen = new Set([one.id]);
    let end: AccountRecord | undefined = byId.get(one.mergedInto);
    while (end?.mergedInto != null && !seen.has(end.id)) {
      seen.add(end.id);
      end = byId.get(end.mergedInto);
    }
    if (end === undefined || end.isDeleted || end.account === null) lost.push(one.account);
    else if (end.account !== one.account) into.set(one.account, end.account);
  }
  return { into, lost };
}

/** SKUs that more than one product in use has: which of them is meant, nobody can tell. */
export function ambiguousSkus(products: readonly ProductRecord[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { sku, id, isActive, isDeleted } of products)
    if (isActive && !isDeleted) ids.set(sku, [...(ids.get(sku) ?? []), id]);
  return new Map([...ids].filter(([, all]) => all.length > 1));
}
