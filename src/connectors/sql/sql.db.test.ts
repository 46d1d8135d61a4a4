import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../../test/helpers/database.ts';
import type { InboundItem } from '../../canonical/index.ts';
import { databaseProxy } from '../kit/conformance/index.ts';
import type { Connector, FeedPage, Source } from '../kit/index.ts';
import { permitted } from '../kit/index.ts';
import { contextFor } from '../kit/testing.ts';
import { sql } from './index.ts';

const database = useDatabase({ empty: true });
const signal = new AbortController().signal;
const made: Connector[] = [];
const limits = { callsPerSecond: 1_000, concurrency: 3, timeoutMs: 1_500, batchMax: null };
const box = (settings: Record<string, unknown>): Connector => {
  const connector = sql(contextFor(database.url, { system: 'old', channel: 'shop', token: null, settings, limits }));
  made.push(connector);
  return connector;
};
const feedOf = (more: object): Source => box({ feeds: [{ feed: 'stock', ...more }] }).sources[0]!;
const map = {
  as: 'adjusted',
  fields: {
    id: 'id',
    sku: 'item',
    location: { value: 'DC' },
    quantity: 'n',
    occurredAt: { value: '2026-03-01T09:00:00Z' },
  },
};
const query = 'select id, item, n, changed from moves where n <> :none::numeric';
const byTime = {
  query,
  params: { none: '0' },
  map,
  pageRows: 3,
  cursor: { by: 'time', at: 'changed', id: 'id', idType: 'integer', overlapSeconds: 60 },
};
const bySequence = {
  query,
  params: { none: '0' },
  map,
  pageRows: 3,
  cursor: { by: 'sequence', id: 'id', overlapRows: 5 },
};

beforeEach(async () => {
  await database.pool.query(`
    drop table if exists moves, levels, orders, order_lines;
    create table moves (id bigint primary key, item text, n numeric, changed timestamptz);
    create table levels (item text, place text, n numeric, primary key (item, place));
    create table orders (number serial primary key, reference text unique, account text, total numeric);
    create table order_lines (number int, line_no int, item text, n int check (n < 1000))`);
});
afterEach(async () => {
  for (const connector of made.splice(0)) await connector.close();
});

const add = (rows: [number, string, string][], client: pg.Pool | pg.PoolClient = database.pool) =>
  client.query(
    `insert into moves select i, 'sku-' || i, n, c from unnest($1::bigint[], $2::numeric[], $3::timestamptz[]) as t (i, n, c)`,
    [rows.map(([id]) => id), rows.map(([, n]) => n), rows.map(([, , changed]) => changed)],
  );
async function drain(
  source: Source,
  cursor = '',
): Promise<{ items: InboundItem[]; cursor: string; pages: FeedPage[] }> {
  const items: InboundItem[] = [];
  const pages: FeedPage[] = [];
  for (;;) {
    const page = await source.poll(cursor, signal);
    ({ cursor } = page);
    pages.push(page);
    items.push(...page.items);
    if (page.drained) return { items, cursor, pages };
  }
}
const keys = (items: InboundItem[]) => items.map(({ key }) => key);
const T = '2026-03-01 10:00:00.123456+00';

