/** Lies about what it told and was told: I6 to I11. */
import { again, anOrder, aShipment, first, type NamedLie, one, remove } from './lie.ts';

export const liesTold: NamedLie[] = [
  [
    'I6',
    'a shipment of which nobody is told',
    { sql: [`delete from delivery where ${aShipment}`] },
    /is in no state for erp: read, and no delivery/,
  ],
  [
    'I6',
    'a shipment that is told twice',
    {
      sql: [
        `insert into delivery (destination_id, bucket, key, kind, reference, fact_position, payload) select destination_id, bucket, key, kind, 'twice', fact_position, payload from delivery where ${aShipment}`,
      ],
    },
    /has 2 deliveries to erp/,
  ],
  [
    'I6',
    'told, and still to be read',
    { sql: ["update log_cursor set transaction_id = '1', position = 0 where consumer = 'outbound'"] },
    /lies beyond the cursor, too/,
  ],
  [
    'I6',
    'a delivery in no state',
    { sql: [`update delivery set state = 'q' where ${aShipment}`] },
    /is in no state \(q\)/,
  ],
  [
    'I6',
    'pending and ended',
    { sql: [`update delivery set state = 'n' where ${aShipment}`] },
    /is pending and has ended/,
  ],
  [
    'I6',
    'a status that nobody will tell',
    {
      sql: [
        `update publication set version = 1, confirmed_version = 1 where ${one('publication', 'destination_id, kind, key', "kind = 'order_status'")}`,
      ],
    },
    /is neither told nor to be told/,
  ],
  [
    'I6',
    'a price that nobody hears of',
    { sql: [`delete from publication where ${one('publication', 'destination_id, kind, key', "kind = 'price'")}`] },
    /price of \S+ is in no state for/,
  ],
  ['I7', 'an order that the ERP lost', { says: ['erp', 'orders', remove] }, /erp: order \S+ was confirmed and is lost/],
  [
    'I7',
    'an order twice',
    { says: ['erp', 'orders', first((order) => (order.count = 2))] },
    /erp: order \S+ is there 2 times/,
  ],
  [
    'I7',
    'an invoice twice',
    { says: ['erp', 'events', again((record) => record.kind === 'invoice')] },
    /erp: invoice of \S+ is there 2 times/,
  ],
  [
    'I7',
    'a fulfilment that nobody asked for',
    { says: ['wms', 'fulfilments', (all) => void all.push({ ...all[0], key: 'FZ' })] },
    /wms: fulfilment FZ, of which the hub told nothing/,
  ],
  [
    'I7',
    'a fulfilment that was never sent',
    {
      sql: [
        `update delivery set state = 'n', sent_at = null, ended_at = null where ${one('delivery', 'delivery_id', "kind = 'fulfilment'")}`,
      ],
    },
    /wms: fulfilment \S+ is there and was never sent/,
  ],
  [
    'I7',
    'a cancellation that was made twice',
    { kept: ['erp', { do: 'cancellation', reference: 'C/999/9' }] },
    /erp: cancellation C\/999\/9, of which the hub told nothing/,
  ],
  ['I7', 'an order that the CRM lost', { says: ['crm', 'orders', remove] }, /crm: order \S+ is lost/],
  [
    'I7',
    'a sale that the hub never heard of',
    {
      sql: [
        `delete from sales_order where ${one('sales_order', 'order_id', "channel_id = (select channel_id from channel where code = 'shop')")}`,
      ],
    },
    /shop: order \S+, which the hub does not have/,
  ],
  [
    'I8',
    'an order that moved back',
    { sql: [`update sales_order set state = 'accepted' where ${anOrder}`] },
    /state: accepted instead of closed/,
  ],
  [
    'I8',
    'a fact that is missing',
    {
      sql: [
        "delete from fact where (stream, stream_version) = (select stream, stream_version from fact where type = 'stock.picked' order by stream limit 1)",
      ],
    },
    /version \d+ follows \d+/,
  ],
  [
    'I8',
    'stock for an order that was done',
    {
      sql: [
        `update fact set type = 'order.lines_allocated' where position = (select max(position) from fact where type = 'document.posted' and stream = (select 'order/' || order_id from sales_order where ${anOrder}))`,
      ],
    },
    /order.lines_allocated meets an order that is/,
  ],
  [
    'I8',
    'units that no fact moved',
    {
      sql: [
        `update order_line set shipped = shipped - 1 where ${one('order_line', 'order_id, line_no', 'shipped > 0')}`,
      ],
    },
    /shipped \d+, its facts give/,
  ],
  [
    'I8',
    'a state that was told after a later one',
    { kept: ['crm', { do: 'upsert', id: 'api/x', version: 9, status: 'nonsense' }] },
    /was told nonsense, which is no state/,
  ],
  [
    'I9',
    'an older status over a newer one',
    { kept: ['shop', { do: 'price', sku: '20000B', version: 0, unitPrice: '1', currency: 'GBP' }] },
    /shop: price of 20000B went back from version \d+ to 0/,
  ],
  [
    'I9',
    'less than the hub calls confirmed',
    { says: ['crm', 'orders', first((order) => (order.version -= 1))] },
    /confirmed \d+, the endpoint holds \d+/,
  ],
  [
    'I9',
    'confirmed beyond what there is',
    {
      sql: [
        `update publication set confirmed_version = version + 1 where ${one('publication', 'destination_id, kind, key')}`,
      ],
    },
    /beyond version/,
  ],
  [
    'I10',
    'an order that is not the sum of its lines',
    { sql: [`update sales_order set total_minor = total_minor + 1 where ${anOrder}`] },
    /total: \d+ instead of \d+/,
  ],
  [
    'I10',
    'a line at another price',
    { sql: [`update order_line set amount_minor = amount_minor + 1 where ${one('order_line', 'order_id, line_no')}`] },
    /amount: \d+ instead of \d+/,
  ],
  [
    'I10',
    'an ERP that is a penny off',
    { says: ['erp', 'orders', first((order) => (order.lines[0].amountMinor += 1))] },
    /^erp: \S+: \d+ instead of \d+/,
  ],
  [
    'I10',
    'a CRM that is a penny off',
    { says: ['crm', 'orders', first((order) => (order.totalMinor += 1))] },
    /^crm: \S+ comes to/,
  ],
  [
    'I10',
    'a channel with another price',
    { says: ['marketplace', 'orders', first((order) => (order.lines[0].unitPrice = '0.01'))] },
    /^marketplace: \S+: \d+ instead of \d+/,
  ],
  [
    'I10',
    'another currency',
    { says: ['erp', 'orders', first((order) => (order.currency = 'EUR'))] },
    /is in EUR instead of GBP/,
  ],
  [
    'I10',
    'an invoice of another amount',
    { says: ['erp', 'events', first((record) => (record.lines[0].amountMinor += 1))] },
    /lines: .* in the hub, .* in the ERP/,
  ],
  [
    'I10',
    'an invoice that was never posted',
    {
      sql: [
        "insert into invoice (invoice_no, source, kind, order_id, currency, total_minor, lines, posted_at, order_version) values ('INV-Z', 'erp', 'invoice', 1, 'GBP', 0, '[]', now(), 1)",
      ],
    },
    /invoice erp\/INV-Z is in the hub and was never posted/,
  ],
  [
    'I11',
    'an order that was answered and is gone',
    {
      answered: {
        route: 'orders',
        key: 'k',
        body: { channel: 'api', externalNo: 'gone' },
        answer: { orderId: '99', lines: [] },
      },
    },
    /order api\/gone was answered as 99 and is not there/,
  ],
  [
    'I11',
    'a charge that was answered and is gone',
    {
      answered: {
        route: 'charges',
        key: 'k',
        body: { charges: [{ reference: 'gone/1' }] },
        answer: { results: [{ status: 201 }] },
      },
    },
    /charges gone\/1 of the API was taken and is not there/,
  ],
  [
    'I11',
    'a product that was answered and is gone',
    {
      answered: {
        route: 'products',
        key: 'k',
        body: { products: [{ sku: 'GONE' }] },
        answer: { results: [{ status: 201 }] },
      },
    },
    /products GONE was taken and is not there/,
  ],
  [
    'I11',
    'a hold that was answered and is gone',
    {
      answered: {
        route: 'reservations',
        key: 'k',
        body: {},
        answer: { reservationId: '99999', lines: [{ quantity: 2 }] },
      },
    },
    /hold k was answered with 2 units, none are there/,
  ],
  [
    'I11',
    'a record of a feed that nobody has',
    { says: ['shop', 'events', again((record) => record.type === 'order', { number: 'gone' })] },
    /order gone of shop was taken and is not there/,
  ],
  [
    'I11',
    'an order that is gone and its key is not',
    { sql: [`delete from sales_order where ${anOrder}`] },
    /is applied and nothing of it is there/,
  ],
  [
    'I11',
    'a message that is gone',
    { sql: [`delete from raw_record where ${one('raw_record', 'raw_id', "system = 'wms'")}`] },
    /came in message \d+, which is not there/,
  ],
];
