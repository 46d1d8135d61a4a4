/**
 * The heart: channels that sell by themselves, told through a lossy, slow and lying line, while others ask for the same units.
 *
 * After every step, seen from outside: what a channel may still sell and what it has sold unread is never more than what is set
 * aside for it, and what is set aside and promised is never more than there is. So nobody can sell what can't be allocated.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { type Fate, MemorySystem } from './helpers/memory-system.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { violations } from './helpers/promises.ts';
import { moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let shop = new ModelChannel('shop', 'net_available');
let marketplace = new ModelChannel('marketplace', 'on_hand');
const systems = { shop: new MemorySystem('shop', []), marketplace: new MemorySystem('marketplace', []) };
/** Long, so that nothing in doubt is looked up before a test says that the horizon is over. */
const HORIZON_MS = 3_600_000;

beforeAll(async () => {
  hub = await SmallHub.open({
    url: database.url,
    connectors: systems,
    effectHorizonMs: HORIZON_MS,
    attemptsMax: 1_000,
  });
  await hub.seed([]);
});
afterAll(() => hub.close());

const CODES = ['A', 'B'];
type Channel = 'shop' | 'marketplace';
type Step =
  | { do: 'arrive'; sku: string; place: string; quantity: number }
  | { do: 'sell'; channel: Channel; sku: string; quantity: number }
  | { do: 'ask'; sku: string; quantity: number }
  | { do: 'read'; channel: Channel }
  | {
      do: 'tell';
      channel: Channel;
      fates: Fate[];
      unreadable: boolean;
      during: { sku: string; quantity: number }[];
      /** Bought and read by us between what it shows and our hearing of it. */
      whileRead: { sku: string; quantity: number }[];
      readDuring: boolean;
    }
  | { do: 'horizon' }
  | { do: 'serve' };

const sku = fc.constantFrom(...CODES);
const channel = fc.constantFrom<Channel>('shop', 'marketplace');
const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('ok') },
  { weight: 4, arbitrary: fc.constantFrom<Fate>('lied', 'silent', 'lost', 'late', 'again') },
);
const some = fc.integer({ min: 1, max: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('arrive' as const),
      sku,
      place: fc.constantFrom('north', 'south', 'west'),
      quantity: fc.integer({ min: 1, max: 12 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('sell' as const), channel, sku, quantity: some }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ask' as const), sku, quantity: some }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), channel }) },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      channel,
      fates: fc.array(fate, { maxLength: 3 }),
      unreadable: fc.nat(7).map((one) => one === 0),
      during: fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 2 }) }), { maxLength: 2 }),
      whileRead: fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 2 }) }), { maxLength: 2 }),
      readDuring: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'horizon' }) },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'serve' }) },
);

let run = 0;
let keys = 0;

/** A fresh pair of channels; SKUs are told apart by run. Rows of earlier runs are at rest. */
async function begin(): Promise<string[]> {
  run++;
  const skus = CODES.map((code) => `${code}${run}`);
  await hub.seed(skus);
  await database.pool.query(`update feed_cursor set cursor = '', drained_at = null`);
  await database.pool.query(`update publication set confirmed_version = version, state = 'n'`);
  shop = new ModelChannel('shop', 'net_available', `${run}`);
  marketplace = new ModelChannel('marketplace', 'on_hand', `${run}`);
  systems.shop.availability = shop.sink;
  systems.marketplace.availability = marketplace.sink;
  return skus;
}

const modelOf = (code: Channel): ModelChannel => (code === 'shop' ? shop : marketplace);

async function read(code: Channel, on: SmallHub = hub): Promise<boolean> {
  const poller = new Poller({
    db: on.db,
    receiver: on.receiver,
    system: code,
    source: modelOf(code).source,
    pollMs: 1,
    mayPoll: () => true,
    mustWait: () => false,
    onError: () => {},
  });
  return poller.pollOnce();
}

async function perform(given: Step, on: SmallHub = hub): Promise<void> {
  const named = (code: string) => `${code}${run}`;
  switch (given.do) {
    case 'arrive':
      await on.receive('wms', [moved(`e${++keys}`, named(given.sku), given.place, given.quantity)]);
      return;
    case 'sell':
      modelOf(given.channel).sell(named(given.sku), given.quantity);
      return;
    case 'ask':
      await on.receive('api', [order('api', `a${++keys}`, [{ sku: named(given.sku), quantity: given.quantity }])]);
      return;
    case 'read':
      await read(given.channel, on);
      return;
    case 'tell': {
      const model = modelOf(given.channel);
      await on.plan();
      model.fates.push(...given.fates);
      if (given.unreadable) model.unreadable++;
      // Buyers don't wait for us: some buy while our number is on its way, some before we have read its answer.
      model.onTheWay = async () => {
        for (const sale of given.during.slice(0, 1)) model.sell(named(sale.sku), sale.quantity);
        if (given.readDuring) await read(given.channel, on);
      };
      model.beforeAnswer = () => {
        for (const sale of given.during.slice(1)) model.sell(named(sale.sku), sale.quantity);
      };
      model.afterReading = async () => {
        model.afterReading = undefined;
        for (const sale of given.whileRead) model.sell(named(sale.sku), sale.quantity);
        if (given.whileRead.length > 0) await read(given.channel, on);
      };
      await on.publishers.get(given.channel)!.availabilityRound();
      model.afterReading = undefined;
      model.onTheWay = undefined;
      model.beforeAnswer = undefined;
      model.fates.length = 0;
      return;
    }
    case 'horizon':
      shop.settleLate();
      marketplace.settleLate();
      await database.pool.query(`update publication set next_at = '-infinity' where state in ('n', 'd')`);
      return;
    case 'serve':
      await on.backorders(CODES.map(named));
      return;
  }
}

