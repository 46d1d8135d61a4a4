/** What users of other platforms report as bugs, as claims about this one: orders, their lines and their messages. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { checkPromises } from '../../src/ops/index.ts';
import { useDatabase } from '../helpers/database.ts';
import { balances, orderState, violations } from '../helpers/promises.ts';
import {
  cancel,
  changed,
  dueNow,
  invoiced,
  memorySystems,
  moved,
  order,
  picked,
  SmallHub,
  shipped,
  smallEstate,
} from '../helpers/small-hub.ts';

const database = useDatabase();
const locations = ['north'];
const estate = smallEstate({
  strict: { company: 'acme', sells: 'asks', locations, onShort: 'refuse' },
  desk: { company: 'acme', sells: 'asks', locations },
});
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let keys = 0;
let sku = '';

beforeAll(async () => {
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate });
});
beforeEach(async () => {
  sku = `P${++n}`;
  await hub.seed([sku]);
});
afterAll(async () => {
  await hub.settle();
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await hub.leases.stop();
  await hub.close();
});

const arrive = (quantity: number) => hub.receive('wms', [moved(`k${++keys}`, sku, 'north', quantity)]);
const state = (channel: string, no: string) => orderState(database.pool, channel, no);
const toldOf = (kind: string, reference: string) =>
  systems.erp.effects.filter((effect) => effect.kind === kind && effect.reference === reference);

it('two lines of one order sharing one SKU never get more than there is of it', async () => {
  await arrive(5);
  await hub.receive('api', [
    order('api', `A${n}`, [
      { sku, quantity: 3 },
      { sku, quantity: 3 },
    ]),
  ]);
  expect(await state('api', `A${n}`)).toEqual(['accepted', '1: 3 allocated 3', '2: 3 allocated 2 backordered 1']);
  expect(await balances(database.pool, sku)).toEqual(['north 5/0/5/0']);
});

it('the last unit bought twice leaves no orphan order', async () => {
  await arrive(1);
  const other = await SmallHub.open({ url: database.url, estate });
  await other.seed([sku]);
  const buy = (one: SmallHub, no: string) => one.receive('strict', [order('strict', no, [{ sku, quantity: 1 }])]);
  await Promise.all([buy(hub, `L${n}a`), buy(other, `L${n}b`)]);
  await other.close();
  await hub.settle();
  const ends = [(await state('strict', `L${n}a`)).join(' '), (await state('strict', `L${n}b`)).join(' ')].sort();
  expect(ends).toEqual(['refused 1: 1 refused 1', 'released 1: 1 allocated 1']);
  // Whoever lost is told so, and no other system has heard of the order.
  const told = ['a', 'b'].filter((end) => toldOf('sales_order', `strict/L${n}${end}`).length === 1);
  expect(told).toHaveLength(1);
  expect(await balances(database.pool, sku)).toEqual(['north 1/0/1/0']);
});

it('stock shared by two channels: all of it sold in one is none in the other', async () => {
  await arrive(4);
  await hub.receive('api', [order('api', `S${n}`, [{ sku, quantity: 4 }])]);
  await hub.receive('strict', [order('strict', `S${n}`, [{ sku, quantity: 1 }])]);
  await hub.receive('desk', [order('desk', `S${n}`, [{ sku, quantity: 1 }])]);
  expect(await state('strict', `S${n}`)).toEqual(['refused', '1: 1 refused 1']);
  expect(await state('desk', `S${n}`)).toEqual(['accepted', '1: 1 backordered 1']);
});

it('a second line-cancel adds to the first and takes nothing twice', async () => {
  await arrive(10);
  const no = `C${n}`;
  await hub.receive('api', [order('api', no, [{ sku, quantity: 10, unitPrice: '0.335' }])]);
  await hub.settle();
  await hub.receive('api', [cancel('api', no, 1, 3, 'first', sku)]);
  await hub.receive('api', [cancel('api', no, 1, 4, 'second', sku)]);
  await hub.receive('api', [cancel('api', no, 1, 3, 'first', sku)]);
  await hub.settle();
  expect(await state('api', no)).toEqual(['released', '1: 10 allocated 3 cancelled 7']);
  const cancelled = systems.erp
    .of('order_cancellation')
    .map(({ payload }) => payload as { order: string; lines: { quantity: number; amountMinor: number }[] })
    .filter((payload) => payload.order === `api/${no}`)
    .flatMap((payload) => payload.lines);
  expect(cancelled.map(({ quantity }) => quantity)).toEqual([3, 4]);
  // 7 × 0.335, rounded once.
  expect(cancelled.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(235);
});

it('a paid event before the created event waits for its order', async () => {
  await arrive(2);
  const no = `E${n}`;
  const parts = [{ lineNo: 1, quantity: 2, amountMinor: 200 }];
  expect(await hub.receive('erp', [invoiced(`I-${no}`, `shop/${no}`, parts)])).toMatchObject([{ status: 'waiting' }]);
  await hub.receive('shop', [order('shop', no, [{ sku, quantity: 2 }])]);
  expect(await hub.receiver.replayAwaited()).toBe(1);
  await hub.settle();
  const fulfilment = systems.wms
    .of('fulfilment')
    .map(({ payload }) => payload as { reference: string; order: string })
    .find((payload) => payload.order === `shop/${no}`)!.reference;
  const goods = [{ lineNo: 1, sku, quantity: 2 }];
  await hub.receive('wms', [picked(`p${no}`, fulfilment, goods), shipped(`s${no}`, fulfilment, goods)]);
  expect(await state('shop', no)).toEqual(['closed', '1: 2 picked 2 shipped 2 invoiced 2']);
});

it('an older update delivered last changes nothing', async () => {
  await arrive(10);
  const no = `U${n}`;
  await hub.receive('shop', [order('shop', no, [{ sku, quantity: 5 }])]);
  await hub.receive('shop', [changed('shop', no, 'v3', [[1, 2]], { number: 3 })]);
  expect(await hub.receive('shop', [changed('shop', no, 'v2', [[1, 9]], { number: 2 })])).toMatchObject([
    { status: 'duplicate', state: 's' },
  ]);
  expect(await state('shop', no)).toEqual(['accepted', '1: 5 allocated 2 cancelled 3']);
});

it('the ERP times out after it had accepted: it has one order, and the hub its number', async () => {
  await arrive(1);
  const no = `T${n}`;
  systems.erp.fate = (kind, { reference }) => (kind === 'sales_order' && reference === `api/${no}` ? 'silent' : 'ok');
  await hub.receive('api', [order('api', no, [{ sku, quantity: 1 }])]);
  await hub.settle();
  await database.pool.query(dueNow());
  await hub.settle();
  systems.erp.fate = () => 'ok';
  expect(toldOf('sales_order', `api/${no}`)).toHaveLength(1);
  expect(await state('api', no)).toEqual(['released', '1: 1 allocated 1']);
});
