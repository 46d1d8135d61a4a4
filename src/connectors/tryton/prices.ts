/** Reads what lists ask for products: the server applies its own formulas, at each quantity where a tier begins. */

import type { Raw } from './map.ts';
import { type ListPrices, quantitiesOf } from './map-prices.ts';
import type { Domain, Tryton } from './rpc.ts';

/** Products a call: Tryton computes many prices in one call in the time of two calls for one each. */
const PRODUCTS_MAX = 1_000;
const TIMES = ['write_date', 'create_date'];

/** Lists of the company, each with the currency of its prices; `ids`: only these. */
export async function listsOf(tryton: Tryton, ids: readonly unknown[] | null, signal: AbortSignal): Promise<Raw[]> {
  const company = await tryton.company(signal);
  const domain: unknown[] = [['company', '=', company]];
  if (ids !== null) domain.push(['id', 'in', ids]);
  const lists = await tryton.search('product.price_list', domain, ['name', ...TIMES], signal, BY_ID);
  if (lists.length === 0) return [];
  const [own] = await tryton.search('company.company', [['id', '=', company]], ['currency.code'], signal);
  const currency = (own?.['currency.'] as Raw | undefined)?.code ?? null;
  return lists.map((list) => ({ ...list, currency }));
}

const BY_ID = { order: [['id', 'ASC']] };

/** Prices of the products of `goods` (null: of all) in these lists. */
export async function pricesIn(
  tryton: Tryton,
  lists: readonly Raw[],
  goods: readonly unknown[] | null,
  signal: AbortSignal,
): Promise<ListPrices> {
  if (lists.length === 0 || goods?.length === 0) return { lists: [], lines: [], prices: [] };
  const ids = lists.map(({ id }) => id);
  const fields = ['price_list', 'quantity', 'product', 'category', ...TIMES];
  const lines = await tryton.search('product.price_list.line', [['price_list', 'in', ids]], fields, signal, BY_ID);
  const prices: Raw[] = [];
  for (const { id: list } of lists)
    for (const quantity of quantitiesOf(lines, list)) {
      const extra = { price_list: list, quantity };
      for (const row of await goodsOf(tryton, goods, extra, signal)) prices.push({ ...row, list, quantity });
    }
  return { lists: [...lists], lines, prices };
}

async function goodsOf(tryton: Tryton, goods: readonly unknown[] | null, extra: object, signal: AbortSignal) {
  const rows: Raw[] = [];
  const method = 'model.product.product.search_read';
  const fields = ['code', 'template', 'sale_price_uom', 'sale_uom.symbol'];
  for (let after = 0; ; ) {
    const domain: Domain[] = [
      ['id', '>', after],
      ['type', '=', 'goods'],
      ['code', '!=', null],
      // One without a unit to sell by fails the prices of all.
      ['salable', '=', true],
    ];
    if (goods !== null) domain.push(['id', 'in', goods]);
    const params = [domain, 0, PRODUCTS_MAX, BY_ID.order, fields];
    const found = tryton.rowsOf(await tryton.ask(method, params, signal, extra), method);
    rows.push(...found);
    if (found.length < PRODUCTS_MAX) return rows;
    after = found.at(-1)!.id;
  }
}

/** When the templates of products changed: prices begin with theirs. */
export async function templateTimes(tryton: Tryton, prices: readonly Raw[], signal: AbortSignal): Promise<Raw[]> {
  const ids = [...new Set(prices.map(({ template }) => template))].filter((id) => Number.isSafeInteger(id));
  const rows: Raw[] = [];
  for (let from = 0; from < ids.length; from += PRODUCTS_MAX) {
    const domain = [['id', 'in', ids.slice(from, from + PRODUCTS_MAX)]];
    rows.push(...(await tryton.search('product.template', domain, TIMES, signal)));
  }
  return rows;
}
