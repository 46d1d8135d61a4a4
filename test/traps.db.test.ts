/** Each trap of a database under concurrency, with its remedy; the remedy's absence is shown where a double of it is small. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ReservationDesk } from '../src/ingest/index.ts';
import { expireReservations, reserveStock, StockSession } from '../src/ledger/index.ts';
import { appendFacts, readNext } from '../src/log/index.ts';
import { planNext } from '../src/outbound/index.ts';
import { Database, Ids, isConnectionFault, Leases, type Tx } from '../src/store/index.ts';
import { CutProxy } from './helpers/cut-proxy.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved, order, routing, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
const open: { end?: () => Promise<unknown>; close?: () => Promise<unknown> }[] = [];
const hubs: SmallHub[] = [];

beforeAll(async () => {
  for (let i = 0; i < 3; i++) {
    hubs.push(await SmallHub.open({ url: database.url, connectors: i === 0 ? memorySystems() : {} }));
    await hubs[i]!.seed(['X', 'Y', 'Z']);
  }
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await (thing.end?.() ?? thing.close?.());
});
afterAll(() => Promise.all(hubs.map((hub) => hub.close())));

const hub = () => hubs[0]!;
const fact = (stream: string, version: number, data: unknown = {}) => ({
  type: 'test.noted',
  stream,
  version,
  companyId: 0,
  occurredAt: '2026-03-02T10:00:00.000Z',
  data,
});
function gate(): { wait: Promise<void>; open: () => void } {
  let release = () => {};
  const wait = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { wait, open: () => release() };
}
/** Reads until what was asked for is there: other files' transactions may hold readers back for a moment. */
const statementsEnded = { name: 'traps_statements_ended', text: 'select 1' };

