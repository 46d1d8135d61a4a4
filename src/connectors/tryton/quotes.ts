/** What Tryton would ask: its own formulas, asked for each customer, quantity and day. Nothing is written. */
import { batchMaxOf, type ConnectorContext, type Quote, type QuoteDesk, type QuoteItem } from '../kit/index.ts';
import type { Lookups, Row } from './lookups.ts';
import type { Tryton } from './rpc.ts';
import { dateOf, decimalText } from './values.ts';

export const QUOTES_MAX = 200;

/** What one call answers: the same customer, quantity and day for any number of products. */
interface Group {
  party: Row | null;
  quantity: number;
  day: string;
  items: QuoteItem[];
}

export function quoteDesk(tryton: Tryton, lookups: Lookups, limits: ConnectorContext['limits']): QuoteDesk {
  return {
    ...{ batchMax: batchMaxOf(limits, QUOTES_MAX), asks: 'account', isWhole: true },
    async ask(items, signal) {
      if (items.length === 0) return [];
      const hasLists = await lookups.hasPriceLists(signal);
      const parties = await partiesOf(tryton, lookups, items, hasLists, signal);
      const standard = hasLists ? await standardList(tryton, signal) : null;
      const products = await lookups.products(
        items.map(({ sku }) => sku.toUpperCase()),
        signal,
      );
      const domain = [['id', '=', await tryton.company(signal)]];
      const [company] = await tryton.search('company.company', domain, ['currency.code'], signal);
      const currency = String((company?.['currency.'] as { code?: unknown } | undefined)?.code);
      const found = new Map<QuoteItem, Quote>();
      for (const { party, quantity, day, items: own } of groupsOf(items, parties, lookups).values()) {
        const ids = own.flatMap(({ sku }) => products.get(sku.toUpperCase())?.id ?? []);
        if (ids.length === 0) continue;
        const list = hasLists ? (party?.sale_price_list ?? standard) : null;
        const extra = {
          ...{ quantity, sale_date: dateOf(`${day}T00:00:00Z`) },
          ...(list !== null && { price_list: list }),
          ...(party !== null && { customer: party.id }),
        };
        const method = 'model.product.product.search_read';
        // One without a unit to sell by fails the prices of all.
        const wanted = [
          ['id', 'in', ids],
          ['salable', '=', true],
        ];
        const fields = ['code', 'sale_price_uom', 'sale_uom', 'default_uom'];
        const answer = await tryton.ask(method, [wanted, 0, null, null, fields], signal, extra);
        const rows = new Map(tryton.rowsOf(answer, method).map((row) => [row.id, row]));
        for (const item of own) {
          const row = rows.get(products.get(item.sku.toUpperCase())?.id ?? 0);
          // Priced by another unit than it is counted in: how many there are in it nobody asked.
          if (row?.sale_price_uom == null || row.sale_uom !== row.default_uom) continue;
          found.set(item, { unitPrice: decimalText(row.sale_price_uom, `/${item.sku}`), pricePer: 1, currency });
        }
      }
      return items.map((item) => found.get(item) ?? null);
    },
  };
}

/** By our account. One that Tryton has no party for gets no price, also not everybody's. */
async function partiesOf(
  tryton: Tryton,
  lookups: Lookups,
  items: readonly QuoteItem[],
  hasLists: boolean,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Row>> {
  const codes = [...new Set(items.flatMap(({ account }) => (account === null ? [] : [lookups.partyCode(account)])))];
  if (codes.length === 0) return new Map();
  const fields = ['code', ...(hasLists ? ['sale_price_list'] : [])];
  const rows = await tryton.search('party.party', [['code', 'in', codes]], fields, signal);
  return new Map(rows.map((row) => [String(row.code), row]));
}

/** Of customers without a list of their own, as its client takes it. */
async function standardList(tryton: Tryton, signal: AbortSignal): Promise<unknown> {
  const method = 'model.sale.configuration.read';
  const [row] = tryton.rowsOf(await tryton.ask(method, [[1], ['sale_price_list']], signal), method);
  return row?.sale_price_list ?? null;
}

function groupsOf(
  items: readonly QuoteItem[],
  parties: ReadonlyMap<string, Row>,
  lookups: Lookups,
): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const item of items) {
    const { account, quantity, day } = item;
    const party = account === null ? null : parties.get(lookups.partyCode(account));
    if (party === undefined) continue;
    const key = `${party?.id ?? ''} ${quantity} ${day}`;
    const group = groups.get(key) ?? { party, quantity, day, items: [] };
    group.items.push(item);
    groups.set(key, group);
  }
  return groups;
}
