/** Rows as LedgerSMB 1.6.33 gave them (its demonstration data; nobody's). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ChangesBody, SalesOrderPayload, SqlRow } from '../kit/index.ts';
import {
  mapAccountChanges,
  mapAccounts,
  mapLines,
  mapOrders,
  mapProductChanges,
  mapProducts,
  mapStock,
  perPiece,
} from './map.ts';

const rows = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/rows.json'), 'utf8')) as Record<
  'parts' | 'accounts' | 'stock' | 'orders',
  SqlRow[]
>;
const settings = { company: 'US', location: 'DC-EAST', units: { ea: 1, doz: 12 } };
const body = (found: SqlRow[], key: string): ChangesBody => {
  const changes = [...new Set(found.map((row) => row[key]!))].map((name) => ({
    key: [name],
    rows: found.filter((row) => row[key] === name),
  }));
  return { revision: '7', readAt: '2026-03-01T09:00:00.000Z', changes };
};

it('a credit limit of 0 is none; stray spaces go; duplicates are named by their tax id', () => {
  const found = mapAccounts(rows.accounts);
  expect(
    found.map(({ account, name, creditLimitMinor, sameTaxId }) => [account, name, creditLimitMinor, sameTaxId]),
  ).toEqual([
    ['100005', 'Customer 005 LLC', 50_000, []],
    ['100007', 'Customer 007 LLC', null, []],
    ['100010', 'Customer 010 LLC', 50_000, []],
    ['100011', 'CUSTOMER 010 L.L.C.', 25_000_000, ['100010']],
    ['100013', 'Customer 013 LLC', 25_000_000, []],
    ['100017', 'Customer 017 LLC', 25_000_000, []],
  ]);
});

it('parts have their unit and how many pieces that is', () => {
  expect(
    mapProducts(rows.parts, settings).map(({ sku, pieces, sellPrice, isObsolete }) => [
      sku,
      pieces,
      sellPrice,
      isObsolete,
    ]),
  ).toEqual([
    ['SKU0001', 1, '6.37', false],
    ['SKU0006', 12, '13.22', false],
    ['SKU0010-OLD', 1, '18.7', true],
  ]);
});

it('products and prices are facts of the moment they were read; what is obsolete is none', () => {
  const items = mapProductChanges(
    body(
      rows.parts.map((row) => ({ ...row, curr: 'USD' })),
      'partnumber',
    ),
    'legacy',
    settings,
  );
  expect(items.map(({ command, unreadable }) => unreadable?.reason ?? command)).toEqual([
    { kind: 'product.changed', sku: 'SKU0001', description: 'ITEM 1 (safety)', changedAt: '2026-03-01T09:00:00.000Z' },
    {
      kind: 'price.changed',
      sku: 'SKU0001',
      company: 'US',
      currency: 'USD',
      unitPrice: '6.37',
      changedAt: '2026-03-01T09:00:00.000Z',
    },
    {
      kind: 'product.changed',
      sku: 'SKU0006',
      description: 'ITEM 6 (electrical)',
      changedAt: '2026-03-01T09:00:00.000Z',
    },
    'has no exact price a piece: 13.22 for 12',
  ]);
});

it('two customers of one number are parked; one has its name without stray spaces', () => {
  const [first] = rows.accounts;
  const items = mapAccountChanges(body([first!, { ...first! }, rows.accounts[4]!], 'meta_number'), 'legacy', settings);
  expect(items.map(({ command, unreadable }) => unreadable?.reason ?? (command as { name: string }).name)).toEqual([
    'is the number of more than one customer',
    'Customer 013 LLC',
  ]);
});

it('stock is in pieces; less than nothing is parked; what is gone is 0', () => {
  const changes = body(rows.stock, 'partnumber');
  changes.changes.push({ key: ['sku0099'], rows: [] });
  const items = mapStock(changes, 'legacy', settings);
  expect(
    items.map(({ key, command, unreadable }) => [
      key,
      unreadable?.reason ?? (command as { quantity: number }).quantity,
    ]),
  ).toEqual([
    ['SKU0001@DC-EAST 7', 51],
    ['SKU0009@DC-EAST 7', expect.stringContaining('must be given from 0')],
    ['SKU0006@DC-EAST 7', 2_472],
    ['SKU0099@DC-EAST 7', 0],
  ]);
});

describe('orders', () => {
  it('have what is still to be shipped, in pieces, at a price that makes the same amount', () => {
    const items = mapOrders(body(rows.orders, 'ordnumber'), 'legacy', settings);
    expect(items.map(({ scope, key }) => `${scope} ${key}`)).toEqual([
      'order/legacy SO000180',
      'order/legacy SO000120',
    ]);
    expect(items[1]!.command).toMatchObject({
      account: '100001',
      orderedAt: '2026-05-01T00:00:00.000Z',
      lines: [
        { lineNo: 1, sku: 'SKU0028', quantity: 2, unitPrice: '43.36' },
        { lineNo: 2, sku: 'SKU0041', quantity: 3, unitPrice: '61.17' },
        { lineNo: 3, sku: 'SKU0054', quantity: 48, unitPrice: '6.581667' },
      ],
    });
  });

  it.each([
    ['a unit nobody mapped', { unit: 'crate' }, 'is a unit that nobody mapped'],
    ['half a piece', { quantity: '1.5' }, 'must be a whole number'],
    [
      'a price a piece that makes another amount',
      { unit: 'doz', quantity: '9000', price: '0.05' },
      'has no price a piece that makes the same amount: 0.05 for 12',
    ],
  ])('with %s are parked alone', (_, change, reason) => {
    const changed = rows.orders.map((row) => (row.ordnumber === 'SO000180' ? { ...row, ...change } : row));
    const items = mapOrders(body(changed, 'ordnumber'), 'legacy', settings);
    expect(items.map(({ unreadable }) => unreadable?.reason)).toEqual([reason, undefined]);
  });
});

it('a price a piece is rounded to six places, half up', () => {
  expect([perPiece('1', 3), perPiece('2', 3), perPiece('0.000006', 12), perPiece('6.37', 1)]).toEqual([
    '0.333333',
    '0.666667',
    '0.000001',
    '6.37',
  ]);
});

it('an order that the ledger would round to another amount is refused', () => {
  const parts = new Map([['A', [{ id: '1', partnumber: 'a', unit: 'ea', obsolete: 'false' }]]]);
  const line = { sku: 'A', quantity: 1, unitPrice: '0.005', amountMinor: 1 };
  const payload = {
    totalMinor: 2,
    lines: [
      { ...line, lineNo: 1 },
      { ...line, lineNo: 2 },
    ],
  } as SalesOrderPayload;
  expect(() => mapLines(payload, parts, settings)).toThrow(
    'the ledger makes 1 of what is 2 here: it rounds the sum, not the lines',
  );
});
