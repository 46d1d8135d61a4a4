/** All of something at once: for loads, and to compare both ends. Read in batches, mapped by pure functions. */
import { Fields } from '../kit/index.ts';
import type { Lookups } from './lookups.ts';
import type { Raw } from './map.ts';
import type { Tryton } from './rpc.ts';
import type { Settings } from './settings.ts';
import { dateOf, decimalText, minorOf, unitsOf } from './values.ts';

/** Products a call: Tryton computes 120 quantities in one call in the time of two calls for one each. */
const PRODUCTS_MAX = 1_000;

export interface ProductRow {
  sku: string;
  description: string;
  unit: string;
}
export interface AccountRow {
  account: string;
  company: string;
  name: string;
  currency: string;
  /** The most they may owe; null: no limit. */
  creditLimitMinor: number | null;
  /** What they owe already, confirmed orders that aren't invoiced included. */
  creditUsedMinor: number;
  priceList: string | null;
}
export interface PriceRow {
  sku: string;
  priceList: string;
  /** From this quantity on. */
  quantityMin: number;
  unitPrice: string;
  currency: string;
}
export interface StockRow {
  sku: string;
  location: string;
  quantity: number;
}
/** What could be read, and what couldn't with its reason: one broken record hides no other. */
export interface Snapshot<Row> {
  rows: Row[];
  unreadable: { id: unknown; reason: string }[];
}

export interface Snapshots {
  products(signal: AbortSignal): Promise<Snapshot<ProductRow>>;
  accounts(signal: AbortSignal): Promise<Snapshot<AccountRow>>;
  prices(signal: AbortSignal): Promise<Snapshot<PriceRow>>;
  /** On hand in the storages, bins included, at the moment of the answer. */
  stock(skus: readonly string[] | undefined, signal: AbortSignal): Promise<Snapshot<StockRow>>;
}

export function mapAll<Row>(records: readonly Raw[], mapOne: (record: Fields) => Row): Snapshot<Row> {
  const snapshot: Snapshot<Row> = { rows: [], unreadable: [] };
  for (const [index, record] of records.entries())
    try {
      snapshot.rows.push(mapOne(new Fields(record, `/${index}`)));
    } catch (error) {
      snapshot.unreadable.push({ id: record.id, reason: error instanceof Error ? error.message : String(error) });
    }
  return snapshot;
}

/** Two products with one code: neither can be told from the other, so both are set aside. */
export function mapProducts(records: readonly Raw[]): Snapshot<ProductRow> {
  const times = new Map<string, number>();
  const codeOf = (code: unknown) => String(code ?? '').toUpperCase();
  for (const { code } of records) times.set(codeOf(code), (times.get(codeOf(code)) ?? 0) + 1);
  return mapAll(records, (product) => {
    const sku = product.sku('code');
    if (times.get(sku)! > 1) throw product.unreadable('code', `must be one product's only, and is ${times.get(sku)}'s`);
    return { sku, description: product.text('name', 1_000), unit: nested(product, 'default_uom').text('symbol') };
  });
}

export function mapAccounts(
  records: readonly Raw[],
  company: { code: string; currency: string },
  accountOf: (partyCode: string) => string,
): Snapshot<AccountRow> {
  return mapAll(records, (party) => ({
    account: accountOf(party.text('code')),
    company: company.code,
    name: party.text('name', 1_000),
    currency: company.currency,
    creditLimitMinor:
      party.raw.credit_limit_amount == null
        ? null
        : minorOf(party.raw.credit_limit_amount, `${party.place}/credit_limit_amount`),
    creditUsedMinor: minorOf(party.raw.credit_amount, `${party.place}/credit_amount`),
    priceList: party.raw['sale_price_list.'] == null ? null : nested(party, 'sale_price_list').text('name'),
  }));
}

export function mapPrices(
  records: readonly Raw[],
  of: { priceList: string; quantityMin: number; currency: string },
): Snapshot<PriceRow> {
  return mapAll(records, (product) => ({
    sku: product.sku('code'),
    ...of,
    unitPrice: decimalText(product.raw.sale_price_uom, `${product.place}/sale_price_uom`),
  }));
}

