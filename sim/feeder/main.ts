/** The feeder's process: see README.md. Exit 0 fed, 1 the file or a system ended it, 2 usage. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Caller } from './caller.ts';
import { Drive } from './drive.ts';
import type { FileError, Reject } from './errors.ts';
import { waitForListings } from './listing.ts';
import { utcText } from './london.ts';
import { type MutationRates, type Mutations, mutate, mutationRates } from './mutations.ts';
import { paceOf } from './pace.ts';
import { type Plan, planFeed } from './plan.ts';
import { ProgressFile } from './progress.ts';
import { readOrders } from './reader.ts';
import { Sender, type Urls } from './sender.ts';

const USAGE =
  'usage: main.ts --orders FILE [--limit-orders N] [--orders-per-second N] --seed S --shop URL --marketplace URL --crm URL --wms URL --hub URL --hub-key KEY --state DIR [--mutate RATES --erp URL] [--answered FILE] [--no-listing-wait] [--json]';
const PROGRESS_MS_MIN = 500;

interface Options {
  orders: string;
  limitOrders: number | undefined;
  ordersPerSecond: number | undefined;
  seed: number;
  urls: Urls;
  hubKey: string;
  state: string;
  answered: string | undefined;
  mutate: MutationRates | undefined;
  listingWait: boolean;
  json: boolean;
}

class UsageError extends Error {}

function readOptions(args: string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  let values: Record<string, string | boolean | undefined>;
  try {
    values = parseArgs({
      args,
      options: {
        orders: text,
        'limit-orders': text,
        'orders-per-second': text,
        seed: text,
        shop: text,
        marketplace: text,
        crm: text,
        wms: text,
        hub: text,
        'hub-key': text,
        state: text,
        answered: text,
        mutate: text,
        erp: text,
        'no-listing-wait': flag,
        json: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const need = (name: string): string => {
    const value = values[name];
    if (typeof value !== 'string' || value === '') throw new UsageError(`--${name} is missing`);
    return value;
  };
  const whole = (name: string, value: string): number => {
    if (!/^\d{1,9}$/.test(value)) throw new UsageError(`--${name} must be a whole number, found ${value}`);
    return Number(value);
  };
  const url = (name: string): string => need(name).replace(/\/+$/, '');
  const limit = values['limit-orders'];
  const pace = values['orders-per-second'];
  return {
    orders: need('orders'),
    limitOrders: typeof limit === 'string' ? whole('limit-orders', limit) : undefined,
    ordersPerSecond: typeof pace === 'string' ? whole('orders-per-second', pace) || undefined : undefined,
    seed: whole('seed', need('seed')),
    urls: {
      ...{ shop: url('shop'), marketplace: url('marketplace'), crm: url('crm'), wms: url('wms'), hub: url('hub') },
      ...(values.mutate !== undefined && { erp: url('erp') }),
    },
    mutate: typeof values.mutate === 'string' ? mutationRates(values.mutate) : undefined,
    hubKey: need('hub-key'),
    state: need('state'),
    answered: typeof values.answered === 'string' ? need('answered') : undefined,
    listingWait: values['no-listing-wait'] !== true,
    json: values.json === true,
  };
}

/** A parent that dies closes our stdin; without a pipe (a terminal, a file) there is nobody to follow. */
function exitWithParent(): void {
  const stdin = fstatSync(0);
  if (!stdin.isFIFO() && !stdin.isSocket()) return;
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(1));
  process.stdin.on('error', () => process.exit(1));
  process.stdin.unref();
}

async function nameOfRun(options: Options): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(options.orders)) hash.update(piece as Buffer);
  const run = `${hash.digest('hex').slice(0, 32)}/${options.limitOrders ?? 'all'}/${options.seed}`;
  return options.mutate === undefined ? run : `${run}/${JSON.stringify(options.mutate)}`;
}

