import { describe, expect, it } from 'vitest';
import crmBroken from '../src/connectors/sim-crm/fixtures/broken.json' with { type: 'json' };
import crmPage from '../src/connectors/sim-crm/fixtures/requests.json' with { type: 'json' };
import { mapRequests } from '../src/connectors/sim-crm/map.ts';
import marketplaceBroken from '../src/connectors/sim-marketplace/fixtures/broken.json' with { type: 'json' };
import marketplacePage from '../src/connectors/sim-marketplace/fixtures/orders.json' with { type: 'json' };
import { mapOrders } from '../src/connectors/sim-marketplace/map.ts';
import shopBroken from '../src/connectors/sim-shop/fixtures/broken.json' with { type: 'json' };
import shopPage from '../src/connectors/sim-shop/fixtures/events.json' with { type: 'json' };
import { mapEvents } from '../src/connectors/sim-shop/map.ts';

/** Orders and cancels mean the same from whichever system they come: the same suite for all that sends them. */

interface Demand {
  map: typeof mapRequests;
  page: { records: readonly { seq: number }[] };
  broken: { records: readonly unknown[] };
  /** Units of each line that were sold within the channel's number; undefined of a channel that asks. */
  within: readonly (number | undefined)[];
}

const systems: [channel: string, demand: Demand][] = [
  ['crm', { map: mapRequests, page: crmPage, broken: crmBroken, within: [undefined, undefined, undefined] }],
  ['shop', { map: mapEvents, page: shopPage, broken: shopBroken, within: [6, 2, 0] }],
  ['marketplace', { map: mapOrders, page: marketplacePage, broken: marketplaceBroken, within: [6, 2, 0] }],
];

describe.each(systems)('%s', (channel, { map, page, broken, within }) => {
  const whose = { system: `system-${channel}`, channel };
  const lineWithin = (index: number) => (within[index] === undefined ? {} : { within: within[index] });

  it('an order is one item under its number, with SKU codes in upper case', () => {
    const [item] = map(page.records, whose);
    expect(item).toStrictEqual({
      scope: `order/${channel}`,
      key: '536365',
      itemNo: 0,
      fingerprint: expect.stringMatching(/^v1:.{22}$/),
      command: {
        kind: 'order.submitted',
        channel,
        externalNo: '536365',
        company: 'UK',
        account: '17850',
        currency: 'GBP',
        orderedAt: '2010-12-01T08:26:00.000Z',
        lines: [
          { lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', ...lineWithin(0) },
          { lineNo: 2, sku: '71053', quantity: 6, unitPrice: '3.39', ...lineWithin(1) },
          { lineNo: 3, sku: '71053', quantity: 1, unitPrice: '3.39', ...lineWithin(2) },
        ],
      },
    });
  });

  it.each([
    ['in a field', (deep: unknown) => ({ ...page.records[0], number: deep })],
    ['beside what is wrong', (deep: unknown) => ({ ...page.records[0], account: null, note: deep })],
    ['in a line of a cancel', (deep: unknown) => ({ ...page.records[1], lines: [{ order: deep }] })],
    ['and nothing else', (deep: unknown) => deep],
  ])('a record nested 10,000 deep %s is set aside alone, with place and value', (_, recordOf) => {
    const deep = JSON.parse(`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`);
    const [item, ...others] = map([recordOf(deep), ...page.records], whose);
    expect(item!.unreadable).toMatchObject({
      place: expect.stringMatching(/^\/records\/0/),
      reason: expect.stringMatching(/must be/),
    });
    expect(JSON.stringify(item).length).toBeLessThan(1_000);
    const own = map(page.records, whose);
    expect(others.map(({ key, fingerprint }) => [key, fingerprint])).toEqual(
      own.map(({ key, fingerprint }) => [key, fingerprint]),
    );
    // The same record again is the same thing.
    expect(map([recordOf(deep)], whose)[0]).toEqual(item);
  });

  it('bytes that are not UTF-8 cost the record they are in, and no text is kept that nobody wrote', () => {
    const bytes = Buffer.from(JSON.stringify([{ ...page.records[0], account: '178?50' }, page.records[0]]));
    bytes[bytes.indexOf('178?') + 3] = 0xff;
    const [item, next] = map(JSON.parse(bytes.toString('utf8')), whose);
    expect(item!.unreadable).toEqual({
      place: '/records/0/account',
      reason: 'is not valid UTF-8',
      value: '178\ufffd50',
    });
    expect(next!.unreadable).toBeUndefined();
  });

  it('a cancel is one item a line, and lines that look alike stay two', () => {
    const items = map(page.records, whose).slice(1);
    expect(items.map(({ scope, key, itemNo }) => [scope, key, itemNo])).toEqual([
      [`cancel/${channel}`, 'C536379/1/536365/1', 1],
      [`cancel/${channel}`, 'C536379/1/536365/2', 2],
      [`cancel/${channel}`, 'C536379/1/-/22752', 3],
      [`cancel/${channel}`, 'C536379/1/-/22752#2', 4],
    ]);
    expect(items[0]!.command).toEqual({
      kind: 'order.cancel_requested',
      channel,
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
    const items = map(broken.records, whose);
    const digest = expect.stringMatching(/^unreadable:v1:/);
    expect(items.map(({ scope, key, unreadable }) => [scope, key.slice(0, 21), unreadable?.place])).toEqual([
      [`unreadable/system-${channel}`, digest, '/records/0/type'],
      [`order/${channel}`, '2', '/records/1/lines/0/quantity'],
      [`order/${channel}`, '3', '/records/2/lines/0/unitPrice'],
      [`order/${channel}`, '4', '/records/3/account'],
      [`order/${channel}`, '5', '/records/4/lines/1/lineNo'],
      [`order/${channel}`, '6', '/records/5/lines'],
      [`order/${channel}`, digest, '/records/6/number'],
      [`unreadable/system-${channel}`, digest, '/records/7'],
      [`order/${channel}`, '9', '/records/8/orderedAt'],
      [`cancel/${channel}`, 'C536379/1/536365/1', '/records/9/lines/0/quantity'],
      [`cancel/${channel}`, 'C536379/1/536365/2', undefined],
      [`cancel/${channel}`, digest, '/records/9/lines/2'],
      [`cancel/${channel}`, digest, '/records/9/lines/3/lineNo'],
      [`cancel/${channel}`, 'C536379/1', '/records/10/lines'],
      ...(within[0] === undefined ? [] : [[`order/${channel}`, '13', '/records/11/lines/0/within']]),
      [`order/${channel}`, '12', undefined],
    ]);
    expect(items[0]!.unreadable).toMatchObject({
      reason: 'must be one of order, cancel, change, return',
      value: 'wish',
    });
    expect(items[1]!.unreadable).toMatchObject({ value: 1e21 });
    expect(items.map(({ itemNo }) => itemNo)).toEqual(items.map((_, index) => index));
  });

  it('the same record at another place of the feed is the same thing, other content is not', () => {
    const again = page.records.map((record) => ({ ...record, seq: record.seq + 100 }));
    const prints = (records: readonly unknown[]) => map(records, whose).map((item) => item.fingerprint);
    expect(prints(again)).toEqual(prints(page.records));
    expect(prints([{ ...page.records[0], account: '1' }])).not.toEqual(prints(page.records).slice(0, 1));
    expect(prints(structuredClone(broken.records))).toEqual(prints(broken.records));
  });
});
