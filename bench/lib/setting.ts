/** A database of its own for one benchmark: a real server with production settings, migrated, gone afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate } from '../../src/store/migrate.ts';

export interface Setting {
  url: string;
  /** For preparation, checks and vacuum; never measured. */
  admin: pg.Client;
  /** Every row of `select text`. */
  rows<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** With BENCH_DATABASE_URL a new database on that server; else an embedded server in a folder of its own. */
export async function openSetting(): Promise<Setting> {
  const given = process.env.BENCH_DATABASE_URL;
  const ends: (() => Promise<unknown>)[] = [];
  let url: string;
  if (given === undefined) {
    const dir = await mkdtemp(join(tmpdir(), 'xd-bench-'));
    ends.push(() => rm(dir, { recursive: true, force: true }));
    const server = await startEmbeddedPostgres({ dir });
    ends.push(() => server.stop());
    url = server.url;
  } else {
    const name = `crossdock_bench_${process.pid}`;
    await administer(given, `create database ${name}`);
    ends.push(() => administer(given, `drop database if exists ${name} with (force)`));
    const own = new URL(given);
    own.pathname = `/${name}`;
    url = own.href;
  }
  await migrate(url);
  const admin = new pg.Client({ connectionString: url, application_name: 'bench admin' });
  await admin.connect();
  ends.push(() => admin.end());
  return {
    url,
    admin,
    rows: async <Row>(text: string, values: unknown[] = []) => (await admin.query(text, values)).rows as Row[],
    close: async () => {
      for (const end of ends.reverse()) await end();
    },
  };
}

/** The baselines' connections: plain `pg`, statements prepared once per connection, settings as the hub's. */
export async function openPool(url: string, connections: number): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString: url,
    max: connections,
    idleTimeoutMillis: 0,
    options: '-c jit=off',
    application_name: 'bench baseline',
  });
  pool.on('error', () => {});
  const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
  for (const client of clients) client.release();
  return pool;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
