/** From where orders are served: ranked by distance, cost or priority, split over so many places and no more, and asked before they come. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderSubmitted } from '../src/canonical/index.ts';
import { supplyItem } from '../src/connectors/kit/index.ts';
import { Directory, readDeclared } from '../src/master/index.ts';
import { checkPromise, processOrders, readOrders, sweepBackorders } from '../src/orders/index.ts';
import { databaseNow } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const LONDON = { latitude: 51.5, longitude: -0.1 };
const GLASGOW = { latitude: 55.9, longitude: -4.3 };
const CARDIFF = { latitude: 51.5, longitude: -3.2 };
const asks = { company: 'acme', sells: 'asks', locations: ['north', 'south', 'west'] } as const;
const estate = smallEstate({
  near: { ...asks, locations: [...asks.locations], sourcing: { rank: ['distance', 'cost'] } },
  cheap: { ...asks, locations: [...asks.locations], sourcing: { rank: ['cost'] }, horizonDays: 30 },
  one: { ...asks, locations: [...asks.locations], sourcing: { splitMax: 1 }, horizonDays: 30 },
  lines: { ...asks, locations: [...asks.locations], sourcing: { lineSplitMax: 1 } },
});
estate.calendars = {
  day: { timeZone: 'Europe/London', workingDays: ['mon', 'tue', 'wed', 'thu', 'fri'], cutOff: '14:00' },
};
Object.assign(estate.locations.north!, { position: GLASGOW, costMinor: 300, calendar: 'day' });
Object.assign(estate.locations.south!, { position: LONDON, costMinor: 200, calendar: 'day', receivingDays: 1 });
Object.assign(estate.locations.west!, { position: CARDIFF, costMinor: 100 });
estate.postalAreas = { GB: { G: GLASGOW, CF: CARDIFF, '*': LONDON } };
let hub: SmallHub;
let skus = 0;
let orders = 0;
const fresh = () => `T${skus++}`;

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate });
  await hub.seed(Array.from({ length: 40 }, (_, n) => `T${n}`));
});
afterAll(() => hub.close());

const stock = (sku: string, at: Partial<Record<'north' | 'south' | 'west', number>>) =>
  hub.receive(
    'wms',
    Object.entries(at).map(([location, quantity]) => moved(`${sku} ${location} ${orders++}`, sku, location, quantity)),
  );
async function submit(
  channel: string,
  lines: { sku: string; quantity: number }[],
  rest: Partial<OrderSubmitted> = {},
): Promise<number> {
  const [result] = await hub.receive('api', [order(channel, `N${orders++}`, lines, rest)]);
  expect(result).toMatchObject({ status: 'applied' });
  return (result as { orderId: number }).orderId;
}
/** `1: north 4, south 2; waits 3` */
async function served(orderId: number): Promise<string[]> {
  const found = (await readOrders(hub.db, [orderId])).get(orderId)!;
  return [...found.lines.values()].map(({ lineNo, backordered }) => {
    const parts = [...found.allocations.values()]
      .filter((part) => part.lineNo === lineNo)
      .map((part) => `${hub.directory.locationById.get(part.locationId)!.code} ${part.quantity}`);
    return `${lineNo}: ${parts.join(', ')}${backordered > 0 ? `; waits ${backordered}` : ''}`;
  });
}

