import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readAtp } from '../ledger/index.ts';
import { AvailabilityLoader } from './availability-loader.ts';
import { useApi } from './testing/hub.ts';

const SKUS = Array.from({ length: 30 }, (_, i) => `S${i}`);
const api = useApi({ skus: SKUS });
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);

describe('availability', () => {
  let skuIds: number[];
  beforeAll(async () => {
    const { db, directory } = api.hub;
    await directory.loadSkus(SKUS);
    skuIds = SKUS.map((sku) => directory.findSkuId(sku)!);
    await api.receive('S0', 'LON', 1);
    // Balances of every kind, also such as a loss leaves behind.
    const number = fc.integer({ min: 0, max: 40 });
    const rows = fc.sample(fc.tuple(number, number, number, number, number, number, number), {
      numRuns: SKUS.length * 2,
      seed: SEED,
    });
    const shop = directory.channels.get('shop')!.channelId;
    for (const [i, [onHand, reserved, allocated, exposed, safety, shopHas, outside]] of rows.entries()) {
      const skuId = skuIds[i >> 1]!;
      const locationId = [...directory.locations.values()][i & 1]!.locationId;
      if (i % 7 === 6) continue;
      await db.execute(
        `insert into stock_balance (sku_id, location_id, on_hand, reserved, allocated, exposed, safety_stock, outside_deducted)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (sku_id, location_id) do update set on_hand = excluded.on_hand`,
        [skuId, locationId, onHand, reserved, allocated, exposed, safety, outside % 9],
      );
      await db.execute('insert into exposure (channel_id, sku_id, location_id, quantity) values ($1, $2, $3, $4)', [
        shop,
        skuId,
        locationId,
        shopHas,
      ]);
    }
  });

  it(`says for every channel what the ledger's own rule says (seed ${SEED})`, async () => {
    const { db, directory } = api.hub;
    for (const channel of directory.channels.values()) {
      const expected = await readAtp(db, channel, skuIds, directory);
      const url = `/v1/availability?channel=${channel.code}${SKUS.map((sku) => `&sku=${sku}`).join('')}`;
      const answer = await api.call('GET', url);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      const { channel: code, asOf, items } = answer.json();
      expect(code).toBe(channel.code);
      expect(Math.abs(Date.parse(asOf) - Date.now())).toBeLessThan(60_000);
      expect(items).toEqual(SKUS.map((sku, i) => ({ sku, unit: 'each', atp: expected.get(skuIds[i]!)!.atp })));
    }
  });

  it('odd shares round as the ledger rounds', async () => {
    const { db, directory } = api.hub;
    const asks = directory.channels.get('api')!;
    for (const share of [0.1, 0.29, 1 / 3, 0.7, 0.9999]) {
      const channel = { ...asks, share, buffer: 3, cap: 20 };
      const expected = await readAtp(db, channel, skuIds, directory);
      const { places, done } = new AvailabilityLoader(db, directory, channel).load(skuIds);
      const { atp } = await done;
      expect(places.map((place) => atp[place])).toEqual(skuIds.map((id) => expected.get(id)!.atp));
    }
  });

  it('callers that come together share one query and get their own numbers', async () => {
    const { db, directory } = api.hub;
    let queries = 0;
    const counting = {
      query: (...given: Parameters<typeof db.query>) => {
        queries++;
        return db.query(...given);
      },
    } as unknown as typeof db;
    const channel = directory.channels.get('api')!;
    const loader = new AvailabilityLoader(counting, directory, channel);
    const expected = await readAtp(db, channel, skuIds, directory);
    const asked = Array.from({ length: 200 }, (_, i) => [skuIds[i % 30]!, skuIds[(i * 7) % 30]!, skuIds[i % 30]!]);
    const answers = await Promise.all(
      asked.map(async (ids) => {
        const { places, done } = loader.load(ids);
        const { atp } = await done;
        return places.map((place) => atp[place]);
      }),
    );
    expect(answers).toEqual(asked.map((ids) => ids.map((id) => expected.get(id)!.atp)));
    expect(queries).toBe(1);
  });

  it('a change that is committed is in the next answer', async () => {
    const url = '/v1/availability?channel=api&sku=S29';
    const before = (await api.call('GET', url)).json().items[0].atp;
    await api.receive('S29', 'MAN', 500);
    expect((await api.call('GET', url)).json().items[0].atp).toBeGreaterThan(before);
  });

  it('explains a number from its parts', async () => {
    await api.receive('S5', 'LON', 1_000);
    const hold = (
      await api.call(
        'POST',
        '/v1/reservations',
        { channel: 'api', sku: 'S5', quantity: 2, location: 'LON' },
        { 'idempotency-key': 'e' },
      )
    ).json();
    const explained = (await api.call('GET', '/v1/availability/s5/explain?channel=api')).json();
    const shown = (await api.call('GET', '/v1/availability?channel=api&sku=S5')).json();
    expect(explained.atp).toBe(shown.items[0].atp);
    const sum = explained.locations.reduce(
      (total: number, l: { served: boolean; free: number }) => total + (l.served ? Math.max(0, l.free) : 0),
      0,
    );
    expect(explained.atp).toBe(sum);
    expect(explained.reservations.open).toMatchObject([
      { reservationId: hold.reservationId, channel: 'api', location: 'LON', quantity: 2 },
    ]);
    expect(explained.movements[0]).toMatchObject({ kind: 'received', location: 'LON', quantity: 1_000, effect: 1_000 });
    expect(explained.rule).toMatchObject({ sells: 'asks', locations: ['LON', 'MAN'], share: 1, buffer: 0 });
    expect(explained.exposures.every((e: { channel: string }) => e.channel === 'shop')).toBe(true);
  });

  it('a past number holds what rows and facts prove, and says what they do not', async () => {
    const { db } = api.hub;
    const products = { products: [{ sku: 'PAST' }] };
    await api.call('POST', '/v1/products', products);
    await api.receive('PAST', 'LON', 10);
    await api.call(
      'POST',
      '/v1/reservations',
      { channel: 'api', sku: 'PAST', quantity: 3 },
      { 'idempotency-key': 'past' },
    );
    const order = {
      company: 'UK',
      channel: 'api',
      externalNo: 'PAST',
      account: '17850',
      currency: 'GBP',
      orderedAt: '2026-02-03T10:00:00Z',
      lines: [{ lineNo: 1, sku: 'PAST', quantity: 4, unitPrice: '1' }],
    };
    await api.call('POST', '/v1/orders', order, { 'idempotency-key': 'past' });
    const [{ at }] = (await db.execute('select crossdock_now() as at')) as [{ at: Date }];
    await new Promise((resolve) => setTimeout(resolve, 5));
    await api.receive('PAST', 'LON', 90);
    const past = (await api.call('GET', `/v1/availability/PAST/explain?channel=api&at=${at.toISOString()}`)).json();
    expect(past.locations.find((l: { location: string }) => l.location === 'LON')).toMatchObject({
      onHand: 10,
      reserved: 3,
      allocated: 4,
      exposed: 0,
    });
    expect(past.atp).toBeNull();
    expect(past.unproven.join()).toMatch(/safety stock/);
  });
});
