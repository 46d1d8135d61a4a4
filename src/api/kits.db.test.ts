import { beforeAll, expect, it } from 'vitest';
import { putKits } from '../master/index.ts';
import { testEstate, useApi } from './testing/hub.ts';

const channels = { ...testEstate.channels, api: { ...testEstate.channels.api, cap: 12 } };
const api = useApi({ skus: ['KIT', 'BIG', 'A', 'B'], estate: { ...testEstate, channels } });
const get = async (path: string) => (await api.call('GET', path)).json();
const numbers = async (channel: string) =>
  Object.fromEntries(
    (await get(`/v1/availability?channel=${channel}&sku=KIT&sku=A&sku=BIG&sku=B`)).items.map(
      ({ sku, atp }: { sku: string; atp: number }) => [sku, atp],
    ),
  );

beforeAll(async () => {
  await putKits(api.hub.db, [
    { sku: 'KIT', kit: [{ sku: 'A', quantity: 1 }, { sku: 'B', quantity: 2 }] }, // biome-ignore format: a kit a row
    { sku: 'BIG', kit: [{ sku: 'KIT', quantity: 3 }] },
  ]);
  await api.receive('A', 'LON', 8);
  await api.receive('B', 'MAN', 30);
});

it('a kit’s number is the least over what it is made of, with the channel’s limits, and moves with it', async () => {
  // 30 of B are capped at 12: enough for 6.
  expect(await numbers('api')).toEqual({ KIT: 6, A: 8, BIG: 2, B: 12 });
  expect(await numbers('planned')).toEqual({ KIT: 3, A: 3, BIG: 1, B: 14 });
  expect(await numbers('strict')).toEqual({ KIT: 0, A: 5, BIG: 0, B: 0 });
  await api.receive('B', 'LON', 3);
  expect(await numbers('strict')).toEqual({ KIT: 1, A: 5, BIG: 0, B: 2 });
});

it('explained, it says which component allows for no more', async () => {
  const of = await get('/v1/availability/KIT/explain?channel=api');
  expect(of).toMatchObject({
    atp: 6,
    kit: {
      components: [
        { sku: 'A', quantity: 1, atp: 8, kits: 8, limits: false },
        { sku: 'B', quantity: 2, atp: 12, kits: 6, limits: true },
      ],
    },
  });
  expect((await get('/v1/availability/A/explain?channel=api')).kit).toBeNull();
});

it('an order of kits is answered in kits, the same again from its rows, and shown in kits', async () => {
  const lines = [{ lineNo: 1, sku: 'KIT', quantity: 8, unitPrice: '10.00' }];
  const body = {
    ...{ company: 'UK', channel: 'api', externalNo: 'K1', account: '17850', currency: 'GBP' },
    ...{ orderedAt: '2026-02-03T10:00:00Z', lines },
  };
  const placed = (await api.order(body)).json();
  expect(placed).toMatchObject({
    totalMinor: 8000,
    lines: [
      { lineNo: 1, sku: 'KIT', decision: 'partly_allocated', kits: 6, backordered: 2, refused: 0, allocated: [] },
      { sku: 'A', quantity: 8, standsFor: 1, perUnit: 1, decision: 'partly_allocated', backordered: 2 },
      { sku: 'B', quantity: 16, standsFor: 1, perUnit: 2, backordered: 4 },
    ],
  });
  await api.hub.db.execute(`delete from fact where stream = $1`, [`order/${placed.orderId}`]);
  const again = await api.order(body);
  expect(again.headers['idempotent-replayed']).toBe('true');
  expect(again.json().lines).toEqual(placed.lines);
  expect((await api.order({ ...body, lines: [{ ...lines[0]!, quantity: 9 }] } as never)).json()).toMatchObject({
    ...{ code: 'XD_KEY_CONFLICT', place: 'lines[0].quantity', before: 8, given: 9 },
  });
  const shown = await get(`/v1/orders/${placed.orderId}`);
  expect(shown.lines[0]).toMatchObject({
    ...{ sku: 'KIT', quantity: 8, kit: { accepted: 8, allocated: 6, backordered: 2, shipped: 0, cancelled: 0 } },
  });
  expect(shown.lines[1]).toMatchObject({ sku: 'A', standsFor: 1, perUnit: 1, kit: null });
});

it('what a question would be promised is said in kits', async () => {
  await api.receive('A', 'LON', 4);
  const asked = { channel: 'api', lines: [{ sku: 'KIT', quantity: 3 }, { sku: 'A', quantity: 1 }] }; // biome-ignore format: one question
  const { lines } = (await api.call('POST', '/v1/promises/check', asked)).json();
  expect(lines.map(({ sku }: { sku: string }) => sku)).toEqual(['KIT', 'A']);
  for (const { quantity, promised, refused } of lines) {
    expect(refused).toBe(0);
    expect(promised.reduce((sum: number, part: { quantity: number }) => sum + part.quantity, 0)).toBe(quantity);
  }
});

it('stock of a kit itself is nobody’s: it is not booked', async () => {
  const book = async (path: string, body: object) => (await api.call('POST', path, body)).json().results;
  const movement = { id: 'm1', type: 'received', location: 'LON', quantity: 5, occurredAt: '2026-02-03T10:00:00Z' };
  const wrong = { status: 422, detail: expect.stringContaining('is a kit and has no stock of its own') };
  expect(
    await book('/v1/stock-movements', { movements: [{ ...movement, sku: 'KIT' }, { ...movement, id: 'm2', sku: 'A' }] }),
  ).toMatchObject([wrong, { status: 201 }]); // biome-ignore format: two rows
  const count = (id: string, quantity: number) => ({
    id,
    sku: 'BIG',
    location: 'LON',
    quantity,
    countedAt: '2026-02-03T11:00:00Z',
  });
  expect(await book('/v1/stock-counts', { counts: [count('c1', 2), count('c2', 0)] })).toMatchObject([
    wrong,
    { status: 201 },
  ]);
  const supply = {
    id: 's1',
    sku: 'KIT',
    location: 'LON',
    quantity: 5,
    dueAt: '2026-03-01T00:00:00Z',
    announcedAt: '2026-02-01T00:00:00Z',
  };
  expect(await book('/v1/supplies', { supplies: [supply] })).toMatchObject([wrong]);
  expect(
    (
      await api.hub.db.query({
        name: 't',
        text: `select coalesce(sum(on_hand), 0)::int as n from stock_balance b join sku s using (sku_id) where s.code in ('KIT', 'BIG')`,
      } as never)
    )[0],
  ).toEqual({ n: 0 });
});
