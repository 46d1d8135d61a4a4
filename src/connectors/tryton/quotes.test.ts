import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, QuoteItem } from '../kit/index.ts';
import { contextFor, type FakeAnswer, type FakeCall, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { tryton } from './index.ts';
import { decimalOf } from './values.ts';

const signal = new AbortController().signal;
type Rpc = { method: string; params: unknown[] };
const result = (value: unknown): FakeAnswer => ({ json: { id: 1, result: value } });
let system: FakeSystem;
let connector: Connector;
let hasLists: boolean;
/** Contexts in which prices were asked for. */
let asked: Record<string, unknown>[];

beforeEach(async () => {
  [hasLists, asked] = [true, []];
  system = await fakeSystem();
  system.answer(answer);
  const settings = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' }, accounts: { shop: 'C1' } };
  connector = tryton(contextFor(system.url, { channel: null, settings }));
});
afterEach(async () => {
  await connector.close();
  await system.close();
});

const sold = (id: number, price: string | null, unit = 1) => ({
  ...{ id, code: `SKU-${id}`, rec_name: 'One', default_uom: 1, sale_uom: unit },
  sale_price_uom: price === null ? null : decimalOf(price),
});
const products = [sold(11, '12.3400'), sold(12, '99.00', 4), sold(13, null)];

/** One list: a tenth off from 24 on. */
function answer(call: FakeCall): FakeAnswer {
  const { method, params } = call.body as Rpc;
  const context = params.at(-1) as Record<string, unknown>;
  if (method === 'common.db.login') return result([7, 'session']);
  if (method === 'model.res.user.get_preferences') return result({ company: 1 });
  if (method === 'model.party.party.fields_get') return result(hasLists ? { sale_price_list: {} } : {});
  if (method === 'model.party.party.search_read') return result([{ id: 2, code: 'C1', sale_price_list: 5 }]);
  if (method === 'model.sale.configuration.read') return result([{ id: 1, sale_price_list: 9 }]);
  if (method === 'model.company.company.search_read') return result([{ id: 1, 'currency.': { code: 'USD' } }]);
  if (!JSON.stringify(params[4]).includes('sale_price_uom')) return result(products);
  asked.push(context);
  const tier = Number(context.quantity) >= 24 ? '11.1060' : '12.3400';
  return result(products.map((one) => (one.id === 11 ? { ...one, sale_price_uom: decimalOf(tier) } : one)));
}

const of = (account: string | null, sku: string, quantity = 1): QuoteItem => ({
  ...{ account, sku, quantity, currency: 'GBP', day: '2026-03-01' },
});
const usd = (unitPrice: string) => ({ unitPrice, pricePer: 1, currency: 'USD' });

it('one question for each customer, quantity and day, under the list that holds for them', async () => {
  const items = [of('shop', 'sku-11'), of('shop', 'SKU-12'), of(null, 'SKU-11'), of('shop', 'SKU-11', 24)];
  expect(await connector.quotes!.ask(items, signal)).toEqual([usd('12.34'), null, usd('12.34'), usd('11.106')]);
  const day = { __class__: 'date', year: 2026, month: 3, day: 1 };
  expect(asked).toEqual([
    expect.objectContaining({ quantity: 1, price_list: 5, customer: 2, sale_date: day }),
    expect.objectContaining({ quantity: 1, price_list: 9 }),
    expect.objectContaining({ quantity: 24, price_list: 5, customer: 2 }),
  ]);
  expect(asked[1]).not.toHaveProperty('customer');
});

it('what has no price, no product or no customer there is null, and nobody is asked for it', async () => {
  expect(await connector.quotes!.ask([of('nobody', 'SKU-11'), of('shop', 'SKU-99')], signal)).toEqual([null, null]);
  expect(asked).toEqual([]);
  expect(await connector.quotes!.ask([of('shop', 'SKU-13')], signal)).toEqual([null]);
});

it('without lists the product’s own price holds', async () => {
  hasLists = false;
  expect(await connector.quotes!.ask([of('shop', 'SKU-11')], signal)).toEqual([usd('12.34')]);
  expect(asked[0]).not.toHaveProperty('price_list');
});
