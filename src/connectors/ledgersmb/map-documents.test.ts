/** Rows as the feed of invoices gives them (LedgerSMB 1.6.33, demonstration data), and documents of the hub. */
import { describe, expect, it } from 'vitest';
import type { ChangesBody, SqlRow } from '../kit/index.ts';
import { mapDocumentLines, mapInvoices, minorOf, moneyText, numbered, orderMinor } from './map-documents.ts';
import { notesIn, readNote } from './notes.ts';

const settings = { company: 'US', location: 'DC-EAST', units: { ea: 1, doz: 12 } };
const rows: SqlRow[] = [
  { id: '71', parts_id: '1', partnumber: 'sku0001', unit: 'ea', qty: '12', ship: '0', price: '6.37' },
  { id: '72', parts_id: '6', partnumber: 'sku0006', unit: 'doz', qty: '2', ship: '0', price: '13.2' },
];
const ours = numbered(rows, readNote('crossdock:shop/1\r\nlines 1,3\r\nhello'), 'SO1');

describe('notes', () => {
  it('are read with the ends of lines that browsers make, and with what people wrote below', () => {
    expect(readNote('crossdock:shop/1\r\nlines 1,3\r\ncall them')).toEqual({
      reference: 'shop/1',
      order: undefined,
      lineNos: [1, 3],
    });
    expect(readNote('crossdock:shipment_posting/wms/1\norder shop/1\nlines 2')).toEqual({
      reference: 'shipment_posting/wms/1',
      order: 'shop/1',
      lineNos: [2],
    });
    expect(notesIn('a\r\nb')).toEqual(['a', 'b']);
  });

  it('of others say nothing, whatever stands in them', () => {
    for (const text of [null, '', 'order shop/1\nlines 1', 'see crossdock:shop/1'])
      expect(readNote(text)).toEqual({ reference: undefined, order: undefined, lineNos: undefined });
    expect(readNote('crossdock:shop/1\nlines 1,x').lineNos).toBeUndefined();
  });
});

describe('lines of a document', () => {
  const map = (lineNo: number, quantity: number, amountMinor: number) =>
    mapDocumentLines([{ lineNo, quantity, amountMinor }], ours, settings)[0]!;

  it.each([
    ['the price of the order where it makes the amount', 1, 12, 7644, 12, '6.37'],
    ['a unit of twelve', 3, 24, 2640, 2, '13.2'],
    ['a share that no price in cents makes', 1, 3, 1000, 3, '3.333333'],
    ['nothing', 1, 3, 0, 3, '0.000000'],
  ])('have %s', (_, lineNo, quantity, amount, count, price) => {
    expect(map(lineNo, quantity, amount)).toMatchObject({ count, price, amountMinor: amount });
  });

  it.each([
    ['a line it lacks', 2, 1, 1, 'the order has no line 2'],
    ['half a dozen', 3, 6, 660, 'no whole number of "doz" (12)'],
    [
      'so many that a price of six places loses what the ledger would drop',
      1,
      100_001,
      33_333,
      'no price to six places',
    ],
  ])('%s is refused', (_, lineNo, quantity, amount, reason) => {
    expect(() => map(lineNo, quantity, amount)).toThrow(reason);
  });

  it('are those of an order nobody changed', () => {
    expect(ours.map(({ lineNo }) => lineNo)).toEqual(['1', '3']);
    expect(numbered(rows, readNote(null), 'SO1').map(({ lineNo }) => lineNo)).toEqual(['1', '2']);
    expect(() => numbered(rows.slice(1), readNote('crossdock:x\nlines 1,3'), 'SO1')).toThrow(
      'order SO1 was changed there: it has 1 lines, and 2 were written',
    );
  });
});

it('what is left of an order is rounded once, as its screen does', () => {
  const half = [1, 2].map((id) => ({ id: String(id), qty: '1', price: '0.005' }));
  expect(orderMinor(half, new Map())).toBe(1);
  expect(orderMinor(rows, new Map([['71', 10]]))).toBe(1274 + 2640);
});

