import { expect, it } from 'vitest';
import { type OrderCommand, processOrders } from '../orders/index.ts';
import { testEstate, useApi } from './testing/hub.ts';

const locations = { ...testEstate.locations, LON: { ...testEstate.locations.LON!, returns: { inspect: true } } };
const api = useApi({ skus: ['85123A'], estate: { ...testEstate, locations } });
let n = 0;

/** Four of one SKU, picked by the WMS. */
async function picked(externalNo: string): Promise<string> {
  await api.receive('85123A', 'LON', 4);
  const body = {
    ...{ company: 'UK', channel: 'api', externalNo, account: '17850', currency: 'GBP' },
    orderedAt: '2026-02-03T10:00:00Z',
    lines: [{ lineNo: 1, sku: '85123A', quantity: 4, unitPrice: '2.50' }],
  };
  const placed = (await api.call('POST', '/v1/orders', body, { 'idempotency-key': `api/${externalNo}` })).json();
  const orderId = Number(placed.orderId);
  const { db, ids, directory } = api.hub;
  const work = (command: OrderCommand) =>
    db.transaction(async (tx) => {
      const occurredAt = '2026-02-04T08:00:00.000Z';
      const batch = await processOrders(tx, { ids, directory }, [{ reference: { orderId }, command, occurredAt }]);
      await batch.finish();
      return batch.results[0]!;
    });
  const confirmed = await work({ kind: 'confirm', erpNumber: `ERP-${externalNo}` });
  const events = confirmed.outcome === 'applied' ? confirmed.events : [];
  const { fulfilmentId } = events.find((event) => event.type === 'fulfilment.requested')!;
  const lines = [{ lineNo: 1, quantity: 4 }];
  await work({ kind: 'pick', fulfilmentId, source: 'wms', sourceId: `pick-${externalNo}`, sequence: null, lines });
  return placed.orderId;
}

const post = (path: string, body: object, key = `k${++n}`) => api.call('POST', path, body, { 'idempotency-key': key });

async function receive(reference: string, quantity: number): Promise<void> {
  const command = {
    ...{ kind: 'return.received' as const, returnReference: reference, occurredAt: '2026-02-05T08:00:00.000Z' },
    lines: [{ lineNo: 1, sku: '85123A', quantity }],
  };
  await api.hub.receiver.receive({
    ...{ system: 'wms', source: 'webhook', contentType: 'application/json', body: Buffer.from(reference) },
    ...{ items: [{ scope: 'returned/wms', key: `${reference}-${++n}`, fingerprint: 'f', itemNo: 0, command }] },
    onFault: 'park',
  });
}

it('a return is asked for once, received, inspected, and shown as it stands', async () => {
  const orderId = await picked('A1');
  const asked = {
    channel: 'api',
    order: 'A1',
    reference: 'RMA-1',
    reason: 'too big',
    lines: [{ lineNo: 1, quantity: 3 }],
  };
  const first = await post('/v1/returns', asked, 'a1');
  expect(first.json()).toMatchObject({
    results: [{ status: 201, did: ['return.authorised'] }],
    returns: [{ reference: 'RMA-1', reason: 'too big', state: 'expected', inspection: 'before_credit' }],
  });
  const again = await post('/v1/returns', asked, 'a1');
  expect(again.headers['idempotent-replayed']).toBe('true');
  expect(again.json().returns).toHaveLength(1);
  expect((await post('/v1/returns', { ...asked, lines: [{ lineNo: 1, quantity: 1 }] })).json()).toMatchObject({
    code: 'XD_KEY_CONFLICT',
  });
  expect(
    (await post('/v1/returns', { ...asked, reference: 'RMA-2', lines: [{ lineNo: 1, quantity: 2 }] })).json(),
  ).toMatchObject({
    ...{ code: 'XD_REFUSED', refused: 'over_return' },
  });

  const { returnId, return: announced } = first.json().returns[0];
  await receive(announced, 3);
  const inspection = { by: 'ann', reason: 'one is torn', lines: [{ lineNo: 1, restock: 1, scrap: 1, quarantine: 1 }] };
  const path = `/v1/returns/${returnId}/inspection`;
  expect((await post(path, { ...inspection, lines: [{ lineNo: 1, restock: 4 }] })).json()).toMatchObject({
    ...{ code: 'XD_REFUSED', refused: 'not_received' },
  });
  expect((await post(path, { ...inspection, lines: [{ lineNo: 1 }] })).json()).toMatchObject({ status: 409 });
  const looked = await post(path, inspection, 'i1');
  expect(looked.json()).toMatchObject({
    lines: [
      { received: 3, inInspection: 0, restocked: 1, scrapped: 1, quarantined: 1, receivedMinor: 750, creditMinor: 500 },
    ],
    inspections: [{ by: 'ann', reason: 'one is torn' }],
  });
  const same = await post(path, inspection, 'i1');
  expect([same.statusCode, same.headers['idempotent-replayed']]).toEqual([200, 'true']);
  expect(same.json().lines).toEqual(looked.json().lines);
  expect((await api.call('GET', '/v1/returns/stock')).json()).toEqual({
    stock: [{ sku: '85123A', location: 'LON', inInspection: 0, quarantined: 1 }],
  });
  await post(path, { by: 'ann', lines: [{ lineNo: 1, restock: 1, from: 'quarantine' }] });
  expect((await api.call('GET', `/v1/returns/${returnId}`)).json()).toMatchObject({ state: 'inspected', orderId });
  expect((await api.call('GET', '/v1/returns/999999')).json()).toMatchObject({ code: 'XD_NOT_FOUND' });
});

it('returns are listed by page and by what is open of them, and goods without one have candidates', async () => {
  const orderId = await picked('B1');
  const ask = (reference: string, quantity: number) =>
    post('/v1/returns', { channel: 'api', order: 'B1', reference, lines: [{ lineNo: 1, quantity }] });
  await ask('one', 1);
  await ask('two', 1);
  const open = (await api.call('GET', `/v1/returns?state=open&order=${orderId}&limit=1`)).json();
  expect(open.returns.map((one: { reference: string }) => one.reference)).toEqual(['two']);
  const rest = (
    await api.call('GET', `/v1/returns?state=open&order=${orderId}&limit=1&cursor=${open.nextCursor}`)
  ).json();
  expect([rest.returns[0].reference, rest.nextCursor]).toEqual(['one', null]);
  const found = (await api.call('GET', '/v1/returns/candidates?account=17850&sku=85123a')).json();
  // Nothing of it has left yet, by what the WMS said.
  expect(found.candidates).toEqual([]);
});
