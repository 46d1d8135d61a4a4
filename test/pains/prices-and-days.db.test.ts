/** What users of other platforms report as bugs, as claims about this one: units of prices, currencies of quotes, and the hour that comes twice. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inOneUnit, type PriceState, type QuoteItem, type SalesOrderPayload } from '../../src/connectors/kit/index.ts';
import { putPrices, putProducts } from '../../src/master/index.ts';
import { checkPromises } from '../../src/ops/index.ts';
import { provePrices } from '../../src/reconcile/index.ts';
import { useDatabase } from '../helpers/database.ts';
import { ModelChannel } from '../helpers/model-channel.ts';
import { violations } from '../helpers/promises.ts';
import { memorySystems, moved, order, SmallHub, smallEstate, withAvailability } from '../helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
const shop = new ModelChannel('shop', 'net_available');
const marketplace = new ModelChannel('marketplace', 'on_hand');
withAvailability(systems.shop, shop.sink);
withAvailability(systems.marketplace, marketplace.sink);
let hub: SmallHub;

beforeAll(async () => {
  const locations = ['north'];
  const estate = smallEstate({ night: { company: 'acme', sells: 'asks', locations: ['late'] } });
  estate.channels.shop = { ...estate.channels.shop!, locations, soldIn: { box: 'BX' } };
  estate.channels.marketplace = { ...estate.channels.marketplace!, locations };
  estate.locations.late = { company: 'acme', region: 'n', calendar: 'night' };
  const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
  estate.calendars = { night: { timeZone: 'Europe/London', workingDays: [...everyDay], cutOff: '01:30' } };
  for (const system of [systems.shop, systems.marketplace]) {
    const { prices } = inOneUnit({ deliveries: {}, prices: system.prices } as never as typeof system);
    Object.defineProperty(system, 'prices', { value: prices });
  }
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
  await hub.seed(['BOX', 'QUOTED', 'CLOCK']);
});
afterAll(async () => {
  await hub.settle();
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await hub.close();
});

it('price in boxes, stock in pieces: never are both shown, and what is sold by the piece is paid by the piece', async () => {
  await hub.db.transaction((tx) =>
    putProducts(tx, [{ sku: 'BOX', units: [{ unit: 'BX', packLevel: 'case', numerator: 12 }] }]),
  );
  await hub.receive('wms', [moved('in-box', 'BOX', 'north', 1_200)]);
  await putPrices(hub.db, hub.directory, [{ sku: 'BOX', currency: 'GBP', unitPrice: '30.00', unit: 'BX' }]);
  await hub.settle();
  // Who lists boxes would show 1,200 of them at 30.00; who lists pieces, one piece at 30.00.
  expect(systems.shop.states.get('price BOX')).toBeUndefined();
  expect(shop.available('BOX')).toBe(0);
  const listed = systems.marketplace.states.get('price BOX')!.state as PriceState;
  expect(listed).toMatchObject({ unitPrice: '2.5', unit: 'each', quantityUnit: 'each' });
  expect(marketplace.available('BOX')).toBeGreaterThan(100);
  const { rows } = await database.pool.query(
    `select p.kind, p.error from publication p join destination using (destination_id) where code = 'shop' and p.state = 'p' order by kind`,
  );
  expect(rows.map(({ kind, error }) => `${kind} ${error.split(':')[0]}`)).toEqual([
    'availability unit_mismatch',
    'price unit_mismatch',
  ]);
  // 30 pieces at 30.00 a box are 75.00, not 900.00.
  const line = { sku: 'BOX', quantity: 30, unit: 'each', unitPrice: '30.00', priceUnit: 'BX' };
  await hub.receive('api', [order('api', 'P-BOX', [line])]);
  await hub.settle();
  const told = systems.erp.of('sales_order').find(({ reference }) => reference === 'api/P-BOX')!;
  expect(told.payload as SalesOrderPayload).toMatchObject({
    totalMinor: 7_500,
    lines: [{ quantity: 30, unitPrice: '30.00', pricePer: 12 }],
  });
});

it('a quote in another currency is no cheaper price: it is named, and compared with nothing', async () => {
  await hub.directory.loadAccounts([{ companyId: hub.directory.companies.get('acme')!.companyId, code: 'A1' }]);
  await putPrices(hub.db, hub.directory, [{ sku: 'QUOTED', currency: 'GBP', unitPrice: '100.00' }]);
  const quotes = {
    ...{ batchMax: 10, asks: 'account', isWhole: false },
    ask: async (items: readonly QuoteItem[]) =>
      items.map(({ sku }) => (sku === 'QUOTED' ? { unitPrice: '100.00', pricePer: 1, currency: 'EUR' } : null)),
  };
  const proof = await provePrices(hub.db, hub.directory, new Map([['crm', { quotes }]]) as never, {
    ...{ sample: 50, seed: 1, tolerancePercent: '0', toleranceMinor: 0, signal: new AbortController().signal },
  });
  // The same number in euros is another amount.
  expect(proof.differences).toMatchObject([
    { where: 'crm', kind: 'other_currency', sku: 'QUOTED', decidedMinor: 10_000, differenceMinor: null, percent: null },
  ]);
});

it('an order placed in the hour that daylight saving repeats leaves by the clock of the place, each hour by its own', async () => {
  await hub.receive('wms', [moved('in-clock', 'CLOCK', 'late', 9)]);
  // 01:20 twice on 2030-10-27 in London, the cut-off at 01:30: before it the first time, and the second time, after the first one's end, too late.
  const placed = ['2030-10-27T00:20:00.000Z', '2030-10-27T01:20:00.000Z'];
  await hub.receive(
    'api',
    placed.map((orderedAt, i) => order('night', `P-DST${i}`, [{ sku: 'CLOCK', quantity: 1 }], { orderedAt })),
  );
  const { rows } = await database.pool.query(
    `select o.external_no, o.ordered_at, p.promised_at from promise p join sales_order o using (order_id)
      where o.external_no like 'P-DST%' order by 1`,
  );
  expect(rows.map(({ ordered_at, promised_at }) => [ordered_at.toISOString(), promised_at.toISOString()])).toEqual([
    [placed[0], '2030-10-27T00:30:00.000Z'],
    [placed[1], '2030-10-28T01:30:00.000Z'],
  ]);
  // Both are there once, in the order in which they were placed: an hour apart, not at one time.
  expect(rows[1].ordered_at - rows[0].ordered_at).toBe(3_600_000);
});
