import { expect, it } from 'vitest';
import { allocateBackorders } from '../orders/index.ts';
import { useApi } from './testing/hub.ts';

const api = useApi({ skus: ['OLD'] });

const orderOf = (externalNo: string, changes: object) => ({
  ...{
    company: 'UK',
    channel: 'api',
    externalNo,
    account: '17850',
    currency: 'GBP',
    orderedAt: '2026-02-03T10:00:00Z',
  },
  ...changes,
});

it('an order whose facts are dropped still gets its first answer, and a changed one the field that differs', async () => {
  await api.receive('OLD', 'LON', 2);
  await api.receive('OLD', 'MAN', 2);
  const lines = [
    { lineNo: 7, sku: 'OLD', quantity: 6, unitPrice: '2.50' },
    { lineNo: 2, sku: 'OLD', quantity: 3, unitPrice: '1' },
  ];
  const old = orderOf('OLD1', { lines });
  const first = await api.order(old);
  expect(first.json().lines).toMatchObject([
    { lineNo: 7, decision: 'partly_allocated', backordered: 2 },
    { lineNo: 2, decision: 'backordered', backordered: 3 },
  ]);
  const strict = orderOf('OLD2', { channel: 'strict', lines: [{ ...lines[0], quantity: 1 }] });
  const refused = await api.order(strict);
  expect(refused.json().state).toBe('refused');
  // It has come some way since: what waited was served, and a unit was cancelled.
  await api.receive('OLD', 'MAN', 4);
  const { hub } = api;
  const skuId = hub.directory.findSkuId('OLD')!;
  expect((await hub.db.transaction((tx) => allocateBackorders(tx, hub, [skuId]))).served).toBe(1);
  const cancelled = await api.call(
    'POST',
    `/v1/orders/${first.json().orderId}/cancel`,
    { reference: 'OLD-C', lines: [{ lineNo: 7, quantity: 1 }] },
    { 'idempotency-key': 'OLD-C' },
  );
  expect(cancelled.statusCode).toBeLessThan(300);
  await hub.db.execute('delete from fact');
  for (const [body, answer] of [
    [old, first],
    [strict, refused],
  ] as const) {
    const again = await api.order(body);
    expect([again.statusCode, again.headers['idempotent-replayed']]).toEqual([201, 'true']);
    expect(again.body).toBe(answer.body);
  }
  const changed = await api.order(orderOf('OLD1', { lines: [lines[0], { ...lines[1], quantity: 4 }] }));
  expect(changed.json()).toMatchObject({ code: 'XD_KEY_CONFLICT', place: 'lines[1].quantity', before: 3, given: 4 });
});
