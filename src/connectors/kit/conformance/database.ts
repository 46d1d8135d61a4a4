/**
 * A PostgreSQL that stands in for a legacy system's: real, with a schema and a role of their own for each check, behind a proxy that cuts. The
 * suite moves rows about in its tables, makes it fail with the server's own codes, and looks into it from beside.
 */
import { randomBytes } from 'node:crypto';
import { type DatabaseProxy, databaseProxy } from './database-proxy.ts';
import type { FeedRow, FeedRows, Spoil, Stand } from './describe.ts';

export interface DatabaseDescription {
  /** Tables and functions of the system. They are made in a schema of their own, which is the first that is looked in. */
  setUp: string;
  /** What stands in the tables that writes need, and feeds don't list; done before the first write. Not those that writes change. */
  forWrites?: string;
  /** What rows of a feed are in its tables. Values that a column can't hold are the author's to leave out: they never come from there. */
  feeds: Readonly<
    Record<string, { tables: readonly string[]; rowsOf(row: FeedRow): Readonly<Record<string, readonly object[]>> }>
  >;
  /** By kind: how often a reference (`$1`) had an effect, as `n`. */
  effects: Readonly<Record<string, string>>;
  /** Ends an order (`$1`), so that no lines are added to it any more. */
  ends?: string;
  /** Tables that writes change: there they are refused, and fail. */
  written: readonly string[];
}

/** What only a database can do. */
export interface Database {
  proxy: DatabaseProxy;
  /** The connector's own login. */
  role: string;
  /** The tables that feeds read. */
  tables: readonly string[];
  written: readonly string[];
  /** As the system's own administrator, past the proxy. */
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** From now on each row that is read (or written) fails so; null: no more. */
  fail(what: 'read' | 'write', sqlState: string | null): Promise<void>;
  /** From now on a row is only given to a transaction that can't write. */
  demandReadOnly(): Promise<void>;
  /** Holds what keeps others out of these tables, until it is let go. */
  hold(tables: readonly string[]): Promise<() => Promise<void>>;
  /** What connections of the connector are doing. */
  sessions(): Promise<{ state: string; query: string }[]>;
}

/** What is raised, by which code of the server, is said here and read at each row. */
const CONTROL = `
create table conformance_control (what text primary key, value text);
create table conformance_refused (reference text);
create function conformance_read() returns boolean language plpgsql security definer as $f$
declare code text;
begin
  if exists (select from conformance_control where what = 'read_only') and current_setting('transaction_read_only') <> 'on' then
    raise exception 'read by a transaction that may write';
  end if;
  select value into code from conformance_control where what = 'read';
  if code is not null then raise exception 'as the suite wants it' using errcode = code; end if;
  return true;
end $f$;
create function conformance_write() returns trigger language plpgsql security definer as $f$
declare code text;
begin
  select value into code from conformance_control where what = 'write';
  if code is not null then raise exception 'as the suite wants it' using errcode = code; end if;
  if exists (select from conformance_refused r where strpos(to_jsonb(new)::text, r.reference) > 0) then
    raise exception 'refused alone' using errcode = '23514';
  end if;
  return new;
end $f$;`;