describe('by (time, id)', () => {
  it('many rows of one microsecond come once each over pages, 10 after 9', async () => {
    await add([9, 10, 1, 2, 100, 3, 4].map((id) => [id, '1', T]));
    const source = feedOf(byTime);
    const { items, pages, cursor } = await drain(source);
    expect(keys(items)).toEqual(['1', '2', '3', '4', '9', '10', '100']);
    expect(pages.map((page) => page.items.length)).toEqual([3, 3, 1]);
    expect(source.reread!(pages[0]!.body)).toEqual(pages[0]!.items);
    expect((await drain(source, cursor)).items).toEqual([]);
  });

  it('a row that commits later than others after its own time is met within the overlap', async () => {
    const source = feedOf(byTime);
    const late = await database.pool.connect();
    await late.query('begin');
    await add([[1, '1', '2026-03-01T10:00:00Z']], late);
    await add([[2, '1', '2026-03-01T10:00:59Z']]);
    const first = await drain(source);
    expect(keys(first.items)).toEqual(['2']);
    await late.query('commit');
    late.release();
    expect(keys((await drain(source, first.cursor)).items)).toEqual(['1']);
  });

  it('decimals are read as they are written, and a row that is wrong is parked alone', async () => {
    await add([
      [1, '12.0', T],
      [2, '0.5', T],
      [3, '-7', T],
    ]);
    const { items } = await drain(feedOf(byTime));
    expect(items.map(({ command, unreadable }) => unreadable ?? (command as { quantity: number }).quantity)).toEqual([
      12,
      { reason: 'must be a whole number', place: '/row/00000000000000000002/n', value: '0.5' },
      -7,
    ]);
  });

  it('a restart in the middle goes on where it was', async () => {
    await add(Array.from({ length: 7 }, (_, n) => [n + 1, '1', T]));
    const { cursor } = await feedOf(byTime).poll('', signal);
    expect(keys((await drain(feedOf(byTime), cursor)).items)).toEqual(['4', '5', '6', '7']);
  });

  it('ids that are texts are ordered as bytes, not as a language has them', async () => {
    await database.pool.query(`create table if not exists words (id text, changed timestamp); truncate words;
      insert into words select w, '2026-03-01 10:00' from unnest('{b,A,ä,a,B,10,9}'::text[]) w`);
    const words = {
      ...byTime,
      query: `select id, id as item, 1 as n, changed from words`,
      params: {},
      cursor: { ...byTime.cursor, idType: 'text' },
    };
    const source = feedOf(words);
    const first = await drain(source);
    expect(keys(first.items)).toEqual(['10', '9', 'A', 'B', 'a', 'b', 'ä']);
    expect((await drain(source, first.cursor)).items).toEqual([]);
  });
});

it('a sequence is read again from so many numbers before its end: numbers commit late', async () => {
  const source = feedOf(bySequence);
  const late = await database.pool.connect();
  await late.query('begin');
  await add([[97, '1', T]], late);
  await add([
    [98, '1', T],
    [99, '1', T],
    [101, '1', T],
    [100, '1', T],
  ]);
  const first = await drain(source);
  expect(keys(first.items)).toEqual(['98', '99', '100', '101']);
  await late.query('commit');
  late.release();
  const second = await drain(source, first.cursor);
  expect(keys(second.items)).toEqual(['97']);
  expect((await drain(source, second.cursor)).items).toEqual([]);
});

describe('by comparison, where no row has a time', () => {
  const levels = {
    query: 'select item, place, n from levels',
    pageRows: 2,
    cursor: { by: 'snapshot', key: ['item', 'place'], thingsMax: 5, gone: { n: '0' } },
    map: { as: 'counted', fields: { sku: 'item', location: 'place', quantity: 'n', occurredAt: '$readAt' } },
  };
  const set = (item: string, n: number) =>
    database.pool.query(
      'insert into levels values ($1, $2, $3) on conflict (item, place) do update set n = excluded.n',
      [item, 'DC', n],
    );
  const told = (items: InboundItem[]) =>
    items.map(({ key, command }) => `${key} = ${(command as { quantity: number }).quantity}`).sort();

  it('what changed, came back to what it was, or is gone is told each time under a key of its own, over restarts', async () => {
    for (const [item, n] of [
      ['a', 5],
      ['b', 1],
      ['c', 0],
    ] as const)
      await set(item, n);
    let { cursor, items } = await drain(feedOf(levels));
    expect(told(items)).toEqual(['A@DC 1 = 5', 'B@DC 1 = 1', 'C@DC 2 = 0']);
    const again = async () => {
      ({ cursor, items } = await drain(feedOf(levels), cursor));
      return told(items);
    };
    expect(await again()).toEqual([]);
    await set('a', 6);
    expect(await again()).toEqual(['A@DC 3 = 6']);
    await set('a', 5);
    expect(await again()).toEqual(['A@DC 4 = 5']);
    await database.pool.query(`delete from levels where item = 'a'`);
    expect(await again()).toEqual(['A@DC 5 = 0']);
    await set('a', 5);
    expect(await again()).toEqual(['A@DC 6 = 5']);
  });

  it('a page that was not stored is told again; kept bytes give the same items', async () => {
    await set('a', 5);
    const source = feedOf(levels);
    const lost = await source.poll('', signal);
    const page = await source.poll('', signal);
    expect(told(page.items)).toEqual(told(lost.items));
    expect(source.reread!(page.body)).toEqual(page.items);
  });

  it('a table that outgrew it is refused, with what to do', async () => {
    for (const item of 'abcdef') await set(item, 1);
    await expect(feedOf(levels).poll('', signal)).rejects.toThrow(
      'stock has more than 5 things: it needs a time of change or a change table',
    );
  });
});

