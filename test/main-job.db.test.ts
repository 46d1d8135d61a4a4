/** The main job as a user runs it: one command over a file of orders, with everything that can be wrong with the file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { COLUMNS } from '../sim/feeder/classify.ts';
import { sampleCsv } from '../sim/feeder/sample.ts';
import { findFreePort } from './chaos/hub-process.ts';
import { createTestDatabase, type TestDatabase } from './helpers/database.ts';

const folder = mkdtempSync(join(tmpdir(), 'crossdock-main-job-'));
const children: ChildProcess[] = [];
const databases: TestDatabase[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const database of databases.splice(0)) await database.drop();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TEST_MS_MAX = 120_000;
const SYSTEMS = ['erp', 'crm', 'wms', 'shop', 'marketplace'];

interface Job {
  child: ChildProcess;
  stdout: () => string;
  stderr: () => string;
  ended: Promise<number | null>;
  ready: Promise<void>;
}

let jobs = 0;

/** Starts `crossdock demo` on a free port, with a folder and a database of its own unless told. */
async function start(args: string[], given: { dir?: string; port?: number; embedded?: boolean } = {}): Promise<Job> {
  const dir = given.dir ?? join(folder, `job${++jobs}`);
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', NODE_COMPILE_CACHE: join(folder, 'cache') };
  if (given.embedded) delete env.DATABASE_URL;
  else {
    const database = await createTestDatabase();
    databases.push(database);
    env.DATABASE_URL = database.url;
  }
  const main = join(import.meta.dirname, '../src/cli/main.ts');
  const port = given.port ?? (await findFreePort());
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', main, 'demo', '--dir', dir, '--port', String(port), ...args],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.push(child);
  let out = '';
  let err = '';
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const ready = new Promise<void>((resolve, reject) => {
    const look = () => /Crossdock ready/.test(out + err) && resolve();
    child.stdout!.on('data', (piece) => {
      out += piece;
      look();
    });
    child.stderr!.on('data', (piece) => {
      err += piece;
      look();
    });
    void ended.then(() => reject(new Error(`it ended before it was ready: ${err}`)));
  });
  ready.catch(() => {});
  return { child, stdout: () => out, stderr: () => err, ended, ready };
}

// biome-ignore lint/suspicious/noExplicitAny: documents are asserted, not typed
type Ended = { code: number | null; json: any; stderr: string };

async function run(args: string[], given: Parameters<typeof start>[1] = {}): Promise<Ended> {
  const job = await start([...args, '--until-drained', '--json'], given);
  const code = await job.ended;
  return { code, json: JSON.parse(job.stdout()), stderr: job.stderr() };
}

