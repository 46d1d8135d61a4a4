import { describe, expect, it } from 'vitest';
import { fingerprint } from '../../canonical/index.ts';
import { type RecordMap, recordReader } from './records.ts';
import { timeIn } from './times.ts';

const orders: RecordMap = {
  as: 'order',
  fields: {
    externalNo: 'Order',
    account: 'Buyer',
    company: { value: 'DE' },
    currency: { from: 'Cur', value: 'EUR' },
    orderedAt: { from: 'Date', time: 'dd.MM.yyyy HH:mm', zone: 'Europe/Berlin' },
    sku: 'Item',
    quantity: { from: 'Qty', packs: { by: 'Unit', units: { ea: 1, doz: 12 } } },
    unitPrice: { from: 'Price', decimal: ',', thousands: '.' },
  },
};
const row = {
  ...{ Order: 'A1', Buyer: 'C9', Cur: '', Date: '01.03.2026 09:30' },
  ...{ Item: 'sku-1', Qty: '2', Unit: 'doz', Price: '1.234,50' },
};
const read = (rows: object[], map = orders) =>
  recordReader(map, 'map', 'erp', 'shop').read(
    rows.map((values, n) => ({ place: `/line/${n + 2}`, values: { ...values } })),
  );

it('rows with one order number are one order, with packs, decimal commas and local time read exactly', () => {
  const items = read([row, { ...row, Item: 'sku-2', Qty: '1', Unit: 'ea', Price: '0,1' }, { ...row, Order: 'A2' }]);
  expect(items.map(({ scope, key, itemNo }) => [scope, key, itemNo])).toEqual([
    ['order/shop', 'A1', 0],
    ['order/shop', 'A2', 1],
  ]);
  expect(items[0]!.command).toMatchObject({
    account: 'C9',
    company: 'DE',
    currency: 'EUR',
    orderedAt: '2026-03-01T08:30:00.000Z',
    lines: [
      { lineNo: 1, sku: 'SKU-1', quantity: 24, unitPrice: '1234.50' },
      { lineNo: 2, sku: 'SKU-2', quantity: 1, unitPrice: '0.1' },
    ],
  });
});

it.each([
  ['a unit that nobody mapped', { Unit: 'crate' }, 'is a unit that nobody mapped', '/line/3/Unit'],
  ['half a piece', { Qty: '1.5' }, 'must be a whole number', '/line/3/Qty'],
  ['letters', { Qty: 'two' }, 'must be a number with "." before its fraction', '/line/3/Qty'],
  [
    'a point where a comma is declared',
    { Price: '12.5' },
    'must be a number with "," before its fraction',
    '/line/3/Price',
  ],
  ['30 February', { Date: '30.02.2026 09:30' }, 'must be a time like dd.MM.yyyy HH:mm', '/line/3/Date'],
  ['an hour that was leapt over', { Date: '29.03.2026 02:30' }, 'must be a time like dd.MM.yyyy HH:mm', '/line/3/Date'],
  [
    'bytes of another encoding',
    { Item: 'caf\ufffd' },
    'is not in the declared encoding: change it in the estate or ask for the agreed one',
    '/line/3/Item',
  ],
])('%s parks its order alone, under its own number', (_, change, reason, place) => {
  const items = read([row, { ...row, Order: 'A2', ...change }, { ...row, Order: 'A3' }]);
  expect(items.map(({ key, unreadable }) => [key, unreadable === undefined])).toEqual([
    ['A1', true],
    ['A2', false],
    ['A3', true],
  ]);
  expect(items[1]!.unreadable).toMatchObject({ reason, place });
});

it('a line that differs from its order in what an order has once parks the order', () => {
  const [found] = read([row, { ...row, Buyer: 'C8' }]);
  expect(found!.unreadable).toMatchObject({ reason: 'differs between lines of one record', place: '/line/3/account' });
});

it('counts without an id are told apart by the revision they are read under, not by where they stand', () => {
  const fields = { sku: 'S', location: { value: 'DC' }, quantity: 'Q', occurredAt: { value: '2026-01-01T00:00:00Z' } };
  const reader = recordReader({ as: 'counted', fields }, 'map', 'erp', null);
  const at = (place: string) => [{ place, values: { S: 'a', Q: '5.000' } }];
  expect(reader.read(at('/line/1'), '7')[0]).toMatchObject({
    key: 'A@DC 7',
    command: { movement: 'counted', quantity: 5 },
  });
  expect(reader.read(at('/line/9'), '7')[0]!.fingerprint).toBe(reader.read(at('/line/1'), '7')[0]!.fingerprint);
});