it('money is written and read to the cent', () => {
  expect([0, 5, -5, 123, -12_345].map(moneyText)).toEqual(['0.00', '0.05', '-0.05', '1.23', '-123.45']);
  expect(['0', '0.5', '-0.05', '-0.00', '123.45'].map((text) => minorOf(text, '/x'))).toEqual([0, 50, -5, 0, 12_345]);
  for (const text of ['0.005', 'NaN', '', null, '1e3'])
    expect(() => minorOf(text, '/x')).toThrow('must be an amount in cents');
});

describe('posted invoices', () => {
  const row = (more: Partial<SqlRow> = {}): SqlRow => ({
    ...{ invnumber: '2', intnotes: null, curr: 'USD', own_curr: 'USD', transdate: '2026-03-02', netamount: '76.44' },
    ...{ reverse: 'false', ordnumber: 'SO1', orders: '1', order_note: null, line_id: '5', partnumber: 'sku0001' },
    ...{ unit: 'ea', quantity: '12', amount: '76.44', rows: '1', service: 'false' },
    ...more,
  });
  const map = (given: SqlRow[], channel: string | null = 'legacy') => {
    const body: ChangesBody = { revision: '1', readAt: '2026-03-03T00:00:00Z', changes: [{ key: ['2'], rows: given }] };
    return mapInvoices(body, 'ledger', channel, settings).map(
      ({ command, unreadable }) => unreadable?.reason ?? command,
    );
  };
  const told = {
    ...{ kind: 'document.posted', document: 'invoice', number: '2', order: 'legacy/SO1', currency: 'USD' },
    ...{ totalMinor: 7644, occurredAt: '2026-03-02T00:00:00.000Z' },
    lines: [{ lineNo: 1, quantity: 12, amountMinor: 7644 }],
  };

  it('are told of the order that they name; freight that nobody ordered is no line of it', () => {
    expect(map([row()])).toEqual([told]);
    const freight = row({
      line_id: '6',
      partnumber: 'FREIGHT',
      rows: null,
      service: 'true',
      amount: '9.00',
      quantity: '1',
    });
    expect(map([row({ netamount: '85.44' }), { ...freight, netamount: '85.44' }])).toEqual([told]);
  });

  it('have the line numbers that the hub knows, also where its order has gaps', () => {
    const order_note = 'crossdock:shop/1\nlines 1,3';
    const line = { lineNo: 3, quantity: 12, amountMinor: 7644 };
    expect(map([row({ order_note, rows: '2' })], null)).toEqual([{ ...told, order: 'shop/1', lines: [line] }]);
    const intnotes = 'crossdock:shipment_posting/wms/1\norder shop/1\nlines 3';
    expect(map([row({ intnotes, rows: '1', order_note })], null)).toEqual([
      { ...told, order: 'shop/1', lines: [line] },
    ]);
  });

  it('that are reversed are credit notes', () => {
    const back = { reverse: 'true', quantity: '-12', amount: '-76.44', netamount: '-76.44' };
    expect(map([row(back)])).toEqual([{ ...told, document: 'credit_note' }]);
  });

  it('of no order that is known here are nobody’s news', () => {
    expect(map([row()], null)).toEqual([]);
    expect(map([row({ intnotes: 'crossdock:charge/fee/1' })])).toEqual([]);
  });

  it.each<[string, Partial<SqlRow>, string]>([
    ['two orders of one number', { orders: '2' }, 'is the number of 2 orders'],
    ['a currency at a rate', { curr: 'EUR' }, 'is at a rate'],
    ['a part that stands on two lines', { rows: '1,3' }, 'stands on 2 lines of the order'],
    ['goods that nobody ordered', { rows: null }, 'stands on no line of the order'],
    ['a line of the other sign', { quantity: '-12', amount: '-76.44' }, 'must be all of one sign'],
    ['lines that make another sum', { netamount: '76.45' }, 'its lines make 7644 of 7645'],
    ['half a piece', { quantity: '0.5' }, 'must be a whole number'],
    ['a unit nobody mapped', { unit: 'box' }, 'is a unit that nobody mapped'],
    ['only freight', { rows: null, service: 'true' }, 'has no line of its order'],
    ['an amount of less than cents', { amount: '76.444' }, 'must be an amount in cents'],
    ['a day that is none', { transdate: 'infinity' }, 'must be an RFC 3339 time'],
  ])('with %s are parked alone', (_, more, reason) => {
    expect(map([row(more)])).toEqual([expect.stringContaining(reason)]);
  });
});
