import { describe, expect, it } from 'vitest';
import { CrossdockError } from '../canonical/index.ts';
import { useApi } from './testing/hub.ts';

const api = useApi();
const movement = { type: 'received', sku: '85123A', location: 'LON', quantity: 5, occurredAt: '2026-03-01T08:00:00Z' };

async function onHand(sku: string): Promise<number> {
  const { locations } = (await api.call('GET', `/v1/availability/${sku}/explain?channel=api`)).json();
  return locations.reduce((sum: number, l: { onHand: number }) => sum + l.onHand, 0);
}

describe('stock in', () => {
  it('each movement has its own answer, and one bad one fails no other', async () => {
    const movements = [
      { id: 'm1', ...movement },
      { id: 'm2', ...movement, sku: 'NOPE' },
      { id: 'm3', ...movement, location: 'NOPE' },
      { id: 'm4', ...movement, type: 'adjusted', quantity: -2 },
      { id: 'm5', ...movement, quantity: -1 },
      { id: 'm1', ...movement },
      { id: 'm1', ...movement, quantity: 6 },
    ];
    const answer = await api.call('POST', '/v1/stock-movements', { movements });
    expect(answer.statusCode).toBe(200);
    expect(answer.json().results).toMatchObject([
      { id: 'm1', status: 201, outcome: 'applied' },
      { id: 'm2', status: 422, code: 'XD_UNKNOWN_SKU', place: 'sku' },
      { id: 'm3', status: 422, code: 'XD_UNKNOWN_LOCATION', place: 'location' },
      { id: 'm4', status: 201, outcome: 'applied' },
      { id: 'm5', status: 422, code: 'XD_VALUE_INVALID', place: 'quantity' },
      { id: 'm1', status: 200, outcome: 'repeated' },
      {
        ...{ id: 'm1', status: 422, code: 'XD_KEY_CONFLICT', place: 'quantity', before: 5, given: 6 },
        detail: 'key m1 came before with quantity 5, not 6',
      },
    ]);
    expect(await onHand('85123A')).toBe(3);
    const again = await api.call('POST', '/v1/stock-movements', { movements: movements.slice(0, 1) });
    expect(again.json().results).toMatchObject([{ status: 200, outcome: 'repeated' }]);
    expect(await onHand('85123A')).toBe(3);
  });

  it('another content under a known id is told which field differs, and changes nothing', async () => {
    const given = { movements: [{ id: 'w1', ...movement, supply: { id: 'PO' } }] };
    const counted = { id: 'w2', sku: '85123A', location: 'MAN', quantity: 1, countedAt: '2026-01-01T00:00:00Z' };
    const announced = { ...{ id: 'w3', sku: '85123A', location: 'MAN', quantity: 1 }, dueAt: '2026-05-01T00:00:00Z' };
    const supplied = { supplies: [{ ...announced, announcedAt: '2026-04-01T00:00:00Z' }] };
    const before = { before: '2026-05-01T00:00:00.000Z', given: '2026-05-02T00:00:00.000Z' };
    const charge = { reference: 'w4', kind: 'postage', account: '17850', code: 'POST', quantity: 1 };
    const charged = { charges: [{ ...charge, unitPrice: '3.00', currency: 'GBP', at: '2026-01-01T00:00:00Z' }] };
    const cases: [route: string, body: object, other: object, differs: object][] = [
      [
        'stock-movements',
        given,
        { movements: [{ ...given.movements[0], supply: { id: 'QO' } }] },
        { place: 'supply.id', before: 'PO', given: 'QO' },
      ],
      [
        'stock-movements',
        given,
        { movements: [{ ...given.movements[0], supply: undefined }] },
        { place: 'supply', before: { id: 'PO' }, given: null },
      ],
      [
        'stock-counts',
        { counts: [counted] },
        { counts: [{ ...counted, location: 'LON' }] },
        { place: 'location', before: 'MAN', given: 'LON' },
      ],
      [
        'supplies',
        supplied,
        { supplies: [{ ...supplied.supplies[0], dueAt: '2026-05-02T00:00:00Z' }] },
        { place: 'dueAt', ...before },
      ],
      [
        'charges',
        charged,
        { charges: [{ ...charged.charges[0], unitPrice: '4.00' }] },
        { place: 'amountMinor', before: 300, given: 400 },
      ],
    ];
    for (const [route, body, other, differs] of cases) {
      const headers = { 'idempotency-key': `differs/${route}` };
      await api.call('POST', `/v1/${route}`, body, headers);
      const stock = await onHand('85123A');
      const answer = (await api.call('POST', `/v1/${route}`, other, headers)).json();
      expect(answer.results, route).toMatchObject([{ status: 422, code: 'XD_KEY_CONFLICT', ...differs }]);
      expect(await onHand('85123A')).toBe(stock);
    }
  });

  it('where what came first can’t be read again, the key itself is named', async () => {
    const count = { ...{ id: 'both', sku: '85123A', location: 'MAN' }, quantity: 1, countedAt: '2026-01-01T00:00:00Z' };
    await api.call('POST', '/v1/stock-counts', { counts: [count] });
    const answer = await api.call('POST', '/v1/stock-movements', { movements: [{ id: 'both', ...movement }] });
    expect(answer.json().results).toMatchObject([
      { status: 422, code: 'XD_KEY_CONFLICT', place: 'both', detail: 'key both came before with other content' },
    ]);
  });

  it('the same id of another key is another movement', async () => {
    const { key } = await api.makeKey({ scopes: ['write'] });
    const answer = await api.call(
      'POST',
      '/v1/stock-movements',
      { movements: [{ id: 'm1', ...movement, sku: '71053' }] },
      { authorization: `Bearer ${key}` },
    );
    expect(answer.json().results).toMatchObject([{ status: 201 }]);
  });

  it('a count settles the quantity; what happened before it changes nothing any more', async () => {
    const count = { sku: '71053', location: 'LON', quantity: 40, countedAt: '2026-03-02T18:00:00Z' };
    expect(
      (await api.call('POST', '/v1/stock-counts', { counts: [{ id: 'c1', ...count }] })).json().results,
    ).toMatchObject([{ id: 'c1', status: 201 }]);
    await api.call('POST', '/v1/stock-movements', {
      movements: [
        { id: 'late', ...movement, sku: '71053', occurredAt: '2026-03-02T17:00:00Z' },
        { id: 'later', ...movement, sku: '71053', occurredAt: '2026-03-02T19:00:00Z' },
      ],
    });
    expect(await onHand('71053')).toBe(45);
    const older = { counts: [{ id: 'c0', ...count, quantity: 1, countedAt: '2026-03-01T00:00:00Z' }] };
    expect((await api.call('POST', '/v1/stock-counts', older)).json().results).toMatchObject([
      { status: 200, outcome: 'superseded' },
    ]);
    expect(await onHand('71053')).toBe(45);
  });

  it('5,000 movements in one call, and not one more', async () => {
    const movements = Array.from({ length: 5_001 }, (_, i) => ({ id: `bulk-${i}`, ...movement, quantity: 1 }));
    const over = await api.call('POST', '/v1/stock-movements', { movements });
    expect([over.statusCode, over.json().place]).toEqual([400, 'movements']);
    const answer = await api.call('POST', '/v1/stock-movements', { movements: movements.slice(1) });
    expect(answer.json().results.filter((result: { status: number }) => result.status === 201)).toHaveLength(5_000);
  });
});

