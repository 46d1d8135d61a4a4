/** Units that a WMS was told to pick and could not find: taken from elsewhere, or settled by the channel's rule, and promised to nobody until the place is looked at. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { putSubstitutes } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { followBackorders, listExceptions, settleException, sweepBackorders } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import type { MemorySystem } from './helpers/memory-system.ts';
import { balances, orderState, violations } from './helpers/promises.ts';
import {
  cancel,
  changed,
  memorySystems,
  moved,
  order,
  picked,
  SmallHub,
  shipped,
  shortPicked,
  smallEstate,
} from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let keys = 0;
const sku = { a: '', b: '' };

type OnShortPick = NonNullable<Parameters<typeof smallEstate>[0]>['api'] extends infer C ? C : never;
async function open(onShortPick?: object): Promise<void> {
  systems = memorySystems();
  const estate = smallEstate();
  const api = { ...estate.channels.api!, ...(onShortPick !== undefined && { onShortPick }) } as OnShortPick;
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: smallEstate({ api: api as never }) });
  await hub.seed([sku.a, sku.b]);
}
beforeEach(() => {
  n++;
  Object.assign(sku, { a: `A${n}`, b: `B${n}` });
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await hub.leases.stop();
  await hub.close();
});

const no = () => `N${n}`;
const later = (minutes: number) => new Date(Date.UTC(2026, 2, 3, 12, minutes)).toISOString();
const arrive = (location: string, quantity: number, code = sku.a) =>
  hub.receive('wms', [moved(`i${++keys}`, code, location, quantity)]);
const lines = () => orderState(database.pool, 'api', no());
const shelves = () => balances(database.pool, sku.a);
const told = (system: MemorySystem, kind: string) =>
  system
    .of(kind)
    .map(
      ({ payload }) =>
        payload as {
          reference: string;
          order?: string;
          location?: string;
          lines: { lineNo: number; quantity: number }[];
        },
    )
    .filter(({ order: of, reference }) => (of ?? reference) === `api/${no()}`);
const asked = () =>
  told(systems.wms, 'fulfilment').map(
    ({ location, lines: parts }) => `${location} ${parts.map((part) => part.quantity).join('+')}`,
  );
const fulfilment = (i = 0) => told(systems.wms, 'fulfilment')[i]!.reference;
const found = async () => (await listExceptions(hub.db, { limit: 1 }))[0]!;
const short = (quantity: number, key = `sp${++keys}`, at = later(0), lineNo = 1, i = 0) =>
  hub.receive('wms', [shortPicked(key, fulfilment(i), [{ lineNo, sku: sku.a, quantity }], at)]);
/** An order of so many that the first place has and the WMS is asked for. */
async function given(quantity: number, elsewhere: number, onShortPick?: object): Promise<void> {
  await open(onShortPick);
  await arrive('north', quantity);
  if (elsewhere > 0) await arrive('south', elsewhere);
  const ordered = [{ sku: sku.a, quantity, unitPrice: '0.335' }];
  expect(await hub.receive('api', [order('api', no(), ordered)])).toMatchObject([{ status: 'applied' }]);
  await hub.settle();
  expect(asked()).toEqual([`north ${quantity}`]);
}

