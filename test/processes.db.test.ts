/** Three hubs as processes of the operating system over one database, as they run in earnest: what comes more than once, and at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../sim/feeder/random.ts';
import { createApiKey } from '../src/api/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { Database } from '../src/store/index.ts';
import { findFreePort, HubProcess } from './chaos/hub-process.ts';
import { useDatabase } from './helpers/database.ts';
import { balances, violations } from './helpers/promises.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-processes-'));
const hubs: HubProcess[] = [];
let db: Database;
let key = '';

const ESTATE = {
  name: 'three',
  companies: { acme: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: {
    north: { company: 'acme', region: 'n', priority: 1 },
    south: { company: 'acme', region: 's', priority: 2 },
  },
  systems: {},
  channels: { api: { company: 'acme', sells: 'asks', locations: ['north', 'south'] } },
  routing: {},
};

beforeAll(async () => {
  const config = join(folder, 'crossdock.config.mjs');
  writeFileSync(config, `export default ${JSON.stringify(ESTATE)};`);
  for (let i = 1; i <= 3; i++) {
    const port = await findFreePort();
    // Each under a name of its own, by which the barrier knows them.
    const url = new URL(database.url);
    url.searchParams.set('application_name', `hub${i}`);
    hubs.push(new HubProcess({ name: `hub${i}`, port, dir: folder, env: { DATABASE_URL: url.href }, config }));
    hubs.at(-1)!.start();
  }
  await Promise.all(hubs.map((hub) => hub.ready));
  db = new Database({ url: database.url, poolMax: 2, applicationName: 'judge' });
  ({ key } = await createApiKey(db, { name: 'test', scopes: ['read', 'write', 'operate'] }));
});
afterAll(async () => {
  await Promise.all(hubs.map((hub) => hub.stop()));
  await db?.end();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  status: number;
  replayed: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: answers are asserted, not typed
  body: any;
}

async function post(hub: HubProcess, path: string, body: unknown, idempotencyKey?: string): Promise<Answer> {
  const response = await fetch(`${hub.url}/v1/${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
    },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    replayed: response.headers.get('idempotent-replayed') === 'true',
    body: await response.json(),
  };
}

/**
 * Nobody may write a key while `send` sends; when every process stands at the barrier, it is lifted.
 * @returns the answers, and how many processes waited
 */
async function atOnce<T>(send: () => Promise<T>[]): Promise<{ answers: T[]; waiting: number }> {
  const keeper = await database.pool.connect();
  try {
    await keeper.query('begin');
    await keeper.query('lock table inbound in exclusive mode');
    const sent = send();
    let waiting = 0;
    for (const until = Date.now() + 20_000; waiting < hubs.length && Date.now() < until; ) {
      const { rows } = await database.pool.query(
        `select count(distinct application_name)::int as n from pg_stat_activity
          where datname = current_database() and application_name = any($1) and wait_event_type = 'Lock'`,
        [hubs.map((hub) => hub.name)],
      );
      waiting = rows[0].n;
    }
    await keeper.query('commit');
    return { answers: await Promise.all(sent), waiting };
  } finally {
    keeper.release();
  }
}

const at = '2026-03-02T10:00:00Z';

