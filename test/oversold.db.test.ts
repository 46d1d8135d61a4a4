/** What a shop sold by itself beyond what is there: found, held as an exception, settled by policy or by a person, never shipped twice. */
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { putSubstitutes } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { listExceptions, readToldDocuments, settleException, sweepBackorders } from '../src/orders/index.ts';
import { findOrders, readTimeline } from '../src/projections/index.ts';
import { useDatabase } from './helpers/database.ts';
import type { MemorySystem } from './helpers/memory-system.ts';
import { balances, orderState, violations } from './helpers/promises.ts';
import {
  cancel,
  invoiced,
  memorySystems,
  moved,
  order,
  picked,
  SmallHub,
  shipped,
  smallEstate,
} from './helpers/small-hub.ts';

const database = useDatabase();
const locations = ['north', 'south'];
const shopOf = (onOversold?: object) => ({
  company: 'acme',
  system: 'shop',
  sells: 'by_itself' as const,
  numberMeans: 'net_available' as const,
  locations,
  ...(onOversold === undefined ? {} : { onOversold }),
});
const estateOf = (onOversold?: object) => smallEstate({ shop: shopOf(onOversold) as never });

interface Part {
  lineNo: number;
  sku: string;
  quantity: number;
}
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
const sku = { sold: '', first: '', second: '' };

async function open(onOversold?: object): Promise<void> {
  systems = memorySystems();
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: estateOf(onOversold) });
}
// As every hub has it: what it numbers itself ends so.
beforeAll(() => database.pool.query(`update hub set reference_ending = '-ZZZZ'`));
beforeEach(() => {
  n++;
  Object.assign(sku, { sold: `S${n}`, first: `F${n}`, second: `G${n}` });
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await end();
});
/** As a process ends: its leases are the next one's. */
async function end(): Promise<void> {
  await hub.leases.stop();
  await hub.close();
}

/** 4 of the sold SKU and some of what may be sent instead. */
async function given(onOversold?: object, first = 3, second = 9): Promise<void> {
  await open(onOversold);
  await hub.seed([sku.sold, sku.first, sku.second]);
  await arrive(sku.sold, 'north', 4);
  if (first > 0) await arrive(sku.first, 'north', first);
  if (second > 0) await arrive(sku.second, 'south', second);
  await putSubstitutes(hub.db, hub.directory, [{ sku: sku.sold, substitutes: [sku.first, sku.second] }]);
}
let keys = 0;
const arrive = (code: string, location: string, quantity: number) =>
  hub.receive('wms', [moved(`o${++keys}`, code, location, quantity)]);
const sold = async (quantity: number, no = `N${n}`) => {
  expect(
    await hub.receive('shop', [order('shop', no, [{ sku: sku.sold, quantity, unitPrice: '2.50' }])]),
  ).toMatchObject([{ status: 'applied' }]);
  return no;
};
const lines = (no = `N${n}`) => orderState(database.pool, 'shop', no);
const found = async () => (await listExceptions(hub.db, { limit: 1 }))[0]!;
const settle = (as: 'backorder' | 'cancel' | 'substitute', by = 'ann') =>
  found().then(({ exceptionId }) => settleException(hub.db, hub.deps, exceptionId, { as, by, reason: 'asked' }));
/** What a system was told of this test's order: others may still be told of theirs. */
const effects = (system: MemorySystem, kind: string) =>
  system
    .of(kind)
    .map(({ reference, payload }) => ({ reference, payload: payload as { order?: string; lines: Part[] } }))
    .filter(({ reference, payload }) => (payload.order ?? reference) === `shop/N${n}`);
const told = (system: MemorySystem, kind: string) => effects(system, kind).map(({ payload }) => payload);
const shopSees = (no = `N${n}`) =>
  systems.shop.states.get(`order_status shop/${no}`)!.state as { status: string; lines: object[] };
const gaps = async (no = `N${n}`) => {
  const [known] = await findOrders(hub.db, `shop/${no}`);
  return (await readTimeline(hub.db, known!)).gaps.map(({ what }) => what);
};

