import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { mapOpportunities, type Reading } from './map.ts';
import { recordsOf } from './source.ts';
import { parseExact } from './values.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/${name}.json`, import.meta.url));
const whose = { system: 'crm', channel: 'crm' };
const reading: Reading = {
  company: 'UK',
  currency: null,
  timeZone: 'UTC',
  accountField: 'Crossdock_Account__c',
  skuField: 'ProductCode',
  cancelStages: ['Called Off'],
};
const page = recordsOf(fixture('opportunities'));

it('a page of the feed: a won one, one called off, one deleted', () => {
  const items = mapOpportunities(page, whose, reading);
  expect(items.map(({ itemNo, scope, key }) => [itemNo, scope, key])).toEqual([
    [0, 'order/crm', '006000000000004AAA'],
    [1, 'cancel/crm', '006000000000007AAA/006000000000007AAA/1'],
    [2, 'cancel/crm', '006000000000009AAA/006000000000009AAA/1'],
  ]);
  expect(items[0]!.command).toMatchObject({
    account: '17850',
    lines: [
      { sku: '85123A', unitPrice: '2.55' },
      { sku: '71053', quantity: 12, unitPrice: '2.96625' },
    ],
  });
});

it('an id of 15 and one of 18 characters are one order', () => {
  const short = page.map((record) => ({
    ...(record as { Id: string }),
    Id: (record as { Id: string }).Id.slice(0, 15),
  }));
  expect(mapOpportunities(short, whose, reading).map(({ key }) => key)).toEqual(
    mapOpportunities(page, whose, reading).map(({ key }) => key),
  );
});

it('broken records are set aside one by one, each with its place, and their neighbours are read', () => {
  const broken = (parseExact(fixture('broken').toString()) as { records: unknown[] }).records;
  const items = mapOpportunities([...broken, page[0]], whose, reading);
  expect(items.map(({ unreadable }) => unreadable?.place ?? null)).toEqual([
    '/records/0',
    '/records/1',
    '/records/2/OpportunityLineItems',
    '/records/3/Id',
    '/records/4/CloseDate',
    '/records/5/CurrencyIsoCode',
    '/records/6/OpportunityLineItems/records/0/Product2',
    null,
  ]);
  // What has a number of its own is known by it, so that a corrected copy meets it.
  expect(items[4]!.key).toBe('006000000000002AAA');
  expect(new Set(items.map(({ scope, key }) => `${scope} ${key}`)).size).toBe(items.length);
});

it('an order whose lines are no whole page is set aside alone: the lines that are there are not all of it', () => {
  const lines = (changes: object) => ({
    ...(page[0] as object),
    Id: '006000000000077AAA',
    OpportunityLineItems: { ...(page[0] as { OpportunityLineItems: object }).OpportunityLineItems, ...changes },
  });
  for (const changes of [
    { done: undefined },
    { done: 'a' },
    { done: false, nextRecordsUrl: 'elsewhere' },
    { records: 7 },
  ]) {
    const bytes = Buffer.from(JSON.stringify({ done: true, records: [lines(changes), page[0]] }));
    expect(mapOpportunities(recordsOf(bytes), whose, reading)).toMatchObject([
      { key: '006000000000077AAA', unreadable: { place: expect.stringContaining('/records/0/OpportunityLineItems') } },
      { command: { kind: 'order.submitted' } },
    ]);
  }
});

it('numbers with an exponent or sixteen digits are what they were written as', () => {
  const text = fixture('opportunities')
    .toString()
    .replace(/"Quantity": ?6\.0/, '"Quantity":1.2E3')
    .replace(/"UnitPrice": ?2\.55/, '"UnitPrice":12345678901.123456');
  const [order] = mapOpportunities(recordsOf(Buffer.from(text)), whose, reading);
  expect(order!.command).toMatchObject({ lines: [{ quantity: 1200, unitPrice: '12345678901.123456' }, {}] });
});

it('a deleted one whose lines are gone says so instead of asking nothing back', () => {
  const gone = { ...(page[2] as object), OpportunityLineItems: null };
  expect(mapOpportunities([gone], whose, reading)).toMatchObject([
    { scope: 'cancel/crm', key: '006000000000009AAA', unreadable: { place: '/records/0/OpportunityLineItems' } },
  ]);
});
