/** What is kept for some is promised to no others, caps hold, and what orders hold is counted, whatever becomes of them. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { orderState, violations } from '../../test/helpers/promises.ts';
import {
  cancel,
  changed,
  memorySystems,
  moved,
  order,
  picked,
  SmallHub,
  shortPicked,
  smallEstate,
} from '../../test/helpers/small-hub.ts';
import { prepareNumbers, readAtp, reserveStock } from '../ledger/index.ts';
import { putAccounts } from '../master/index.ts';
import { checkPromises, pendingWork } from '../ops/index.ts';
import { Database } from '../store/index.ts';
import {
  checkPromise,
  followBackorders,
  putQuotas,
  type QuotaRecord,
  readQuotas,
  sweepBackorders,
  tellQuotaPeriods,
} from './index.ts';

const database = useDatabase();
let hub: SmallHub;
let keys = 0;
let sku = '';

const asks = { company: 'acme', sells: 'asks' as const, locations: ['north', 'south'] };
const estate = smallEstate({
  web: asks,
  edi: asks,
  far: { ...asks, locations: ['west'] },
  soon: { ...asks, horizonDays: 30 },
});

beforeEach(async () => {
  hub = await SmallHub.open({ url: database.url, estate });
  sku = `Q${++keys}`;
  await hub.seed([sku]);
  await putAccounts(hub.db, hub.directory, [
    { company: 'acme', account: 'NORTH1', name: 'N1', region: 'n' },
    { company: 'acme', account: 'NORTH2', name: 'N2', region: 'n' },
    { company: 'acme', account: 'SOUTH1', name: 'S1', region: 's' },
  ]);
});
afterEach(async () => {
  expect(await violations(database.pool)).toEqual({});
  expect((await checkPromises(hub.db)).I2.examples).toEqual([]);
  // Nothing of one test waits in the next.
  await hub.db.execute(
    'update order_line set cancelled = cancelled + backordered, backordered = 0 where backordered > 0',
  );
  await hub.close();
});

const period = { from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z' };
const put = (...quotas: (Partial<QuotaRecord> & { channel: string })[]) =>
  putQuotas(
    hub.db,
    hub.deps,
    quotas.map((quota) => ({ sku, ...period, ...quota })),
    'test',
  );
const arrive = (location: string, quantity: number) =>
  hub.receive('wms', [moved(`q${++keys}`, sku, location, quantity)]);
async function ordered(channel: string, quantity: number, more: object = {}, through = hub): Promise<string> {
  const no = `${channel}-${++keys}`;
  const results = await through.receive('api', [order(channel, no, [{ sku, quantity }], more)]);
  expect(results).toMatchObject([{ status: 'applied' }]);
  return no;
}
const lines = async (no: string) => (await orderState(database.pool, no.split('-')[0]!, no)).slice(1);
const channelOf = (code: string) => hub.directory.channels.get(code)!;
const atp = async (channel: string) =>
  (await readAtp(hub.db, channelOf(channel), [hub.sku(sku)], hub.directory)).get(hub.sku(sku))!.atp;
const used = async () => (await readQuotas(hub.db, hub.directory, { sku, all: true })).map((quota) => quota.used);
/** The number that a channel that sells by itself is told, set aside for it. */
async function told(channel: string): Promise<number | undefined> {
  const selling = { ...channelOf(channel), salesFeeds: ['orders'] };
  const { send } = await hub.db.transaction((tx) =>
    prepareNumbers(
      ...([tx, hub.deps, selling, [hub.sku(sku)]] as const),
      async () => new Map(),
      async (skuIds) => new Set(skuIds),
    ),
  );
  return send[0]?.quantity;
}
function announced(quantity: number) {
  const dueAt = new Date(Date.now() + 86_400_000).toISOString();
  const supply = `PO${++keys}`;
  const command = { kind: 'supply.announced' as const, supply, sku, location: 'north', quantity, dueAt };
  return hub.receive('wms', [
    {
      ...moved(supply, sku, 'north', 1),
      scope: 'supply/wms',
      command: { ...command, announcedAt: '2026-03-02T10:00:00.000Z' },
    },
  ]);
}
async function fulfilmentOf(no: string): Promise<string> {
  const { rows } = await database.pool.query(
    `insert into fulfilment (order_id, fulfilment_id, location_id, state)
     select order_id, fulfilment_id, location_id, 'released' from allocation join sales_order using (order_id) where external_no = $1
     returning fulfilment_id`,
    [no],
  );
  return `F${rows[0].fulfilment_id}`;
}