function say(options: Options, record: Record<string, unknown>): void {
  // A pipe is written synchronously on Linux, so nothing is lost when the process exits right after.
  if (options.json) process.stdout.write(`${JSON.stringify(record)}\n`);
  else if (record.type !== 'progress') console.log(JSON.stringify(record, null, 2));
  else if (process.stderr.isTTY)
    process.stderr.write(`\r${record.orders} orders, ${record.lines} lines, ${record.at} `);
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  exitWithParent();
  mkdirSync(options.state, { recursive: true });
  const rejects = openSync(join(options.state, 'rejects.ndjson'), 'w');
  const onReject = (reject: Reject): void => void writeSync(rejects, `${JSON.stringify(reject)}\n`);
  const { table, fileError } = await readOrders(options.orders, { limitOrders: options.limitOrders, onReject });
  closeSync(rejects);
  const plan = planFeed(table, options.seed);
  const mutations = options.mutate === undefined ? undefined : mutate(plan, options.mutate);
  const events = mutations?.events ?? plan.events;
  const progress = new ProgressFile(options.state, await nameOfRun(options));
  const caller = new Caller();
  const sender = new Sender(options.urls, options.hubKey, caller, options.state, options.answered);
  const drive = new Drive(plan, sender, progress, mutations);

  let saidAtMs = 0;
  const sayProgress = (): void => {
    if (Date.now() - saidAtMs < PROGRESS_MS_MIN) return;
    saidAtMs = Date.now();
    const { frontier, counts, phase } = progress.current;
    const event = events[Math.min(frontier, events.length - 1)];
    const at = event === undefined ? null : utcText(event.at);
    say(options, { type: 'progress', lines: counts.lines + table.rejected, orders: counts.orders, at, phase });
  };
  drive.onAdvance = sayProgress;

  sayProgress();
  if (progress.current.phase === 'master') {
    await drive.master();
    progress.current.phase = 'opening';
    progress.note();
  }
  if (progress.current.phase === 'opening') {
    await drive.opening();
    const skusInStock = new Set(plan.stock.opening.flatMap((receipt) => receipt.lines.map((line) => line.sku))).size;
    if (options.listingWait) await waitForListings(caller, [options.urls.shop, options.urls.marketplace], skusInStock);
    progress.current.phase = 'feeding';
    progress.note();
  }
  const { ordersPerSecond } = options;
  if (ordersPerSecond !== undefined) {
    const from = progress.current.frontier;
    drive.due = paceOf({
      ordersPerSecond,
      orders: plan.orders,
      events: events.length,
      from,
      nowMs: () => performance.now(),
      wait,
    });
  }
  await drive.feed();
  if (progress.current.phase === 'feeding') {
    progress.current.phase = 'late';
    progress.note();
  }
  if (progress.current.phase === 'late') {
    await drive.late();
    progress.current.phase = 'done';
  }
  progress.note();
  if (fileError !== undefined) sayFileError(options, fileError);
  const mutated = mutations === undefined ? {} : { mutations: mutatedSummary(mutations, progress) };
  say(options, { type: 'done', ...summaryOf(plan, progress), ...mutated, calls: caller.counts });
  caller.close();
  return fileError === undefined ? 0 : 1;
}

function summaryOf(plan: Plan, progress: ProgressFile): Record<string, unknown> {
  const { table, stock, units, matches } = plan;
  const { counts } = progress.current;
  return {
    lines: { read: table.read, byKind: table.byKind() },
    orders: plan.orders,
    accounts: table.accounts.list.length,
    skus: plan.skusOrdered,
    products: table.skus.list.length,
    receipts: stock.opening.length + counts.receipts,
    units: {
      ordered: units.ordered,
      cancelled: units.cancelled,
      cancelledWithOriginal: matches.unitsMatched,
      cancelledWithoutOriginal: matches.unitsWithoutOriginal,
      opening: stock.openingUnits,
      weekly: stock.weeklyUnits,
      zeroPrice: units.zeroPrice,
      writeOffAsked: units.writeOff,
      writeOffGranted: counts.unitsGranted,
      notGranted: counts.unitsNotGranted,
      grantedInVain: counts.unitsGrantedInVain,
    },
    rejected: table.rejected,
    refused: counts.refused,
    fed: { lines: counts.lines, orders: counts.orders, cancels: counts.cancels },
    seed: plan.seed,
  };
}

function mutatedSummary({ rates, changes, limits, substitutes }: Mutations, progress: ProgressFile): object {
  const { counts } = progress.current;
  const kinds: Record<string, number> = {};
  for (const change of changes.values()) for (const kind of change.kinds) kinds[kind] = (kinds[kind] ?? 0) + 1;
  const { cancelledInPart, returns, prices, payments, released, givenUp, leftHeld } = counts;
  return {
    rates,
    ...{ changes: counts.changes, changedLines: kinds, cancelledInPart, returns, prices, payments },
    ...{ accountsLimited: limits.length, substitutedSkus: 2 * substitutes.size },
    decidedByPerson: { released, givenUp, leftHeld },
  };
}

function sayFileError(options: Options, error: FileError): void {
  const { code, message, line, value } = error;
  if (options.json) say(options, { type: 'error', code, message, line, value });
  console.error(`${code}: ${message}`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n${USAGE}`);
      process.exit(2);
    }
    const json = process.argv.includes('--json');
    const { message } = error as Error;
    const { code = 'FEED_ENDED', line = null, value = null } = error as Partial<FileError>;
    if (json) process.stdout.write(`${JSON.stringify({ type: 'error', code, message, line, value })}\n`);
    console.error(`${code}: ${message}`);
    process.exit(1);
  },
);
