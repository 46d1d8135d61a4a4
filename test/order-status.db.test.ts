/** What systems are told of an order: all of it once, then what changed, and all of it again when they lack what it builds on. */
import { afterEach, expect, it } from 'vitest';
import { mayStart, type OrderStatusState, type StateItem, type StateSink } from '../src/connectors/kit/index.ts';
import { planNext } from '../src/outbound/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { cancel, moved, order, routing, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let system: { orderStatus: StateSink };

afterEach(async () => {
  await hub.close();
  await database.pool.query(`update lease set expires_at = '-infinity'; delete from publication`);
});

/** A CRM that keeps the lines it was told of, by version. */
class Crm {
  readonly told: { version: number; base: number; lines: number[] }[] = [];
  readonly lines = new Map<number, OrderStatusState['lines'][number]>();
  version = 0;

  write(item: StateItem) {
    const { lines } = item.state as OrderStatusState;
    this.told.push({ version: item.version, base: item.base, lines: lines.map((line) => line.lineNo) });
    if (item.base > this.version) return { outcome: 'conflict' as const };
    if (item.base === 0) this.lines.clear();
    for (const line of lines) this.lines.set(line.lineNo, line);
    this.version = item.version;
    return { outcome: 'confirmed' as const };
  }
}

async function open(takesChanges: boolean): Promise<Crm> {
  const crm = new Crm();
  system = {
    orderStatus: {
      batchMax: 10,
      takesChanges,
      write: async (items) => items.map((item) => crm.write(item)),
      readBack: async (keys) => new Map(keys.map((key) => [key, crm.version])),
    },
  };
  hub = await SmallHub.open({
    url: database.url,
    connectors: { crm: Object.assign(new MemorySystem('crm', []), system) },
  });
  return crm;
}

async function change(no: string, lineNo: number, reference: string): Promise<void> {
  await hub.receive('api', [cancel('api', no, lineNo, 1, reference)]);
  await hub.plan();
  await hub.publishers.get('crm')!.stateRound();
}

async function accept(no: string, skus: [string, string]): Promise<void> {
  await hub.seed(skus);
  await hub.receive(
    'wms',
    skus.map((sku) => moved(`in-${sku}`, sku, 'north', 9)),
  );
  await hub.receive('api', [
    order(
      'api',
      no,
      skus.map((sku) => ({ sku, quantity: 3 })),
    ),
  ]);
  await hub.plan();
  await hub.publishers.get('crm')!.stateRound();
}

it('is told whole, and then only the lines that changed, each time on top of what is confirmed', async () => {
  const crm = await open(true);
  await accept('T1', ['T1A', 'T1B']);
  await change('T1', 2, 'T1-a');
  await change('T1', 1, 'T1-b');
  expect(crm.told.map(({ base, lines }) => [base === 0, lines])).toEqual([
    [true, [1, 2]],
    [false, [2]],
    [false, [1]],
  ]);
  expect(crm.told.slice(1).map(({ base }) => base)).toEqual(crm.told.slice(0, 2).map(({ version }) => version));
  expect([...crm.lines.values()].map(({ lineNo, cancelled }) => [lineNo, cancelled])).toEqual([
    [1, 1],
    [2, 1],
  ]);
});

it('is told whole again by a system that lost what the change builds on, in the same round', async () => {
  const crm = await open(true);
  await accept('T2', ['T2A', 'T2B']);
  await change('T2', 1, 'T2-a');
  // Restored from a backup of yesterday.
  crm.version = 0;
  crm.lines.clear();
  await change('T2', 2, 'T2-b');
  expect(crm.told.slice(2).map(({ base, lines }) => [base === 0, lines])).toEqual([
    [false, [2]],
    [true, [1, 2]],
  ]);
  expect([...crm.lines.values()].map((line) => line.cancelled)).toEqual([1, 1]);
  expect(hub.errors).toEqual([]);
});

it('is always told whole to a system that does not take changes', async () => {
  const crm = await open(false);
  await accept('T3', ['T3A', 'T3B']);
  await change('T3', 2, 'T3-a');
  expect(crm.told.map(({ base, lines }) => [base, lines])).toEqual([
    [0, [1, 2]],
    [0, [1, 2]],
  ]);
});

it('may not leave any more once its lease is gone, however late the connector comes to its first byte', async () => {
  const crm = await open(true);
  const allowed: boolean[] = [];
  system.orderStatus.write = async (items, signal) => {
    allowed.push(mayStart(signal));
    await hub.leases.stop();
    allowed.push(mayStart(signal));
    return items.map(() => ({ outcome: 'later' as const, error: 'may not start' }));
  };
  await accept('T4', ['T4A', 'T4B']);
  expect([allowed, crm.told]).toEqual([[true, false], []]);
});