describe('places are ranked', () => {
  it('by distance to where the order goes: a position, a postal code, or nothing known and then by what comes next', async () => {
    const sku = fresh();
    await stock(sku, { north: 20, south: 20, west: 20 });
    const line = [{ sku, quantity: 2 }];
    const bristol = { position: { latitude: 51.45, longitude: -2.6 } };
    expect(await served(await submit('near', line, { shipTo: bristol }))).toEqual(['1: west 2']);
    expect(await served(await submit('near', line, { shipTo: { country: 'GB', postalCode: 'g1 1aa' } }))).toEqual([
      '1: north 2',
    ]);
    expect(await served(await submit('near', line, { shipTo: { country: 'GB', postalCode: 'SW1' } }))).toEqual([
      '1: south 2',
    ]);
    // Of France nothing is known, of the second order nothing is said: by cost.
    expect(await served(await submit('near', line, { shipTo: { country: 'FR', postalCode: '75001' } }))).toEqual([
      '1: west 2',
    ]);
    expect(await served(await submit('near', line))).toEqual(['1: west 2']);
    // As before where nothing is declared.
    expect(await served(await submit('api', line, { shipTo: bristol }))).toEqual(['1: north 2']);
  });

  it('a position that is none is refused with its place, and nothing is taken', async () => {
    const sku = fresh();
    await stock(sku, { north: 1 });
    const shipTo = { position: { latitude: 91, longitude: 0 } };
    const [result] = await hub.receive('api', [order('near', 'BAD', [{ sku, quantity: 1 }], { shipTo })]);
    expect(result).toMatchObject({ status: 'refused', code: 'XD_VALUE_INVALID', place: 'shipTo.position.latitude' });
    expect(await served(await submit('near', [{ sku, quantity: 1 }]))).toEqual(['1: north 1']);
  });

  it('a line that no place has alone comes from as few as can, the best ranked of those', async () => {
    const sku = fresh();
    await stock(sku, { north: 9, south: 3, west: 4 });
    expect(await served(await submit('cheap', [{ sku, quantity: 12 }]))).toEqual(['1: west 4, north 8']);
  });

  it('what waits is served from the nearest, too: where it goes is kept with the order', async () => {
    const sku = fresh();
    const shipTo = { country: 'GB', postalCode: 'CF10' };
    const orderId = await submit('near', [{ sku, quantity: 5 }], { shipTo });
    await stock(sku, { north: 9, west: 9 });
    expect(await hub.backorders([sku])).toBe(1);
    expect(await served(orderId)).toEqual(['1: west 5']);
  });

  it('two lines of one order that share a SKU never get the same unit', async () => {
    const sku = fresh();
    await stock(sku, { north: 3, west: 4 });
    const orderId = await submit('cheap', [
      { sku, quantity: 4 },
      { sku, quantity: 4 },
    ]);
    expect(await served(orderId)).toEqual(['1: west 4', '2: north 3; waits 1']);
    expect(await violations(database.pool)).toEqual({});
  });
});

describe('a split limit', () => {
  it('chooses the place that has most of the whole order, and what it lacks waits for it', async () => {
    const [a, b] = [fresh(), fresh()];
    await stock(a, { north: 5, south: 9 });
    await stock(b, { south: 2, west: 9 });
    const orderId = await submit('one', [
      { sku: a, quantity: 6 },
      { sku: b, quantity: 4 },
    ]);
    expect(await served(orderId)).toEqual(['1: south 6', '2: south 2; waits 2']);
    // There is some elsewhere, and the order may not have it.
    expect(await hub.backorders([a, b])).toBe(0);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
    await stock(b, { south: 1 });
    expect(await hub.backorders([b])).toBe(1);
    expect(await served(orderId)).toEqual(['1: south 6', '2: south 2, south 1; waits 1']);
    expect(await violations(database.pool)).toEqual({});
  });

  it('keeps nobody behind it waiting', async () => {
    const sku = fresh();
    await stock(sku, { south: 1 });
    const first = await submit('one', [{ sku, quantity: 3 }]);
    const second = await submit('api', [{ sku, quantity: 2 }]);
    await stock(sku, { north: 2 });
    // A page of one line: what stands first can't have it.
    expect(await sweepBackorders(hub.db, hub.deps, 200, 1)).toBe(1);
    expect(await served(first)).toEqual(['1: south 1; waits 2']);
    expect(await served(second)).toEqual(['1: north 2']);
  });

  it('of a line counts for that line alone', async () => {
    const [a, b] = [fresh(), fresh()];
    await stock(a, { north: 5, south: 9 });
    await stock(b, { west: 9, north: 1 });
    const orderId = await submit('lines', [
      { sku: a, quantity: 14 },
      { sku: b, quantity: 4 },
    ]);
    expect(await served(orderId)).toEqual(['1: south 9; waits 5', '2: west 4']);
    expect(await hub.backorders([a])).toBe(0);
  });

  it('holds for what is still to come as well', async () => {
    const sku = fresh();
    await stock(sku, { south: 1 });
    const day = 86_400_000;
    for (const [supply, location, days] of [
      ['PO1', 'north', 2],
      ['PO2', 'south', 5],
    ] as const)
      await hub.receive('erp', [
        {
          ...supplyItem('erp', {
            ...{ kind: 'supply.announced', supply: `${sku} ${supply}`, sku, location, quantity: 5 },
            ...{ dueAt: new Date(Date.now() + days * day).toISOString(), announcedAt: new Date().toISOString() },
          }),
          itemNo: 0,
        },
      ]);
    const orderId = await submit('one', [{ sku, quantity: 4 }]);
    const { rows } = await database.pool.query(
      'select s.source_id, c.quantity from supply_commitment c join supply s using (supply_id) where c.order_id = $1',
      [orderId],
    );
    expect(rows).toEqual([{ source_id: `${sku} PO2`, quantity: 3 }]);
  });
});