describe('what is ring-fenced', () => {
  it('is promised to nobody else, and in no number of others', async () => {
    await arrive('north', 6);
    await arrive('south', 4);
    await arrive('west', 3);
    await put({ channel: 'web', ringFenced: 7 });
    expect([await atp('web'), await atp('edi'), await atp('far')]).toEqual([10, 3, 3]);
    expect(await lines(await ordered('edi', 5))).toEqual(['1: 5 allocated 3 backordered 2']);
    expect(await lines(await ordered('far', 3))).toEqual(['1: 3 allocated 3']);
    expect(await lines(await ordered('web', 7))).toEqual(['1: 7 allocated 7']);
    expect(await used()).toEqual([7]);
  });

  it('is in no hold of others, which are whole once made, and no answer to what they would be promised', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', ringFenced: 7 });
    const hold = (channel: string, quantity: number, reservationId: number) => {
      const item = { channel: channelOf(channel), skuId: hub.sku(sku), quantity, locationId: null, partial: false };
      return hub.db.transaction((tx) =>
        reserveStock(tx, hub.deps, [{ ...item, reservationId, purpose: 'order', expiresSeconds: 900 }]),
      );
    };
    expect(await hold('edi', 4, 9_001)).toMatchObject([{ ok: false, atp: 3 }]);
    expect(await hold('edi', 2, 9_002)).toMatchObject([{ ok: true }]);
    await put({ channel: 'web', ringFenced: 10 });
    expect(await lines(await ordered('edi', 3, { reservations: ['9002'] }))).toEqual([
      '1: 3 allocated 2 backordered 1',
    ]);
    const question = { channel: channelOf('edi'), lines: [{ skuId: hub.sku(sku), quantity: 9 }] };
    const answer = await checkPromise(hub.db, hub.deps, question);
    expect(answer.lines[0]!.parts).toMatchObject([{ quantity: 9, reason: 'no_supply' }]);
    // Who is kept some of it is told so.
    await put({ channel: 'web', ringFenced: 5 }, { channel: 'edi', account: 'SOUTH1', ringFenced: 3 });
    const accountId = hub.directory.findAccountId(channelOf('edi').companyId, 'SOUTH1')!;
    const promised = async (of: object) =>
      (await checkPromise(hub.db, hub.deps, { ...question, ...of })).lines[0]!.parts.map(({ quantity }) => quantity);
    expect([await promised({ accountId }), await promised({})]).toEqual([[6, 3], [9]]);
  });

  it('is asked of holds too: two of them together exceed no cap, and the order that claims one gets it', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', cap: 5, ringFenced: 4 });
    const hold = (quantity: number, reservationId: number) => {
      const item = { channel: channelOf('web'), skuId: hub.sku(sku), quantity, locationId: null, partial: false };
      return hub.db.transaction((tx) =>
        reserveStock(tx, hub.deps, [{ ...item, reservationId, purpose: 'order', expiresSeconds: 900 }]),
      );
    };
    expect(await hold(3, 9_101)).toMatchObject([{ ok: true }]);
    expect(await hold(3, 9_102)).toMatchObject([{ ok: false, atp: 2 }]);
    // 4 are kept for it, of which it holds 3.
    expect([await atp('web'), await atp('edi')]).toEqual([2, 6]);
    expect(await lines(await ordered('web', 5))).toEqual(['1: 5 allocated 2 backordered 3']);
    expect(await lines(await ordered('web', 3, { reservations: ['9101'] }))).toEqual(['1: 3 allocated 3']);
    expect(await used()).toEqual([5]);
  });

  it('counts a hold that was made before it was put', async () => {
    await arrive('north', 10);
    const item = { channel: channelOf('web'), skuId: hub.sku(sku), quantity: 3, locationId: null, partial: false };
    await hub.db.transaction((tx) =>
      reserveStock(tx, hub.deps, [{ ...item, reservationId: 9_201, purpose: 'order', expiresSeconds: 900 }]),
    );
    await put({ channel: 'web', cap: 5 });
    expect(await atp('web')).toBe(2);
  });

  it('of an account or a region is for it alone, unless it lends', async () => {
    await arrive('north', 10);
    await put(
      { channel: 'web', region: 'n', ringFenced: 4 },
      { channel: 'web', region: 's', account: 'SOUTH1', ringFenced: 3 },
    );
    expect(await atp('web')).toBe(3);
    expect(await lines(await ordered('web', 9, { account: 'SOUTH1' }))).toEqual(['1: 9 allocated 6 backordered 3']);
    expect(await lines(await ordered('web', 9, { account: 'NORTH1' }))).toEqual(['1: 9 allocated 4 backordered 5']);
    expect(await used()).toEqual([4, 6]);
  });

  it('of an account lies within its region, whose other accounts get none of it', async () => {
    await arrive('north', 12);
    await put(
      { channel: 'web', ringFenced: 10, cap: 11 },
      { channel: 'web', region: 'n', ringFenced: 6 },
      { channel: 'web', account: 'NORTH1', ringFenced: 4 },
    );
    expect([await atp('edi'), await atp('web')]).toEqual([2, 6]);
    expect(await lines(await ordered('web', 9, { account: 'NORTH2' }))).toEqual(['1: 9 allocated 4 backordered 5']);
    expect(await lines(await ordered('web', 9, { account: 'NORTH1' }))).toEqual(['1: 9 allocated 6 backordered 3']);
    // 2 are left, of which the channel's cap leaves 1.
    expect(await lines(await ordered('web', 9, { account: 'SOUTH1' }))).toEqual(['1: 9 allocated 1 backordered 8']);
    expect(await used()).toEqual([11, 10, 6]);
  });

  it('in all more than there is is kept in proportion, so that somebody gets it', async () => {
    await arrive('north', 9);
    await put({ channel: 'web', ringFenced: 20 }, { channel: 'edi', ringFenced: 10 });
    expect([await atp('web'), await atp('edi'), await atp('soon')]).toEqual([6, 3, 0]);
    expect(await lines(await ordered('edi', 2))).toEqual(['1: 2 allocated 2']);
    expect(await lines(await ordered('web', 9))).toEqual(['1: 9 allocated 6 backordered 3']);
    expect(await lines(await ordered('edi', 9))).toEqual(['1: 9 allocated 1 backordered 8']);
    // What comes then is shared so as well: of 15 in all, 10 and 5.
    await arrive('north', 6);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(2);
    expect(await used()).toEqual([9, 5]);
    expect(await atp('web')).toBe(1);
  });

  it('is borrowed where both agree', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', ringFenced: 8, lend: true }, { channel: 'edi', borrow: true, cap: 9 });
    expect([await atp('soon'), await atp('edi')]).toEqual([2, 9]);
    expect(await lines(await ordered('edi', 12))).toEqual(['1: 12 allocated 9 backordered 3']);
    expect(await lines(await ordered('web', 3))).toEqual(['1: 3 allocated 1 backordered 2']);
  });

  it('is kept of dated supply where the shelf has too little; what an order holds of that counts', async () => {
    await arrive('north', 2);
    await put({ channel: 'web', ringFenced: 5 });
    await announced(10);
    expect(await atp('soon')).toBe(7);
    await put({ channel: 'soon', cap: 6 });
    expect(await atp('soon')).toBe(6);
    expect(await lines(await ordered('soon', 9))).toEqual(['1: 9 backordered 9']);
    expect(await used()).toEqual([0, 6]);
    expect(await atp('soon')).toBe(0);
    expect(await lines(await ordered('soon', 1))).toEqual(['1: 1 backordered 1']);
    expect(await used()).toEqual([0, 6]);
  });

  it('is in no number of a channel that sells by itself, whose cap its number keeps; what is set aside for it is kept', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', ringFenced: 4 }, { channel: 'shop', cap: 5, ringFenced: 3 });
    expect(await atp('edi')).toBe(3);
    expect(await told('marketplace')).toBe(3);
    expect(await told('shop')).toBe(3);
    expect(await atp('edi')).toBe(0);
    expect(await lines(await ordered('web', 4))).toEqual(['1: 4 allocated 4']);
    await arrive('north', 10);
    expect(await told('shop')).toBe(5);
  });
});

