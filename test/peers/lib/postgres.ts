/** A private PostgreSQL per peer: a cluster in its state folder, a template with the seed, and the database that is used. */

import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { PeerFault } from './fault.ts';
import { HOST, refuseTakenPort } from './ports.ts';
import { lastLines, logFileIn, memoryMibOf, runStep } from './processes.ts';

export const PG_USER = 'peer';
export const PG_PASSWORD = 'peer';
/** Only where no PostgreSQL is found; Debian 12 has 15. */
export const PG_PACKAGE = 'postgresql-15';

/** The folder with `initdb` and `pg_ctl`: PG_BIN, Debian's places, or what `pg_config` says. */
export function postgresBin(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const places = existsSync(debian)
    ? readdirSync(debian)
        .sort((a, b) => Number(b) - Number(a))
        // What the peers were tried with comes first.
        .sort((a, b) => Number(b === '15') - Number(a === '15'))
        .map((version) => join(debian, version, 'bin'))
    : [];
  const told = String(spawnSync('pg_config', ['--bindir']).stdout ?? '').trim();
  return [process.env.PG_BIN, ...places, told].find((bin) => bin && existsSync(join(bin, 'initdb')));
}

/** PostgreSQL does not run as root: then it runs as `postgres`, or as `nobody`. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(user?.[2] ?? 65534), gid: Number(user?.[3] ?? 65534) };
}

export class PeerPostgres {
  readonly #peer: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #variable: string;
  readonly #data: string;

  constructor(peer: string, folder: string, port: number, variable: string) {
    this.#peer = peer;
    this.#folder = folder;
    this.#port = port;
    this.#variable = variable;
    this.#data = join(folder, 'pgdata');
  }

  url(database: string): string {
    return `postgresql://${PG_USER}:${PG_PASSWORD}@${HOST}:${this.#port}/${database}`;
  }

  async start(): Promise<void> {
    if (await this.isRunning()) return;
    await refuseTakenPort(this.#peer, this.#port, this.#variable);
    await this.#create();
    // Left by one that was killed; its port is free, so nobody works in this folder.
    rmSync(join(this.#data, 'postmaster.pid'), { force: true });
    const log = join(this.#data, 'server.log');
    const options = `-p ${this.#port}`;
    await this.#tool('pg_ctl', ['-D', this.#data, '-o', options, '-l', log, '-w', '-t', '60', 'start']).catch(
      (error) => {
        throw new PeerFault('step_failed', {
          what: `PostgreSQL of ${this.#peer} did not start`,
          where: log,
          why: lastLines(log) || String(error),
        });
      },
    );
  }

  async stop(): Promise<void> {
    if (await this.isRunning()) await this.#tool('pg_ctl', ['-D', this.#data, '-m', 'fast', '-w', '-t', '60', 'stop']);
  }

  /** The one that answers on the port must work in our folder: its own pid file may be older than the machine's last start. */
  async isRunning(): Promise<boolean> {
    if (!existsSync(join(this.#data, 'postmaster.pid'))) return false;
    try {
      const rows = await this.query('postgres', `select current_setting('data_directory') as folder`);
      return rows[0]?.folder === this.#data;
    } catch {
      return false;
    }
  }

  memoryMib(): number {
    try {
      return memoryMibOf(Number(readFileSync(join(this.#data, 'postmaster.pid'), 'utf8').split('\n')[0]));
    } catch {
      return 0;
    }
  }

  async query(database: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 5000 });
    client.on('error', () => {}); // A server that is stopped says so to whoever is connected.
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  async has(database: string): Promise<boolean> {
    return (await this.query('postgres', `select 1 from pg_database where datname = '${database}'`)).length > 0;
  }

  async drop(database: string): Promise<void> {
    await this.query('postgres', `drop database if exists ${database} with (force)`);
  }

  async createEmpty(database: string): Promise<void> {
    await this.drop(database);
    await this.query('postgres', `create database ${database}`);
  }

  /** `to` becomes a copy of `from`: how a template is kept, and how the live database goes back to it. */
  async copy(from: string, to: string): Promise<void> {
    await this.drop(to);
    await this.query('postgres', `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${from}'`);
    await this.query('postgres', `create database ${to} template ${from} strategy file_copy`);
  }

  async #create(): Promise<void> {
    if (existsSync(join(this.#data, 'peer.ok'))) return;
    rmSync(this.#data, { recursive: true, force: true });
    mkdirSync(this.#data, { recursive: true, mode: 0o700 });
    const user = owner();
    if (user) chownSync(this.#data, user.uid, user.gid);
    const password = join(this.#folder, 'pg-password');
    writeFileSync(password, PG_PASSWORD, { mode: 0o644 });
    await this.#tool('initdb', [
      '-D',
      this.#data,
      '-U',
      PG_USER,
      `--pwfile=${password}`,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C.UTF-8',
      '-N',
    ]);
    // Tests kill processes, not machines: nothing has to be on disk, and making a schema is several times faster so.
    appendFileSync(
      join(this.#data, 'postgresql.conf'),
      [
        `listen_addresses = '${HOST}'`,
        `unix_socket_directories = ''`,
        'max_connections = 200',
        'shared_buffers = 256MB',
        'jit = off',
        'fsync = off',
        'full_page_writes = off',
        'synchronous_commit = off',
        'wal_level = minimal',
        'max_wal_senders = 0',
        '',
      ].join('\n'),
    );
    writeFileSync(join(this.#data, 'peer.ok'), '');
  }

  #tool(name: string, args: readonly string[]): Promise<void> {
    const bin = postgresBin();
    if (!bin)
      throw new PeerFault('step_failed', {
        what: 'no PostgreSQL was found',
        next: 'set PG_BIN to the folder with initdb',
      });
    return runStep(name, logFileIn(this.#folder, name), { file: join(bin, name), args, cwd: '/', ...owner() });
  }
}
