/** Stages of feeds, and what was read in them. */
import type { Source } from '../../types.ts';
import { forEach, must, onStage } from '../check.ts';
import type { FeedDescription } from '../describe.ts';
import {
  type Bench,
  itemsOf,
  nameOf,
  type ReadOptions,
  readAll,
  rowOf,
  type Stage,
  type StageOptions,
  waits,
} from '../stage.ts';

export interface FeedStage extends Stage {
  feed: string;
  it: FeedDescription;
  source: Source;
}

/** Runs over each described feed, each on a stage of its own. */
export function eachFeed(
  bench: Bench,
  run: (stage: FeedStage) => Promise<void>,
  options: StageOptions = {},
): Promise<void> {
  const feeds = Object.entries(bench.description.feeds ?? {}).map(([feed, it]) => ({ feed, it }));
  return forEach(
    feeds,
    ({ feed, it }) =>
      onStage(bench, options, async (stage) => {
        const source = sourceOf(stage.connector, feed);
        await run({ ...stage, feed, it, source });
      }),
    waits(options),
  );
}

export function sourceOf(connector: Stage['connector'], feed: string): Source {
  const source = connector.sources.find((one) => one.feed === feed);
  must(source !== undefined, `the description names the feed ${feed}, and none is built`);
  return source;
}

/** What each thing gives when it is the only one there. */
export async function alone(bench: Bench, feed: string, ns: readonly number[]): Promise<Map<number, string[]>> {
  const names = new Map<number, string[]>();
  for (const n of ns)
    await onStage(bench, {}, async (stage) => {
      stage.rows[feed]!.push(rowOf(bench.description.feeds![feed]!, n));
      const { pages } = await readAll(sourceOf(stage.connector, feed), { signal: stage.signal });
      names.set(n, itemsOf(pages).map(nameOf));
    });
  return names;
}

const keyCache = new WeakMap<FeedDescription, Map<string, string[]>>();

/** The keys of the n-th thing as it is listed now, when it is alone: keys of records hold when they changed. */
export async function keysOf({ bench, feed, it, rows }: FeedStage, n: number): Promise<string[]> {
  const row = rows[feed]!.findLast((one) => one.n === n) ?? rowOf(it, n);
  const cache = keyCache.get(it) ?? new Map<string, string[]>();
  keyCache.set(it, cache);
  const id = `${n} ${row.at} ${row.seq}`;
  const keys = cache.get(id) ?? (await keysAlone(bench, feed, row));
  cache.set(id, keys);
  return keys;
}

export async function keysAlone(bench: Bench, feed: string, { n, at, seq }: Place): Promise<string[]> {
  let keys: string[] = [];
  await onStage(bench, {}, async (stage) => {
    stage.rows[feed]!.push(rowOf(bench.description.feeds![feed]!, n, at, seq));
    const { pages } = await readAll(sourceOf(stage.connector, feed), { signal: stage.signal });
    keys = itemsOf(pages).map(({ key }) => key);
  });
  must(keys.length > 0, `thing ${n} gives no item, alone`);
  return keys;
}

/** Which thing, and where it stands; without a place where it stands by itself. */
type Place = { n: number; at?: string; seq?: number };

/** Reads with changes in between and says which things were never seen. */
export async function lost(stage: FeedStage, wanted: readonly number[], options: Partial<ReadOptions> = {}) {
  const { source, signal } = stage;
  const { thingOf = (key: string) => key } = stage.it;
  const seen = new Set(itemsOf((await readAll(source, { signal, ...options })).pages).map(({ key }) => thingOf(key)));
  const missing: number[] = [];
  for (const n of wanted) if (!(await keysOf(stage, n)).every((key) => seen.has(thingOf(key)))) missing.push(n);
  return missing;
}
