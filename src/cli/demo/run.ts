import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { createApiKey } from '../../api/index.ts';
import { createHub, type Hub } from '../../app.ts';
import { fail } from '../../canonical/index.ts';
import { connectors } from '../../connectors/index.ts';
import { loadEstate } from '../../estate/index.ts';
import { listen, type Server } from '../../server.ts';
import { refuseUnsafe } from '../../store/doctor.ts';
import { claim, release } from '../../store/embedded/index.ts';
import { migrate } from '../../store/migrate.ts';
import { connectDatabase } from '../connect.ts';
import type { DemoOptions } from '../demo.ts';
import { EXIT, paint, printResult, say, startProgress } from '../output.ts';
import { onShutdown } from '../shutdown.ts';
import { Children } from './children.ts';
import { waitUntilDrained } from './drain.ts';
import { type Fed, feed } from './feed.ts';
import { summarise } from './summary.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SYSTEMS = ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const;
export const DEFAULT_PORT = 8480;

/** @returns the exit code: 0 done, 1 failed, 3 a promise broken or systems that disagree */
export async function runDemo(options: DemoOptions): Promise<number> {
  const startedAt = performance.now();
  if (!existsSync(join(root, 'sim/main.ts')))
    fail(
      'XD_SETUP_FAILED',
      'the demo runs simulated systems, which only a checkout of the repository has: run npm start there; a project of your own begins with npx crossdock init',
      { reason: 'checkout_only' },
    );
  if (options.orders !== undefined && !existsSync(options.orders))
    fail('XD_SETUP_FAILED', `there is no file ${options.orders}; give the path of a CSV file (gzip) with --orders`, {
      reason: 'no_file',
      file: options.orders,
    });
  const abort = new AbortController();
  const cleanups: (() => Promise<unknown> | unknown)[] = [];
  let ended = false;
  const end = async () => {
    if (ended) return;
    ended = true;
    abort.abort();
    for (const cleanup of cleanups.reverse()) await Promise.resolve(cleanup()).catch((error) => say(String(error)));
  };
  const forget = onShutdown(end);
  try {
    return await run(options, startedAt, abort.signal, cleanups);
  } catch (error) {
    if (abort.signal.aborted) return EXIT.ok;
    throw error;
  } finally {
    await end();
    forget();
  }
}