it('waits for stock by default and is on record', async () => {
  await given();
  await sold(10);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 backordered 6']);
  expect(await found()).toMatchObject({
    ...{ kind: 'oversold', state: 'resolved', policy: 'backorder', units: 6, held: 0, backordered: 6 },
    ...{ externalNo: `N${n}`, lineNo: 1, sku: sku.sold, resolvedBy: null, standIns: [] },
  });
  expect(told(systems.erp, 'sales_order')).toMatchObject([{ lines: [{ quantity: 10 }] }]);
});

it('an order that is covered has no exception', async () => {
  await given({ policy: 'hold' });
  const before = await listExceptions(hub.db, { limit: 100 });
  await sold(4);
  expect(await listExceptions(hub.db, { limit: 100 })).toEqual(before);
});

it('given up by policy: the ERP never sees the units, the shop is told to take them back', async () => {
  await given({ policy: 'cancel' });
  await sold(10);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 refused 6']);
  expect(told(systems.erp, 'sales_order')).toMatchObject([{ totalMinor: 1000, lines: [{ quantity: 4 }] }]);
  expect(shopSees().lines).toMatchObject([{ quantity: 10, refused: 6 }]);
  expect(await found()).toMatchObject({ state: 'resolved', policy: 'cancel', cancelled: 6 });
});

it('sent as something else: ERP and WMS get its SKU, the shop the units of the line that was ordered, and no unit twice', async () => {
  await given({ policy: 'substitute', otherwise: 'cancel' });
  await sold(10);
  await hub.settle();
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 refused 6', '2: 3 allocated 3', '3: 3 allocated 3']);
  expect(told(systems.erp, 'sales_order')).toMatchObject([
    {
      totalMinor: 2500,
      lines: [
        { lineNo: 1, sku: sku.sold, quantity: 4, amountMinor: 1000 },
        { lineNo: 2, sku: sku.first, quantity: 3, unitPrice: '2.50', amountMinor: 750, standsFor: 1 },
        { lineNo: 3, sku: sku.second, quantity: 3, amountMinor: 750, standsFor: 1 },
      ],
    },
  ]);
  const asked = told(systems.wms, 'fulfilment').flatMap((payload) => payload.lines);
  expect(asked.map((line) => `${line.lineNo} ${line.sku} ${line.quantity}`).sort()).toEqual([
    `1 ${sku.sold} 4`,
    `2 ${sku.first} 3`,
    `3 ${sku.second} 3`,
  ]);
  expect(shopSees()).toMatchObject({ totalMinor: 2500, lines: [{ lineNo: 1, quantity: 10, refused: 0, shipped: 0 }] });
  expect(shopSees().lines).toHaveLength(1);
  expect(await found()).toMatchObject({
    substituted: 6,
    standIns: [
      { lineNo: 2, sku: sku.first, quantity: 3 },
      { lineNo: 3, sku: sku.second, quantity: 3 },
    ],
  });

  // What stands for the line ships first: the shop hears of the line it knows.
  const fulfilments = effects(systems.wms, 'fulfilment');
  let shippedUnits = 0;
  for (const effect of fulfilments.toReversed()) {
    const { lines: parts } = effect.payload;
    const key = `${n}-${effect.reference}`;
    await hub.receive('wms', [picked(`p${key}`, effect.reference, parts), shipped(`s${key}`, effect.reference, parts)]);
    await hub.settle();
    shippedUnits += parts.reduce((sum, part) => sum + part.quantity, 0);
    expect(shopSees().lines).toMatchObject([{ lineNo: 1, quantity: 10, shipped: shippedUnits, refused: 0 }]);
  }
  expect(shippedUnits).toBe(10);
  const orderId = Number(
    (await database.pool.query('select order_id from sales_order where external_no = $1', [`N${n}`])).rows[0].order_id,
  );
  const documents = (await readToldDocuments(hub.db, [{ orderId, version: 0 }], ['shipments'])).get(orderId)!;
  const toldParts = documents.shipments.flatMap(({ lines: parts }) => parts);
  expect(new Set(toldParts.map(({ lineNo }) => lineNo))).toEqual(new Set([1]));
  expect(toldParts.reduce((sum, part) => sum + part.quantity, 0)).toBe(10);
  const { reference, payload } = fulfilments[0]!;
  expect(await hub.receive('wms', [shipped(`again${n}`, reference, payload.lines)])).toMatchObject([
    { class: 'over_ship' },
  ]);
  await database.pool.query(`update inbound set state = 's' where key = 'again${n}'`);
  await database.pool.query(`update parked_record set state = 'resolved', ended_at = now() where key = 'again${n}'`);
  await hub.receive('erp', [
    invoiced(`I${n}`, `shop/N${n}`, [
      { lineNo: 1, quantity: 4, amountMinor: 1000 },
      { lineNo: 2, quantity: 3, amountMinor: 750 },
      { lineNo: 3, quantity: 3, amountMinor: 750 },
    ]),
  ]);
  await hub.settle();
  expect((await lines())[0]).toBe('closed');
  expect(shopSees()).toMatchObject({ status: 'closed', lines: [{ invoiced: 10 }] });
});

