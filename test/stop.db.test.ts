/** Stopping is bounded: whoever stops a hub kills it after half a minute, and neither a client nor the database may use that up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { createApiKey } from '../src/api/index.ts';
import { createHub, type Hub } from '../src/app.ts';
import type { Estate } from '../src/estate/index.ts';
import { listen } from '../src/server.ts';
import { Database, isConnectionFault } from '../src/store/index.ts';
import { CutProxy } from './helpers/cut-proxy.ts';
import { useDatabase } from './helpers/database.ts';
import { moved } from './helpers/small-hub.ts';

const database = useDatabase();
const quiet = { info() {}, warn() {}, error() {} };
const estate: Estate = {
  name: 'test',
  companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: { LON: { company: 'UK', region: 'south' } },
  systems: {},
  channels: { api: { company: 'UK', sells: 'asks', locations: ['LON'] } },
  routing: {},
};

function opened(databaseUrl: string, faults: string[] = []): Promise<Hub> {
  const onError = (where: string, error: unknown) => faults.push(`${where}: ${(error as Error).message}`);
  return createHub({ databaseUrl, connectors: new Map(), estate, onError });
}

async function within(msMax: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not over after ${msMax} ms`)), msMax);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function receive(hub: Hub, key: string) {
  return hub.receiver.receive({
    ...{ system: 'api', source: 'api', contentType: 'application/json', onFault: 'refuse' },
    body: Buffer.from('{}'),
    items: [moved(key, 'X', 'LON', 1)],
  });
}

test('a server closes though a client holds a connection without a request, or half of one', async () => {
  const hub = await opened(database.url);
  const server = await listen(hub, { port: 0, log: quiet });
  const port = Number(new URL(server.url).port);
  const silent = connect(port, '127.0.0.1').on('error', () => {});
  const half = connect(port, '127.0.0.1').on('error', () => {});
  try {
    await Promise.all([once(silent, 'connect'), once(half, 'connect')]);
    half.write('POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n{');
    await pause(100);
    await within(10_000, server.close());
  } finally {
    silent.destroy();
    half.destroy();
    await hub.stop();
  }
}, 30_000);

test('a request under way is answered, and its connection is not kept alive', async () => {
  const hub = await opened(database.url);
  const { key } = await createApiKey(hub.db, { name: 'test', scopes: ['read'] });
  const server = await listen(hub, { port: 0, log: quiet });
  const agent = new Agent({ keepAlive: true });
  try {
    // Held up for a moment by a lock on what it reads.
    const held = database.pool.query('begin; lock table parked_record; select pg_sleep(1); commit');
    await pause(200);
    const answered = new Promise((resolve, reject) => {
      get(`${server.url}/v1/parked`, { agent, headers: { authorization: `Bearer ${key}` } }, (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode, connection: answer.headers.connection });
      }).on('error', reject);
    });
    answered.catch(() => {});
    await pause(300);
    await within(4_000, server.close());
    expect(await answered).toEqual({ status: 200, connection: 'close' });
    await held;
  } finally {
    agent.destroy();
    await hub.stop();
  }
}, 30_000);

test.each(['gone', 'silent'] as const)(
  'a hub stops though its database is %s, and what waits for it is refused',
  async (how) => {
    const proxy = await CutProxy.open(database.url);
    const faults: string[] = [];
    const hub = await opened(proxy.url, faults);
    try {
      await hub.start();
      expect((await receive(hub, `before-${how}`)).length).toBe(1);
      if (how === 'gone') await proxy.close();
      else proxy.silence();
      // More than a batch takes, one after the other: each would try for seconds.
      const waiting = Array.from({ length: 600 }, (_, i) =>
        receive(hub, `${how}-${i}`).then(
          () => 'taken',
          (error) => (isConnectionFault(error) ? 'refused' : String(error)),
        ),
      );
      await pause(1_500);
      await within(8_000, hub.stop());
      expect(hub.underWay()).toEqual([]);
      expect(new Set(await Promise.all(waiting))).toEqual(new Set(['refused']));
      expect(faults.at(-1)).toMatch(/^database: .*stopping/);
    } finally {
      if (how === 'silent') await proxy.close();
    }
  },
  30_000,
);

test('a started hub ends by SIGTERM though its database fell silent with a request under way', async () => {
  const proxy = await CutProxy.open(database.url);
  const folder = mkdtempSync(join(tmpdir(), 'crossdock-stop-'));
  const { PORT: _, CROSSDOCK_LIFELINE_FD: __, ...clean } = process.env;
  const config = join(folder, 'crossdock.config.ts');
  writeFileSync(config, `export default ${JSON.stringify(estate)};\n`);
  const main = join(import.meta.dirname, '../src/cli/main.ts');
  const child = spawn(process.execPath, [main, 'start', '--config', config, '--port', '0', '--json'], {
    cwd: folder,
    env: { ...clean, DATABASE_URL: proxy.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const exit = once(child, 'exit');
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const db = new Database({ url: database.url, poolMax: 1 });
    const { key } = await createApiKey(db, { name: 'stop', scopes: ['read'] });
    await db.end();
    const headers = { authorization: `Bearer ${key}` };
    expect((await fetch(`${url}/v1/parked`, { headers })).status).toBe(200);
    proxy.silence();
    const asked = fetch(`${url}/v1/parked`, { headers }).then(
      (answer) => answer.status,
      () => 'cut',
    );
    await pause(500);
    child.kill('SIGTERM');
    await within(12_000, exit);
    expect((await exit)[0], log.join('\n')).toBe(0);
    expect(await asked).toBe(503);
  } finally {
    child.kill('SIGKILL');
    await proxy.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);
