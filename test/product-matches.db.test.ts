/** Products of a system with codes of its own: from the record that arrives to whose its stock and orders are. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProductChanged } from '../src/canonical/index.ts';
import { apartMatch, listMatches, mergeMatch, undoMatch } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { item, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const rules = [
  { by: 'exact' as const, field: 'gtin' as const },
  { by: 'normalised' as const, fields: ['description' as const] },
  { by: 'scored' as const, weights: { description: 1 }, same: 0.98, unsure: 0.6 },
];
const estate = { ...smallEstate(), matching: { product: { systems: ['shop'], rules } } };
let hub: SmallHub;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url, estate, poolMax: 8 });
  await hub.seed([], ['A1']);
});
afterAll(() => hub.close());

const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
let changes = 0;
function product(code: string, fields: Partial<ProductChanged>) {
  const changedAt = new Date(Date.UTC(2026, 3, 1) + ++changes * 1000).toISOString();
  const command: ProductChanged = { kind: 'product.changed', sku: code, changedAt, ...fields };
  return item('product', `${code}/${changes}`, command);
}
const tell = (system: string, code: string, fields: Partial<ProductChanged>, to = hub) =>
  to.receive(system, [product(code, fields)]).then(([result]) => result!);
const buy = (externalNo: string, sku: string, orderedAt = '2026-03-02T10:00:00Z') =>
  hub
    .receive('shop', [order('shop', externalNo, [{ sku, quantity: 1 }], { account: 'A1', orderedAt })])
    .then(([r]) => r!);
const count = (system: string, id: string, sku: string, quantity: number) =>
  hub.receive(system, [moved(id, sku, 'north', quantity, { movement: 'counted' })]).then(([result]) => result!);
const stockOf = async (sku: string) =>
  (
    await rows(
      `select b.on_hand::int as on_hand from stock_balance b join sku using (sku_id) where code = $1 and on_hand > 0`,
      [sku],
    )
  ).map((row) => row.on_hand);
const bought = async (externalNo: string) =>
  (
    await rows(
      `select s.code from order_line l join sku s using (sku_id) join sales_order o using (order_id) where external_no = $1`,
      [externalNo],
    )
  ).map((row) => row.code);
const meaning = async (outsideId: string) =>
  (
    await rows(
      `select our_code from crosswalk_entry where system = 'shop' and kind = 'sku' and outside_id = $1 and valid_to = 'infinity'`,
      [outsideId],
    )
  ).map((row) => row.our_code);
const decision = { by: 'ann' };
const caseOf = async (outsideId: string, state = 'open') =>
  (await listMatches(hub.db, hub.directory, { state, kind: 'product' })).find((one) => one.outsideId === outsideId)!;

test('the same GTIN is the same product: a rule merges, and its orders and prices are ours', async () => {
  await tell('erp', 'LAMP', { description: 'Desk lamp', gtin: '4006381333931' });
  expect((await buy('M0', '7001')).status).toBe('parked');
  expect((await tell('shop', '7001', { description: 'Lampe', gtin: '04006381333931' })).status).toBe('applied');
  expect(await meaning('7001')).toEqual(['LAMP']);
  expect(await hub.receiver.replayAwaited()).toBe(1);
  expect(await bought('M0')).toEqual(['LAMP']);
  const price = {
    ...{ kind: 'price.changed' as const, company: 'acme', sku: '7001', currency: 'GBP', unitPrice: '9.50' },
    changedAt: '2026-04-02T00:00:00Z',
  };
  expect(await hub.receive('shop', [item('price', '7001/1', price)])).toMatchObject([{ status: 'applied' }]);
  expect(await rows(`select s.code, p.unit_price::text as price from price p join sku s using (sku_id)`)).toEqual([
    { code: 'LAMP', price: '9.50' },
  ]);
  expect(await caseOf('7001', 'merged')).toMatchObject({
    ...{ kind: 'product', company: null, code: 'LAMP', decidedBy: 'rule' },
    candidates: [{ code: 'LAMP', rule: 'exact', score: '1', record: { gtin: '04006381333931' } }],
  });
});

test('a code that another product of ours has by chance is not that product', async () => {
  await tell('erp', '7002', { description: 'Garden chair' });
  await tell('shop', '7002', { description: 'Paint brush' });
  expect(await meaning('7002')).toEqual(['SHOP-7002']);
  // Systems that are not matched name ours, as ever.
  expect((await count('wms', 'c7002', '7002', 5)).status).toBe('applied');
  expect([await stockOf('7002'), await stockOf('SHOP-7002')]).toEqual([[5], []]);
});

test('what is not sure waits for a person, with all that names it', async () => {
  await tell('erp', 'TABLE', { description: 'Folding table 120 cm white' });
  expect(await tell('shop', '7003', { description: 'Folding table 120 cm, wite' })).toMatchObject({
    ...{ status: 'parked', class: 'match' },
  });
  expect(await count('shop', 'c7003', '7003', 4)).toMatchObject({ status: 'parked', class: 'unknown_sku' });
  const kit = [{ sku: '7003', quantity: 2 }];
  expect(await tell('shop', '7004', { description: 'Camping set', kit })).toMatchObject({ class: 'unknown_sku' });
  const one = await caseOf('7003');
  expect(one.candidates).toMatchObject([{ code: 'TABLE', rule: 'scored' }]);
  const [first, second] = await Promise.all([
    mergeMatch(hub.db, hub.directory, one.matchId, decision),
    mergeMatch(hub.db, hub.directory, one.matchId, { by: 'bob' }),
  ]);
  expect([first.state, second.decidedBy]).toEqual(['merged', first.decidedBy]);
  while ((await hub.receiver.replayAwaited()) > 0);
  expect(await stockOf('TABLE')).toEqual([4]);
  expect(
    await rows(
      `select c.code from kit_component k join sku s on s.sku_id = k.kit_sku_id join sku c on c.sku_id = k.component_id where s.code = '7004'`,
    ),
  ).toEqual([{ code: 'TABLE' }]);
  expect(await rows('select 1 from awaited_record')).toEqual([]);
});

test('kept apart it is a product of its own, and they are never proposed again', async () => {
  await tell('erp', 'ROPE', { description: 'Rope 10 m blue' });
  await tell('shop', '7005', { description: 'Rope 10 m blau' });
  const done = await apartMatch(hub.db, hub.directory, (await caseOf('7005')).matchId, decision);
  expect(done).toMatchObject({ state: 'apart', code: '7005' });
  await hub.receiver.replayAwaited();
  expect(await rows(`select description from sku where code = '7005'`)).toEqual([{ description: 'Rope 10 m blau' }]);
  await rows(`update crosswalk_entry set valid_to = crossdock_now() where system = 'shop' and outside_id = '7005'`);
  await tell('shop', '7005', { description: 'Rope 10 m blau' });
  // What it was is a product like any other now, and the surest.
  expect(await meaning('7005')).toEqual(['7005']);
});

describe('stock and orders of two products are never added up', () => {
  test('a code that had a product of its own with stock or open orders is not merged, by a rule or a person', async () => {
    const before = await SmallHub.open({ url: database.url, estate: smallEstate() });
    await tell('shop', '7006', { description: 'Ladder' }, before);
    await before.receive('shop', [moved('c7006', '7006', 'north', 17)]);
    await before.receive('shop', [order('shop', 'L1', [{ sku: '7006', quantity: 2 }], { account: 'A1' })]);
    await before.close();
    await tell('erp', 'LADDER', { description: 'Ladder', gtin: '4006381333948' });
    await count('wms', 'cLADDER', 'LADDER', 3);
    // As sure as can be, and still a person is asked.
    expect(await tell('shop', '7006', { gtin: '4006381333948' })).toMatchObject({ status: 'parked', class: 'match' });
    const one = await caseOf('7006');
    await expect(mergeMatch(hub.db, hub.directory, one.matchId, decision)).rejects.toThrow(
      /7006, which 7006 of shop was until now, has stock \(17 at north\), 1 open orders: nothing of two SKUs is added up/,
    );
    expect([await stockOf('7006'), await stockOf('LADDER'), await meaning('7006')]).toEqual([[17], [3], []]);
    // Counted to nothing and its order ended, nothing is left to be added up.
    await rows(`update sales_order set state = 'cancelled' where external_no = 'L1'`);
    await rows(
      `update stock_balance set on_hand = 0, allocated = 0, exposed = 0, reserved = 0 where sku_id = (select sku_id from sku where code = '7006')`,
    );
    expect((await mergeMatch(hub.db, hub.directory, one.matchId, decision)).code).toBe('LADDER');
    expect(await stockOf('LADDER')).toEqual([3]);
  });

  test('a merge is undone for what comes later, unless its system has brought stock by it', async () => {
    await tell('erp', 'SAW', { description: 'Hand saw', gtin: '4006381333955' });
    await tell('shop', '7007', { gtin: '4006381333955', description: 'Saw' });
    await buy('S1', '7007');
    const saw = await caseOf('7007', 'merged');
    const undone = await undoMatch(hub.db, hub.directory, saw.matchId, { by: 'ann', reason: 'two saws' });
    expect(undone).toMatchObject({ state: 'undone', code: '7007', decidedBy: 'ann' });
    await buy('S2', '7007', new Date(Date.now() + 60_000).toISOString());
    expect([await bought('S1'), await bought('S2')]).toEqual([['SAW'], ['7007']]);

    await tell('erp', 'DRILL', { description: 'Power drill', gtin: '4006381333962' });
    await tell('shop', '7008', { gtin: '4006381333962', description: 'Drill' });
    await count('shop', 'c7008', '7008', 6);
    const drill = await caseOf('7008', 'merged');
    await expect(undoMatch(hub.db, hub.directory, drill.matchId, decision)).rejects.toThrow(
      /shop has brought 1 stock movements of DRILL since they were merged/,
    );
    expect([await meaning('7008'), await stockOf('DRILL')]).toEqual([['DRILL'], [6]]);
  });
});

test('two processes that are told of one product at once take it once', async () => {
  const other = await SmallHub.open({ url: database.url, estate });
  const results = await Promise.all([
    tell('shop', '7010', { description: 'Racing kite', gtin: '96385074' }),
    tell('shop', '7011', { description: 'Racing kite two', gtin: '96385074' }, other),
  ]);
  await other.close();
  expect(results.map(({ status }) => status)).toEqual(['applied', 'applied']);
  const [one] = await meaning('7010');
  expect(await meaning('7011')).toEqual([one]);
  expect(await rows(`select count(*)::int as count from sku where description like 'Racing kite%'`)).toEqual([
    { count: 1 },
  ]);
});
