import { expect, it } from 'vitest';
import broken from './fixtures/broken.json' with { type: 'json' };
import page from './fixtures/documents.json' with { type: 'json' };
import { mapDocuments } from './map.ts';

it('an invoice and a credit note are documents under kind and number', () => {
  const items = mapDocuments(page.records, 'erp');
  expect(items.map(({ scope, key, itemNo }) => [scope, key, itemNo])).toEqual([
    ['document/erp', 'invoice/INV-1', 0],
    ['document/erp', 'credit_note/CRN-1', 1],
  ]);
  expect(items[0]!.command).toEqual({
    kind: 'document.posted',
    document: 'invoice',
    number: 'INV-1',
    order: 'shop/536365',
    currency: 'GBP',
    totalMinor: 3564,
    occurredAt: '2026-03-01T09:30:00.120Z',
    lines: [
      { lineNo: 1, quantity: 6, amountMinor: 1530 },
      { lineNo: 2, quantity: 6, amountMinor: 2034 },
    ],
  });
});

it('what can not be read says what and where, and its neighbours are read', () => {
  const items = mapDocuments(broken.records, 'erp');
  expect(items.map(({ key, unreadable }) => [key.slice(0, 14), unreadable?.place])).toEqual([
    ['unreadable:v1:', '/records/0/kind'],
    ['invoice/INV-2', '/records/1/lines/0/amountMinor'],
    ['invoice/INV-3', '/records/2/order'],
    ['unreadable:v1:', '/records/3/number'],
    ['unreadable:v1:', '/records/4'],
    ['invoice/INV-6', undefined],
  ]);
  expect(items[0]!.unreadable).toEqual({
    reason: 'must be one of invoice, credit_note',
    place: '/records/0/kind',
    value: 'pro_forma',
  });
});

it('a fingerprint follows the content and not the place in the feed', () => {
  const [first] = mapDocuments(page.records, 'erp');
  const [moved] = mapDocuments([{ ...page.records[0], seq: 99 }], 'erp');
  const [other] = mapDocuments([{ ...page.records[0], totalMinor: 3565 }], 'erp');
  expect(moved!.fingerprint).toBe(first!.fingerprint);
  expect(other!.fingerprint).not.toBe(first!.fingerprint);
});

it('a price that moved is the product’s from then on', () => {
  const price = { seq: 9, kind: 'price', sku: '85123A', company: 'UK', currency: 'GBP', unitPrice: '2.61' };
  const at = '2026-03-01T09:30:00.120Z';
  const [item] = mapDocuments([{ ...price, at }], 'erp');
  expect(item).toMatchObject({ scope: 'price.changed/erp', itemNo: 0 });
  expect(item!.command).toEqual({
    ...{ kind: 'price.changed', sku: '85123A', company: 'UK', currency: 'GBP', unitPrice: '2.61', changedAt: at },
  });
  const [bad] = mapDocuments([{ ...price, at, unitPrice: '-1' }], 'erp');
  expect([bad!.key, bad!.unreadable?.place]).toEqual([`85123A ${at}`, '/records/0/unitPrice']);
});