async function readUntil(consumer: string, stream: string, found: string[] = []): Promise<string[]> {
  while (!found.includes(stream)) {
    const { facts } = await hub().db.transaction((tx) => readNext(tx, consumer));
    found.push(...facts.map((f) => f.stream));
    if (facts.length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return found;
}

describe('a reader of the log', () => {
  it('does not skip a fact that commits late; one that follows positions alone does', async () => {
    await readUntil('late', 'none', ['none']);
    const written = gate();
    const commit = gate();
    const slow = hub().db.transaction(async (tx) => {
      await appendFacts(tx, [fact('late/slow', 1)]);
      // It is sent; here it must have been run.
      await tx.query(statementsEnded);
      written.open();
      await commit.wait;
    });
    await written.wait;
    await hubs[1]!.db.transaction((tx) => appendFacts(tx, [fact('late/quick', 1)]));
    const { facts: early } = await hub().db.transaction((tx) => readNext(tx, 'late'));
    expect(early.map((f) => f.stream).filter((s) => s.startsWith('late/'))).toEqual([]);
    // The double: what is committed now, up to the highest position, is taken for all there is.
    const byPosition = async (after: number) =>
      (
        await database.pool.query(
          `select stream, position from fact where position > $1 and stream like 'late/%' order by position`,
          [after],
        )
      ).rows as { stream: string; position: number }[];
    const first = await byPosition(0);
    commit.open();
    await slow;
    const second = await byPosition(first.at(-1)!.position);
    expect([...first, ...second].map((row) => row.stream)).toEqual(['late/quick']);
    const found = await readUntil('late', 'late/quick');
    expect(found.filter((stream) => stream.startsWith('late/'))).toEqual(['late/slow', 'late/quick']);
  });

  it('follows the numbers of transactions, not their texts: 100 comes after 99', async () => {
    await database.pool.query(
      `insert into fact (transaction_id, type, stream, stream_version, company_id, occurred_at, data)
       select id::text::xid8, 'test.noted', 'digits/' || id, 1, 0, now(), '{}' from unnest(array[100, 99]) as id`,
    );
    const found: string[] = [];
    for (let i = 0; i < 2; i++)
      found.push(...(await hub().db.transaction((tx) => readNext(tx, 'digits', 1))).facts.map((f) => f.stream));
    expect(found).toEqual(['digits/99', 'digits/100']);
  });

  it('plans facts of one order in version order, though they stand in the log the other way round and batches cut between', async () => {
    await hub().receive('wms', [moved('i1', 'X', 'north', 1)]);
    await hub().receive('api', [order('api', 'INV', [{ sku: 'X', quantity: 1 }])]);
    await hub().plan();
    const { rows } = await database.pool.query(`select order_id, version from sales_order where external_no = 'INV'`);
    const [{ order_id: orderId, version }] = rows;
    const stream = `order/${orderId}`;
    const cancelled = (reference: string) => ({
      type: 'order.lines_cancelled',
      reference,
      lines: [{ lineNo: 1, quantity: 1, amountMinor: 100, fromBackorder: 0 }],
      released: [],
      answered: [],
    });
    for (const step of [3, 1, 2])
      await hub().db.transaction((tx) =>
        appendFacts(tx, [{ ...fact(stream, version + step, cancelled(`c${step}`)), type: 'order.lines_cancelled' }]),
      );
    const deps = { db: hub().db, directory: hub().directory, routing };
    const planned = async () =>
      (
        await database.pool.query(
          `select reference from delivery where order_id = $1 and kind = 'order_cancellation' order by delivery_id`,
          [orderId],
        )
      ).rows.map((row) => row.reference);
    // The first that is read is the newest; it takes both others along, and they are not told twice when the reader comes to them.
    for (let i = 0; i < 3; i++) {
      while ((await planNext(deps, 1)) === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      expect(await planned()).toEqual([1, 2, 3].map((step) => `C/${orderId}/${version + step}`));
    }
    await database.pool.query(`delete from fact where stream = $1 and stream_version > $2`, [stream, version]);
  });
});

/**
 * Somebody has the lowest of what `work` wants. It waits for that, and has nothing yet of what comes after: two that want the same
 * never wait for each other in a circle. Random races seldom show it, because a plan may happen to go in order.
 */
async function lowestFirst(work: () => Promise<unknown>, lowest: Held, after: Held): Promise<void> {
  const [holder, other] = [await database.pool.connect(), await database.pool.connect()];
  let working: Promise<unknown> | undefined;
  try {
    await holder.query('begin');
    await holder.query(...lowest);
    working = work();
    working.catch(() => {});
    await waitForLock();
    await other.query(`begin; set local lock_timeout = '300ms'`);
    await other.query(...after);
  } finally {
    await other.query('rollback');
    await holder.query('rollback');
    other.release();
    holder.release();
    await working;
  }
}
async function waitForLock(): Promise<void> {
  const waits = `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await database.pool.query(waits)).rows[0].n, { timeout: 20_000 }).toBe(1);
}
type Held = [text: string, values: unknown[]];

describe('balances', () => {
  it('asked for in opposite orders by two processes, and created by both at once, never wait in a circle', async () => {
    const before = await deadlocks();
    for (let round = 0; round < 60; round++) {
      const skus = Array.from({ length: 12 }, (_, i) => 10_000 + round * 12 + i);
      const pairs = skus.flatMap((sku) => [1, 2].map((location) => [sku, location] as const));
      // Both have begun before either locks.
      let ready = 0;
      const both = gate();
      const session = (db: Database, list: typeof pairs) =>
        db.transaction(async (tx) => {
          if (++ready === 2) both.open();
          await both.wait;
          const stock = await StockSession.open(tx, hub().ids, list);
          for (const [sku, location] of list)
            stock.move({
              skuId: sku,
              locationId: location,
              kind: 'received',
              quantity: 1,
              source: 't',
              sourceId: `${round}`,
              occurredAt: '2026-03-02T10:00:00.000Z',
            });
          await stock.flush();
        });
      await Promise.all([session(hubs[0]!.db, pairs), session(hubs[1]!.db, [...pairs].reverse())]);
    }
    const { rows } = await database.pool.query(
      'select min(on_hand)::int as low, max(on_hand)::int as high, count(*)::int as n from stock_balance where sku_id >= 10000',
    );
    expect(rows[0]).toEqual({ low: 2, high: 2, n: 60 * 24 });
    expect(await deadlocks()).toBe(before);
  });

  const pairsOf = (...skus: number[]) => skus.map((sku) => [sku, 1] as const);
  const openAll = (...skus: number[]) =>
    hub().db.transaction((tx) => StockSession.open(tx, hub().ids, pairsOf(...skus)));
  const insertBalance = 'insert into stock_balance (sku_id, location_id) values ($1, 1)';
  const lockBalance = 'select from stock_balance where sku_id = $1 and location_id = 1 for update';

  it('are locked from the lowest on, in whatever order they were asked for and lie in the table', async () => {
    for (const sku of [20_002, 20_001]) await database.pool.query(insertBalance, [sku]);
    await lowestFirst(() => openAll(20_002, 20_001), [lockBalance, [20_001]], [lockBalance, [20_002]]);
  });

  it('are created from the lowest on, which is asked for in the middle: a plan may turn the order round', async () => {
    const insertBalances = 'insert into stock_balance (sku_id, location_id) select unnest($1::bigint[]), 1';
    await lowestFirst(
      () => openAll(20_012, 20_011, 20_013),
      [insertBalance, [20_011]],
      [insertBalances, [[20_012, 20_013]]],
    );
  });

  it('show what they guard as it is once they are locked, not as it was when they were asked for', async () => {
    const channelId = hub().directory.channels.get('shop')!.channelId;
    await database.pool.query(insertBalance, [20_021]);
    await database.pool.query('insert into exposure values ($1, 20021, 1, 5)', [channelId]);
    const holder = await database.pool.connect();
    try {
      await holder.query('begin');
      await holder.query(lockBalance, [20_021]);
      await holder.query('update exposure set quantity = 3 where sku_id = 20021');
      const reading = hub().db.transaction(async (tx) => {
        const stock = await StockSession.open(tx, hub().ids, pairsOf(20_021), [channelId]);
        return stock.exposure(channelId, 20_021, 1);
      });
      await waitForLock();
      await holder.query('commit');
      expect(await reading).toBe(3);
    } finally {
      await holder.query('rollback');
      holder.release();
      await database.pool.query('delete from exposure where sku_id = 20021');
    }
  });

  async function deadlocks(): Promise<number> {
    const { rows } = await database.pool.query(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    return rows[0].deadlocks;
  }
});

describe('a COMMIT without an answer', () => {
  it('of work without a key is known: done once, or not at all', async () => {
    const proxy = await CutProxy.open(database.url);
    const cut = new Database({ url: proxy.url, poolMax: 1 });
    open.push(proxy, cut);
    await database.pool.query('create table keyless (n int)');
    let runs = 0;
    const work = () =>
      cut.transaction(async (tx) => {
        runs++;
        await tx.query({ name: 'keyless', text: 'insert into keyless values ($1)' }, [runs]);
        return runs;
      });
    proxy.fates.push('cut after');
    expect(await work()).toBe(1);
    proxy.fates.push('cut before');
    await expect(work()).rejects.toSatisfy(isConnectionFault);
    expect(await work()).toBe(3);
    expect((await database.pool.query('select n from keyless order by n')).rows).toEqual([{ n: 1 }, { n: 3 }]);
    expect(proxy.cuts).toBe(2);
  });

  it('is asked for: over 200 cuts no order and no reservation is lost or doubled', async () => {
    await hub().receive('wms', [moved('cut1', 'Y', 'north', 1_000), moved('cut2', 'Z', 'north', 1_000)]);
    // A line of its own for each: what is cut once gets through the next time, whatever the others do.
    const proxies = await Promise.all([0, 1, 2].map(() => CutProxy.open(database.url)));
    open.push(...proxies);
    const cut = await Promise.all(proxies.map(({ url }) => SmallHub.open({ url, poolMax: 3 })));
    open.push(...cut);
    for (const one of cut) await one.seed(['Y', 'Z']);
    const desks = cut.map((one) => new ReservationDesk({ db: one.db, ids: one.ids, directory: one.directory }));
    const channel = hub().directory.channels.get('api')!;
    const CUTS_EACH = 67;
    for (const { fates } of proxies)
      for (let i = 0; i < CUTS_EACH; i++) fates.push(i % 2 === 0 ? 'cut after' : 'cut before', 'pass');
    let answered = 0;
    await Promise.all(
      cut.map(async (one, who) => {
        for (let i = 0; proxies[who]!.cuts < CUTS_EACH; i++) {
          const key = `cut-${who}-${i}`;
          if (i % 2 === 0) {
            const [result] = await one.receive('api', [order('api', key, [{ sku: 'Y', quantity: 1 }])]);
            // Known, not met again at its key: a COMMIT that came through is never decided a second time.
            expect(result!.status).toBe('applied');
          } else {
            const request = {
              scope: 'reservation/t',
              key,
              channel,
              sku: 'Z',
              skuId: one.sku('Z'),
              quantity: 1,
              location: null,
              locationId: null,
              partial: false,
              purpose: 'order',
              expiresSeconds: 86_400,
            };
            const result = await desks[who]!.reserve(request);
            expect(result.status).toBe('held');
          }
          answered++;
        }
      }),
    );
    expect(proxies.reduce((sum, { cuts }) => sum + cuts, 0)).toBeGreaterThanOrEqual(200);
    const { rows } = await database.pool.query(
      `select (select count(*)::int from sales_order where external_no like 'cut-%') + (select count(*)::int from reservation where sku_id = $1) as effects,
              (select count(*)::int from inbound where key like 'cut-%') as keys`,
      [hub().sku('Z')],
    );
    expect(rows[0]).toEqual({ effects: answered, keys: answered });
    expect(await violations(database.pool, ['I1'])).toEqual({});
  }, 60_000);
});

describe('the clock', () => {
  it('of the database alone ends a hold, whatever this process thinks', async () => {
    await hub().receive('wms', [moved('clock1', 'X', 'west', 5)]);
    const hold = (tx: Tx, expiresSeconds: number) =>
      hub()
        .ids.reserve(tx, 'reservation_id_seq', 1)
        .then((ids) =>
          reserveStock(tx, hub().deps, [
            {
              reservationId: ids.take(),
              channel: hub().directory.channels.get('api')!,
              skuId: hub().sku('X'),
              quantity: 2,
              locationId: hub().location('west'),
              partial: false,
              purpose: 'order',
              expiresSeconds,
            },
          ]),
        );
    await hub().db.transaction((tx) => hold(tx, 3_600));
    expect(await hub().db.transaction((tx) => expireReservations(tx, hub().deps))).toBe(0);
    const later = new Database({ url: database.url, poolMax: 1 });
    open.push(later);
    await later.execute(`set crossdock.clock_shift = '2 hours'`);
    expect(await later.transaction((tx) => expireReservations(tx, hub().deps))).toBe(1);
    const { rows } = await database.pool.query(
      `select reserved from stock_balance where sku_id = $1 and location_id = $2`,
      [hub().sku('X'), hub().location('west')],
    );
    expect(rows[0].reserved).toBe(0);
  });
});

describe('the clock of leases', () => {
  it('is the database’s, too: work moves on when it says so, under the next fencing token', async () => {
    const later = new Database({ url: database.url, poolMax: 1 });
    open.push(later);
    await later.execute(`set crossdock.clock_shift = '1 minute'`);
    const [first, second] = [hub().db, later].map((db, i) => new Leases({ db, holder: `clock-${i}`, ttlMs: 30_000 }));
    for (const leases of [first!, second!]) leases.want(['clockwork']);
    await first!.beat();
    expect(first!.epoch('clockwork')).toBe(1);
    await second!.beat();
    expect(second!.epoch('clockwork')).toBe(2);
    await first!.beat();
    expect(first!.epoch('clockwork')).toBeUndefined();
    for (const leases of [first!, second!]) await leases.stop();
  });
});

describe('partitions', () => {
  it('take a month that nobody prepared, and are prepared by five clients at once', async () => {
    const far = new Database({ url: database.url, poolMax: 1 });
    open.push(far);
    await far.execute(`set crossdock.clock_shift = '3 years'`);
    const ids = new Ids();
    await far.transaction(async (tx) => {
      const stock = await StockSession.open(tx, ids, [[9_999, 1]]);
      stock.move({
        skuId: 9_999,
        locationId: 1,
        kind: 'received',
        quantity: 4,
        source: 't',
        sourceId: 'far',
        occurredAt: '2020-01-01T00:00:00.000Z',
      });
      await stock.flush();
      await appendFacts(tx, [fact('far/1', 1)]);
    });
    const where = async () =>
      (await database.pool.query(`select tableoid::regclass::text as part from stock_movement where sku_id = 9999`))
        .rows[0].part;
    expect(await where()).toBe('stock_movement_default');
    const made = await Promise.all(
      Array.from({ length: 5 }, () =>
        database.pool.query(`select crossdock_ensure_partitions(crossdock_now() + interval '5 years', 3) as made`),
      ),
    );
    const parents = (await database.pool.query('select count(*)::int as n from partitioned_table')).rows[0].n;
    expect(made.map(({ rows }) => rows[0].made).sort((a, b) => b - a)).toEqual([parents * 4, 0, 0, 0, 0]);
    // The month that nobody prepared in time is prepared late: what it holds already moves along, once.
    const rowsThere = async () =>
      (
        await database.pool.query(
          `select count(*)::int as moves, sum(effect)::int as units,
                  (select json_agg(f order by position) from fact f where stream = 'far/1') as facts from stock_movement`,
        )
      ).rows[0];
    const before = await rowsThere();
    const late = await Promise.all(
      Array.from({ length: 3 }, () =>
        database.pool.query(`select crossdock_ensure_partitions(crossdock_now() + interval '3 years', 0) as made`),
      ),
    );
    expect(late.map(({ rows }) => rows[0].made).sort((a, b) => b - a)).toEqual([parents, 0, 0]);
    expect(await where()).toMatch(/^stock_movement_p\d{6}$/);
    expect(await rowsThere()).toEqual(before);
    // And takes what is written next, under the next number.
    await far.transaction((tx) => appendFacts(tx, [fact('far/2', 1)]));
    const { rows } = await database.pool.query(
      `select tableoid::regclass::text as part, position > $1 as is_next from fact where stream = 'far/2'`,
      [before.facts[0].position],
    );
    expect(rows).toEqual([{ part: expect.stringMatching(/^fact_p\d{6}$/), is_next: true }]);
  });
});

describe('business keys', () => {
  const insertKey = `insert into inbound (scope, key, state, fingerprint, raw_id, item_no) values ('movement/wms', $1, 'a', '', 0, 0)`;
  const lockKey = `select from inbound where scope = 'movement/wms' and key = $1 for update`;
  const receive = (...keys: string[]) =>
    hub().receive(
      'wms',
      keys.map((key) => moved(key, 'X', 'south', 1)),
    );

  it('are claimed from the lowest on, in whatever order a message brings them', async () => {
    await lowestFirst(() => receive('row-b', 'row-a'), [insertKey, ['row-a']], [insertKey, ['row-b']]);
  });

  it('that are known are counted from the lowest on, however they lie in the table', async () => {
    for (const key of ['known-b', 'known-a']) await receive(key);
    await lowestFirst(() => receive('known-b', 'known-a'), [lockKey, ['known-a']], [lockKey, ['known-b']]);
  });

  it('of one message that three hubs get one to five times at once have one effect', async () => {
    await hub().receive('wms', [moved('dup', 'X', 'south', 500)]);
    const items = Array.from({ length: 60 }, (_, i) => order('api', `dup-${i}`, [{ sku: 'X', quantity: 1 + (i % 3) }]));
    const results = await Promise.all(
      items.flatMap((item, i) =>
        Array.from({ length: 1 + (i % 5) }, (_, copy) =>
          hubs[(i + copy) % 3]!.receive('crm', [item]).then(([result]) => ({ i, result: result! })),
        ),
      ),
    );
    for (let i = 0; i < items.length; i++) {
      const mine = results.filter((r) => r.i === i).map((r) => r.result);
      expect(mine.filter((result) => result.status === 'applied')).toHaveLength(1);
      expect(new Set(mine.map((result) => ('orderId' in result ? result.orderId : null))).size).toBe(1);
    }
    const { rows } = await database.pool.query(
      `select count(*)::int as orders, (select count(*)::int from fact f where f.type = 'order.accepted' and f.data->>'externalNo' like 'dup-%') as facts,
              (select sum(repeats)::int from inbound where key like 'dup-%') as repeats
         from sales_order where external_no like 'dup-%'`,
    );
    expect(rows[0]).toMatchObject({ orders: 60, facts: 60 });
  });

  it('with other content are a conflict for a caller, and set aside from a system; the first stays as it was', async () => {
    const [first] = await hub().receive('api', [order('api', 'con', [{ sku: 'X', quantity: 1 }])]);
    expect(first!.status).toBe('applied');
    const other = order('api', 'con', [{ sku: 'X', quantity: 2 }]);
    expect((await hubs[1]!.receive('api', [other]))[0]!.status).toBe('conflict');
    expect((await hubs[2]!.receive('crm', [other]))[0]).toMatchObject({ status: 'parked', class: 'key_conflict' });
    const { rows } = await database.pool.query(
      `select l.quantity from order_line l join sales_order o using (order_id) where external_no = 'con'`,
    );
    expect(rows).toEqual([{ quantity: 1 }]);
  });

  it('twice in one batch get what became of the first, also when that was refused or set aside', async () => {
    const twice = order('api', 'bad2', [
      { sku: 'X', quantity: 1, lineNo: 1 },
      { sku: 'X', quantity: 1, lineNo: 1 },
    ]);
    const both = await Promise.all([hub().receive('api', [twice]), hub().receive('api', [twice])]);
    expect(both.map(([result]) => result!.status)).toEqual(['refused', 'refused']);
    const unknown = order('api', 'bad3', [{ sku: 'NOPE', quantity: 1 }]);
    const parked = await Promise.all([hub().receive('crm', [unknown]), hub().receive('crm', [unknown])]);
    expect(parked.map(([result]) => result)).toMatchObject([{ status: 'parked' }, { status: 'duplicate', state: 'p' }]);
    expect((await violations(database.pool, ['I1'])).I5).toBeUndefined();
  });
});
