/** Dated supply from its announcement to the shelf: promised once, never as reserved or allocated, never to a channel that sells by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { supplyItem } from '../src/connectors/kit/index.ts';
import { readAtp } from '../src/ledger/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { cancel, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const asks = (locations: string[], horizonDays: number) =>
  ({ company: 'acme', sells: 'asks', locations, horizonDays }) as const;
const estate = smallEstate({
  far: asks(['north', 'south', 'west'], 30),
  near: asks(['north', 'south'], 7),
  strict: { ...asks(['north'], 30), onShort: 'refuse', buffer: 2, cap: 9 },
});
// A horizon says nothing to a channel that sells by itself.
estate.channels.shop!.horizonDays = 30;
const hubs: SmallHub[] = [];
let skus = 0;
let sku = '';
const hub = () => hubs[0]!;

beforeAll(async () => {
  for (let i = 0; i < 2; i++) {
    hubs.push(await SmallHub.open({ url: database.url, estate }));
    await hubs[i]!.seed(Array.from({ length: 30 }, (_, n) => `D${n}`));
  }
});
afterAll(() => Promise.all(hubs.map((one) => one.close())));

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString();
const minute = (n: number) => new Date(Date.UTC(2026, 1, 1, 0, n)).toISOString();
function announced(id: string, quantity: number, days: number, at = 0, location = 'north', of = sku) {
  return {
    ...supplyItem('erp', {
      kind: 'supply.announced',
      supply: id,
      sku: of,
      location,
      quantity,
      dueAt: inDays(days),
      announcedAt: minute(at),
    }),
    itemNo: 0,
  };
}
const announce = async (...given: Parameters<typeof announced>) =>
  (await hub().receive('erp', [announced(...given)]))[0]!;
const ask = async (channel: string, number: string, quantity: number, through = hub()) =>
  (await through.receive('api', [order(channel, number, [{ sku, quantity }])]))[0]!;
const atp = async (channel: string) => {
  const id = hub().sku(sku);
  return (await readAtp(hub().db, hub().directory.channels.get(channel)!, [id], hub().directory)).get(id)!.atp;
};
/** `order line: quantity of supply`. */
const commitments = async () =>
  (
    await database.pool.query(
      `select o.external_no, c.quantity, s.source_id from supply_commitment c join supply s using (supply_id) join sku using (sku_id)
         join sales_order o using (order_id) where sku.code = $1 order by o.order_id, s.due_at`,
      [sku],
    )
  ).rows.map((row) => `${row.external_no}: ${row.quantity} of ${row.source_id}`);
const expectWhole = async () => {
  expect(await violations(database.pool)).toEqual({});
  const promises = await checkPromises(hub().db);
  for (const [name, promise] of Object.entries(promises)) expect(promise.examples, name).toEqual([]);
};
const fresh = () => {
  sku = `D${skus++}`;
};

describe('what is to come', () => {
  it('is promised to a channel that asks when it is due inside its horizon, and to none that sells by itself', async () => {
    fresh();
    await hub().receive('wms', [moved('p1', sku, 'north', 4)]);
    expect(await announce('PO1', 10, 5)).toMatchObject({ status: 'applied' });
    await announce('PO2', 20, 20, 0, 'south');
    expect([await atp('api'), await atp('near'), await atp('far'), await atp('shop')]).toEqual([4, 14, 34, 0]);
    // Buffer before, cap after.
    expect(await atp('strict')).toBe(9);
    const { rows } = await database.pool.query(
      `select sum(reserved + allocated + exposed)::int as held from stock_balance where sku_id = $1`,
      [hub().sku(sku)],
    );
    expect(rows[0].held).toBe(0);
    await expectWhole();
  });

  it('is replaced by a later announcement of its id, and not by an earlier one that comes late', async () => {
    fresh();
    await announce('PO1', 10, 5, 1);
    expect(await announce('PO1', 6, 10, 3)).toMatchObject({ status: 'applied' });
    expect([await atp('near'), await atp('far')]).toEqual([0, 6]);
    expect(await announce('PO1', 99, 5, 2)).toMatchObject({ status: 'duplicate', state: 's' });
    expect(await atp('far')).toBe(6);
    expect(await announce('PO1', 0, 10, 4)).toMatchObject({ status: 'applied' });
    expect(await atp('far')).toBe(0);
    await expectWhole();
  });

  it('has a key for ever: the same again does nothing, other content is set aside', async () => {
    fresh();
    const item = announced('PO1', 10, 5);
    await hub().receive('erp', [item]);
    expect((await hub().receive('erp', [item]))[0]).toMatchObject({ status: 'duplicate', state: 'a' });
    expect((await hub().receive('erp', [{ ...item, fingerprint: 'other' }]))[0]).toMatchObject({
      status: 'parked',
      class: 'key_conflict',
    });
    expect(await atp('far')).toBe(10);
  });

  it('is set aside when its SKU or location is not known, and comes in when it is', async () => {
    fresh();
    const results = await hub().receive('erp', [
      announced('PO1', 5, 5, 0, 'north', `LATE-${sku}`),
      announced('PO2', 5, 5, 0, 'moon'),
      announced('PO3', 5, 5),
      { ...announced('PO4', 5, 5, 1), command: { ...announced('PO4', 5, 5, 1).command!, dueAt: 'soon' } as never },
    ]);
    expect(results).toMatchObject([
      { status: 'parked', class: 'unknown_sku' },
      { status: 'parked', class: 'unknown_location' },
      { status: 'applied' },
      { status: 'parked', class: 'value_invalid' },
    ]);
    await hub().seed([`LATE-${sku}`]);
    const { rows } = await database.pool.query(`select parked_id from parked_record where class = 'unknown_sku'`);
    expect(await hub().receiver.replay(rows.map((row) => Number(row.parked_id)))).toMatchObject({ applied: 1 });
    sku = `LATE-${sku}`;
    expect(await atp('far')).toBe(5);
  });

  it('is less by what receipts bring of it, also before it is announced', async () => {
    fresh();
    await hub().receive('erp', [moved('r1', sku, 'north', 3, { supply: { id: 'PO1' } })]);
    await announce('PO1', 10, 5);
    expect([await atp('api'), await atp('far')]).toEqual([3, 10]);
    // The WMS names whose id it is; other places and other ids are other supplies.
    await hub().receive('wms', [
      moved('r2', sku, 'north', 4, { supply: { source: 'erp', id: 'PO1' } }),
      moved('r3', sku, 'south', 2, { supply: { source: 'erp', id: 'PO1' } }),
      moved('r4', sku, 'north', 1, { supply: { id: 'PO1' } }),
    ]);
    expect([await atp('api'), await atp('far')]).toEqual([10, 13]);
    await hub().receive('wms', [moved('r5', sku, 'north', 9, { supply: { source: 'erp', id: 'PO1' } })]);
    expect([await atp('api'), await atp('far')]).toEqual([19, 19]);
    await expectWhole();
  });
});

