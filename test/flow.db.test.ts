/** One order's way through all rooms, step by step, with the states and exact balances after each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from './helpers/database.ts';
import type { MemorySystem } from './helpers/memory-system.ts';
import { balances, orderState, violations } from './helpers/promises.ts';
import {
  cancel,
  invoiced,
  memorySystems,
  moved,
  order,
  picked,
  returned,
  SmallHub,
  shipped,
} from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, connectors: systems });
  await hub.seed(['X', 'Y', 'Z', 'W']);
});
afterAll(() => hub.close());

const state = (no: string, channel = 'api') => orderState(database.pool, channel, no);
const stock = (sku: string) => balances(database.pool, sku);
const clean = async () => expect(await violations(database.pool)).toEqual({});

/** The fulfilments the WMS was told of for an order, in order. */
function fulfilmentsOf(system: MemorySystem, reference: string): { reference: string; location: string }[] {
  return system
    .of('fulfilment')
    .map((effect) => effect.payload as { reference: string; order: string; location: string })
    .filter((payload) => payload.order === reference);
}

describe('an order from the API', () => {
  it('takes stock from one location when one has all, and goes to the ERP', async () => {
    await hub.receive('wms', [
      moved('r1', 'X', 'north', 4),
      moved('r2', 'X', 'south', 10),
      moved('r3', 'Y', 'west', 5),
    ]);
    expect(await stock('X')).toEqual(['north 4/0/0/0', 'south 10/0/0/0']);
    const [result] = await hub.receive('api', [
      order('api', 'O1', [
        { sku: 'X', quantity: 6, unitPrice: '1.335' },
        { sku: 'Y', quantity: 7 },
      ]),
    ]);
    expect(result?.status).toBe('applied');
    expect(await stock('X')).toEqual(['north 4/0/0/0', 'south 10/0/6/0']);
    expect(await stock('Y')).toEqual(['west 5/0/5/0']);
    expect(await state('O1')).toEqual(['accepted', '1: 6 allocated 6', '2: 7 allocated 5 backordered 2']);
    await clean();
  });

  it('is confirmed by the ERP and released by the WMS, a fulfilment a location', async () => {
    await hub.settle();
    expect(hub.errors).toEqual([]);
    expect(systems.erp.of('sales_order').map((effect) => effect.reference)).toEqual(['api/O1']);
    expect(fulfilmentsOf(systems.wms, 'api/O1').map(({ location }) => location)).toEqual(['south', 'west']);
    expect((await state('O1'))[0]).toBe('released');
    expect(systems.crm.states.get('order_status api/O1')?.state).toMatchObject({
      status: 'released',
      totalMinor: 801 + 700,
    });
  });

  it('gets its backorder when goods arrive', async () => {
    await hub.receive('wms', [moved('r4', 'Y', 'north', 1), moved('r5', 'Y', 'south', 9)]);
    expect(await hub.backorders(['Y'])).toBe(1);
    expect(await stock('Y')).toEqual(['north 1/0/0/0', 'south 9/0/2/0', 'west 5/0/5/0']);
    await hub.settle();
    expect(await state('O1')).toEqual(['released', '1: 6 allocated 6', '2: 7 allocated 7']);
    expect(fulfilmentsOf(systems.wms, 'api/O1').map(({ location }) => location)).toEqual(['south', 'west', 'south']);
  });

  it('gives on hand and allocated up together at the pick, and nothing at the shipment', async () => {
    const [first, second, third] = fulfilmentsOf(systems.wms, 'api/O1');
    await hub.receive('wms', [
      picked('p1', first!.reference, [{ lineNo: 1, sku: 'X', quantity: 6 }]),
      picked('p2', second!.reference, [{ lineNo: 2, sku: 'Y', quantity: 5 }]),
    ]);
    expect(await stock('X')).toEqual(['north 4/0/0/0', 'south 4/0/0/0']);
    expect(await stock('Y')).toEqual(['north 1/0/0/0', 'south 9/0/2/0']);
    await hub.receive('wms', [
      shipped('s1', first!.reference, [{ lineNo: 1, sku: 'X', quantity: 6 }]),
      shipped('s2', second!.reference, [{ lineNo: 2, sku: 'Y', quantity: 3 }]),
    ]);
    expect(await state('O1')).toEqual([
      'partly_shipped',
      '1: 6 picked 6 shipped 6',
      '2: 7 allocated 2 picked 5 shipped 3',
    ]);
    await hub.receive('wms', [
      picked('p3', third!.reference, [{ lineNo: 2, sku: 'Y', quantity: 2 }]),
      shipped('s3', second!.reference, [{ lineNo: 2, sku: 'Y', quantity: 2 }]),
      shipped('s4', third!.reference, [{ lineNo: 2, sku: 'Y', quantity: 2 }]),
    ]);
    expect(await stock('Y')).toEqual(['north 1/0/0/0', 'south 7/0/0/0']);
    expect(await state('O1')).toEqual(['shipped', '1: 6 picked 6 shipped 6', '2: 7 picked 7 shipped 7']);
    await hub.settle();
    expect(systems.erp.of('shipment_posting').map(({ payload }) => (payload as { lines: unknown }).lines)).toEqual([
      [{ lineNo: 1, quantity: 6, amountMinor: 801 }],
      [{ lineNo: 2, quantity: 3, amountMinor: 300 }],
      [{ lineNo: 2, quantity: 2, amountMinor: 200 }],
      [{ lineNo: 2, quantity: 2, amountMinor: 200 }],
    ]);
    await clean();
  });

  it('is closed by its invoices and says so to the CRM', async () => {
    await hub.receive('erp', [
      invoiced('I1', 'api/O1', [{ lineNo: 1, quantity: 6, amountMinor: 801 }]),
      invoiced('I2', 'api/O1', [{ lineNo: 2, quantity: 7, amountMinor: 700 }]),
    ]);
    expect((await state('O1'))[0]).toBe('closed');
    await hub.settle();
    expect(systems.crm.states.get('order_status api/O1')?.state).toMatchObject({ status: 'closed' });
  });

  it('comes back after the pick, is restocked once and credited', async () => {
    await hub.receive('api', [cancel('api', 'O1', 1, 2, 'C1')]);
    expect(await state('O1')).toEqual([
      'closed',
      '1: 6 picked 6 shipped 6 invoiced 6 return_expected 2',
      '2: 7 picked 7 shipped 7 invoiced 7',
    ]);
    await hub.settle();
    const announced = systems.wms.of('return_announcement');
    expect(announced.map(({ payload }) => payload)).toMatchObject([
      { location: 'south', lines: [{ lineNo: 1, sku: 'X', quantity: 2 }] },
    ]);
    const back = returned('b1', announced[0]!.reference, [{ lineNo: 1, sku: 'X', quantity: 2 }]);
    await hub.receive('wms', [back]);
    expect((await hub.receive('wms', [back]))[0]?.status).toBe('duplicate');
    expect(await stock('X')).toEqual(['north 4/0/0/0', 'south 6/0/0/0']);
    await hub.settle();
    expect(systems.erp.of('return_posting').map(({ payload }) => (payload as { lines: unknown }).lines)).toEqual([
      [{ lineNo: 1, quantity: 2, amountMinor: 267 }],
    ]);
    await clean();
  });
});