describe('reading', () => {
  const asks = (text: string) => feedOf({ ...bySequence, query: text, params: {} }).poll('', signal);
  it.each([
    ['a change', 'with gone as (delete from moves returning *) select * from gone', /25006|0A000/],
    ['a function that writes', `select id, item, n from moves, setval('orders_number_seq', 7)`, /25006/],
    [
      'a second statement',
      'select * from moves) q; commit; delete from moves; select * from (select * from moves',
      /42601/,
    ],
    ['a table that is not there', 'select * from secrets', /42P01/],
  ])('%s is refused by the server', async (_, text, code) => {
    await add([[1, '1', T]]);
    await expect(asks(text)).rejects.toMatchObject({
      code: 'XD_CONNECTOR_REFUSED',
      message: expect.stringMatching(code),
    });
    expect((await database.pool.query('select count(*)::int as n from moves')).rows).toEqual([{ n: 1 }]);
  });

  it('a statement that takes too long is ended on the server', async () => {
    await expect(
      asks('select id, item, n from moves, pg_sleep(30) union all select 1, null, pg_sleep(30)::text::numeric'),
    ).rejects.toMatchObject({
      code: 'XD_CONNECTOR_UNAVAILABLE',
      message: expect.stringContaining('57014'),
    });
    const { rows } = await database.pool.query(
      // Of this file alone: others run on the same server.
      `select 1 from pg_stat_activity where application_name = 'crossdock' and state = 'active' and datname = current_database()`,
    );
    expect(rows).toEqual([]);
  });

  it('errors hold no values, and a value is never part of a statement', async () => {
    await add([[1, '1', T]]);
    const odd = {
      ...bySequence,
      query: 'select id, item, n from moves where item = :item',
      params: { item: `x' or '1'='1` },
    };
    expect((await feedOf(odd).poll('', signal)).items).toEqual([]);
    const wrong = { ...odd, query: 'select id, item, n from moves where n = :n::numeric', params: { n: 'secret' } };
    await expect(feedOf(wrong).poll('', signal)).rejects.toThrow(/^22P02 invalid input syntax for type numeric: "…"$/);
  });

  it('a name that has no value, or a map that lacks a field, is said', async () => {
    await expect(asks('select * from moves where n = :missing')).rejects.toThrow(
      'query has :missing, and nothing of that name',
    );
    expect(() => feedOf({ ...bySequence, map: { as: 'order', fields: {} } })).toThrow(
      'feeds.0.map.fields.externalNo is missing',
    );
  });
});

