import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { CrossdockError, fail } from '../../canonical/errors.ts';
import { findFreePort, makeSocketDir } from './address.ts';
import { findBinaries } from './binaries.ts';
import { claim, findOwner, type Owner, publish, release } from './claim.ts';
import { clearAway, initialise, prepareFolder, ROLE, refuseOtherVersion } from './data-folder.ts';
import { diskFull, rethrowFileError, unwritable } from './faults.ts';
import { type Guarded, spawnGuarded } from './guard.ts';
import { signal } from './processes.ts';
import { choosePlace, handOver, type Place, type RunAs } from './run-as.ts';
import { type Settings, writeSettings } from './settings.ts';

export interface EmbeddedOptions {
  /** where the data lies, `.crossdock/pg` unless told */
  dir?: string;
  /** for TCP on 127.0.0.1; without it the last one, else any free one */
  port?: number;
  /** PostgreSQL settings over ours; those that keep acknowledged data can't be changed */
  settings?: Settings;
  log?: (line: string) => void;
  /** told when the server ends although nobody asked it to */
  onUnexpectedEnd?: (ended: { code: number | null }) => void;
  /** one way of running it as root instead of the first that works; for tests */
  runAs?: RunAs['kind'];
}

export interface EmbeddedPostgres {
  /** through the Unix socket, which only this user can reach: quickest */
  readonly url: string;
  /** through 127.0.0.1, with its password, for tools of one's own */
  readonly tcpUrl: string;
  readonly socketDir: string;
  readonly port: number;
  readonly dataDir: string;
  readonly runAs: RunAs['kind'];
  /** the server's process, undefined while it is stopped or killed */
  readonly pid: number | undefined;
  readonly guardPid: number | undefined;
  /** fast (the default) rolls back what is open and writes a checkpoint; immediate recovers at the next start */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** kills the server's process, as a machine that fails would; the folder stays ours, {@link restart} recovers */
  kill(): Promise<void>;
  /** stops it if it runs and starts it again on the same port and socket */
  restart(mode?: 'fast' | 'immediate'): Promise<void>;
}

const DEFAULT_DIR = '.crossdock/pg';
const DATABASE = 'crossdock';
const START_SECONDS_MAX = 60;
const RECOVERY_SECONDS_MAX = 3600;
const STOP_SECONDS_MAX = 30;
const LOG_BYTES_MAX = 10 * 1024 * 1024;

/**
 * Starts a real PostgreSQL 18 as a child of this process and returns once it answers.
 * It ends with this process, whatever ends it, and first clears away what an earlier, killed one left.
 * @throws XD_STORE_EMBEDDED with `details.reason`: in_use, port_taken, disk_full, dir_unwritable, root_refused, no_user_name,
 *   platform_unsupported, start_failed; XD_STORE_VERSION when the data was written by another version
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions = {}): Promise<EmbeddedPostgres> {
  const log = options.log ?? (() => {});
  const askedDir = resolve(options.dir ?? DEFAULT_DIR);
  const binaries = await findBinaries();
  await prepareFolder(askedDir);
  const owner = await claim(askedDir);
  try {
    const place = await choosePlace(askedDir, binaries, log, options.runAs);
    const dataDir = join(place.dir, 'data');
    await clearAway(dataDir, log);
    await initialise(place, dataDir, log);
    await refuseOtherVersion(dataDir);
    const server = new Server(place, dataDir, owner, askedDir, options, log);
    await server.start();
    return server;
  } catch (error) {
    await release(askedDir, owner);
    rethrowFileError(error, askedDir);
  }
}

/** @returns where the embedded database of this folder answers right now, started by whichever process */
export async function findRunningEmbedded(dir = DEFAULT_DIR): Promise<Owner['server'] | undefined> {
  return (await findOwner(resolve(dir)))?.server;
}

class Server implements EmbeddedPostgres {
  readonly dataDir: string;
  readonly runAs: RunAs['kind'];
  port = 0;
  socketDir = '';
  private readonly place: Place;
  private readonly owner: Owner;
  private readonly claimedDir: string;
  private readonly options: EmbeddedOptions;
  private readonly log: (line: string) => void;
  private readonly logFile: string;
  private password = '';
  private guarded: Guarded | undefined;
  private isStopping = false;

  constructor(
    place: Place,
    dataDir: string,
    owner: Owner,
    claimedDir: string,
    options: EmbeddedOptions,
    log: (line: string) => void,
  ) {
    this.place = place;
    this.dataDir = dataDir;
    this.owner = owner;
    this.claimedDir = claimedDir;
    this.options = options;
    this.log = log;
    this.runAs = place.runAs.kind;
    this.logFile = join(place.dir, 'server.log');
  }

  get url(): string {
    // The host in the query wins over the one in front of it, which is there for readers that refuse an empty one.
    return `postgres://${ROLE}@localhost:${this.port}/${DATABASE}?host=${encodeURIComponent(this.socketDir)}`;
  }

  get tcpUrl(): string {
    return `postgres://${ROLE}:${this.password}@127.0.0.1:${this.port}/${DATABASE}`;
  }

  get pid(): number | undefined {
    return this.guarded?.hasEnded() === false ? this.guarded.serverPid : undefined;
  }

  get guardPid(): number | undefined {
    return this.pid === undefined ? undefined : this.guarded?.guardPid;
  }

