/** The feeder's process: it drives a file of orders, or a small generated one, into the systems and the hub. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CrossdockError, type ErrorCode } from '../../canonical/index.ts';
import type { DemoOptions } from '../demo.ts';
import { startProgress } from '../output.ts';
import type { Children } from './children.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const SAMPLE_ORDERS = 400;
/** So that there is something to watch: taken as fast as it goes, the generated file is over before anybody opened the page. */
const WATCHED_ORDERS_PER_SECOND = 4;
const REJECTS_SHOWN = 10;

export interface FeederDone {
  lines: { read: number; byKind: Record<string, number> };
  orders: number;
  rejected: number;
  [key: string]: unknown;
}

/** Where a file broke off; everything before that was fed. */
export interface FileError {
  code: string;
  message: string;
  line: number | null;
  value: string | null;
}

export interface Reject {
  line: number;
  column: string | null;
  code: string;
  value: string;
}

export interface Fed {
  done: FeederDone;
  fileError: FileError | null;
  /** Lines that were set aside; `file` holds all of them, a JSON document each. */
  rejects: { count: number; byCode: Record<string, number>; file: string; examples: Reject[] };
}

/** Faults of the file, of which nothing could be used. */
const refusals: Readonly<Record<string, ErrorCode>> = {
  FEED_FILE_MISSING: 'XD_SETUP_FAILED',
  FEED_FILE_UNREADABLE: 'XD_SETUP_FAILED',
  FEED_NOT_GZIP: 'XD_BODY_INVALID',
  FEED_TRUNCATED: 'XD_BODY_INVALID',
  FEED_CORRUPT: 'XD_BODY_INVALID',
  FEED_WRONG_COLUMNS: 'XD_VALUE_INVALID',
};

export function feed(
  children: Children,
  options: DemoOptions,
  urls: Record<string, string>,
  key: string,
  demoDir: string,
  signal: AbortSignal,
): { done: Promise<Fed> } {
  const done = (async () => {
    const orders =
      options.orders === undefined ? await sampleFile(children, options, demoDir) : resolve(options.orders);
    const state = join(demoDir, 'feeder');
    return new Promise<Fed>((resolveDone, reject) => {
      const progress = startProgress('orders', 541_909);
      let result: FeederDone | undefined;
      let fault: FileError | undefined;
      const args = ['--orders', orders, '--seed', String(options.seed), '--state', state, '--hub-key', key, '--json'];
      for (const name of ['shop', 'marketplace', 'crm', 'wms', 'hub']) args.push(`--${name}`, urls[name]!);
      if (options.limitOrders !== undefined) args.push('--limit-orders', String(options.limitOrders));
      const isWatched = options.orders === undefined && !options.untilDrained;
      const pace = options.ordersPerSecond ?? (isWatched ? WATCHED_ORDERS_PER_SECOND : 0);
      args.push('--orders-per-second', String(pace));
      if (options.mutate !== undefined)
        args.push(`--mutate=${options.mutate}`, '--erp', urls.erp!, '--answered', join(demoDir, 'answered.ndjson'));
      const child = children.start('feeder', join(root, 'sim/feeder/main.ts'), args, {
        mayEnd: true,
        onLine: (line) => {
          if (line.type === 'progress')
            progress.update?.(Number(line.lines ?? 0), `${line.orders ?? 0} orders, ${line.at ?? ''}`);
          else if (line.type === 'done') result = line as unknown as FeederDone;
          else if (line.type === 'error') {
            const { type: _, ...rest } = line;
            fault = rest as unknown as FileError;
          }
        },
      });
      // Not its exit: what it said last may still be in the pipe then.
      child.once('close', (code) => {
        progress.end?.();
        if (signal.aborted) return;
        if (result !== undefined && (code === 0 || fault !== undefined)) {
          resolveDone({ done: result, fileError: fault ?? null, rejects: readRejects(join(state, 'rejects.ndjson')) });
        } else reject(whyNot(code, fault, orders, join(demoDir, 'feeder.log')));
      });
    });
  })();
  return { done };
}

function whyNot(code: number | null, fault: FileError | undefined, file: string, log: string): Error {
  const refusal = fault === undefined ? undefined : refusals[fault.code];
  if (fault !== undefined && refusal !== undefined)
    return new CrossdockError(refusal, fault.message, {
      reason: fault.code,
      file,
      line: fault.line,
      value: fault.value,
    });
  const what = fault ?? readFileSync(log, 'utf8').trim().split('\n').slice(-3).join(' ');
  return new Error(`feeding the orders ended with code ${code}: ${JSON.stringify(what)}`);
}

function readRejects(file: string): Fed['rejects'] {
  const text = existsSync(file) ? readFileSync(file, 'utf8').trimEnd() : '';
  const all = text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as Reject);
  const byCode: Record<string, number> = {};
  for (const { code } of all) byCode[code] = (byCode[code] ?? 0) + 1;
  return { count: all.length, byCode, file, examples: all.slice(0, REJECTS_SHOWN) };
}

function sampleFile(children: Children, options: DemoOptions, demoDir: string): Promise<string> {
  const path = join(demoDir, 'sample.csv.gz');
  const orders = String(options.limitOrders ?? SAMPLE_ORDERS);
  return new Promise((resolveFile, reject) => {
    const child = children.start(
      'sample',
      join(root, 'sim/feeder/sample.ts'),
      ['--out', path, '--seed', String(options.seed), '--orders', orders],
      { mayEnd: true, onLine: () => {} },
    );
    child.once('exit', (code) =>
      code === 0 ? resolveFile(path) : reject(new Error(`the sample could not be written (code ${code})`)),
    );
  });
}
