/** A channel whose orders and cancels are read apart: units are free when both were read to their end, whichever of them lags. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Source } from '../src/connectors/kit/index.ts';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { balances, violations } from './helpers/promises.ts';
import { dueNow, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let shop: ModelChannel;
let system: MemorySystem;
let hub: SmallHub;
let sku: string;
let run = 0;

beforeAll(async () => {
  system = new MemorySystem('shop', []);
  system.salesFeeds = ['orders', 'cancels'];
  hub = await SmallHub.open({ url: database.url, connectors: { shop: system } });
});
afterAll(() => hub.close());
beforeEach(async () => {
  sku = `T${++run}`;
  shop = new ModelChannel('shop', 'net_available', `${run}`);
  system.availability = shop.sink;
  await hub.seed([sku]);
  await hub.receive('wms', [moved(`t-${run}`, sku, 'north', 10)]);
  await tell();
  expect(shop.available(sku)).toBe(10);
});
afterEach(async () => {
  expect(await violations(database.pool)).toEqual({});
  await database.pool.query('delete from publication; delete from feed_cursor');
});

async function tell(): Promise<void> {
  await hub.plan();
  await database.pool.query(dueNow());
  await hub.publishers.get('shop')!.availabilityRound();
}
/** Feeds besides the orders; nothing is in them. */
const empty = (feed: string): Source => ({
  feed,
  poll: async () => ({ body: Buffer.alloc(0), contentType: '', items: [], cursor: '1', drained: true }),
});
async function read(source: Source): Promise<void> {
  const poller = new Poller({
    ...{ db: hub.db, receiver: hub.receiver, system: 'shop', source, pollMs: 1 },
    ...{ mayPoll: () => true, mustWait: () => false },
    onError(error) {
      throw error;
    },
  });
  while (await poller.pollOnce());
}
/** @returns whether what was read back of it still waits to be settled */
async function settle(): Promise<'settled' | 'waits'> {
  await hub.publishers.get('shop')!.settleNumbers();
  const { rows } = await database.pool.query(
    'select read_back from channel_number join sku using (sku_id) where code = $1',
    [sku],
  );
  return rows[0].read_back === null ? 'settled' : 'waits';
}
/** It sells three that nobody has read; three are asked for elsewhere, so its number is said again and read back as 7. */
async function sellUnread(): Promise<void> {
  shop.sell(sku, 3);
  await hub.receive('api', [order('api', `t-${run}`, [{ sku, quantity: 3 }])]);
  for (let i = 0; i < 2; i++) await tell();
  expect(shop.available(sku)).toBe(7);
}

it('nothing is freed by the cancels that were read to their end while the orders lag', async () => {
  await read(shop.source);
  await sellUnread();
  await read(empty('cancels'));
  expect([await settle(), await balances(database.pool, sku)]).toEqual(['waits', ['north 10/0/0/10']]);
  await hub.backorders([sku]);
  // Now its orders are read, and each of them gets what it was sold.
  await read(shop.source);
  await read(empty('cancels'));
  expect(await settle()).toBe('settled');
  expect(await balances(database.pool, sku)).toEqual(['north 10/0/3/7']);
});

it('nor by the orders while the cancels lag, or were never read', async () => {
  await sellUnread();
  await read(shop.source);
  expect([await settle(), await balances(database.pool, sku)]).toEqual(['waits', ['north 10/0/3/7']]);
  await read(empty('cancels'));
  expect(await settle()).toBe('settled');
});

it('a feed that brings no sales frees nothing and holds nothing up, nor does one that is no more', async () => {
  await sellUnread();
  await read(empty('prices'));
  expect(await settle()).toBe('waits');
  await database.pool.query(`insert into feed_cursor (system, feed) values ('shop', 'of_last_year')`);
  await read(empty('cancels'));
  expect(await settle()).toBe('waits');
  await read(shop.source);
  expect(await settle()).toBe('settled');
});
