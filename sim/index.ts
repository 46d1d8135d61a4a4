import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { crm } from './crm.ts';
import { erp } from './erp.ts';
import { type FaultProfile, Faults } from './lib/faults.ts';
import { FEED_LIMIT_MAX, Feed } from './lib/feed.ts';
import { type Item, itemOf, Refusal } from './lib/items.ts';
import { type Journal, openJournal } from './lib/journal.ts';
import { seededRandom } from './lib/prng.ts';
import { createSimServer } from './lib/server.ts';
import { business, type Call, type Entry, type Kit, type Route, type System, TruthPages } from './lib/system.ts';
import { realTime, type Time } from './lib/time.ts';
import { marketplace } from './marketplace.ts';
import { salesforce } from './salesforce/index.ts';
import { shop } from './shop.ts';
import { wms } from './wms.ts';

export type { FaultProfile, FaultRates } from './lib/faults.ts';
export { NO_FAULTS, STORM } from './lib/faults.ts';
export { type ManualTime, manualTime, realTime, type Time } from './lib/time.ts';

/** The estate's five. */
export const SIM_KINDS = ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const;
export type SimKind = (typeof SIM_KINDS)[number];
/** Systems that speak somebody else's protocol, as far as its public reference tells it. */
export const SIM_OTHERS = ['salesforce'] as const;
export type AnySimKind = SimKind | (typeof SIM_OTHERS)[number];

const FEED_LIMIT = 100;
const TRUTH_LIMIT = 500;
const TRUTH_LIMIT_MAX = 2000;

export interface SimOptions {
  /** Folder of the journal, one file per kind. */
  data: string;
  /** 0 or absent takes any free port. */
  port?: number;
  token?: string;
  seed?: number | string;
  faults?: FaultProfile;
  /** 2 is twice as fast: delays of the system's own work are divided by it. */
  speed?: number;
  unreadMax?: number;
  webhookUrl?: string;
  webhookSecret?: string;
  time?: Time;
}

export interface Sim {
  kind: AnySimKind;
  url: string;
  token: string;
  stats(): Record<string, unknown>;
  /** Stops at once; what was answered is in the journal. */
  close(): Promise<void>;
}

export async function startSim(kind: AnySimKind, options: SimOptions): Promise<Sim> {
  const { token = 'sim-token', seed = 1, speed = 1, unreadMax = 400 } = options;
  if (!(speed > 0)) throw new TypeError(`speed must be above 0, found ${speed}`);
  const time = options.time ?? realTime();
  const faults = new Faults(time.now, options.faults, `${seed}/${kind}`);
  let journal: Journal | undefined;
  const opened = (): Journal => journal!;
  const feed = new Feed(opened);
  const kit: Kit = {
    feed,
    time,
    random: seededRandom(seed, kind),
    named: (name) => seededRandom(seed, kind, name),
    faults,
    speed,
    unreadMax,
    keep: (entry) => opened().append(JSON.stringify(entry)),
  };
  const system = systemOf(kind, kit, options, token, () => opened().flushed());

  journal = openJournal(join(options.data, `${kind}.ndjson`), (line) => {
    const entry = JSON.parse(line) as Entry | Item;
    if (typeof entry.seq === 'number') {
      feed.restore(entry.seq, line);
      system.restoreRecord(entry);
    } else {
      system.restore(entry as Entry);
    }
  });

  const stats = (): Record<string, unknown> => ({
    system: kind,
    calls: http.calls(),
    faults: faults.given,
    records: feed.last,
    unread: feed.unread,
    backwards: 0,
    duplicates: 0,
    ...system.stats(),
    pending: system.pending() + http.late(),
  });
  const truth = new TruthPages(system.truths);
  const control = (method: 'GET' | 'POST', path: string, run: Route['run']): Route => ({
    method,
    path,
    business: false,
    run,
  });
  const readFeed: Route['run'] = ({ query }) => {
    const after = integerIn(query, 'after', 0, Number.MAX_SAFE_INTEGER);
    feed.markRead(after);
    return feed.page(after, integerIn(query, 'limit', FEED_LIMIT, FEED_LIMIT_MAX));
  };
  const http = createSimServer({
    mount: system.mount,
    routes: [
      ...system.routes,
      ...(system.feedPath === undefined ? [] : [business('GET', system.feedPath, readFeed)]),
      control('GET', '/_control/events', ({ query }) =>
        feed.page(
          integerIn(query, 'after', 0, Number.MAX_SAFE_INTEGER),
          integerIn(query, 'limit', FEED_LIMIT, FEED_LIMIT_MAX),
        ),
      ),
      control('GET', '/_control/stats', stats),
      control('GET', '/_control/truth', ({ query }) =>
        truth.page(
          query.get('kind') ?? '',
          query.get('after'),
          integerIn(query, 'limit', TRUTH_LIMIT, TRUTH_LIMIT_MAX),
        ),
      ),
      control('POST', '/_control/faults', (call) => setFaults(faults, call, `${seed}/${kind}`, kind)),
      control('GET', '/health', () => ({ status: 'ok', system: kind })),
    ],
    token,
    faults,
    journal,
    time,
  });

  http.server.listen(options.port ?? 0, '127.0.0.1');
  try {
    await once(http.server, 'listening');
  } catch (error) {
    journal.close();
    throw error;
  }
  system.resume();
  const { port } = http.server.address() as AddressInfo;

  return {
    kind,
    url: `http://127.0.0.1:${port}`,
    token,
    stats,
    async close() {
      time.stop();
      const closed = http.server.listening ? once(http.server, 'close') : undefined;
      http.server.close();
      http.server.closeAllConnections();
      await closed;
      opened().close();
    },
  };
}

function systemOf(
  kind: AnySimKind,
  kit: Kit,
  options: SimOptions,
  token: string,
  flushed: () => Promise<void> | undefined,
): System {
  switch (kind) {
    case 'erp':
      return erp(kit);
    case 'crm':
      return crm(kit);
    case 'wms':
      return wms(kit);
    case 'shop':
      return shop(kit, { url: options.webhookUrl, secret: options.webhookSecret ?? '', flushed });
    case 'marketplace':
      return marketplace(kit);
    case 'salesforce':
      return salesforce(kit, token);
  }
}

function setFaults(faults: Faults, { body }: Call, seed: string, kind: AnySimKind): object {
  const item = itemOf(body);
  try {
    faults.set(item.profile, item.seed === undefined ? seed : `${String(item.seed)}/${kind}`);
  } catch (error) {
    throw new Refusal(422, 'invalid', (error as Error).message);
  }
  return { rates: faults.rates };
}

/** A limit above the maximum gives the maximum; what is no number is refused. */
function integerIn(query: URLSearchParams, name: string, absent: number, max: number): number {
  const text = query.get(name);
  if (text === null) return absent;
  if (!/^\d{1,16}$/.test(text)) throw new Refusal(400, 'invalid', `${name} must be a whole number, found ${text}`);
  return Math.min(Number(text), max);
}