function fileOf(name: string, content: Buffer | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Ordered, undone and due per order line, as the hub holds them. */
async function linesOf(database: TestDatabase): Promise<unknown[]> {
  const { rows } = await database.pool.query(
    `select o.external_no, l.line_no, l.quantity::int, l.amount_minor::int, (l.cancelled + l.returned)::int as undone
       from order_line l join sales_order o using (order_id) order by 1, 2`,
  );
  return rows;
}

describe('the main job', () => {
  it('accounts for every line, and a storm changes no unit and no amount of an order line', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const text = sampleCsv(11, 40);
    const file = fileOf('sample.csv.gz', gzipSync(text));
    const calm = await run(['--orders', file]);
    expect([calm.code, calm.stderr.includes('XD_')]).toEqual([0, false]);
    const { json } = calm;
    expect(Object.keys(json)).toEqual(
      expect.arrayContaining([
        'lines',
        'orders',
        'stock',
        'oversell',
        'parity',
        'freshness',
        'throughput',
        'memory',
        'seconds',
        'promises',
      ]),
    );
    expect(json.lines.read).toBe(text.trimEnd().split('\n').length - 1);
    expect(Object.values(json.lines.byKind as Record<string, number>).reduce((sum, n) => sum + n, 0)).toBe(
      json.lines.read,
    );
    expect(json.orders).toMatchObject({ accepted: 40, refused: 0 });
    expect(json.oversell).toBe(0);
    expect(Object.keys(json.parity).sort()).toEqual([...SYSTEMS].sort());
    for (const system of SYSTEMS)
      expect(json.parity[system], system).toMatchObject({ missing: 0, extra: 0, different: 0 });
    expect(Object.keys(json.promises)).toEqual(Array.from({ length: 11 }, (_, i) => `I${i + 1}`));
    for (const [name, promise] of Object.entries(json.promises))
      expect(promise, name).toMatchObject({ holds: true, violations: 0 });
    const lines = await linesOf(databases[0]!);
    expect(lines.length).toBe(json.lines.byKind.order_line);

    const storm = await run(['--orders', file, '--faults', 'storm']);
    expect([storm.code, storm.json.oversell, storm.json.ok]).toEqual([0, 0, true]);
    expect(Object.keys(storm.json.faultsMet).length).toBeGreaterThan(0);
    expect(await linesOf(databases[1]!)).toEqual(lines);
  });

  it('takes what stands before a cut and around bad lines, and names each with place and value', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const [header, ...rows] = sampleCsv(12, 30).trimEnd().split('\n') as [string, ...string[]];
    // A line of an order that has others, so that its neighbours show whether they are held up.
    const at = rows.findIndex(
      (row, i) => i > 0 && /^"\d/.test(row) && row.split(',')[0] === rows[i - 1]!.split(',')[0],
    );
    const bad = rows[at]!.replace(/"\d{4}-\d\d-\d\dT[\d:]+"/, '"2011-02-30T08:00:00"');
    expect(bad).not.toBe(rows[at]);
    const whole = [header, ...rows.with(at, bad)].join('\n');
    const packed = gzipSync(`${whole}\n`);
    const { code, json, stderr } = await run([
      '--orders',
      fileOf('cut.csv.gz', packed.subarray(0, Math.floor(packed.length * 0.8))),
    ]);
    expect(code).toBe(1);
    expect(json.ok).toBe(false);
    expect(json.fileError).toMatchObject({ code: 'FEED_TRUNCATED', line: expect.any(Number) });
    expect(json.rejects).toMatchObject({
      count: expect.any(Number),
      byCode: { FEED_BAD_DATE: 1 },
      examples: expect.arrayContaining([
        { line: at + 2, column: 'InvoiceDate', code: 'FEED_BAD_DATE', value: '2011-02-30T08:00:00' },
      ]),
    });
    expect(stderr).toContain('FEED_TRUNCATED');
    expect(stderr).toContain('FEED_BAD_DATE');
    // All that could be read is in the hub and in every system.
    expect(json.orders.accepted).toBeGreaterThan(10);
    expect(json.orders.accepted).toBe(json.feeder.orders);
    for (const system of SYSTEMS) expect(json.parity[system]).toMatchObject({ missing: 0, extra: 0, different: 0 });
    const { rows: neighbours } = await databases[0]!.pool.query(
      `select count(*)::int as n from order_line l join sales_order o using (order_id) where external_no = $1`,
      [rows[at]!.split(',')[0]!.replaceAll('"', '')],
    );
    expect(neighbours[0].n).toBeGreaterThan(0);
  });

  const header = COLUMNS.join();
  it.each([
    ['that is not there', undefined, 'XD_SETUP_FAILED', { reason: 'no_file' }],
    ['that is not gzip', Buffer.from(`${header}\n`), 'XD_BODY_INVALID', { reason: 'FEED_NOT_GZIP', line: 1 }],
    ['with other columns', gzipSync('a,b\n1,2\n'), 'XD_VALUE_INVALID', { reason: 'FEED_WRONG_COLUMNS', line: 1 }],
  ])('refuses a file %s', { timeout: TEST_MS_MAX }, async (_, content, errorCode, details) => {
    const path = content === undefined ? join(folder, 'nothing.csv.gz') : fileOf('wrong.csv.gz', content);
    const { code, json, stderr } = await run(['--orders', path]);
    expect([code, json.error.code]).toEqual([1, errorCode]);
    expect(json.error.details).toMatchObject({ ...details, file: path });
    // An error of the file is no fault of the program: nobody is shown a stack.
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('names the port that another program holds', { timeout: TEST_MS_MAX }, async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const { port } = other.address() as { port: number };
    const { code, json } = await run([], { port });
    await new Promise((done) => other.close(done));
    expect([code, json.error]).toMatchObject([1, { code: 'XD_SETUP_FAILED', details: { reason: 'port_taken', port } }]);
  });
});

/** Every process below this one. */
function descendants(pid: number): number[] {
  const own = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return own === ''
    ? []
    : own
        .split(' ')
        .map(Number)
        .flatMap((child) => [child, ...descendants(child)]);
}
const isRunning = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe.runIf(process.platform === 'linux')('a running demo', () => {
  it('is not hurt by a second one in its folder, and Ctrl-C ends every process of it', {
    timeout: TEST_MS_MAX,
  }, async () => {
    const dir = join(folder, 'embedded');
    const first = await start([], { dir, embedded: true });
    await first.ready;
    const below = descendants(first.child.pid!);
    // Five systems, a feeder, and PostgreSQL with its guard and workers.
    expect(below.length).toBeGreaterThan(8);
    const second = await run([], { dir, embedded: true });
    expect([second.code, second.json.error]).toMatchObject([
      1,
      { code: 'XD_STORE_EMBEDDED', details: { reason: 'in_use' } },
    ]);
    for (const system of SYSTEMS) expect(existsSync(join(dir, 'demo', system)), system).toBe(true);
    expect(below.filter((pid) => !isRunning(pid)).length).toBeLessThan(3);
    const everyone = descendants(first.child.pid!);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    await expect.poll(() => everyone.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });

  it('takes its systems along when it is killed with -9', { timeout: TEST_MS_MAX }, async () => {
    const job = await start([]);
    await job.ready;
    const everyone = descendants(job.child.pid!);
    expect(everyone.length).toBeGreaterThanOrEqual(5);
    job.child.kill('SIGKILL');
    await expect.poll(() => everyone.filter(isRunning), { timeout: 10_000 }).toEqual([]);
  });
});
