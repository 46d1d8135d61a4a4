/** Changes of orders over HTTP: answered line by line, once, and refused with what stands in the way. */
import { expect, it } from 'vitest';
import { processOrders } from '../orders/index.ts';
import { useApi } from './testing/hub.ts';

const api = useApi();
let keys = 0;

const post = (id: string, body: object, key = `k${++keys}`, rest: Record<string, string> = {}) =>
  api.call('POST', `/v1/orders/${id}/changes`, body, { 'idempotency-key': key, ...rest });

async function place(externalNo: string): Promise<string> {
  const lines = [
    { lineNo: 1, sku: '85123A', quantity: 4, unitPrice: '2.55' },
    { lineNo: 2, sku: '71053', quantity: 2, unitPrice: '3.39' },
  ];
  const head = { company: 'UK', channel: 'api', externalNo, account: '17850', currency: 'GBP' };
  return (await api.order({ ...head, orderedAt: '2026-02-03T10:00:00Z', lines } as { externalNo: string })).json()
    .orderId;
}

it('each line is answered, and the same change again gets the same answer', async () => {
  await api.receive('85123A', 'LON', 10);
  const id = await place('C1');
  const body = {
    lines: [
      { lineNo: 1, quantity: 6 },
      { lineNo: 2, quantity: 1 },
      { sku: '85123a', quantity: 1, unitPrice: '2.00', requestedOn: '2026-03-01' },
    ],
  };
  const first = await post(id, body, 'c1');
  expect([first.statusCode, first.json()]).toMatchObject([
    200,
    {
      ...{ reference: 'c1', number: null, whole: false },
      lines: [
        {
          lineNo: 1,
          quantity: 6,
          before: 4,
          outcome: 'applied',
          added: { lineNo: 100_001, sku: '85123A', quantity: 2 },
        },
        { lineNo: 2, quantity: 1, before: 2, outcome: 'applied', cancelled: 1 },
        { lineNo: 100_002, quantity: 1, outcome: 'applied', requestedOn: '2026-03-01', added: { sku: '85123A' } },
      ],
      order: { totalMinor: 4 * 255 + 2 * 339 + 2 * 255 + 200 },
    },
  ]);
  expect(first.json().order.lines).toMatchObject([
    { lineNo: 1, quantity: 4, addsTo: null },
    { lineNo: 2, quantity: 2, cancelled: 1 },
    { lineNo: 100_001, quantity: 2, addsTo: 1, unitPrice: '2.55', amountMinor: 510 },
    { lineNo: 100_002, addsTo: 100_002, amountMinor: 200 },
  ]);
  const again = await post(id, body, 'c1');
  expect([again.headers['idempotent-replayed'], again.json()]).toEqual(['true', first.json()]);
  const other = await post(id, { lines: [{ lineNo: 1, quantity: 9 }] }, 'c1');
  expect([other.statusCode, other.json().code]).toEqual([422, 'XD_KEY_CONFLICT']);
  expect((await api.call('GET', `/v1/orders/${id}/changes`)).json().changes).toMatchObject([{ reference: 'c1' }]);
  // All that is left of it, with what was added.
  const all = await api.call('POST', `/v1/orders/${id}/cancel`, {}, { 'idempotency-key': 'c1-all' });
  expect(all.json()).toMatchObject({
    results: [
      { lineNo: 1, quantity: 6, did: ['order.lines_cancelled'] },
      { lineNo: 2, quantity: 1 },
      { lineNo: 100_002, quantity: 1 },
    ],
    order: { state: 'cancelled' },
  });
});