describe('asked before it comes', () => {
  it('an order is promised what it then gets, and nothing is taken by the question', async () => {
    const [a, b] = [fresh(), fresh()];
    await stock(a, { north: 3, south: 2, west: 1 });
    await stock(b, { south: 4 });
    const lines = [
      { sku: a, quantity: 4 },
      { sku: b, quantity: 3 },
      { sku: b, quantity: 3 },
    ];
    const channel = hub.directory.channels.get('cheap')!;
    const ask = async () =>
      checkPromise(hub.db, hub.deps, {
        channel,
        lines: lines.map(({ sku, quantity }) => ({ skuId: hub.sku(sku), quantity })),
      });
    const before = await ask();
    expect((await ask()).lines).toEqual(before.lines);
    const code = (id: number | null) => (id === null ? 'nowhere' : hub.directory.locationById.get(id)!.code);
    expect(
      before.lines.map(({ parts }) => parts.map((part) => `${code(part.locationId)} ${part.quantity} ${part.reason}`)),
    ).toEqual([['north 3 stock', 'west 1 no_calendar'], ['south 3 stock'], ['south 1 stock', 'nowhere 2 no_supply']]);
    expect(await served(await submit('cheap', lines))).toEqual([
      '1: west 1, north 3',
      '2: south 3',
      '3: south 1; waits 2',
    ]);
  });

  it('what lies there leaves at the next cut-off, what is to come after it was put away, and nothing before it is wanted', async () => {
    const sku = fresh();
    await stock(sku, { south: 1 });
    const now = (await databaseNow(hub.db)).getTime();
    const dueAt = new Date(now + 10 * 86_400_000).toISOString();
    await hub.receive('erp', [
      {
        ...supplyItem('erp', {
          ...{ kind: 'supply.announced', supply: `${sku} PO`, sku, location: 'south', quantity: 5, dueAt },
          announcedAt: new Date().toISOString(),
        }),
        itemNo: 0,
      },
    ]);
    const { calendar } = hub.directory.locations.get('south')!;
    const channel = hub.directory.channels.get('cheap')!;
    const lines = [{ skuId: hub.sku(sku), quantity: 3 }];
    const answer = await checkPromise(hub.db, hub.deps, { channel, lines });
    const at = (ms: number) => new Date(calendar!.nextShip(ms)).toISOString();
    const put = calendar!.afterWorkingDays(Date.parse(dueAt), 1);
    const dates = (of: typeof answer) => of.lines[0]!.parts.map((part) => [part.quantity, part.at, part.reason]);
    expect(dates(answer)).toEqual([
      [1, at(answer.asOf.getTime()), 'stock'],
      [2, at(put), 'supply'],
    ]);
    const requestedAt = new Date(now + 40 * 86_400_000).toISOString();
    const later = await checkPromise(hub.db, hub.deps, { channel, lines, terms: { requestedAt } });
    expect(dates(later).map(([, date]) => date)).toEqual([at(Date.parse(requestedAt)), at(Date.parse(requestedAt))]);
    const whole = await checkPromise(hub.db, hub.deps, { channel, lines, terms: { shipComplete: true } });
    expect(dates(whole).map(([, date]) => date)).toEqual([at(put), at(put)]);
  });
});