describe('what is used', () => {
  it('is what open orders and picks hold: given back once, by a cancel, and not by a pick', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', cap: 6 });
    const first = await ordered('web', 4);
    const second = await ordered('web', 4);
    expect(await lines(second)).toEqual(['1: 4 allocated 2 backordered 2']);
    expect(await used()).toEqual([6]);
    for (let i = 0; i < 2; i++) await hub.receive('api', [cancel('web', first, 1, 3, 'C1', sku)]);
    expect(await used()).toEqual([3]);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(1);
    expect(await lines(second)).toEqual(['1: 4 allocated 4']);
    expect(await used()).toEqual([5]);
    const pick = [{ lineNo: 1, sku, quantity: 1 }];
    await hub.receive('wms', [picked(`qp${++keys}`, await fulfilmentOf(first), pick)]);
    expect(await used()).toEqual([5]);
  });

  it('falls by what a WMS could not find', async () => {
    const systems = memorySystems();
    const whole = await SmallHub.open({ url: database.url, estate, connectors: systems });
    await arrive('north', 3);
    await put({ channel: 'web', cap: 6 });
    const no = await ordered('web', 3, {}, whole);
    expect(await used()).toEqual([3]);
    await whole.settle();
    const asked = systems.wms
      .of('fulfilment')
      .find(({ payload }) => (payload as { order: string }).order === `web/${no}`)!;
    const short = shortPicked(
      `qs${++keys}`,
      asked.reference,
      [{ lineNo: 1, sku, quantity: 2 }],
      new Date().toISOString(),
    );
    expect(await whole.receive('wms', [short])).toMatchObject([{ status: 'applied' }]);
    expect(await lines(no)).toEqual(['1: 3 allocated 1 backordered 2']);
    expect(await used()).toEqual([1]);
    await whole.leases.stop();
    await whole.close();
  });

  it('holds what was promised before it was put, and moves with its period', async () => {
    await arrive('north', 10);
    await ordered('web', 4);
    expect(await put({ channel: 'web', cap: 6 })).toBe(1);
    expect(await put({ channel: 'web', cap: 6 })).toBe(0);
    expect(await used()).toEqual([4]);
    expect(await lines(await ordered('web', 4))).toEqual(['1: 4 allocated 2 backordered 2']);
    await put({ channel: 'web', cap: 6, to: '2021-01-01T00:00:00Z' });
    expect(await used()).toEqual([0]);
    // Its period is over: nothing limits what waits.
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(1);
    expect(await atp('web')).toBe(2);
  });

  it('of an order that comes late is of the period that it was ordered in', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', cap: 3, to: '2021-01-01T00:00:00Z' });
    expect(await lines(await ordered('web', 4, { orderedAt: '2020-12-31T23:59:00Z' }))).toEqual([
      '1: 4 allocated 3 backordered 1',
    ]);
    expect(await lines(await ordered('web', 4))).toEqual(['1: 4 allocated 4']);
    expect(await used()).toEqual([3]);
    // It waits for its own period's cap, which is no work that anybody could do.
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
    expect((await pendingWork(hub.db)).servable).toBe(0);
  });

  it('leaves to those who wait what is kept no longer', async () => {
    await arrive('north', 5);
    await put({ channel: 'web', ringFenced: 5 });
    const no = await ordered('edi', 2);
    expect(await lines(no)).toEqual(['1: 2 backordered 2']);
    expect(await sweepBackorders(hub.db, hub.deps)).toBe(0);
    await followBackorders(hub.db, hub.deps);
    await put({ channel: 'web', ringFenced: 0 });
    // The log is read up to the oldest transaction that is open anywhere.
    await expect
      .poll(async () => (await followBackorders(hub.db, hub.deps)).served, { timeout: 10_000, interval: 50 })
      .toBe(1);
    expect(await lines(no)).toEqual(['1: 2 allocated 2']);
  });

  it('keeps nobody waiting who stands behind many that it keeps waiting', async () => {
    await arrive('north', 6);
    await put({ channel: 'web', ringFenced: 4 }, { channel: 'soon', cap: 0 });
    for (let i = 0; i < 6; i++) await ordered(i % 2 === 0 ? 'edi' : 'soon', 3);
    expect(await used()).toEqual([0, 0]);
    const last = await ordered('web', 8);
    expect(await lines(last)).toEqual(['1: 8 allocated 4 backordered 4']);
    await arrive('north', 4);
    await put({ channel: 'web', ringFenced: 8 });
    // Two lines at once, and all but the last one wait on.
    expect(await sweepBackorders(hub.db, hub.deps, 200, 2)).toBe(1);
    expect(await lines(last)).toEqual(['1: 8 allocated 8']);
  });

  it('is what a change of an order adds too, within its caps, and falls with what it takes away', async () => {
    await arrive('north', 10);
    await put({ channel: 'web', cap: 6 });
    const no = await ordered('web', 4);
    const change = (quantity: number) => hub.receive('api', [changed('web', no, `ch${++keys}`, [[1, quantity]])]);
    await change(9);
    expect(await lines(no)).toEqual(['1: 4 allocated 4', '100001: 5 allocated 2 backordered 3']);
    expect(await used()).toEqual([6]);
    await change(3);
    expect(await used()).toEqual([3]);
  });

  it('begins and ends with its period, and the log tells of it once', async () => {
    await arrive('north', 5);
    const [soon, later] = [new Date(Date.now() + 600), new Date(Date.now() + 1_200)];
    await put({ channel: 'web', ringFenced: 5, from: soon.toISOString(), to: later.toISOString() });
    const changes = async () =>
      (
        await database.pool.query(
          `select data->>'by' as by from fact where type = 'quota.changed' and data::jsonb->'skuIds' @> $1::jsonb order by recorded_at`,
          [JSON.stringify([hub.sku(sku)])],
        )
      ).rows.map((row) => row.by);
    const told = () => tellQuotaPeriods(hub.db, hub.directory);
    expect([await told(), await atp('edi')]).toEqual([0, 5]);
    await expect.poll(told, { timeout: 10_000, interval: 50 }).toBe(1);
    expect(await told()).toBe(0);
    const no = await ordered('edi', 2);
    await expect.poll(told, { timeout: 10_000, interval: 50 }).toBe(1);
    expect(await changes()).toEqual(['test', 'crossdock', 'crossdock']);
    await expect
      .poll(async () => (await followBackorders(hub.db, hub.deps)).served, { timeout: 10_000, interval: 50 })
      .toBe(1);
    expect(await lines(no)).toEqual(['1: 2 allocated 2']);
  });

  it('that is counted wrong breaks a promise', async () => {
    await arrive('north', 5);
    await put({ channel: 'web', cap: 5 });
    await ordered('web', 2);
    const add = (units: number) => hub.db.execute(`update quota_use set units = units + ${units}`);
    await add(1);
    expect((await checkPromises(hub.db)).I2.examples).not.toEqual([]);
    await add(-1);
  });
});

