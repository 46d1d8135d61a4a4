/** What a proof of prices finds, and that it says where it could not look. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { invoiced, memorySystems, moved, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import type { Quote, QuoteDesk, QuoteItem } from '../connectors/kit/index.ts';
import { putPrices } from '../master/index.ts';
import { putContractPrices, putContracts } from '../pricing/index.ts';
import { type ProofOptions, provePrices } from './index.ts';

const database = useDatabase();
let hub: SmallHub;

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, connectors: memorySystems(), estate: smallEstate() });
  await hub.seed(['X', 'Y', 'Z']);
  await hub.directory.loadAccounts([{ companyId: hub.directory.companies.get('acme')!.companyId, code: 'A1' }]);
  await putPrices(hub.db, hub.directory, [
    { sku: 'X', currency: 'GBP', unitPrice: '10.00' },
    { sku: 'X', currency: 'GBP', unitPrice: '8.00', quantityMin: 10 },
    { sku: 'Y', currency: 'GBP', unitPrice: '3.00' },
  ]);
  await putContracts(hub.db, hub.directory, [{ contract: 'K', account: 'A1' }]);
  await putContractPrices(hub.db, hub.directory, [{ contract: 'K', sku: 'Y', unitPrice: '30.00', pricePer: 12 }]);
});
afterAll(() => hub.close());

const options: ProofOptions = {
  ...{ sample: 50, seed: 1, tolerancePercent: '0', toleranceMinor: 0, signal: new AbortController().signal },
};
const desk = (ask: (item: QuoteItem) => Quote | null, rest: Partial<QuoteDesk> = {}): QuoteDesk => ({
  ...{ batchMax: 2, asks: 'account', isWhole: true },
  ask: async (items) => items.map(ask),
  ...rest,
});
const pounds = (unitPrice: string, pricePer = 1): Quote => ({ unitPrice, pricePer, currency: 'GBP' });
const prove = (systems: Record<string, object>, rest: Partial<ProofOptions> = {}) =>
  provePrices(hub.db, hub.directory, new Map(Object.entries(systems)), { ...options, ...rest });
const shown = (proof: Awaited<ReturnType<typeof prove>>) =>
  proof.differences.map(({ where, kind, sku, quantity, decidedMinor, foundMinor, differenceMinor, percent }) =>
    [where, kind, sku, quantity, decidedMinor, foundMinor, differenceMinor, percent].join(' '),
  );

test('an ERP that would ask another amount, one that has no price, and one in another currency', async () => {
  const erp = desk(({ sku, quantity }) =>
    sku === 'Y' ? { ...pounds('2.50'), currency: 'USD' } : quantity < 10 ? pounds('10.50') : null,
  );
  const proof = await prove({ erp: { quotes: erp } });
  expect(proof.sample).toEqual({ prices: 4, lines: 0, seed: 1 });
  expect(shown(proof).sort()).toEqual([
    'erp differs X 1 1000 1050 50 5.00',
    'erp missing X 10 8000   ',
    // 30.00 for 12: of the list's row and of the contract's, one question.
    'erp other_currency Y 1 250 250  ',
  ]);
  expect(proof.compared.erp).toEqual({ compared: 3, differences: 3 });
  const [euros] = proof.differences.filter(({ kind }) => kind === 'other_currency');
  expect(euros).toMatchObject({
    ...{ account: 'A1', decided: { source: 'contract', name: 'K', currency: 'GBP' }, found: { currency: 'USD' } },
    ...{ differenceMinor: null, percent: null },
  });
  // Agreed prices in another unit are the same price.
  const agrees = desk(({ sku, quantity }) => (sku === 'Y' ? pounds('2.50') : pounds(quantity < 10 ? '10' : '8.0')));
  expect((await prove({ erp: { quotes: agrees } })).differences).toEqual([]);
  expect((await prove({ erp: { quotes: erp } }, { toleranceMinor: 50 })).differences.length).toBe(2);
});

test('of a CRM only what was quoted counts; of a shop what it shows to everybody', async () => {
  const crm = desk(({ sku }) => (sku === 'X' ? pounds('9.99') : null), { isWhole: false });
  const asked: QuoteItem[] = [];
  const shop = desk(
    (item) => {
      asked.push(item);
      return item.sku === 'X' ? pounds('10') : pounds('2.50');
    },
    { asks: 'everybody' },
  );
  const proof = await prove({ crm: { quotes: crm }, shop: { quotes: shop } });
  expect(shown(proof).sort()).toEqual([
    'crm differs X 1 1000 999 -1 -0.10',
    'crm differs X 10 8000 9990 1990 24.88',
    'shop differs Y 1 300 250 -50 -16.67',
  ]);
  expect(asked.map(({ account, sku, quantity }) => [account, sku, quantity]).sort()).toEqual([
    [null, 'X', 1],
    [null, 'Y', 1],
  ]);
});

test('agreed prices and invoiced amounts of orders', async () => {
  await hub.receive('wms', [moved('in', 'X', 'north', 100), moved('in2', 'Y', 'north', 100)]);
  const [placed] = await hub.receive('api', [
    order('api', 'O1', [
      { sku: 'X', quantity: 3, unitPrice: '10.00' },
      { sku: 'X', quantity: 12, unitPrice: '9.00' },
      { sku: 'Z', quantity: 1, unitPrice: '1.00' },
    ]),
  ]);
  await hub.settle();
  await hub.receive('erp', [invoiced('I1', 'api/O1', [{ lineNo: 2, quantity: 5, amountMinor: 4_500 }])]);
  const proof = await prove({});
  expect(shown(proof)).toEqual([
    'orders differs X 12 9600 10800 1200 12.50',
    'invoices differs X 5 4000 4500 500 12.50',
    'orders unexpected Z 1  100  ',
  ]);
  expect(proof.differences[0]).toMatchObject({ account: 'A1', line: 'api/O1 2', date: '2026-03-02' });
  expect(proof.compared).toEqual({
    orders: { compared: 3, differences: 2 },
    invoices: { compared: 1, differences: 1 },
  });
  expect(placed!.status).toBe('applied');
});

test('what can not be asked, or does not answer, is named; the same seed draws the same', async () => {
  const down = desk(() => {
    throw new Error('no answer');
  });
  const proof = await prove({ erp: { quotes: down }, wms: {}, shop: {} });
  expect(proof.notLookedAt).toEqual([
    { where: 'erp', why: 'Error: no answer' },
    { where: 'wms', why: 'its connector can not be asked for prices' },
    { where: 'shop', why: 'its connector can not be asked for prices' },
  ]);
  const drawn = async (seed: number) => {
    const items: string[] = [];
    const quotes = desk(({ sku, quantity }) => {
      items.push(`${sku} ${quantity}`);
      return null;
    });
    await prove({ erp: { quotes } }, { seed, sample: 1 });
    return items;
  };
  expect(await drawn(7)).toEqual(await drawn(7));
  const seen = new Set((await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(drawn))).map((items) => items.join()));
  expect(seen.size).toBeGreaterThan(1);
});

test('a shop that does not say what it shows: what was told and is not known to be there', async () => {
  const sink = { batchMax: 10, write: async () => [], readBack: async () => new Map<string, number>() };
  await database.pool.query(
    `update publication set error = 'refused by the shop', state = 'p' where kind = 'price' and key = $1`,
    [hub.sku('X')],
  );
  const told = await prove({ shop: { prices: sink } });
  expect(told.differences.filter(({ where }) => where === 'shop')).toMatchObject([
    { kind: 'not_confirmed', sku: 'X', note: 'refused by the shop' },
  ]);
  expect(told.notLookedAt).toMatchObject([{ where: 'shop' }]);
  const holding = {
    ...sink,
    holds: async (items: readonly { key: string }[]) => new Set(items.map(({ key }) => key).slice(1)),
  };
  const held = await prove({ shop: { prices: holding } });
  expect(held.differences.filter(({ where }) => where === 'shop').length).toBe(1);
  expect(held.notLookedAt).toEqual([]);
});
