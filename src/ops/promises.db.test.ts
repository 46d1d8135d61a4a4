import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { startEstate, tradeADay } from '../../test/helpers/estate.ts';
import { RolledBack } from '../../test/helpers/rolled-back.ts';
import { sql } from '../store/index.ts';
import { checkPromises, type PromiseName, promiseNames } from './index.ts';

const empty = useDatabase();
const traded = useDatabase();

beforeAll(async () => {
  const estate = await startEstate(traded.url);
  try {
    await tradeADay(estate);
  } finally {
    await estate.stop();
  }
});

const opened = new Map<string, RolledBack>();
afterAll(() => Promise.all([...opened.values()].map((one) => one.close())));

async function checkAfter(url: string, ...statements: string[]) {
  const one = opened.get(url) ?? (await RolledBack.open(url));
  opened.set(url, one);
  return one.after(statements, (db) => checkPromises(db));
}

test('an empty database breaks no promise', async () => {
  const promises = await checkAfter(empty.url);
  expect(Object.values(promises).flatMap((promise) => promise.examples)).toEqual([]);
});

test('an honest day breaks none, and each looked at something', async () => {
  const promises = await checkAfter(traded.url);
  for (const name of promiseNames) {
    expect(promises[name], name).toMatchObject({ holds: true, violations: 0, examples: [] });
    expect(promises[name].checked, name).toBeGreaterThan(0);
  }
});

const drop = (table: string) => `do $$ declare c text; begin
  for c in select conname from pg_constraint where conrelid = '${table}'::regclass and contype in ('c', 'u', 'p') loop
    execute format('alter table ${table} drop constraint %I', c); end loop; end $$`;
const oneOf = (table: string, key: string, where = 'true') =>
  `(select ${key} from ${table} where ${where} order by ${key} limit 1)`;