describe('a race', () => {
  it('of two processes for the last unit of a quota is won by one', async () => {
    await arrive('north', 5);
    await put({ channel: 'web', cap: 1 });
    const dbs = [0, 1].map(() => new Database({ url: database.url, poolMax: 4 }));
    const hubs = await Promise.all(dbs.map((db) => SmallHub.open({ url: database.url, estate, db })));
    let arrived = 0;
    let go = () => {};
    const met = new Promise<void>((resolve) => {
      go = resolve;
    });
    // Both have decided before either commits, or the second waits for the first.
    for (const db of dbs)
      db.beforeCommit = async () => {
        if (++arrived === 2) go();
        await Promise.race([met, new Promise((resolve) => setTimeout(resolve, 300))]);
      };
    const nos = await Promise.all(hubs.map((one) => ordered('web', 1, {}, one)));
    expect((await Promise.all(nos.map(lines))).flat().sort()).toEqual(['1: 1 allocated 1', '1: 1 backordered 1']);
    expect(await used()).toEqual([1]);
    for (const one of hubs) await one.close();
  });

  it('of many orders through two processes exceeds no cap, and takes nothing that is kept', async () => {
    await arrive('north', 20);
    await put({ channel: 'web', cap: 12, ringFenced: 6 }, { channel: 'edi', ringFenced: 5, cap: 9 });
    const other = await SmallHub.open({ url: database.url, estate });
    const channels = ['web', 'edi', 'soon'];
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => ordered(channels[i % 3]!, 1, {}, i % 2 === 0 ? hub : other)),
    );
    const [web, edi] = await used();
    expect(web).toBeGreaterThanOrEqual(6);
    expect(web).toBeLessThanOrEqual(12);
    expect(edi).toBeGreaterThanOrEqual(5);
    expect(edi).toBeLessThanOrEqual(9);
    await other.close();
  });
});

