/** What orders are promised: recorded with them, changed with what it rests on, told to whoever shows it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderChangeRequested, OrderSubmitted } from '../src/canonical/index.ts';
import { changeItem, supplyItem } from '../src/connectors/kit/index.ts';
import { listFacts } from '../src/log/index.ts';
import { followPromises, followReruns, processOrders, sweepPromises, sweepReruns } from '../src/orders/index.ts';
import { databaseNow } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { cancel, item, memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const DAY = 86_400_000;
const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const estate = smallEstate({
  dated: {
    ...{ company: 'acme', sells: 'asks', locations: ['north', 'south'], horizonDays: 60 },
    sourcing: { rank: ['priority'], version: 'r1' },
  },
  plain: { company: 'acme', sells: 'asks', locations: ['west'], horizonDays: 60 },
  late: { company: 'acme', sells: 'asks', locations: ['nightly'] },
});
estate.locations.nightly = { company: 'acme', region: 'n', calendar: 'night' };
estate.calendars = { day: { timeZone: 'Europe/London', workingDays: [...everyDay], cutOff: '14:00' } };
estate.calendars.night = { timeZone: 'Europe/London', workingDays: [...everyDay], cutOff: '01:30' };
for (const code of ['north', 'south']) Object.assign(estate.locations[code]!, { calendar: 'day' });
const systems = memorySystems();
let hub: SmallHub;
let n = 0;
let sku = '';

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate, connectors: systems });
  await hub.seed(Array.from({ length: 40 }, (_, i) => `P${i}`));
});
afterAll(() => hub.close());
beforeEach(() => {
  sku = `P${n++}`;
});

const stock = (quantity: number, location = 'north', of = sku) =>
  hub.receive('wms', [moved(`${of} ${n++}`, of, location, quantity)]);
let announcements = 0;
const announce = (id: string, quantity: number, days: number, location = 'north', of = sku) =>
  hub.receive('erp', [
    {
      ...supplyItem('erp', {
        ...{ kind: 'supply.announced', supply: `${of} ${id}`, sku: of, location, quantity },
        ...{ dueAt: inDays(days), announcedAt: new Date(Date.UTC(2026, 1, 1) + announcements++ * 1000).toISOString() },
      }),
      itemNo: 0,
    },
  ]);
const midnight = Math.ceil(Date.now() / DAY) * DAY;
const inDays = (days: number) => new Date(midnight + days * DAY).toISOString();
const calendar = () => hub.directory.locations.get('north')!.calendar!;
const shipsAt = (ms: number) => new Date(calendar().nextShip(ms)).toISOString();
const today = async () => shipsAt((await databaseNow(hub.db)).getTime());
const name = () => `O-${sku}`;
async function submit(
  lines: { sku: string; quantity: number }[],
  rest: Partial<OrderSubmitted> = {},
  channel = 'dated',
) {
  const [result] = await hub.receive('api', [order(channel, name(), lines, rest)]);
  expect(result).toMatchObject({ status: 'applied' });
  return (result as { orderId: number }).orderId;
}
interface Row {
  line_no: number;
  quantity: number;
  promised_at: Date | null;
  reason: string;
  cause: string;
  order_version: number;
  replaced_version: number | null;
  rule_version: string;
  location: string | null;
}
const rows = async (orderId: number): Promise<Row[]> =>
  (
    await database.pool.query<Row>(
      `select p.*, l.code as location from promise p left join location l using (location_id)
        where order_id = $1 order by order_version, line_no, part`,
      [orderId],
    )
  ).rows;
/** `1: 3 stock north 2026-…`, what holds. */
const promised = async (orderId: number) =>
  (await rows(orderId))
    .filter((row) => row.replaced_version === null)
    .sort((a, b) => a.line_no - b.line_no)
    .map(
      (row) =>
        `${row.line_no}: ${row.quantity} ${row.reason} ${row.location} ${row.promised_at?.toISOString() ?? null}`,
    );
const changes = async (orderId: number) =>
  (
    await listFacts(
      hub.db,
      Array.from({ length: 12 }, (_, i) => ({ stream: `order/${orderId}`, version: i + 1 })),
    )
  )
    .filter((fact) => fact.type === 'order.promise_changed')
    .map((fact) =>
      (fact.data as { lines: { lineNo: number; reason: string }[] }).lines.map(
        (line) => `${line.lineNo} ${line.reason}`,
      ),
    );

