import { expect, it } from 'vitest';
import broken from './fixtures/broken.json' with { type: 'json' };
import page from './fixtures/events.json' with { type: 'json' };
import { mapEvents } from './map.ts';

const whose = { system: 'system-shop', channel: 'shop' };

it('an order is one item under its number, with SKU codes in upper case', () => {
  const [item] = mapEvents(page.records, whose);
  expect(item).toEqual({
    scope: 'order/shop',
    key: '536365',
    itemNo: 0,
    fingerprint: expect.stringMatching(/^v1:.{22}$/),
    command: {
      kind: 'order.submitted',
      channel: 'shop',
      externalNo: '536365',
      company: 'UK',
      account: '17850',
      currency: 'GBP',
      orderedAt: '2010-12-01T08:26:00.000Z',
      lines: [
        { lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', within: 6 },
        { lineNo: 2, sku: '71053', quantity: 6, unitPrice: '3.39', within: 2 },
        { lineNo: 3, sku: '71053', quantity: 1, unitPrice: '3.39', within: 0 },
      ],
    },
  });
});

it('a cancel is one item a line, and lines that look alike stay two', () => {
  const items = mapEvents(page.records, whose).slice(1);
  expect(items.map(({ scope, key, itemNo }) => [scope, key, itemNo])).toEqual([
    ['cancel/shop', 'C536379/1/536365/1', 1],
    ['cancel/shop', 'C536379/1/536365/2', 2],
    ['cancel/shop', 'C536379/1/-/22752', 3],
    ['cancel/shop', 'C536379/1/-/22752#2', 4],
  ]);
  expect(items[0]!.command).toEqual({
    kind: 'order.cancel_requested',
    channel: 'shop',
    reference: 'C536379/1',
    account: '17850',
    occurredAt: '2010-12-01T09:41:00.000Z',
    order: '536365',
    lineNo: 1,
    sku: '85123A',
    quantity: 2,
  });
  expect(items[3]!.command).toMatchObject({ order: null, lineNo: null, quantity: 3 });
});

it('what can not be read says what and where, and its neighbours are read', () => {
  const items = mapEvents(broken.records, whose);
  expect(items.map(({ scope, key, unreadable }) => [scope, key.slice(0, 21), unreadable?.place])).toEqual([
    ['unreadable/system-shop', expect.stringMatching(/^unreadable:v1:/), '/records/0/type'],
    ['order/shop', '2', '/records/1/lines/0/quantity'],
    ['order/shop', '3', '/records/2/lines/0/unitPrice'],
    ['order/shop', '4', '/records/3/account'],
    ['order/shop', '5', '/records/4/lines/1/lineNo'],
    ['order/shop', '6', '/records/5/lines'],
    ['order/shop', expect.stringMatching(/^unreadable:v1:/), '/records/6/number'],
    ['unreadable/system-shop', expect.stringMatching(/^unreadable:v1:/), '/records/7'],
    ['order/shop', '9', '/records/8/orderedAt'],
    ['cancel/shop', 'C536379/1/536365/1', '/records/9/lines/0/quantity'],
    ['cancel/shop', 'C536379/1/536365/2', undefined],
    ['cancel/shop', expect.stringMatching(/^unreadable:v1:/), '/records/9/lines/2'],
    ['cancel/shop', expect.stringMatching(/^unreadable:v1:/), '/records/9/lines/3/lineNo'],
    ['cancel/shop', 'C536379/1', '/records/10/lines'],
    ['order/shop', '13', '/records/11/lines/0/within'],
    ['order/shop', '12', undefined],
  ]);
  expect(items[0]!.unreadable).toMatchObject({ reason: 'must be one of order, cancel', value: 'wish' });
  expect(items[1]!.unreadable).toMatchObject({ value: 1e21 });
  expect(items.map(({ itemNo }) => itemNo)).toEqual(items.map((_, index) => index));
});

it('the same record at another place of the feed is the same thing, other content is not', () => {
  const again = page.records.map((record) => ({ ...record, seq: record.seq + 100 }));
  const prints = (records: unknown[]) => mapEvents(records, whose).map((item) => item.fingerprint);
  expect(prints(again)).toEqual(prints(page.records));
  expect(prints([{ ...page.records[0], account: '1' }])).not.toEqual(prints(page.records).slice(0, 1));
  expect(prints(structuredClone(broken.records))).toEqual(prints(broken.records));
});
