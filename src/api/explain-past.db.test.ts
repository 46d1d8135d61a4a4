import { expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi({ skus: ['P', 'Q'] });

const post = (url: string, body: unknown, key: string) => api.call('POST', url, body, { 'idempotency-key': key });
let steps = 0;

/** A moment that everything before it is recorded at, and nothing after it. */
async function now(): Promise<string> {
  const [row] = await api.hub.db.execute('select crossdock_now() as at');
  await new Promise((resolve) => setTimeout(resolve, 3));
  return (row!.at as Date).toISOString();
}
async function at(sku: string, moment: string) {
  const url = `/v1/availability/${sku}/explain?channel=api&at=${moment}`;
  const past = (await api.call('GET', url)).json();
  const place = past.locations.find((l: { location: string }) => l.location === 'LON');
  return { ...past, place: [place.onHand, place.reserved, place.allocated, place.exposed] };
}
const reserve = async (sku: string, quantity: number) =>
  (await post('/v1/reservations', { channel: 'api', sku, quantity }, `r${++steps}`)).json().reservationId as string;
const order = (no: string, sku: string, quantity: number, reservations: string[] = []) =>
  api.order({
    company: 'UK',
    channel: 'api',
    externalNo: no,
    account: '17850',
    currency: 'GBP',
    orderedAt: '2026-02-03T10:00:00Z',
    lines: [{ lineNo: 1, sku, quantity, unitPrice: '1' }],
    reservations,
  } as { externalNo: string });

it('on hand, reserved and allocated of each moment are what they were, whatever became of them', async () => {
  const told: [string, unknown[]][] = [];
  const note = async (...place: unknown[]) => told.push([await now(), place]);
  await note(0, 0, 0, 0);
  await api.receive('P', 'LON', 20);
  await note(20, 0, 0, 0);
  const [claimed, released, under] = [await reserve('P', 5), await reserve('P', 3), await reserve('P', 4)];
  await note(20, 12, 0, 0);
  await order('P1', 'P', 6, [claimed]);
  await note(20, 7, 6, 0);
  await api.call('DELETE', `/v1/reservations/${released}`);
  await note(20, 4, 6, 0);
  const movement = { id: 'off', type: 'adjusted', sku: 'P', location: 'LON', quantity: -3, reservation: under };
  const written = await api.call('POST', '/v1/stock-movements', {
    movements: [{ ...movement, occurredAt: '2026-03-02T17:00:00Z' }],
  });
  expect(written.json().results).toMatchObject([{ status: 201 }]);
  await note(17, 1, 6, 0);
  await post('/v1/orders/1/cancel', { reference: 'c', lines: [{ lineNo: 1, quantity: 2 }] }, 'c');
  await note(17, 1, 4, 0);
  for (const [moment, place] of told.slice(1)) expect([moment, (await at('P', moment)).place]).toEqual([moment, place]);
  const rows = await api.hub.db.execute('select on_hand, reserved, allocated from stock_balance where on_hand = 17');
  expect(rows).toEqual([{ on_hand: 17, reserved: 1, allocated: 4 }]);
});

it('what is not proven is said, input by input', async () => {
  const moment = await now();
  expect((await at('P', moment)).unproven).toEqual([
    expect.stringMatching(/^safety stock: /),
    expect.stringMatching(/^atp: /),
  ]);
  await api.hub.db.execute(
    `insert into channel_number (channel_id, sku_id, shown) select c.channel_id, s.sku_id, 0 from channel c, sku s where c.code = 'shop' and s.code = 'P'`,
  );
  const numbered = await at('P', moment);
  expect(numbered.place).toEqual([17, 1, 4, null]);
  expect(numbered.unproven).toContainEqual(expect.stringMatching(/^exposed: /));
  await api.hub.db.execute(`update partitioned_table set kept_since = crossdock_now() where table_name = 'fact'`);
  const forgotten = await at('P', moment);
  expect(forgotten.place).toEqual([17, null, null, null]);
  expect(forgotten.unproven).toContainEqual(expect.stringMatching(/^reserved, allocated: facts before .* are gone/));
});
