import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, OrderStatusState } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { simMarketplace } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let marketplace: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  marketplace = simMarketplace(contextFor(system.url, { system: 'system-marketplace', channel: 'marketplace' }));
});
afterEach(async () => {
  await marketplace.close();
  await system.close();
});

describe('availability', () => {
  it('goes out with the last order it knows of', async () => {
    system.answer({ json: { results: [{ sku: '85123A', status: 200, available: 3 }] } });
    const item = { sku: '85123A', from: 9, quantity: 4, ordersThrough: '17' };
    expect(await marketplace.availability!.write([item], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(system.calls[0]!.path).toBe('/offers/quantity');
    expect(system.calls[0]!.body).toEqual({ items: [{ sku: '85123A', quantity: 4, ordersThrough: 17 }] });
    await marketplace.availability!.write([{ ...item, ordersThrough: '' }], signal);
    expect(system.calls[1]!.body).toMatchObject({ items: [{ ordersThrough: 0 }] });
  });

  it('is read back as the quantity it was told, not as what is left of it', async () => {
    system.answer({ json: { found: [{ sku: '85123A', quantity: 4, ordersThrough: 17, available: 1 }] } });
    expect(await marketplace.availability!.readBack(['85123A'], signal)).toEqual(new Map([['85123A', 4]]));
  });
});

describe('prices', () => {
  it('are set with their version and read back by it', async () => {
    system.answer({ json: { results: [{ sku: '85123A', status: 200 }] } });
    const item = { key: '85123A', version: 7, base: 0, state: { unitPrice: '2.55', currency: 'GBP' } };
    expect(await marketplace.prices!.write([item], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(system.calls[0]!.path).toBe('/offers/price');
    expect(system.calls[0]!.body).toEqual({
      items: [{ sku: '85123A', version: 7, unitPrice: '2.55', currency: 'GBP' }],
    });
    system.answer({ json: { found: [{ sku: '85123A', version: 7 }] } });
    expect(await marketplace.prices!.readBack(['85123A', 'X'], signal)).toEqual(new Map([['85123A', 7]]));
    expect(system.calls[1]).toMatchObject({ path: '/offers/price/lookup', body: { skus: ['85123A', 'X'] } });
  });
});

describe('order states', () => {
  const line = { lineNo: 1, sku: '85123A', quantity: 6, amountMinor: 1530, invoiced: 6 };
  const counts = { cancelled: 1, backordered: 2, refused: 1, shipped: 3, returned: 0 };
  const state: OrderStatusState = {
    channel: 'marketplace',
    externalNo: '536365',
    status: 'shipped',
    account: '17850',
    currency: 'GBP',
    totalMinor: 1530,
    lines: [{ ...line, ...counts }],
  };
  const item = { key: 'marketplace/536365', version: 4, base: 0, state };

  it('go out under the number alone, with what the buyer is shown', async () => {
    system.answer({ json: { results: [{ number: '536365', status: 200 }] } });
    expect(await marketplace.orderStatus!.write([item], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(system.calls[0]!.path).toBe('/orders/status');
    expect(system.calls[0]!.body).toEqual({
      items: [{ number: '536365', version: 4, base: 0, status: 'shipped', lines: [{ lineNo: 1, ...counts }] }],
    });
  });

  it('of an order it does not know are refused', async () => {
    const error = { code: 'unknown_order', message: 'no order 536365' };
    system.answer({ json: { results: [{ number: '536365', status: 404, error }] } });
    expect(await marketplace.orderStatus!.write([item], signal)).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('unknown_order') },
    ]);
  });

  it('are read back under channel and number; other channels are not asked for', async () => {
    system.answer({ json: { found: [{ number: '536365', version: 4 }] } });
    const keys = ['marketplace/536365', 'other/536366'];
    expect(await marketplace.orderStatus!.readBack(keys, signal)).toEqual(new Map([['marketplace/536365', 4]]));
    expect(system.calls[0]).toMatchObject({ path: '/orders/status/lookup', body: { numbers: ['536365'] } });
  });

  it('and orders need a channel', async () => {
    const without = simMarketplace(contextFor(system.url, { channel: null }));
    expect([without.sources, without.orderStatus]).toEqual([[], undefined]);
    await without.close();
  });
});
