import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { documents } from './arrays.ts';
import { Database, type Tx } from './database.ts';
import { isConnectionFault } from './faults.ts';

const database = useDatabase();

describe('times of the database', () => {
  it('arrive to the millisecond, whatever their length, their era and the zone of the server', async () => {
    const db = new Database({ url: database.url, poolMax: 1 });
    try {
      const given = [
        '2026-11-23T08:00:00Z',
        '2026-11-23T08:00:00.1Z',
        '2026-11-23T08:00:00.12345Z',
        '2026-11-23T08:00:00.123999Z',
        '2024-02-29T23:59:59.999999+05:30',
        '1969-07-20T20:17:40.5Z',
        '12026-01-01T00:00:00Z',
      ];
      const rows = await db.execute(
        'select t::timestamptz as at, round(extract(epoch from date_trunc($2, t::timestamptz)) * 1000)::text as ms from unnest($1::text[]) as t',
        [given, 'milliseconds'],
      );
      expect(rows.map((row) => String((row.at as Date).getTime()))).toEqual(rows.map((row) => row.ms));
      const [zone] = await db.execute(`select current_setting('TimeZone') as zone, 'infinity'::timestamptz as never`);
      expect(zone).toEqual({ zone: 'UTC', never: Number.POSITIVE_INFINITY });
    } finally {
      await db.end();
    }
  });
});

describe('a transaction', () => {
  it('is bounded on every connection: what waits for a lock, computes, or is left open holds every reader of the log back', async () => {
    const db = new Database({ url: database.url, poolMax: 1 });
    const bounds = await db.execute(
      `select name, setting::int as ms from pg_settings
        where name in ('idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout', 'transaction_timeout') order by name`,
    );
    const byName = Object.fromEntries(bounds.map(({ name, ms }) => [name, ms]));
    expect(byName).toMatchObject({
      idle_in_transaction_session_timeout: 15_000,
      lock_timeout: 10_000,
      statement_timeout: 60_000,
    });
    // Before PostgreSQL 17 there is none.
    expect([90_000, undefined]).toContain(byName.transaction_timeout);
    await db.end();
  });

  it('reads what others committed since it began, whatever the server is set to', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.pool.query(`alter database ${name} set default_transaction_isolation = 'serializable'`);
    const db = new Database({ url: database.url, poolMax: 2 });
    try {
      await db.execute('create table counter (n int)');
      await db.execute('insert into counter values (1)');
      const read = { name: 'read_counter', text: 'select n from counter' };
      const seen = await db.transaction(async (tx) => {
        const before = await tx.query(read);
        await db.execute('update counter set n = 2');
        return [before, await tx.query(read)];
      });
      expect(seen).toEqual([[{ n: 1 }], [{ n: 2 }]]);
      // Single statements, too: one that takes what others lock would else be refused instead of waiting.
      expect(await db.execute('show transaction_isolation')).toEqual([{ transaction_isolation: 'read committed' }]);
    } finally {
      await db.end();
      await database.pool.query(`alter database ${name} reset default_transaction_isolation`);
    }
  });

  it('that a deadlock ended is decided again, on what the other left', async () => {
    const db = new Database({ url: database.url, poolMax: 2 });
    await db.execute('create table pair as select n, 0 as v from generate_series(1, 2) as n');
    const add = { name: 'add_to_pair', text: 'update pair set v = v + 1 where n = $1' };
    let begun = 0;
    let runs = 0;
    const both = Promise.withResolvers<void>();
    const work = (first: number, second: number) =>
      db.transaction(async (tx) => {
        runs++;
        await tx.query(add, [first]);
        if (++begun === 2) both.resolve();
        await both.promise;
        await tx.query(add, [second]);
      });
    await Promise.all([work(1, 2), work(2, 1)]);
    expect(runs).toBe(3);
    expect(await db.execute('select n, v from pair order by n')).toEqual([
      { n: 1, v: 2 },
      { n: 2, v: 2 },
    ]);
    await db.end();
  });

  it('that takes too long is ended by the server, however busy it is, and leaves nothing', async () => {
    const db = new Database({ url: database.url, poolMax: 1, transactionMsMax: 150 });
    const [server] = await db.execute(`select current_setting('server_version_num')::int >= 170000 as bounds`);
    if (!server!.bounds) return db.end();
    await db.execute('create table busy (n int)');
    const began = performance.now();
    const endless = db.transaction(async (tx) => {
      for (;;) await tx.query({ name: 'busy', text: 'insert into busy select 1 from pg_sleep(0.005)' } as never);
    });
    await expect(endless).rejects.toSatisfy(isConnectionFault);
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(await db.execute('select n from busy')).toEqual([]);
    await db.end();
  });
});

