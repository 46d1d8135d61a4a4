import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ChargePayload, Connector, OrderDocumentPayload, SalesOrderPayload } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { simErp } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let erp: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  erp = simErp(contextFor(system.url, { system: 'erp', channel: null }));
});
afterEach(async () => {
  await erp.close();
  await system.close();
});

const at = '2026-03-01T09:00:00Z';
const lines = [{ lineNo: 1, quantity: 6, amountMinor: 1530 }];
const order: SalesOrderPayload = {
  reference: 'shop/536365',
  company: 'UK',
  account: '17850',
  currency: 'GBP',
  orderedAt: at,
  totalMinor: 1530,
  lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', amountMinor: 1530 }],
};
const cancellation: OrderDocumentPayload = { reference: 'X1', order: 'shop/536365', lines };
const shipment: OrderDocumentPayload = { ...cancellation, reference: 'S1', location: 'LON', shippedAt: at };
const charge: ChargePayload = {
  reference: 'C1',
  kind: 'postage',
  account: '17850',
  code: 'POST',
  quantity: 1,
  amountMinor: 1800,
  currency: 'GBP',
  at,
};

it.each([
  ['sales_order', '/sales-orders', 'orders', order, 100],
  ['order_cancellation', '/cancellations', 'cancellations', cancellation, 100],
  ['shipment_posting', '/shipments', 'shipments', shipment, 100],
  ['return_posting', '/returns', 'returns', cancellation, 100],
  ['charge', '/charges', 'charges', charge, 200],
])('%s goes to %s as it is', async (kind, path, list, payload, batchMax) => {
  const { reference } = payload;
  const sink = erp.deliveries[kind]!;
  expect(sink.batchMax).toBe(batchMax);
  system.answer({ json: { results: [{ reference, status: 201, number: 'N-1' }] } });
  expect(await sink.write([{ reference, payload }], signal)).toEqual([
    { outcome: 'confirmed', answer: { number: 'N-1' } },
  ]);
  expect(system.calls[0]).toMatchObject({ method: 'POST', path: `${path}/batch`, body: { [list]: [payload] } });
  system.answer({ json: { found: [{ reference, number: 'N-1' }] } });
  expect(await sink.locate([reference, 'none'], signal)).toEqual(new Map([[reference, { number: 'N-1' }]]));
  expect(system.calls[1]).toMatchObject({ path: `${path}/lookup`, body: { references: [reference, 'none'] } });
});

it('an order whose fate is unknown is not sent a second time by the connector', async () => {
  system.answer('half', { json: { results: [{ reference: 'shop/536365', status: 201, number: 'N-1' }] } });
  const outcomes = await erp.deliveries.sales_order!.write([{ reference: order.reference, payload: order }], signal);
  expect(outcomes).toMatchObject([{ outcome: 'in_doubt' }]);
  expect(system.calls).toHaveLength(1);
});

it('an order that is there twice is found with both numbers', async () => {
  const found = ['SO-1', 'SO-2'].map((number) => ({ reference: 'shop/536365', number }));
  system.answer({ json: { found } });
  expect(await erp.deliveries.sales_order!.locate(['shop/536365'], signal)).toEqual(
    new Map([['shop/536365', { number: 'SO-1', numbers: ['SO-1', 'SO-2'] }]]),
  );
});

it('a refused order carries the reason of the ERP', async () => {
  const error = { code: 'total_mismatch', message: 'totalMinor 1, lines add up to 1530' };
  system.answer({ json: { results: [{ reference: 'shop/536365', status: 422, error }] } });
  const outcomes = await erp.deliveries.sales_order!.write([{ reference: order.reference, payload: order }], signal);
  expect(outcomes).toMatchObject([
    { outcome: 'refused', error: expect.stringContaining('422: total_mismatch: totalMinor 1, lines add up to 1530') },
  ]);
});

it('settings are refused, since there are none', () => {
  expect(() => simErp(contextFor(system.url, { settings: { pageSize: 5 } }))).toThrow(/settings.pageSize/);
});