it('never takes a substitute that the shop itself may still sell', async () => {
  await given({ policy: 'substitute', otherwise: 'cancel' }, 5, 0);
  // All of it lies in the shop's number.
  await database.pool.query(`insert into exposure (channel_id, sku_id, location_id, quantity) values ($1, $2, $3, 5)`, [
    hub.directory.channels.get('shop')!.channelId,
    hub.sku(sku.first),
    hub.location('north'),
  ]);
  await database.pool.query('update stock_balance set exposed = 5 where sku_id = $1', [hub.sku(sku.first)]);
  expect(await balances(database.pool, sku.first)).toEqual(['north 5/0/0/5']);
  await sold(10);
  expect(await lines()).toEqual(['accepted', '1: 10 allocated 4 refused 6']);
  expect(await found()).toMatchObject({ policy: 'substitute', substituted: 0, cancelled: 6 });
});

it('held: no other system acts on the order until a person decides, whatever arrives meanwhile', async () => {
  await given({ policy: 'hold' });
  await sold(10);
  await hub.settle();
  expect(await lines()).toEqual(['accepted', '1: 10 allocated 4 backordered 6']);
  expect(await found()).toMatchObject({ state: 'open', held: 6 });
  expect([told(systems.erp, 'sales_order'), told(systems.wms, 'fulfilment')]).toEqual([[], []]);
  expect(shopSees().lines).toMatchObject([{ quantity: 10, backordered: 6, refused: 0 }]);
  expect(await gaps()).toEqual([`line 1 (${sku.sold}): 6 wait for a person, and the ERP for the order with them`]);

  await arrive(sku.sold, 'north', 20);
  await hub.follow();
  expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
  await hub.settle();
  expect(await lines()).toEqual(['accepted', '1: 10 allocated 4 backordered 6']);
  expect(told(systems.erp, 'sales_order')).toEqual([]);

  expect(await settle('backorder')).toMatchObject({ state: 'resolved', backordered: 6, resolvedBy: 'ann' });
  await hub.follow();
  await hub.settle();
  expect(told(systems.erp, 'sales_order')).toMatchObject([
    { company: 'acme', account: 'A1', currency: 'GBP', totalMinor: 2500, lines: [{ quantity: 10, amountMinor: 2500 }] },
  ]);
  expect(await lines()).toEqual(['released', '1: 10 allocated 10']);
  expect(told(systems.wms, 'fulfilment').flatMap((payload) => payload.lines)).toMatchObject([
    { quantity: 4 },
    { quantity: 6 },
  ]);
});