const corruptions: [PromiseName, string, ...string[]][] = [
  [
    'I1',
    'on hand that no movement explains',
    `update stock_balance set on_hand = on_hand + 1 where sku_id = 1 and location_id = 1`,
  ],
  [
    'I1',
    'a movement booked twice',
    `insert into stock_movement select * from stock_movement where movement_id = ${oneOf('stock_movement', 'movement_id')}`,
  ],
  [
    'I1',
    'a movement that is gone',
    `delete from stock_movement where movement_id = ${oneOf('stock_movement', 'movement_id')}`,
  ],
  ['I2', 'a hold that reserved nothing', `insert into reservation values (9, 1, 1, 1, 5, 5, 'open', 'order', now())`],
  [
    'I2',
    'an ended hold with units open',
    `insert into reservation values (9, 1, 1, 1, 5, 5, 'expired', 'order', now())`,
  ],
  [
    'I2',
    'an allocation that the balance does not know',
    `update allocation set open_quantity = open_quantity + 1 where allocation_id = ${oneOf('allocation', 'allocation_id')}`,
  ],
  [
    'I2',
    'an exposure that the balance does not know',
    `update exposure set quantity = quantity + 1 where sku_id = 1 and channel_id = ${oneOf('exposure', 'channel_id', 'sku_id = 1')}`,
  ],
  [
    'I2',
    'a line that says more than its allocations',
    `update order_line set allocated = allocated + 1, quantity = quantity + 1 where order_id = ${oneOf('order_line', 'order_id')}`,
  ],
  [
    'I2',
    'another system’s allocation that the balance does not know',
    `insert into outside_allocation (source, source_id, sku_id, location_id, quantity, open_quantity, occurred_at)
     values ('erp', 'X', 1, 1, 1, 1, now())`,
  ],
  [
    'I2',
    'deducted twice for a line that two systems name',
    `insert into outside_allocation (source, source_id, sku_id, location_id, channel_id, external_no, line_no, quantity, open_quantity, occurred_at)
     values ('erp', 'X', 1, 1, 1, 'N', 1, 1, 1, now()), ('wms', 'X', 1, 1, 1, 'N', 1, 1, 1, now())`,
    `update stock_balance set outside_open = 2, outside_deducted = 2 where sku_id = 1 and location_id = 1`,
  ],
  [
    'I3',
    'allocated by another system beyond what is there, and no shortage says so',
    `insert into outside_allocation (source, source_id, sku_id, location_id, quantity, open_quantity, occurred_at)
     values ('erp', 'X', 1, 1, 100000, 100000, now())`,
    `update stock_balance set outside_open = 100000, outside_deducted = 100000 where sku_id = 1 and location_id = 1`,
  ],
  [
    'I3',
    'more promised than is there',
    `update stock_balance set allocated = on_hand + 1 where sku_id = 1 and location_id = 1`,
  ],
  [
    'I3',
    'a negative balance that nobody owns',
    `update stock_balance set on_hand = -1, reserved = 0, allocated = 0 where sku_id = 1 and location_id = 1`,
  ],
  [
    'I3',
    'more promised of a supply than is to come of it',
    `insert into supply (sku_id, location_id, source, source_id, quantity, received, due_at) values (1, 1, 'erp', 'PO', 5, 3, now())`,
    `update order_line set quantity = quantity + 3, backordered = backordered + 3 where order_id = ${oneOf('order_line', 'order_id')}`,
    `insert into supply_commitment select supply_id, ${oneOf('order_line', 'order_id')}, 1, 3 from supply`,
  ],
  [
    'I3',
    'more promised of dated supply than the line waits for',
    `insert into supply (sku_id, location_id, source, source_id, quantity, due_at) values (1, 1, 'erp', 'PO', 1000000, now())`,
    `insert into supply_commitment select supply_id, ${oneOf('order_line', 'order_id')}, 1, 1000000 from supply`,
  ],
  ['I3', 'a promise of a supply that is not there', `insert into supply_commitment values (77, 77, 1, 1)`],
  ['I4', 'an exposure above what is free', `update exposure set quantity = 100000 where sku_id = 1`],
  ['I4', 'a number above its exposure', `update channel_number set shown = shown + 100000 where sku_id = 1`],
  ['I4', 'a number on its way above its exposure', `update channel_number set sending = 100000 where sku_id = 1`],
  ['I5', 'a parked key whose record is gone', `delete from parked_record where class = 'no_original'`],
  ['I5', 'a parked record whose key was applied', `update inbound set state = 'a' where state = 'p'`],
  ['I5', 'a state that there is not', `update inbound set state = 'z' where key = 'S1'`],
  [
    'I5',
    'a key that became an order that is not there',
    `update inbound set subject = 999999 where scope = 'order/shop' and key = 'S1'`,
  ],
  [
    'I5',
    'a key that became another order',
    `update inbound set subject = (select subject from inbound where scope = 'order/shop' and key = 'S2') where scope = 'order/shop' and key = 'S1'`,
  ],
  [
    'I6',
    'a fact that nobody is told of',
    `delete from delivery where delivery_id = ${oneOf('delivery', 'delivery_id', "kind = 'fulfilment'")}`,
  ],
  [
    'I6',
    'a cancellation that nobody is told of',
    `delete from delivery where kind = 'order_cancellation'`,
    `insert into delivery (destination_id, bucket, key, kind, reference, fact_position, payload) values (1, 1, 0, 'order_cancellation', 'other', 0, '{}')`,
  ],
  [
    'I6',
    'one delivery twice',
    drop('delivery'),
    `insert into delivery (delivery_id, destination_id, bucket, key, kind, reference, fact_position, state, attempts, sent_at, ended_at, payload)
       overriding system value
       select delivery_id, destination_id, bucket, key, kind, reference, fact_position, state, attempts, sent_at, ended_at, payload
         from delivery where kind = 'charge'`,
  ],
  ['I6', 'a confirmed delivery that was never sent', `update delivery set sent_at = null where kind = 'charge'`],
  [
    'I6',
    'an order of a key that was not kept',
    `update delivery set state = 'n', ended_at = null where delivery_id = ${oneOf('delivery', 'delivery_id', "kind = 'sales_order'")}`,
  ],
  [
    'I7',
    'an ERP number that the ERP did not give',
    `update sales_order set erp_number = 'other' where order_id = ${oneOf('sales_order', 'order_id')}`,
  ],
  [
    'I7',
    'one ERP document for two orders',
    `update sales_order set erp_number = ${oneOf('sales_order', 'erp_number')}`,
  ],
  [
    'I7',
    'a fulfilment confirmed and forgotten',
    `update fulfilment set state = 'requested' where fulfilment_id = ${oneOf('fulfilment', 'fulfilment_id')}`,
  ],
  [
    'I7',
    'a shipment told of and not there',
    `delete from shipment where shipment_no = ${oneOf('shipment', 'shipment_no')}`,
  ],
  [
    'I8',
    'units that are nowhere',
    drop('order_line'),
    `update order_line set quantity = quantity + 1 where order_id = ${oneOf('order_line', 'order_id')}`,
  ],
  [
    'I8',
    'a fact that is missing',
    `delete from fact where stream = ${oneOf('fact', 'stream', "type = 'shipment.confirmed'")} and stream_version = 2`,
  ],
  [
    'I8',
    'a fact that was recorded twice',
    `insert into fact overriding system value select * from fact where type = 'shipment.confirmed'`,
  ],
  [
    'I8',
    'an order in a state its facts do not give',
    `update sales_order set state = 'accepted' where state = 'closed'`,
  ],
  ['I8', 'an order beyond its last fact', `update sales_order set version = version + 1`],
  ['I8', 'a line that its facts do not give', `update order_line set shipped = shipped - 1 where shipped > 0`],
  [
    'I8',
    'an order without facts',
    `delete from fact where stream = ${oneOf('fact', 'stream', "stream like 'order/%'")}`,
  ],
  [
    'I9',
    'a confirmation of a version that there was not',
    `update publication set confirmed_version = version + 1 where kind = 'availability'`,
  ],
  [
    'I9',
    'sending what is older than confirmed',
    `update publication set state = 's', sending_version = confirmed_version - 1 where kind = 'order_status'`,
  ],
  [
    'I9',
    'an order told backwards',
    `update delivery d set fact_position = o.fact_position
       from delivery o
      where o.order_id = d.order_id and o.destination_id = d.destination_id and o.key = d.key and o.delivery_id <> d.delivery_id`,
  ],
  ['I9', 'a balance that went back', `update stock_balance set version = 0`],
  [
    'I10',
    'a total that its lines do not give',
    `update sales_order set total_minor = total_minor + 1 where order_id = ${oneOf('sales_order', 'order_id')}`,
  ],
  [
    'I10',
    'a shipped amount beside the rule',
    `update order_line set shipped_minor = shipped_minor + 1 where shipped > 0`,
  ],
  [
    'I10',
    'a cancelled amount beside the rule',
    `update order_line set cancelled_minor = cancelled_minor + 1 where cancelled > 0`,
  ],
  [
    'I10',
    'an invoice whose lines give another total',
    `update invoice set total_minor = total_minor + 1 where kind = 'invoice'`,
  ],
  ['I10', 'an invoice that its order does not know', `delete from invoice where kind = 'invoice'`],
  ['I10', 'a credit note that its order does not know', `delete from invoice where kind = 'credit_note'`],
  ['I11', 'a message that is gone', `delete from raw_record where raw_id = ${oneOf('raw_record', 'raw_id')}`],
  ['I11', 'an item that its message does not hold', `update inbound set item_no = 99 where key = 'S1'`],
  ['I11', 'an order that no message brought', `delete from inbound where scope = 'order/shop' and key = 'S1'`],
  [
    'I11',
    'a movement that no message brought',
    `update stock_movement set source_id = 'from nowhere' where movement_id = ${oneOf('stock_movement', 'movement_id')}`,
  ],
  [
    'I11',
    'an answered hold that is not there',
    `insert into inbound values ('reservation/k', 'r1', 'a', 'f', 77, 0, 0)`,
  ],
];

