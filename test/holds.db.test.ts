/** An order on hold: what it has stays its own, the ERP hears of it once it is released, nobody decides in time, two people at once. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkPromises } from '../src/ops/index.ts';
import { endDueHolds, getHold, holdOrder, listHolds, releaseHold, sweepBackorders } from '../src/orders/index.ts';
import { findOrders, readTimeline } from '../src/projections/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let sku = '';

async function open(holds: object = {}): Promise<void> {
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: { ...smallEstate(), holds } as never });
  await hub.seed([sku]);
}
beforeEach(() => {
  n++;
  sku = `H${n}`;
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await hub.leases.stop();
  await hub.close();
});

async function placed(no: string, quantity: number): Promise<number> {
  const [result] = await hub.receive('api', [order('api', no, [{ sku, quantity }])]);
  return (result as { orderId: number }).orderId;
}
async function line(orderId: number) {
  const { rows } = await database.pool.query(
    'select allocated::int, backordered::int from order_line where order_id = $1',
    [orderId],
  );
  return rows[0];
}
const told = () =>
  systems.erp.effects.filter((effect) => effect.kind === 'sales_order').map((effect) => effect.reference);
const hold = (orderId: number, reason = 'fraud_check', dueAt: string | null = null) =>
  holdOrder(hub.db, hub.deps, orderId, { reason, detail: 'new address', by: 'bob', dueAt });
const release = (holdId: number) => releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reason: 'called them' });

it('keeps an order from the WMS until it is released, whoever releases it first', async () => {
  await open({ manual: { owner: 'sales', dueMinutes: 30 } });
  await hub.receive('wms', [moved(`r${n}`, sku, 'north', 10)]);
  const orderId = await placed(`O${n}`, 6);
  const put = await hold(orderId);
  expect(put).toMatchObject({
    kind: 'manual',
    state: 'open',
    owner: 'sales',
    isDue: false,
    heldBy: 'bob',
    totalMinor: 600,
  });
  expect(put.dueAt!.getTime() - put.recordedAt.getTime()).toBe(30 * 60_000);
  expect((await hold(orderId)).holdId).toBe(put.holdId);
  await hub.settle();
  expect(told()).toEqual([`api/O${n}`]);
  expect(systems.wms.effects).toEqual([]);
  const [found] = await findOrders(hub.db, `api/O${n}`);
  expect((await readTimeline(hub.db, found!)).gaps.map((gap) => gap.what)).toContain(
    'on hold (manual, fraud_check): new address; sales decides',
  );
  const released = await Promise.all([release(put.holdId), release(put.holdId)]);
  expect(released.map((one) => one.state)).toEqual(['released', 'released']);
  await hub.settle();
  expect(systems.wms.effects.map((effect) => effect.kind)).toEqual(['fulfilment']);
  expect(told()).toEqual([`api/O${n}`]);
});

it('gives stock to an order that waits when its hold is released, from the log and by the sweep', async () => {
  await open();
  const orderId = await placed(`O${n}`, 6);
  const { holdId } = await hold(orderId);
  await hub.receive('wms', [moved(`r${n}`, sku, 'north', 4)]);
  await hub.follow();
  expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
  expect(await line(orderId)).toEqual({ allocated: 0, backordered: 6 });
  await release(holdId);
  expect(await hub.follow()).toBe(1);
  expect(await line(orderId)).toEqual({ allocated: 4, backordered: 2 });
});

it('gives an order up that nobody released in time, where its rule says so', async () => {
  await open({ manual: { onDue: 'cancel' } });
  await hub.receive('wms', [moved(`r${n}`, sku, 'north', 10)]);
  const orderId = await placed(`O${n}`, 6);
  const late = await hold(orderId, 'fraud_check', '2026-03-02T11:00:00.000Z');
  const other = await placed(`P${n}`, 2);
  await hold(other, 'waits', '2999-01-01T00:00:00.000Z');
  expect((await listHolds(hub.db, { due: true, limit: 10 })).map((found) => found.holdId)).toEqual([late.holdId]);
  const ended = await Promise.all([endDueHolds(hub.db, hub.deps), endDueHolds(hub.db, hub.deps)]);
  expect(ended.reduce((sum, count) => sum + count)).toBe(1);
  expect(await getHold(hub.db, late.holdId)).toMatchObject({
    state: 'released',
    releasedBy: 'order',
    orderState: 'cancelled',
  });
  const { rows } = await database.pool.query(
    'select sum(on_hand)::int as on_hand, sum(allocated)::int as allocated from stock_balance where sku_id = $1',
    [hub.sku(sku)],
  );
  expect(rows).toEqual([{ on_hand: 10, allocated: 2 }]);
  await hub.settle();
});
