import { expect, it } from 'vitest';
import { readAtp } from '../ledger/index.ts';
import { AvailabilityLoader } from './availability-loader.ts';
import { useApi } from './testing/hub.ts';

const api = useApi({ skus: ['S1', 'S2'] });
const period = { from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00+01:00' };
const put = (...quotas: object[]) => api.call('PUT', '/v1/quotas', { quotas });
const atp = async (channel: string, sku = 'S1') =>
  (await api.call('GET', `/v1/availability?channel=${channel}&sku=${sku}`)).json().items[0].atp;

it('quotas are put, listed page by page, change what is available, and are named where it is explained', async () => {
  const { db, directory } = api.hub;
  for (const sku of ['S1', 'S2']) await api.receive(sku, 'LON', 10);
  const before = await atp('api');
  expect(before).toBe(10);
  const written = await put({ skus: ['s1', 'S2'], channel: 'planned', ...period, ringFenced: 6, lend: true });
  expect(written.json()).toEqual({ written: 2 });
  expect(await atp('api')).toBe(before - 6);
  const explained = (await api.call('GET', '/v1/availability/S1/explain?channel=api')).json();
  expect(explained).toMatchObject({
    atp: before - 6,
    quota: { capLeft: null, keptForOthers: [{ channel: 'planned', units: 6, to: '2098-12-31T23:00:00.000Z' }] },
  });
  // What many are told at once is what the ledger says.
  const channel = directory.channels.get('api')!;
  const skuIds = ['S2', 'S1'].map((sku) => directory.findSkuId(sku)!);
  const expected = await readAtp(db, channel, skuIds, directory);
  const { places, done } = new AvailabilityLoader(db, directory, channel).load(skuIds);
  const { atp: found } = await done;
  expect(places.map((place) => found[place])).toEqual(skuIds.map((id) => expected.get(id)!.atp));

  const first = (await api.call('GET', '/v1/quotas?limit=1')).json();
  expect(first.quotas).toMatchObject([
    { sku: 'S1', channel: 'planned', ringFenced: 6, cap: null, lend: true, used: 0 },
  ]);
  const second = (await api.call('GET', `/v1/quotas?limit=1&cursor=${first.nextCursor}`)).json();
  expect(second).toMatchObject({ quotas: [{ sku: 'S2' }], nextCursor: null });
  expect((await api.call('GET', '/v1/quotas?channel=api')).json().quotas).toEqual([]);
});

it.each([
  [{ skus: ['NOPE'], channel: 'api', cap: 1 }, 422, 'XD_UNKNOWN_SKU'],
  [{ skus: ['S1'], channel: 'nope', cap: 1 }, 422, 'XD_UNKNOWN_CHANNEL'],
  [{ skus: ['S1'], channel: 'api', account: 'nope', cap: 1 }, 422, 'XD_UNKNOWN_ACCOUNT'],
  [{ skus: ['S1'], channel: 'api', cap: 1.5 }, 400, 'XD_BODY_INVALID'],
  [{ skus: ['S1'], channel: 'api', cap: 1, ringFenced: 2 }, 422, 'XD_VALUE_INVALID'],
  [{ skus: ['S1'], channel: 'planned', cap: 9, from: '2021-01-01T00:00:00Z' }, 409, 'XD_QUOTA_OVERLAP'],
])('%j is refused with %i %s', async (quota, status, code) => {
  const response = await put({ ...period, ...quota });
  expect([response.statusCode, response.json().code]).toEqual([status, code]);
});
