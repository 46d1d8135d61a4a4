import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';

export interface TestDatabase {
  url: string;
  name: string;
  pool: pg.Pool;
  /** Drops the database. @throws when a client is still connected or a transaction still open: the test leaked it. */
  drop(): Promise<void>;
}

/** How long a client that was ended may take to leave the server's list. */
const LEAVE_MS_MAX = 2000;

/**
 * Clones a database from the migrated template.
 * `wal_log` copies the template's few pages through the buffers; `file_copy` forces two checkpoints of the whole server, which
 * the tests that run meanwhile feel. Measured on an idle server with this schema: 460 ms and 15 to drop, against 530 and 50.
 */
export async function createTestDatabase({ empty = false }: { empty?: boolean } = {}): Promise<TestDatabase> {
  const serverUrl = inject('databaseUrl');
  const name = `crossdock_test_${process.pid}_${randomBytes(5).toString('hex')}`;
  const template = empty ? 'template0' : inject('databaseTemplate');
  await administer(serverUrl, `create database ${name} template ${template} strategy wal_log`);
  const address = new URL(serverUrl);
  address.pathname = `/${name}`;
  const pool = new pg.Pool({ connectionString: address.href, max: 10, application_name: 'test pool' });
  // The server may be killed by a test, which cuts idle clients.
  pool.on('error', () => {});
  return { url: address.href, name, pool, drop: () => drop(serverUrl, name, pool) };
}

/** A database for the tests of one file, dropped when they are over. Read its parts inside tests and hooks only. */
export function useDatabase(options: { empty?: boolean } = {}): { readonly url: string; readonly pool: pg.Pool } {
  let database: TestDatabase | undefined;
  beforeAll(async () => {
    database = await createTestDatabase(options);
  });
  afterAll(async () => {
    await database?.drop();
  });
  const given = () => database ?? missing();
  return {
    get url() {
      return given().url;
    },
    get pool() {
      return given().pool;
    },
  };
}

async function drop(serverUrl: string, name: string, pool: pg.Pool): Promise<void> {
  const inUse = pool.totalCount - pool.idleCount;
  // A pool waits for ever for a client that was never given back.
  const ended = inUse === 0 ? pool.end() : undefined;
  await ended;
  const leaks = await listLeaks(serverUrl, name);
  await administer(serverUrl, `drop database if exists ${name} with (force)`);
  if (inUse > 0) throw new Error(`${inUse} clients were taken from the test's pool and not released`);
  if (leaks.length > 0) throw new Error(`connections to the test's database were left open:\n${leaks.join('\n')}`);
}

async function listLeaks(serverUrl: string, name: string): Promise<string[]> {
  const until = Date.now() + LEAVE_MS_MAX;
  for (;;) {
    const rows = await administer(
      serverUrl,
      `select application_name, state, xact_start is not null as in_transaction, left(query, 200) as query
         from pg_stat_activity
        where datname = '${name}' and backend_type = 'client backend'`,
    );
    const leaks = rows.map((row) =>
      [row.application_name, row.state, row.in_transaction ? 'IN A TRANSACTION' : '', row.query].join(' | '),
    );
    if (leaks.length === 0 || Date.now() > until) return leaks;
    await new Promise((done) => setTimeout(done, 20));
  }
}

async function administer(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'test helper' });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

function missing(): never {
  throw new Error('the database of this file exists inside its tests and hooks only');
}
