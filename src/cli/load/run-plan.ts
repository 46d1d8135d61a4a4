/** Plans on the command line: made, applied, undone, listed and shown. */
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { fail } from '../../canonical/index.ts';
import { applyPlan, getPlan, type LoadPlan, listPlans, type PlanItem, undoPlan } from '../../master/index.ts';
import type { LoadImpact } from '../../ops/index.ts';
import { withDatabase } from '../open.ts';
import { EXIT, printResult, say, startProgress } from '../output.ts';
import { onShutdown } from '../shutdown.ts';
import { table } from '../table.ts';
import { whoAmI } from '../who.ts';
import type { KindName } from './kinds.ts';
import { itemsOf, planLoad, writePlanFile } from './plan.ts';
import { kindOf, planKindOf } from './plan-kinds.ts';

interface Options {
  company?: string;
  channel?: string;
  system?: string;
  out?: string;
  databaseUrl?: string;
  json?: boolean;
  limit?: number;
  state?: string;
}

const ITEMS_SHOWN = 20;
const VALUE_CHARS_MAX = 40;

export async function makePlan(kind: KindName, file: string, options: Options): Promise<void> {
  const planKind = planKindOf(kind);
  await withAbort(`plan ${kind}`, async (signal, progress) =>
    withDatabase(options, 'load', async (opened) => {
      const plan = await planLoad(opened, planKind, file, {
        ...(options.company !== undefined && { company: options.company }),
        ...(options.channel !== undefined && { channel: options.channel }),
        ...(options.system !== undefined && { system: options.system }),
        by: whoAmI(),
        signal,
        onProgress: (bytes, total, rows) => progress.update((100 * bytes) / Math.max(1, total), `${rows} rows`),
      });
      progress.end();
      if (options.out !== undefined) await writePlanFile(opened, plan, options.out);
      const items = await gather(itemsOf(opened, plan, { limit: ITEMS_SHOWN }));
      const left = plan.counts.added + plan.counts.changed + plan.counts.refused - items.length;
      const text = () =>
        [
          ...planLines(plan),
          ...itemTable(items, left),
          ...(plan.counts.added + plan.counts.changed === 0
            ? ['nothing to apply']
            : [`apply it: crossdock load --apply ${plan.planId}`]),
        ].join('\n');
      printResult({ ...plan, items, itemsLeftOut: left }, { ...options, text });
      if (plan.counts.refused > 0) process.exitCode = EXIT.findings;
    }),
  );
}

export async function runPlanned(what: 'apply' | 'undo', named: string, options: Options): Promise<void> {
  await withAbort(`${what} a plan`, (signal, progress) =>
    withDatabase(options, 'load', async (opened) => {
      const { db, directory } = opened;
      const planId = await planIdOf(named);
      const run = { by: whoAmI(), signal, kindOf, onProgress: (done: number) => progress.update(done, 'items') };
      const before = await getPlan(db, planId);
      const plan = await (what === 'apply' ? applyPlan : undoPlan)(db, directory, planId, run);
      progress.end();
      const bad = what === 'apply' ? (['stale', 'refused'] as const) : (['kept'] as const);
      const items: PlanItem[] = [];
      let left = 0;
      for (const state of bad) {
        // What was refused when it was planned is no news.
        const count = (plan.items[state] ?? 0) - (state === 'refused' ? plan.counts.refused : 0);
        left += count;
        if (count > 0)
          for await (const item of itemsOf(opened, plan, { state }))
            if (item.action !== 'refuse' && items.push(item) >= Math.min(ITEMS_SHOWN, left)) break;
      }
      left -= items.length;
      const done = { apply: ['applied', 'stale'], undo: ['undone'] }[what];
      const isDone = done.includes(plan.state);
      const text = () =>
        [
          ...(done.includes(before.state) ? [`plan ${planId} was ${before.state} already; nothing was done`] : []),
          `plan ${planId} is ${plan.state}: ${counted(plan.items)}`,
          ...itemTable(items, left),
        ].join('\n');
      printResult({ ...plan, notDone: items, notDoneLeftOut: left }, { ...options, text });
      if (!isDone) {
        say('ended before the last item; the same command goes on from here');
        process.exitCode = EXIT.failed;
      } else if (items.length > 0) process.exitCode = EXIT.findings;
    }),
  );
}

export async function listAll(options: Options): Promise<void> {
  await withDatabase(options, 'load', async ({ db }) => {
    const plans = await listPlans(db, { limit: options.limit ?? 50 });
    const text = () =>
      plans.length === 0
        ? 'no plans'
        : table(
            ['plan', 'kind', 'file', 'state', 'added', 'changed', 'unchanged', 'refused', 'by', 'planned at'],
            plans.map((plan) => [
              ...[plan.planId, plan.kind, plan.file, plan.state, plan.counts.added, plan.counts.changed],
              ...[plan.counts.unchanged, plan.counts.refused, plan.plannedBy, plan.recordedAt.toISOString()],
            ]),
          );
    printResult({ plans }, { ...options, text });
  });
}

