/** Numbers told to channels: what a lie, a missing listing and a paused sender may not break. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { balances, violations } from './helpers/promises.ts';
import { dueNow, moved, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
let shop: ModelChannel;
let system: MemorySystem;
let hubs: SmallHub[];
let sku: string;
let n = 0;

beforeEach(() => {
  shop = new ModelChannel('shop', 'net_available', `${++n}`);
  system = new MemorySystem('shop', []);
  system.availability = shop.sink;
  hubs = [];
  sku = `N${++n}`;
});
afterEach(async () => {
  for (const hub of hubs) await hub.close();
  await database.pool.query(
    `update lease set expires_at = '-infinity'; delete from publication; delete from feed_cursor`,
  );
});

async function open(options: Partial<Parameters<typeof SmallHub.open>[0]> = {}): Promise<SmallHub> {
  const hub = await SmallHub.open({ url: database.url, connectors: { shop: system }, ...options });
  hubs.push(hub);
  await hub.seed([sku]);
  return hub;
}
const receive = (hub: SmallHub, quantity: number) =>
  hub.receive('wms', [moved(`${sku}/${++n}`, sku, 'north', quantity)]);
const tell = async (hub: SmallHub, rounds = 1): Promise<void> => {
  await hub.plan();
  for (let i = 0; i < rounds; i++) {
    await database.pool.query(dueNow());
    await hub.publishers.get('shop')!.availabilityRound();
  }
};
const read = (hub: SmallHub) =>
  new Poller({
    db: hub.db,
    receiver: hub.receiver,
    system: 'shop',
    source: shop.source,
    pollMs: 1,
    mayPoll: () => true,
    mustWait: () => false,
    onError: () => {},
  }).pollOnce();
const number = async () =>
  (
    await database.pool.query(
      'select shown, sending, read_back from channel_number join sku using (sku_id) where code = $1',
      [sku],
    )
  ).rows[0];

describe('a number', () => {
  it('whose first telling was answered 200 and lost is told again', async () => {
    const hub = await open();
    await receive(hub, 5);
    shop.fates.push('lied');
    await tell(hub);
    expect(shop.available(sku)).toBe(0);
    await tell(hub, 2);
    await read(hub);
    await tell(hub, 2);
    expect(shop.available(sku)).toBe(5);
    expect(await balances(database.pool, sku)).toEqual(['north 5/0/0/5']);
  });

  it('whose raise was answered 200 and lost is not taken for told', async () => {
    const hub = await open();
    await receive(hub, 5);
    await tell(hub);
    await read(hub);
    await tell(hub);
    await receive(hub, 4);
    shop.fates.push('lied');
    await tell(hub);
    const { rows } = await database.pool.query(
      `select version > confirmed_version as dirty from publication join destination using (destination_id)
        where kind = 'availability' and code = 'shop' and key = $1`,
      [hub.sku(sku)],
    );
    expect(rows).toEqual([{ dirty: true }]);
    await tell(hub);
    await read(hub);
    await tell(hub, 2);
    expect(shop.available(sku)).toBe(9);
  });

  it('is neither raised nor freed while an order that sold it is set aside, and goes on when it is applied', async () => {
    const hub = await open();
    await receive(hub, 5);
    await tell(hub);
    await read(hub);
    await tell(hub);
    shop.sell(sku, 3);
    const sold = shop.sales[0]!.item;
    sold.command = { ...sold.command!, account: 'NOBODY' } as typeof sold.command;
    await read(hub);
    await receive(hub, 4);
    for (let i = 0; i < 4; i++) {
      await tell(hub);
      await read(hub);
    }
    expect(shop.available(sku)).toBe(2);
    expect(await balances(database.pool, sku)).toEqual(['north 9/0/0/5']);

    await hub.seed([], ['NOBODY']);
    const { rows } = await database.pool.query("select parked_id from parked_record where state = 'open'");
    expect(await hub.receiver.replay(rows.map((row) => row.parked_id))).toEqual({ applied: 1, still: 0 });
    for (let i = 0; i < 4; i++) {
      await tell(hub);
      await read(hub);
    }
    expect(shop.available(sku)).toBe(6);
    expect(await balances(database.pool, sku)).toEqual(['north 9/0/3/6']);
  });

  it('that was sold on while it was read once more is not believed too high', async () => {
    // Within the tolerance it isn't worth saying, so no failing compare-and-set comes to the rescue.
    const estate = smallEstate();
    estate.channels.shop!.tolerance = 0.3;
    const hub = await open({ estate });
    await receive(hub, 20);
    await tell(hub);
    await read(hub);
    await tell(hub);
    await receive(hub, 20);
    await tell(hub);
    shop.sell(sku, 1);
    await read(hub);
    // Read back in the very millisecond in which the poll began it waits for the next poll.
    for (let i = 0; i < 20 && (await hub.publishers.get('shop')!.settleNumbers()) === 0; i++) await read(hub);
    // It must be read back once more: whether the number counts that sale is open. While it is read the shop sells on.
    const sink = shop.sink;
    let soldMeanwhile = 0;
    system.availability = {
      ...sink,
      readBack: async (...args) => {
        const found = await sink.readBack(...args);
        if (soldMeanwhile++ === 0) {
          shop.sell(sku, 4);
          await read(hub);
          expect(await violations(database.pool)).toEqual({});
        }
        return found;
      },
    };
    await tell(hub);
    expect(soldMeanwhile).toBeGreaterThan(0);
    for (let i = 0; i < 4; i++) {
      await read(hub);
      await tell(hub);
    }
    expect(shop.available(sku)).toBe(35);
    expect(await number()).toEqual({ shown: 35, sending: null, read_back: null });
    expect(await balances(database.pool, sku)).toEqual(['north 40/0/5/35']);
    expect(await violations(database.pool)).toEqual({});
  });

  it('that was sold before its first telling was recorded is not believed too high', async () => {
    const estate = smallEstate();
    estate.channels.shop!.tolerance = 0.3;
    const hub = await open({ estate });
    await receive(hub, 20);
    const sink = shop.sink;
    let reads = 0;
    system.availability = {
      ...sink,
      readBack: async (...args) => {
        const found = await sink.readBack(...args);
        if (reads++ === 0) {
          shop.sell(sku, 2);
          await read(hub);
        }
        return found;
      },
    };
    await tell(hub);
    expect(await violations(database.pool)).toEqual({});
    for (let i = 0; i < 3; i++) {
      await read(hub);
      await tell(hub);
    }
    expect(reads).toBeGreaterThan(0);
    expect(await number()).toEqual({ shown: 18, sending: null, read_back: null });
    expect(await balances(database.pool, sku)).toEqual(['north 20/0/2/18']);
    expect(await violations(database.pool)).toEqual({});
  });

  it('is raised by what is surely free before the sales that took it down are read', async () => {
    const hub = await open();
    await receive(hub, 5);
    await tell(hub);
    shop.sell(sku, 2);
    await receive(hub, 4);
    await tell(hub);
    // What was set aside may be sold unread: 3 is all it may show of these.
    expect(shop.available(sku)).toBe(3);
    await receive(hub, 6);
    await tell(hub);
    expect(shop.available(sku)).toBe(9);
    for (let i = 0; i < 3; i++) {
      await read(hub);
      await tell(hub);
    }
    expect(shop.available(sku)).toBe(13);
    expect(await balances(database.pool, sku)).toEqual(['north 15/0/2/13']);
    const { rows } = await database.pool.query(
      `select error from publication join destination using (destination_id) where code = 'shop' and kind = 'availability' and key = $1`,
      [hub.sku(sku)],
    );
    expect(rows, 'an old conflict is no error of a number that is as it should be').toEqual([{ error: null }]);
    expect(await violations(database.pool)).toEqual({});
  });

  it('is not given up because it was sold on or in doubt: only failed writes are attempts', async () => {
    const hub = await open({ attemptsMax: 2 });
    // A number read back in the very millisecond in which a poll began waits for the next poll before it is said.
    const meet = async () => {
      for (let i = 0; i < 20; i++) {
        await tell(hub);
        if (shop.fates.length === 0) return;
        await read(hub);
      }
      expect(shop.fates).toEqual([]);
    };
    await receive(hub, 50);
    await tell(hub);
    await read(hub);
    await tell(hub);
    for (let i = 0; i < 3; i++) {
      // Sold after it was said and before it was read: the compare-and-set fails.
      shop.sell(sku, 1);
      await receive(hub, 5);
      await tell(hub);
      await read(hub);
      shop.fates.push('silent');
      await receive(hub, 5);
      await tell(hub, 3);
      await read(hub);
    }
    shop.fates.push('away', 'away', 'away');
    await receive(hub, 5);
    await meet();
    shop.fates.push('again');
    await meet();
    const { rows } = await database.pool.query(
      `select state::text, attempts from publication join destination using (destination_id)
        where kind = 'availability' and code = 'shop' and key = $1`,
      [hub.sku(sku)],
    );
    expect(rows).toEqual([{ state: 'n', attempts: 1 }]);
    for (let i = 0; i < 4; i++) {
      await tell(hub);
      await read(hub);
    }
    expect(shop.available(sku)).toBe(82);
  });

  it('of a listing that is gone is told anew', async () => {
    const hub = await open();
    await receive(hub, 5);
    await tell(hub);
    await read(hub);
    await tell(hub);
    const fresh = new ModelChannel('shop', 'net_available');
    system.availability = fresh.sink;
    await receive(hub, 1);
    await tell(hub, 2);
    await read(hub);
    await tell(hub, 3);
    expect(fresh.available(sku)).toBe(6);
  });
});

describe('a sender of numbers that was paused', () => {
  it('and read a number before another took over records nothing of it', async () => {
    const first = await open();
    await receive(first, 5);
    let release = () => {};
    let arrived = () => {};
    const reading = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const sink = shop.sink;
    system.availability = {
      ...sink,
      readBack: async (...args) => {
        const found = await sink.readBack(...args);
        system.availability = sink;
        arrived();
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return found;
      },
    };
    await first.plan();
    const late = first.publishers.get('shop')!.availabilityRound();
    await reading;
    system.availability = sink;
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    const second = await open();
    await tell(second, 2);
    await read(second);
    await tell(second);
    await receive(second, 15);
    await tell(second);
    expect(shop.available(sku)).toBe(20);
    const before = await number();
    release();
    await late;
    expect(await number()).toEqual(before);
    await read(second);
    await tell(second, 2);
    expect(await balances(database.pool, sku)).toEqual(['north 20/0/0/20']);
    expect(await violations(database.pool)).toEqual({});
  });

  it('and wakes after another took over sets nothing aside and sends nothing', async () => {
    const first = await open();
    await receive(first, 5);
    await tell(first);
    await database.pool.query(`update lease set expires_at = '-infinity'`);
    const second = await open();
    await receive(second, 1);
    await tell(second, 2);
    await read(second);
    await tell(second, 2);
    await receive(second, 1);
    await second.plan();
    const [writes, before] = [shop.writes, await number()];
    // It still believes in its lease; the row says otherwise.
    await first.publishers.get('shop')!.availabilityRound();
    expect(shop.writes).toBe(writes);
    expect((await number()).sending).toBe(before.sending);
    await read(second);
    await tell(second, 2);
    expect(shop.available(sku)).toBe(7);
  });
});

describe('a number that the channel’s own orders cast doubt on', () => {
  const doubtful: string[] = [];
  const publisher = (hub: SmallHub) => hub.publishers.get('shop')!;
  beforeEach(() => {
    doubtful.length = 0;
    system.availability = { ...shop.sink, doubtful: async () => doubtful.splice(0) };
  });

  it('is read back and said again, once; one that was right is not written', async () => {
    const hub = await open();
    await receive(hub, 20);
    await tell(hub);
    await read(hub);
    await tell(hub);
    expect(shop.available(sku)).toBe(20);
    // 8 are sold, and the level knows of 6.
    shop.sell(sku, 8);
    shop.hide(sku, 2);
    await read(hub);
    await tell(hub, 3);
    await read(hub);
    await tell(hub, 3);
    expect(shop.available(sku)).toBe(14);
    doubtful.push(sku);
    expect(await publisher(hub).doubtNumbers()).toBe(1);
    expect(shop.available(sku)).toBe(14);
    await tell(hub, 2);
    expect(shop.available(sku)).toBe(12);
    await read(hub);
    await tell(hub, 2);
    expect(await balances(database.pool, sku)).toEqual(['north 20/0/8/12']);

    const { writes } = shop;
    doubtful.push(sku);
    expect(await publisher(hub).doubtNumbers()).toBe(1);
    await tell(hub, 2);
    expect([shop.available(sku), shop.writes]).toEqual([12, writes]);
    expect(await violations(database.pool)).toEqual({});
  });

  it('is not raised while its orders are unread, and never sold twice', async () => {
    const hub = await open();
    await receive(hub, 20);
    await tell(hub);
    await read(hub);
    await tell(hub);
    shop.sell(sku, 8);
    shop.hide(sku, 2);
    doubtful.push(sku);
    await publisher(hub).doubtNumbers();
    await tell(hub, 3);
    expect(shop.available(sku)).toBe(14);
    for (let i = 0; i < 3; i++) {
      await read(hub);
      await tell(hub, 2);
    }
    expect(shop.available(sku)).toBe(12);
  });

  it('is read once more where it is just on its way, since what was read there may be older than the doubt', async () => {
    const hub = await open();
    await receive(hub, 20);
    await tell(hub);
    await read(hub);
    await tell(hub);
    await receive(hub, 5);
    shop.afterReading = async () => {
      shop.afterReading = undefined;
      shop.hide(sku, 2);
      doubtful.push(sku);
      await publisher(hub).doubtNumbers();
    };
    await tell(hub);
    expect(shop.available(sku)).toBe(27);
    for (let i = 0; i < 3; i++) {
      await tell(hub, 2);
      await read(hub);
    }
    expect(shop.available(sku)).toBe(25);
    expect(await violations(database.pool)).toEqual({});
  });

  it('of a SKU that was never told a number, or that nobody knows, is left alone', async () => {
    const hub = await open();
    doubtful.push(sku, 'NOBODYS');
    expect(await publisher(hub).doubtNumbers()).toBe(0);
    await tell(hub, 2);
    expect(shop.writes).toBe(0);
  });

  it('is named again when the database was away', async () => {
    const hub = await open();
    await receive(hub, 20);
    await tell(hub);
    doubtful.push(sku);
    const { transaction } = hub.db;
    hub.db.transaction = async () => {
      throw new Error('away');
    };
    await expect(publisher(hub).doubtNumbers()).rejects.toThrow('away');
    hub.db.transaction = transaction;
    expect(await publisher(hub).doubtNumbers()).toBe(1);
  });
});