describe('an order is promised', () => {
  it('what lies there at the next cut-off, what is to come when it comes, and nothing for the rest; each a record with its rule', async () => {
    await stock(2);
    await announce('PO', 3, 5, 'south');
    const orderId = await submit([{ sku, quantity: 9 }]);
    expect(await promised(orderId)).toEqual([
      `1: 2 stock north ${await today()}`,
      `1: 3 supply south ${shipsAt(Date.parse(inDays(5)))}`,
      '1: 4 no_supply null null',
    ]);
    expect((await rows(orderId)).map((row) => [row.cause, row.rule_version, row.order_version])).toEqual(
      Array.from({ length: 3 }, () => ['accepted', 'r1', 1]),
    );
  });

  it('not before it is wanted', async () => {
    await stock(2);
    const requestedAt = inDays(9);
    const orderId = await submit([{ sku, quantity: 2 }], { requestedAt });
    expect(await promised(orderId)).toEqual([`1: 2 stock north ${shipsAt(Date.parse(requestedAt))}`]);
  });

  it('placed in the hour that daylight saving repeats: the first time round for that day, the second for the next', async () => {
    await stock(9, 'nightly');
    // Both are placed at 01:29 by the clocks of the place, on 2030-10-27.
    for (const [orderedAt, leaves] of [
      ['2030-10-27T00:29:00.000Z', '2030-10-27T00:30:00.000Z'],
      ['2030-10-27T01:29:00.000Z', '2030-10-28T01:30:00.000Z'],
    ] as const) {
      const [result] = await hub.receive('api', [
        order('late', `${name()} ${orderedAt}`, [{ sku, quantity: 1 }], { orderedAt }),
      ]);
      expect(await promised((result as { orderId: number }).orderId)).toEqual([`1: 1 stock nightly ${leaves}`]);
    }
  });

  it('and where nobody declared when and from where, nothing is written', async () => {
    await stock(2, 'west');
    const orderId = await submit([{ sku, quantity: 3 }], {}, 'plain');
    expect(await rows(orderId)).toEqual([]);
    const [fact] = await listFacts(hub.db, [{ stream: `order/${orderId}`, version: 1 }]);
    expect(fact!.data).not.toHaveProperty('promises');
  });
});

