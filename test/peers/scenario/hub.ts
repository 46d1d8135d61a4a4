/** Crossdock as its user runs it: a process over the example estate, with a database of its own, which may be killed and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../src/store/embedded/index.ts';

const root = join(import.meta.dirname, '../../..');
const example = join(root, 'examples/tryton-medusa-vendure');
const READY_MS_MAX = 60_000;

export class Hub {
  readonly url: string;
  readonly db: pg.Pool;
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string;
  readonly #end: () => Promise<void>;
  #process: ChildProcess | undefined;
  #key = '';
  starts = 0;

  private constructor(port: number, folder: string, env: NodeJS.ProcessEnv, db: pg.Pool, end: () => Promise<void>) {
    this.#folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.#env = env;
    this.db = db;
    this.#end = end;
  }

  /** @param settings variables of the estate */
  static async open(port: number, settings: Record<string, string>): Promise<Hub> {
    const folder = mkdtempSync(join(tmpdir(), 'crossdock-scenario-'));
    const database = await startEmbeddedPostgres({ dir: folder });
    const env = { ...process.env, ...settings, DATABASE_URL: database.url, PORT: String(port) };
    const db = new pg.Pool({ connectionString: database.url, max: 3 });
    db.on('error', () => {});
    const hub = new Hub(port, folder, env, db, async () => {
      await db.end();
      await database.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    await hub.cli('migrate');
    return hub;
  }

  /** @returns what the command printed. @throws where it fails */
  async cli(...args: string[]): Promise<string> {
    const { code, out } = await this.tryCli(...args);
    if (code !== 0) throw new Error(`crossdock ${args.join(' ')} ended with ${code}`);
    return out;
  }

  async tryCli(...args: string[]): Promise<{ code: number; out: string }> {
    const child = this.#spawn(args, 'pipe');
    const parts: Buffer[] = [];
    child.stdout!.on('data', (part: Buffer) => parts.push(part));
    const [code] = (await once(child, 'close')) as [number];
    return { code, out: Buffer.concat(parts).toString() };
  }

  /** Loads a CSV file of these lines. */
  async load(kind: string, lines: readonly string[]): Promise<void> {
    const file = join(this.#folder, `${kind}.csv`);
    writeFileSync(file, `${lines.join('\n')}\n`);
    await this.cli('load', kind, file);
  }

  #spawn(args: string[], stdout: 'pipe' | 'ignore'): ChildProcess {
    const bin = join(root, 'bin/crossdock.mjs');
    return spawn(process.execPath, [bin, ...args], {
      cwd: example,
      env: this.#env,
      stdio: ['ignore', stdout, 'inherit'],
    });
  }

  async start(): Promise<void> {
    const child = this.#spawn(['start'], 'ignore');
    this.#process = child;
    process.once('exit', () => child.kill('SIGKILL'));
    this.starts++;
    const started = performance.now();
    for (;;) {
      if (child.exitCode !== null) throw new Error(`the hub ended with ${child.exitCode}`);
      const ready = await fetch(`${this.url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (ready) break;
      if (performance.now() - started > READY_MS_MAX) throw new Error('the hub is not ready');
      await sleep(200);
    }
    // Keys belong to an estate, which the first start writes.
    if (this.#key === '')
      this.#key = JSON.parse(await this.cli('keys', 'create', 'scenario', '--scope', 'read', 'write', '--json')).key;
  }

  /** As a power cut would, and started again. */
  async killAndStart(): Promise<void> {
    await this.#stop('SIGKILL');
    await this.start();
  }

  async #stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async post(path: string, body: unknown, idempotencyKey: string): Promise<unknown> {
    const answer = await fetch(this.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${this.#key}`,
        'content-type': 'application/json',
        'idempotency-key': idempotencyKey,
      },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async rows<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
    return (await this.db.query<T>(text, values)).rows;
  }

  /** What holds it up, for a person. */
  async troubles(): Promise<string> {
    const found = await this.rows(
      `select 'parked ' || class as what, count(*)::int as count, min(reason || ' at ' || coalesce(place, '')) as example from parked_record where state = 'open' group by 1
       union all select 'delivery ' || kind || ' ' || state, count(*)::int, min(reference || ': ' || coalesce(error, '')) from delivery where state <> 'c' group by kind, state
       union all select 'publication ' || kind || ' ' || state, count(*)::int, min(coalesce(error, '')) from publication where version > confirmed_version group by kind, state`,
    );
    return found.map((row) => JSON.stringify(row)).join('\n');
  }

  async close(): Promise<void> {
    await this.#stop('SIGTERM');
    await this.#end();
  }
}