describe('a cancel', () => {
  it('before the ERP knows the order gives the stock back at once', async () => {
    await hub.receive('api', [order('api', 'O2', [{ sku: 'X', quantity: 10 }])]);
    expect(await stock('X')).toEqual(['north 4/0/4/0', 'south 6/0/6/0']);
    await hub.receive('api', [cancel('api', 'O2', 1, 7, 'C2')]);
    expect((await state('O2'))[1]).toBe('1: 10 allocated 3 cancelled 7');
    await hub.receive('api', [cancel('api', 'O2', 1, 3, 'C3')]);
    expect(await state('O2')).toEqual(['cancelled', '1: 10 cancelled 10']);
    expect(await stock('X')).toEqual(['north 4/0/0/0', 'south 6/0/0/0']);
    await hub.settle();
    // The ERP hears of the order first and of each cancel after it.
    expect(
      systems.erp.effects
        .filter(({ payload }) => (payload as { order?: string }).order === 'api/O2')
        .map(({ kind }) => kind),
    ).toEqual(['order_cancellation', 'order_cancellation']);
    expect(
      systems.wms.of('fulfilment').filter(({ payload }) => (payload as { order: string }).order === 'api/O2'),
    ).toEqual([]);
    await clean();
  });

  it('after the release asks the WMS, two lines under one reference each on its own', async () => {
    await hub.receive('api', [
      order('api', 'O3', [
        { sku: 'X', quantity: 3 },
        { sku: 'X', quantity: 1 },
      ]),
    ]);
    await hub.settle();
    expect((await state('O3'))[0]).toBe('released');
    await hub.receive('api', [cancel('api', 'O3', 1, 2, 'C4'), cancel('api', 'O3', 2, 1, 'C4')]);
    expect(await state('O3')).toEqual([
      'released',
      '1: 3 allocated 3 cancel_asked 2',
      '2: 1 allocated 1 cancel_asked 1',
    ]);
    await hub.settle();
    expect(await state('O3')).toEqual(['released', '1: 3 allocated 1 cancelled 2', '2: 1 cancelled 1']);
    await clean();
  });

  it('that the WMS answers too late becomes a return', async () => {
    systems.wms.answer = (kind, { payload }) =>
      kind === 'fulfilment_cancel'
        ? {
            lines: (payload as { lines: { lineNo: number; quantity: number }[] }).lines.map((l) => ({
              lineNo: l.lineNo,
              cancelled: 0,
              tooLate: l.quantity,
            })),
          }
        : {};
    await hub.receive('api', [cancel('api', 'O3', 1, 1, 'C5')]);
    await hub.settle();
    expect((await state('O3'))[1]).toBe('1: 3 allocated 1 cancelled 2 return_expected 1');
    await clean();
  });
});