describe('a promise changes', () => {
  it('when what waits is served: with what it was, what it is and why; what it was is kept', async () => {
    await announce('PO', 5, 20);
    const orderId = await submit([{ sku, quantity: 5 }]);
    const before = shipsAt(Date.parse(inDays(20)));
    await stock(2);
    expect(await hub.backorders([sku])).toBe(1);
    expect(await promised(orderId)).toEqual([`1: 2 stock north ${await today()}`, `1: 3 supply north ${before}`]);
    expect(
      (await rows(orderId)).map((row) => [row.quantity, row.cause, row.order_version, row.replaced_version]),
    ).toEqual([
      [5, 'accepted', 1, 3],
      [2, 'served', 3, null],
      [3, 'served', 3, null],
    ]);
    expect(await changes(orderId)).toEqual([['1 served']]);
  });

  it('when units are cancelled: those that would have left last', async () => {
    await stock(2);
    await announce('PO', 3, 5);
    const orderId = await submit([{ sku, quantity: 5 }]);
    await hub.receive('api', [cancel('dated', name(), 1, 4, `C${sku}`, sku)]);
    expect(await promised(orderId)).toEqual([`1: 1 stock north ${await today()}`]);
    expect(await changes(orderId)).toEqual([['1 cancelled']]);
    await hub.receive('api', [cancel('dated', name(), 1, 1, `D${sku}`, sku)]);
    expect(await promised(orderId)).toEqual([]);
    expect(await violations(database.pool)).toEqual({});
  });

  it('when its supply is due at another time, comes with less, or is withdrawn: of all orders that rest on it, in sets', async () => {
    await announce('PO', 10, 5);
    const ids: number[] = [];
    for (let i = 0; i < 3; i++) {
      const [result] = await hub.receive('api', [order('dated', `${name()}/${i}`, [{ sku, quantity: 3 }])]);
      ids.push((result as { orderId: number }).orderId);
    }
    await announce('PO', 10, 12);
    await settled();
    // Two lines a transaction: the third is done in the next.
    expect((await followPromises(hub.db, hub.deps, 2)).changed).toBe(3);
    for (const id of ids) expect(await promised(id)).toEqual([`1: 3 supply north ${shipsAt(Date.parse(inDays(12)))}`]);
    expect((await followPromises(hub.db, hub.deps)).changed).toBe(0);
    await announce('PO', 7, 12);
    await settled();
    expect((await followPromises(hub.db, hub.deps)).changed).toBe(1);
    expect(await promised(ids[2]!)).toEqual([
      `1: 1 supply north ${shipsAt(Date.parse(inDays(12)))}`,
      '1: 2 no_supply null null',
    ]);
    await announce('PO', 0, 12);
    // A process that read of it and died: nobody reads of it again.
    await database.pool.query(
      `update log_cursor set (transaction_id, position) = (select transaction_id, position from fact order by transaction_id desc, position desc limit 1) where consumer = 'promises'`,
    );
    expect((await followPromises(hub.db, hub.deps)).changed).toBe(0);
    expect(await sweepPromises(hub.db, hub.deps)).toBe(3);
    for (const id of ids) expect(await promised(id)).toEqual(['1: 3 no_supply null null']);
    expect(await changes(ids[2]!)).toEqual([['1 supply_changed'], ['1 supply_changed'], ['1 supply_changed']]);
    expect(await sweepPromises(hub.db, hub.deps)).toBe(0);
  });

  it('for every line of an order that leaves only whole, when its last part does', async () => {
    const other = `P${n++}`;
    await stock(2);
    await announce('PO', 3, 5, 'north', other);
    const lines = [
      { sku, quantity: 2 },
      { sku: other, quantity: 3 },
    ];
    const orderId = await submit(lines, { shipComplete: true });
    const last = (days: number) => shipsAt(Date.parse(inDays(days)));
    expect(await promised(orderId)).toEqual([`1: 2 stock north ${last(5)}`, `2: 3 supply north ${last(5)}`]);
    await announce('PO', 3, 8, 'north', other);
    await settled();
    await followPromises(hub.db, hub.deps);
    expect(await promised(orderId)).toEqual([`1: 2 stock north ${last(8)}`, `2: 3 supply north ${last(8)}`]);
    await announce('PO', 0, 8, 'north', other);
    await settled();
    await followPromises(hub.db, hub.deps);
    expect(await promised(orderId)).toEqual(['1: 2 ship_complete north null', '2: 3 no_supply null null']);
    await stock(3, 'north', other);
    await hub.backorders([other]);
    expect(await promised(orderId)).toEqual([`1: 2 stock north ${await today()}`, `2: 3 stock north ${await today()}`]);
  });

  it('exactly once, whoever meets: supply that moves while an order is cancelled and another process serves it', async () => {
    await announce('PO', 6, 5);
    const orderId = await submit([{ sku, quantity: 6 }]);
    await announce('PO', 6, 9);
    await stock(2);
    await settled();
    const serve = () =>
      hub.db.transaction(async (tx) => {
        const batch = await processOrders(tx, hub.deps, [
          { reference: { orderId }, command: { kind: 'allocate_backorders', lineNos: [1] }, occurredAt: inDays(0) },
        ]);
        await batch.finish();
      });
    await Promise.all([
      followPromises(hub.db, hub.deps),
      hub.receive('api', [cancel('dated', name(), 1, 1, `C${sku}`, sku)]),
      serve(),
      sweepPromises(hub.db, hub.deps),
    ]);
    await sweepPromises(hub.db, hub.deps);
    expect(await promised(orderId)).toEqual([
      `1: 2 stock north ${await today()}`,
      `1: 3 supply north ${shipsAt(Date.parse(inDays(9)))}`,
    ]);
    const all = await rows(orderId);
    // A part is replaced by what came next, and by nothing else.
    const versions = [...new Set(all.map((row) => Number(row.order_version)))].sort((a, b) => a - b);
    for (const row of all)
      expect(Number(row.replaced_version ?? 0)).toBe(versions[versions.indexOf(Number(row.order_version)) + 1] ?? 0);
    expect(await violations(database.pool)).toEqual({});
  });
});

describe('who shows an order', () => {
  it('is told when what leaves, and again when that changes, with what it was promised upon', async () => {
    await stock(2);
    await announce('PO', 3, 5);
    const orderId = await submit([{ sku, quantity: 5 }]);
    await hub.settle();
    const told = () => {
      const { state } = systems.crm.states.get(`order_status dated/${name()}`)!;
      return (state as { lines: object[] }).lines;
    };
    const supply = (days: number) => ({
      ...{ quantity: 3, at: shipsAt(Date.parse(inDays(days))), location: 'north', reason: 'supply' },
    });
    const lies = { quantity: 2, at: await today(), location: 'north', reason: 'stock' };
    expect(told()).toMatchObject([{ lineNo: 1, promised: [lies, supply(5)], promisedUpon: 'accepted' }]);
    await announce('PO', 3, 9);
    await settled();
    await followPromises(hub.db, hub.deps);
    await hub.settle();
    expect(told()).toMatchObject([{ lineNo: 1, promised: [lies, supply(9)], promisedUpon: 'supply_changed' }]);
    // Another supply is announced that comes sooner: it is promised that without anybody asking, and of what is withdrawn nothing is left.
    await announce('PO2', 2, 7);
    await settled();
    expect(await followReruns(hub.db, hub.deps, 'free')).toMatchObject({ changed: 1 });
    await hub.settle();
    const two = { ...supply(7), quantity: 2 };
    expect(told()).toMatchObject([
      { lineNo: 1, promised: [lies, two, { ...supply(9), quantity: 1 }], promisedUpon: 'reassigned' },
    ]);
    await announce('PO2', 0, 7);
    await settled();
    await followPromises(hub.db, hub.deps);
    expect(await followReruns(hub.db, hub.deps, 'free')).toMatchObject({ changed: 1 });
    await hub.settle();
    expect(told()).toMatchObject([{ lineNo: 1, promised: [lies, supply(9)], promisedUpon: 'reassigned' }]);
    // It moved from one to the other in one step.
    expect(await changes(orderId)).toEqual([
      ['1 supply_changed'],
      ['1 reassigned'],
      ['1 supply_changed'],
      ['1 reassigned'],
    ]);
    // Of a channel that promises nothing there is nothing to say.
    await stock(1, 'west');
    await hub.receive('api', [order('plain', `W${sku}`, [{ sku, quantity: 1 }])]);
    await hub.settle();
    const { state } = systems.crm.states.get(`order_status plain/W${sku}`)!;
    expect((state as { lines: object[] }).lines[0]).not.toHaveProperty('promised');
  });
});

