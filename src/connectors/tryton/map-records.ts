/** Products with their list price, and parties, as they changed. Pure. */
import type { InboundItem } from '../../canonical/index.ts';
import { type Draft, Fields, mapRecords, readRecord, recordItem } from '../kit/index.ts';
import type { Raw } from './map.ts';
import { type ListPrices, pricesOf } from './map-prices.ts';
import type { Time } from './source.ts';
import { decimalText, momentOf } from './values.ts';

export interface ProductsPage {
  templates: Raw[];
  variants: Raw[];
  currency: unknown;
  /** Absent in pages that were kept before lists were read. */
  listPrices?: ListPrices;
  /** Codes of others for a variant. Absent where this Tryton has none, and in pages that were kept before they were read. */
  identifiers?: Raw[];
}

const GTIN_TYPES: ReadonlySet<unknown> = new Set(['ean', 'gtin', 'upc']);

/** Templates with their variants: names, units and prices are the template's, codes the variant's. */
export function joinProducts({ templates, variants, currency, listPrices, identifiers = [] }: ProductsPage): Raw[] {
  const { lists = [], lines = [], prices = [] } = listPrices ?? {};
  const pricesBy = Map.groupBy(prices, ({ id }) => id);
  const gtins = new Map<unknown, unknown>();
  // The oldest of them, so that one that is added changes nothing.
  for (const { product, type, code } of identifiers.toSorted((a, b) => Number(a.id) - Number(b.id)))
    if (GTIN_TYPES.has(type) && !gtins.has(product)) gtins.set(product, code);
  return templates.map((template) => {
    const own = variants
      .filter((variant) => variant.template === template.id)
      .map((variant) => (gtins.has(variant.id) ? { ...variant, gtin: gtins.get(variant.id) } : variant));
    const found = own.flatMap(({ id }) => pricesBy.get(id) ?? []);
    const listed = found.length === 0 ? undefined : { lists, lines, prices: found };
    return { ...template, currency, variants: own, ...(listed && { listPrices: listed }) };
  });
}

/** Lists whose prices were read anew, with all products that have one, and when each of these changed itself. */
export interface PriceListsPage {
  lists: Raw[];
  listPrices: ListPrices;
  templates: Raw[];
}
export interface PriceListRow {
  list: Raw;
  listPrices: ListPrices;
  templates: Raw[];
}

export function joinPriceLists({ lists, listPrices, templates }: PriceListsPage): PriceListRow[] {
  return lists.map((list) => ({
    list,
    listPrices: {
      lists: listPrices.lists.filter(({ id }) => id === list.id).map((read) => ({ ...read, name: list.name })),
      lines: listPrices.lines.filter((line) => line.price_list === list.id),
      prices: listPrices.prices.filter((price) => price.list === list.id),
    },
    templates,
  }));
}

export function mapPriceLists(rows: readonly PriceListRow[], { system, code, units = {} }: Of): InboundItem[] {
  return mapRecords(rows, '/lists', (raw, place) => {
    const { list, listPrices, templates } = raw as PriceListRow;
    return readRecord(list, place, system, (fields) => {
      fields.text('name');
      const times = new Map(templates.map((template) => [template.id, template]));
      const products = new Map(
        listPrices.prices.map(({ id, code: sku, template }) => [id, { id, code: sku, template }]),
      );
      return [...products.values()].flatMap((product) => {
        const { write_date, create_date } = times.get(product.template) ?? {};
        return pricesOf({ ...product, write_date, create_date }, listPrices, { system, code, units }, place);
      });
    });
  });
}

export interface Of {
  system: string;
  /** Our code of the company. */
  code: string;
  time: Time;
  /** Our unit by Tryton's symbol; one that isn't named keeps its own. */
  units?: Readonly<Record<string, string>>;
}

/** One variant that can't be read holds up neither its siblings nor the price of others. */
export function mapProductChanges(
  rows: readonly Raw[],
  { system, code: company, time, units = {} }: Of,
): InboundItem[] {
  return mapRecords(rows, '/templates', (raw, place) =>
    readRecord(raw, place, system, (template) => {
      const variants = template.list('variants');
      return variants.flatMap((variant, index) =>
        readRecord(variant, `${place}/variants/${index}`, system, (fields): Draft[] => {
          // What has no code is nothing that anybody can order by it.
          if (fields.raw.code == null) return [];
          const sku = fields.sku('code');
          const changedAt = momentOf(template.raw[time], `${place}/${time}`);
          const symbol = new Fields(template.raw['default_uom.'], `${place}/default_uom.`).text('symbol');
          const unit = Object.hasOwn(units, symbol) ? units[symbol]! : symbol;
          const description = template.text('name');
          const gtin = fields.raw.gtin == null ? {} : { gtin: fields.text('gtin') };
          const product = recordItem(system, { kind: 'product.changed', sku, description, unit, ...gtin, changedAt });
          const { write_date, create_date, listPrices } = template.raw;
          const timed = { ...fields.raw, write_date, create_date };
          const listed =
            listPrices == null
              ? []
              : pricesOf(
                  timed,
                  listPrices as ListPrices,
                  { system, code: company, units },
                  `${place}/variants/${index}`,
                );
          if (template.raw.list_price == null) return [product, ...listed];
          const price = new Fields({ list_price: decimalText(template.raw.list_price, `${place}/list_price`) }, place);
          const unitPrice = price.unitPrice('list_price');
          const currency = template.currency('currency');
          const command = { kind: 'price.changed', sku, company, currency, unitPrice, unit, changedAt } as const;
          return [product, recordItem(system, command), ...listed];
        }),
      );
    }),
  );
}

export function mapAccountChanges(
  rows: readonly Raw[],
  {
    system,
    code: company,
    time,
    accountOf,
    terms = false,
  }: Of & { accountOf: (code: string) => string; terms?: boolean },
): InboundItem[] {
  return mapRecords(rows, '', (raw, place) =>
    readRecord(raw, place, system, (party) => {
      const account = accountOf(party.text('code'));
      const changedAt = momentOf(party.raw[time], `${place}/${time}`);
      if (party.raw['replaced_by.'] != null) {
        const into = accountOf(new Fields(party.raw['replaced_by.'], `${place}/replaced_by.`).text('code'));
        // Two parties that settings name one account stay that.
        if (into === account) return [];
        return [recordItem(system, { kind: 'account.merged', account, company, into, changedAt })];
      }
      // Only put away: nothing is sold to it, and what is under way goes on.
      if (party.raw.active === false) return [];
      const name = party.raw.name == null ? {} : { name: party.text('name') };
      const term = party.raw['customer_payment_term.'] as Raw | null | undefined;
      const paymentTerms = term == null ? null : new Fields(term, `${place}/customer_payment_term.`).text('name');
      return [
        recordItem(system, {
          ...{ kind: 'account.changed', account, company, ...name },
          ...(terms && { paymentTerms }),
          changedAt,
        }),
      ];
    }),
  );
}