export async function databaseStand(
  rows: FeedRows,
  spoil: Spoil,
  serverUrl: string,
  password: string,
  description: DatabaseDescription,
): Promise<Stand> {
  const { default: pg } = await import('pg');
  const name = `conformance_${randomBytes(6).toString('hex')}`;
  const tables = [...new Set(Object.values(description.feeds).flatMap((feed) => feed.tables))];
  const guarded = [...new Set([...tables, ...description.written])];
  const admin = new pg.Pool({ connectionString: serverUrl, max: 3, options: `-c search_path=${name},public` });
  admin.on('error', () => {});
  admin.on('connect', (client) => client.on('error', () => {}));
  const query: Database['query'] = async (text, values) => (await admin.query(text, values)).rows;
  const own = new URL(serverUrl);
  own.username = name;
  own.password = '';
  const proxy = await databaseProxy(own.href);
  try {
    await query(`create schema ${name}; ${description.setUp}; ${CONTROL}`);
    const policies = guarded.map(
      (table) => `alter table ${table} enable row level security;
        create policy reads on ${table} for select using (conformance_read());
        create policy adds on ${table} for insert with check (true);
        create policy changes on ${table} for update using (true);
        create policy drops on ${table} for delete using (true);`,
    );
    const triggers = description.written.map(
      (table) =>
        `create trigger conformance before insert or update on ${table} for each row execute function conformance_write();`,
    );
    await query(`${policies.join('')} ${triggers.join('')}
      create role ${name} login password '${password}';
      alter role ${name} set search_path = ${name}, public;
      grant usage on schema ${name} to ${name};
      grant select, insert, update, delete on all tables in schema ${name} to ${name};
      grant usage on all sequences in schema ${name} to ${name};`);
    // Whatever its functions are called with, they look in the same place.
    const functions = await query(
      `select oid::regprocedure::text as f from pg_proc where pronamespace = '${name}'::regnamespace`,
    );
    await query(functions.map(({ f }) => `alter function ${f} set search_path = ${name}, public;`).join(' '));
  } catch (error) {
    await proxy.close();
    await admin.end();
    throw error;
  }

  const brought = new Map<string, string>();
  const refused: string[] = [];
  /** Once for all who write, also at once. */
  let ready: Promise<unknown> | undefined;
  const database: Database = {
    proxy,
    role: name,
    tables,
    written: description.written,
    query,
    async fail(what, sqlState) {
      await query('delete from conformance_control where what = $1', [what]);
      if (sqlState !== null) await query('insert into conformance_control values ($1, $2)', [what, sqlState]);
    },
    async demandReadOnly() {
      await query(`insert into conformance_control values ('read_only', 'on')`);
    },
    async hold(held) {
      const client = await admin.connect();
      await client.query(`begin; ${held.map((table) => `lock table ${table} in access exclusive mode;`).join(' ')}`);
      return async () => {
        await client.query('rollback');
        client.release();
      };
    },
    sessions: async () =>
      (await query(`select state, query from pg_stat_activity where usename = $1 and pid <> pg_backend_pid()`, [
        name,
      ])) as { state: string; query: string }[],
  };

  async function bring(feed: string, list: readonly FeedRow[]): Promise<void> {
    const { tables: own, rowsOf } = description.feeds[feed]!;
    const all: Record<string, object[]> = {};
    for (const row of list)
      for (const [table, found] of Object.entries(rowsOf(row))) all[table] = [...(all[table] ?? []), ...found];
    const text = JSON.stringify(all);
    if (brought.get(feed) === text || (list.length === 0 && !brought.has(feed))) return;
    brought.set(feed, text);
    const client = await admin.connect();
    try {
      await client.query('begin');
      for (const table of own) {
        await client.query(`delete from ${table}`);
        const spoilt = String(spoil(JSON.stringify(all[table] ?? [])));
        await client.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, [
          spoilt,
        ]);
      }
      await client.query('commit');
    } finally {
      client.release();
    }
  }

  return {
    url: proxy.url,
    database,
    async bring() {
      for (const [feed, list] of Object.entries(rows)) await bring(feed, list);
    },
    async ready() {
      if (description.forWrites !== undefined) ready ??= query(description.forWrites);
      await ready;
      for (const reference of refused.splice(0))
        await query('insert into conformance_refused values ($1)', [reference]);
    },
    writes: () => proxy.statements.filter((text) => /^\s*commit/i.test(text)).length,
    effects: async (kind, reference) => Number((await query(description.effects[kind]!, [reference]))[0]!.n),
    refuse: (reference) => void refused.push(reference),
    ...(description.ends !== undefined && {
      endOrder: async (order: string) => void (await query(description.ends!, [order])),
    }),
    async close() {
      await proxy.close();
      await query(`drop schema ${name} cascade; drop owned by ${name}; drop role ${name}`);
      await admin.end();
    },
  };
}
