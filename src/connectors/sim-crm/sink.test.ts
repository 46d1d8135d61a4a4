import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, OrderStatusState } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { simCrm } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let crm: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  crm = simCrm(contextFor(system.url, { system: 'crm', channel: null }));
});
afterEach(async () => {
  await crm.close();
  await system.close();
});

const state: OrderStatusState = {
  channel: 'shop',
  externalNo: '536365',
  status: 'shipped',
  account: '17850',
  currency: 'GBP',
  totalMinor: 1530,
  lines: [
    {
      lineNo: 1,
      sku: '85123A',
      quantity: 6,
      amountMinor: 1530,
      cancelled: 0,
      backordered: 0,
      refused: 0,
      shipped: 6,
      invoiced: 6,
      returned: 0,
    },
  ],
};

it('a state goes out under channel and number with all its lines', async () => {
  system.answer({ json: { results: [{ externalId: 'shop/536365', status: 200 }] } });
  const outcomes = await crm.orderStatus!.write([{ key: 'shop/536365', version: 4, base: 0, state }], signal);
  expect(outcomes).toMatchObject([{ outcome: 'confirmed' }]);
  const { channel: _, externalNo: __, ...shown } = state;
  expect(system.calls[0]).toMatchObject({ path: '/orders/upsert' });
  expect(system.calls[0]!.body).toEqual({ records: [{ externalId: 'shop/536365', version: 4, base: 0, ...shown }] });
});

it('the version it holds is read back; a version that is none is an error', async () => {
  system.answer({ json: { found: [{ externalId: 'shop/536365', version: 4 }] } });
  expect(await crm.orderStatus!.readBack(['shop/536365', 'shop/1'], signal)).toEqual(new Map([['shop/536365', 4]]));
  system.answer({ json: { found: [{ externalId: 'shop/536365', version: '4' }] } });
  await expect(crm.orderStatus!.readBack(['shop/536365'], signal)).rejects.toMatchObject({
    code: 'XD_CONNECTOR_MALFORMED',
  });
});

it('without a channel of its own it gives no orders', async () => {
  expect(crm.sources).toEqual([]);
  const withChannel = simCrm(contextFor(system.url, { channel: 'crm' }));
  expect(withChannel.sources.map(({ feed }) => feed)).toEqual(['requests']);
  await withChannel.close();
});
