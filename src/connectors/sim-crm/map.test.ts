import { expect, it } from 'vitest';
import broken from './fixtures/broken.json' with { type: 'json' };
import page from './fixtures/requests.json' with { type: 'json' };
import { mapRequests } from './map.ts';

const whose = { system: 'system-crm', channel: 'crm' };

it('an order is one item under its number, with SKU codes in upper case', () => {
  const [item] = mapRequests(page.records, whose);
  expect(item).toEqual({
    scope: 'order/crm',
    key: '536365',
    itemNo: 0,
    fingerprint: expect.stringMatching(/^v1:.{22}$/),
    command: {
      kind: 'order.submitted',
      channel: 'crm',
      externalNo: '536365',
      company: 'UK',
      account: '17850',
      currency: 'GBP',
      orderedAt: '2010-12-01T08:26:00.000Z',
      lines: [
        { lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55' },
        { lineNo: 2, sku: '71053', quantity: 6, unitPrice: '3.39' },
        { lineNo: 3, sku: '71053', quantity: 1, unitPrice: '3.39' },
      ],
    },
  });
});

it('a cancel is one item a line, and lines that look alike stay two', () => {
  const items = mapRequests(page.records, whose).slice(1);
  expect(items.map(({ scope, key, itemNo }) => [scope, key, itemNo])).toEqual([
    ['cancel/crm', 'C536379/1/536365/1', 1],
    ['cancel/crm', 'C536379/1/536365/2', 2],
    ['cancel/crm', 'C536379/1/-/22752', 3],
    ['cancel/crm', 'C536379/1/-/22752#2', 4],
  ]);
  expect(items[0]!.command).toEqual({
    kind: 'order.cancel_requested',
    channel: 'crm',
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
  const items = mapRequests(broken.records, whose);
  expect(items.map(({ scope, key, unreadable }) => [scope, key.slice(0, 21), unreadable?.place])).toEqual([
    ['unreadable/system-crm', expect.stringMatching(/^unreadable:v1:/), '/records/0/type'],
    ['order/crm', '2', '/records/1/lines/0/quantity'],
    ['order/crm', '3', '/records/2/lines/0/unitPrice'],
    ['order/crm', '4', '/records/3/account'],
    ['order/crm', '5', '/records/4/lines/1/lineNo'],
    ['order/crm', '6', '/records/5/lines'],
    ['order/crm', expect.stringMatching(/^unreadable:v1:/), '/records/6/number'],
    ['unreadable/system-crm', expect.stringMatching(/^unreadable:v1:/), '/records/7'],
    ['order/crm', '9', '/records/8/orderedAt'],
    ['cancel/crm', 'C536379/1/536365/1', '/records/9/lines/0/quantity'],
    ['cancel/crm', 'C536379/1/536365/2', undefined],
    ['cancel/crm', expect.stringMatching(/^unreadable:v1:/), '/records/9/lines/2'],
    ['cancel/crm', expect.stringMatching(/^unreadable:v1:/), '/records/9/lines/3/lineNo'],
    ['cancel/crm', 'C536379/1', '/records/10/lines'],
    ['order/crm', '12', undefined],
  ]);
  expect(items[0]!.unreadable).toMatchObject({ reason: 'must be one of order, cancel', value: 'wish' });
  expect(items[1]!.unreadable).toMatchObject({ value: 1e21 });
  expect(items.map(({ itemNo }) => itemNo)).toEqual(items.map((_, index) => index));
});

it('the same record at another place of the feed is the same thing, other content is not', () => {
  const again = page.records.map((record) => ({ ...record, seq: record.seq + 100 }));
  const prints = (records: unknown[]) => mapRequests(records, whose).map((item) => item.fingerprint);
  expect(prints(again)).toEqual(prints(page.records));
  expect(prints([{ ...page.records[0], account: '1' }])).not.toEqual(prints(page.records).slice(0, 1));
  expect(prints(structuredClone(broken.records))).toEqual(prints(broken.records));
});
