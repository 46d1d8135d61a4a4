/** Feeds against the model of Tryton: transactions that end in another order than they began. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PriceChanged } from '../../canonical/index.ts';
import type { FeedDescription, FeedRow, SystemModel } from '../kit/conformance/index.ts';
import { type FaultServer, faultServer } from '../kit/conformance/server.ts';
import type { Connector } from '../kit/index.ts';
import { contextFor } from '../kit/testing.ts';
import description from './conformance.ts';
import { tryton } from './index.ts';
import { OVERLAP_MS } from './settings.ts';

const signal = new AbortController().signal;
const feeds = Object.entries(description.feeds!);
let rows: Record<string, FeedRow[]>;
let model: SystemModel;
let server: FaultServer;
let connectors: Connector[];

beforeEach(async () => {
  rows = Object.fromEntries(feeds.map(([feed]) => [feed, []]));
  model = description.system!(rows);
  server = await faultServer(model);
  connectors = [];
});
afterEach(async () => {
  await server.close();
  for (const connector of connectors) await connector.close();
});

function connect(settings: object = {}): Connector {
  const connector = tryton(
    contextFor(server.url, {
      channel: 'shop',
      settings: { ...(description.context!.settings as object), ...settings },
    }),
  );
  connectors.push(connector);
  return connector;
}

/** A row as its transaction leaves it: its time is when that began. It is there once it is put into `rows`, at its commit. */
function written(feed: FeedDescription, n: number, began: number): FeedRow {
  const at = `${new Date(began).toISOString().slice(0, 19)}Z`;
  return { n, at, seq: n, raw: feed.record(n, at, n) };
}

async function read(connector: Connector, feed: string, from: string): Promise<{ keys: string[]; cursor: string }> {
  const source = connector.sources.find((one) => one.feed === feed)!;
  const keys: string[] = [];
  for (let cursor = from; ; ) {
    const page = await source.poll(cursor, signal);
    keys.push(...page.items.map(({ key }) => key));
    cursor = page.cursor;
    if (page.drained) return { keys, cursor };
  }
}

const ELEVEN = Date.parse('2026-03-01T11:00:00Z');

/** Began so many ms before the change that was read last, and commits after it was read. @returns what is read then */
async function lateCommit(feed: string, it: FeedDescription, earlierMs: number, settings: object = {}) {
  const slow = written(it, 7, ELEVEN - earlierMs);
  rows[feed] = [written(it, 3, ELEVEN - earlierMs - 60_000), written(it, 5, ELEVEN)];
  const first = await read(connect(settings), feed, '');
  rows[feed].push(slow);
  // Another process goes on from the cursor: what is found is not due to what the first remembers.
  const then = await read(connect(settings), feed, first.cursor);
  rows[feed] = [slow];
  const [key] = (await read(connect(), feed, '')).keys;
  return { first: first.keys.includes(key!), later: then.keys.includes(key!) };
}

describe.each(feeds)('%s: a transaction that began before the cursor and commits after it', (feed, it_) => {
  it('is read, as long as it took no longer than the overlap', async () => {
    expect(await lateCommit(feed, it_, 5_000)).toEqual({ first: false, later: true });
    expect(await lateCommit(feed, it_, OVERLAP_MS)).toEqual({ first: false, later: true });
  });

  it('is lost without the overlap, and beyond it: it is the overlap that finds it', async () => {
    expect(await lateCommit(feed, it_, 5_000, { overlapMs: 0 })).toEqual({ first: false, later: false });
    expect(await lateCommit(feed, it_, OVERLAP_MS + 1_000)).toEqual({ first: false, later: false });
  });
});

describe('prices of lists', () => {
  const list = (n: number, began: number) => written(description.feeds!.price_lists!, n, began);
  const commandsOf = async (feed: string): Promise<PriceChanged[]> =>
    (
      await connect()
        .sources.find((one) => one.feed === feed)!
        .poll('', signal)
    ).items.flatMap(({ command }) => (command?.kind === 'price.changed' ? [command] : []));

  it('come with each change of a list, by quantity, of the unit they are sold by', async () => {
    rows.price_lists = [list(1, ELEVEN)];
    expect(await commandsOf('price_lists')).toEqual([
      {
        kind: 'price.changed',
        sku: 'SKU-2',
        company: 'US',
        currency: 'USD',
        unitPrice: '16.056',
        tiers: [
          { quantityMin: 1, unitPrice: '16.056' },
          { quantityMin: 24, unitPrice: '15.0525' },
        ],
        unit: 'each',
        priceList: 'List 1',
        changedAt: '2026-03-01T11:00:00.000Z',
      },
    ]);
  });

  it('a list that can not be read holds up no other', async () => {
    const broken = { ...list(2, ELEVEN), raw: description.feeds!.price_lists!.broken('2026-03-01T11:00:00Z', 2)[0] };
    rows.price_lists = [broken, list(3, ELEVEN + 1_000)];
    const { keys } = await read(connect(), 'price_lists', '');
    expect(keys).toEqual([expect.stringMatching(/^unreadable:/), expect.stringMatching(/^SKU-2 /)]);
  });
});

it('a party that was replaced is told as merged, and one that was only put away is not told', async () => {
  const it_ = description.feeds!.accounts!;
  const at = (n: number) => `2026-03-01T11:00:0${n}Z`;
  const row = (n: number, raw: unknown): FeedRow => ({ n, at: at(n), seq: n, raw });
  rows.accounts = [
    row(1, it_.merged!(1, 3, at(1), 1)),
    row(2, { ...(it_.record(2, at(2), 2) as object), active: false }),
    row(3, it_.record(3, at(3), 3)),
    row(4, { ...(it_.merged!(4, 3, at(4), 4) as object), 'replaced_by.': { id: 9, code: null } }),
  ];
  const page = await connect()
    .sources.find(({ feed }) => feed === 'accounts')!
    .poll('', signal);
  expect(page.items.map(({ command, unreadable }) => command ?? unreadable)).toEqual([
    { kind: 'account.merged', account: 'CUST-1', company: 'US', into: 'CUST-3', changedAt: '2026-03-01T11:00:01.000Z' },
    expect.objectContaining({ kind: 'account.changed', account: 'CUST-3' }),
    expect.objectContaining({ place: '/3/replaced_by./code', reason: 'must be a text' }),
  ]);
  // Settings name both parties one account: nothing was merged.
  const one = { accounts: { 'CUST-3': 'CUST-1' } };
  rows.accounts = [row(1, it_.merged!(1, 3, at(1), 1))];
  expect((await read(connect(one), 'accounts', '')).keys).toEqual([]);
});

it('a record that was never changed has no write_date, and is told by the feed of new ones; changed, by the other', async () => {
  const changed = description.feeds!.accounts!;
  rows.accounts_new = [written(description.feeds!.accounts_new!, 1, ELEVEN)];
  const connector = connect();
  expect((await read(connector, 'accounts', '')).keys).toEqual([]);
  expect((await read(connector, 'accounts_new', '')).keys).toHaveLength(1);
  rows.accounts = [written(changed, 1, ELEVEN + 60_000)];
  expect((await read(connector, 'accounts', '')).keys).toHaveLength(1);
});