it('invoices hold minor units, and no amount is rounded', () => {
  const names = ['number', 'order', 'currency', 'total', 'occurredAt', 'lineNo', 'quantity', 'amount'];
  const map: RecordMap = { as: 'invoice', fields: Object.fromEntries(names.map((name) => [name, name])) };
  const invoice = {
    number: 'I1',
    order: 'shop/A1',
    currency: 'EUR',
    total: '10.50',
    occurredAt: '2026-01-01T00:00:00Z',
  };
  const line = { lineNo: '1', quantity: '3', amount: '10.5' };
  expect(read([{ ...invoice, ...line }], map)[0]!.command).toMatchObject({
    totalMinor: 1050,
    lines: [{ amountMinor: 1050 }],
  });
  expect(read([{ ...invoice, ...line, amount: '10.505' }], map)[0]!.unreadable?.reason).toBe(
    'must be an amount in EUR, not negative and with no more places than that has',
  );
});

it.each([
  [{ as: 'order', fields: {} }, 'map.fields.externalNo is missing: order needs it'],
  [{ ...orders, fields: { ...orders.fields, colour: 'C' } }, 'map.fields.colour is no field of order'],
  [{ ...orders, fields: { ...orders.fields, sku: {} } }, 'map.fields.sku needs from or value'],
  [
    { ...orders, fields: { ...orders.fields, orderedAt: { from: 'D', zone: 'Mars/Base' } } },
    'a zone that nobody knows',
  ],
] as [RecordMap, string][])('a map that could not work is refused before anything is read', (map, error) => {
  expect(() => recordReader(map, 'map', 'erp', 'shop')).toThrow(error);
});

describe('local times', () => {
  it.each([
    ['2026-07-01 12:00', 'Europe/Berlin', '2026-07-01T10:00:00.000Z'],
    ['2026-10-25 02:30', 'Europe/Berlin', '2026-10-25T00:30:00.000Z'],
    ['2026-10-25 03:30', 'Europe/Berlin', '2026-10-25T02:30:00.000Z'],
    ['2026-03-29 03:30', 'Europe/Berlin', '2026-03-29T01:30:00.000Z'],
    ['2026-03-08 02:30', 'America/New_York', null],
    ['2026-01-01 24:00', 'UTC', null],
  ])('%s in %s is %s', (text, zone, utc) => expect(timeIn(text, 'yyyy-MM-dd HH:mm', zone)).toBe(utc));

  it('a day is its beginning where it is', () => {
    expect(timeIn('20260701', 'yyyyMMdd', 'America/Chicago')).toBe('2026-07-01T05:00:00.000Z');
  });
});

it('a record without a readable key is known by a digest of its rows for ever', () => {
  const [item] = read([{ ...row, Order: 'a\ufffd' }]);
  expect(item!.key).toBe(`unreadable:${fingerprint('v1', [{ ...row, Order: 'a\ufffd' }])}`);
});

const owed: RecordMap = {
  as: 'credit',
  fields: {
    account: 'Debitor',
    company: { value: 'DE' },
    currency: { from: 'Cur', value: 'EUR' },
    limit: { from: 'Limit', decimal: ',', thousands: '.' },
    openOrders: { from: 'Orders', decimal: ',' },
    openInvoices: { from: 'Invoices', decimal: ',' },
    asOf: { from: 'At', time: 'dd.MM.yyyy HH:mm', zone: 'Europe/Berlin' },
    orders: 'Contains',
  },
};
const debitor = {
  Debitor: 'C9',
  Cur: '',
  Limit: '12.500,50',
  Orders: '100,5',
  Invoices: '-20',
  At: '01.03.2026 09:30',
};

it('what an account owes is read in the minor units of its currency; without a limit it has none, without a list nobody knows', () => {
  const [item, free, yen] = read(
    [
      { ...debitor, Contains: 'shop/A1 shop/A2' },
      { ...debitor, Debitor: 'C10', Limit: '' },
      { ...debitor, Debitor: 'C11', Cur: 'JPY', Limit: '500', Orders: '7', Invoices: '0' },
    ],
    owed,
  );
  expect([item!.scope, item!.key]).toEqual(['credit/erp', 'DE/C9 2026-03-01T08:30:00.000Z']);
  expect(item!.command).toEqual({
    ...{ kind: 'credit.reported', account: 'C9', company: 'DE', currency: 'EUR', limitMinor: 1_250_050 },
    ...{ openOrdersMinor: 10_050, openInvoicesMinor: -2_000, asOf: '2026-03-01T08:30:00.000Z' },
    orders: ['shop/A1', 'shop/A2'],
  });
  expect(free!.command).toMatchObject({ limitMinor: null });
  expect(free!.command).not.toHaveProperty('orders');
  expect(yen!.command).toMatchObject({ limitMinor: 500, openOrdersMinor: 7 });
});

it.each([
  ['more places than the currency has', { Cur: 'JPY', Orders: '7,5' }, 'openOrders'],
  ['less than nothing ordered', { Orders: '-1' }, 'openOrders'],
])('%s is unreadable, and named', (_, wrong, place) => {
  const [item] = read([{ ...debitor, Limit: '5', ...wrong }], owed);
  expect(item!.unreadable).toMatchObject({ place: expect.stringContaining(place) });
  expect(item!.key).toBe('DE/C9 2026-03-01T08:30:00.000Z');
});
