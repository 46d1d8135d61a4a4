/**
 * A sender whose lease goes before its first byte has left sends nothing of that bucket: neither what it had not handed over yet,
 * nor what waits for its turn behind the connector's contract. And what it sends goes by how urgent it is.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Priority, priorityOf } from '../src/connectors/kit/index.ts';
import { Poller } from '../src/ingest/index.ts';
import { leaseName } from '../src/outbound/index.ts';
import { useDatabase } from './helpers/database.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { violations } from './helpers/promises.ts';
import { dueNow, memorySystems, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
let systems: ReturnType<typeof memorySystems>;
let channel: ModelChannel;
let hubs: SmallHub[];
let n = 0;

beforeEach(() => {
  systems = memorySystems();
  channel = new ModelChannel('shop', 'net_available', `L${++n}`);
  systems.shop.availability = channel.sink;
  hubs = [];
});
afterEach(async () => {
  for (const hub of hubs) await hub.close();
  await database.pool.query(
    `update lease set expires_at = '-infinity'; delete from delivery; delete from publication; delete from feed_cursor`,
  );
});

async function open(skus: readonly string[] = ['X']): Promise<SmallHub> {
  const hub = await SmallHub.open({ url: database.url, connectors: systems });
  hubs.push(hub);
  await hub.seed(skus);
  return hub;
}
const due = () => database.pool.query(dueNow());

async function submit(hub: SmallHub, sku = 'X'): Promise<string> {
  const no = `L${++n}`;
  await hub.receive('wms', [moved(`lost-${n}`, sku, 'north', 1)]);
  await hub.receive('api', [order('api', no, [{ sku, quantity: 1 }])]);
  await hub.plan();
  return no;
}

/** Another process takes over everything, and the one that held it notices. */
async function takenOver(from: SmallHub, skus?: readonly string[]): Promise<SmallHub> {
  await database.pool.query(`update lease set expires_at = '-infinity'`);
  const other = await open(skus);
  await from.leases.beat();
  return other;
}

/** While the next transaction commits, the lease of one bucket ends and is taken anew: it is ours again, but not as it was. */
function lostWhileMarked(hub: SmallHub, system: string, bucket: number): void {
  hub.db.beforeCommit = async () => {
    hub.db.beforeCommit = undefined;
    await database.pool.query(`update lease set expires_at = '-infinity' where name = $1`, [leaseName(system, bucket)]);
    await hub.leases.beat();
  };
}
const bucketOf = async (table: 'delivery' | 'publication', key: number): Promise<number> =>
  (await database.pool.query(`select bucket from ${table} where key = $1 limit 1`, [key])).rows[0].bucket;
const orderId = async (no: string): Promise<number> =>
  (await database.pool.query('select order_id from sales_order where external_no = $1', [no])).rows[0].order_id;

/** Two orders whose keys lie in different buckets. */
async function twoOrders(hub: SmallHub): Promise<{ lost: { no: string; bucket: number }; kept: { no: string } }> {
  const made: { no: string; bucket: number }[] = [];
  for (;;) {
    const no = await submit(hub);
    const bucket = await bucketOf('delivery', await orderId(no));
    const other = made.find((one) => one.bucket !== bucket);
    made.push({ no, bucket });
    if (other !== undefined) return { lost: { no, bucket }, kept: other };
  }
}

describe('while a write waits for its turn', () => {
  it('a fact does not leave under a lease that another has', async () => {
    const first = await open();
    const no = await submit(first);
    systems.erp.beforeFirstByte = async () => {
      systems.erp.beforeFirstByte = undefined;
      const second = await takenOver(first);
      for (let i = 0; i < 3; i++) {
        await due();
        await second.dispatchers.get('erp')!.round();
      }
      expect(systems.erp.countOf('sales_order', `api/${no}`)).toBe(1);
    };
    await first.dispatchers.get('erp')!.round();
    expect([systems.erp.countOf('sales_order', `api/${no}`), systems.erp.writes]).toEqual([1, 1]);
  });

  it("a state does not leave over another's newer one", async () => {
    const first = await open();
    const no = await submit(first);
    systems.crm.beforeFirstByte = async () => {
      systems.crm.beforeFirstByte = undefined;
      const second = await takenOver(first);
      await second.dispatchers.get('erp')!.round();
      await second.plan();
      for (let i = 0; i < 3; i++) {
        await due();
        await second.publishers.get('crm')!.stateRound();
      }
      expect(systems.crm.states.get(`order_status api/${no}`)!.state).toMatchObject({ status: 'confirmed' });
    };
    await first.publishers.get('crm')!.stateRound();
    expect(systems.crm.states.get(`order_status api/${no}`)!.state).toMatchObject({ status: 'confirmed' });
    expect([systems.crm.backwards, systems.crm.writes]).toEqual([0, 1]);
  });

  it('a number does not leave under a lease that another has', async () => {
    const sku = `L${++n}`;
    const first = await open([sku]);
    await first.receive('wms', [moved(sku, sku, 'north', 5)]);
    await first.plan();
    let left = -1;
    channel.beforeFirstByte = async () => {
      channel.beforeFirstByte = undefined;
      const second = await takenOver(first, [sku]);
      for (let i = 0; i < 4; i++) {
        await due();
        await second.publishers.get('shop')!.availabilityRound();
        await read(second);
      }
      expect(channel.available(sku)).toBe(5);
      left = channel.writes;
    };
    await first.publishers.get('shop')!.availabilityRound();
    expect(left).toBeGreaterThan(0);
    expect(channel.writes).toBe(left);
    expect(channel.available(sku)).toBe(5);
    expect(await violations(database.pool)).toEqual({});
  });
});