describe('an order that is short', () => {
  it('holds what is to come until it is served', async () => {
    fresh();
    await hub().receive('wms', [moved('s1', sku, 'south', 2)]);
    await announce('PO1', 10, 5);
    expect(await ask('far', 'S1', 8)).toMatchObject({
      events: [{ commitments: [{ lineNo: 1, quantity: 6 }], lines: [{ backordered: 6 }] }],
    });
    expect([await atp('far'), await atp('near')]).toEqual([4, 4]);
    expect(await commitments()).toEqual(['S1: 6 of PO1']);
    await expectWhole();
    // Half of it comes: what is still to come holds the rest of the promise.
    await hub().receive('erp', [moved('s2', sku, 'north', 5, { supply: { id: 'PO1' } })]);
    expect(await commitments()).toEqual(['S1: 5 of PO1']);
    await hub().backorders([sku]);
    expect(await commitments()).toEqual(['S1: 1 of PO1']);
    expect([await atp('api'), await atp('far')]).toEqual([0, 4]);
    await expectWhole();
    await hub().receive('erp', [moved('s3', sku, 'north', 5, { supply: { id: 'PO1' } })]);
    await hub().backorders([sku]);
    expect(await commitments()).toEqual([]);
    expect([await atp('api'), await atp('far')]).toEqual([4, 4]);
    await expectWhole();
  });

  it('gives what it holds back when it is cancelled, the latest first', async () => {
    fresh();
    await announce('PO1', 4, 5);
    await announce('PO2', 6, 10);
    await ask('far', 'C1', 9);
    expect(await commitments()).toEqual(['C1: 4 of PO1', 'C1: 5 of PO2']);
    await hub().receive('api', [cancel('far', 'C1', 1, 2, 'c-1')]);
    expect(await commitments()).toEqual(['C1: 4 of PO1', 'C1: 3 of PO2']);
    expect(await atp('far')).toBe(3);
    // In one batch with an order that wants it.
    const [, second] = await hub().receive('api', [
      cancel('far', 'C1', 1, 7, 'c-2'),
      order('far', 'C2', [{ sku, quantity: 10 }]),
    ]);
    expect(second).toMatchObject({ events: [{ commitments: [{ quantity: 4 }, { quantity: 6 }] }] });
    expect(await commitments()).toEqual(['C2: 4 of PO1', 'C2: 6 of PO2']);
    await expectWhole();
  });

  it('loses its promise to nobody, but to less being to come: the newest order first', async () => {
    fresh();
    await announce('PO1', 10, 5, 1);
    await ask('far', 'L1', 4);
    await ask('far', 'L2', 4);
    await announce('PO1', 6, 5, 2);
    expect(await commitments()).toEqual(['L1: 4 of PO1', 'L2: 2 of PO1']);
    const { rows } = await database.pool.query(
      `select f.data->'uncommitted' as uncommitted from fact f join supply s on f.stream = 'supply/' || s.supply_id
        where s.sku_id = $1 order by f.stream_version`,
      [hub().sku(sku)],
    );
    expect(rows.map((row) => row.uncommitted)).toMatchObject([[], [{ lineNo: 1, quantity: 2 }]]);
    // The two units of L2 wait without a promise, and come first all the same.
    await announce('PO1', 11, 5, 3);
    expect(await atp('far')).toBe(3);
    await announce('PO1', 0, 5, 4);
    expect(await commitments()).toEqual([]);
    await expectWhole();
  });

  it('is promised nothing that those who wait already will get', async () => {
    fresh();
    await ask('api', 'W1', 7);
    await announce('PO1', 10, 5);
    expect(await commitments()).toEqual([]);
    expect([await atp('api'), await atp('far')]).toEqual([0, 3]);
    await ask('far', 'W2', 5);
    expect(await commitments()).toEqual(['W2: 3 of PO1']);
    expect(await atp('far')).toBe(0);
    await expectWhole();
  });

  it('of a channel that sells by itself holds nothing of it', async () => {
    fresh();
    await announce('PO1', 10, 5);
    await hub().receive('shop', [order('shop', `SH-${sku}`, [{ sku, quantity: 3, within: 0 }])]);
    expect(await commitments()).toEqual([]);
    expect([await atp('shop'), await atp('far')]).toEqual([0, 7]);
    await expectWhole();
  });
});

