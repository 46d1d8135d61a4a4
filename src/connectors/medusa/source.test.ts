import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem, manualClock } from '../kit/testing.ts';
import recorded from './fixtures/orders.json' with { type: 'json' };
import { medusa } from './index.ts';
import { MAKING_MS } from './source.ts';

const signal = new AbortController().signal;
const settings = { company: 'main', account: 'WALK-IN', locations: { EAST: 'sloc_1' } };
let system: FakeSystem;
let shop: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  shop = medusa(contextFor(system.url, { settings }));
});
afterEach(async () => {
  await shop.close();
  await system.close();
});

/** The shop's own list: sorts by one field, everything of one moment in any order. */
function list(orders: { id: string; updated_at: string }[]) {
  system.answer((call) => {
    const { query } = call;
    const from = query['updated_at[$gte]'] ?? '';
    const to = query['updated_at[$lt]'] ?? '9';
    const found = orders
      .filter((o) => o.updated_at >= from && o.updated_at < to && o.id > (query['id[$gt]'] ?? ''))
      .sort((a, b) =>
        query.order === 'id'
          ? a.id < b.id
            ? -1
            : 1
          : a.updated_at < b.updated_at
            ? -1
            : a.updated_at > b.updated_at
              ? 1
              : a.id > b.id
                ? -1
                : 1,
      );
    return { json: { orders: found.slice(0, Number(query.limit)) } };
  });
}

async function readAll(cursor = ''): Promise<{ keys: string[]; cursor: string }> {
  const keys: string[] = [];
  for (;;) {
    const page = await shop.sources[0]!.poll(cursor, signal);
    keys.push(...page.items.map(({ key }) => key));
    cursor = page.cursor;
    if (page.drained) return { keys, cursor };
  }
}

const order = (n: number, at: string) => ({
  ...recorded.page.orders[0]!,
  id: `order_${String(1000 - n)}`,
  display_id: n,
  updated_at: at,
});

it.each([
  ['all of one moment', (_n: number) => '2026-11-23T10:00:00.000Z'],
  ['a moment across each page end', (n: number) => `2026-11-23T10:00:0${Math.floor(n / 45)}.000Z`],
  ['each at its own', (n: number) => `2026-11-23T10:0${Math.floor(n / 60)}:${String(n % 60).padStart(2, '0')}.000Z`],
])('170 orders, %s, are each read once', async (_name, at) => {
  const orders = Array.from({ length: 170 }, (_, n) => order(n, at(n)));
  list(orders);
  const { keys, cursor } = await readAll();
  expect(keys.map(Number).sort((a, b) => a - b)).toEqual(orders.map(({ display_id }) => display_id));
  expect((await readAll(cursor)).keys).toEqual([]);
  list([...orders, order(900, '2026-11-23T10:05:00.000Z')]);
  expect((await readAll(cursor)).keys).toEqual(['900']);
});

it('an order whose changes can’t be read is not skipped', async () => {
  system.answer(
    { json: { orders: [{ ...order(1, '2026-11-23T10:00:00.000Z'), version: 2 }] } },
    { text: '<html>busy</html>', status: 200 },
  );
  await expect(shop.sources[0]!.poll('', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
});

it('an order whose checkout is not over yet is not read, and the feed is not at its end', async () => {
  const now = new Date().toISOString();
  const old = new Date(Date.now() - 2 * MAKING_MS).toISOString();
  const before = { ...order(1, '2026-11-23T10:00:00.000Z'), created_at: old, payment_status: 'not_paid' };
  const making = { ...order(2, '2026-11-23T10:00:01.000Z'), created_at: now, payment_status: 'not_paid' };
  const after = { ...order(3, '2026-11-23T10:00:02.000Z'), created_at: now, payment_status: 'authorized' };
  list([before, making, after]);
  const first = await shop.sources[0]!.poll('', signal);
  expect(first).toMatchObject({ drained: false, items: [{ key: '1' }] });
  const second = await shop.sources[0]!.poll(first.cursor, signal);
  expect(second).toMatchObject({ drained: false, items: [], cursor: first.cursor });
  // Its payment failed, and the shop threw it away.
  list([before, after]);
  expect((await readAll(second.cursor)).keys).toEqual(['3']);
  list([before, { ...making, payment_status: 'authorized' }, after]);
  expect((await readAll(second.cursor)).keys).toContain('2');
});

it('a shop whose clock is ahead holds its orders back no longer than others', async () => {
  const clock = manualClock();
  const ahead = medusa({ ...contextFor(system.url, { settings }), clock });
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const unpaid = { ...order(1, at), created_at: at, payment_status: 'not_paid' };
  list([unpaid]);
  const first = await ahead.sources[0]!.poll('', signal);
  expect(first).toMatchObject({ drained: false, items: [] });
  await clock.advance(MAKING_MS);
  expect(await ahead.sources[0]!.poll(first.cursor, signal)).toMatchObject({ drained: true, items: [{ key: '1' }] });
  await ahead.close();
});
