/** Many want the same few units at the same moment, through three processes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from './helpers/database.ts';
import { balances, violations } from './helpers/promises.ts';
import { moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
const hubs: SmallHub[] = [];

beforeAll(async () => {
  for (let i = 0; i < 3; i++) {
    hubs.push(await SmallHub.open({ url: database.url }));
    await hubs[i]!.seed(['ONE', 'MANY', 'SPREAD', 'BAD']);
  }
});
afterAll(() => Promise.all(hubs.map((hub) => hub.close())));

/** All buyers wait at a barrier, then ask at once, each through the next process. */
async function rush(buyers: number, sku: string, tag: string): Promise<number[]> {
  let start = () => {};
  const barrier = new Promise<void>((resolve) => {
    start = resolve;
  });
  const all = Array.from({ length: buyers }, async (_, i) => {
    await barrier;
    const [result] = await hubs[i % 3]!.receive('api', [order('api', `${tag}-${i}`, [{ sku, quantity: 1 }])]);
    if (result!.status !== 'applied') throw new Error(`buyer ${i}: ${JSON.stringify(result)}`);
    const accepted = result!.events[0]!;
    if (accepted.type !== 'order.accepted') throw new Error(`buyer ${i} got ${accepted.type}`);
    // Each gets his own answer, not his neighbour's.
    if (accepted.externalNo !== `${tag}-${i}`) throw new Error(`buyer ${i} was answered for ${accepted.externalNo}`);
    return accepted.allocations.reduce((sum, allocation) => sum + allocation.quantity, 0);
  });
  start();
  return Promise.all(all);
}

describe('a race', () => {
  it('of 500 buyers for the last unit has exactly one winner', async () => {
    await hubs[0]!.receive('wms', [moved('one', 'ONE', 'south', 1)]);
    const got = await rush(500, 'ONE', 'one');
    expect(got.reduce((sum, n) => sum + n, 0)).toBe(1);
    expect(await balances(database.pool, 'ONE')).toEqual(['south 1/0/1/0']);
    const { rows } = await database.pool.query(
      `select count(*)::int as n, sum(allocated)::int as allocated, sum(backordered)::int as waiting from order_line l join sku using (sku_id) where code = 'ONE'`,
    );
    expect(rows[0]).toEqual({ n: 500, allocated: 1, waiting: 499 });
  });

  it('of 5,000 orders for 1,000 units over three locations allocates exactly 1,000', async () => {
    await hubs[0]!.receive('wms', [
      moved('m1', 'MANY', 'north', 300),
      moved('m2', 'MANY', 'south', 333),
      moved('m3', 'MANY', 'west', 367),
    ]);
    const got = await rush(5_000, 'MANY', 'many');
    expect(got.reduce((sum, n) => sum + n, 0)).toBe(1_000);
    expect(await balances(database.pool, 'MANY')).toEqual([
      'north 300/0/300/0',
      'south 333/0/333/0',
      'west 367/0/367/0',
    ]);
    expect(await violations(database.pool)).toEqual({});
  }, 60_000);
});

describe('a batch', () => {
  it('of 256 orders in which one breaks inside our own code loses that one only, which is set aside', async () => {
    await hubs[0]!.receive('wms', [moved('bad', 'BAD', 'north', 1_000)]);
    const results = await Promise.all(
      Array.from({ length: 256 }, (_, i) => {
        const item = order('crm', `b-${i}`, [{ sku: 'BAD', quantity: 1 }]);
        const command = item.command as { channel: string; orderedAt: string };
        command.channel = 'api';
        // PostgreSQL refuses the date only at the write: nothing before it could know.
        if (i === 100) command.orderedAt = 'the day before yesterday';
        return hubs[0]!.receive('crm', [item]).then(([result]) => result!.status);
      }),
    );
    expect(results.filter((status) => status === 'applied')).toHaveLength(255);
    expect(results[100]).toBe('parked');
    const { rows } = await database.pool.query(
      `select class, reason from inbound i join parked_record p using (scope, key) where i.key = 'b-100'`,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ class: 'unreadable' });
    expect(rows[0].reason).toContain('could not be applied');
    expect(await balances(database.pool, 'BAD')).toEqual(['north 1000/0/255/0']);
  });
});