it('what was declared is read back as it was, for commands without an estate file', async () => {
  const again = await Directory.open(hub.db, await readDeclared(hub.db));
  for (const code of ['near', 'cheap', 'one', 'api']) {
    const { sourcing, promisedBy } = again.channels.get(code)!;
    expect({ sourcing, promisedBy }).toEqual({
      sourcing: hub.directory.channels.get(code)!.sourcing,
      promisedBy: hub.directory.channels.get(code)!.promisedBy,
    });
  }
  const instant = Date.parse('2026-07-03T15:00:00Z');
  expect(again.locations.get('south')!.calendar!.nextShip(instant)).toBe(Date.parse('2026-07-06T13:00:00Z'));
  expect(again.locations.get('west')!.calendar).toBeNull();
});

describe('an order that leaves only whole', () => {
  const handed = async (orderId: number) =>
    (await database.pool.query('select count(*)::int as n from fulfilment where order_id = $1', [orderId])).rows[0].n;
  const confirm = (orderId: number) =>
    hub.db.transaction(async (tx) => {
      const command = { kind: 'confirm', erpNumber: `SO${orderId}` } as const;
      const work = { reference: { orderId }, command, occurredAt: new Date().toISOString() };
      const batch = await processOrders(tx, hub.deps, [work]);
      await batch.finish();
    });

  it('waits until all of it is there, and then goes to the WMS at once; nobody else gets what it has', async () => {
    const [a, b] = [fresh(), fresh()];
    await stock(a, { north: 3 });
    await stock(b, { north: 2 });
    const lines = [
      { sku: a, quantity: 3 },
      { sku: b, quantity: 4 },
    ];
    const orderId = await submit('api', lines, { shipComplete: true });
    await confirm(orderId);
    expect(await handed(orderId)).toBe(0);
    expect(await served(await submit('api', [{ sku: a, quantity: 1 }]))).toEqual(['1: ; waits 1']);
    // Lines that nothing happens to are read as well: the first of them has what it wants.
    await stock(b, { north: 2 });
    expect(await hub.backorders([b])).toBe(1);
    expect(await handed(orderId)).toBe(1);
    const { rows } = await database.pool.query('select distinct fulfilment_id from allocation where order_id = $1', [
      orderId,
    ]);
    expect(rows).toHaveLength(1);
    expect(await violations(database.pool)).toEqual({});
  });

  it('also where its account or its channel says so, unless the order says otherwise', async () => {
    const sku = fresh();
    await stock(sku, { north: 1 });
    await database.pool.query("update account set ship_complete = true where code = 'A1'");
    const wholes = [await submit('api', [{ sku, quantity: 2 }])];
    const parts = await submit('cheap', [{ sku, quantity: 2 }], { shipComplete: false });
    await database.pool.query("update account set ship_complete = false where code = 'A1'");
    const later = await submit('api', [{ sku, quantity: 2 }]);
    const { rows } = await database.pool.query(
      'select ship_complete from sales_order where order_id = any($1) order by order_id',
      [[...wholes, parts, later]],
    );
    expect(rows.map((row) => row.ship_complete)).toEqual([true, false, false]);
  });
});
