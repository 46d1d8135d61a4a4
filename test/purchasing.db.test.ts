/** What purchasing is told: what waits, what of the supply in transit is promised, and what nothing covers: never more than is to be bought. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { supplyItem } from '../src/connectors/kit/index.ts';
import { readPurchasing } from '../src/projections/index.ts';
import { useDatabase } from './helpers/database.ts';
import { cancel, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const estate = smallEstate({
  far: { company: 'acme', sells: 'asks', locations: ['north', 'south'], horizonDays: 30 },
});
let hub: SmallHub;
let n = 0;
let sku = '';
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate });
  await hub.seed(Array.from({ length: 12 }, (_, i) => `P${String(i).padStart(2, '0')}`));
});
afterAll(() => hub.close());
beforeEach(() => {
  sku = `P${String(n++).padStart(2, '0')}`;
});

const outlook = async () => (await readPurchasing(hub.db, { sku, limit: 10 }))[0];
const ask = (no: string, quantity: number, channel = 'far') =>
  hub.receive('api', [order(channel, `${sku}-${no}`, [{ sku, quantity }])]);
const announce = (supply: string, quantity: number, days: number, location = 'north') =>
  hub.receive('erp', [
    {
      ...supplyItem('erp', {
        ...{ kind: 'supply.announced', supply: `${sku}-${supply}`, sku, location, quantity },
        dueAt: new Date(Date.now() + days * 86_400_000).toISOString(),
        announcedAt: new Date().toISOString(),
      }),
      itemNo: 0,
    },
  ]);

it('nothing is short while what is to come covers what waits, promised or not', async () => {
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 4)]);
  await announce('PO1', 10, 5);
  await ask('A', 9);
  // Asks no dated supply: it waits without a promise, and is served from what comes all the same.
  await ask('B', 3, 'api');
  expect(await outlook()).toMatchObject({
    ...{ company: 'acme', unit: 'each', free: 0, waiting: 8, missing: 0, toCome: 10 },
    ...{ promisedOfSupply: 5, toComeFree: 5, overdue: 0, short: 0 },
    supplies: [
      { source: 'erp', id: `${sku}-PO1`, location: 'north', toCome: 10, promised: 5, orders: 1, overdue: false },
    ],
  });
  await ask('C', 4, 'api');
  expect(await outlook()).toMatchObject({ waiting: 12, short: 2 });
});

it('what was bought is not bought again, and what is cancelled is not bought at all', async () => {
  await ask('A', 7);
  expect(await outlook()).toMatchObject({ waiting: 7, toCome: 0, short: 7, supplies: [] });
  expect((await readPurchasing(hub.db, { short: true, limit: 100 })).map((row) => row.sku)).toContain(sku);
  await announce('PO1', 7, 9);
  expect(await outlook()).toMatchObject({ short: 0 });
  expect((await readPurchasing(hub.db, { short: true, limit: 100 })).map((row) => row.sku)).not.toContain(sku);
  await hub.receive('shop', [cancel('far', `${sku}-A`, 1, 5, `${sku}-C1`, sku)]);
  expect(await outlook()).toMatchObject({ waiting: 2, short: 0, toComeFree: 7 });
});

it('what should be there by now is overdue and still covers; what was lost is short', async () => {
  await announce('PO1', 6, -2);
  await ask('A', 6);
  expect(await outlook()).toMatchObject({ overdue: 6, short: 0, supplies: [{ overdue: true }] });
  await hub.receive('erp', [
    {
      ...supplyItem('erp', {
        kind: 'supply.announced',
        supply: `${sku}-PO1`,
        sku,
        location: 'north',
        quantity: 0,
        dueAt: new Date().toISOString(),
        announcedAt: new Date(Date.now() + 60_000).toISOString(),
      }),
      itemNo: 0,
    },
  ]);
  expect(await outlook()).toMatchObject({ toCome: 0, short: 6 });
});

it('goods that were promised and lost are short', async () => {
  await hub.receive('wms', [moved(`${sku}r`, sku, 'north', 5), moved(`${sku}s`, sku, 'west', 50)]);
  await ask('A', 5, 'api');
  await hub.receive('wms', [moved(`${sku}l`, sku, 'north', -3)]);
  await announce('PO1', 1, 3);
  expect(await outlook()).toMatchObject({ missing: 3, free: 50, short: 0 });
});

it('is read by page, of one company and in order', async () => {
  const first = await readPurchasing(hub.db, { limit: 2 });
  const second = await readPurchasing(hub.db, { limit: 2, after: [first[1]!.company, first[1]!.sku] });
  const names = [...first, ...second].map((row) => row.sku);
  expect(names).toEqual([...names].sort());
  expect(new Set(names).size).toBe(names.length);
  expect(await readPurchasing(hub.db, { company: 'nobody', limit: 5 })).toEqual([]);
});
