/** Brings a database to the schema of this code: `sql/NNNN_name.sql`, in order, each once, each in its own transaction. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { fail } from '../canonical/errors.ts';

/** The schema's files: `sql/` beside `src/` in a checkout, beside `dist/` in a package. */
export const SQL_DIR = fileURLToPath(new URL('../../sql', import.meta.url));

export interface MigrateOptions {
  dir?: string;
  /** how long to wait for another migration of the same database */
  lockWaitMsMax?: number;
  log?: (line: string) => void;
}

export interface Migrated {
  /** names of the files applied now, in order */
  applied: string[];
  /** how many had been applied before */
  already: number;
}

export interface MigrationFile {
  name: string;
  sha256: string;
  text: string;
}

export interface MigrationStatus {
  already: number;
  pending: MigrationFile[];
}

type Client = Pick<pg.Client, 'query'>;

const NAME = /^(\d{4})_[a-z0-9_]+\.sql$/;
/** Any constant will do, as long as nobody else uses it: the bytes of "xdockmig". */
const LOCK_KEY = '8675409302586976615';
const LOCK_WAIT_MS_MAX = 120_000;

/**
 * Applies what is missing. Any number of processes may call it at once: one works, the others wait and find nothing to do.
 * @param target a URL, or a connected client that nobody else uses meanwhile (not a pool: the lock belongs to a session)
 * @throws XD_STORE_MIGRATION with `details.reason`: edited, ahead, order, files, failed, locked
 */
export async function migrate(
  target: string | pg.Client | pg.PoolClient,
  options: MigrateOptions = {},
): Promise<Migrated> {
  if (typeof target !== 'string') return migrateOn(target, options);
  const client = new pg.Client({ connectionString: target, application_name: 'crossdock migrate' });
  client.on('error', () => {});
  await client.connect();
  try {
    return await migrateOn(client, options);
  } finally {
    await client.end();
  }
}

/** Compares the database with the files and changes nothing. @throws XD_STORE_MIGRATION as {@link migrate} does */
export async function readMigrationStatus(client: Client, dir = SQL_DIR): Promise<MigrationStatus> {
  const files = await readMigrationFiles(dir);
  const applied = await listApplied(client);
  const known = new Map(files.map((file) => [file.name, file]));
  for (const row of applied) {
    const file = known.get(row.name);
    if (!file) {
      fail(
        'XD_STORE_MIGRATION',
        `the database has ${row.name}, which this code doesn't know: it was migrated by a newer version; run that one`,
        { reason: 'ahead', name: row.name },
      );
    }
    if (file.sha256 !== row.sha256) {
      fail(
        'XD_STORE_MIGRATION',
        `${row.name} was edited after this database had applied it; restore the file and put the change into a new one ` +
          '(a database of no value may be made anew instead)',
        { reason: 'edited', name: row.name, expected: row.sha256, found: file.sha256 },
      );
    }
  }
  const names = new Set(applied.map((row) => row.name));
  const pending = files.filter((file) => !names.has(file.name));
  const last = applied.at(-1)?.name ?? '';
  const late = pending.find((file) => file.name < last);
  if (late) {
    fail(
      'XD_STORE_MIGRATION',
      `${late.name} comes before ${last}, which is applied already; number it after that one`,
      {
        reason: 'order',
        name: late.name,
        last,
      },
    );
  }
  return { already: applied.length, pending };
}

/** Reads the files in order. Line ends don't count for the hash: git may write them as the platform likes. */
export async function readMigrationFiles(dir = SQL_DIR): Promise<MigrationFile[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.sql')).sort();
  const numbers = new Map<string, string>();
  const files: MigrationFile[] = [];
  for (const name of names) {
    const number = NAME.exec(name)?.[1];
    const twin = number && numbers.get(number);
    if (!number || twin) {
      fail(
        'XD_STORE_MIGRATION',
        twin ? `${name} and ${twin} have the same number` : `${name} is not named like 0007_what_it_does.sql`,
        { reason: 'files', name, dir },
      );
    }
    numbers.set(number, name);
    const text = (await readFile(join(dir, name), 'utf8')).replaceAll('\r\n', '\n');
    files.push({ name, text, sha256: createHash('sha256').update(text).digest('hex') });
  }
  return files;
}

async function migrateOn(client: Client, options: MigrateOptions): Promise<Migrated> {
  const dir = options.dir ?? SQL_DIR;
  const before = await readMigrationStatus(client, dir);
  if (before.pending.length === 0) return { applied: [], already: before.already };

  await lock(client, options.lockWaitMsMax ?? LOCK_WAIT_MS_MAX);
  try {
    await client.query(`
      create table if not exists crossdock_migration (
        name text collate "C" primary key,
        sha256 text collate "C" not null,
        applied_at timestamptz not null default clock_timestamp()
      )`);
    // Read again: whoever held the lock before us may have done it all.
    const { already, pending } = await readMigrationStatus(client, dir);
    for (const file of pending) {
      await apply(client, file);
      options.log?.(`applied ${file.name}`);
    }
    return { applied: pending.map((file) => file.name), already };
  } finally {
    await client.query(`select pg_advisory_unlock(${LOCK_KEY})`).catch(() => {});
  }
}

/** Asked for again and again, not waited for: a session that waits inside a statement keeps a snapshot open all the while. */
async function lock(client: Client, waitMsMax: number): Promise<void> {
  const started = performance.now();
  for (;;) {
    const { rows } = await client.query(`select pg_try_advisory_lock(${LOCK_KEY}) as taken`);
    if (rows[0].taken) return;
    if (performance.now() - started > waitMsMax) {
      fail('XD_STORE_MIGRATION', `another migration of this database has been running for ${waitMsMax} ms`, {
        reason: 'locked',
      });
    }
    await wait(20 + Math.random() * 80);
  }
}

async function apply(client: Client, file: MigrationFile): Promise<void> {
  try {
    await client.query('begin');
    await client.query(file.text);
    await client.query('insert into crossdock_migration (name, sha256) values ($1, $2)', [file.name, file.sha256]);
    await client.query('commit');
  } catch (cause) {
    await client.query('rollback').catch(() => {});
    const { message, position } = cause as { message: string; position?: string };
    const line = position ? file.text.slice(0, Number(position)).split('\n').length : undefined;
    fail(
      'XD_STORE_MIGRATION',
      `${file.name}${line ? ` line ${line}` : ''}: ${message}; nothing of this file was applied`,
      { reason: 'failed', name: file.name, line },
      { cause },
    );
  }
}

async function listApplied(client: Client): Promise<{ name: string; sha256: string }[]> {
  const found = await client.query(`select to_regclass('crossdock_migration') is not null as exists`);
  if (!found.rows[0].exists) return [];
  return (await client.query('select name, sha256 from crossdock_migration order by name')).rows;
}
