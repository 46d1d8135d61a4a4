import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, ConnectorFactory, Outcome } from '../src/connectors/kit/index.ts';
import { contextFor, type FakeAnswer, type FakeSystem, fakeSystem } from '../src/connectors/kit/testing.ts';
import crmPage from '../src/connectors/sim-crm/fixtures/requests.json' with { type: 'json' };
import { simCrm } from '../src/connectors/sim-crm/index.ts';
import { mapRequests } from '../src/connectors/sim-crm/map.ts';
import erpPage from '../src/connectors/sim-erp/fixtures/documents.json' with { type: 'json' };
import { simErp } from '../src/connectors/sim-erp/index.ts';
import { mapDocuments } from '../src/connectors/sim-erp/map.ts';
import marketplacePage from '../src/connectors/sim-marketplace/fixtures/orders.json' with { type: 'json' };
import { simMarketplace } from '../src/connectors/sim-marketplace/index.ts';
import { mapOrders } from '../src/connectors/sim-marketplace/map.ts';
import shopPage from '../src/connectors/sim-shop/fixtures/events.json' with { type: 'json' };
import { simShop } from '../src/connectors/sim-shop/index.ts';
import { mapEvents } from '../src/connectors/sim-shop/map.ts';
import wmsPage from '../src/connectors/sim-wms/fixtures/events.json' with { type: 'json' };
import { simWms } from '../src/connectors/sim-wms/index.ts';
import { mapEvents as mapWmsEvents } from '../src/connectors/sim-wms/map.ts';

/** What every connector must do, whatever it connects: the same suite for all. */

const factories: Record<string, ConnectorFactory> = { simErp, simCrm, simWms, simShop, simMarketplace };
const signal = new AbortController().signal;
let system: FakeSystem;

beforeEach(async () => {
  system = await fakeSystem();
});
afterEach(() => system.close());

/** Every write and lookup that a connector has, by name, with an item that fits. */
function sinksOf(connector: Connector): [string, () => Promise<{ outcome: string }[]>, () => Promise<unknown>][] {
  const reference = 'F1';
  const status = {
    channel: 'channel',
    externalNo: '1',
    status: 'new',
    account: 'a',
    currency: 'GBP',
    totalMinor: 0,
    lines: [],
  };
  const { availability, prices, orderStatus } = connector;
  const number = { sku: 'S', from: null, quantity: 1, ordersThrough: '1' };
  const price = { key: 'S', version: 1, base: 0, state: { unitPrice: '1', currency: 'GBP' } };
  const order = { key: 'channel/1', version: 1, base: 0, state: status };
  return [
    ...Object.entries(connector.deliveries).map(([kind, sink]): ReturnType<typeof sinksOf>[number] => [
      kind,
      () => sink.write([{ reference, payload: {} }], signal),
      () => sink.locate([reference], signal),
    ]),
    ...(availability
      ? [
          [
            'availability',
            () => availability.write([number], signal),
            () => availability.readBack(['S'], signal),
          ] as const,
        ]
      : []),
    ...(prices ? [['prices', () => prices.write([price], signal), () => prices.readBack(['S'], signal)] as const] : []),
    ...(orderStatus
      ? [
          [
            'orderStatus',
            () => orderStatus.write([order], signal),
            () => orderStatus.readBack(['channel/1'], signal),
          ] as const,
        ]
      : []),
  ].map(([name, write, look]) => [name, write, look]);
}

