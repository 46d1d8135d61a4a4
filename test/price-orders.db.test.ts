/** An order whose price is not the one decided here: held, repriced or taken, as its channel says. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { putPrices } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { listHolds, releaseHold } from '../src/orders/index.ts';
import { putContractPrices, putContracts } from '../src/pricing/index.ts';
import { useDatabase } from './helpers/database.ts';
import { memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;
const places = ['north', 'south', 'west'];
const asks = (prices: object) => ({ company: 'acme', sells: 'asks' as const, locations: places, prices });

beforeAll(async () => {
  const estate = smallEstate({
    holding: asks({ check: 'hold', tolerancePercent: '2' }),
    repricing: asks({ check: 'reprice', toleranceMinor: 5 }),
    taking: asks({ check: 'accept' }),
  } as never);
  estate.channels.shop = { ...estate.channels.shop!, prices: { check: 'hold' } };
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
  await hub.seed(['X', 'Y', 'N'], ['A1', 'A2']);
  await putPrices(hub.db, hub.directory, [
    { sku: 'X', currency: 'GBP', unitPrice: '10.00' },
    { sku: 'X', currency: 'GBP', unitPrice: '8.00', quantityMin: 100 },
    { sku: 'Y', currency: 'GBP', unitPrice: '3.00' },
  ]);
  await hub.directory.loadAccounts([{ companyId: hub.directory.companies.get('acme')!.companyId, code: 'A2' }]);
  await putContracts(hub.db, hub.directory, [
    { contract: 'K', account: 'A2', validFrom: '2026-03-01', validTo: '2026-03-31' },
  ]);
  await putContractPrices(hub.db, hub.directory, [{ contract: 'K', sku: 'X', unitPrice: '90.00', pricePer: 12 }]);
  await hub.receive(
    'wms',
    ['X', 'Y', 'N'].map((sku) => moved(`in ${sku}`, sku, 'north', 10_000)),
  );
});
afterAll(() => hub.close());
afterEach(async () => {
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
});

const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
let n = 0;
type Line = { sku: string; quantity: number; unitPrice: string; within?: number };
async function place(channel: string, lines: Line[], rest: object = {}) {
  const item = order(channel, `P${++n}`, lines, rest);
  const [result] = await hub.receive(channel === 'shop' ? 'shop' : 'api', [item]);
  if (result!.status !== 'applied') throw new Error(JSON.stringify(result));
  return { orderId: result!.orderId!, events: result!.events, reference: `${channel}/P${n}`, item };
}
const holdsOf = async (orderId: number) =>
  (await listHolds(hub.db, { orderId, limit: 10 })).map(({ kind, reason, detail, state }) => ({
    kind,
    reason,
    detail,
    state,
  }));
const linesOf = (orderId: number) =>
  rows(
    `select unit_price::text as price, price_per as per, amount_minor as amount from order_line where order_id = $1 order by line_no`,
    [orderId],
  );
const differences = (orderId: number) =>
  rows(
    `select line_no as line, outcome, asked_price::text as asked, decided_price::text as decided, source, name from price_difference where order_id = $1 order by line_no`,
    [orderId],
  );
const told = () => systems.erp.effects.filter(({ kind }) => kind === 'sales_order').map(({ reference }) => reference);

describe('held', () => {
  test('beyond the tolerance, with what was asked and what was decided; the ERP hears of it once a person released it', async () => {
    const { orderId, reference } = await place('holding', [
      { sku: 'X', quantity: 5, unitPrice: '10.20' },
      { sku: 'X', quantity: 5, unitPrice: '10.21' },
      { sku: 'X', quantity: 100, unitPrice: '10.00' },
    ]);
    expect(await holdsOf(orderId)).toEqual([
      {
        ...{ kind: 'price', reason: 'price_differs', state: 'open' },
        detail:
          'line 2: 5 × X at 10.21 GBP; list base says 10.00: +1.05 (2.10 %). line 3: 100 × X at 10.00 GBP; list base says 8.00: +200.00 (25.00 %)',
      },
    ]);
    expect(await differences(orderId)).toEqual([
      { line: 2, outcome: 'held', asked: '10.21', decided: '10.00', source: 'base', name: 'base' },
      { line: 3, outcome: 'held', asked: '10.00', decided: '8.00', source: 'base', name: 'base' },
    ]);
    await hub.settle();
    expect(told()).not.toContain(reference);
    const [hold] = await listHolds(hub.db, { orderId, limit: 1 });
    await releaseHold(hub.db, hub.deps, hold!.holdId, { by: 'ann', reason: 'agreed by phone' });
    await hub.settle();
    expect(told()).toContain(reference);
    // With the asked price.
    expect(await linesOf(orderId)).toMatchObject([{}, { price: '10.21', amount: 5105 }, { price: '10.00' }]);
  });

  test('within the tolerance it goes on, and nothing is written of it', async () => {
    const { orderId, reference } = await place('holding', [{ sku: 'X', quantity: 5, unitPrice: '9.80' }]);
    expect([await holdsOf(orderId), await differences(orderId)]).toEqual([[], []]);
    await hub.settle();
    expect(told()).toContain(reference);
  });

  test('where there is no price at all, whatever the channel says', async () => {
    for (const channel of ['holding', 'repricing', 'taking']) {
      const { orderId } = await place(channel, [{ sku: 'N', quantity: 1, unitPrice: '1.00' }]);
      expect(await holdsOf(orderId)).toEqual([
        {
          ...{ kind: 'price', reason: 'no_price', state: 'open' },
          detail: 'line 1: 1 × N at 1.00 GBP; there is no price',
        },
      ]);
    }
  });

  test('a contract holds on its days, in the company’s time zone; an expired one does not', async () => {
    const at = async (orderedAt: string, unitPrice: string) => {
      const lines = [{ sku: 'X', quantity: 12, unitPrice }];
      return (await holdsOf((await place('holding', lines, { account: 'A2', orderedAt })).orderId)).length;
    };
    // London is an hour ahead from 29 March 2026 on: 31 March ends at 23:00 UTC.
    expect(await at('2026-03-31T22:59:59.000Z', '7.50')).toBe(0);
    expect(await at('2026-03-31T23:00:00.000Z', '7.50')).toBe(1);
    expect(await at('2026-03-31T23:00:00.000Z', '10.00')).toBe(0);
    expect(await at('2026-02-28T23:59:59.000Z', '7.50')).toBe(1);
    expect(await at('2026-03-01T00:00:00.000Z', '7.50')).toBe(0);
  });

  test('an order of a shop that sells by itself is held, never repriced', async () => {
    const { orderId } = await place('shop', [{ sku: 'Y', quantity: 2, unitPrice: '2.00', within: 0 }]);
    expect(await linesOf(orderId)).toMatchObject([{ price: '2.00', amount: 400 }]);
    expect(await differences(orderId)).toMatchObject([{ outcome: 'held', asked: '2.00', decided: '3.00' }]);
  });
});

describe('repriced', () => {
  test('the line gets the decided price before anything is decided of it, and the event keeps the asked one', async () => {
    const { orderId, reference, events, item } = await place(
      'repricing',
      [
        { sku: 'X', quantity: 24, unitPrice: '10.00' },
        { sku: 'Y', quantity: 1, unitPrice: '3.05' },
        { sku: 'Y', quantity: 2, unitPrice: '3.05' },
      ],
      { account: 'A2' },
    );
    expect(await holdsOf(orderId)).toEqual([]);
    expect(await linesOf(orderId)).toEqual([
      { price: '90.00', per: 12, amount: 18_000 },
      { price: '3.05', per: 1, amount: 305 },
      { price: '3.00', per: 1, amount: 600 },
    ]);
    const accepted = events.find((event) => event.type === 'order.accepted');
    expect(accepted).toMatchObject({
      totalMinor: 18_905,
      lines: [
        {
          ...{ unitPrice: '90.00', pricePer: 12 },
          priceCheck: { outcome: 'repriced', askedPrice: '10.00', askedPer: 1, source: 'contract', name: 'K' },
        },
        { unitPrice: '3.05' },
        { unitPrice: '3.00', priceCheck: { askedPrice: '3.05' } },
      ],
    });
    expect((accepted as { lines: object[] }).lines[1]).not.toHaveProperty('priceCheck');
    await hub.settle();
    const effect = systems.erp.effects.find((one) => one.reference === reference)!;
    expect(effect.payload).toMatchObject({ totalMinor: 18_905, lines: [{ unitPrice: '90.00', pricePer: 12 }, {}, {}] });
    // The same again is the same order, also once prices have changed.
    await putPrices(hub.db, hub.directory, [{ sku: 'Y', currency: 'GBP', unitPrice: '4.00' }]);
    expect(await hub.receive('api', [item])).toMatchObject([{ status: 'duplicate', orderId }]);
    expect(await linesOf(orderId)).toMatchObject([{}, {}, { price: '3.00' }]);
    await putPrices(hub.db, hub.directory, [{ sku: 'Y', currency: 'GBP', unitPrice: '3.00' }]);
  });
});

describe('taken', () => {
  test('as it came, and the difference is kept', async () => {
    const { orderId, reference } = await place('taking', [{ sku: 'Y', quantity: 1, unitPrice: '2.99' }]);
    expect(await holdsOf(orderId)).toEqual([]);
    expect(await linesOf(orderId)).toMatchObject([{ price: '2.99', amount: 299 }]);
    expect(await differences(orderId)).toEqual([
      { line: 1, outcome: 'accepted', asked: '2.99', decided: '3.00', source: 'base', name: 'base' },
    ]);
    await hub.settle();
    expect(told()).toContain(reference);
  });
});

test('where a channel does not look, no price is read', async () => {
  const { orderId } = await place('api', [{ sku: 'N', quantity: 1, unitPrice: '99.00' }]);
  expect([await holdsOf(orderId), await differences(orderId)]).toEqual([[], []]);
});
