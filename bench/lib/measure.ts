/** Rounds, medians and chance: what all benchmarks share. */
import { cpus, totalmem } from 'node:os';
import type { Setting } from './setting.ts';

export interface CaseResult {
  case: string;
  /** The product's median over the rounds. */
  value: number;
  unit: string;
  /** The baseline's median over the same rounds. */
  baseline: number;
  ratio: number;
  rounds: number;
  /** The ratio this case must reach. */
  atLeast: number;
  values: number[];
  baselines: number[];
}

export interface BenchResult {
  name: string;
  machine: Record<string, string | number>;
  cases: CaseResult[];
  figures: Record<string, unknown>;
}

export interface Rounds {
  rounds: number;
  say: (line: string) => void;
}

export interface CaseOptions {
  case: string;
  unit: string;
  atLeast: number;
  /** One measured round each; both assert what they wrote and return the figure. */
  baseline: (round: number) => Promise<number>;
  product: (round: number) => Promise<number>;
  /** Before every single measured round, unmeasured. */
  between?: () => Promise<void>;
}

/** Runs both sides in turn, one unmeasured round first; who begins changes from round to round. */
export async function measureCase(options: CaseOptions, { rounds, say }: Rounds): Promise<CaseResult> {
  const values: number[] = [];
  const baselines: number[] = [];
  const timed = async (side: string, measuring: Promise<number>) => {
    const figure = await measuring;
    say(`${options.case} ${side}: ${shown(figure)} ${options.unit}`);
    return figure;
  };
  for (let round = 0; round <= rounds; round++) {
    const sides = [
      async () => void baselines.push(await timed('baseline', options.baseline(round))),
      async () => void values.push(await timed('product', options.product(round))),
    ];
    if (round % 2 === 1) sides.reverse();
    for (const side of sides) {
      await options.between?.();
      await side();
    }
    say(
      `${options.case} ${round === 0 ? 'warm-up' : `round ${round}`}: ${shown(values.at(-1)!)} against ${shown(baselines.at(-1)!)} ${options.unit}, ${(values.at(-1)! / baselines.at(-1)!).toFixed(2)} x`,
    );
  }
  values.shift();
  baselines.shift();
  const value = median(values);
  const baseline = median(baselines);
  return {
    case: options.case,
    value: round3(value),
    unit: options.unit,
    baseline: round3(baseline),
    ratio: Math.round((value / baseline) * 1000) / 1000,
    rounds,
    atLeast: options.atLeast,
    values: values.map(round3),
    baselines: baselines.map(round3),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)]!;
}

/** `total` pieces of work by `callers` that each wait for their own answer before they ask again. @returns seconds */
export async function runCallers(callers: number, total: number, work: (n: number) => Promise<void>): Promise<number> {
  let next = 0;
  const caller = async () => {
    while (next < total) await work(next++);
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: Math.min(callers, total) }, caller));
  return (performance.now() - started) / 1000;
}

/** Small, quick and the same everywhere for one seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Indexes 0 … n-1 by Zipf's law, exponent 1: the first comes n times as often as the last. */
export function zipf(n: number, random: () => number): () => number {
  const edges = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    sum += 1 / (i + 1);
    edges[i] = sum;
  }
  return () => {
    const at = random() * sum;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (edges[middle]! > at) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

export function expect(found: unknown, wanted: unknown, what: string): void {
  if (found !== wanted) throw new Error(`${what}: ${String(found)}, expected ${String(wanted)}`);
}

const SHOWN_SETTINGS = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'shared_buffers',
  'max_wal_size',
  'wal_compression',
  'checkpoint_timeout',
];

export async function describeMachine(setting: Setting): Promise<Record<string, string | number>> {
  const settings = await setting.rows<{ name: string; value: string }>(
    'select name, current_setting(name) as value from pg_settings where name = any($1::text[]) order by name',
    [SHOWN_SETTINGS],
  );
  const [version] = await setting.rows<{ version: string }>(`select current_setting('server_version') as version`);
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    postgresql: version!.version,
    database:
      process.env.BENCH_DATABASE_URL === undefined ? 'embedded, Unix socket, same machine' : 'BENCH_DATABASE_URL',
    ...Object.fromEntries(settings.map(({ name, value }) => [name, value])),
  };
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

function round3(value: number): number {
  return Number(value.toPrecision(6));
}
