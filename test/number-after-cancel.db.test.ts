/** A shop that takes back an order of its own sells those units again, whatever we told it: its number is read again, then corrected. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { AvailabilitySink } from '../src/connectors/kit/index.ts';
import { useDatabase } from './helpers/database.ts';
import { MemorySystem } from './helpers/memory-system.ts';
import { violations } from './helpers/promises.ts';
import { cancel, dueNow, memorySystems, moved, order, picked, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const another = useDatabase();
const systems = memorySystems();
let hub: SmallHub;
let run = 0;
let sku = '';

/** What the shop would sell. */
const shown = new Map<string, number>();
let duringWrite: (() => Promise<void>) | undefined;
let isBusy = false;

const numbers: AvailabilitySink = {
  batchMax: 50,
  async write(items) {
    const outcomes = items.map((item) => {
      if (isBusy) return { outcome: 'later' as const, error: 'busy' };
      if (item.from !== null && (shown.get(item.sku) ?? 0) !== item.from) return { outcome: 'conflict' as const };
      shown.set(item.sku, item.quantity);
      return { outcome: 'confirmed' as const };
    });
    return outcomes;
  },
  async readBack(skus) {
    const there = new Map(skus.map((one) => [one, shown.get(one) ?? 0]));
    const during = duringWrite;
    duringWrite = undefined;
    await during?.();
    return there;
  },
};

beforeAll(async () => {
  systems.shop.availability = numbers;
  hub = await SmallHub.open({
    url: database.url,
    connectors: { ...systems, marketplace: new MemorySystem('marketplace', []) },
  });
  await hub.seed([]);
});
afterAll(() => hub.close());
afterEach(async () => expect(await violations(database.pool)).toEqual({}));

beforeEach(async () => {
  run += 1;
  sku = `C${run}`;
  await hub.seed([sku]);
  await hub.receive('wms', [moved(`m${run}`, sku, 'north', 5)]);
  await hub.settle();
});

async function fulfilmentOf(no: string): Promise<string> {
  const effect = systems.wms
    .of('fulfilment')
    .find(({ payload }) => (payload as { order: string }).order === `shop/${no}`);
  return effect!.reference;
}

/** The shop sells, and the hub reads it. */
async function sell(no: string, quantity: number): Promise<void> {
  shown.set(sku, shown.get(sku)! - quantity);
  await hub.receive('shop', [order('shop', no, [{ sku, quantity, within: quantity }])]);
  await hub.settle();
}

it('a cancel that comes too late raises the number there, and it is taken down again', async () => {
  await sell(`late${run}`, 2);
  await hub.receive('wms', [picked(`p${run}`, await fulfilmentOf(`late${run}`), [{ lineNo: 1, sku, quantity: 2 }])]);
  await hub.settle();
  expect(shown.get(sku)).toBe(3);
  shown.set(sku, 5);
  await hub.receive('shop', [cancel('shop', `late${run}`, 1, 2, `x${run}`, sku)]);
  await hub.settle();
  expect(shown.get(sku)).toBe(3);
});

it('a cancel of units that another order waits for', async () => {
  await sell(`first${run}`, 5);
  await hub.receive('api', [order('api', `waits${run}`, [{ sku, quantity: 5 }])]);
  await hub.settle();
  shown.set(sku, 5);
  await hub.receive('shop', [cancel('shop', `first${run}`, 1, 5, `x${run}`, sku)]);
  await hub.settle();
  await hub.backorders([sku]);
  await hub.settle();
  expect(shown.get(sku)).toBe(0);
});

it('a cancel that is read while the number is on its way, after it was read back', async () => {
  await sell(`race${run}`, 2);
  await hub.receive('wms', [picked(`p${run}`, await fulfilmentOf(`race${run}`), [{ lineNo: 1, sku, quantity: 2 }])]);
  await hub.settle();
  duringWrite = async () => {
    shown.set(sku, shown.get(sku)! + 2);
    await hub.receive('shop', [cancel('shop', `race${run}`, 1, 2, `x${run}`, sku)]);
    await hub.plan();
  };
  await hub.receive('wms', [moved(`n${run}`, sku, 'north', 1)]);
  await hub.settle();
  expect(duringWrite).toBeUndefined();
  expect(shown.get(sku)).toBe(4);
});