  async start(): Promise<void> {
    this.password = (await readFile(join(this.place.dir, 'password'), 'utf8')).trim();
    this.socketDir = await makeSocketDir(this.place);
    await shortenLog(this.logFile);
    const lastPort = Number(await readFile(join(this.place.dir, 'port'), 'utf8').catch(() => '0'));
    const fixedPort = this.port || this.options.port;
    for (let attempt = 0; ; attempt += 1) {
      this.port = fixedPort ?? (attempt === 0 && lastPort ? lastPort : await findFreePort());
      try {
        await this.launch();
        break;
      } catch (error) {
        // Another process may take a free port between our look and the server's; one that was asked for is not given up.
        const mayMove =
          error instanceof CrossdockError && error.details.reason === 'port_taken' && fixedPort === undefined;
        if (!mayMove || attempt >= 5) throw error;
      }
    }
    await writeFile(join(this.place.dir, 'port'), String(this.port));
    await this.ensureDatabase();
    this.owner.server = {
      url: this.url,
      tcpUrl: this.tcpUrl,
      port: this.port,
      socketDir: this.socketDir,
      pid: this.pid!,
    };
    await publish(this.claimedDir, this.owner);
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await rm(this.socketDir, { recursive: true, force: true });
    await release(this.claimedDir, this.owner);
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async restart(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    await this.end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await clearAway(this.dataDir, this.log);
    await this.start();
  }

  private async end(how: NodeJS.Signals): Promise<void> {
    const guarded = this.guarded;
    if (!guarded || guarded.hasEnded()) return;
    this.isStopping = true;
    signal(guarded.serverPid, how);
    for (const harder of ['SIGQUIT', 'SIGKILL'] as const) {
      const limit = new AbortController();
      const late = wait(STOP_SECONDS_MAX * 1000, 'late', { signal: limit.signal }).catch(() => 'stopped');
      const outcome = await Promise.race([guarded.ended, late]);
      limit.abort();
      if (outcome !== 'late') return;
      this.log(`the database did not stop within ${STOP_SECONDS_MAX} s, sending ${harder}`);
      signal(guarded.serverPid, harder);
    }
    await guarded.ended;
  }

  private async launch(): Promise<void> {
    await writeSettings(this.dataDir, this.options.settings ?? {}, { port: this.port, socketDir: this.socketDir });
    for (const name of ['postgresql.conf', 'pg_hba.conf']) await handOver(join(this.dataDir, name), this.place.runAs);
    const output = await open(this.logFile, 'a', 0o600);
    const from = (await output.stat()).size;
    this.isStopping = false;
    try {
      const { runAs, binaries } = this.place;
      this.guarded = await spawnGuarded(runAs, binaries.postgres, ['-D', this.dataDir], output.fd);
    } finally {
      await output.close();
    }
    const guarded = this.guarded;
    await this.untilReady(guarded, from);
    guarded.ended.then((ended) => {
      if (this.isStopping || this.guarded !== guarded) return;
      this.log(`the database ended by itself (${ended.code}); its log is ${this.logFile}`);
      this.options.onUnexpectedEnd?.(ended);
    });
  }

  /** Ready means that it answers a query, so it is asked until it does, or until it has ended. */
  private async untilReady(guarded: Guarded, logFrom: number): Promise<void> {
    const started = Date.now();
    let isRecovering = false;
    for (;;) {
      if (guarded.hasEnded()) this.explainEnd(await readFrom(this.logFile, logFrom));
      const answer = await ask(this.urlOf('postgres'));
      if (answer === 'ready') return;
      if (answer === 'recovering' && !isRecovering && Date.now() - started > 1000) {
        isRecovering = true;
        this.log('the database was not stopped cleanly and recovers what was written');
      }
      const secondsMax = answer === 'recovering' ? RECOVERY_SECONDS_MAX : START_SECONDS_MAX;
      if (Date.now() - started > secondsMax * 1000) {
        await this.end('SIGQUIT');
        fail('XD_STORE_EMBEDDED', `the database did not answer within ${secondsMax} s; see ${this.logFile}`, {
          reason: 'start_failed',
          dir: this.place.dir,
          log: this.logFile,
        });
      }
      await wait(10);
    }
  }

  private urlOf(database: string): string {
    const url = new URL(this.url);
    url.pathname = `/${database}`;
    return url.href;
  }

  private async ensureDatabase(): Promise<void> {
    const client = new pg.Client({ connectionString: this.urlOf('postgres') });
    await client.connect();
    try {
      const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
      if (found.rowCount === 0) await client.query(`create database ${DATABASE}`);
    } finally {
      await client.end();
    }
  }

  private explainEnd(printed: string): never {
    const { dir } = this.place;
    const tail = printed.trim().split('\n').slice(-12).join('\n');
    const details = { dir, port: this.port, log: this.logFile, tail };
    if (/Address already in use/.test(printed)) {
      fail(
        'XD_STORE_EMBEDDED',
        `port ${this.port} on 127.0.0.1 is taken by another program; choose another port, or leave it out for a free one`,
        { reason: 'port_taken', ...details },
      );
    }
    if (/No space left on device/.test(printed)) diskFull(dir, details);
    if (/Permission denied/.test(printed)) unwritable(dir, details);
    fail('XD_STORE_EMBEDDED', `the database in ${dir} did not start; the end of ${this.logFile} says why:\n${tail}`, {
      reason: 'start_failed',
      ...details,
    });
  }
}

async function ask(url: string): Promise<'ready' | 'recovering' | 'silent'> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return 'ready';
  } catch (error) {
    // 57P03: it is there and starting up, or recovering.
    return (error as { code?: string }).code === '57P03' ? 'recovering' : 'silent';
  } finally {
    await client.end().catch(() => {});
  }
}

async function shortenLog(file: string): Promise<void> {
  const size = (await stat(file).catch(() => undefined))?.size ?? 0;
  if (size > LOG_BYTES_MAX) await rename(file, `${file}.1`);
}

async function readFrom(file: string, from: number): Promise<string> {
  return (await readFile(file)).subarray(from).toString('utf8');
}
