/** Lies about what the hub holds: I1 to I5. */
import { first, type NamedLie, one, shelf } from './lie.ts';

export const liesHeld: NamedLie[] = [
  [
    'I1',
    'goods that no movement brought',
    { sql: [`update stock_balance set on_hand = on_hand + 1 where ${shelf('on_hand > 5')}`] },
    /on hand \d+, its movements give \d+/,
  ],
  [
    'I1',
    'a movement that is gone',
    { sql: [`delete from stock_movement where ${one('stock_movement', 'movement_id', 'effect <> 0')}`] },
    /its movements give/,
  ],
  [
    'I1',
    'goods that the WMS does not have',
    { says: ['wms', 'stock', first((stock) => (stock.onHand -= 1))] },
    /on hand \d+, the WMS holds/,
  ],
  [
    'I1',
    'a shelf that only the WMS knows',
    { says: ['wms', 'stock', (stock) => void stock.push({ key: 'ZZZ/1', onHand: 3 })] },
    /^ZZZ\/1: the WMS holds 3/,
  ],
  [
    'I2',
    'reserved without a reservation',
    { sql: [`update stock_balance set reserved = reserved + 1 where ${shelf('on_hand > 5')}`] },
    /reserved 1, open 0/,
  ],
  [
    'I2',
    'an allocation that nobody counts',
    {
      sql: [
        `update allocation set open_quantity = 1 where ${one('allocation', 'order_id, line_no, allocation_id', 'open_quantity = 0')}`,
      ],
    },
    /units fewer allocated than its allocations say/,
  ],
  [
    'I2',
    'set aside and not counted',
    {
      sql: [`update exposure set quantity = quantity + 1 where ${one('exposure', 'channel_id, sku_id, location_id')}`],
    },
    /exposed \d+, set aside \d+/,
  ],
  [
    'I2',
    'work that nobody allocated',
    { says: ['wms', 'fulfilments', first((each) => (each.lines[0].quantity += 9_999))] },
    /the WMS has to pick \d+, \d+ are allocated/,
  ],
  [
    'I3',
    'promised beyond the shelf',
    { sql: [`update stock_balance set allocated = on_hand + 1 where ${shelf('on_hand > 0')}`] },
    /promised of/,
  ],
  [
    'I3',
    'a shortage that nobody owns',
    {
      sql: [
        "insert into shortage (sku_id, location_id, quantity, cause, owner) select sku_id, location_id, 1, 'x', '' from stock_balance limit 1",
      ],
    },
    /has no owner/,
  ],
  [
    'I3',
    'picks beyond the shelf',
    { says: ['wms', 'stats', first((stats) => (stats.askedBeyondStock = 7))] },
    /asked for 7 units beyond/,
  ],
  [
    'I3',
    'work beyond the shelf',
    { says: ['wms', 'fulfilments', first((each) => (each.lines[0].quantity += 9_999))] },
    /has to pick \d+ and holds/,
  ],
  [
    'I3',
    'the same supply promised twice',
    { sql: ['insert into supply_commitment (supply_id, order_id, line_no, quantity) values (1, 1, 1, 5)'] },
    /supply 1: 5 units promised beyond/,
  ],
  [
    'I4',
    'a number beyond what is set aside',
    { says: ['shop', 'numbers', first((number) => (number.available += 10_000))] },
    /shop shows \d+ of \S+, \d+ are set aside/,
  ],
  [
    'I4',
    'set aside for nobody',
    {
      sql: [
        "update exposure set quantity = 0 where channel_id = (select channel_id from channel where code = 'marketplace')",
      ],
    },
    /marketplace shows/,
  ],
  [
    'I4',
    'set aside beyond the shelf',
    { sql: [`update stock_balance set safety_stock = on_hand where ${shelf('exposed > 0')}`] },
    /set aside \+/,
  ],
  [
    'I5',
    'applied and waiting',
    { sql: [`update inbound set state = 'w' where ${one('inbound', 'scope, key', "scope like 'order/%'")}`] },
    /is w and has its effect all the same/,
  ],
  [
    'I5',
    'parked and nowhere',
    { sql: [`update inbound set state = 'p' where ${one('inbound', 'scope, key', "scope like 'shipped/%'")}`] },
    /is p and has 0 open parked/,
  ],
  [
    'I5',
    'applied and parked',
    {
      sql: [
        "insert into parked_record (scope, key, system, class, reason, item, raw_id, item_no) select scope, key, 'x', 'x', 'x', '{}', raw_id, item_no from inbound where state = 'a' limit 1",
      ],
    },
    /is a and has 1 open parked/,
  ],
  [
    'I5',
    'in no state',
    { sql: [`update inbound set state = 'z' where ${one('inbound', 'scope, key')}`] },
    /is in no state \(z\)/,
  ],
  [
    'I5',
    'a key that is gone',
    { sql: [`delete from inbound where ${one('inbound', 'scope, key', "scope like 'document/%'")}`] },
    /is in no state: no key document\/erp/,
  ],
];
