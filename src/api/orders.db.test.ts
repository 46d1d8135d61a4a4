import { describe, expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi();

function orderOf(externalNo: string, changes: Record<string, unknown> = {}) {
  return {
    company: 'UK',
    channel: 'api',
    externalNo,
    account: '17850',
    currency: 'GBP',
    orderedAt: '2026-02-03T10:00:00Z',
    lines: [{ lineNo: 1, sku: '85123A', quantity: 3, unitPrice: '2.55' }],
    ...changes,
  };
}
const keyed = { 'idempotency-key': 'k' };

describe('orders', () => {
  it('each line is decided before the answer, and the same order again gets the same answer', async () => {
    await api.receive('85123A', 'LON', 2);
    const body = orderOf('A1', {
      lines: [
        { lineNo: 1, sku: '85123a', quantity: 3, unitPrice: '2.55' },
        { lineNo: 2, sku: '71053', quantity: 1, unitPrice: '3.39' },
      ],
    });
    const first = await api.call('POST', '/v1/orders', body, keyed);
    expect(first.statusCode).toBe(201);
    expect(first.json()).toMatchObject({
      channel: 'api',
      externalNo: 'A1',
      state: 'accepted',
      currency: 'GBP',
      total: '11.04',
      totalMinor: 1104,
      lines: [
        {
          lineNo: 1,
          sku: '85123A',
          decision: 'partly_allocated',
          allocated: [{ location: 'LON', quantity: 2 }],
          backordered: 1,
          refused: 0,
          amountMinor: 765,
        },
        { lineNo: 2, sku: '71053', decision: 'backordered', allocated: [], backordered: 1, amountMinor: 339 },
      ],
    });
    const second = await api.call('POST', '/v1/orders', body, keyed);
    expect(second.statusCode).toBe(201);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect(second.body).toBe(first.body);
    const shown = await api.call('GET', `/v1/orders/${first.json().orderId}`);
    expect(shown.json()).toMatchObject({
      account: '17850',
      company: 'UK',
      lines: [{ allocated: [{ location: 'LON', quantity: 2 }] }, {}],
    });
  });
});
