/** One connector, built against one server: what a check works with. Everything that the connector says is kept. */
import type { Declaration } from '../declare.ts';
import type { Connector, ConnectorContext, ConnectorFactory, FeedPage, Source } from '../types.ts';
import type { FeedDescription, FeedRow, Spoil, Stand, SystemDescription, SystemModel } from './describe.ts';
import { noted } from './said.ts';
import { type FaultServer, faultServer } from './server.ts';
import { type Sink, sinksOf } from './sinks.ts';

export const TOKEN = 'conformance-token-7Hq2xV9mK4tR';
export const WEBHOOK_SECRET = 'conformance-webhook-3Fw8ZpLc61';
/** Where nobody listens. */
export const NOWHERE = 'http://127.0.0.1:9';
/** Long enough for a busy machine; only what must not be answered waits for {@link SHORT_MS}. */
export const LONG_MS = 10_000;
export const SHORT_MS = 120;
/** How much later than twice its deadline a call may end here: the machine may be busy. */
export const SLACK_MS = 2_500;
const PAGES_MAX = 2_000;

export interface Bench {
  name: string;
  factory: ConnectorFactory;
  declaration: Declaration | undefined;
  /** Where stand-ins are made that need one. */
  database: string;
  description: SystemDescription;
  /** All that was said by connectors of this run: outcomes, errors, answers to probes, output. */
  said: string[];
}

export interface StageOptions {
  limits?: Partial<ConnectorContext['limits']>;
  context?: Partial<ConnectorContext>;
  /** Instead of the server's. */
  url?: string;
}

/** Whether deadlines are waited for: such checks take as long for one as for all, at once. */
export const waits = ({ limits }: StageOptions) => (limits?.timeoutMs ?? LONG_MS) < LONG_MS;

export interface Stage {
  bench: Bench;
  /** Nobody calls it where the system has a transport of its own. */
  server: FaultServer;
  stand: Stand | undefined;
  model: SystemModel;
  /** Writes that were made so far. */
  writes(): number;
  rows: Record<string, FeedRow[]>;
  connector: Connector;
  sinks: Sink[];
  signal: AbortSignal;
  /** Another connector over the same server, as after a restart. */
  another(options?: StageOptions): Connector;
  close(): Promise<void>;
}

export function contextOf(bench: Bench, url: string, { limits, context }: StageOptions = {}): ConnectorContext {
  const own = bench.description.context ?? {};
  return {
    system: 'system',
    channel: 'channel',
    url,
    token: TOKEN,
    webhookSecret: WEBHOOK_SECRET,
    ...own,
    settings: settingsOf(bench.description, url),
    ...context,
    limits: { callsPerSecond: 10_000, concurrency: 4, timeoutMs: LONG_MS, batchMax: null, ...limits },
  };
}

export function settingsOf({ context }: SystemDescription, url: string): ConnectorContext['settings'] {
  const { settings = {} } = context ?? {};
  return typeof settings === 'function' ? settings(url) : settings;
}

export async function openStage(bench: Bench, options: StageOptions = {}): Promise<Stage> {
  const rows: Record<string, FeedRow[]> = {};
  for (const feed of Object.keys(bench.description.feeds ?? {})) rows[feed] = [];
  const { description } = bench;
  if ((description.transport === 'own' ? description.stand : description.system) === undefined)
    throw new Error(
      'the description says nothing of the system: `system` over HTTP, `stand` over a transport of its own',
    );
  // Asked only once it is there.
  const spoil: Spoil = (text) => server.rewrite?.(text) ?? text;
  const stand = await description.stand?.(rows, spoil, { database: bench.database, token: TOKEN });
  const model: SystemModel = description.system?.(rows) ?? modelOf(stand!);
  const server = await faultServer(model);
  const made: Connector[] = [];
  const another = (changes: StageOptions = options): Connector => {
    const connector = bench.factory(contextOf(bench, changes.url ?? stand?.url ?? server.url, changes));
    made.push(connector);
    return stand === undefined ? connector : broughtTo(connector, stand);
  };
  try {
    const connector = another();
    const signal = new AbortController().signal;
    return {
      bench,
      server,
      stand,
      model,
      writes: () => stand?.writes() ?? server.calls.filter(({ role }) => role === 'write').length,
      rows,
      connector,
      sinks: sinksOf(bench, connector),
      signal,
      another,
      async close() {
        // The server first: a connector that waits for an answer must get its end.
        await server.close();
        for (const one of made) await one.close();
        await stand?.close();
      },
    };
  } catch (error) {
    await server.close();
    await stand?.close();
    throw error;
  }
}

function modelOf({ effects, refuse, endOrder }: Stand): SystemModel {
  return {
    answer: () => undefined,
    ...(effects && { effects }),
    ...(refuse && { refuse }),
    ...(endOrder && { endOrder }),
  };
}

/** What the rows are is there when it is read. */
function broughtTo(connector: Connector, stand: Stand): Connector {
  const sources = connector.sources.map((source): Source => {
    const poll: Source['poll'] = async (cursor, signal) => {
      await stand.bring();
      return await source.poll(cursor, signal);
    };
    return { ...source, poll };
  });
  const deliveries = Object.entries(connector.deliveries).map(([name, kind]) => {
    const write: typeof kind.write = async (items, signal) => {
      await stand.ready?.();
      return await kind.write(items, signal);
    };
    return [name, { ...kind, write }] as const;
  });
  return { ...connector, sources, deliveries: Object.fromEntries(deliveries) };
}

/** Waits for a refusal of a call and gives it; undefined when there was none. */
export async function refusalOf(bench: Bench, run: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    const caught = error instanceof Error ? error : new Error(String(error));
    return noted(bench, caught);
  }
}

export const BASE_AT = Date.parse('2019-05-01T08:00:00Z');
const MINUTE_MS = 60_000;

export function iso(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The n-th thing, changed in the n-th minute, or then. */
export function rowOf(feed: FeedDescription, n: number, at = iso(BASE_AT + n * MINUTE_MS), seq = n): FeedRow {
  return { n, at, seq, raw: feed.record(n, at, seq) };
}

export function rowsOf(feed: FeedDescription, count: number, from = 1): FeedRow[] {
  return Array.from({ length: count }, (_, index) => rowOf(feed, from + index));
}

export interface ReadOptions {
  cursor?: string;
  /** Between two pages. */
  between?: (page: FeedPage, pages: number) => void;
  /** Another source for each page, as if it was started anew. */
  restart?: () => Source;
  signal: AbortSignal;
}

/** Polls to the end. @throws when there is none */
export async function readAll(source: Source, options: ReadOptions): Promise<{ pages: FeedPage[]; cursor: string }> {
  const pages: FeedPage[] = [];
  let cursor = options.cursor ?? '';
  for (;;) {
    const reader = options.restart?.() ?? source;
    const page = await reader.poll(cursor, options.signal);
    pages.push(page);
    cursor = page.cursor;
    options.between?.(page, pages.length);
    if (page.drained) return { pages, cursor };
    if (pages.length >= PAGES_MAX) throw new Error(`${source.feed} is not at its end after ${PAGES_MAX} pages`);
  }
}

export interface Named {
  scope: string;
  key: string;
  fingerprint: string;
}

/** What makes an item that item. */
export function nameOf({ scope, key, fingerprint }: Named): string {
  return `${scope} ${key} ${fingerprint}`;
}

export function itemsOf(pages: readonly FeedPage[]): FeedPage['items'] {
  return pages.flatMap((page) => page.items);
}
