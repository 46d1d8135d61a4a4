/** Looks for what would lose acknowledged data or hold the hub back, and says how to put it right. Changes nothing. */
import { statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import pg from 'pg';
import { CrossdockError, fail } from '../canonical/errors.ts';
import { readMigrationStatus, SQL_DIR } from './migrate.ts';

export interface Finding {
  /** stable, for machines: `store.fsync` */
  code: string;
  level: 'ok' | 'warning' | 'error';
  what: string;
  why: string;
  fix: string;
}

export interface DoctorOptions {
  sqlDir?: string;
  /** folder whose disk is looked at, when the database is on this machine */
  dataDir?: string;
  /** how old an open transaction may be */
  transactionSecondsMax?: number;
  /** TCP ports that must be free on 127.0.0.1 */
  ports?: number[];
}

export interface DoctorReport {
  findings: Finding[];
}

const VERSION_MIN = 15;
const VERSION_MAX = 18;
const TRANSACTION_SECONDS_MAX = 60;
const TRANSACTION_SECONDS_ERROR = 600;
const CLOCK_MS_WARN = 1000;
const CLOCK_MS_ERROR = 30_000;
const FREE_BYTES_WARN = 5 * 1024 ** 3;
const FREE_BYTES_ERROR = 1024 ** 3;
/** `local` and `off` answer before the WAL is on this machine's disk, or on the standby's where one was promised. */
const SYNCHRONOUS_SAFE = ['on', 'remote_write', 'remote_apply'];

/** @param url any PostgreSQL; one that can't be reached is a finding, not a fault */
export async function runDoctor(url: string, options: DoctorOptions = {}): Promise<DoctorReport> {
  const findings: Finding[] = [];
  const client = new pg.Client({
    connectionString: url,
    application_name: 'crossdock doctor',
    connectionTimeoutMillis: 5000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    for (const check of [
      checkVersion,
      checkDurability,
      checkEncoding,
      checkTimeouts,
      checkOpenTransactions,
      checkPreparedTransactions,
      checkConnections,
      checkClock,
      checkLogEpoch,
    ]) {
      findings.push(...(await check(client, options)));
    }
    findings.push(await checkMigrations(client, options.sqlDir ?? SQL_DIR));
  } catch (error) {
    findings.push({
      code: 'store.reachable',
      level: 'error',
      what: `the database can't be asked: ${(error as Error).message || (error as NodeJS.ErrnoException).code}`,
      why: 'nothing works without it',
      fix: 'start it, or correct DATABASE_URL (host, port, user, password, database)',
    });
  } finally {
    await client.end().catch(() => {});
  }
  if (options.dataDir) findings.push(await checkDisk(options.dataDir));
  for (const port of options.ports ?? []) findings.push(await checkPort(port));
  return { findings };
}

/**
 * For whoever is about to acknowledge: settings that hold for this connection and can lose what was answered stop it here.
 * @throws XD_STORE_UNSAFE with each setting and what to do about it
 */
export async function refuseUnsafe(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'crossdock doctor' });
  client.on('error', () => {});
  await client.connect();
  try {
    const unsafe = (await readDurability(client)).filter(({ level }) => level === 'error');
    if (unsafe.length === 0) return;
    const lines = unsafe.map(({ what, why, fix }) => `\n  ${what}: ${why}\n    fix: ${fix}`);
    fail('XD_STORE_UNSAFE', `the database can lose what was acknowledged:${lines.join('')}`, {
      settings: unsafe.map(({ code }) => code.replace('store.', '')),
    });
  } finally {
    await client.end();
  }
}

async function checkVersion(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query(`select current_setting('server_version_num')::int as number`);
  const major = Math.floor(rows[0].number / 10_000);
  const isSupported = major >= VERSION_MIN && major <= VERSION_MAX;
  return [
    {
      code: 'store.version',
      level: isSupported ? 'ok' : 'error',
      what: `PostgreSQL ${major}`,
      why: `Crossdock is tested on PostgreSQL ${VERSION_MIN} to ${VERSION_MAX}`,
      fix: isSupported ? '' : `use a server of version ${VERSION_MIN} to ${VERSION_MAX}`,
    },
  ];
}

const whyDurable: Readonly<Record<string, string>> = {
  fsync: 'without it a machine that stops may lose or corrupt what was acknowledged',
  full_page_writes: 'without it a page that was half-written when the machine stopped stays broken',
  synchronous_commit: 'otherwise an answer 2xx may be sent before its data is on disk',
};

/** Where a setting comes from is where it is put right. */
function fixOf(name: string, source: string): string {
  switch (source) {
    case 'database':
      return `alter database … reset ${name}`;
    case 'user':
      return `alter role … reset ${name}`;
    case 'database user':
      return `alter role … in database … reset ${name}`;
    case 'client':
    case 'environment variable':
      return `take ${name} out of the connection string's options and of PGOPTIONS`;
    default:
      return `alter system set ${name} = on; select pg_reload_conf()`;
  }
}