export function mapStock(records: readonly Raw[], location: string): Snapshot<StockRow> {
  return mapAll(records, (product) => ({
    sku: product.sku('code'),
    location,
    quantity: unitsOf(product.raw.quantity, `${product.place}/quantity`),
  }));
}

function nested(record: Fields, name: string): Fields {
  return new Fields(record.raw[`${name}.`], `${record.place}/${name}.`);
}

export function snapshots(tryton: Tryton, lookups: Lookups, settings: Settings): Snapshots {
  const accounts = new Map(Object.entries(settings.accounts ?? {}).map(([account, code]) => [code, account]));
  const byId = { order: [['id', 'ASC']] };
  /** Goods in parts, each read with what a context adds. */
  const goods = async (fields: string[], extra: object, signal: AbortSignal, codes?: readonly string[]) => {
    const records: Raw[] = [];
    for (let after = 0; ; ) {
      const domain = [
        ['id', '>', after],
        ['type', '=', 'goods'],
        ['code', '!=', null],
        // One without a unit to sell by fails the prices of all.
        ...('price_list' in extra ? [['salable', '=', true]] : []),
        ...(codes === undefined ? [] : [['code', 'in', codes]]),
      ];
      const method = 'model.product.product.search_read';
      const params = [domain, 0, PRODUCTS_MAX, byId.order, fields];
      const rows = tryton.rowsOf(await tryton.ask(method, params, signal, extra), method);
      records.push(...rows);
      if (rows.length < PRODUCTS_MAX) return records;
      after = rows.at(-1)!.id;
    }
  };
  const currencyOf = async (signal: AbortSignal) => {
    const [company] = await tryton.search(
      'company.company',
      [['id', '=', await tryton.company(signal)]],
      ['currency.code'],
      signal,
    );
    return new Fields(company, '/company');
  };
  return {
    products: async (signal) => mapProducts(await goods(['code', 'name', 'default_uom.symbol'], {}, signal)),
    async accounts(signal) {
      const currency = nested(await currencyOf(signal), 'currency').currency('code');
      const fields = ['code', 'name', 'credit_limit_amount', 'credit_amount', 'sale_price_list.name'];
      const records = await tryton.search('party.party', [['code', '!=', null]], fields, signal, byId);
      return mapAccounts(records, { code: settings.companyCode, currency }, (code) => accounts.get(code) ?? code);
    },
    async prices(signal) {
      const company = await currencyOf(signal);
      const currency = nested(company, 'currency').currency('code');
      const lists = await tryton.search('product.price_list', [], ['name'], signal, byId);
      const lines = await tryton.search('product.price_list.line', [], ['price_list', 'quantity'], signal);
      const snapshot: Snapshot<PriceRow> = { rows: [], unreadable: [] };
      for (const list of lists) {
        // The server applies its own formulas; each tier is asked for at the quantity where it begins.
        const tiers = lines.filter((line) => line.price_list === list.id).map(({ quantity }) => Number(quantity ?? 1));
        for (const quantityMin of [...new Set([1, ...tiers])].sort((a, b) => a - b)) {
          const extra = { price_list: list.id, quantity: quantityMin };
          const records = await goods(['code', 'sale_price_uom'], extra, signal);
          const part = mapPrices(records, { priceList: String(list.name), quantityMin, currency });
          snapshot.rows.push(...part.rows);
          snapshot.unreadable.push(...part.unreadable);
        }
      }
      return snapshot;
    },
    async stock(skus, signal) {
      const snapshot: Snapshot<StockRow> = { rows: [], unreadable: [] };
      for (const [location, { storage }] of await lookups.warehouses(signal)) {
        const extra = { locations: [storage], with_childs: true, stock_date_end: dateOf(new Date().toISOString()) };
        const part = mapStock(await goods(['code', 'quantity'], extra, signal, skus), location);
        snapshot.rows.push(...part.rows);
        snapshot.unreadable.push(...part.unreadable);
      }
      return snapshot;
    },
  };
}
