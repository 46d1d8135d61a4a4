import { describe, expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi({ skus: ['S1', 'S2', 'S3', 'S4'] });
const allocation = (reference: string, sku: string, quantity: number, rest: object = {}) => ({
  ...{ reference, sku, location: 'LON', quantity, occurredAt: '2026-03-01T08:00:00Z' },
  ...rest,
});
const report = async (...allocations: object[]) =>
  (await api.call('POST', '/v1/outside-allocations', { allocations })).json().results;
const atp = async (sku: string) =>
  (await api.call('GET', `/v1/availability?channel=api&sku=${sku}`)).json().items[0].atp;
const order = (externalNo: string, sku: string, quantity: number) =>
  api.order({
    ...{
      company: 'UK',
      channel: 'api',
      externalNo,
      account: '17850',
      currency: 'GBP',
      orderedAt: '2026-03-01T10:00:00Z',
    },
    lines: [{ lineNo: 1, sku, quantity, unitPrice: '1' }],
  } as { externalNo: string });
const explained = async (sku: string) => (await api.call('GET', `/v1/availability/${sku}/explain?channel=api`)).json();

describe('outside allocations', () => {
  it('each have their own answer, and one bad one fails no other', async () => {
    await api.receive('S1', 'LON', 10);
    const first = allocation('SO1', 's1', 4);
    expect(
      await report(
        first,
        allocation('SO1', 'NOPE', 1),
        allocation('SO1', 'S1', 1, { location: 'NOPE' }),
        allocation('SO2', 'S1', 1, { line: { channel: 'nobody', externalNo: 'X', lineNo: 1 } }),
        first,
        allocation('SO1', 'S1', 5),
        allocation('SO1', 'S1', 9, { occurredAt: '2026-02-01T08:00:00+01:00' }),
      ),
    ).toMatchObject([
      { id: 'SO1', status: 201, outcome: 'applied' },
      { id: 'SO1', status: 422, code: 'XD_UNKNOWN_SKU', place: 'sku' },
      { id: 'SO1', status: 422, code: 'XD_UNKNOWN_LOCATION', place: 'location' },
      { id: 'SO2', status: 422, code: 'XD_UNKNOWN_CHANNEL', place: 'line.channel' },
      { id: 'SO1', status: 200, outcome: 'repeated' },
      { id: 'SO1', status: 422, code: 'XD_KEY_CONFLICT' },
      { id: 'SO1', status: 200, outcome: 'superseded' },
    ]);
    expect(await atp('S1')).toBe(6);
    // What was refused left no key behind.
    expect(await report(allocation('SO2', 'S1', 1))).toMatchObject([{ status: 201 }]);
    expect(await atp('S1')).toBe(5);
  });

  it('are refused whole with the place when the body is wrong, and without the scope', async () => {
    const { key } = await api.makeKey({ scopes: ['read'] });
    const refused = await api.call(
      'POST',
      '/v1/outside-allocations',
      { allocations: [allocation('SO3', 'S2', 1)] },
      { authorization: `Bearer ${key}` },
    );
    expect([refused.statusCode, refused.json().code]).toEqual([403, 'XD_FORBIDDEN']);
    const wrong = [
      [{ quantity: -1 }, 422, 'allocations[0].quantity'],
      [{ quantity: 1.5 }, 400, 'allocations[0].quantity'],
      [{ occurredAt: 'soon' }, 422, 'allocations[0].occurredAt'],
      [{ reference: undefined }, 400, 'allocations[0].reference'],
      [{ line: { channel: 'api', externalNo: 'X' } }, 400, 'allocations[0].line.lineNo'],
      [{ line: { channel: 'api', externalNo: 'X', lineNo: 0 } }, 422, 'allocations[0].line.lineNo'],
    ] as const;
    for (const [value, status, place] of wrong) {
      const answer = await api.call('POST', '/v1/outside-allocations', {
        allocations: [allocation('SO3', 'S2', 1, value)],
      });
      expect([answer.statusCode, answer.json().place]).toEqual([status, place]);
    }
    expect((await explained('S2')).outside.open).toEqual([]);
  });

  it('are explained beside ours, and what they have beyond is out of the number', async () => {
    await api.receive('S3', 'LON', 10);
    await order('E1', 'S3', 3);
    const line = { channel: 'api', externalNo: 'E1', lineNo: 1 };
    await report(allocation('SO4', 'S3', 5, { line }), allocation('T1', 'S3', 1));
    const answer = await explained('S3');
    expect(answer.locations.find((l: { location: string }) => l.location === 'LON')).toMatchObject({
      ...{ onHand: 10, allocated: 3, outsideOpen: 6, outsideDeducted: 3, free: 4 },
    });
    expect(answer.outside).toMatchObject({
      truncated: false,
      open: [
        { source: `api:${api.keyId}/SO4`, order: 'api/E1', lineNo: 1, open: 5, ours: 3, deducted: 2 },
        { source: `api:${api.keyId}/T1`, order: null, lineNo: null, open: 1, ours: null, deducted: 1 },
      ],
    });
    expect([answer.atp, await atp('S3')]).toEqual([4, 4]);
  });

  it('are left out of a count that says so', async () => {
    await api.receive('S4', 'LON', 10);
    await report(allocation('SO5', 'S4', 4));
    const count = (id: string, net?: boolean) => ({
      ...{ id, sku: 'S4', location: 'LON', quantity: 6, countedAt: new Date().toISOString() },
      ...(net === undefined ? {} : { net }),
    });
    await api.call('POST', '/v1/stock-counts', { counts: [count('n1', true)] });
    expect(await atp('S4')).toBe(6);
    await api.call('POST', '/v1/stock-counts', { counts: [count('n2')] });
    expect(await atp('S4')).toBe(2);
  });
});
