/** Lines that are held for their price, released at the decided one; and the price of units that a change adds. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { changeItem, creditItem } from '../src/connectors/kit/index.ts';
import { readCredit } from '../src/credit/index.ts';
import { putPrices } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { listHolds, releaseHold } from '../src/orders/index.ts';
import { Database } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { cancel, memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: SmallHub;
const estate = () => {
  const places = ['north', 'south', 'west'];
  const asks = (prices: object, rest: object = {}) => ({
    ...{ company: 'acme', sells: 'asks' as const, locations: places, prices },
    ...rest,
  });
  const declared = smallEstate({
    holding: asks({ check: 'hold' }, { credit: 'check' }),
    repricing: asks({ check: 'reprice', toleranceMinor: 5 }),
    taking: asks({ check: 'accept' }),
  } as never);
  declared.channels.shop = { ...declared.channels.shop!, prices: { check: 'hold' } };
  return { ...declared, credit: { freshMs: 86_400_000 } };
};

beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: estate() });
  await hub.seed(['X', 'Y', 'N'], ['A1']);
  await putPrices(hub.db, hub.directory, [
    { sku: 'X', currency: 'GBP', unitPrice: '10.00' },
    { sku: 'X', currency: 'GBP', unitPrice: '8.00', quantityMin: 100 },
    { sku: 'Y', currency: 'GBP', unitPrice: '100.00', pricePer: 12 },
  ]);
  await hub.receive(
    'wms',
    ['X', 'Y', 'N'].map((sku) => moved(`in ${sku}`, sku, 'north', 10_000)),
  );
});
afterAll(() => hub.close());
afterEach(async () => {
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
});

let n = 0;
let moment = 0;
const limit = (limitMinor: number) =>
  hub.receive('erp', [
    {
      ...creditItem('erp', {
        ...{ kind: 'credit.reported', company: 'acme', account: 'A1', currency: 'GBP', limitMinor },
        ...{
          openOrdersMinor: 0,
          openInvoicesMinor: 0,
          orders: Array.from({ length: n }, (_, i) => `holding/R${i + 1}`),
        },
        asOf: new Date(Date.now() - 60_000 + ++moment).toISOString(),
      }),
      itemNo: 0,
    },
  ]);
type Line = { sku: string; quantity: number; unitPrice: string; within?: number };
async function place(channel: string, lines: Line[]) {
  const no = `R${++n}`;
  const [result] = await hub.receive(channel === 'shop' ? 'shop' : 'api', [order(channel, no, lines)]);
  if (result!.status !== 'applied') throw new Error(JSON.stringify(result));
  const [hold] = await listHolds(hub.db, { orderId: result!.orderId!, kind: 'price', limit: 1 });
  return { no, orderId: result!.orderId!, holdId: hold?.holdId ?? 0, reference: `${channel}/${no}` };
}
const change = (channel: string, no: string, lines: object[]) =>
  hub.receive('api', [
    {
      ...changeItem({
        ...{ kind: 'order.change_requested', channel, order: no, reference: `C${++n}` },
        ...{ occurredAt: new Date().toISOString(), lines: lines as never },
      }),
      itemNo: 0,
    },
  ]);
const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
const linesOf = async (orderId: number) =>
  (
    await rows(
      `select line_no, unit_price::text as price, price_per as per, amount_minor as amount, cancelled_minor as cancelled, adds_to
         from order_line where order_id = $1 order by line_no`,
      [orderId],
    )
  ).map(
    (row) => `${row.line_no}: ${row.price}/${row.per} = ${row.amount}${row.cancelled > 0 ? ` - ${row.cancelled}` : ''}`,
  );
const differences = (orderId: number) =>
  rows(`select outcome, decided_price::text as decided from price_difference where order_id = $1 order by line_no`, [
    orderId,
  ]);
const claimed = async () =>
  (await readCredit(hub.db, hub.directory.credit, [hub.directory.findAccountId(1, 'A1')!]))!.claimedMinor;
const effect = (kind: string, reference: string) =>
  systems.erp.effects.filter((one) => one.kind === kind).find((one) => one.reference === reference)?.payload;

describe('released at the decided prices', () => {
  test('amounts, total, credit and what systems are told follow; what was cancelled meanwhile has the new price, too', async () => {
    await limit(1_000_000);
    const { no, orderId, holdId, reference } = await place('holding', [
      { sku: 'X', quantity: 5, unitPrice: '9.00' },
      { sku: 'Y', quantity: 6, unitPrice: '10.00' },
      { sku: 'X', quantity: 2, unitPrice: '10.00' },
    ]);
    expect(await claimed()).toBe(12_500);
    await hub.receive('api', [cancel('holding', no, 1, 2, 'less')]);
    await hub.settle();
    expect(effect('sales_order', reference)).toBeUndefined();
    await releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reason: 'ours is right', reprice: true });
    expect(await linesOf(orderId)).toEqual(['1: 10.00/1 = 5000 - 2000', '2: 100.00/12 = 5000', '3: 10.00/1 = 2000']);
    expect(await differences(orderId)).toEqual([
      { outcome: 'repriced', decided: '10.00' },
      { outcome: 'repriced', decided: '100.00' },
    ]);
    expect(await claimed()).toBe(10_000);
    await hub.settle();
    expect(effect('sales_order', reference)).toMatchObject({
      totalMinor: 12_000,
      lines: [
        { lineNo: 1, quantity: 5, unitPrice: '10.00', amountMinor: 5_000 },
        { lineNo: 2, quantity: 6, unitPrice: '100.00', pricePer: 12, amountMinor: 5_000 },
        { lineNo: 3, amountMinor: 2_000 },
      ],
    });
    expect(
      systems.erp.effects.find(
        ({ kind, payload }) => kind === 'order_cancellation' && (payload as { order: string }).order === reference,
      )?.payload,
    ).toMatchObject({ lines: [{ lineNo: 1, quantity: 2, amountMinor: 2_000 }] });
    expect(systems.crm.states.get(`order_status ${reference}`)?.state).toMatchObject({
      totalMinor: 12_000,
      lines: [{ amountMinor: 5_000 }, { amountMinor: 5_000 }, { amountMinor: 2_000 }],
    });
    const facts = await rows(`select data from fact where type = 'order.repriced' and stream = $1`, [
      `order/${orderId}`,
    ]);
    expect(facts.map(({ data }) => data)).toMatchObject([
      {
        ...{ holdId, by: 'ann' },
        lines: [
          { lineNo: 1, askedPrice: '9.00', beforeMinor: 4_500, amountMinor: 5_000, source: 'base', name: 'base' },
          { lineNo: 2, askedPrice: '10.00', pricePer: 12 },
        ],
      },
    ]);
    // The same again does nothing.
    await releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reprice: true });
    expect(await linesOf(orderId)).toHaveLength(3);
  });

  test('a dearer order goes beyond the limit, because a person said so, and the release says by how much', async () => {
    await limit(4_500);
    const { holdId, orderId } = await place('holding', [{ sku: 'X', quantity: 5, unitPrice: '9.00' }]);
    expect(await claimed()).toBe(4_500);
    await releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reprice: true });
    expect(await claimed()).toBe(5_000);
    const [released] = await rows(`select data from fact where type = 'order.hold_released' and stream = $1`, [
      `order/${orderId}`,
    ]);
    expect(released.data.credit).toMatchObject({ amountMinor: 500, overByMinor: 500, exposureMinor: 4_500 });
  });

  test('of one that is held for credit, too, the release of that asks for the new amount', async () => {
    await limit(4_000);
    const { orderId, holdId } = await place('holding', [{ sku: 'X', quantity: 5, unitPrice: '9.00' }]);
    await releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reprice: true });
    expect(await claimed()).toBe(0);
    const [credit] = await listHolds(hub.db, { orderId, kind: 'credit', limit: 1 });
    await releaseHold(hub.db, hub.deps, credit!.holdId, { by: 'ann' });
    expect(await claimed()).toBe(5_000);
  });

  test('where there was no price, by the one that there is now; else it is refused and nothing changes', async () => {
    await limit(1_000_000);
    const { orderId, holdId } = await place('repricing', [{ sku: 'N', quantity: 3, unitPrice: '1.00' }]);
    const release = () => releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reprice: true });
    await expect(release()).rejects.toThrow(/line 1 still has no price/);
    expect((await listHolds(hub.db, { orderId, state: 'open', limit: 5 })).map(({ kind }) => kind)).toEqual(['price']);
    await putPrices(hub.db, hub.directory, [{ sku: 'N', currency: 'GBP', unitPrice: '1.50' }]);
    await release();
    expect(await linesOf(orderId)).toEqual(['1: 1.50/1 = 450']);
  });

  test('never of what a shop sold by itself, nor of a hold of another kind, nor of one that was released as it was asked', async () => {
    const shop = await place('shop', [{ sku: 'X', quantity: 1, unitPrice: '9.00', within: 0 }]);
    const reprice = (holdId: number) => releaseHold(hub.db, hub.deps, holdId, { by: 'ann', reprice: true });
    await expect(reprice(shop.holdId)).rejects.toThrow(/has paid/);
    await limit(0);
    const { orderId, holdId } = await place('holding', [{ sku: 'X', quantity: 1, unitPrice: '9.00' }]);
    const [credit] = await listHolds(hub.db, { orderId, kind: 'credit', limit: 1 });
    await expect(reprice(credit!.holdId)).rejects.toThrow(/no decided prices/);
    await releaseHold(hub.db, hub.deps, holdId, { by: 'bob' });
    await expect(reprice(holdId)).rejects.toThrow(/was released at the asked prices/);
    expect(await linesOf(orderId)).toEqual(['1: 9.00/1 = 900']);
  });

  test('released by two at once, one of them at the decided prices: one of both happens, whole', async () => {
    await limit(1_000_000);
    const { orderId, holdId } = await place('holding', [{ sku: 'X', quantity: 5, unitPrice: '9.00' }]);
    const others = [0, 1].map(() => new Database({ url: database.url, poolMax: 2 }));
    let arrived = 0;
    let go = () => {};
    const met = new Promise<void>((resolve) => {
      go = resolve;
    });
    for (const db of others)
      db.beforeCommit = async () => {
        if (++arrived === 2) go();
        await Promise.race([met, new Promise((resolve) => setTimeout(resolve, 300))]);
      };
    const [plain, repriced] = await Promise.allSettled([
      releaseHold(others[0]!, hub.deps, holdId, { by: 'bob' }),
      releaseHold(others[1]!, hub.deps, holdId, { by: 'ann', reprice: true }),
    ]);
    for (const db of others) await db.end();
    expect(plain!.status).toBe('fulfilled');
    const [line] = await linesOf(orderId);
    expect([repriced!.status, line]).toEqual(
      repriced!.status === 'fulfilled' ? ['fulfilled', '1: 10.00/1 = 5000'] : ['rejected', '1: 9.00/1 = 4500'],
    );
    expect(await claimed()).toBe(repriced!.status === 'fulfilled' ? 5_000 : 4_500);
    expect(
      await rows(`select 1 from fact where type = 'order.hold_released' and stream = $1`, [`order/${orderId}`]),
    ).toHaveLength(1);
  });
});

describe('units that a change adds', () => {
  test('get the decided price where the channel reprices, by the units that are added', async () => {
    const { no, orderId, reference } = await place('repricing', [{ sku: 'X', quantity: 95, unitPrice: '10.00' }]);
    await hub.settle();
    const [raised] = await change('repricing', no, [{ lineNo: 1, quantity: 100, unitPrice: '9.50' }]);
    expect(raised).toMatchObject({ status: 'applied' });
    await change('repricing', no, [{ lineNo: 1, quantity: 200 }]);
    expect(await linesOf(orderId)).toEqual(['1: 10.00/1 = 95000', '100001: 10.00/1 = 5000', '100002: 8.00/1 = 80000']);
    expect(await differences(orderId)).toEqual([
      { outcome: 'repriced', decided: '10.00' },
      { outcome: 'repriced', decided: '8.00' },
    ]);
    await hub.settle();
    const added = systems.erp.effects.filter(
      ({ kind, payload }) => kind === 'order_change' && (payload as { order: string }).order === reference,
    );
    expect(added.map(({ payload }) => payload)).toMatchObject([
      { lines: [{ unitPrice: '10.00', amountMinor: 5_000 }] },
      { lines: [{ unitPrice: '8.00', amountMinor: 80_000 }] },
    ]);
    const [fact] = await rows(`select data from fact where type = 'order.changed' and stream = $1 limit 1`, [
      `order/${orderId}`,
    ]);
    expect(fact.data.lines[0].added.priceCheck).toMatchObject({ outcome: 'repriced', askedPrice: '9.50' });
  });

  test('are taken as they came where the channel accepts, and the difference is kept', async () => {
    const { no, orderId } = await place('taking', [{ sku: 'X', quantity: 1, unitPrice: '10.00' }]);
    await change('taking', no, [{ lineNo: 1, quantity: 3, unitPrice: '7.00' }]);
    expect(await linesOf(orderId)).toEqual(['1: 10.00/1 = 1000', '100001: 7.00/1 = 1400']);
    expect(await differences(orderId)).toEqual([{ outcome: 'accepted', decided: '10.00' }]);
  });

  test('that would be held are refused once the ERP has the order; before, the order is held for them as well', async () => {
    await limit(1_000_000);
    const known = await place('holding', [{ sku: 'X', quantity: 1, unitPrice: '10.00' }]);
    const [refused] = await change('holding', known.no, [{ lineNo: 1, quantity: 3, unitPrice: '9.00' }]);
    expect(refused).toMatchObject({ status: 'refused', class: 'would_hold' });
    expect((refused as { reason: string }).reason).toMatch(/added: 2 × X at 9.00 GBP; list base says 10.00: -2.00/);
    expect(await linesOf(known.orderId)).toEqual(['1: 10.00/1 = 1000']);
    expect(await claimed()).toBe(1_000);
    const held = await place('holding', [{ sku: 'X', quantity: 1, unitPrice: '9.00' }]);
    await change('holding', held.no, [{ lineNo: 1, quantity: 3, unitPrice: '9.50' }]);
    const open = await listHolds(hub.db, { orderId: held.orderId, state: 'open', limit: 5 });
    expect(open.map(({ kind }) => kind)).toEqual(['price', 'price']);
    await releaseHold(hub.db, hub.deps, open[0]!.holdId, { by: 'ann', reprice: true });
    expect(await linesOf(held.orderId)).toEqual(['1: 10.00/1 = 1000', '100001: 10.00/1 = 2000']);
    expect(await claimed()).toBe(4_000);
    await releaseHold(hub.db, hub.deps, open[1]!.holdId, { by: 'ann' });
    await hub.settle();
    expect(effect('sales_order', held.reference)).toMatchObject({ totalMinor: 3_000 });
  });
});
