import { describe, expect, it } from 'vitest';
import { readAtp } from '../ledger/index.ts';
import { AvailabilityLoader } from './availability-loader.ts';
import { useApi } from './testing/hub.ts';

const api = useApi({ skus: ['S1', 'S2', 'S3', 'S4', 'S5'] });
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const supply = (id: string, sku: string, quantity: number, rest: object = {}) => ({
  id,
  sku,
  location: 'LON',
  quantity,
  dueAt: inDays(5),
  announcedAt: '2026-03-01T08:00:00Z',
  ...rest,
});
const announce = async (...supplies: object[]) => (await api.call('POST', '/v1/supplies', { supplies })).json().results;
const atp = async (sku: string, channel = 'planned') =>
  (await api.call('GET', `/v1/availability?channel=${channel}&sku=${sku}`)).json().items[0].atp;
const order = (externalNo: string, sku: string, quantity: number) =>
  api.order({
    company: 'UK',
    channel: 'planned',
    externalNo,
    account: '17850',
    currency: 'GBP',
    orderedAt: '2026-03-01T10:00:00Z',
    lines: [{ lineNo: 1, sku, quantity, unitPrice: '1' }],
  } as { externalNo: string });

describe('supplies', () => {
  it('each has its own answer, and one bad one fails no other', async () => {
    const first = supply('PO1', 's1', 10);
    expect(
      await announce(
        first,
        supply('PO1', 'NOPE', 1),
        supply('PO1', 'S1', 1, { location: 'NOPE' }),
        first,
        supply('PO1', 'S1', 11),
        supply('PO1', 'S1', 99, { announcedAt: '2026-02-01T08:00:00+01:00' }),
      ),
    ).toMatchObject([
      { id: 'PO1', status: 201, outcome: 'applied' },
      { id: 'PO1', status: 422, code: 'XD_UNKNOWN_SKU', place: 'sku' },
      { id: 'PO1', status: 422, code: 'XD_UNKNOWN_LOCATION', place: 'location' },
      { id: 'PO1', status: 200, outcome: 'repeated' },
      { id: 'PO1', status: 422, code: 'XD_KEY_CONFLICT' },
      { id: 'PO1', status: 200, outcome: 'superseded' },
    ]);
    expect([await atp('S1'), await atp('S1', 'api')]).toEqual([10, 0]);
  });

  it('of one key are not those of another, unless it names their source', async () => {
    const { key } = await api.makeKey({ scopes: ['write'] });
    const other = { authorization: `Bearer ${key}` };
    await announce(supply('PO2', 'S2', 10, { source: 'erp' }));
    const receipt = (id: string, supplied: object, headers = {}) =>
      api.call(
        'POST',
        '/v1/stock-movements',
        {
          movements: [
            { id, type: 'received', sku: 'S2', location: 'LON', quantity: 4, occurredAt: inDays(-1), supply: supplied },
          ],
        },
        headers,
      );
    await receipt('m1', { id: 'PO2' }, other);
    // Half of 4 less 1, and all that is to come.
    expect(await atp('S2')).toBe(1 + 10);
    await receipt('m1', { id: 'PO2', source: 'erp' });
    expect(await atp('S2')).toBe(3 + 6);
    const adjusted = { id: 'm9', type: 'adjusted', sku: 'S2', location: 'LON', quantity: -1, occurredAt: inDays(-1) };
    const answer = await api.call('POST', '/v1/stock-movements', {
      movements: [{ ...adjusted, supply: { id: 'PO2' } }],
    });
    expect(answer.json().results).toMatchObject([{ status: 422, code: 'XD_VALUE_INVALID', place: 'supply' }]);
  });

  it('need the scope that stock movements need, and whole numbers and times', async () => {
    const { key } = await api.makeKey({ scopes: ['read'] });
    const body = { supplies: [supply('PO3', 'S3', 1)] };
    const refused = await api.call('POST', '/v1/supplies', body, { authorization: `Bearer ${key}` });
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'XD_FORBIDDEN']);
    const wrong = [
      [{ quantity: -1 }, 422, 'supplies[0].quantity'],
      [{ quantity: 1.5 }, 400, 'supplies[0].quantity'],
      [{ dueAt: 'soon' }, 422, 'supplies[0].dueAt'],
      [{ announcedAt: undefined }, 400, 'supplies[0].announcedAt'],
    ] as const;
    for (const [value, status, place] of wrong) {
      const answer = await api.call('POST', '/v1/supplies', { supplies: [supply('PO3', 'S3', 1, value)] });
      expect([answer.statusCode, answer.json().place]).toEqual([status, place]);
    }
  });

  it('are told to whoever orders, and explained as an input of their own', async () => {
    // Half of it, less the buffer: 3.
    await api.receive('S4', 'MAN', 9);
    await announce(supply('PO4', 'S4', 10), supply('PO5', 'S4', 7, { dueAt: inDays(60) }));
    const answer = await order('E1', 'S4', 8);
    expect(answer.json().lines).toMatchObject([
      { decision: 'partly_allocated', backordered: 5, expected: [{ location: 'LON', quantity: 5 }] },
    ]);
    const explained = (await api.call('GET', '/v1/availability/S4/explain?channel=planned')).json();
    expect(explained.atp).toBe(await atp('S4'));
    expect(explained.atp).toBe(5 + 2);
    expect(explained.rule).toMatchObject({ horizonDays: 14 });
    expect(explained.supply).toMatchObject({
      promisable: 5,
      truncated: false,
      announced: [
        { supply: `api:${api.keyId}/PO4`, location: 'LON', quantity: 10, received: 0, committed: 5, counted: true },
        { supply: `api:${api.keyId}/PO5`, quantity: 7, committed: 0, counted: false },
      ],
    });
    expect((await api.call('GET', '/v1/availability/S4/explain?channel=shop')).json().supply).toMatchObject({
      promisable: 0,
      announced: [{ counted: false }, { counted: false }],
    });
  });

  it('are added up by one query for many as the ledger adds them', async () => {
    const { db, directory } = api.hub;
    await announce(supply('PO6', 'S5', 12), supply('PO6', 'S3', 2, { location: 'MAN' }));
    await order('A1', 'S5', 20);
    await announce(supply('PO7', 'S5', 30));
    const skuIds = ['S1', 'S2', 'S3', 'S4', 'S5'].map((sku) => directory.findSkuId(sku)!);
    for (const limits of [{}, { horizonDays: 365 }, { cap: 9 }, { buffer: 5 }, { locationIds: [] }]) {
      const channel = { ...directory.channels.get('planned')!, ...limits };
      const expected = await readAtp(db, channel, skuIds, directory);
      const { places, done } = new AvailabilityLoader(db, directory, channel).load(skuIds);
      const { atp: found } = await done;
      expect(places.map((place) => found[place])).toEqual(skuIds.map((id) => expected.get(id)!.atp));
    }
    // 30 come, and 8 units of A1 wait without a promise.
    expect(await atp('S5')).toBe(22);
  });
});