describe('three hub processes', () => {
  it('given each order, receipt and reservation one to five times at once give it one effect and one answer', async () => {
    const seed = Number(process.env.SEED ?? 20_260_302);
    const [first] = hubs as [HubProcess];
    expect((await post(first, 'products', { products: [{ sku: 'X' }, { sku: 'Y' }, { sku: 'Z' }] })).status).toBe(200);
    expect((await post(first, 'accounts', { accounts: [{ account: 'A1', company: 'acme' }] })).status).toBe(200);
    const stock = (id: string, sku: string, quantity: number) => ({
      movements: [{ id, sku, location: 'north', quantity, type: 'received', occurredAt: at }],
    });
    await post(first, 'stock-movements', {
      movements: [...stock('x', 'X', 70).movements, ...stock('z', 'Z', 25).movements],
    });

    const copies = (kind: string, i: number) => 1 + seeded(seed, `${kind}/${i}`, 5);
    const order = (i: number) => ({
      company: 'acme',
      channel: 'api',
      externalNo: `dup-${i}`,
      account: 'A1',
      currency: 'GBP',
      orderedAt: at,
      lines: [{ lineNo: 1, sku: 'X', quantity: 1 + (i % 3), unitPrice: '1.00' }],
    });
    const calls: { name: string; send: (hub: HubProcess) => Promise<Answer> }[] = [];
    for (let i = 0; i < 60; i++)
      calls.push({ name: `order ${i}`, send: (hub) => post(hub, 'orders', order(i), `order-${i}`) });
    for (let i = 0; i < 30; i++) {
      calls.push({ name: `receipt ${i}`, send: (hub) => post(hub, 'stock-movements', stock(`in-${i}`, 'Y', 1 + i)) });
      const hold = { channel: 'api', sku: 'Z', quantity: 1 };
      calls.push({ name: `hold ${i}`, send: (hub) => post(hub, 'reservations', hold, `hold-${i}`) });
    }
    const { answers, waiting } = await atOnce(() =>
      calls.flatMap(({ name, send }, i) =>
        Array.from({ length: copies(name, i) }, (_, copy) =>
          send(hubs[(i + copy) % 3]!).then((answer) => ({ name, answer })),
        ),
      ),
    );
    expect(waiting).toBe(3);
    expect(answers.length).toBeGreaterThan(2 * calls.length);

    const of = (name: string) => answers.filter((one) => one.name === name).map((one) => one.answer);
    const orderIds = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const mine = of(`order ${i}`);
      expect(
        mine.map((answer) => answer.status),
        `seed ${seed}`,
      ).toEqual(mine.map(() => 201));
      // The first answer, also to who came second: the same number and the same decision.
      expect(mine.filter((answer) => !answer.replayed)).toHaveLength(1);
      for (const answer of mine) expect(answer.body).toEqual(mine[0]!.body);
      orderIds.add(mine[0]!.body.orderId);
    }
    expect(orderIds.size).toBe(60);
    for (let i = 0; i < 30; i++) {
      const outcomes = of(`receipt ${i}`).map((answer) => answer.body.results[0].outcome);
      expect(outcomes.filter((outcome) => outcome === 'applied')).toHaveLength(1);
    }
    // 30 ask for one of 25: a refusal leaves no key, so who was refused once may be served by his copy, never the other way round.
    const holds = Array.from({ length: 30 }, (_, i) => of(`hold ${i}`).filter((answer) => answer.status === 201));
    for (const held of holds)
      expect(new Set(held.map((answer) => answer.body.reservationId)).size).toBeLessThanOrEqual(1);
    expect(holds.filter((held) => held.length > 0)).toHaveLength(25);

    const { rows } = await database.pool.query(
      `select (select count(*)::int from sales_order) as orders,
              (select count(*)::int from fact where type = 'order.accepted') as accepted,
              (select count(*)::int from inbound where scope = 'order/api') as keys,
              (select sum(allocated)::int from order_line) as allocated, (select sum(backordered)::int from order_line) as waiting`,
    );
    // 20 × (1 + 2 + 3) units asked for, 70 there.
    expect(rows).toEqual([{ orders: 60, accepted: 60, keys: 60, allocated: 70, waiting: 50 }]);
    expect(await balances(database.pool, 'X')).toEqual(['north 70/0/70/0']);
    expect(await balances(database.pool, 'Y')).toEqual([`north ${(30 * 31) / 2}/0/0/0`]);
    expect(await balances(database.pool, 'Z')).toEqual(['north 25/25/0/0']);
    expect(await violations(database.pool)).toEqual({});
    const promises = Object.entries(await checkPromises(db));
    expect(promises.filter(([, promise]) => !promise.holds)).toEqual([]);
  }, 60_000);

  it('refuse another content of a key whichever of them got the first', async () => {
    const body = { company: 'acme', channel: 'api', externalNo: 'con', account: 'A1', currency: 'GBP', orderedAt: at };
    const line = { lineNo: 1, sku: 'Y', unitPrice: '1.00' };
    const { answers, waiting } = await atOnce(() =>
      hubs.map((hub, i) => post(hub, 'orders', { ...body, lines: [{ ...line, quantity: 1 + i }] }, 'con')),
    );
    expect(waiting).toBe(3);
    const won = answers.filter((answer) => answer.status === 201);
    const lost = answers.filter((answer) => answer.status !== 201);
    expect([won.length, lost.length]).toEqual([1, 2]);
    for (const answer of lost)
      expect([answer.status, answer.body]).toMatchObject([
        422,
        { code: 'XD_KEY_CONFLICT', place: 'lines[0].quantity' },
      ]);
  });
});