describe('writing, where it is declared', () => {
  const write = {
    locate: 'select number from orders where reference = :reference',
    statements: [
      {
        text: 'insert into orders (reference, account, total) values (:reference, :account, :totalMinor::numeric / 100)',
        rows: 1,
      },
      {
        text: 'insert into order_lines select number, :line_lineNo::int, :line_sku, :line_quantity::int from orders where reference = :reference',
        each: 'lines',
        rows: 1,
      },
    ],
  };
  const order = (reference: string, quantity = 2) => ({
    reference,
    payload: {
      reference,
      account: `O'Hara`,
      totalMinor: 1050,
      lines: [
        { lineNo: 1, sku: 'A', quantity },
        { lineNo: 2, sku: 'B', quantity: 1 },
      ],
    },
  });
  const kindOf = (one: object = write) => box({ writes: { sales_order: one } }).deliveries.sales_order!;
  const count = async (table: string) =>
    (await database.pool.query(`select count(*)::int as n from ${table}`)).rows[0].n;

  it('an order is there once, however often and from however many sides it is written', async () => {
    const [one, other] = [kindOf(), kindOf()];
    const outcomes = await Promise.all([
      one.write([order('shop/1')], signal),
      other.write([order('shop/1')], signal),
      one.write([order('shop/2')], signal),
    ]);
    const numbers = outcomes.flat().map((outcome) => (outcome as { answer: { number: string } }).answer.number);
    expect(numbers[0]).toBe(numbers[1]);
    expect(new Set(numbers).size).toBe(2);
    expect([await count('orders'), await count('order_lines')]).toEqual([2, 4]);
    expect(
      (await database.pool.query(`select account, total::text from orders where reference = 'shop/1'`)).rows,
    ).toEqual([{ account: `O'Hara`, total: '10.5000000000000000' }]);
    expect(await one.locate(['shop/1', 'shop/3'], signal)).toEqual(new Map([['shop/1', { number: numbers[0] }]]));
  });

  it('one that is refused half-way leaves nothing, and its neighbours are written', async () => {
    const outcomes = await kindOf().write([order('shop/1'), order('shop/2', 5_000), order('shop/3')], signal);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['confirmed', 'refused', 'confirmed']);
    expect((outcomes[1] as { error: string }).error).toMatch(/^23514 /);
    expect([await count('orders'), await count('order_lines')]).toEqual([2, 4]);
  });

  it('other numbers of rows than declared are no effect', async () => {
    const wrong = {
      ...write,
      statements: [...write.statements, { text: 'update orders set total = 1 where reference = :account', rows: 1 }],
    };
    expect(await kindOf(wrong).write([order('shop/1')], signal)).toEqual([
      { outcome: 'refused', error: 'statement 3 changed 0 rows where 1 were declared' },
    ]);
    expect(await count('orders')).toBe(0);
  });

  it('what may not start any more has no effect', async () => {
    const outcome = await kindOf().write(
      [order('shop/1')],
      permitted(signal, () => false),
    );
    expect(outcome[0]!.outcome).toBe('later');
    expect(await count('orders')).toBe(0);
  });

  it('a connection that is lost in the middle is an outcome, and never the end of the process', async () => {
    const proxy = await databaseProxy(database.url);
    const stray: Error[] = [];
    const listen = (error: Error) => void stray.push(error);
    process.on('uncaughtExceptionMonitor', listen);
    const settings = { writes: { sales_order: write } };
    const cut = sql(contextFor(proxy.url, { system: 'old', channel: 'shop', token: null, settings, limits }));
    made.push(cut);
    try {
      for (const [fate, outcome] of [
        ['cut_before', 'later'],
        ['cut_after', 'later'],
      ] as const) {
        proxy.fate = (text) => (text.startsWith('insert into orders') ? fate : 'pass');
        expect(await cut.deliveries.sales_order!.write([order('shop/1')], signal)).toMatchObject([{ outcome }]);
        expect(await count('orders')).toBe(0);
      }
      proxy.fate = (text) => (text === 'commit' ? 'cut_after' : 'pass');
      expect(await cut.deliveries.sales_order!.write([order('shop/1')], signal)).toMatchObject([
        { outcome: 'in_doubt' },
      ]);
      expect(await count('orders')).toBe(1);
    } finally {
      process.off('uncaughtExceptionMonitor', listen);
      await proxy.close();
    }
    expect(stray).toEqual([]);
  });

  it('one that waits for a lock for too long comes later, and nothing of it is there', async () => {
    const holder = await database.pool.connect();
    await holder.query('begin; lock table orders in access exclusive mode');
    const [outcome] = await kindOf().write([order('shop/1')], signal);
    await holder.query('rollback');
    holder.release();
    expect(outcome).toMatchObject({ outcome: 'later', error: expect.stringContaining('57014') });
    expect(await count('orders')).toBe(0);
  });
});

it('a database that is not there is told by the probe, without its password', async () => {
  const away = sql(
    contextFor('postgresql://hub:s3cret@127.0.0.1:1/x', { system: 'old', channel: null, settings: {}, limits }),
  );
  made.push(away);
  const probe = await away.probe(signal);
  expect(probe.ok).toBe(false);
  expect(probe.detail).not.toContain('s3cret');
});