it('held, then sent as something else by a person', async () => {
  await given({ policy: 'hold' });
  await sold(10);
  expect(await settle('substitute')).toMatchObject({ substituted: 6, standIns: [{ quantity: 3 }, { quantity: 3 }] });
  await hub.settle();
  expect(told(systems.erp, 'sales_order')).toMatchObject([
    { totalMinor: 2500, lines: [{ quantity: 4 }, { sku: sku.first, standsFor: 1 }, { sku: sku.second, standsFor: 1 }] },
  ]);
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 refused 6', '2: 3 allocated 3', '3: 3 allocated 3']);
  // The shop cancels what it knows: a line of 10.
  await hub.receive('shop', [cancel('shop', `N${n}`, 1, 10, `all${n}`, sku.sold)]);
  await hub.settle();
  expect(await lines()).toEqual(['cancelled', '1: 10 refused 6 cancelled 4', '2: 3 cancelled 3', '3: 3 cancelled 3']);
  expect(shopSees()).toMatchObject({ status: 'cancelled', lines: [{ quantity: 10, cancelled: 10, refused: 0 }] });
  expect(await hub.receive('shop', [cancel('shop', `N${n}`, 1, 1, `more${n}`, sku.sold)])).toMatchObject([
    { class: 'over_cancel' },
  ]);
  await database.pool.query(`update inbound set state = 's' where key like 'more${n}/%'`);
  await database.pool.query(
    `update parked_record set state = 'resolved', ended_at = now() where key like 'more${n}/%'`,
  );
});

it('a cancel that comes while it is held reaches the ERP with the order and not before', async () => {
  await given({ policy: 'hold' });
  await sold(10);
  await hub.receive('shop', [cancel('shop', `N${n}`, 1, 2, `c${n}`, sku.sold)]);
  await hub.settle();
  expect(await found()).toMatchObject({ state: 'open', held: 4, cancelled: 2 });
  expect(systems.erp.of('order_cancellation')).toEqual([]);
  await settle('cancel');
  await hub.settle();
  expect(told(systems.erp, 'sales_order')).toMatchObject([{ totalMinor: 1500, lines: [{ quantity: 6 }] }]);
  expect(told(systems.erp, 'order_cancellation')).toMatchObject([
    { order: `shop/N${n}`, lines: [{ lineNo: 1, quantity: 2, amountMinor: 500 }] },
  ]);
  expect(effects(systems.erp, 'order_cancellation')[0]!.reference).toMatch(/^C\/\d+-ZZZZ\/\d+$/);
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 refused 4 cancelled 2']);
  expect(shopSees().lines).toMatchObject([{ quantity: 10, cancelled: 2, refused: 4 }]);
  expect(await gaps()).toEqual([`line 1 (${sku.sold}): 4 wait for the pick`]);
});

it('a cancel of the whole order ends the hold, also when it comes in the message that brought the order', async () => {
  await given({ policy: 'hold' });
  const no = `N${n}`;
  await hub.receive('shop', [
    order('shop', no, [{ sku: sku.sold, quantity: 10, unitPrice: '2.50' }]),
    cancel('shop', no, 1, 10, `w${n}`, sku.sold),
  ]);
  await hub.settle();
  expect(await lines()).toEqual(['cancelled', '1: 10 cancelled 10']);
  expect(await found()).toMatchObject({ state: 'resolved', cancelled: 6, resolvedBy: 'channel', reason: `w${n}` });
  expect(told(systems.erp, 'sales_order')).toHaveLength(1);
  expect(told(systems.erp, 'order_cancellation')).toMatchObject([{ lines: [{ quantity: 10 }] }]);
  await expect(settle('backorder')).rejects.toMatchObject({
    code: 'XD_REFUSED',
    details: { refused: 'exception_resolved' },
  });
});