/** What may still be sold and what was sold unread, against what is set aside. */
async function uncovered(skus: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const { rows: cursors } = await database.pool.query(`select system, cursor from feed_cursor`);
  const readTo = new Map(cursors.map((row) => [row.system, Number(row.cursor || 0)]));
  for (const model of [shop, marketplace])
    for (const code of skus) {
      const { rows } = await database.pool.query(
        `select coalesce(sum(e.quantity), 0)::int as aside from exposure e join sku s using (sku_id) join channel c using (channel_id)
          where s.code = $1 and c.code = $2`,
        [code, model.code],
      );
      const may = model.available(code) + model.unread(code, readTo.get(model.code) ?? 0);
      if (may > rows[0].aside) found.push(`${model.code} may sell ${may} of ${code}, ${rows[0].aside} set aside`);
    }
  return found;
}

/** The line is good again: everything is read, told and settled until nothing changes any more. */
async function comeToRest(): Promise<void> {
  for (let round = 0; round < 12; round++) {
    await perform({ do: 'horizon' });
    for (const code of ['shop', 'marketplace'] as const) while (await read(code));
    await perform({ do: 'serve' });
    await hub.plan();
    for (const code of ['shop', 'marketplace']) await hub.publishers.get(code)!.availabilityRound();
  }
}

/** Once kept back a unit that a marketplace had sold while its number was in doubt. */
const SOLD_IN_DOUBT: Step[] = [
  { do: 'arrive', sku: 'B', place: 'north', quantity: 2 },
  {
    do: 'tell',
    channel: 'marketplace',
    fates: [],
    unreadable: false,
    during: [{ sku: 'B', quantity: 1 }],
    whileRead: [],
    readDuring: true,
  },
  { do: 'tell', channel: 'marketplace', fates: [], unreadable: true, during: [], whileRead: [], readDuring: false },
  { do: 'sell', channel: 'marketplace', sku: 'B', quantity: 1 },
];

const TRIED_MS_MAX = 60_000;
/** Within it a number that is believed wrongly is not said again, so nothing corrects it by chance. */
const tolerances = fc.constantFrom(0, 0.5);

describe('what a channel may believe', () => {
  it('is never more than what is set aside for it, whatever the line does', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
    // A busy machine tries fewer. Not by fast-check's own limit: it leaves the run at hand to go on behind the test's back.
    const until = performance.now() + TRIED_MS_MAX;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), tolerances, async (steps, tolerance) => {
        if (performance.now() > until) return;
        const skus = await begin();
        for (const code of ['shop', 'marketplace']) hub.directory.channels.get(code)!.tolerance = tolerance;
        const marketplaceFailed = steps.some(
          (given) =>
            given.do === 'tell' && given.channel === 'marketplace' && given.fates.some((fate) => fate !== 'ok'),
        );
        for (const given of steps) {
          await perform(given);
          expect(await uncovered(skus)).toEqual([]);
        }
        await comeToRest();
        expect(hub.errors.filter((error) => !/could not be read/.test(String(error)))).toEqual([]);
        expect(await violations(database.pool)).toEqual({});
        // And nothing is kept back for nobody: what is set aside is what the channels show, and all stock is somebody's.
        for (const code of skus) {
          const { rows } = await database.pool.query(
            `select sum(b.exposed)::int as exposed, sum(b.on_hand - b.reserved - b.allocated - b.exposed)::int as idle,
                    (select sum(backordered)::int from order_line l where l.sku_id = s.sku_id) as waiting
               from stock_balance b join sku s using (sku_id) where s.code = $1 group by s.sku_id`,
            [code],
          );
          const { exposed = 0, idle = 0, waiting = 0 } = rows[0] ?? {};
          const shown = shop.available(code) + marketplace.available(code);
          expect(exposed).toBeGreaterThanOrEqual(shown);
          const { rows: believed } = await database.pool.query(
            `select shown::int from channel_number n join sku s using (sku_id) join channel c using (channel_id)
              where s.code = $1 and c.code = 'shop'`,
            [code],
          );
          if (believed[0] !== undefined)
            expect({ code, ...believed[0] }).toEqual({ code, shown: shop.available(code) });
          // A marketplace says what it was told, not which orders that knew of: a write that only moved the orders on and was lost
          // looks confirmed, and keeps units back until the next one. The shop says what it may sell.
          if (!marketplaceFailed) expect({ code, exposed }).toEqual({ code, exposed: shown });
          // What somebody waits for is kept back from the numbers, also where his channel's locations can't give it to him.
          if (!waiting && tolerance === 0) expect({ code, idle }).toEqual({ code, idle: 0 });
        }
      }),
      { numRuns: Number(process.env.RUNS ?? 30), seed, examples: [[SOLD_IN_DOUBT, 0]] },
    );
  }, 120_000);
});
