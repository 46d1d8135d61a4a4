/**
 * Tests of the tests: each seeded bug is run through the same scenario as the code, and the check that must catch it is asked
 * both times: clean without the bug, caught with it. README.md lists which test catches which.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { StockSession } from '../src/ledger/index.ts';
import { appendFacts, readNext } from '../src/log/index.ts';
import { Database } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { EarlyDatabase, PatchedDatabase } from './helpers/patched-database.ts';
import { violations } from './helpers/promises.ts';
import { cancel, dueNow, memorySystems, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
const hubs: SmallHub[] = [];
let n = 0;

afterEach(async () => {
  for (const hub of hubs.splice(0)) await hub.close();
  await database.pool.query(
    `update lease set expires_at = '-infinity'; delete from publication; delete from delivery; delete from feed_cursor`,
  );
});

async function open(options: Partial<Parameters<typeof SmallHub.open>[0]> = {}): Promise<SmallHub> {
  const hub = await SmallHub.open({ url: database.url, ...options });
  hubs.push(hub);
  return hub;
}
const healthy = () => new Database({ url: database.url, poolMax: 6 });
const patched = (name: string, patch: (text: string) => string) => () =>
  new PatchedDatabase({ url: database.url, poolMax: 6 }, { [name]: patch });

describe('no dedupe', () => {
  const bug = patched(
    'ingest_insert_keys',
    (text) => `with kept as (${text}) select scope, key from unnest($1::text[], $2::text[]) as t(scope, key)`,
  );

  /** @returns units booked for one receipt of 7 that came five times */
  async function booked(db: Database): Promise<number> {
    const hub = await open({ db });
    const sku = `D${++n}`;
    await hub.seed([sku]);
    for (let copy = 0; copy < 5; copy++) await hub.receive('wms', [moved(`once-${n}`, sku, 'north', 7)]);
    const { rows } = await database.pool.query('select on_hand from stock_balance where sku_id = $1', [hub.sku(sku)]);
    return rows[0].on_hand;
  }

  it('is caught by exactly one effect per business key', async () => {
    expect(await booked(healthy())).toBe(7);
    expect(await booked(bug())).toBe(35);
  });
});