const read = (hub: SmallHub) =>
  new Poller({
    db: hub.db,
    receiver: hub.receiver,
    system: 'shop',
    source: channel.source,
    pollMs: 1,
    mayPoll: () => true,
    mustWait: () => false,
    onError: () => {},
  }).pollOnce();

describe('a bucket that goes while its rows are marked holds back its own rows and no other', () => {
  it('of facts', async () => {
    const hub = await open();
    const { lost, kept } = await twoOrders(hub);
    lostWhileMarked(hub, 'erp', lost.bucket);
    await hub.dispatchers.get('erp')!.round();
    expect(hub.errors).toEqual([]);
    expect(systems.erp.countOf('sales_order', `api/${lost.no}`)).toBe(0);
    expect(systems.erp.countOf('sales_order', `api/${kept.no}`)).toBe(1);
    for (let i = 0; i < 3; i++) {
      await due();
      await hub.dispatchers.get('erp')!.round();
    }
    expect(systems.erp.countOf('sales_order', `api/${lost.no}`)).toBe(1);
    expect(systems.erp.lookups).toBe(1);
  });

  it('of states', async () => {
    const hub = await open();
    const { lost, kept } = await twoOrders(hub);
    lostWhileMarked(hub, 'crm', lost.bucket);
    await hub.publishers.get('crm')!.stateRound();
    expect(hub.errors).toEqual([]);
    const keys = () => [...systems.crm.states.keys()];
    expect(keys()).not.toContain(`order_status api/${lost.no}`);
    expect(keys()).toContain(`order_status api/${kept.no}`);
    for (let i = 0; i < 3; i++) {
      await due();
      await hub.publishers.get('crm')!.stateRound();
    }
    expect(keys()).toContain(`order_status api/${lost.no}`);
  });

  it('of numbers', async () => {
    const skus = Array.from({ length: 6 }, () => `L${++n}`);
    const hub = await open(skus);
    for (const sku of skus) await hub.receive('wms', [moved(sku, sku, 'north', 5)]);
    await hub.plan();
    const buckets = await Promise.all(skus.map((sku) => bucketOf('publication', hub.sku(sku))));
    const lost = skus.filter((_, i) => buckets[i] === buckets[0]);
    const kept = skus.filter((_, i) => buckets[i] !== buckets[0]);
    expect(kept.length).toBeGreaterThan(0);
    const told: string[] = [];
    systems.shop.availability = {
      ...channel.sink,
      write: (items, signal) => {
        told.push(...items.map((item) => item.sku));
        return channel.sink.write(items, signal);
      },
    };
    lostWhileMarked(hub, 'shop', buckets[0]!);
    await hub.publishers.get('shop')!.availabilityRound();
    expect(hub.errors).toEqual([]);
    expect(told.sort()).toEqual([...kept].sort());
    expect(kept.map((sku) => channel.available(sku))).toEqual(kept.map(() => 5));
    expect(lost.map((sku) => channel.available(sku))).toEqual(lost.map(() => 0));
  });
});

describe('how urgent a call is', () => {
  it('numbers and their reading back are urgent, prices and order states bulk, facts normal', async () => {
    systems = memorySystems('read_back');
    const called: Record<string, Set<Priority>> = {};
    const watch = (name: string, target: Record<string, unknown>, methods: readonly string[]) => {
      for (const method of methods) {
        const plain = target[method] as (asked: unknown, signal: AbortSignal) => unknown;
        target[method] = (asked: unknown, signal: AbortSignal) => {
          const key = `${name} ${method}`;
          called[key] ??= new Set();
          called[key].add(priorityOf(signal));
          return plain(asked, signal);
        };
      }
    };
    systems.shop.availability = { ...channel.sink };
    watch('number', systems.shop.availability as never, ['write', 'readBack']);
    watch('state', systems.crm.orderStatus as never, ['write', 'readBack']);
    watch('price', systems.shop.prices as never, ['write', 'readBack']);
    watch('fact', systems.erp.deliveries.sales_order as never, ['write', 'locate']);
    const hub = await open();
    await hub.db.execute(
      `insert into price (company_id, sku_id, price_list, currency, unit_price)
       select company_id, $1::bigint, 'base', 'GBP', 1 from company on conflict do nothing`,
      [hub.sku('X')],
    );
    await submit(hub);
    await hub.receive('wms', [moved(`urgent-${n}`, 'X', 'north', 5)]);
    await hub.db.execute(
      `insert into publication (destination_id, kind, key, bucket) values ($1::int, 'price', $2::bigint, 0)`,
      [hub.directory.destinations.get('shop')!.destinationId, hub.sku('X')],
    );
    await hub.settle();
    expect(Object.fromEntries(Object.entries(called).map(([key, set]) => [key, [...set].join()]))).toEqual({
      'number write': 'urgent',
      'number readBack': 'urgent',
      'state write': 'bulk',
      'state readBack': 'bulk',
      'price write': 'bulk',
      'price readBack': 'bulk',
      'fact write': 'normal',
      'fact locate': 'normal',
    });
  });
});