/** What a server that is shut down says to each connection. */
function farewell(): Buffer {
  const fields = ['SFATAL', 'C57P01', 'Mterminating connection due to administrator command'];
  const body = Buffer.from(`${fields.join('\0')}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

describe('a statement that is sent without waiting', () => {
  const insert = { name: 'sent_insert', text: 'insert into sent values ($1::int)' };
  const count = { name: 'sent_count', text: 'select count(*)::int as n from sent' };
  const withTable = async (work: (db: Database) => Promise<void>) => {
    const db = new Database({ url: database.url, poolMax: 2 });
    try {
      await db.execute('create table sent (n int primary key)');
      await work(db);
    } finally {
      await db.execute('drop table sent');
      await db.end();
    }
  };

  it('runs in its order, and what is asked after it sees it', () =>
    withTable(async (db) => {
      const seen = await db.transaction(async (tx) => {
        const counts: Promise<unknown>[] = [];
        for (let n = 0; n < 5; n++) {
          tx.write(insert, [n]);
          counts.push(tx.query(count));
        }
        tx.write(insert, [5]);
        return (await Promise.all(counts)).flat();
      });
      expect(seen).toEqual([1, 2, 3, 4, 5].map((n) => ({ n })));
      expect(await db.query(count)).toEqual([{ n: 6 }]);
    }));

  it.each([
    ['by the commit', async () => []],
    ['by what is asked next, not as the fault that the transaction has failed', (tx: Tx) => tx.query(count)],
  ])('fails the transaction with its own fault, told %s', (_, then) =>
    withTable(async (db) => {
      const run = db.transaction(async (tx) => {
        tx.write(insert, [1]);
        tx.write(insert, [1]);
        tx.write(insert, [2]);
        return then(tx);
      });
      await expect(run).rejects.toMatchObject({ code: '23505' });
      expect(await db.query(count)).toEqual([{ n: 0 }]);
      // The connection is as good as before.
      await db.transaction(async (tx) => tx.write(insert, [3]));
      expect(await db.query(count)).toEqual([{ n: 1 }]);
    }),
  );

  it('that lost a race is decided again, and a fault of the caller stays the caller’s', () =>
    withTable(async (db) => {
      const raise = { name: 'sent_race', text: `do $$ begin raise sqlstate '40P01'; end $$` };
      let times = 0;
      await db.transaction(async (tx) => {
        if (++times === 1) tx.write(raise);
        tx.write(insert, [times]);
      });
      expect([times, await db.query(count)]).toEqual([2, [{ n: 1 }]]);
      const own = new Error('mine');
      await expect(
        db.transaction(async (tx) => {
          tx.write(insert, [7]);
          throw own;
        }),
      ).rejects.toBe(own);
      expect(await db.query(count)).toEqual([{ n: 1 }]);
    }));
});

it('documents arrive as they are, whatever is in them', async () => {
  const echo = {
    name: 'echo_documents',
    text: 'select t, n::int from unnest($1::text[]) with ordinality as t(t, n) order by n',
  };
  const db = new Database({ url: database.url, poolMax: 1 });
  try {
    for (const given of [[], [null], ['', null, '"\\{},NULL', 'é€😀 \n\t', 'x'.repeat(100_000)]])
      expect(await db.query(echo, [documents(given)])).toEqual(given.map((t, i) => ({ t, n: i + 1 })));
  } finally {
    await db.end();
  }
});

describe('a database that is ended', () => {
  it('tells of no connection that hears of the end of its server in the same moment, and before of each', async () => {
    const target = new URL(database.url);
    const port = Number(target.port || 5432);
    const host = target.searchParams.get('host') ?? target.hostname;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const proxy = createServer((client) => {
      const server = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
      server.on('data', (data) => client.write(data)).on('error', () => {});
      client.on('data', (data) => {
        server.write(data);
        // A Terminate from us, and one from the server that it meets on its way.
        if (data[0] === 0x58) client.write(farewell(), leave);
      });
      client.on('error', () => {}).on('close', () => server.destroy());
    });
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done));
    const url = new URL(database.url);
    url.searchParams.delete('host');
    url.hostname = '127.0.0.1';
    url.port = String((proxy.address() as { port: number }).port);
    const faults: string[] = [];
    const db = new Database({ url: url.href, poolMax: 1, onIdleFault: (error) => faults.push(error.message) });
    const [row] = await db.execute('select pg_backend_pid() as pid');
    await database.pool.query('select pg_terminate_backend($1)', [row!.pid]);
    await expect
      .poll(() => faults, { timeout: 20_000 })
      .toEqual(['terminating connection due to administrator command']);
    await db.execute('select 1');
    await db.end();
    await left;
    await new Promise((done) => setTimeout(done, 20));
    expect(faults).toHaveLength(1);
    await new Promise((done) => proxy.close(done));
  });
});