it('a cancel of ours, which the shop carries out by its order, frees units there a second time', async () => {
  await sell(`ours${run}`, 2);
  systems.shop.orderStatus.write = new Proxy(systems.shop.orderStatus.write, {
    apply: (target, self, [items, signal]) => {
      for (const item of items as { key: string; state: { lines: { cancelled: number }[] } }[])
        if (item.key === `shop/ours${run}` && item.state.lines[0]?.cancelled === 2) shown.set(sku, shown.get(sku)! + 2);
      return Reflect.apply(target, self, [items, signal]);
    },
  });
  await hub.receive('api', [cancel('shop', `ours${run}`, 1, 2, `x${run}`, sku)]);
  await hub.plan();
  await hub.dispatchers.get('wms')!.round();
  await hub.plan();
  // The number is told first, then the order.
  await hub.publishers.get('shop')!.availabilityRound();
  expect(shown.get(sku)).toBe(5);
  await hub.settle();
  expect(shown.get(sku)).toBe(5);
});

it('what arrives while a shop shows more than is set aside for it is set aside before anybody else has it', async () => {
  await sell(`bare${run}`, 2);
  await hub.receive('wms', [picked(`p${run}`, await fulfilmentOf(`bare${run}`), [{ lineNo: 1, sku, quantity: 2 }])]);
  await hub.settle();
  // It takes two back and can't be told: five are shown and three are there.
  shown.set(sku, 5);
  isBusy = true;
  await hub.receive('shop', [cancel('shop', `bare${run}`, 1, 2, `x${run}`, sku)]);
  await hub.plan();
  for (let i = 0; i < 3; i++) await hub.publishers.get('shop')!.availabilityRound();
  const setAside = async () =>
    (
      await database.pool.query(
        `select coalesce(sum(quantity), 0)::int as units from exposure e join channel c using (channel_id) where c.code = 'shop' and e.sku_id = $1`,
        [hub.sku(sku)],
      )
    ).rows[0].units;
  expect(await setAside()).toBe(3);
  await hub.receive('wms', [moved(`more${run}`, sku, 'north', 2)]);
  await hub.plan();
  await database.pool.query(dueNow());
  await hub.publishers.get('shop')!.availabilityRound();
  expect(await setAside()).toBe(5);
  await hub.receive('api', [order('api', `late${run}`, [{ sku, quantity: 2 }])]);
  isBusy = false;
  await database.pool.query(dueNow());
  await hub.settle();
  expect(shown.get(sku)).toBe(3);
});

it('what a shop took back and may keep is set aside for it', async () => {
  // Half of what is there, and nearly right is good enough.
  const shop = { ...smallEstate().channels.shop!, share: 0.5, tolerance: 0.5 };
  const half = await SmallHub.open({ url: another.url, connectors: systems, estate: smallEstate({ shop }) });
  sku = `HALF${run}`;
  await half.seed([sku]);
  await half.receive('wms', [moved(`h${run}`, sku, 'north', 10)]);
  await half.settle();
  expect(shown.get(sku)).toBe(5);
  shown.set(sku, 3);
  await half.receive('shop', [order('shop', `half${run}`, [{ sku, quantity: 2, within: 2 }])]);
  await half.settle();
  await half.receive('wms', [picked(`hp${run}`, await fulfilmentOf(`half${run}`), [{ lineNo: 1, sku, quantity: 2 }])]);
  shown.set(sku, 5);
  await half.receive('shop', [cancel('shop', `half${run}`, 1, 2, `hx${run}`, sku)]);
  await half.settle();
  expect(await violations(another.pool)).toEqual({});
  // It shows four or five, whatever is near enough, and so much is set aside.
  const { rows } = await another.pool.query(
    `select n.shown::int as shown, (select sum(quantity)::int from exposure e where e.channel_id = n.channel_id) as exposed
       from channel_number n join channel c using (channel_id) where c.code = 'shop'`,
  );
  expect(rows).toEqual([{ shown: shown.get(sku), exposed: shown.get(sku) }]);
  expect(shown.get(sku)).toBeGreaterThan(3);
  await half.close();
});