it('is told once of an order that went on before it was planned: what is planned then was said already', async () => {
  const crm = await open(true);
  await accept('T5', ['T5A', 'T5B']);
  crm.told.length = 0;
  // Three changes, of which the plan has come to the first when the order is told.
  for (const [i, reference] of ['T5-a', 'T5-b', 'T5-c'].entries())
    await hub.receive('api', [cancel('api', 'T5', 1 + (i % 2), 1, reference)]);
  await hub.plan(1);
  await database.pool.query(
    `update publication p set version = f.stream_version from fact f
      where f.stream = 'order/' || p.key and f.data->>'reference' = 'T5-a'`,
  );
  await hub.publishers.get('crm')!.stateRound();
  await hub.plan();
  await hub.publishers.get('crm')!.stateRound();
  const { rows } = await database.pool.query<{ version: number; told: number; confirmed: number }>(
    `select o.version, p.version as told, confirmed_version as confirmed from publication p join sales_order o on o.order_id = p.key
      where p.kind = 'order_status'`,
  );
  expect(crm.told.map(({ version }) => version)).toEqual([rows[0]!.version]);
  expect(rows[0]).toEqual({ version: rows[0]!.version, told: rows[0]!.version, confirmed: rows[0]!.version });
  expect([...crm.lines.values()].map(({ lineNo, cancelled }) => [lineNo, cancelled])).toEqual([
    [1, 2],
    [2, 1],
  ]);
});

it('is not told while it may change again, from its oldest change on', async () => {
  const crm = await open(true);
  await accept('T6', ['T6A', 'T6B']);
  await hub.receive('api', [cancel('api', 'T6', 1, 1, 'T6-a')]);
  await hub.plan();
  const publisher = hub.publishers.get('crm')!;
  expect([await publisher.stateRound({ order_status: 60_000, price: 0 }), crm.told.length]).toEqual([0, 1]);
  // A change that comes later does not make it wait longer.
  await database.pool.query(`update publication set changed_at = changed_at - interval '61 seconds'`);
  await hub.receive('api', [cancel('api', 'T6', 2, 1, 'T6-b')]);
  await hub.plan();
  expect([await publisher.stateRound({ order_status: 60_000, price: 0 }), crm.told.length]).toEqual([1, 2]);
  expect([...crm.lines.values()].map(({ cancelled }) => cancelled)).toEqual([1, 1]);
});

it('of a system that keeps no version is what it shows: a lie is told again, and what arrived after all is not', async () => {
  /** What it shows of each order, and what happens to the next writes. */
  const shown = new Map<string, string>();
  const fates: ('ok' | 'lied' | 'silent')[] = ['lied', 'silent'];
  const looks: number[] = [];
  let writes = 0;
  const show = (item: StateItem) => shown.set(item.key, JSON.stringify((item.state as OrderStatusState).lines));
  system = {
    orderStatus: {
      batchMax: 10,
      write: async (items) =>
        items.map((item) => {
          writes++;
          const fate = fates.shift() ?? 'ok';
          if (fate !== 'lied') show(item);
          return fate === 'silent'
            ? { outcome: 'in_doubt' as const, error: 'the connection was cut' }
            : { outcome: 'confirmed' as const };
        }),
      readBack: () => Promise.reject(new Error('it keeps no version')),
      holds: async (items) => {
        looks.push(items.length);
        return new Set(
          items
            .filter((item) => shown.get(item.key) === JSON.stringify((item.state as OrderStatusState).lines))
            .map((item) => item.key),
        );
      },
    },
  };
  const crm = Object.assign(new MemorySystem('crm', [], 'read_back'), system);
  hub = await SmallHub.open({ url: database.url, connectors: { crm } });
  await accept('T7', ['T7A', 'T7B']);
  const state = async () =>
    (
      await database.pool.query<{ state: string; told: boolean }>(
        `select state::text, confirmed_version = version as told from publication where kind = 'order_status'`,
      )
    ).rows[0];
  expect(await state()).toEqual({ state: 'd', told: false });
  const round = () => hub.publishers.get('crm')!.stateRound();
  // Not there: it is sent again, without an answer; then it is there.
  await round();
  expect(await state()).toEqual({ state: 'n', told: false });
  await round();
  expect([await state(), writes]).toEqual([{ state: 'd', told: false }, 2]);
  await round();
  expect([await state(), writes, looks]).toEqual([{ state: 'n', told: true }, 2, [1, 1, 1]]);
  expect(hub.errors).toEqual([]);
});

it('is marked for nobody who can’t be told it', async () => {
  await open(true);
  await hub.seed(['T8A']);
  await hub.receive('api', [order('api', 'T8', [{ sku: 'T8A', quantity: 1 }])]);
  const asked: string[] = [];
  const tells = (system: string, kind: string) => {
    asked.push(`${kind} ${system}`);
    return kind !== 'order_status';
  };
  const deps = { db: hub.db, directory: hub.directory, routing, tells };
  await expect.poll(() => planNext(deps), { timeout: 20_000 }).toBeGreaterThan(0);
  const { rows } = await database.pool.query(
    `select from publication p join sales_order o on o.order_id = p.key where kind = 'order_status' and external_no = 'T8'`,
  );
  expect([rows.length, asked.includes('order_status crm')]).toEqual([0, true]);
});