describe('a race', () => {
  it('of many orders through two processes for one supply promises each unit of it once', async () => {
    fresh();
    await announce('PO1', 10, 5);
    let start = () => {};
    const barrier = new Promise<void>((resolve) => {
      start = resolve;
    });
    const buyers = Array.from({ length: 40 }, async (_, i) => {
      await barrier;
      return ask('far', `R${i}`, 1, hubs[i % 2]!);
    });
    start();
    const results = await Promise.all(buyers);
    const promised = results.flatMap((result) =>
      result.status === 'applied' && result.events[0]!.type === 'order.accepted' ? result.events[0]!.commitments : [],
    );
    expect(promised.reduce((sum, part) => sum + part.quantity, 0)).toBe(10);
    expect(await commitments()).toHaveLength(10);
    await expectWhole();
  });

  /** Holds the SKU's balances until all of them wait there, one after the other. */
  async function inQueue(...acts: (() => Promise<unknown>)[]): Promise<unknown[]> {
    const client = await database.pool.connect();
    const done: Promise<unknown>[] = [];
    try {
      await client.query('begin');
      await client.query('select from stock_balance where sku_id = $1 order by location_id for update', [
        hub().sku(sku),
      ]);
      for (const [i, act] of acts.entries()) {
        done.push(act());
        await expect
          .poll(async () => (await client.query(waitingForLocks)).rows[0].n, { message: 'it waits for the balances' })
          .toBe(i + 1);
      }
      await client.query('commit');
    } finally {
      client.release();
    }
    return Promise.all(done);
  }
  const waitingForLocks = `select count(*)::int as n from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;

  it('of two orders for one supply has one that holds all of it', async () => {
    fresh();
    await announce('PO1', 10, 5);
    await inQueue(
      () => ask('far', `first-${sku}`, 8, hubs[0]!),
      () => ask('far', `second-${sku}`, 8, hubs[1]!),
    );
    expect(await commitments()).toEqual([`first-${sku}: 8 of PO1`, `second-${sku}: 2 of PO1`]);
    await expectWhole();
  });

  it('of a cancel with an announcement of less ends with no more promised than is to come', async () => {
    fresh();
    await announce('PO1', 10, 5);
    await ask('far', `cut-${sku}`, 8);
    await inQueue(
      () => hubs[0]!.receive('erp', [announced('PO1', 3, 5, 1)]),
      () => hubs[1]!.receive('api', [cancel('far', `cut-${sku}`, 1, 1, `cut-${sku}`)]),
    );
    expect(await commitments()).toEqual([`cut-${sku}: 3 of PO1`]);
    await expectWhole();
  });

  it('of orders, cancels and announcements ends with no more promised than is to come', async () => {
    for (let round = 0; round < 5; round++) {
      fresh();
      await announce('PO1', 12, 5, 0);
      for (let i = 0; i < 6; i++) await ask('far', `Q${round}-${i}`, 2);
      await Promise.all([
        hubs[1]!.receive('erp', [announced('PO1', 5, 6, 1)]),
        ...[0, 1, 2].map((i) => hub().receive('api', [cancel('far', `Q${round}-${i}`, 1, 1, `x${round}-${i}`)])),
        ...[6, 7, 8].map((i) => ask('far', `Q${round}-${i}`, 2, hubs[i % 2]!)),
        hubs[1]!.receive('erp', [moved(`q${round}`, sku, 'north', 3, { supply: { id: 'PO1' } })]),
        hubs[1]!.backorders([sku]),
      ]);
      await expectWhole();
    }
  });
});