describe('webhooks', () => {
  const body = '{"records": [1]}';

  it('are stored as they came and acknowledged after commit', async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url: '/ingest/shop',
      payload: body,
      headers: { 'x-shop-signature': 'signed by the shop', 'content-type': 'application/json' },
    });
    expect([answer.statusCode, answer.json()]).toEqual([202, { items: 1 }]);
    const [row] = await api.hub.db.execute(
      "select convert_from(body, 'UTF8') as body, content_type from raw_record where system = 'shop'",
    );
    expect(row).toEqual({ body, content_type: 'application/json' });
    const parked = (await api.call('GET', '/v1/parked?system=shop')).json().parked;
    expect(parked).toMatchObject([
      { class: 'unreadable', reason: 'a test', state: 'open', next: expect.stringMatching(/replay/) },
    ]);
    expect((await api.call('GET', `/v1/parked/${parked[0].parkedId}`)).json().item.scope).toBe('unreadable/shop');
    expect((await api.call('POST', `/v1/parked/${parked[0].parkedId}/replay`)).json()).toMatchObject({
      applied: false,
      state: 'open',
      attempts: 1,
    });
  });

  it('that only hint are not kept, and refused without a signature as others are', async () => {
    const hinted: string[] = [];
    api.hub.hint = (system, headers) => {
      if (system !== 'shop') return false;
      if (headers['x-shop-signature'] !== 'signed by the shop') throw new CrossdockError('XD_UNAUTHENTICATED', 'no');
      hinted.push(system);
      return true;
    };
    try {
      const before = await api.hub.db.execute('select count(*)::int as n from raw_record');
      const headers = { 'x-shop-signature': 'signed by the shop' };
      const taken = await api.app.inject({ method: 'POST', url: '/ingest/shop', payload: body, headers });
      expect([taken.statusCode, taken.json(), hinted]).toEqual([202, { items: 0 }, ['shop']]);
      const unsigned = await api.app.inject({ method: 'POST', url: '/ingest/shop', payload: body });
      expect(unsigned.statusCode).toBe(401);
      expect(await api.hub.db.execute('select count(*)::int as n from raw_record')).toEqual(before);
    } finally {
      delete api.hub.hint;
    }
  });

  it('any body is taken raw, also one that is no JSON', async () => {
    const answer = await api.app.inject({
      method: 'POST',
      url: '/ingest/shop',
      payload: Buffer.from([0xff, 0x00, 0x7b]),
      headers: { 'x-shop-signature': 'signed by the shop', 'content-type': 'text/csv' },
    });
    expect(answer.statusCode).toBe(202);
  });

  it('a wrong signature and an unknown system leave nothing behind', async () => {
    const before = await api.hub.db.execute('select count(*)::int as n from raw_record');
    const unsigned = await api.app.inject({ method: 'POST', url: '/ingest/shop', payload: body });
    expect([unsigned.statusCode, unsigned.json().code]).toEqual([401, 'XD_UNAUTHENTICATED']);
    const unknown = await api.app.inject({ method: 'POST', url: '/ingest/nope', payload: body });
    expect([unknown.statusCode, unknown.json().code]).toEqual([404, 'XD_NOT_FOUND']);
    expect(await api.hub.db.execute('select count(*)::int as n from raw_record')).toEqual(before);
  });
});
