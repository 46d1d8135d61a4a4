/** An order that is stuck is an alert with the next step: once, however many look, and over by itself when it moves on. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acknowledgeAlert, getAlert, listAlerts, StageWatch } from '../src/ops/index.ts';
import { holdOrder } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import { memorySystems, moved, order, picked, SmallHub, shipped } from './helpers/small-hub.ts';

const database = useDatabase();
const targets = {
  accepted: { targetMinutes: 15, owner: 'order desk' },
  confirmed: { targetMinutes: 60 },
  released: { targetMinutes: 240 },
};
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let sku = '';

beforeEach(async () => {
  sku = `A${++n}`;
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: { erp: systems.erp, wms: systems.wms } });
  await hub.seed([sku]);
});
afterEach(async () => {
  // Nothing is left open for the next.
  await database.pool.query('update sales_order set state_since = crossdock_now()');
  await new StageWatch(hub.db, {}).look();
  await hub.leases.stop();
  await hub.close();
});

async function placed(quantity: number): Promise<number> {
  const [result] = await hub.receive('api', [order('api', `O${n}`, [{ sku, quantity }])]);
  return (result as { orderId: number }).orderId;
}
/** As if it had been there for so long. */
const wait = (orderId: number, minutes: number) =>
  database.pool.query(
    'update sales_order set state_since = state_since - make_interval(mins => $2) where order_id = $1',
    [orderId, minutes],
  );
const look = () => new StageWatch(hub.db, targets).look();
const open = () => listAlerts(hub.db, { state: 'open', limit: 10 });

it('is raised once by two that look at once, not before its time, and ends when the order moves on', async () => {
  systems.erp.fate = () => 'away';
  const orderId = await placed(3);
  await hub.plan();
  await wait(orderId, 14);
  expect(await look()).toEqual({ raised: 0, ended: 0 });
  await wait(orderId, 1);
  const looks = await Promise.all([look(), look()]);
  expect(looks.reduce((sum, { raised }) => sum + raised, 0)).toBe(1);
  expect(await look()).toEqual({ raised: 0, ended: 0 });
  const [alert] = await open();
  expect(alert).toMatchObject({ orderId, stage: 'accepted', owner: 'order desk', seenBy: null, totalMinor: 300 });
  expect(alert!.waitsFor).toMatch(/^erp: sales_order api\/O\d+.* is not confirmed$/);
  expect(alert!.lateSeconds).toBeLessThan(60);

  systems.erp.fate = () => 'ok';
  await database.pool.query(`update delivery set next_at = '-infinity' where is_open`);
  await hub.settle();
  expect(await look()).toEqual({ raised: 0, ended: 1 });
  expect(await getAlert(hub.db, alert!.alertId)).toMatchObject({ state: 'ended', waitsFor: null, next: null });
  const { rows } = await database.pool.query(
    `select type, stream_version as version from fact where stream = $1 order by 2`,
    [`alert/${alert!.alertId}`],
  );
  expect(rows).toEqual([
    { type: 'alert.raised', version: 1 },
    { type: 'alert.ended', version: 2 },
  ]);
});

it('names a hold, waiting stock, the pick and the invoice as the next step, each in its turn', async () => {
  const orderId = await placed(3);
  const { holdId } = await holdOrder(hub.db, hub.deps, orderId, { reason: 'waits', detail: 'x', by: 'ann' });
  await wait(orderId, 20);
  await look();
  expect((await open())[0]).toMatchObject({ waitsFor: `hold ${holdId}: operations decides` });
  await database.pool.query(`update order_hold set state = 'released', released_by = 'ann' where hold_id = $1`, [
    holdId,
  ]);
  await database.pool.query('update sales_order set holds = 0 where order_id = $1', [orderId]);

  await hub.settle();
  await wait(orderId, 60);
  expect(await look()).toEqual({ raised: 1, ended: 1 });
  expect((await open())[0]).toMatchObject({ stage: 'confirmed', waitsFor: '3 wait for stock', owner: 'operations' });

  await hub.receive('wms', [moved(`r${n}`, sku, 'north', 3)]);
  await hub.backorders([sku]);
  await hub.settle();
  await wait(orderId, 300);
  expect(await look()).toEqual({ raised: 1, ended: 1 });
  expect((await open())[0]).toMatchObject({ stage: 'released', waitsFor: '3 allocated and not picked' });
  const fulfilment = systems.wms.of('fulfilment').at(-1)!.reference;
  await hub.receive('wms', [picked(`p${n}`, fulfilment, [{ lineNo: 1, sku, quantity: 3 }])]);
  expect((await open())[0]).toMatchObject({ waitsFor: '3 picked and not shipped' });
  await hub.receive('wms', [shipped(`s${n}`, fulfilment, [{ lineNo: 1, sku, quantity: 3 }])]);
  expect(await look()).toEqual({ raised: 0, ended: 1 });
});

it('is looked after by the first who says so', async () => {
  const orderId = await placed(1);
  await wait(orderId, 20);
  await look();
  const { alertId } = (await open())[0]!;
  expect((await acknowledgeAlert(hub.db, alertId, 'ann')).seenBy).toBe('ann');
  expect((await acknowledgeAlert(hub.db, alertId, 'bob')).seenBy).toBe('ann');
  await expect(acknowledgeAlert(hub.db, 999_999, 'bob')).rejects.toMatchObject({ code: 'XD_NOT_FOUND' });
});