it('a line that waits for nothing is promised what is announced then, within its channel’s days, once, and told as a change', async () => {
  const orderId = await submit([{ sku, quantity: 3 }]);
  expect(await promised(orderId)).toEqual(['1: 3 no_supply null null']);
  await announce('PO', 2, 5);
  await announce('FAR', 9, 90);
  await settled();
  const follow = () => followReruns(hub.db, hub.deps, 'free');
  const [one, other] = await Promise.all([follow(), follow()]);
  expect(one.changed + other.changed).toBe(1);
  const date = (days: number) => shipsAt(Date.parse(inDays(days)));
  expect(await promised(orderId)).toEqual([`1: 2 supply north ${date(5)}`, '1: 1 no_supply null null']);
  // What is too far away is promised as soon as it isn't any more, though nobody tells of that.
  expect(await sweepReruns(hub.db, hub.deps)).toBe(0);
  await database.pool.query('update supply set due_at = $2 where source_id = $1', [`${sku} FAR`, inDays(30)]);
  expect(await sweepReruns(hub.db, hub.deps)).toBe(1);
  expect(await sweepReruns(hub.db, hub.deps)).toBe(0);
  expect(await promised(orderId)).toEqual([`1: 2 supply north ${date(5)}`, `1: 1 supply north ${date(30)}`]);
  expect(await changes(orderId)).toEqual([['1 reassigned'], ['1 reassigned']]);
});

it('an estate that promises no more keeps no facts for the reader of its promises', async () => {
  await followPromises(hub.db, hub.deps);
  await followReruns(hub.db, hub.deps, 'free');
  const cursors = async () =>
    (await database.pool.query("select 1 from log_cursor where consumer in ('promises', 'reruns')")).rows.length;
  expect(await cursors()).toBe(2);
  const after = await SmallHub.open({ url: database.url });
  try {
    await followPromises(after.db, after.deps);
    await followReruns(after.db, after.deps, 'free');
    expect(await cursors()).toBe(0);
  } finally {
    await after.close();
  }
});

/** What the log shows of other test files' transactions is waited for. */
async function settled(): Promise<void> {
  await hub.plan();
}

describe('what happens to an order on its way', () => {
  const change = (lines: OrderChangeRequested['lines'], reference: string) =>
    hub.receive('shop', [
      {
        ...changeItem({
          ...{ kind: 'order.change_requested', channel: 'dated', order: name(), reference },
          ...{ occurredAt: new Date().toISOString(), lines },
        }),
        itemNo: 0,
      },
    ]);

  it('units that were not found are promised from where they come now, and units that are added from where they lie', async () => {
    await stock(5);
    await stock(4, 'south');
    const orderId = await submit([{ sku, quantity: 5 }]);
    await hub.settle();
    const asked = systems.wms.of('fulfilment').at(-1)!;
    const command = {
      kind: 'fulfilment.short_picked' as const,
      ...{ fulfilment: asked.reference, reason: 'empty bin', occurredAt: new Date().toISOString() },
      lines: [{ lineNo: 1, sku, quantity: 2 }],
    };
    await hub.receive('wms', [item('short_picked/wms', `${sku} short`, command)]);
    expect(await promised(orderId)).toEqual([`1: 3 stock north ${await today()}`, `1: 2 stock south ${await today()}`]);
    expect(await changes(orderId)).toEqual([['1 stock_lost']]);
    await hub.settle();
    expect(await change([{ lineNo: 1, quantity: 8 }], `${sku} up`)).toMatchObject([{ status: 'applied' }]);
    const [, , ...added] = await promised(orderId);
    expect(added).toEqual([`100001: 2 stock south ${await today()}`, '100001: 1 no_supply null null']);
    const causes = (await rows(orderId)).filter((row) => row.line_no === 100_001).map((row) => row.cause);
    expect(causes).toEqual(['added', 'added']);
  });
});