async function run(
  options: DemoOptions,
  startedAt: number,
  signal: AbortSignal,
  cleanups: (() => Promise<unknown> | unknown)[],
): Promise<number> {
  // Each run begins by clearing away the last one's systems and databases: never those of a run that is under way.
  mkdirSync(options.dir, { recursive: true });
  const owner = await claim(resolve(options.dir), 'the demo');
  cleanups.push(() => release(resolve(options.dir), owner));
  const demoDir = resolve(options.dir, 'demo');
  rmSync(demoDir, { recursive: true, force: true });
  mkdirSync(demoDir, { recursive: true });
  const databaseUrl = await freshDatabase(options, cleanups);

  // With a word in front: a token that began with a dash would be read as an option.
  const token = `sim_${randomBytes(18).toString('base64url')}`;
  const webhookSecret = `whsec_${randomBytes(24).toString('base64url')}`;
  const port = options.port ?? Number(process.env.PORT ?? DEFAULT_PORT);
  const hubUrl = `http://127.0.0.1:${port}`;
  const children = new Children(demoDir);
  cleanups.push(() => children.stop());
  const failed = new Promise<never>((_, reject) => {
    children.onUnexpectedEnd = (name, code) =>
      reject(new Error(`the simulated ${name} ended with code ${code}; see ${join(demoDir, `${name}.log`)}`));
  });
  failed.catch(() => {});
  const urls: Record<string, string> = {};
  await Promise.all(
    SYSTEMS.map(async (system) => {
      urls[system] = await children.startSystem(system, join(root, 'sim/main.ts'), [
        system,
        ...[
          '--data',
          join(demoDir, system),
          '--token',
          token,
          '--seed',
          String(options.seed),
          '--faults',
          options.faults,
          '--unread-max',
          '1000',
        ],
        ...(system === 'shop' ? ['--webhook-url', `${hubUrl}/ingest/shop`, '--webhook-secret', webhookSecret] : []),
      ]);
      process.env[`${system.toUpperCase()}_URL`] = urls[system];
    }),
  );
  process.env.SIM_TOKEN = token;
  process.env.SHOP_WEBHOOK_SECRET = webhookSecret;

  const estate = await loadEstate(
    join(root, 'examples/wholesaler', options.mutate === undefined ? 'crossdock.config.ts' : 'exceptions.config.ts'),
  );
  const faults = new Map<string, { count: number; last: string }>();
  const hub = await createHub({
    estate,
    databaseUrl,
    connectors,
    onError: (where, error) => {
      const known = faults.get(where);
      const last = error instanceof Error ? error.message.slice(0, 200) : String(error);
      if (known === undefined) {
        faults.set(where, { count: 1, last });
        if (options.faults === 'none')
          say(`${where}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      } else {
        known.count++;
        known.last = last;
      }
    },
  });
  cleanups.push(() => hub.stop());
  await hub.start();
  const server = await listen(hub, { port });
  cleanups.push(() => server.close());
  const { key } = await createApiKey(hub.db, { name: 'demo', scopes: ['read', 'write', 'operate'] });
  announce(server, key, options, startedAt);

  const feeder = feed(children, options, { ...urls, hub: hubUrl } as Record<string, string>, key, demoDir, signal);
  feeder.done.catch(() => {});
  const stopped = new Promise<void>((end) => signal.addEventListener('abort', () => end(), { once: true }));
  if (!options.untilDrained) {
    feeder.done.then(
      (fed) => {
        complain(fed);
        say('Everything has been fed. The hub and the systems go on until you press Ctrl-C.');
      },
      (error) => say(String(error instanceof Error ? error.message : error)),
    );
    await Promise.race([stopped, failed]);
    return EXIT.ok;
  }
  const rss = watchRss();
  cleanups.push(rss.stop);
  const workStartedAt = performance.now();
  const fed = await Promise.race([feeder.done, failed, stopped.then(() => null)]);
  if (fed === null) return EXIT.ok;
  const fedSeconds = (performance.now() - workStartedAt) / 1000;
  const progress = startProgress('draining');
  await Promise.race([
    waitUntilDrained(hub.db, urls, {
      lookMs: 300,
      stillMsMax: 60_000,
      signal,
      onLook: (pending) =>
        progress.update?.(
          0,
          Object.entries(pending)
            .map(([name, count]) => `${name} ${count}`)
            .join(', '),
        ),
    }),
    failed,
  ]);
  progress.end?.();
  const seconds = (performance.now() - workStartedAt) / 1000;
  await hub.freshness.flush(hub.db);
  const summary = await summarise(hub, {
    fed,
    urls,
    token,
    seconds,
    fedSeconds,
    peakRssMb: rss.peakMb(),
    options,
    faults: Object.fromEntries(faults),
  });
  printResult(summary, { json: options.json, text: () => textOf(summary) });
  complain(fed);
  if (fed.fileError !== null) return EXIT.failed;
  return summary.ok ? EXIT.ok : EXIT.findings;
}

/** What of the file could not be taken; everything else was. */
function complain({ fileError, rejects }: Fed): void {
  if (fileError !== null) say(`${paint('red', fileError.code)}: ${fileError.message}; all before it was taken`);
  if (rejects.count === 0) return;
  say(`${rejects.count} lines of the file were set aside, see ${rejects.file}; the first:`);
  for (const { line, column, code, value } of rejects.examples)
    say(`  line ${line}${column === null ? '' : `, ${column}`}: ${code} ${JSON.stringify(value)}`);
}

/** A database of this run alone: the demo starts from nothing each time. */
async function freshDatabase(options: DemoOptions, cleanups: (() => Promise<unknown> | unknown)[]): Promise<string> {
  const connected = await connectDatabase({ dir: join(options.dir, 'pg'), log: () => {} });
  cleanups.push(() => connected.close());
  await refuseUnsafe(connected.url);
  if (process.env.DATABASE_URL) {
    await migrate(connected.url);
    const client = new pg.Client(connected.url);
    await client.connect();
    const [row] = (await client.query('select exists (select from sales_order) as used')).rows;
    await client.end();
    if (row.used)
      fail('XD_SETUP_FAILED', 'the database of DATABASE_URL holds orders already; the demo needs an empty one', {
        reason: 'not_empty',
      });
    return connected.url;
  }
  const client = new pg.Client(connected.url);
  await client.connect();
  const old = await client.query("select datname from pg_database where datname like 'crossdock_demo_%'");
  for (const { datname } of old.rows)
    await client.query(`drop database if exists ${client.escapeIdentifier(datname)} with (force)`);
  const name = `crossdock_demo_${Date.now()}`;
  await client.query(`create database ${client.escapeIdentifier(name)}`);
  await client.end();
  const url = new URL(connected.url);
  url.pathname = `/${name}`;
  await migrate(url.href);
  return url.href;
}

function announce(server: Server, key: string, options: DemoOptions, startedAt: number): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const print = options.json ? say : (line: string) => process.stdout.write(`${line}\n`);
  print(`Crossdock ready: ${server.url}`);
  say(paint('dim', `  started in ${seconds} s, seed ${options.seed}, faults ${options.faults}`));
  say(`  page     ${server.url}/#key=${key}`);
  say(`  API key  ${key}  (of this run; read, write, operate)`);
}

/** Peak memory of this process, which is the only hub process of the demo. */
function watchRss(): { peakMb: () => number; stop: () => void } {
  let peak = process.memoryUsage.rss();
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 200);
  timer.unref();
  return {
    peakMb: () => {
      const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
      const high = /VmHWM:\s+(\d+) kB/.exec(status);
      return Math.round(high === null ? peak / 2 ** 20 : Number(high[1]) / 1024);
    },
    stop: () => clearInterval(timer),
  };
}

function textOf(summary: Awaited<ReturnType<typeof summarise>>): string {
  const lines = [
    `${summary.lines.read} lines, ${summary.orders.accepted} orders in ${summary.seconds} s; hub peak ${summary.memory.hubPeakRssMb} MB`,
    `oversell ${summary.oversell}`,
    ...Object.entries(summary.parity).map(([system, p]) => `parity ${system}: ${JSON.stringify(p)}`),
    ...Object.entries(summary.freshness).map(
      ([flow, f]) => `fresh ${flow}: p50 ${f.p50} ms, p99 ${f.p99} ms, max ${f.max} ms (${f.count})`,
    ),
    ...Object.entries(summary.promises).map(
      ([name, p]) => `${name} ${p.holds ? 'holds' : 'BROKEN'}: ${p.checked} checked, ${p.violations} violations`,
    ),
  ];
  return lines.join('\n');
}

export type { Hub };
