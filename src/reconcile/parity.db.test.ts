import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { startEstate, type TestEstate, tradeADay } from '../../test/helpers/estate.ts';
import { RolledBack } from '../../test/helpers/rolled-back.ts';
import { compareWithSystems, type SimSystem, simSystems } from './index.ts';

const database = useDatabase();
let estate: TestEstate;
let hub: RolledBack;
beforeAll(async () => {
  estate = await startEstate(database.url);
  await tradeADay(estate);
  await estate.stopHub();
  hub = await RolledBack.open(database.url);
});
afterAll(async () => {
  await hub?.close();
  await estate?.stop();
});

const compareAfter = (...lies: string[]) => hub.after(lies, (db) => compareWithSystems(db, estate.urls));

test('after an honest day every system holds what the hub holds', async () => {
  const { exact, parity, oversell, oversold, backwards, duplicates } = await compareAfter();
  expect(simSystems.flatMap((system) => parity[system].examples)).toEqual([]);
  expect(exact).toBe(true);
  expect(simSystems.map((system) => [system, parity[system].orders, parity[system].lines])).toEqual([
    ['erp', 6, 10],
    ['crm', 6, 9],
    ['wms', parity.wms.fulfilments.records, parity.wms.lines],
    ['shop', 2, 3],
    ['marketplace', 1, 2],
  ]);
  expect(parity.wms.fulfilments.records).toBeGreaterThanOrEqual(6);
  expect(parity.wms.stock.records).toBe(12);
  expect(parity.erp.charges).toEqual({ records: 1, missing: 0, extra: 0, different: 0 });
  expect(parity.erp.amount).toEqual({ hub: 60_227, system: 60_227, equal: true });
  expect([oversell, oversold.withinDifferent]).toEqual([0, 0]);
  const none = { erp: 0, crm: 0, wms: 0, shop: 0, marketplace: 0 };
  expect([backwards, duplicates]).toEqual([none, none]);
});

test('what the WMS was told and the hub no longer keeps is no difference; what left still is one', async () => {
  const forgotten = [
    `update expiring_table set kept_since = 'infinity' where table_name = 'delivery'`,
    `delete from delivery where kind = 'fulfilment'`,
  ];
  expect((await compareAfter(...forgotten)).parity.wms).toMatchObject({ missing: 0, extra: 0, different: 0 });
  expect((await compareAfter(forgotten[1]!)).parity.wms.different).toBeGreaterThan(0);
  const shipped = `update shipment set lines = '[]' where shipment_no = (select min(shipment_no) from shipment)`;
  expect((await compareAfter(...forgotten, shipped)).parity.wms.different).toBe(1);
});

const shopLine = `order_id = (select order_id from sales_order where external_no = 'S1') and line_no = 1`;
const someFulfilment = `fulfilment_id = (select min(fulfilment_id) from fulfilment)`;
/** What is told of the hub, and which system then counts it as what. */
const lies: [string, Partial<Record<SimSystem, 'missing' | 'extra' | 'different'>>, ...string[]][] = [
  [
    'a unit shipped',
    { erp: 'different', crm: 'different', shop: 'different' },
    `update order_line set shipped = shipped - 1 where ${shopLine}`,
  ],
  [
    'a penny credited',
    { erp: 'different' },
    `update order_line set credited_minor = credited_minor + 1 where ${shopLine}`,
  ],
  [
    'a penny invoiced',
    { erp: 'different' },
    `update order_line set invoiced_minor = invoiced_minor + 1 where ${shopLine}`,
  ],
  [
    'a state',
    { crm: 'different', shop: 'different' },
    `update sales_order set state = 'accepted' where external_no = 'S1'`,
  ],
  ['a price', { shop: 'different' }, `update order_line set unit_price = unit_price + 0.001 where ${shopLine}`],
  [
    'an account',
    { erp: 'different', crm: 'different', marketplace: 'different' },
    `update sales_order set account_id = 1 where external_no = 'M1'`,
  ],
  [
    'an order that nobody else has',
    { erp: 'missing', crm: 'missing', shop: 'missing' },
    `insert into sales_order (order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, ordered_at, units, units_open, units_refused) select 999, company_id, channel_id, account_id, 'S1a', state, version, currency, 0, ordered_at, units, units_open, units_refused from sales_order where external_no = 'S1'`,
  ],
  [
    'an order less',
    { erp: 'extra', crm: 'extra', marketplace: 'extra', wms: 'extra' },
    `delete from sales_order where external_no = 'M1'`,
  ],
  [
    'a unit refused',
    { erp: 'different', crm: 'different', shop: 'different' },
    `update order_line set refused = 1, picked = picked - 1 where ${shopLine}`,
  ],
  [
    'a whole order refused',
    { erp: 'extra', crm: 'different', marketplace: 'different' },
    `update order_line set refused = quantity, allocated = 0, backordered = 0, picked = 0, cancelled = 0
      where order_id = (select order_id from sales_order where external_no = 'M1')`,
  ],
  ['goods of a fulfilment', { wms: 'different' }, `update shipment set lines = '[]' where ${someFulfilment}`],
  ['a fulfilment less', { wms: 'extra' }, `delete from fulfilment where ${someFulfilment}`],
  [
    'a return that did not arrive',
    { wms: 'different' },
    `update return_authorisation set state = 'expected' where return_id = (select min(return_id) from return_authorisation)`,
  ],
  [
    'a shelf',
    { wms: 'different' },
    `update stock_balance set on_hand = on_hand + 1 where sku_id = 1 and location_id = 1`,
  ],
  ['a charge less', { erp: 'extra' }, `delete from fact where type = 'charge.recorded'`],
  [
    'a charge twice',
    { erp: 'different' },
    `insert into fact overriding system value select * from fact where type = 'charge.recorded'`,
  ],
];

describe('what the hub says wrongly is found where it is wrong, and nowhere else', () => {
  test.each(lies)('%s', async (_what, expected, ...statements) => {
    const { exact, parity } = await compareAfter(...statements);
    expect(exact).toBe(false);
    for (const system of simSystems) {
      const { missing, extra, different, examples } = parity[system];
      const found = { missing: missing > 0, extra: extra > 0, different: different > 0 };
      const kind = expected[system];
      expect(found, `${system}: ${examples.join('; ')}`).toEqual({
        missing: false,
        extra: false,
        different: false,
        ...(kind && { [kind]: true }),
      });
    }
  });
});

test('a sum that differs is not equal, and units sold within a number that found no stock are oversell', async () => {
  const total = await compareAfter(`update sales_order set total_minor = total_minor + 1 where external_no = 'M1'`);
  expect(total.parity.erp.amount.equal).toBe(false);
  expect(total.exact).toBe(false);
  const short = await compareAfter(`update order_line set within_short = 2 where ${shopLine}`);
  expect([short.oversell, short.oversold.withinShort]).toEqual([2, 2]);
  const within = await compareAfter(`update order_line set within = within + 1 where ${shopLine}`);
  expect(within.oversold.withinDifferent).toBe(1);
});