it('too late is a refusal with the stage, and nothing is changed', async () => {
  await api.receive('85123A', 'LON', 10);
  const id = await place('C2');
  await api.hub.db.transaction(async (tx) => {
    const reference = { orderId: Number(id) };
    const batch = await processOrders(tx, api.hub, [
      { reference, command: { kind: 'confirm', erpNumber: 'SO-C2' }, occurredAt: '2026-02-03T11:00:00Z' },
    ]);
    await batch.finish();
    const fulfilmentId = batch.results.flatMap((r) =>
      r.outcome === 'applied'
        ? r.events.flatMap((e) => (e.type === 'fulfilment.requested' ? [e.fulfilmentId] : []))
        : [],
    )[0]!;
    const picks = await processOrders(tx, api.hub, [
      {
        reference,
        command: {
          ...{ kind: 'pick', fulfilmentId, source: 'wms', sourceId: 'p-C2', sequence: null },
          lines: [{ lineNo: 1, quantity: 3 }],
        } as const,
        occurredAt: '2026-02-03T12:00:00Z',
      },
    ]);
    await picks.finish();
  });
  const late = await post(id, { lines: [{ lineNo: 1, quantity: 2 }] }, 'c2');
  expect([late.statusCode, late.json()]).toMatchObject([
    409,
    {
      ...{ code: 'XD_REFUSED', refused: 'too_late' },
      detail: "line 1: 2 to give back, and 1 can't be any more: they are picked",
    },
  ]);
  expect((await api.call('GET', `/v1/orders/${id}/changes`)).json().changes).toEqual([]);
  // A refused key may be used again with what is right: one unit is still on the shelf, and the WMS is asked.
  expect((await post(id, { lines: [{ lineNo: 1, quantity: 3 }] }, 'c2')).json()).toMatchObject({
    lines: [{ outcome: 'asked', asked: 1 }],
  });
});

it('an older number comes too late for what a newer one named', async () => {
  await api.receive('85123A', 'LON', 10);
  const id = await place('C3');
  expect((await post(id, { number: 4, lines: [{ lineNo: 1, quantity: 5 }] })).statusCode).toBe(200);
  const old = await post(id, { number: 3, lines: [{ lineNo: 1, quantity: 1 }] }, 'c3');
  expect([old.statusCode, old.json().lines]).toEqual([
    200,
    [{ lineNo: 1, quantity: 1, before: 0, outcome: 'superseded' }],
  ]);
  expect((await post(id, { number: 3, lines: [{ lineNo: 1, quantity: 1 }] }, 'c3')).json().lines[0].outcome).toBe(
    'superseded',
  );
  expect((await api.call('GET', `/v1/orders/${id}`)).json().lines).toHaveLength(3);
});

it('bad input is refused with its place, and an order of another channel is none', async () => {
  const id = await place('C4');
  const cases: [object, number, string, string][] = [
    [{ lines: [] }, 422, 'XD_VALUE_INVALID', 'lines'],
    [{ lines: [{ lineNo: 1, quantity: -1 }] }, 422, 'XD_VALUE_INVALID', 'lines[0].quantity'],
    [{ lines: [{ lineNo: 1, quantity: 1.5 }] }, 400, 'XD_BODY_INVALID', 'lines[0].quantity'],
    [
      {
        lines: [
          { lineNo: 1, quantity: 3 },
          { lineNo: 1, quantity: 4 },
        ],
      },
      409,
      'XD_REFUSED',
      'lines',
    ],
    [{ lines: [{ lineNo: 9, quantity: 3 }] }, 409, 'XD_REFUSED', 'lines'],
    [{ lines: [{ sku: 'NONE', quantity: 3, unitPrice: '1' }] }, 422, 'XD_UNKNOWN_SKU', 'lines[0].sku'],
    [{ lines: [{ sku: '71053', quantity: 3 }] }, 409, 'XD_REFUSED', 'lines'],
    [
      { lines: [{ lineNo: 1, quantity: 3, requestedOn: '2026-02-30' }] },
      422,
      'XD_VALUE_INVALID',
      'lines[0].requestedOn',
    ],
  ];
  for (const [body, status, code, where] of cases) {
    const answer = await post(id, body);
    expect([JSON.stringify(body), answer.statusCode, answer.json().code, answer.json().place]).toEqual([
      ...[JSON.stringify(body), status, code, where],
    ]);
  }
  expect((await api.call('GET', `/v1/orders/${id}`)).json().version).toBe(1);
  const { key } = await api.makeKey({ scopes: ['read', 'write'], channel: 'strict' });
  const foreign = await post(id, { lines: [{ lineNo: 1, quantity: 3 }] }, 'x', { authorization: `Bearer ${key}` });
  expect(foreign.json().code).toBe('XD_UNKNOWN_ORDER');
  expect(
    (await api.call('POST', `/v1/orders/${id}/changes`, { lines: [{ lineNo: 1, quantity: 3 }] }, {})).statusCode,
  ).toBe(400);
});
