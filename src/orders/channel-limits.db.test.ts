/** What a channel that asks is shown is what its orders get: share, cap and buffer hold for both. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { balances, orderState, violations } from '../../test/helpers/promises.ts';
import { moved, order, picked, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import { readAtp, reserveStock, StockSession } from '../ledger/index.ts';
import { pendingWork } from '../ops/index.ts';
import { numbers, type Tx } from '../store/index.ts';
import { allocateBackorders, followBackorders, sweepBackorders } from './index.ts';
import { offersOf } from './stock-effects.ts';

const database = useDatabase();
let hub: SmallHub;
let keys = 0;

const asks = { company: 'acme', sells: 'asks' as const, locations: ['north', 'south', 'west'] };
const limits = {
  half: { ...asks, share: 0.5 },
  capped: { ...asks, cap: 3 },
  buffered: { ...asks, buffer: 4 },
  all: { ...asks, share: 0.7, cap: 9, buffer: 2 },
  strict: { ...asks, share: 0.5, onShort: 'refuse' as const },
  soon: { ...asks, cap: 5, buffer: 1, horizonDays: 30 },
};

beforeEach(async () => {
  hub = await SmallHub.open({ url: database.url, estate: smallEstate(limits) });
});
afterEach(async () => {
  expect(await violations(database.pool)).toEqual({});
  // Nothing of one test waits in the next.
  await hub.db.execute(
    'update order_line set cancelled = cancelled + backordered, backordered = 0 where backordered > 0',
  );
  await hub.close();
});

const arrive = (sku: string, location: string, quantity: number) =>
  hub.receive('wms', [moved(`l${++keys}`, sku, location, quantity)]);
async function ordered(channel: string, sku: string, ...quantities: number[]): Promise<string> {
  const no = `${channel}-${++keys}`;
  const lines = quantities.map((quantity) => ({ sku, quantity }));
  expect(await hub.receive('api', [order(channel, no, lines)])).toMatchObject([{ status: 'applied' }]);
  return no;
}
const lines = async (no: string) => (await orderState(database.pool, no.split('-')[0]!, no)).slice(1);
const shown = async (channel: string, sku: string) =>
  (await readAtp(hub.db, hub.directory.channels.get(channel)!, [hub.sku(sku)], hub.directory)).get(hub.sku(sku))!.atp;
const servable = async () => (await pendingWork(hub.db)).servable;

describe('an order of a channel that asks', () => {
  it.each([
    ['half', 5 + 2, 'backordered'],
    ['capped', 3, 'backordered'],
    ['buffered', 15 - 4, 'backordered'],
    ['all', 7 + 3 - 2, 'backordered'],
    ['strict', 5 + 2, 'refused'],
    ['api', 15, 'backordered'],
  ])('of %s is allocated what the number says, %i, and the rest is %s', async (channel, number, rest) => {
    const sku = `N${++keys}`;
    await hub.seed([sku]);
    await arrive(sku, 'north', 10);
    await arrive(sku, 'south', 5);
    expect(await shown(channel, sku)).toBe(number);
    const no = await ordered(channel, sku, 20);
    expect(await lines(no)).toEqual([`1: 20 allocated ${number} ${rest} ${20 - number}`]);
    expect(await servable()).toBe(0);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
  });

  it('takes no more than its share from one location, and its lines of one SKU take from one number', async () => {
    await hub.seed(['S']);
    await arrive('S', 'north', 10);
    await arrive('S', 'south', 5);
    const no = await ordered('half', 'S', 4, 6);
    expect(await lines(no)).toEqual(['1: 4 allocated 4', '2: 6 allocated 3 backordered 3']);
    expect(await balances(database.pool, 'S')).toEqual(['north 10/0/5/0', 'south 5/0/2/0']);
  });

  it('gets what was held for it, whoever took the rest meanwhile, and not its number on top', async () => {
    await hub.seed(['H']);
    await arrive('H', 'north', 10);
    const item = { channel: hub.directory.channels.get('capped')!, skuId: hub.sku('H'), quantity: 3, locationId: null };
    const hold = (reservationId: number) =>
      hub.db.transaction((tx) =>
        reserveStock(tx, hub.deps, [{ ...item, reservationId, partial: false, purpose: 'order', expiresSeconds: 900 }]),
      );
    await hold(901);
    await hold(902);
    const first = `capped-${++keys}`;
    await hub.receive('api', [order('capped', first, [{ sku: 'H', quantity: 8 }], { reservations: ['901'] })]);
    expect(await lines(first)).toEqual(['1: 8 allocated 3 backordered 5']);
    expect(await lines(await ordered('api', 'H', 9))).toEqual(['1: 9 allocated 4 backordered 5']);
    const second = `capped-${++keys}`;
    await hub.receive('api', [order('capped', second, [{ sku: 'H', quantity: 2 }], { reservations: ['902'] })]);
    expect(await lines(second)).toEqual(['1: 2 allocated 2']);
  });

  it('is promised of dated supply what its cap leaves', async () => {
    await hub.seed(['D']);
    await arrive('D', 'north', 4);
    const dueAt = new Date(Date.now() + 86_400_000).toISOString();
    await hub.receive('wms', [
      {
        ...moved(`l${++keys}`, 'D', 'north', 1),
        scope: 'supply/wms',
        command: {
          kind: 'supply.announced',
          supply: 'PO1',
          sku: 'D',
          location: 'north',
          quantity: 50,
          dueAt,
          announcedAt: '2026-03-02T10:00:00.000Z',
        },
      },
    ]);
    expect(await shown('soon', 'D')).toBe(5);
    const no = await ordered('soon', 'D', 9);
    expect(await lines(no)).toEqual(['1: 9 allocated 3 backordered 6']);
    const { rows } = await database.pool.query('select quantity::int as quantity from supply_commitment');
    expect(rows).toEqual([{ quantity: 2 }]);
  });
});

describe('a waiting line of a channel that asks', () => {
  it('is found servable exactly when the rule gives it something, and the places can give it', async () => {
    await hub.seed(['R']);
    const skuId = hub.sku('R');
    const locationIds = hub.directory.channels.get('api')!.locationIds;
    const place = fc.record({ free: fc.integer({ min: -3, max: 12 }), own: fc.integer({ min: 0, max: 6 }) });
    const settings = fc.record({
      share: fc.constantFrom(1, 0.7, 0.5, 0.1),
      cap: fc.option(fc.integer({ min: 0, max: 20 })),
      buffer: fc.integer({ min: 0, max: 10 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(place, { minLength: 3, maxLength: 3 }),
        settings,
        async (places, { share, cap, buffer }) => {
          // An order's own units are allocated and part of what is on hand; safety stock makes what is free negative.
          await hub.db.transaction(async (tx) => {
            const rows = [
              numbers(locationIds),
              numbers(places.map(({ free, own }) => Math.max(0, free) + own)),
              numbers(places.map(({ own }) => own)),
              numbers(places.map(({ free }) => Math.max(0, -free))),
            ];
            const run = (text: string, values: unknown[]) => tx.query({ name: text.slice(0, 40), text }, values);
            await run('delete from stock_balance where sku_id = $1', [skuId]);
            await run('delete from allocation where sku_id = $1', [skuId]);
            await run(
              `insert into stock_balance (sku_id, location_id, on_hand, allocated, safety_stock)
             select $5::bigint, * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[])`,
              [...rows, skuId],
            );
            await run(
              `insert into allocation (order_id, allocation_id, line_no, sku_id, location_id, quantity, open_quantity, fulfilment_id)
             select -7, location_id, 1, $3::bigint, location_id, own, own, 1
               from unnest($1::int[], $2::bigint[]) as t(location_id, own) where own > 0`,
              [rows[0], rows[2], skuId],
            );
            const stock = await StockSession.view(
              tx,
              hub.ids,
              locationIds.map((id) => [skuId, id] as const),
              [],
            );
            const channel = { ...hub.directory.channels.get('api')!, share, cap, buffer };
            const mine = places.map(({ own }, i) => ({
              skuId,
              locationId: locationIds[i]!,
              quantity: own,
              isFree: false,
            }));
            const { places: offers, allocatable } = offersOf(stock, channel, skuId, mine);
            const [row] = await tx.query<{ units: number }>(
              { name: 'servable', text: 'select servable_units(-7, $1, $2, $3, $4, $5) as units' },
              [skuId, numbers(locationIds), share, cap, buffer],
            );
            const unlimited = share === 1 && cap === null && buffer === 0;
            // A place that owes takes nothing from what another has.
            const given = offers.reduce((sum, offer) => sum + Math.max(0, offer.free), 0);
            expect(row!.units).toBe(unlimited ? given : allocatable);
            expect(Math.min(given, row!.units)).toBe(row!.units);
            await run('delete from stock_balance where sku_id = $1', [skuId]);
            await run('delete from allocation where sku_id = $1', [skuId]);
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is served by the same rule as a new order, and waits while the rule gives nothing', async () => {
    await hub.seed(['W']);
    await arrive('W', 'north', 6);
    const no = await ordered('buffered', 'W', 8);
    expect(await lines(no)).toEqual(['1: 8 allocated 2 backordered 6']);
    const young = await ordered('api', 'W', 3);
    expect(await lines(young)).toEqual(['1: 3 allocated 3']);
    await arrive('W', 'south', 2);
    expect([await hub.backorders(['W']), await servable(), await sweepBackorders(hub.db, hub.deps)]).toEqual([0, 0, 0]);
    await arrive('W', 'south', 2);
    expect(await servable()).toBe(1);
    expect(await hub.backorders(['W'])).toBe(1);
    expect(await lines(no)).toEqual(['1: 8 allocated 3 backordered 5']);
    expect([await hub.backorders(['W']), await servable(), await sweepBackorders(hub.db, hub.deps)]).toEqual([0, 0, 0]);
  });

  it('costs one statement more where its channel has limits, and none where it has not', async () => {
    await hub.seed(['E', 'F']);
    const waiting = [await ordered('api', 'E', 2), await ordered('capped', 'F', 2)];
    await arrive('E', 'north', 5);
    await arrive('F', 'north', 5);
    const namesOf = async (sku: string) => {
      const names: string[] = [];
      await hub.db.transaction((tx) => {
        const query: Tx['query'] = (statement, values) => {
          names.push(statement.name);
          return tx.query(statement, values);
        };
        return allocateBackorders({ ...tx, query } as Tx, hub.deps, [hub.sku(sku)]);
      });
      return names;
    };
    // The first of a kind may take a block of ids.
    const before = (await namesOf('E')).filter((name) => !name.startsWith('store_'));
    expect((await namesOf('F')).filter((name) => !name.startsWith('store_'))).toEqual(
      before.flatMap((name) =>
        name === 'orders_read_allocations_of_lines' ? [name, 'orders_read_allocations'] : [name],
      ),
    );
    for (const no of waiting) expect(await lines(no)).toEqual(['1: 2 allocated 2']);
  });

  it('does not get its share of the rest again and again', async () => {
    await hub.seed(['Z']);
    await arrive('Z', 'north', 10);
    const no = await ordered('half', 'Z', 4, 8);
    expect(await lines(no)).toEqual(['1: 4 allocated 4', '2: 8 allocated 1 backordered 7']);
    expect([await servable(), await sweepBackorders(hub.db, hub.deps)]).toEqual([0, 0]);
    await arrive('Z', 'north', 10);
    expect(await servable()).toBe(1);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(1);
    expect(await lines(no)).toEqual(['1: 4 allocated 4', '2: 8 allocated 6 backordered 2']);
    expect([await servable(), await sweepBackorders(hub.db, hub.deps)]).toEqual([0, 0]);
  });

  it('gets what its cap leaves when units of its order were picked, and those behind it do not wait for it', async () => {
    await hub.seed(['C']);
    await arrive('C', 'north', 10);
    const no = await ordered('capped', 'C', 8);
    // The WMS was told of it.
    const { rows } = await database.pool.query(
      `insert into fulfilment (order_id, fulfilment_id, location_id, state)
       select order_id, fulfilment_id, location_id, 'released' from allocation join sales_order using (order_id) where external_no = $1
       returning fulfilment_id`,
      [no],
    );
    const young = await ordered('api', 'C', 9);
    expect(await lines(young)).toEqual(['1: 9 allocated 7 backordered 2']);
    await arrive('C', 'south', 2);
    expect(await sweepBackorders(hub.db, hub.deps, 1, 1)).toBe(1);
    expect(await lines(young)).toEqual(['1: 9 allocated 9']);
    await arrive('C', 'south', 4);
    expect(await servable()).toBe(0);
    await expect.poll(async () => (await followBackorders(hub.db, hub.deps)).read, { timeout: 20_000 }).toBe(0);
    await hub.receive('wms', [
      picked(`p${++keys}`, `F${rows[0].fulfilment_id}`, [{ lineNo: 1, sku: 'C', quantity: 2 }]),
    ]);
    let served = 0;
    await expect
      .poll(async () => (served += (await followBackorders(hub.db, hub.deps)).served), { timeout: 20_000 })
      .toBe(1);
    expect(await lines(no)).toEqual(['1: 8 allocated 3 backordered 3 picked 2']);
    expect(await servable()).toBe(0);
  });
});