it('what is not found is asked of another place at once, and the units are promised to nobody until they are counted', async () => {
  await given(10, 20);
  expect(await short(4)).toMatchObject([{ status: 'applied' }]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 10']);
  expect(asked()).toEqual(['north 10', 'south 4']);
  expect(await found()).toMatchObject({
    ...{ kind: 'short_picked', state: 'resolved', policy: 'resource', units: 4, resourced: 4, backordered: 0 },
    ...{ lineNo: 1, sku: sku.a, resolvedBy: null },
  });
  // 10 on the books of the place, 6 promised, and 4 of which nobody knows where they are.
  expect(await shelves()).toEqual(['north 10/0/6/0', 'south 20/0/4/0']);
  const blocked = 'select outside_deducted from stock_balance where sku_id = $1 and location_id = $2';
  const set = async () =>
    (await database.pool.query(blocked, [hub.sku(sku.a), hub.location('north')])).rows[0]!.outside_deducted;
  expect(await set()).toBe(4);
  // Another order gets none of them.
  await hub.receive('api', [order('api', `${no()}x`, [{ sku: sku.a, quantity: 20 }])]);
  expect(await orderState(database.pool, 'api', `${no()}x`)).toEqual(['accepted', '1: 20 allocated 16 backordered 4']);
  // A count from before knows nothing of it; one that comes after it says what is there.
  const counted = (quantity: number, at: string) =>
    hub.receive('wms', [moved(`c${++keys}`, sku.a, 'north', quantity, { movement: 'counted', occurredAt: at })]);
  await counted(10, later(-10));
  expect(await set()).toBe(4);
  await counted(10, later(10));
  expect(await set()).toBe(0);
  await followBackorders(hub.db, hub.deps);
  expect(await orderState(database.pool, 'api', `${no()}x`)).toEqual(['accepted', '1: 20 allocated 20']);
  await hub.settle();
});

it('what is written off uses up what was set aside, in whatever order the two arrive', async () => {
  await given(10, 0);
  await short(4, 'w1', later(0));
  const written = (quantity: number, at: string) =>
    hub.receive('wms', [moved(`a${++keys}`, sku.a, 'north', -quantity, { occurredAt: at })]);
  await written(3, later(1));
  const free = async () => {
    const { rows } = await database.pool.query(
      `select on_hand - reserved - allocated - exposed - outside_deducted as free, outside_deducted from stock_balance
        where sku_id = $1 and location_id = $2`,
      [hub.sku(sku.a), hub.location('north')],
    );
    return [Number(rows[0]!.free), Number(rows[0]!.outside_deducted)];
  };
  expect(await free()).toEqual([0, 1]);
  await written(1, later(2));
  expect(await free()).toEqual([0, 0]);
  // Heard of after its write-off: nothing is left to set aside.
  await written(2, later(3));
  await short(2, 'w2', later(3));
  expect(await free()).toEqual([0, 0]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 backordered 6']);
});

it('the same short pick twice is one, and one of more than is open is refused and changes nothing', async () => {
  await given(10, 20);
  await short(4, 'twice');
  expect(await short(4, 'twice')).toMatchObject([{ status: 'duplicate', state: 'a' }]);
  expect(await short(7)).toMatchObject([{ status: 'parked', class: 'over_short' }]);
  expect(await lines()).toEqual(['released', '1: 10 allocated 10']);
  await hub.settle();
  // What has left was there, also where nobody heard of its pick.
  await hub.receive('wms', [shipped(`s${n}`, fulfilment(), [{ lineNo: 1, sku: sku.a, quantity: 6 }])]);
  expect(await short(6)).toMatchObject([{ class: 'over_short' }]);
  await hub.receive('wms', [picked(`p${n}`, fulfilment(), [{ lineNo: 1, sku: sku.a, quantity: 6 }])]);
  expect(await short(1)).toMatchObject([{ class: 'over_short' }]);
  expect(await lines()).toEqual(['partly_shipped', '1: 10 allocated 4 picked 6 shipped 6']);
  await database.pool.query(`update inbound set state = 's' where scope = 'short_picked/wms' and state = 'p'`);
  await database.pool.query(
    `update parked_record set state = 'resolved', ended_at = now() where scope = 'short_picked/wms'`,
  );
});

it('what is nowhere else waits, or is given up where the channel says so; amounts add up', async () => {
  await given(10, 1, { policy: 'resource', otherwise: 'cancel' });
  await short(4);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 7 cancelled 3']);
  expect(await found()).toMatchObject({ units: 4, resourced: 1, cancelled: 3, held: 0 });
  expect(told(systems.erp, 'order_cancellation')).toMatchObject([
    { lines: [{ lineNo: 1, quantity: 3, amountMinor: 101 }] },
  ]);
  expect(systems.crm.states.get(`order_status api/${no()}`)!.state).toMatchObject({ lines: [{ cancelled: 3 }] });
});

it('by another rule it is not looked for elsewhere, and stock that comes serves it', async () => {
  await given(10, 20, { policy: 'backorder' });
  await short(4);
  expect(await lines()).toEqual(['released', '1: 10 allocated 6 backordered 4']);
  await sweepBackorders(hub.db, hub.deps);
  await hub.settle();
  expect(asked()).toEqual(['north 10', 'south 4']);
});

it('another SKU is sent in its place: cancelled and added in the ERP, one line for who ordered', async () => {
  await open({ policy: 'substitute', otherwise: 'hold' });
  await arrive('north', 5);
  await arrive('south', 3, sku.b);
  await putSubstitutes(hub.db, hub.directory, [{ sku: sku.a, substitutes: [sku.b] }]);
  await hub.receive('api', [order('api', no(), [{ sku: sku.a, quantity: 5, unitPrice: '2.50' }])]);
  await hub.settle();
  await short(5);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 backordered 2 cancelled 3', '100001: 3 allocated 3']);
  expect(await found()).toMatchObject({ state: 'open', units: 5, substituted: 3, held: 2 });
  expect(told(systems.erp, 'order_change')).toMatchObject([
    { totalMinor: 750, lines: [{ sku: sku.b, quantity: 3, addsTo: 1 }] },
  ]);
  expect(told(systems.erp, 'order_cancellation')).toMatchObject([{ lines: [{ quantity: 3, amountMinor: 750 }] }]);
  // While it is held nothing new of it goes to the WMS; a person decides, and it does.
  expect(asked()).toEqual(['north 5']);
  await settleException(hub.db, hub.deps, (await found()).exceptionId, { as: 'cancel', by: 'ann' });
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 cancelled 5', '100001: 3 allocated 3']);
  expect(asked()).toEqual(['north 5', 'south 3']);
  expect(systems.crm.states.get(`order_status api/${no()}`)!.state).toMatchObject({
    lines: [{ lineNo: 1, sku: sku.b, quantity: 8, cancelled: 5 }],
  });
});

it('held for a person, who lets it wait', async () => {
  await given(5, 9, { policy: 'hold' });
  await short(2);
  expect(await lines()).toEqual(['released', '1: 5 allocated 3 backordered 2']);
  await sweepBackorders(hub.db, hub.deps);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 3 backordered 2']);
  const { exceptionId } = await found();
  await settleException(hub.db, hub.deps, exceptionId, { as: 'backorder', by: 'ann' });
  await followBackorders(hub.db, hub.deps);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 5 allocated 5']);
  expect(asked()).toEqual(['north 5', 'south 2']);
});

it('units that the WMS was asked to stop and has not got are given up: whoever wanted fewer gets no more', async () => {
  await given(10, 20);
  // The WMS is asked to stop 6 of 10, and says that 7 are not there before it answers.
  expect(await hub.receive('api', [changed('api', no(), `c${n}`, [[1, 4]])])).toMatchObject([{ status: 'applied' }]);
  await short(7);
  // 3 are there and being asked for; of the others 3 were not wanted any more, and 4 come from elsewhere.
  expect(await lines()).toEqual(['released', '1: 10 allocated 7 cancel_asked 3 cancelled 3']);
  // The WMS counts what it has not got among what it stopped.
  systems.wms.answer = (kind) =>
    kind === 'fulfilment_cancel' ? { lines: [{ lineNo: 1, cancelled: 6, tooLate: 0 }] } : {};
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 cancelled 6']);
  expect(asked()).toEqual(['north 10', 'south 4']);
});

it('a cancel after a short pick takes back what waits first', async () => {
  await given(10, 0);
  await short(4);
  await hub.receive('api', [cancel('api', no(), 1, 5, `c${n}`, sku.a)]);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 5 cancelled 5']);
});

it('a short pick and a cancel of the same units at once: each unit ends once', async () => {
  await given(10, 0, { policy: 'cancel' });
  const other = await SmallHub.open({ url: database.url, estate: smallEstate() });
  await other.seed([sku.a]);
  await Promise.all([
    short(10, `race${n}`),
    other.receive('api', [cancel('api', no(), 1, 10, `r${n}`, sku.a)]),
    short(10, `race${n}`),
  ]);
  await other.close();
  systems.wms.answer = (kind) =>
    kind === 'fulfilment_cancel' ? { lines: [{ lineNo: 1, cancelled: 10, tooLate: 0 }] } : {};
  await hub.settle();
  const [state, line] = await lines();
  // Whichever came first: with the cancel behind, it found nothing that was left, and says so.
  expect([state, line]).toEqual(['cancelled', '1: 10 cancelled 10']);
  await database.pool.query(`update inbound set state = 's' where key like 'r${n}/%' and state = 'p'`);
  await database.pool.query(`update parked_record set state = 'resolved', ended_at = now() where key like 'r${n}/%'`);
});
