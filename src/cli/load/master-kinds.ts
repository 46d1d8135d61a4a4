/** Rows of master data: what is empty is not said, `-` says that there is none. A row of which a field can't be taken is rejected whole. */
import {
  type AccountAddress,
  fail,
  gtin14Of,
  LIFECYCLES,
  ORDER_ROUNDINGS,
  PACK_LEVELS,
  PRIORITY_CLASSES,
  type ProductUnit,
} from '../../canonical/index.ts';
import {
  type AccountRecord,
  admitPrices,
  type Findings,
  type KitRecord,
  type PriceRecord,
  type ProductRecord,
  type SubstitutesRecord,
  type UnitsRecord,
  type WriteOptions,
  writeAccounts,
  writePrices,
  writeProducts,
} from '../../master/index.ts';
import { currencyOf, onlyCompany } from './defaults.ts';
import { type RowFields, TEXT_LENGTH_MAX } from './fields.ts';
import type { Kind, LoadContext, Master, Reject } from './kinds.ts';

const NONE = '-';
const MEASURES = [
  ['weight_g', 'weightG'],
  ['length_mm', 'lengthMm'],
  ['width_mm', 'widthMm'],
  ['height_mm', 'heightMm'],
] as const;

export function productKind(
  name: 'products' | 'units' | 'kits' | 'substitutes',
  context: LoadContext,
  master: Master,
): Kind {
  const by = systemOf(context);
  const put = (options: WriteOptions) => (records: ProductRecord[]) =>
    context.db.transaction(async (tx) =>
      rejectsOf((await writeProducts(tx, records, { ...options, whole: true })).findings),
    );
  switch (name) {
    case 'products':
      return master<ProductRecord>({
        required: ['sku'],
        optional: [
          ...['description', 'unit', 'gtin', 'lifecycle', ...MEASURES.map(([column]) => column)],
          ...['order_multiple', 'order_minimum', 'order_rounding'],
        ],
        read: (row) => ({
          sku: row.text('sku').toUpperCase(),
          ...there({
            description: row.optional('description', TEXT_LENGTH_MAX),
            unit: row.optional('unit'),
            gtin: gtinOf(row),
            lifecycle: oneOf(row, 'lifecycle', LIFECYCLES),
            orderMultiple: row.optional('order_multiple') === undefined ? undefined : row.whole('order_multiple', 1),
            orderMinimum: row.optional('order_minimum') === undefined ? undefined : row.whole('order_minimum', 1),
            orderRounding: oneOf(row, 'order_rounding', ORDER_ROUNDINGS),
          }),
          ...there(Object.fromEntries(MEASURES.map(([column, field]) => [field, measureOf(row, column)]))),
          ...by,
        }),
        put: put({}),
      });
    case 'units':
      return {
        ...master<{ sku: string; unit: ProductUnit | null }, ProductRecord>({
          required: ['sku', 'unit', 'pack_level', 'numerator'],
          optional: ['denominator', 'gtin'],
          read: (row) => {
            const sku = row.text('sku').toUpperCase();
            const unit = noneOf(row.text('unit'));
            if (unit === null) return { sku, unit };
            const gtin = gtinOf(row);
            return {
              sku,
              unit: {
                unit,
                packLevel: row.oneOf('pack_level', PACK_LEVELS, 'each'),
                numerator: row.whole('numerator', 1),
                denominator: row.whole('denominator', 1, 1),
                ...(gtin !== undefined && gtin !== '' && { gtin }),
              },
            };
          },
          recordOf: (rows): UnitsRecord & ProductRecord => ({
            sku: rows[0]!.sku,
            units: rows.flatMap(({ unit }) => unit ?? []),
            ...by,
          }),
          put: put({ mustExist: true }),
        }),
        groupOf: (value) => (value as { sku: string }).sku,
      };
    case 'kits':
      return {
        ...master<{ sku: string; component: string | null; quantity: number }, ProductRecord>({
          required: ['sku', 'component', 'quantity'],
          optional: [],
          read: (row) => {
            const component = noneOf(row.text('component'));
            const quantity = component === null ? 0 : row.whole('quantity', 1);
            return { sku: row.text('sku').toUpperCase(), component, quantity };
          },
          recordOf: (rows): KitRecord & ProductRecord => ({
            sku: rows[0]!.sku,
            kit: rows.flatMap(({ component, quantity }) => (component === null ? [] : [{ sku: component, quantity }])),
            ...by,
          }),
          put: put({ mustExist: true }),
        }),
        groupOf: (value) => (value as { sku: string }).sku,
      };
    case 'substitutes':
      return {
        ...master<{ sku: string; substitute: string | null }, ProductRecord>({
          required: ['sku', 'substitute'],
          optional: [],
          read: (row) => ({ sku: row.text('sku').toUpperCase(), substitute: noneOf(row.text('substitute')) }),
          recordOf: (rows): SubstitutesRecord & ProductRecord => ({
            sku: rows[0]!.sku,
            substitutes: rows.flatMap(({ substitute }) => substitute ?? []),
            ...by,
          }),
          put: put({ mustExist: true }),
        }),
        groupOf: (value) => (value as { sku: string }).sku,
      };
  }
}

