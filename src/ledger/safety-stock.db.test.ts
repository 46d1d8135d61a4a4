import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { violations } from '../../test/helpers/promises.ts';
import { moved, order, SmallHub, smallEstate } from '../../test/helpers/small-hub.ts';
import { readDeclared } from '../master/declared.ts';
import { Directory } from '../master/index.ts';
import { checkPromises } from '../ops/index.ts';
import { followBackorders } from '../orders/index.ts';
import { Database } from '../store/index.ts';
import { applySafetyStock, readAtp, StockSession } from './index.ts';

const database = useDatabase();
let hub: SmallHub;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['A', 'B', 'C', 'NEW', ...Array.from({ length: 25 }, (_, i) => `R${i}`)]);
});
afterAll(() => hub.close());

/** As a start of the hub does it. */
async function declare(safetyStock: Record<string, number>, db = hub.db): Promise<number> {
  const estate = smallEstate();
  for (const [code, units] of Object.entries(safetyStock)) estate.locations[code]!.safetyStock = units;
  await Directory.open(db, estate);
  return applySafetyStock(db, { ids: hub.ids }, 10);
}
const shelf = async (sku: string, location = 'north') => {
  const { rows } = await database.pool.query(
    `select b.on_hand::int, b.allocated::int, b.safety_stock::int from stock_balance b join sku using (sku_id) join location l using (location_id)
      where sku.code = $1 and l.code = $2`,
    [sku, location],
  );
  return rows[0];
};
const shortages = async (sku: string) =>
  (
    await database.pool.query(
      `select s.quantity, s.cause, s.state, s.ended_at is not null as dated
         from shortage s join sku using (sku_id) where sku.code = $1 order by shortage_id`,
      [sku],
    )
  ).rows.map((row) => `${row.quantity} ${row.cause} ${row.state}${row.dated ? ' with its time' : ''}`);