describe('a bad quota', () => {
  it.each([
    [{ channel: 'nobody', cap: 1 }, 'XD_UNKNOWN_CHANNEL'],
    [{ channel: 'web', cap: 1, sku: 'NONE' }, 'XD_UNKNOWN_SKU'],
    [{ channel: 'web', cap: 1, account: 'NONE' }, 'XD_UNKNOWN_ACCOUNT'],
    [{ channel: 'web', cap: 1, ringFenced: 2 }, 'XD_VALUE_INVALID'],
    [{ channel: 'web' }, 'XD_VALUE_INVALID'],
    [{ channel: 'web', cap: -1 }, 'XD_VALUE_INVALID'],
    [{ channel: 'web', cap: 1, to: '2019-01-01T00:00:00Z' }, 'XD_VALUE_INVALID'],
    [{ channel: 'web', cap: 1, region: 'NONE' }, 'XD_UNKNOWN_REGION'],
    [{ channel: 'web', cap: 1, region: 'n', account: 'SOUTH1' }, 'XD_VALUE_INVALID'],
  ])('%j is refused as %s', async (quota, code) => {
    await expect(put(quota)).rejects.toMatchObject({ code });
  });

  it('that doesn’t fit into the one above it is refused with its place and rule, whichever of them is put', async () => {
    const refused = (place: string, rule: string) => ({ code: 'XD_QUOTA_OVER_PARENT', details: { place, rule } });
    await put({ channel: 'web', ringFenced: 5, cap: 8 });
    await expect(put({ channel: 'edi', cap: 1 }, { channel: 'web', region: 'n', cap: 9 })).rejects.toMatchObject(
      refused('quotas[1].cap', 'cap_over_cap'),
    );
    expect(await readQuotas(hub.db, hub.directory, { sku, channelId: channelOf('edi').channelId })).toEqual([]);
    await put({ channel: 'web', region: 'n', ringFenced: 3 });
    await expect(put({ channel: 'web', account: 'SOUTH1', ringFenced: 3 })).rejects.toMatchObject(
      refused('quotas[0].ringFenced', 'kept_over_kept'),
    );
    await put({ channel: 'web', account: 'SOUTH1', ringFenced: 2 });
    // South is no part of it any more, and north keeps more than it may have.
    await expect(put({ channel: 'web', account: 'NORTH1', ringFenced: 4 })).rejects.toMatchObject(
      refused('quotas[0].ringFenced', 'kept_over_kept'),
    );
    await expect(put({ channel: 'web', cap: 4 })).rejects.toMatchObject(
      refused('quotas[0].ringFenced', 'kept_over_cap'),
    );
    // Both at once do.
    expect(await put({ channel: 'web', ringFenced: 2, cap: 4 }, { channel: 'web', region: 'n', ringFenced: 0 })).toBe(
      2,
    );
  });

  it('that overlaps another one of its node is refused, there or in one file', async () => {
    await put({ channel: 'web', cap: 5 });
    const second = { channel: 'web', cap: 5, from: '2021-01-01T00:00:00Z' };
    await expect(put(second)).rejects.toMatchObject({ code: 'XD_QUOTA_OVERLAP' });
    await expect(put({ channel: 'edi', cap: 5 }, { ...second, channel: 'edi' })).rejects.toMatchObject({
      code: 'XD_QUOTA_OVERLAP',
    });
    expect(await put({ ...second, region: 'n' })).toBe(1);
  });
});
