import { expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi();

async function park(reference: string): Promise<string> {
  const [row] = await api.hub.db.execute(
    `insert into delivery (destination_id, bucket, key, kind, reference, fact_position, payload, state, attempts, sent_at, error)
     select destination_id, 0, 1, 'charge', $1, 1, '{"reference": "c"}', 'p', 3, now(), '409 closed month' from destination where code = 'erp'
     returning delivery_id`,
    [reference],
  );
  return String(row!.delivery_id);
}
const post = (url: string, body?: object) => api.call('POST', url, body);

it('parked deliveries come by page, are sent again and given up', async () => {
  const ids = [await park('c1'), await park('c2')];
  const first = (await api.call('GET', '/v1/parked/deliveries?limit=1')).json();
  expect(first.deliveries).toMatchObject([
    { deliveryId: ids[0], system: 'erp', state: 'parked', error: '409 closed month', holdsUp: 1, attempts: 3 },
  ]);
  const second = (await api.call('GET', `/v1/parked/deliveries?limit=1&cursor=${first.nextCursor}`)).json();
  expect([second.deliveries[0].deliveryId, second.nextCursor]).toEqual([ids[1], null]);
  expect((await api.call('GET', '/v1/parked/deliveries?system=shop')).json().deliveries).toEqual([]);
  expect((await api.call('GET', `/v1/parked/deliveries/${ids[0]}`)).json().payload).toEqual({ reference: 'c' });

  const before = api.commits;
  const again = await post(`/v1/parked/deliveries/${ids[0]}/replay`);
  expect([again.statusCode, again.json()]).toMatchObject([200, { state: 'in doubt', attempts: 0, next: null }]);
  expect(api.commits).toBe(before + 1);
  const twice = await post(`/v1/parked/deliveries/${ids[0]}/replay`);
  expect([twice.statusCode, twice.json()]).toMatchObject([409, { code: 'XD_REFUSED', state: 'in doubt' }]);
  expect((await post('/v1/parked/deliveries/999999/replay')).statusCode).toBe(404);

  expect((await post(`/v1/parked/deliveries/${ids[1]}/resolve`, {})).json()).toMatchObject({
    code: 'XD_BODY_INVALID',
    place: 'reason',
  });
  const resolved = await post(`/v1/parked/deliveries/${ids[1]}/resolve`, { reason: 'posted by hand' });
  expect(resolved.json()).toMatchObject({ state: 'cancelled', resolution: `posted by hand (${api.keyId})` });
  expect((await api.call('GET', '/v1/parked/deliveries')).json().deliveries).toEqual([]);
});

it('parked publications are told again and given up', async () => {
  await api.hub.db.execute(
    `insert into publication (destination_id, kind, key, bucket, version, state, error)
     select destination_id, 'availability', sku_id, 0, 2, 'p', '500' from destination, sku where destination.code = 'shop'`,
  );
  const { publications } = (await api.call('GET', '/v1/parked/publications')).json();
  expect(publications).toMatchObject([
    { system: 'shop', kind: 'availability', state: 'parked', error: '500' },
    { system: 'shop', kind: 'availability', state: 'parked', error: '500' },
  ]);
  const { nextCursor } = (await api.call('GET', '/v1/parked/publications?limit=1')).json();
  const rest = (await api.call('GET', `/v1/parked/publications?limit=1&cursor=${nextCursor}`)).json();
  expect([rest.publications, rest.nextCursor]).toEqual([[publications[1]], null]);

  const [one, other] = publications.map(
    (p: { system: string; kind: string; key: string }) => `/v1/parked/publications/${p.system}/${p.kind}/${p.key}`,
  );
  expect((await post(`${one}/replay`)).json()).toMatchObject({ state: 'pending', what: publications[0].what });
  expect((await post(`${one}/replay`)).json()).toMatchObject({ code: 'XD_REFUSED', state: 'pending' });
  const reason = { reason: 'is sold out' };
  expect((await post(`${other}/resolve`, reason)).json()).toMatchObject({
    state: 'cancelled',
    resolution: `is sold out (${api.keyId})`,
  });
  expect((await api.call('GET', other)).json()).toMatchObject({ state: 'cancelled', next: null });
  expect((await post('/v1/parked/publications/shop/availability/999999/replay')).statusCode).toBe(404);
  expect((await post('/v1/parked/publications/shop/pigeons/1/replay')).json().code).toBe('XD_VALUE_INVALID');

  const { key } = await api.makeKey({ scopes: ['read'] });
  const refused = await api.call('POST', `${other}/resolve`, reason, { authorization: `Bearer ${key}` });
  expect(refused.json().code).toBe('XD_FORBIDDEN');
});
