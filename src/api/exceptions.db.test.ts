import { expect, it } from 'vitest';
import { fingerprint } from '../canonical/index.ts';
import { putSubstitutes } from '../master/index.ts';
import { STATUS_MS_MIN } from './status.ts';
import { testEstate, useApi } from './testing/hub.ts';

const channels = {
  ...testEstate.channels,
  shop: { ...testEstate.channels.shop, onOversold: { policy: 'hold' as const } },
};
const api = useApi({ skus: ['85123A', '71053'], estate: { ...testEstate, channels } });

async function sold(externalNo: string, quantity: number): Promise<string> {
  const command = {
    ...{ kind: 'order.submitted' as const, channel: 'shop', externalNo, company: 'UK', account: '17850' },
    ...{ currency: 'GBP', orderedAt: '2026-02-03T10:00:00.000Z' },
    lines: [{ lineNo: 1, sku: '85123A', quantity, unitPrice: '2.50' }],
  };
  const item = { scope: 'order/shop', key: externalNo, fingerprint: fingerprint('t1', command), itemNo: 0, command };
  const [result] = await api.hub.receiver.receive({
    ...{ system: 'shop', source: 'webhook', contentType: 'application/json', body: Buffer.from(externalNo) },
    ...{ items: [item], onFault: 'park' },
  });
  expect(result).toMatchObject({ status: 'applied' });
  return String((result as { orderId: number }).orderId);
}
const list = async (query = '') => (await api.call('GET', `/v1/exceptions${query}`)).json();
const settle = (id: string, body: object, headers?: Record<string, string>) =>
  api.call('POST', `/v1/exceptions/${id}/resolve`, body, headers);

it('exceptions are listed by page, shown, counted, and settled once', async () => {
  await api.receive('71053', 'LON', 2);
  await putSubstitutes(api.hub.db, api.hub.directory, [{ sku: '85123A', substitutes: ['71053'] }]);
  const orders = [await sold('E1', 3), await sold('E2', 2), await sold('E3', 4)];

  const first = await list('?limit=2&state=open&channel=shop');
  expect(first.exceptions.map((one: { order: string }) => one.order)).toEqual(['shop/E3', 'shop/E2']);
  const rest = await list(`?limit=2&state=open&cursor=${first.nextCursor}`);
  expect([rest.exceptions.length, rest.nextCursor]).toEqual([1, null]);
  const [one] = rest.exceptions;
  expect(one).toMatchObject({
    ...{ kind: 'oversold', state: 'open', policy: 'hold', orderId: orders[0], order: 'shop/E1', lineNo: 1 },
    ...{ sku: '85123A', units: 3, held: 3, backordered: 0, unit: 'each', substitutes: [], resolvedBy: null },
  });
  expect(await list(`?order=${orders[1]}`)).toMatchObject({ exceptions: [{ order: 'shop/E2' }] });
  expect(await list('?state=resolved')).toEqual({ exceptions: [], nextCursor: null });
  expect((await list('?channel=nope')).code).toBe('XD_UNKNOWN_CHANNEL');
  expect((await api.call('GET', `/v1/exceptions/${one.exceptionId}`)).json()).toEqual(one);
  expect((await api.call('GET', '/v1/exceptions/999999')).json()).toMatchObject({ code: 'XD_NOT_FOUND' });

  api.nowMs += STATUS_MS_MIN;
  const status = (await api.call('GET', '/v1/status')).json();
  expect(status.exceptions).toMatchObject({ open: 3, units: 9, byKind: { oversold: 3 } });
  expect(status.problems).toContainEqual(
    expect.objectContaining({ kind: 'order_exception', what: 'shop/E1 line 1', detail: '3 of 3 85123A held' }),
  );
  const metrics = (await api.call('GET', '/metrics')).body;
  expect(metrics).toContain('crossdock_order_exceptions_open{kind="oversold"} 3');
  expect(metrics).toContain('crossdock_order_units_held 9');

  const short = await settle(one.exceptionId, { as: 'substitute' });
  expect([short.statusCode, short.json()]).toMatchObject([409, { code: 'XD_REFUSED', refused: 'no_substitute' }]);
  const commits = api.commits;
  const done = await settle(one.exceptionId, { as: 'substitute', otherwise: 'cancel', reason: 'they agreed' });
  expect(done.json()).toMatchObject({
    ...{ state: 'resolved', held: 0, substituted: 2, cancelled: 1, reason: 'they agreed' },
    ...{ resolvedBy: `key ${api.keyId}`, substitutes: [{ lineNo: 2, sku: '71053', quantity: 2 }] },
  });
  expect(api.commits).toBe(commits + 1);
  expect((await settle(one.exceptionId, { as: 'substitute' })).json()).toEqual(done.json());
  expect((await settle(one.exceptionId, { as: 'backorder' })).json()).toMatchObject({
    refused: 'exception_resolved',
  });
  const order = (await api.call('GET', `/v1/orders/${orders[0]}`)).json();
  expect(order.lines).toMatchObject([
    { lineNo: 1, quantity: 3, refused: 3, substituted: 2, held: 0, standsFor: null },
    { lineNo: 2, sku: '71053', quantity: 2, standsFor: 1, unitPrice: '2.50' },
  ]);
  // All that is left of it, by one call: each line that was ordered with what stands for it.
  const cancelled = await api.call('POST', `/v1/orders/${orders[0]}/cancel`, {}, { 'idempotency-key': 'all' });
  expect(cancelled.json()).toMatchObject({ results: [{ lineNo: 1, quantity: 2 }], order: { state: 'cancelled' } });
});

it('a key of another channel sees none, and one that may not operate settles none', async () => {
  const [one] = (await list('?state=open')).exceptions;
  const bound = await api.makeKey({ scopes: ['read'], channel: 'api' });
  const other = { authorization: `Bearer ${bound.key}` };
  expect((await api.call('GET', '/v1/exceptions', undefined, other)).json().exceptions).toEqual([]);
  const asked = await Promise.all([
    api.call('GET', '/v1/exceptions?channel=shop', undefined, other),
    api.call('GET', `/v1/exceptions/${one.exceptionId}`, undefined, other),
    settle(one.exceptionId, { as: 'cancel' }, other),
  ]);
  expect(asked.map((answer) => answer.statusCode)).toEqual([403, 403, 403]);
  expect((await settle(one.exceptionId, { as: 'hold' })).statusCode).toBe(422);
});