describe.each(Object.entries(factories))('%s', (_name, factory) => {
  const faults: [name: string, answer: FakeAnswer, outcome: Outcome['outcome']][] = [
    ['429', { status: 429, json: {}, headers: { 'retry-after': '0' } }, 'later'],
    ['a whole 4xx', { status: 422, json: {} }, 'refused'],
    ['500', { status: 500, json: {} }, 'in_doubt'],
    ['200 without results', { json: { ok: true } }, 'in_doubt'],
    ['200 of somebody else', { json: { results: [{ reference: 'other', sku: 'other', status: 200 }] } }, 'in_doubt'],
    ['no JSON', { text: 'OK' }, 'in_doubt'],
    ['a reset', 'reset', 'in_doubt'],
    ['half an answer', 'half', 'in_doubt'],
    ['silence', 'silence', 'in_doubt'],
  ];

  it.each(faults)('each write answered with %s, and its lookup, which throws', async (_fault, answer, outcome) => {
    // Only silence is waited for; every other answer must come first, however busy the machine is.
    const limits = { ...contextFor('').limits, timeoutMs: answer === 'silence' ? 40 : 10_000 };
    const connector = factory(contextFor(system.url, { limits }));
    system.answer(answer);
    for (const [kind, write, look] of sinksOf(connector)) {
      expect([kind, ...(await write()).map((one) => one.outcome)]).toEqual([kind, outcome]);
      await expect(look(), kind).rejects.toMatchObject({ code: expect.stringMatching(/^XD_CONNECTOR_/) });
    }
    for (const source of connector.sources)
      await expect(source.poll('', signal)).rejects.toMatchObject({ code: expect.stringMatching(/^XD_CONNECTOR_/) });
    expect((await connector.probe(signal)).ok).toBe(false);
    await connector.close();
  });

  it('a batch size of the estate holds for every write', async () => {
    const connector = factory(contextFor(system.url, { limits: { ...contextFor('').limits, batchMax: 7 } }));
    const { availability, prices, orderStatus } = connector;
    const sizes = [...Object.values(connector.deliveries), availability, prices, orderStatus].map(
      (one) => one?.batchMax,
    );
    expect(new Set(sizes.filter((size) => size !== undefined))).toEqual(new Set([7]));
    await connector.close();
  });
});

describe('records of any content', () => {
  const whose = { system: 'system', channel: 'channel' };
  const maps: [string, readonly object[], (records: readonly unknown[]) => ReturnType<typeof mapRequests>][] = [
    ['erp', erpPage.records, (records) => mapDocuments(records, 'system')],
    ['crm', crmPage.records, (records) => mapRequests(records, whose)],
    ['wms', wmsPage.records, (records) => mapWmsEvents(records, 'system')],
    ['shop', shopPage.records, (records) => mapEvents(records, whose)],
    ['marketplace', marketplacePage.records, (records) => mapOrders(records, whose)],
  ];

  it.each(maps)('%s: nothing is lost, thrown or unstorable, and the good neighbour is read', (_name, good, map) => {
    const strange = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.constant('\0'), fc.constant('\ud800'));
    const mutated = fc
      .tuple(fc.constantFrom(...good), fc.string(), strange, fc.boolean())
      .map(([record, name, value, deep]) => {
        const copy = structuredClone(record) as Record<string, unknown> & { lines: Record<string, unknown>[] };
        const target = deep ? copy.lines[0]! : copy;
        const keys = Object.keys(target);
        target[keys[name.length % keys.length]!] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, strange), (record) => {
        const neighbour = map([good[0]]);
        const items = map([record, good[0]]);
        const own = items.slice(0, items.length - neighbour.length);
        expect(own.length).toBeGreaterThan(0);
        for (const item of own) {
          expect(item.command === undefined).toBe(item.unreadable !== undefined);
          const text = JSON.stringify(item);
          // What PostgreSQL takes neither as text nor inside jsonb.
          // Behind an even number of backslashes it is text that only looks like an escape.
          expect(text).not.toMatch(/(?<!\\)(?:\\\\)*\\(?:u0000|ud[89a-f])/i);
          expect(item.key).not.toBe('');
        }
        expect(items.slice(own.length).map(({ key, fingerprint, command }) => ({ key, fingerprint, command }))).toEqual(
          neighbour.map(({ key, fingerprint, command }) => ({ key, fingerprint, command })),
        );
      }),
      { numRuns: 300 },
    );
  });
});