describe('no lock order', () => {
  // Rows are locked as they were asked for.
  const bug = patched('ledger_lock_balances', (text) =>
    text
      .replace(
        'join unnest($1::bigint[], $2::int[]) as t(sku_id, location_id) using (sku_id, location_id)',
        'join (select * from unnest($1::bigint[], $2::int[]) with ordinality as u(sku_id, location_id, n) order by n) as t using (sku_id, location_id)',
      )
      .replace('order by b.sku_id, b.location_id', 'order by t.n'),
  );

  /** @returns deadlocks that two processes met which asked for the same balances in opposite orders */
  async function deadlocks(db: Database): Promise<number> {
    const hub = await open({ db });
    let met = 0;
    const skus = Array.from({ length: 300 }, (_, i) => 50_000 + i);
    await database.pool.query(
      'insert into stock_balance (sku_id, location_id) select i, 1 from generate_series(50000, 50299) as i on conflict do nothing',
    );
    // Somebody holds the row in the middle until both have locked towards it and wait: whoever gets it then wants what the
    // other has.
    const keeper = await database.pool.connect();
    await keeper.query('begin');
    await keeper.query('select from stock_balance where sku_id = 50150 and location_id = 1 for update');
    const session = (list: number[]) =>
      hub.db.transaction(async (tx) => {
        await StockSession.open(
          tx,
          hub.ids,
          list.map((sku) => [sku, 1] as const),
        ).catch((error) => {
          if (error.code === '40P01') met++;
          throw error;
        });
      });
    const both = Promise.all([session(skus), session([...skus].reverse())]);
    for (let waiting = 0; waiting < 2; ) {
      const { rows } = await database.pool.query(
        "select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      );
      waiting = rows[0].n;
    }
    await keeper.query('commit');
    keeper.release();
    await both;
    return met;
  }

  it('is caught by processes that ask in opposite orders', async () => {
    expect(await deadlocks(healthy())).toBe(0);
    expect(await deadlocks(bug())).toBeGreaterThan(0);
  }, 60_000);
});

describe('an answer before the commit', () => {
  /** @returns acknowledged keys that are not on disk */
  async function lost(db: Database): Promise<number> {
    const keeper = await open();
    const sku = `E${++n}`;
    await keeper.seed([sku]);
    const hub = await open({ db });
    await hub.directory.loadSkus([sku]);
    const keys = Array.from({ length: 20 }, (_, i) => `early-${n}-${i}`);
    const results = await Promise.all(keys.map((key) => hub.receive('wms', [moved(key, sku, 'north', 1)])));
    const acknowledged = keys.filter((_, i) => results[i]![0]!.status === 'applied');
    expect(acknowledged).toHaveLength(20);
    const { rows } = await database.pool.query('select count(*)::int as n from inbound where key = any($1)', [
      acknowledged,
    ]);
    return acknowledged.length - rows[0].n;
  }

  it('is caught by comparing what was acknowledged with what is on disk', async () => {
    expect(await lost(healthy())).toBe(0);
    expect(await lost(new EarlyDatabase({ url: database.url, poolMax: 6 }))).toBe(20);
  });
});

describe('no xmin bound', () => {
  const bug = patched('log_read_facts', (text) =>
    text.replace('pg_snapshot_xmin(pg_current_snapshot())', "'18446744073709551615'::xid8"),
  );

  /** @returns which of a slow and a quick transaction's facts a reader saw that looked in between and after */
  async function seen(db: Database): Promise<string[]> {
    const hub = await open({ db });
    const consumer = `xmin-${++n}`;
    const fact = (stream: string) => ({
      type: 'test.noted',
      stream,
      version: 1,
      companyId: 0,
      occurredAt: '2026-03-02T10:00:00.000Z',
      data: {},
    });
    const found: string[] = [];
    const look = async () => {
      const { facts } = await hub.db.transaction((tx) => readNext(tx, consumer));
      found.push(...facts.map((f) => f.stream).filter((stream) => stream.startsWith(`${consumer}/`)));
      return facts.length;
    };
    while ((await look()) > 0);
    let written = () => {};
    let commit = () => {};
    const isWritten = new Promise<void>((resolve) => {
      written = resolve;
    });
    const mayCommit = new Promise<void>((resolve) => {
      commit = resolve;
    });
    const slow = hub.db.transaction(async (tx) => {
      await appendFacts(tx, [fact(`${consumer}/slow`)]);
      written();
      await mayCommit;
    });
    await isWritten;
    await hub.db.transaction((tx) => appendFacts(tx, [fact(`${consumer}/quick`)]));
    await look();
    commit();
    await slow;
    // Other files' transactions may hold the reader back for a moment.
    for (let i = 0; i < 500 && !found.includes(`${consumer}/quick`); i++) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    while ((await look()) > 0);
    return found.map((stream) => stream.split('/')[1]!);
  }

  it('is caught by a fact that commits late', async () => {
    expect(await seen(healthy())).toEqual(['slow', 'quick']);
    expect(await seen(bug())).toEqual(['quick']);
  });
});

describe('a blind resend', () => {
  /** @returns effects of one order at the ERP whose answer was lost */
  async function effects(looksUp: boolean): Promise<number> {
    const systems = memorySystems();
    if (!looksUp) for (const kind of Object.values(systems.erp.deliveries)) kind.locate = async () => new Map();
    const hub = await open({ connectors: systems });
    const no = `blind-${++n}`;
    await hub.seed(['B']);
    await hub.receive('api', [order('api', no, [{ sku: 'B', quantity: 1 }])]);
    await hub.plan();
    const fates = ['silent'] as const;
    let next = 0;
    systems.erp.fate = () => fates[next++] ?? 'ok';
    for (let i = 0; i < 4; i++) {
      await hub.dispatchers.get('erp')!.round();
      await database.pool.query(dueNow());
    }
    const count = systems.erp.countOf('sales_order', `api/${no}`);
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    return count;
  }

  it('is caught by counting effects at the destination', async () => {
    expect(await effects(true)).toBe(1);
    expect(await effects(false)).toBe(2);
  });
});

describe('an exposure that is freed by the answer', () => {
  // As if the channel's orders had always been read to the end.
  const bug = patched('ledger_find_settleable', (text) =>
    text
      .replace(
        /\(select min\(drained_at\).*\) as f/s,
        `(select now() + interval '1 day' as drained_at, $2::text, $4::text[]) as f`,
      )
      .replace('and n.read_back_at < f.drained_at', ''),
  );

  /** @returns units sold within the number that could not be allocated */
  async function oversold(db: Database): Promise<number> {
    const shop = new ModelChannel('shop', 'net_available');
    const system = new MemorySystem('shop', []);
    system.availability = shop.sink;
    const hub = await open({ db, connectors: { shop: system } });
    const sku = `F${++n}`;
    await hub.seed([sku]);
    const tell = async () => {
      await hub.plan();
      await database.pool.query(dueNow());
      await hub.publishers.get('shop')!.availabilityRound();
    };
    await hub.receive('wms', [moved(`f-${n}`, sku, 'north', 10)]);
    await tell();
    // The shop sells 3 that nobody has read yet; somebody asks for 3 and waits.
    shop.sell(sku, 3);
    await hub.receive('api', [order('api', `f-${n}`, [{ sku, quantity: 3 }])]);
    for (let i = 0; i < 4; i++) {
      await tell();
      await hub.backorders([sku]);
    }
    // The shop sells all that it still shows; now its orders are read.
    shop.sell(sku, shop.available(sku));
    for (const [i, sale] of shop.sales.entries())
      await hub.receive('shop', [order('shop', `f-${n}-${i}`, [{ sku, quantity: sale.within, within: sale.within }])]);
    const { rows } = await database.pool.query(
      `select coalesce(sum(within_short), 0)::int as short from order_line where sku_id = $1`,
      [hub.sku(sku)],
    );
    await hub.receive('api', [cancel('api', `f-${n}`, 1, 3, `fc-${n}`)]);
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    return rows[0].short;
  }

  it('is caught by what was sold within the number and could not be allocated', async () => {
    expect(await oversold(healthy())).toBe(0);
    expect(await violations(database.pool, ['I2_allocated'])).toEqual({});
    expect(await oversold(bug())).toBeGreaterThan(0);
    expect(Object.keys(await violations(database.pool))).toContain('oversell');
  });
});