it('two people at once: one of them decides, the same answer twice is one', async () => {
  await given({ policy: 'hold' });
  await sold(10);
  const other = await SmallHub.open({ url: database.url, estate: estateOf({ policy: 'hold' }) });
  const { exceptionId } = await found();
  const answers = await Promise.allSettled([
    settleException(hub.db, hub.deps, exceptionId, { as: 'cancel', by: 'ann' }),
    settleException(other.db, other.deps, exceptionId, { as: 'backorder', by: 'bob' }),
    settleException(other.db, other.deps, exceptionId, { as: 'backorder', by: 'eve' }),
    settleException(hub.db, hub.deps, exceptionId, { as: 'cancel', by: 'dan' }),
  ]);
  await other.close();
  const taken = answers.flatMap((answer, i) => (answer.status === 'fulfilled' ? [i] : []));
  expect([
    [0, 3],
    [1, 2],
  ]).toContainEqual(taken);
  expect(answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason.code)).toEqual([
    'XD_REFUSED',
    'XD_REFUSED',
  ]);
  const record = await found();
  expect(record.units).toBe(record.backordered + record.cancelled);
  await hub.settle();
  expect(told(systems.erp, 'sales_order')).toHaveLength(1);
});

it('a substitute that two orders want at once goes to one of them', async () => {
  await given({ policy: 'substitute', otherwise: 'hold' }, 6, 0);
  const other = await SmallHub.open({
    url: database.url,
    estate: estateOf({ policy: 'substitute', otherwise: 'hold' }),
  });
  const nos = [`N${n}`, `M${n}`];
  await Promise.all(
    nos.map((no, i) =>
      [hub, other][i]!.receive('shop', [order('shop', no, [{ sku: sku.sold, quantity: 8, unitPrice: '2.50' }])]),
    ),
  );
  await other.close();
  const all = (await listExceptions(hub.db, { limit: 2 })).filter(({ externalNo }) => nos.includes(externalNo));
  expect(all.map((one) => one.units).reduce((a, b) => a + b)).toBe(12);
  expect(all.map((one) => one.substituted).reduce((a, b) => a + b)).toBe(6);
  for (const { exceptionId, held } of all)
    if (held > 0) await settleException(hub.db, hub.deps, exceptionId, { as: 'cancel', by: 'ann' });
});

it('a process that ends in the middle loses nothing: the next one tells the order, once', async () => {
  await given({ policy: 'hold' });
  await sold(10);
  await hub.plan();
  await settle('cancel');
  await end();
  await open({ policy: 'backorder' });
  await hub.directory.loadSkus([sku.sold]);
  await hub.settle();
  expect(told(systems.erp, 'sales_order')).toMatchObject([{ lines: [{ quantity: 4 }] }]);
  expect(await lines()).toEqual(['released', '1: 10 allocated 4 refused 6']);
  expect(await settle('cancel', 'again')).toMatchObject({ resolvedBy: 'ann' });
});

it('lists of substitutes that come back to where they began, that are too long or name nothing are refused whole', async () => {
  await given();
  const codes = Array.from({ length: 7 }, (_, i) => `C${n}-${i}`);
  await hub.seed(codes);
  const put = (...pairs: string[][]) =>
    putSubstitutes(
      hub.db,
      hub.directory,
      pairs.map(([one, ...substitutes]) => ({ sku: one!, substitutes })),
    );
  const [a, b, c] = codes as [string, string, string];
  await put([a, b], [b, c]);
  const refusals = [
    [[c, a], 'would stand for itself'],
    [[a, a], 'would stand for itself'],
    [[a, b, b], 'same substitute twice'],
    [[a, 'NOPE'], 'no SKU'],
  ] as const;
  for (const [list, why] of refusals) await expect(put([...list])).rejects.toThrow(why);
  await expect(put(...codes.slice(2, 6).map((code, i) => [code, codes[i + 3]!]))).rejects.toThrow('at most 5');
  const { rows } = await database.pool.query(
    `select s.code as of, i.code as instead from sku_substitute t join sku s using (sku_id) join sku i on i.sku_id = t.substitute_id
      where s.code = any($1) order by 1`,
    [codes],
  );
  expect(rows).toEqual([
    { of: a, instead: b },
    { of: b, instead: c },
  ]);
  await put([a]);
  await put([c, a]);
});
