/** Orders that change after they were accepted: each unit at the stage it is at, what is added as lines of their own, everything told once. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { putAccounts } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { applyRerun, holdOrder, listHolds, planRerun, releaseHold } from '../src/orders/index.ts';
import { findOrders, readTimeline } from '../src/projections/index.ts';
import { useDatabase } from './helpers/database.ts';
import type { MemorySystem } from './helpers/memory-system.ts';
import { balances, orderState, violations } from './helpers/promises.ts';
import {
  cancel,
  changed,
  dueNow,
  invoiced,
  memorySystems,
  moved,
  order,
  orderCancelled,
  picked,
  SmallHub,
  type SmallHubOptions,
  shipped,
  smallEstate,
} from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let keys = 0;
const sku = { a: '', b: '' };

beforeEach(async () => {
  n++;
  Object.assign(sku, { a: `A${n}`, b: `B${n}` });
  await open();
  await hub.seed([sku.a, sku.b]);
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await end();
});
async function open(rest: Partial<SmallHubOptions> = {}): Promise<void> {
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: smallEstate(), ...rest });
}
async function end(): Promise<void> {
  await hub.leases.stop();
  await hub.close();
}
async function reopen(rest: Partial<SmallHubOptions>): Promise<void> {
  await end();
  await open(rest);
  await hub.seed([sku.a, sku.b]);
}

const no = () => `N${n}`;
const arrive = (code: string, location: string, quantity: number) =>
  hub.receive('wms', [moved(`c${++keys}`, code, location, quantity)]);
const ordered = async (channel: 'api' | 'shop', ...lines: [code: string, quantity: number, unitPrice?: string][]) => {
  const items = lines.map(([code, quantity, unitPrice = '2.50']) => ({ sku: code, quantity, unitPrice }));
  expect(await hub.receive(channel, [order(channel, no(), items)])).toMatchObject([{ status: 'applied' }]);
};
type Change = Parameters<typeof changed>[3];
const changeBy = async (
  lines: Change,
  rest: Parameters<typeof changed>[4] = {},
  channel = 'api',
  reference = `ch${++keys}`,
) => (await hub.receive(channel, [changed(channel, no(), reference, lines, rest)], { onFault: 'refuse' }))[0]!;
const answers = (result: Awaited<ReturnType<typeof changeBy>>) => {
  if (result.status !== 'applied') throw new Error(JSON.stringify(result));
  return result.events.flatMap((event) => (event.type === 'order.changed' ? event.lines : []));
};
const lines = (channel = 'api') => orderState(database.pool, channel, no());
const told = (system: MemorySystem, kind: string) =>
  system
    .of(kind)
    .map(
      ({ payload }) => payload as { reference: string; order?: string; lines: { lineNo: number; quantity: number }[] },
    )
    .filter(({ order, reference }) => (order ?? reference).endsWith(`/${no()}`));
const seen = (system: MemorySystem, channel = 'api') =>
  system.states.get(`order_status ${channel}/${no()}`)!.state as { totalMinor: number; lines: object[] };
const fulfilment = (i = -1) => told(systems.wms, 'fulfilment').at(i)!.reference;

it('units that are added are a line of their own: the ERP is told, then the WMS is asked, who ordered sees the sum', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', [sku.a, 5]);
  await hub.settle();
  expect(answers(await changeBy([[1, 8]]))).toEqual([
    {
      ...{ lineNo: 1, quantity: 8, before: 5, outcome: 'applied', undone: 0 },
      added: { lineNo: 100_001, skuId: hub.sku(sku.a), quantity: 3 },
    },
  ]);
  await hub.plan();
  // Until the ERP has them nothing of them is asked of the WMS.
  await hub.dispatchers.get('wms')!.round();
  expect(told(systems.wms, 'fulfilment')).toHaveLength(1);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 5', '100001: 3 allocated 3']);
  expect(told(systems.erp, 'order_change')).toMatchObject([
    {
      ...{ order: `api/${no()}`, totalMinor: 750 },
      lines: [{ lineNo: 100_001, sku: sku.a, quantity: 3, unitPrice: '2.50', amountMinor: 750, addsTo: 1 }],
    },
  ]);
  expect(told(systems.wms, 'fulfilment').map((payload) => payload.lines)).toMatchObject([
    [{ lineNo: 1, quantity: 5 }],
    [{ lineNo: 100_001, quantity: 3 }],
  ]);
  expect(seen(systems.crm)).toMatchObject({ totalMinor: 2000, lines: [{ lineNo: 1, quantity: 8, amountMinor: 2000 }] });
});

it('what is added while the order is held is told to the ERP with the order, and whose it is', async () => {
  await arrive(sku.a, 'north', 20);
  const account = (hold: string | null) =>
    putAccounts(hub.db, hub.directory, [{ account: 'A1', company: 'acme', hold }]);
  await account('insolvent');
  await ordered('api', [sku.a, 5]);
  await account(null);
  const [hold] = await listHolds(hub.db, { state: 'open', limit: 1 });
  await changeBy([[1, 8], { lineNo: 2, quantity: 1, sku: sku.b, unitPrice: '1.00' }]);
  await hub.settle();
  expect(told(systems.erp, 'sales_order')).toEqual([]);
  await releaseHold(hub.db, hub.deps, hold!.holdId, { by: 'ann', reason: 'called them' });
  await hub.settle();
  const [whole] = told(systems.erp, 'sales_order');
  const rootOf = (line: object) => (line as { addsTo?: number }).addsTo;
  expect(new Map(whole!.lines.map((line) => [line.lineNo, [line.quantity, rootOf(line)]]))).toEqual(
    new Map([
      [1, [5, undefined]],
      [2, [1, undefined]],
      [100_001, [3, 1]],
    ]),
  );
  expect(told(systems.erp, 'order_change')).toEqual([]);
});

it('each unit is given back once, at the stage it is at: waiting and allocated at once, at the WMS when it answers', async () => {
  await arrive(sku.a, 'north', 6);
  await ordered('api', [sku.a, 10]);
  expect(answers(await changeBy([[1, 8]]))).toMatchObject([{ outcome: 'applied', before: 10, cancelled: 2 }]);
  expect(await lines()).toEqual(['accepted', '1: 10 allocated 6 backordered 2 cancelled 2']);
  await hub.settle();
  // 2 wait, 6 are with the WMS: the waiting ones go at once, of the others it is asked.
  expect(answers(await changeBy([[1, 3]]))).toMatchObject([{ outcome: 'asked', before: 8, cancelled: 2, asked: 3 }]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 3 cancelled 7']);
  expect(await balances(database.pool, sku.a)).toEqual(['north 6/0/3/0']);
  expect(told(systems.erp, 'order_cancellation').map((payload) => payload.lines)).toMatchObject([
    [{ lineNo: 1, quantity: 2, amountMinor: 500 }],
    [{ quantity: 2, amountMinor: 500 }],
    [{ quantity: 3, amountMinor: 750 }],
  ]);
});

it('too late is a refusal that names stage and units, and changes nothing', async () => {
  await arrive(sku.a, 'north', 10);
  await arrive(sku.b, 'north', 10);
  await ordered('api', [sku.a, 5], [sku.b, 5]);
  await hub.settle();
  await hub.receive('wms', [
    picked(`p${n}`, fulfilment(), [{ lineNo: 1, sku: sku.a, quantity: 4 }]),
    shipped(`s${n}`, fulfilment(), [{ lineNo: 1, sku: sku.a, quantity: 2 }]),
  ]);
  const before = await lines();
  expect(
    await changeBy([
      [1, 2],
      [2, 4],
    ]),
  ).toMatchObject({
    ...{ status: 'refused', class: 'too_late' },
    reason: "line 1: 3 to give back, and 2 can't be any more: they are picked",
  });
  expect(await changeBy([[1, 0]])).toMatchObject({
    reason: "line 1: 5 to give back, and 4 can't be any more: they have left",
  });
  expect(await lines()).toEqual(before);
  // Line by line where that is asked for.
  expect(
    answers(
      await changeBy(
        [
          [1, 2],
          [2, 4],
        ],
        { partial: true },
      ),
    ),
  ).toMatchObject([
    { lineNo: 1, outcome: 'too_late', tooLate: { units: 2, stage: 'picked' } },
    { lineNo: 2, outcome: 'asked', asked: 1 },
  ]);
  await hub.settle();
  expect(await lines()).toEqual([
    'partly_shipped',
    '1: 5 allocated 1 picked 4 shipped 2',
    '2: 5 allocated 4 cancelled 1',
  ]);
});

it('the WMS is too late to stop what a change gave back: the order keeps the units, and nothing is expected back', async () => {
  await arrive(sku.a, 'north', 5);
  await ordered('api', [sku.a, 5]);
  await hub.settle();
  systems.wms.answer = (kind) =>
    kind === 'fulfilment_cancel' ? { lines: [{ lineNo: 1, cancelled: 1, tooLate: 2 }] } : {};
  expect(answers(await changeBy([[1, 2]]))).toMatchObject([{ outcome: 'asked', asked: 3 }]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 4 cancelled 1']);
  expect(told(systems.wms, 'return_announcement')).toEqual([]);
  // A change after that counts from what the order has by now.
  systems.wms.answer = (kind) =>
    kind === 'fulfilment_cancel' ? { lines: [{ lineNo: 1, cancelled: 1, tooLate: 0 }] } : {};
  expect(answers(await changeBy([[1, 3]]))).toMatchObject([{ outcome: 'asked', before: 4, asked: 1 }]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 3 cancelled 2']);
});

it('lines are added and removed, and another SKU takes the place of one', async () => {
  await arrive(sku.a, 'north', 10);
  await arrive(sku.b, 'south', 10);
  await ordered('api', [sku.a, 5], [sku.a, 2]);
  const { b } = sku;
  const changes: Change = [
    { lineNo: 1, sku: b, quantity: 4, unitPrice: '3.00' },
    [2, 0],
    { lineNo: 3, sku: b, quantity: 1, unitPrice: '3.00' },
    { sku: b, quantity: 2, unitPrice: '1.00' },
  ];
  expect(await changeBy([{ lineNo: 1, sku: b, quantity: 4 }])).toMatchObject({ class: 'no_price' });
  expect(answers(await changeBy(changes)).map(({ lineNo, outcome }) => `${lineNo} ${outcome}`)).toEqual([
    ...['1 applied', '2 applied', '3 applied', '100002 applied'],
  ]);
  await hub.settle();
  expect(await lines()).toEqual([
    'released',
    ...['1: 5 cancelled 5', '2: 2 cancelled 2', '3: 1 allocated 1', '100001: 4 allocated 4', '100002: 2 allocated 2'],
  ]);
  expect(seen(systems.crm).lines).toMatchObject([
    { lineNo: 1, sku: b, quantity: 9, amountMinor: 2450, cancelled: 5 },
    { lineNo: 2, sku: sku.a, quantity: 2, cancelled: 2 },
    { lineNo: 3, sku: b, quantity: 1 },
    { lineNo: 100_002, sku: b, quantity: 2 },
  ]);
  expect(await balances(database.pool, sku.a)).toEqual(['north 10/0/0/0']);
  // The channel's line 1 is of the other SKU by now: what it gives back, and adds, is of that.
  expect(answers(await changeBy([[1, 6]]))).toMatchObject([{ before: 4, added: { skuId: hub.sku(b), quantity: 2 } }]);
  await hub.settle();
  expect(answers(await changeBy([[1, 1]]))).toMatchObject([{ before: 6, asked: 5 }]);
  await hub.settle();
  expect(seen(systems.crm).lines[0]).toMatchObject({ quantity: 11, cancelled: 10 });
});

it('what is at the WMS is not replaced by another SKU: both could leave', async () => {
  await arrive(sku.a, 'north', 5);
  await arrive(sku.b, 'north', 5);
  await ordered('api', [sku.a, 5]);
  await hub.settle();
  expect(await changeBy([{ lineNo: 1, sku: sku.b, quantity: 5, unitPrice: '1' }])).toMatchObject({ class: 'too_late' });
  expect(await lines()).toEqual(['released', '1: 5 allocated 5']);
});

it('what a change gives back it may give to another line of the order, though nothing else is free', async () => {
  await arrive(sku.a, 'north', 10);
  await ordered('api', [sku.a, 6], [sku.a, 4]);
  expect(
    answers(
      await changeBy([
        [1, 2],
        [2, 8],
      ]),
    ),
  ).toMatchObject([{ cancelled: 4 }, { added: { quantity: 4 } }]);
  expect(await lines()).toEqual([
    'accepted',
    '1: 6 allocated 2 cancelled 4',
    '2: 4 allocated 4',
    '100001: 4 allocated 4',
  ]);
  expect(await balances(database.pool, sku.a)).toEqual(['north 10/0/10/0']);
});

it('what is not there waits, and is told to the ERP all the same', async () => {
  await arrive(sku.a, 'north', 5);
  await ordered('api', [sku.a, 5]);
  await hub.settle();
  await changeBy([[1, 9]]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 5', '100001: 4 backordered 4']);
  await arrive(sku.a, 'south', 4);
  await hub.backorders([sku.a]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 5', '100001: 4 allocated 4']);
  expect(told(systems.wms, 'fulfilment')).toHaveLength(2);
});

it('an older change that arrives last changes no line that a newer one named', async () => {
  await arrive(sku.a, 'north', 20);
  await arrive(sku.b, 'north', 20);
  await ordered('api', [sku.a, 5], [sku.b, 5]);
  expect(answers(await changeBy([[1, 9]], { number: 7 }))).toMatchObject([{ outcome: 'applied' }]);
  expect(
    answers(
      await changeBy(
        [
          [1, 2],
          [2, 3],
        ],
        { number: 6 },
      ),
    ),
  ).toMatchObject([
    { lineNo: 1, outcome: 'superseded' },
    { lineNo: 2, outcome: 'applied', cancelled: 2 },
  ]);
  expect(await changeBy([[1, 1]], { number: 5 })).toMatchObject({ status: 'duplicate', state: 's' });
  expect(await lines()).toEqual([
    'accepted',
    '1: 5 allocated 5',
    '2: 5 allocated 3 cancelled 2',
    '100001: 4 allocated 4',
  ]);
  // One that names the whole order holds for all of it.
  expect(answers(await changeBy([[2, 3]], { number: 9, whole: true }))).toMatchObject([
    { lineNo: 1, quantity: 0, outcome: 'applied', cancelled: 9 },
    { lineNo: 2, outcome: 'unchanged' },
  ]);
  expect(await changeBy([[1, 4], { sku: sku.b, quantity: 1, unitPrice: '1' }], { number: 8 })).toMatchObject({
    state: 's',
  });
  expect(await lines()).toEqual([
    'accepted',
    ...['1: 5 cancelled 5', '2: 5 allocated 3 cancelled 2', '100001: 4 cancelled 4'],
  ]);
  await hub.settle();
});

it('the same change again is the first one', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', [sku.a, 5]);
  await changeBy([[1, 8]], {}, 'api', 'twice');
  expect(await changeBy([[1, 8]], {}, 'api', 'twice')).toMatchObject({ status: 'duplicate', state: 'a' });
  expect(await changeBy([[1, 9]], {}, 'api', 'twice')).toMatchObject({ status: 'conflict' });
  // In other words it would be another one: that line has 8 already.
  expect(answers(await changeBy([[1, 8]]))).toMatchObject([{ outcome: 'unchanged', before: 8 }]);
  expect(await lines()).toEqual(['accepted', '1: 5 allocated 5', '100001: 3 allocated 3']);
  await hub.settle();
});

it('a change that comes before its order waits for it', async () => {
  await arrive(sku.a, 'north', 20);
  expect(await hub.receive('shop', [changed('shop', no(), 'early', [[1, 2]])])).toMatchObject([{ status: 'waiting' }]);
  await ordered('shop', [sku.a, 5]);
  await hub.receiver.replayAwaited();
  expect(await lines('shop')).toEqual(['accepted', '1: 5 allocated 2 cancelled 3']);
  await hub.settle();
});

it('nothing is added to an order that has ended, nor where the ERP takes no such thing', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', [sku.a, 2]);
  await reopen({ takesChanges: false });
  expect(await changeBy([[1, 3]])).toMatchObject({ class: 'change_not_supported' });
  expect(answers(await changeBy([[1, 1]]))).toMatchObject([{ outcome: 'applied' }]);
  await reopen({});
  expect(answers(await changeBy([[1, 0]]))).toMatchObject([{ outcome: 'applied' }]);
  expect(await changeBy([[1, 3]])).toMatchObject({ class: 'order_ended' });
  expect(await lines()).toEqual(['cancelled', '1: 2 cancelled 2']);
  await hub.settle();
});

it('all lines replaced at once: the order goes on with what was added', async () => {
  await arrive(sku.a, 'north', 5);
  await ordered('api', [sku.a, 5]);
  expect(answers(await changeBy([{ lineNo: 1, sku: sku.b, quantity: 3, unitPrice: '1' }]))).toMatchObject([
    { outcome: 'applied' },
  ]);
  expect(await lines()).toEqual(['accepted', '1: 5 cancelled 5', '100001: 3 backordered 3']);
  await hub.settle();
});

it('a shop raises a line: its own exposure goes first, and it is told the sum', async () => {
  await arrive(sku.a, 'north', 10);
  await ordered('shop', [sku.a, 2]);
  await hub.settle();
  await changeBy([{ lineNo: 1, quantity: 6, within: 4 }], {}, 'shop');
  await hub.settle();
  expect(await lines('shop')).toEqual(['released', '1: 2 allocated 2', '100001: 4 allocated 4']);
  expect(seen(systems.shop, 'shop').lines).toMatchObject([{ lineNo: 1, quantity: 6 }]);
  // The shop cancels what it knows: a line of 6.
  await hub.receive('shop', [cancel('shop', no(), 1, 5, `c${n}`, sku.a)]);
  await hub.settle();
  expect(await lines('shop')).toEqual(['released', '1: 2 cancelled 2', '100001: 4 allocated 1 cancelled 3']);
});

it('the whole order is cancelled, each unit at its stage', async () => {
  await arrive(sku.a, 'north', 6);
  await ordered('api', [sku.a, 5], [sku.a, 4], [sku.b, 3]);
  await hub.settle();
  await hub.receive('wms', [picked(`p${n}`, fulfilment(), [{ lineNo: 1, sku: sku.a, quantity: 2 }])]);
  await changeBy([[3, 5]]);
  const first = await hub.receive('api', [orderCancelled('api', no(), 'all')]);
  expect(first).toMatchObject([{ status: 'applied' }]);
  expect(await hub.receive('api', [orderCancelled('api', no(), 'all')])).toMatchObject([{ status: 'duplicate' }]);
  await hub.settle();
  expect(await lines()).toEqual([
    'released',
    ...['1: 5 picked 2 cancelled 3 return_expected 2', '2: 4 cancelled 4', '3: 3 cancelled 3', '100001: 2 cancelled 2'],
  ]);
  expect(await balances(database.pool, sku.a)).toEqual(['north 4/0/0/0']);
  expect(told(systems.wms, 'return_announcement')).toHaveLength(1);
});

it('amounts of added lines add up in every document', async () => {
  await arrive(sku.a, 'north', 50);
  await ordered('api', [sku.a, 7, '0.335']);
  await changeBy([[1, 20]]);
  await changeBy([[1, 17]]);
  await hub.settle();
  for (const { reference, lines: parts } of told(systems.wms, 'fulfilment'))
    for (const { lineNo, quantity } of parts)
      for (let unit = 0; unit < quantity; unit++) {
        const part = [{ lineNo, sku: sku.a, quantity: 1 }];
        const key = `${n}-${lineNo}-${reference}-${unit}`;
        await hub.receive('wms', [picked(`p${key}`, reference, part), shipped(`s${key}`, reference, part)]);
      }
  await hub.settle();
  const posted = told(systems.erp, 'shipment_posting') as unknown as {
    reference: string;
    lines: { amountMinor: number }[];
  }[];
  for (const [i, { lines: parts }] of posted.entries())
    await hub.receive('erp', [invoiced(`I${n}-${i}`, `api/${no()}`, parts as never)]);
  const all = (rows: { amountMinor: number }[]) => rows.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
  const erp = ['sales_order', 'order_change', 'order_cancellation'].map((kind) =>
    all(told(systems.erp, kind).flatMap((payload) => payload.lines as never)),
  );
  expect(all(posted.flatMap((payload) => payload.lines))).toBe(erp[0]! + erp[1]! - erp[2]!);
  expect((await lines())[0]).toBe('closed');
});

it('what waits and what was added find stock at once, before the ERP knows what was added: the WMS is asked for both', async () => {
  await ordered('api', [sku.a, 3]);
  await hub.settle();
  await changeBy([[1, 5]]);
  await changeBy([[1, 9]]);
  await arrive(sku.a, 'north', 9);
  await hub.backorders([sku.a]);
  await hub.settle();
  expect(told(systems.wms, 'fulfilment').map((payload) => payload.lines)).toMatchObject([
    [{ lineNo: 1, quantity: 3 }],
    [{ lineNo: 100_001, quantity: 2 }],
    [{ lineNo: 100_002, quantity: 4 }],
  ]);
});

it('many lines that were added find stock at one place before the ERP knows them: each is asked of the WMS apart', async () => {
  await ordered('api', [sku.a, 1]);
  await hub.settle();
  // More of them than there are places.
  for (const wanted of [2, 3, 4, 5]) await changeBy([[1, wanted]]);
  await arrive(sku.a, 'north', 5);
  await hub.backorders([sku.a]);
  await hub.settle();
  expect(told(systems.wms, 'fulfilment').map(({ lines: parts }) => parts.map(({ lineNo }) => lineNo))).toEqual(
    [1, 100_001, 100_002, 100_003, 100_004].map((lineNo) => [lineNo]),
  );
});

it('a rerun gives many added lines stock before the ERP knows them: each is asked of the WMS apart', async () => {
  await ordered('api', [sku.a, 1]);
  await hub.settle();
  for (const wanted of [2, 3, 4, 5]) await changeBy([[1, wanted]]);
  await arrive(sku.a, 'north', 5);
  const plan = await planRerun(hub.db, hub.deps, [hub.sku(sku.a)]);
  expect(plan.changes).toHaveLength(5);
  expect(await applyRerun(hub.db, hub.deps, plan)).toEqual({ applied: 1, stale: 0 });
  const asked = () => told(systems.wms, 'fulfilment').map(({ lines: parts }) => parts.map(({ lineNo }) => lineNo));
  await hub.settle();
  expect(asked()).toEqual([1, 100_001, 100_002, 100_003, 100_004].map((lineNo) => [lineNo]));
});

it('what was added is given back at once while a hold keeps the WMS from being asked for it', async () => {
  await arrive(sku.a, 'north', 9);
  await ordered('api', [sku.a, 4]);
  await hub.settle();
  await changeBy([[1, 9]]);
  const { rows } = await database.pool.query('select order_id from sales_order where external_no = $1', [no()]);
  await holdOrder(hub.db, hub.deps, rows[0]!.order_id, { reason: 'fraud_check', detail: '', by: 'bob' });
  await hub.settle();
  expect(told(systems.wms, 'fulfilment')).toHaveLength(1);
  await hub.receive('api', [cancel('api', no(), 1, 6, `c${++keys}`, sku.a)]);
  expect(await lines()).toEqual(['released', '1: 4 allocated 4 cancel_asked 1', '100001: 5 cancelled 5']);
  await hub.settle();
  expect(systems.wms.of('fulfilment_cancel')).toMatchObject([{ payload: { lines: [{ lineNo: 1, quantity: 1 }] } }]);
  expect(await balances(database.pool, sku.a)).toEqual(['north 9/0/3/0']);
});

it('a whole order is cancelled once more of its lines are picked than there are places', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', ...[1, 2, 3, 4, 5].map((quantity): [string, number] => [sku.a, quantity]));
  await changeBy([[1, 2]]);
  await hub.settle();
  for (const { reference, lines: parts } of told(systems.wms, 'fulfilment'))
    await hub.receive('wms', [picked(`p${++keys}`, reference, parts as never)]);
  expect(await hub.receive('api', [orderCancelled('api', no(), 'all')])).toMatchObject([{ status: 'applied' }]);
  expect(await lines()).toEqual([
    'released',
    ...[1, 2, 3, 4, 5].map((quantity, i) => `${i + 1}: ${quantity} picked ${quantity} return_expected ${quantity}`),
    '100001: 1 picked 1 return_expected 1',
  ]);
});

it('a line is cancelled of which more parts are picked than there are places', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', [sku.a, 1]);
  for (const wanted of [2, 3, 4, 5]) await changeBy([[1, wanted]]);
  await hub.settle();
  for (const { reference, lines: parts } of told(systems.wms, 'fulfilment'))
    await hub.receive('wms', [picked(`p${++keys}`, reference, parts as never)]);
  const item = cancel('api', no(), 1, 5, `c${++keys}`, sku.a);
  expect(await hub.receive('api', [item])).toMatchObject([{ status: 'applied' }]);
  expect((await lines()).map((line) => line.includes('return_expected 1'))).toEqual([false, ...Array(5).fill(true)]);
});

it('two changes of one order at once: both hold, and neither unit is given twice', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', [sku.a, 5], [sku.a, 5]);
  await hub.settle();
  const other = await SmallHub.open({ url: database.url, estate: smallEstate() });
  await other.seed([sku.a]);
  const by = (one: SmallHub, reference: string, parts: Change) =>
    one.receive('api', [changed('api', no(), reference, parts)], { onFault: 'refuse' });
  const results = await Promise.all([
    by(hub, 'x', [[1, 7]]),
    by(other, 'y', [[2, 8]]),
    by(hub, 'z', [[1, 7]]),
    by(other, 'x', [[1, 7]]),
  ]);
  await other.close();
  expect(results.map(([result]) => result!.status).sort()).toEqual(['applied', 'applied', 'applied', 'duplicate']);
  await hub.settle();
  expect(seen(systems.crm).lines).toMatchObject([{ quantity: 7 }, { quantity: 8 }]);
});

it('the ERP is in doubt about an added line: it is looked up, and told once', async () => {
  await arrive(sku.a, 'north', 20);
  await ordered('api', [sku.a, 5]);
  await hub.settle();
  await changeBy([[1, 8]]);
  systems.erp.fate = (kind) => (kind === 'order_change' ? 'silent' : 'ok');
  await hub.settle();
  await database.pool.query(dueNow());
  await hub.settle();
  expect(told(systems.erp, 'order_change')).toHaveLength(1);
  expect(await lines()).toEqual(['released', '1: 5 allocated 5', '100001: 3 allocated 3']);
  expect(
    (await readTimeline(hub.db, (await findOrders(hub.db, `api/${no()}`))[0]!)).gaps.map(({ what }) => what),
  ).toEqual([`line 1 (${sku.a}): 5 wait for the pick`, `line 100001 (${sku.a}): 3 wait for the pick`]);
});