test('tables that nothing analyzed since they grew are analyzed first', async () => {
  const one = await RolledBack.open(empty.url);
  const grown = `insert into sku (code) select 'STATISTICS-' || n from generate_series(1, 20000) as n`;
  const rows = await one.after([grown], (db) =>
    db.query(sql<{ name: string }>('stale', 'select crossdock_analyze_stale() as name')),
  );
  await one.close();
  expect(rows).toEqual([{ name: 'sku' }]);
});

describe('a broken promise is found', () => {
  test.each(corruptions)('%s: %s', async (name, _what, ...statements) => {
    const promises = await checkAfter(traded.url, ...statements);
    expect(promises[name].holds).toBe(false);
    expect(promises[name].violations).toBeGreaterThan(0);
    expect(promises[name].examples.length).toBeGreaterThan(0);
    expect(promises[name].examples.length).toBeLessThanOrEqual(5);
  });
});

test('a loss that is recorded as a shortage is no broken promise', async () => {
  const lose = [
    `update stock_balance set on_hand = on_hand - 100000 where sku_id = 1 and location_id = 1`,
    `update stock_movement set effect = effect - 100000, quantity = quantity - 100000
      where movement_id = (select movement_id from stock_movement where sku_id = 1 and location_id = 1 limit 1)`,
  ];
  const recorded = `insert into shortage (sku_id, location_id, quantity, cause) values (1, 1, 100000, 'fire')`;
  const without = await checkAfter(traded.url, ...lose);
  expect([without.I1.holds, without.I3.holds, without.I4.holds]).toEqual([true, false, false]);
  const withIt = await checkAfter(traded.url, ...lose, recorded);
  expect([withIt.I1.holds, withIt.I3.holds, withIt.I4.holds]).toEqual([true, true, true]);
});

test('a fact beyond the cursor is told later and breaks nothing', async () => {
  const promises = await checkAfter(
    traded.url,
    `delete from delivery where kind = 'charge'`,
    `update log_cursor set transaction_id = '0', position = 0 where consumer = 'outbound'`,
  );
  expect(promises.I6).toMatchObject({ holds: true });
});