const atp = async (sku: string) => {
  await hub.directory.loadSkus([sku]);
  const id = hub.directory.findSkuId(sku)!;
  return (await readAtp(hub.db, hub.directory.channels.get('api')!, [id], hub.directory)).get(id)!.atp;
};
const waiting = async () =>
  (
    await database.pool.query(
      `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
  ).rows[0].n;
const expectWhole = async () => {
  expect(await violations(database.pool)).toEqual({});
  const promises = await checkPromises(hub.db);
  expect([promises.I3.examples, promises.I4.examples, promises.I9.examples]).toEqual([[], [], []]);
};

describe('the safety stock that a location declares', () => {
  it('reaches balances that there are, and those that come', async () => {
    await hub.receive('wms', [moved('a', 'A', 'north', 10)]);
    expect(await declare({ north: 4 })).toBeGreaterThan(0);
    expect(await shelf('A')).toEqual({ on_hand: 10, allocated: 0, safety_stock: 4 });
    expect(await atp('A')).toBe(6);
    await hub.receive('wms', [moved('new', 'NEW', 'north', 3)]);
    expect(await shelf('NEW')).toEqual({ on_hand: 3, allocated: 0, safety_stock: 4 });
    expect(await atp('NEW')).toBe(0);
    expect(await declare({ north: 4 })).toBe(0);
    await expectWhole();
  });

  it('leaves promises that reach into it, as a shortage with an owner, and refuses new ones', async () => {
    await declare({});
    await hub.receive('wms', [moved('b', 'B', 'north', 10)]);
    await hub.receive('api', [order('api', 'b1', [{ sku: 'B', quantity: 8 }])]);
    await declare({ north: 5 });
    expect(await shelf('B')).toEqual({ on_hand: 10, allocated: 8, safety_stock: 5 });
    expect(await shortages('B')).toEqual(['3 safety stock raised open']);
    const [result] = await hub.receive('api', [order('api', 'b2', [{ sku: 'B', quantity: 1 }])]);
    expect(result).toMatchObject({ status: 'applied', events: [{ allocations: [], lines: [{ backordered: 1 }] }] });
    await expectWhole();
    // Goods that are lost now are lost beside it, also those that lay in the safety stock.
    await hub.receive('wms', [moved('b-lost', 'B', 'north', -6)]);
    expect(await shortages('B')).toEqual(['3 safety stock raised open', '5 adjusted wms/b-lost open']);
    await expectWhole();
    await declare({ north: 2 });
    expect(await shortages('B')).toEqual([
      '3 safety stock raised ended with its time',
      '5 adjusted wms/b-lost open',
      '2 safety stock raised open',
    ]);
    await expectWhole();
  });

  it('gives what a lower one frees to waiting lines, by a fact that numbers follow', async () => {
    await declare({ north: 5 });
    await hub.receive('wms', [moved('c', 'C', 'north', 5)]);
    await hub.receive('api', [order('api', 'c1', [{ sku: 'C', quantity: 3 }])]);
    expect((await shelf('C')).allocated).toBe(0);
    await followBackorders(hub.db, hub.deps);
    await declare({ north: 1 });
    const { rows } = await database.pool.query(
      `select stream, stream_version = b.version as newest, data->'safetyStock' as now, data->'before' as before
         from fact join sku on sku.sku_id = (data->>'skuId')::bigint
         join stock_balance b on b.sku_id = sku.sku_id and b.location_id = (data->>'locationId')::int
        where type = 'stock.safety_stock_changed' and sku.code = 'C'`,
    );
    expect(rows).toMatchObject([
      { stream: expect.stringMatching(/^stock\/\d+@\d+$/), newest: true, now: 1, before: 5 },
    ]);
    // Transactions of other test files may hide the fact for a moment.
    let served = 0;
    await expect
      .poll(async () => (served += (await followBackorders(hub.db, hub.deps)).served), { timeout: 20_000 })
      .toBe(1);
    expect(await shelf('C')).toEqual({ on_hand: 5, allocated: 3, safety_stock: 1 });
    await expectWhole();
  });

  it('is left alone by commands that read back what the last start declared', async () => {
    await declare({ north: 6 });
    await Directory.open(hub.db, await readDeclared(hub.db));
    expect(await declare({ north: 6 })).toBe(0);
    expect((await shelf('A')).safety_stock).toBe(6);
  });

  it('finds a balance that is created while it is declared', async () => {
    await declare({ west: 1 });
    const created = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const creating = hub.db.transaction(async (tx) => {
      await StockSession.open(tx, hub.ids, [[hub.sku('A'), hub.location('west')]]);
      created.resolve();
      await release.promise;
    });
    await created.promise;
    const other = new Database({ url: database.url, poolMax: 3 });
    let declared = false;
    const declaring = declare({ west: 9 }, other).then(() => {
      declared = true;
    });
    await expect.poll(async () => declared || (await waiting()), { timeout: 20_000 }).toBeTruthy();
    release.resolve();
    await Promise.all([creating, declaring]);
    await other.end();
    expect((await shelf('A', 'west')).safety_stock).toBe(9);
  });

  it('is the last one declared in every balance, whatever two starts and a receiving hub do at once', async () => {
    const others = [1, 2].map(() => new Database({ url: database.url, poolMax: 3 }));
    for (let round = 0; round < 6; round++) {
      await declare({});
      const base = round * 4;
      await Promise.all([
        declare({ north: 3, south: round }, others[0]),
        declare({ north: 7 }, others[1]),
        ...[0, 1, 2, 3].map((i) =>
          hub.receive('wms', [moved(`r${base + i}`, `R${base + i}`, i % 2 === 0 ? 'north' : 'south', 2)]),
        ),
      ]);
      const { rows } = await database.pool.query(
        `select count(*)::int as wrong from stock_balance b join location l using (location_id) where b.safety_stock <> l.safety_stock`,
      );
      expect(rows[0].wrong).toBe(0);
    }
    await Promise.all(others.map((db) => db.end()));
    await expectWhole();
  });
});