describe('a channel that sells by itself', () => {
  const shelf = new Map<string, number>();

  it('is told a number that is set aside for it before it is told, and its sales come out of it', async () => {
    systems.shop.availability = {
      batchMax: 50,
      async write(items) {
        return items.map(({ sku, from, quantity }) => {
          if ((shelf.get(sku) ?? null) !== from) return { outcome: 'conflict' as const };
          shelf.set(sku, quantity);
          return { outcome: 'confirmed' as const };
        });
      },
      async readBack(skus) {
        return new Map(skus.filter((sku) => shelf.has(sku)).map((sku) => [sku, shelf.get(sku)!]));
      },
    };
    await hub.receive('wms', [moved('r6', 'Z', 'north', 5), moved('r7', 'Z', 'south', 8)]);
    await hub.settle();
    expect(hub.errors).toEqual([]);
    expect(shelf.get('Z')).toBe(13);
    expect(await stock('Z')).toEqual(['north 5/0/0/5', 'south 8/0/0/8']);
    // Somebody who asks gets nothing of it.
    await hub.receive('api', [order('api', 'O4', [{ sku: 'Z', quantity: 1 }])]);
    expect((await state('O4'))[1]).toBe('1: 1 backordered 1');
    // The shop sells 6 within its number and takes 2 more than it had.
    shelf.set('Z', 7);
    await hub.receive('shop', [order('shop', 'S1', [{ sku: 'Z', quantity: 8, within: 6 }])]);
    expect((await state('S1', 'shop'))[1]).toBe('1: 8 allocated 6 backordered 2');
    expect(await stock('Z')).toEqual(['north 5/0/0/5', 'south 8/0/6/2']);
    await clean();
  });

  it('gives units back only after it was read back and its orders were read to the end', async () => {
    // Three units are waited for (O4 and S1), so the shop is told three less.
    await hub.settle();
    expect((await stock('Z')).at(0)).toBe('north 5/0/0/5');
    await hub.receiver.receive({
      system: 'shop',
      source: 'poll',
      contentType: '',
      body: Buffer.alloc(0),
      items: [],
      onFault: 'park',
      feed: {
        feed: 'orders',
        from: await cursorOf('shop', 'orders'),
        to: '1',
        drainedAt: new Date(Date.now() + 60_000),
      },
    });
    await hub.settle();
    expect(await stock('Z')).toEqual(['north 5/0/0/2', 'south 8/0/6/2']);
    expect(shelf.get('Z')).toBe(4);
    expect(await hub.backorders(['Z'])).toBe(2);
    expect((await state('O4'))[1]).toBe('1: 1 allocated 1');
    expect((await state('S1', 'shop'))[1]).toBe('1: 8 allocated 8');
    await clean();
  });

  async function cursorOf(system: string, feed: string): Promise<string> {
    const { rows } = await database.pool.query(
      'insert into feed_cursor (system, feed) values ($1, $2) on conflict (system, feed) do update set feed = excluded.feed returning cursor',
      [system, feed],
    );
    return rows[0].cursor;
  }
});