/** What holds for this connection: of server, database and role, whichever counts. */
async function readDurability(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query<{ name: string; setting: string; source: string }>(
    `select name, setting, source from pg_settings
      where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name`,
  );
  return rows.map(({ name, setting, source }) => {
    const isSafe = name === 'synchronous_commit' ? SYNCHRONOUS_SAFE.includes(setting) : setting === 'on';
    return {
      code: `store.${name}`,
      level: isSafe ? 'ok' : 'error',
      what: `${name} = ${setting} (from ${source})`,
      why: whyDurable[name]!,
      fix: isSafe ? '' : fixOf(name, source),
    };
  });
}

async function checkDurability(client: pg.Client): Promise<Finding[]> {
  const findings = await readDurability(client);
  // Another role or database may have its own; ours counts, but a hidden one has surprised people before.
  const overrides = await client.query<{ setting: string; place: string }>(
    `select config as setting, concat_ws(' in ', r.rolname, d.datname) as place
       from pg_db_role_setting s
       cross join lateral unnest(s.setconfig) as config
       left join pg_roles r on r.oid = s.setrole
       left join pg_database d on d.oid = s.setdatabase
      where config ~ '^synchronous_commit=(off|local)$'
        and (s.setdatabase = 0 or d.datname = current_database())`,
  );
  for (const { setting, place } of overrides.rows) {
    findings.push({
      code: 'store.synchronous_commit_override',
      level: 'error',
      what: `${setting} is set for ${place || 'everybody'}`,
      why: whyDurable.synchronous_commit!,
      fix: 'alter role … reset synchronous_commit, or alter database … reset synchronous_commit',
    });
  }
  return findings;
}

async function checkEncoding(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query(
    'select pg_encoding_to_char(encoding) as encoding from pg_database where datname = current_database()',
  );
  const { encoding } = rows[0];
  return [
    {
      code: 'store.encoding',
      level: encoding === 'UTF8' ? 'ok' : 'error',
      what: `encoding ${encoding}`,
      why: 'names and addresses come in every script; another encoding refuses or changes them',
      fix: encoding === 'UTF8' ? '' : "create the database anew: create database … template template0 encoding 'UTF8'",
    },
  ];
}

async function checkTimeouts(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query(
    `select setting::int as ms from pg_settings where name = 'idle_in_transaction_session_timeout'`,
  );
  const { ms } = rows[0];
  return [
    {
      code: 'store.idle_in_transaction_session_timeout',
      level: ms > 0 ? 'ok' : 'warning',
      what: ms > 0 ? `idle_in_transaction_session_timeout = ${ms} ms` : 'idle_in_transaction_session_timeout is off',
      why: 'one forgotten open transaction, in any database of the server, holds every reader of the log back',
      fix: ms > 0 ? '' : "alter system set idle_in_transaction_session_timeout = '60s', then reload",
    },
  ];
}

async function checkOpenTransactions(client: pg.Client, options: DoctorOptions): Promise<Finding[]> {
  const secondsMax = options.transactionSecondsMax ?? TRANSACTION_SECONDS_MAX;
  // Of the whole server: the log's readers stop at the oldest transaction id of any database. Others' statements aren't shown.
  const { rows } = await client.query(
    `select pid, coalesce(datname, '') as datname, coalesce(application_name, '') as application_name, state,
            extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
       from pg_stat_activity
      where xact_start is not null and pid <> pg_backend_pid() and backend_type <> 'autovacuum worker'
        and (backend_xid is not null or backend_xmin is not null or state like 'idle in transaction%')
        and clock_timestamp() - xact_start > make_interval(secs => $1)
      order by xact_start limit 5`,
    [secondsMax],
  );
  if (rows.length === 0) {
    return [
      {
        code: 'store.open_transactions',
        level: 'ok',
        what: `no transaction is older than ${secondsMax} s`,
        why: 'an old one holds every reader of the log back, and the clean-up of dead rows',
        fix: '',
      },
    ];
  }
  return rows.map(({ pid, datname, application_name, state, seconds }) => ({
    code: 'store.open_transactions',
    level: seconds > TRANSACTION_SECONDS_ERROR ? 'error' : 'warning',
    what: `process ${pid} (${application_name || 'no name'}, database ${datname}, ${state}) has been in a transaction for ${Math.round(seconds)} s`,
    why: 'it holds every reader of the log back, and the clean-up of dead rows',
    fix: `end its work, or: select pg_terminate_backend(${pid})`,
  }));
}