export async function showPlan(named: string, options: Options): Promise<void> {
  await withDatabase(options, 'load', async (opened) => {
    const plan = await getPlan(opened.db, await planIdOf(named));
    const limit = options.limit ?? 50;
    const items = await gather(
      itemsOf(opened, plan, { limit, ...(options.state !== undefined && { state: options.state }) }),
    );
    const all = Object.entries(plan.items).reduce(
      (sum, [state, count]) => sum + (options.state === undefined || options.state === state ? count : 0),
      0,
    );
    const text = () => [...planLines(plan), ...itemTable(items, all - items.length)].join('\n');
    printResult({ ...plan, shown: items, itemsLeftOut: all - items.length }, { ...options, text });
  });
}

async function gather<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of all) list.push(one);
  return list;
}

function planLines(plan: LoadPlan): string[] {
  const { counts } = plan;
  const { added, changed, unchanged, refused } = counts;
  const lines = [
    `plan ${plan.planId}: ${plan.kind} of ${plan.file}, ${plan.state}`,
    `${counts.rows} rows: ${added} added, ${changed} changed, ${unchanged} unchanged, ${refused} refused`,
  ];
  if (plan.state !== 'planned') lines.push(`items: ${counted(plan.items)}`);
  const impact = plan.impact as LoadImpact | null;
  if (impact === null) return lines;
  const { subjects, openOrders, prices } = impact;
  const what = subjects.kind === 'sku' ? 'products' : 'accounts';
  lines.push(
    `touches ${subjects.count} ${what}; ${openOrders.orders} open orders with ${openOrders.lines} lines name them`,
  );
  if (prices === undefined) return lines;
  for (const which of ['rise', 'fall'] as const) {
    const move = prices[which];
    if (move === null) continue;
    const sign = which === 'rise' ? '+' : '';
    const of = move.key.filter((part) => part !== '').join(' ');
    lines.push(`largest ${which} ${sign}${move.percent} %: ${of}, ${move.before} → ${move.after} (line ${move.line})`);
  }
  const told = prices.channels.map(({ channel, skus }) => `${channel} (${skus} products)`);
  lines.push(
    `${prices.published} published prices; ${told.length === 0 ? 'no channel is told' : `told are ${told.join(', ')}`}`,
  );
  return lines;
}

/** A line a field. */
function itemTable(items: readonly PlanItem[], left: number): string[] {
  if (items.length === 0) return [];
  const rows = items.flatMap((item) => {
    const key = Object.values(item.key)
      .filter((part) => part !== '')
      .join(' ');
    const because = item.reason === null ? '' : `${item.code}: ${item.reason}`;
    const fields = Object.keys(item.after ?? {});
    if (fields.length === 0) return [[item.line, item.action, key, '', '', '', item.state, because]];
    return fields.map((field, i) => [
      ...(i === 0 ? [item.line, item.action, key] : ['', '', '']),
      ...[field, item.before === null ? '' : shown(item.before[field]), shown(item.after![field])],
      ...(i === 0 ? [item.state, because] : ['', '']),
    ]);
  });
  return [
    '',
    table(['line', 'what', 'record', 'field', 'before', 'after', 'state', 'why'], rows),
    ...(left > 0 ? [`… ${left} more; crossdock load plans show, or --out, has them`] : []),
    '',
  ];
}

function shown(value: unknown): string {
  const text =
    value === null || value === undefined
      ? '(none)'
      : Array.isArray(value)
        ? value.map(listed).join(', ')
        : String(value);
  return text.length > VALUE_CHARS_MAX ? `${text.slice(0, VALUE_CHARS_MAX - 1)}…` : text;
}

/** What a list is made of, in few words. */
function listed(one: unknown): string {
  if (typeof one !== 'object' || one === null) return String(one);
  const { sku, quantity, unit, numerator, denominator, code, lines } = one as Record<string, unknown>;
  if (sku !== undefined) return `${quantity} ${sku}`;
  if (unit !== undefined) return `${unit} = ${numerator}${denominator === 1 ? '' : `/${denominator}`}`;
  return `${code}: ${(lines as string[] | undefined)?.[0] ?? ''}`;
}

function counted(items: LoadPlan['items']): string {
  const parts = Object.entries(items).map(([state, count]) => `${count} ${state}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

/** A number, or a file that --out wrote: its number stands at its beginning. */
async function planIdOf(named: string): Promise<number> {
  if (/^[1-9]\d{0,14}$/.test(named)) return Number(named);
  if (!existsSync(named)) return fail('XD_NOT_FOUND', `${named} is neither the number of a plan nor a file`);
  const handle = await open(named);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(200), 0);
    const found = /^\{\s*"planId": (\d+),/.exec(buffer.subarray(0, bytesRead).toString());
    return found === null ? fail('XD_VALUE_INVALID', `${named} is no plan of a load`) : Number(found[1]);
  } finally {
    await handle.close();
  }
}

async function withAbort(
  label: string,
  work: (signal: AbortSignal, progress: ReturnType<typeof startProgress>) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const release = onShutdown(() => abort.abort());
  const progress = startProgress(label, label.startsWith('plan') ? 100 : undefined);
  try {
    await work(abort.signal, progress);
  } finally {
    progress.end();
    release();
  }
}