export function accountKind(name: 'accounts' | 'addresses', context: LoadContext, master: Master): Kind {
  const by = systemOf(context);
  const put = (options: WriteOptions) => (records: AccountRecord[]) =>
    context.db.transaction(async (tx) =>
      rejectsOf((await writeAccounts(tx, context.directory, records, { ...options, whole: true })).findings),
    );
  if (name === 'accounts')
    return master<AccountRecord>({
      required: ['account'],
      optional: [
        ...['company', 'channel', 'name', 'parent', 'payment_terms', 'hold', 'price_list', 'priority_class'],
        ...['ship_complete', 'region'],
      ],
      read: (row) => {
        const channel = row.optional('channel') ?? context.channel;
        if (channel !== undefined && !context.directory.channels.has(channel))
          fail('XD_UNKNOWN_CHANNEL', `channel: no channel ${channel}`, { place: 'channel' });
        const shipComplete = oneOf(row, 'ship_complete', ['true', 'false']);
        return {
          account: row.text('account'),
          company: row.text('company', onlyCompany(context)),
          ...there({
            channel,
            name: row.optional('name', TEXT_LENGTH_MAX),
            parent: noneOf(row.optional('parent')),
            paymentTerms: noneOf(row.optional('payment_terms')),
            hold: noneOf(row.optional('hold', TEXT_LENGTH_MAX)),
            priceList: noneOf(row.optional('price_list')),
            priorityClass: oneOf(row, 'priority_class', PRIORITY_CLASSES),
            shipComplete: shipComplete === undefined ? undefined : shipComplete === 'true',
            region: noneOf(row.optional('region')),
          }),
          ...by,
        };
      },
      put: put({}),
    });
  interface Row {
    account: string;
    company: string;
    address: AccountAddress;
  }
  return {
    ...master<Row, AccountRecord>({
      required: ['account', 'code', 'line1', 'country'],
      optional: ['company', 'name', 'line2', 'line3', 'city', 'postal_code'],
      read: (row) => {
        const lines = ['line1', 'line2', 'line3'].flatMap((line) => row.optional(line, TEXT_LENGTH_MAX) ?? []);
        const address = { code: row.text('code'), lines, country: row.text('country') };
        return {
          account: row.text('account'),
          company: row.text('company', onlyCompany(context)),
          address: {
            ...address,
            ...there({
              name: row.optional('name'),
              city: row.optional('city'),
              postalCode: row.optional('postal_code'),
            }),
          },
        };
      },
      recordOf: (rows) => {
        const { account, company } = rows[0]!;
        return { account, company, addresses: rows.map((row) => row.address), ...by };
      },
      put: put({ mustExist: true }),
    }),
    groupOf: (value) => `${(value as Row).company}/${(value as Row).account}`,
  };
}

export function priceKind(context: LoadContext, master: Master): Kind {
  return master<PriceRecord>({
    required: ['sku', 'unit_price'],
    optional: ['company', 'currency', 'price_list', 'valid_from', 'valid_to', 'quantity_min', 'unit', 'price_per'],
    read: (row) => {
      const validFrom = row.day('valid_from');
      const validTo = row.day('valid_to');
      const company = row.text('company', onlyCompany(context));
      return {
        company,
        sku: row.text('sku').toUpperCase(),
        unitPrice: row.unitPrice('unit_price'),
        currency: row.text('currency', currencyOf(context, company)),
        priceList: row.text('price_list', 'base'),
        quantityMin: row.whole('quantity_min', 1, 1),
        pricePer: row.whole('price_per', 1, 1),
        ...there({ unit: row.optional('unit') }),
        ...(validFrom !== undefined && { validFrom }),
        ...(validTo !== undefined && { validTo }),
        ...systemOf(context),
      };
    },
    put: async (records) => {
      const { db, directory } = context;
      await directory.loadSkus(records.map((record) => record.sku));
      return db.transaction(async (tx) => {
        const { dropped, findings } = await admitPrices(tx, directory, records);
        const { refused } = await writePrices(tx, directory, records, dropped);
        // What would stand in the days of another price is named; the rest is loaded.
        return new Map([
          ...rejectsOf(findings),
          ...refused.map(({ at, reason }) => [records[at]!, { code: 'price_overlap', reason }] as const),
        ]);
      });
    },
  });
}

function systemOf({ as }: LoadContext): { system?: string } {
  return as === undefined ? {} : { system: as };
}

function rejectsOf<R>(findings: Findings<R>): Map<R, Reject> {
  return new Map(
    [...findings].map(([record, found]) => [
      record,
      {
        code: found[0]!.class === 'gtin_taken' ? 'gtin_taken' : found[0]!.code,
        reason: found
          .map(({ class: kind, field, reason }) =>
            kind === 'gtin_taken' ? `${reason}; the product is loaded without it` : `${field}: ${reason}`,
          )
          .join('; '),
      },
    ]),
  );
}

function gtinOf(row: RowFields): string | undefined {
  const text = row.optional('gtin');
  if (text === undefined) return undefined;
  if (text === NONE) return '';
  return (
    gtin14Of(text) ??
    fail('XD_VALUE_INVALID', `gtin: ${JSON.stringify(text.slice(0, 40))} is no GTIN: digits or check digit`)
  );
}

function measureOf(row: RowFields, column: string): number | null | undefined {
  const text = row.optional(column);
  if (text === undefined || text === NONE) return text === NONE ? null : undefined;
  return row.whole(column, 0);
}

function oneOf<const T extends string>(row: RowFields, column: string, values: readonly T[]): T | undefined {
  return row.optional(column) === undefined ? undefined : row.oneOf(column, values, values[0]!);
}

function noneOf<T extends string | undefined>(text: T): T | null {
  return text === NONE ? null : text;
}

/** Those that are said. */
function there<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