async function checkPreparedTransactions(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query('select gid, database from pg_prepared_xacts order by prepared limit 5');
  return rows.map(({ gid, database }) => ({
    code: 'store.prepared_transactions',
    level: 'error' as const,
    what: `prepared transaction ${gid} in database ${database} was never finished`,
    why: 'it holds every reader of the log back, and survives restarts',
    fix: `commit prepared '${gid}', or rollback prepared '${gid}', there`,
  }));
}

async function checkConnections(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query(
    `select current_setting('max_connections')::int as most,
            (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used`,
  );
  const { most, used } = rows[0];
  const isTight = most - used < 20;
  return [
    {
      code: 'store.connections',
      level: isTight ? 'warning' : 'ok',
      what: `${used} of ${most} connections are in use`,
      why: 'a hub process uses up to 20',
      fix: isTight ? 'raise max_connections, or close other clients' : '',
    },
  ];
}

async function checkClock(client: pg.Client): Promise<Finding[]> {
  const before = Date.now();
  const { rows } = await client.query('select extract(epoch from clock_timestamp())::float8 * 1000 as ms');
  // The answer was made somewhere between question and arrival; half the way is the best guess.
  const off = Math.round(rows[0].ms - (before + Date.now()) / 2);
  const level = Math.abs(off) > CLOCK_MS_ERROR ? 'error' : Math.abs(off) > CLOCK_MS_WARN ? 'warning' : 'ok';
  return [
    {
      code: 'store.clock',
      level,
      what: `the database's clock differs from this machine's by ${off} ms`,
      why: "expiry and leases use the database's clock alone; logs and tokens use this machine's",
      fix: level === 'ok' ? '' : 'keep both machines on NTP',
    },
  ];
}

/** In a cluster that the log was not written in, its readers would wait for transaction ids that are far away, and skip what is new. */
async function checkLogEpoch(client: pg.Client): Promise<Finding[]> {
  const { rows: tables } = await client.query(
    `select to_regclass('log_cursor') is not null and to_regclass('log_epoch') is not null as there`,
  );
  if (!tables[0].there) return [];
  const { rows } = await client.query<{ now: string; ahead: string | null }>(
    `select pg_snapshot_xmax(pg_current_snapshot())::text as now,
            (select max(t.id)::text from (
               select transaction_id as id from log_cursor where epoch = e.epoch
               union all
               (select transaction_id from fact where position > e.after_position order by transaction_id desc limit 1)) as t
              where t.id >= pg_snapshot_xmax(pg_current_snapshot())) as ahead
       from log_epoch e order by e.epoch desc limit 1`,
  );
  const ahead = rows[0]?.ahead ?? null;
  return [
    {
      code: 'store.log_epoch',
      level: ahead === null ? 'ok' : 'error',
      what:
        ahead === null
          ? 'the log was written in this cluster, or read on from where it came'
          : `the log names transaction ${ahead}, this cluster has come to ${rows[0]!.now}`,
      why: 'after a restore into another cluster transaction ids start again: nothing new would be read',
      fix: ahead === null ? '' : 'stop the hub and run: npx crossdock restored',
    },
  ];
}

async function checkMigrations(client: pg.Client, dir: string): Promise<Finding> {
  const base = { code: 'store.migrations', why: 'code and schema belong together' };
  try {
    const { already, pending } = await readMigrationStatus(client, dir);
    if (pending.length === 0) return { ...base, level: 'ok', what: `all ${already} migrations are applied`, fix: '' };
    const names = pending.map((file) => file.name).join(', ');
    return { ...base, level: 'error', what: `not applied yet: ${names}`, fix: 'run: npx crossdock migrate' };
  } catch (error) {
    if (!(error instanceof CrossdockError)) throw error;
    return {
      ...base,
      level: 'error',
      what: error.message,
      fix: 'run the version of Crossdock that fits this database',
    };
  }
}

async function checkDisk(dataDir: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(dataDir);
  const free = bavail * bsize;
  const level = free < FREE_BYTES_ERROR ? 'error' : free < FREE_BYTES_WARN ? 'warning' : 'ok';
  return {
    code: 'store.disk',
    level,
    what: `${(free / 1024 ** 3).toFixed(1)} GB are free for ${dataDir}`,
    why: 'a full disk stops the database; nothing acknowledged is lost, nothing new is taken',
    fix: level === 'ok' ? '' : 'free some space, or shorten what is kept',
  };
}

async function checkPort(port: number): Promise<Finding> {
  const probe = createServer();
  const problem = await new Promise<string>((done) => {
    probe.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    probe.listen(port, '127.0.0.1', () => probe.close(() => done('')));
  });
  return {
    code: 'setup.port',
    level: problem ? 'warning' : 'ok',
    what: problem ? `port ${port} on 127.0.0.1 is taken (${problem})` : `port ${port} on 127.0.0.1 is free`,
    why: 'the API and the console listen there',
    fix: problem ? 'fine if that is a running Crossdock; otherwise stop the other program or set PORT' : '',
  };
}
