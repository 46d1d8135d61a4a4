import { expect, it } from 'vitest';
import broken from './fixtures/broken.json' with { type: 'json' };
import page from './fixtures/events.json' with { type: 'json' };
import { mapEvents } from './map.ts';

it('goods that came or were adjusted are one item a line, work is one item an event', () => {
  const items = mapEvents(page.records, 'wms');
  expect(items.map(({ scope, key, itemNo }) => [scope, key, itemNo])).toEqual([
    ['movement/wms', 'ev-1/0', 0],
    ['movement/wms', 'ev-1/1', 1],
    ['movement/wms', 'ev-2/0', 2],
    ['picked/wms', 'ev-3', 3],
    ['shipped/wms', 'ev-4', 4],
    ['returned/wms', 'ev-5', 5],
  ]);
  expect(items.map(({ command }) => command)).toEqual([
    {
      kind: 'stock.moved',
      movement: 'received',
      sku: '85123A',
      location: 'LON',
      quantity: 100,
      reference: 'PO-1',
      occurredAt: '2010-12-01T08:00:00.000Z',
      sequence: 1,
    },
    expect.objectContaining({ sku: '71053', quantity: 40, sequence: 1 }),
    {
      kind: 'stock.moved',
      movement: 'adjusted',
      sku: '71053',
      location: 'LON',
      quantity: -3,
      reference: 'res:17',
      reservation: '17',
      occurredAt: '2010-12-01T08:10:00.000Z',
      sequence: 2,
    },
    {
      kind: 'fulfilment.picked',
      fulfilment: 'F7',
      occurredAt: '2010-12-01T09:00:00.000Z',
      sequence: 3,
      lines: [{ lineNo: 1, sku: '85123A', quantity: 6 }],
    },
    {
      kind: 'fulfilment.shipped',
      fulfilment: 'F7',
      shipment: 'SHP-1',
      tracking: 'TRK0000000001',
      occurredAt: '2010-12-01T09:05:00.000Z',
      lines: [{ lineNo: 1, sku: '85123A', quantity: 6 }],
    },
    {
      kind: 'return.received',
      returnReference: 'R3',
      occurredAt: '2010-12-03T10:00:00.000Z',
      sequence: 5,
      lines: [{ lineNo: 1, sku: '85123A', quantity: 2 }],
    },
  ]);
});

it('what can not be read says what and where, and its neighbours are read', () => {
  const items = mapEvents(broken.records, 'wms');
  const digest = expect.stringMatching(/^unreadable:v1:/);
  expect(items.map(({ scope, key, unreadable }) => [scope, key, unreadable?.place])).toEqual([
    ['unreadable/wms', digest, '/records/0/type'],
    ['movement/wms', 'ev-2/0', '/records/1/lines/0/quantity'],
    ['movement/wms', 'ev-2/1', '/records/1/lines/1/sku'],
    ['movement/wms', 'ev-2/2', '/records/1/lines/2'],
    ['movement/wms', 'ev-2/3', undefined],
    ['movement/wms', 'ev-3/0', '/records/2/lines/0/quantity'],
    ['movement/wms', digest, '/records/3/id'],
    ['picked/wms', 'ev-5', '/records/4/lines/0/quantity'],
    ['shipped/wms', 'ev-6', '/records/5/shipment'],
    ['returned/wms', 'ev-7', '/records/6/seq'],
    ['picked/wms', 'ev-8', undefined],
  ]);
  expect(items[0]!.unreadable).toMatchObject({ value: 'teleported' });
});

it('content makes the fingerprint', () => {
  const prints = (change: object) => mapEvents([{ ...page.records[3], ...change }], 'wms')[0]!.fingerprint;
  expect(prints({})).toBe(prints({}));
  expect(new Set([prints({}), prints({ tracking: null }), prints({ shipment: 'SHP-2' })]).size).toBe(3);
});

const work = { at: '2010-12-01T09:00:00Z', location: 'LON', order: 'shop/536365' };
const missing = {
  ...{ ...work, seq: 6, id: 'ev-6', type: 'short_picked', reference: 'F7', reason: 'not_found' },
  lines: [{ lineNo: 1, sku: '85123A', quantity: 2 }],
};
const inspected = {
  ...{ ...work, seq: 7, id: 'ev-7', type: 'inspected', reference: 'R3', by: 'returns desk' },
  lines: [
    { lineNo: 1, sku: '85123A', restock: 1, scrap: 0, quarantine: 1, from: 'receipt', credited: true },
    { lineNo: 2, sku: '71053', restock: 0, scrap: 1, quarantine: 0, from: 'quarantine', credited: false },
  ],
};

it('units that were not found, and goods that were looked at, are one item an event', () => {
  const items = mapEvents([missing, inspected], 'wms');
  const occurredAt = '2010-12-01T09:00:00.000Z';
  expect(items.map(({ scope, key, command }) => [scope, key, command])).toEqual([
    [
      'short_picked/wms',
      'ev-6',
      {
        ...{ kind: 'fulfilment.short_picked', fulfilment: 'F7', reason: 'not_found', occurredAt, sequence: 6 },
        lines: missing.lines,
      },
    ],
    [
      'inspected/wms',
      'ev-7',
      {
        ...{ kind: 'return.inspected', returnReference: 'R3', occurredAt, sequence: 7, by: 'returns desk' },
        lines: [
          { lineNo: 1, restock: 1, scrap: 0, quarantine: 1, from: 'receipt' },
          { lineNo: 2, restock: 0, scrap: 1, quarantine: 0, from: 'quarantine', credited: false },
        ],
      },
    ],
  ]);
});

it.each([
  ['units below 0', { ...inspected, lines: [{ ...inspected.lines[0], scrap: -1 }] }, '/records/0/lines/0/scrap'],
  ['units from nowhere', { ...inspected, lines: [{ ...inspected.lines[0], from: 'sky' }] }, '/records/0/lines/0/from'],
  ['no reason', { ...missing, reason: 7 }, '/records/0/reason'],
])('%s are unreadable with their place', (_, record, place) => {
  expect(mapEvents([record], 'wms')[0]!.unreadable?.place).toBe(place);
});
