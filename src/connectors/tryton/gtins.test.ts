/** The trade item numbers of products, in a Tryton that has such identifiers and in one that hasn't. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ProductChanged } from '../../canonical/index.ts';
import { contextFor, type FakeAnswer, type FakeCall, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { tryton } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;

beforeEach(async () => {
  system = await fakeSystem();
});
afterEach(() => system.close());

type Rpc = { method: string; params: unknown[] };
const result = (value: unknown): FakeAnswer => ({ json: { id: 1, result: value } });
const at = {
  __class__: 'datetime',
  ...{ year: 2026, month: 3, day: 1, hour: 11, minute: 0, second: 0, microsecond: 0 },
};
const template = { id: 1, name: 'Lamp', write_date: at, 'default_uom.': { id: 1, symbol: 'u' }, list_price: null };

/** One template with three variants, and the identifiers that its release knows. */
function behave(fields: string[], identifiers: object[] = []): void {
  const rows: Record<string, unknown[]> = {
    'product.template': [{ ...template, products: [11, 12, 13] }],
    'product.product': [11, 12, 13].map((id) => ({ id, code: `SKU-${id}`, template: 1 })),
    'company.company': [{ id: 1, 'currency.': { id: 1, code: 'USD' } }],
    'product.identifier': identifiers,
  };
  system.answer((call: FakeCall) => {
    const { method } = call.body as Rpc;
    if (method === 'common.db.login') return result([7, 'session']);
    if (method === 'model.res.user.get_preferences') return result({ company: 1, language: 'en' });
    const [, model, name] = /^model\.(.*)\.(\w+)$/.exec(method)!;
    if (name === 'fields_get') return result(Object.fromEntries(fields.map((field) => [field, {}])));
    return result(rows[model!] ?? []);
  });
}

async function poll(): Promise<{ gtins: Record<string, string | undefined>; asked: string[] }> {
  const settings = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' } };
  const connector = tryton(contextFor(system.url, { channel: null, settings }));
  try {
    const source = connector.sources.find(({ feed }) => feed === 'products')!;
    const page = await source.poll('', signal);
    expect(source.reread!(page.body)).toEqual(page.items);
    const products = page.items.map(({ command }) => command as ProductChanged);
    const asked = system.calls
      .map((call) => (call.body as Rpc).method)
      .filter((method) => /fields_get|identifier/.test(method));
    return { gtins: Object.fromEntries(products.map(({ sku, gtin }) => [sku, gtin])), asked };
  } finally {
    await connector.close();
  }
}

it('one that has none is asked for none', async () => {
  behave([]);
  expect(await poll()).toEqual({
    gtins: { 'SKU-11': undefined, 'SKU-12': undefined, 'SKU-13': undefined },
    asked: ['model.product.product.fields_get'],
  });
});

it('each variant has its own: the oldest of a kind that is one; what has none says nothing of it', async () => {
  behave(
    ['identifiers'],
    [
      { id: 5, product: 11, type: 'ean', code: '73513537' },
      { id: 4, product: 11, type: 'ean', code: '4006381333931' },
      { id: 3, product: 11, type: 'brand', code: 'LAMP' },
      { id: 6, product: 12, type: 'isbn', code: '9783161484100' },
      { id: 7, product: 13, type: 'ean', code: '4006381333931' },
    ],
  );
  expect(await poll()).toEqual({
    // Two that have one number are told as they are: the hub gives it to one and sets the other aside (gtin_taken).
    gtins: { 'SKU-11': '4006381333931', 'SKU-12': undefined, 'SKU-13': '4006381333931' },
    asked: ['model.product.product.fields_get', 'model.product.identifier.search_read'],
  });
});
