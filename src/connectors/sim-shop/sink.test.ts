import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, OrderStatusState } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { simShop } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let shop: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  shop = simShop(contextFor(system.url, { system: 'system-shop', channel: 'shop' }));
});
afterEach(async () => {
  await shop.close();
  await system.close();
});

it('orders are told with what their lines are by now where the estate says that they are shown so', async () => {
  const told = { lineNo: 1, cancelled: 1, backordered: 0, refused: 0, shipped: 2, returned: 0 };
  const line = { ...told, sku: '85123A', quantity: 9, amountMinor: 2295, invoiced: 2 };
  const order = { channel: 'shop', externalNo: '536365', status: 'released', account: '1', currency: 'GBP' };
  const state: OrderStatusState = { ...order, totalMinor: 2295, lines: [line] };
  const bodyOf = async (settings: Record<string, unknown>) => {
    system.answer({ json: { results: [{ number: '536365', status: 200 }] } });
    const context = contextFor(system.url, { system: 'system-shop', channel: 'shop' });
    const own = simShop({ ...context, settings });
    await own.orderStatus!.write([{ key: 'shop/536365', version: 4, base: 3, state }], signal);
    await own.close();
    return (system.calls.at(-1)!.body as { items: { lines: unknown }[] }).items[0]!.lines;
  };
  expect(await bodyOf({})).toEqual([told]);
  expect(await bodyOf({ showsChanges: true })).toEqual([{ ...told, sku: '85123A', quantity: 9, amountMinor: 2295 }]);
});

describe('availability', () => {
  it('is set only where the number is what it was, and says where it was not', async () => {
    const result = { sku: '85123A', status: 200, available: 4 };
    const moved = { sku: '71053', status: 409, available: 1 };
    const bad = { sku: '22752', status: 422, error: { code: 'invalid', message: 'to must be at least 0' } };
    system.answer({ json: { results: [result, moved, bad] } });
    const outcomes = await shop.availability!.write(
      [
        { sku: '85123A', from: null, quantity: 4, ordersThrough: '17' },
        { sku: '71053', from: 3, quantity: 2, ordersThrough: '17' },
        { sku: '22752', from: 3, quantity: -1, ordersThrough: '17' },
      ],
      signal,
    );
    expect(outcomes).toMatchObject([{ outcome: 'confirmed' }, { outcome: 'conflict' }, { outcome: 'refused' }]);
    expect(system.calls[0]!.path).toBe('/inventory/set');
    expect(system.calls[0]!.body).toEqual({
      items: [
        { sku: '85123A', from: null, to: 4 },
        { sku: '71053', from: 3, to: 2 },
        { sku: '22752', from: 3, to: -1 },
      ],
    });
  });

  it('is read back as what may still be sold', async () => {
    system.answer({ json: { found: [{ sku: '85123A', available: 0 }] } });
    expect(await shop.availability!.readBack(['85123A', 'X'], signal)).toEqual(new Map([['85123A', 0]]));
  });
});

describe('prices', () => {
  it('are set with their version and read back by it', async () => {
    system.answer({ json: { results: [{ sku: '85123A', status: 200 }] } });
    const item = { key: '85123A', version: 7, base: 0, state: { unitPrice: '2.55', currency: 'GBP' } };
    expect(await shop.prices!.write([item], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(system.calls[0]!.path).toBe('/prices/set');
    expect(system.calls[0]!.body).toEqual({
      items: [{ sku: '85123A', version: 7, unitPrice: '2.55', currency: 'GBP' }],
    });
    system.answer({ json: { found: [{ sku: '85123A', version: 7 }] } });
    expect(await shop.prices!.readBack(['85123A', 'X'], signal)).toEqual(new Map([['85123A', 7]]));
    expect(system.calls[1]).toMatchObject({ path: '/prices/lookup', body: { skus: ['85123A', 'X'] } });
  });
});

describe('order states', () => {
  const line = { lineNo: 1, sku: '85123A', quantity: 6, amountMinor: 1530, invoiced: 6 };
  const counts = { cancelled: 1, backordered: 2, refused: 1, shipped: 3, returned: 0 };
  const state: OrderStatusState = {
    channel: 'shop',
    externalNo: '536365',
    status: 'shipped',
    account: '17850',
    currency: 'GBP',
    totalMinor: 1530,
    lines: [{ ...line, ...counts }],
  };
  const item = { key: 'shop/536365', version: 4, base: 0, state };

  it('go out under the number alone, with what the buyer is shown', async () => {
    system.answer({ json: { results: [{ number: '536365', status: 200 }] } });
    expect(await shop.orderStatus!.write([item], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(system.calls[0]!.path).toBe('/orders/status');
    expect(system.calls[0]!.body).toEqual({
      items: [{ number: '536365', version: 4, base: 0, status: 'shipped', lines: [{ lineNo: 1, ...counts }] }],
    });
  });

  it('with tracking numbers where the estate says that buyers are shown them, and only there', async () => {
    system.answer({ json: { results: [{ number: '536365', status: 200 }] } });
    const shows = simShop(contextFor(system.url, { channel: 'shop', settings: { showsTracking: true } }));
    expect([shows.orderStatus!.wants, shop.orderStatus!.wants]).toEqual([['shipments'], undefined]);
    const at = '2026-03-02T10:00:00.000Z';
    const parcels = [{ tracking: 'T-1' }, { tracking: 'T-2' }];
    const shipment = { shipment: 'wms/S-1', location: 'EAST', tracking: 'T-1', carrier: null, parcels, at, lines: [] };
    await shows.orderStatus!.write([{ ...item, state: { ...state, shipments: [shipment] } }], signal);
    expect(system.calls[0]!.body).toMatchObject({
      items: [{ number: '536365', shipments: [{ shipment: 'wms/S-1', tracking: ['T-1', 'T-2'] }] }],
    });
    await shows.close();
  });

  it('of an order it does not know are refused', async () => {
    const error = { code: 'unknown_order', message: 'no order 536365' };
    system.answer({ json: { results: [{ number: '536365', status: 404, error }] } });
    expect(await shop.orderStatus!.write([item], signal)).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('unknown_order') },
    ]);
  });

  it('are read back under channel and number; other channels are not asked for', async () => {
    system.answer({ json: { found: [{ number: '536365', version: 4 }] } });
    const keys = ['shop/536365', 'other/536366'];
    expect(await shop.orderStatus!.readBack(keys, signal)).toEqual(new Map([['shop/536365', 4]]));
    expect(system.calls[0]).toMatchObject({ path: '/orders/status/lookup', body: { numbers: ['536365'] } });
  });

  it('and orders need a channel', async () => {
    const without = simShop(contextFor(system.url, { channel: null }));
    expect([without.sources, without.orderStatus]).toEqual([[], undefined]);
    await without.close();
  });
});
