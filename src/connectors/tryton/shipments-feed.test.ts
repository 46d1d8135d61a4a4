/** What the shipments feed asks of a Tryton, by what its modules have. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FulfilmentShipped } from '../../canonical/index.ts';
import { contextFor, type FakeAnswer, type FakeCall, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import shipments from './fixtures/shipments.json' with { type: 'json' };
import { tryton } from './index.ts';

const signal = new AbortController().signal;
let system: FakeSystem;

beforeEach(async () => {
  system = await fakeSystem();
});
afterEach(() => system.close());

type Rpc = { method: string; params: unknown[] };
const result = (value: unknown): FakeAnswer => ({ json: { id: 1, result: value } });

/** Recorded shipments, in a Tryton with these fields of shipments and packages. */
function behave(fields: Record<string, string[]>, more: Record<string, unknown[]> = {}): void {
  const rows: Record<string, unknown[]> = {
    'stock.location': [{ id: 5, code: 'DC-EAST', storage_location: 3, output_location: 2, input_location: 1 }],
    'stock.shipment.out': shipments.shipments,
    'stock.move': shipments.moves,
    'sale.line': shipments.lines,
    ...more,
  };
  system.answer((call: FakeCall) => {
    const { method } = call.body as Rpc;
    if (method === 'common.db.login') return result([7, 'session']);
    if (method === 'model.res.user.get_preferences') return result({ company: 1, language: 'en' });
    const [, model, name] = /^model\.(.*)\.(\w+)$/.exec(method)!;
    if (name === 'fields_get') return result(Object.fromEntries((fields[model!] ?? []).map((field) => [field, {}])));
    return result(rows[model!]);
  });
}

async function poll(settings: object = {}): Promise<{ told: FulfilmentShipped[]; asked: string[] }> {
  const all = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' }, ...settings };
  const connector = tryton(contextFor(system.url, { channel: null, settings: all }));
  try {
    const source = connector.sources.find(({ feed }) => feed === 'shipments')!;
    const page = await source.poll('', signal);
    expect(source.reread!(page.body)).toEqual(page.items);
    const asked = system.calls.map((call) => (call.body as Rpc).method).filter((method) => method.startsWith('model.'));
    return { told: page.items.map(({ command }) => command as FulfilmentShipped), asked };
  } finally {
    await connector.close();
  }
}

it('one without the modules has no tracking numbers, and is asked for none', async () => {
  behave({});
  const { told, asked } = await poll();
  expect(told.map(({ tracking }) => tracking)).toEqual([null, null]);
  expect(asked.filter((method) => /package|note/.test(method))).toEqual([]);
  expect(asked.filter((method) => method.endsWith('fields_get'))).toHaveLength(1);
});

it('one with packages says each parcel with its link, and its carrier', async () => {
  behave(
    {
      'stock.shipment.out': ['packages', 'carrier'],
      'stock.package': ['shipping_reference', 'shipping_tracking_url'],
    },
    {
      'stock.package': [
        {
          id: 1,
          shipment: 'stock.shipment.out,14',
          shipping_reference: 'T-1',
          shipping_tracking_url: 'https://c.example/1',
        },
        { id: 2, shipment: 'stock.shipment.out,14', shipping_reference: 'T-2', shipping_tracking_url: null },
      ],
      'stock.shipment.out': shipments.shipments.map((row) => ({
        ...row,
        'carrier.': { id: 1, rec_name: 'Parcel Post' },
      })),
    },
  );
  const { told } = await poll();
  expect(told[0]).toMatchObject({
    tracking: 'T-1',
    carrier: 'Parcel Post',
    parcels: [{ tracking: 'T-1', url: 'https://c.example/1' }, { tracking: 'T-2' }],
  });
  expect(told[1]).toMatchObject({ tracking: null, carrier: 'Parcel Post' });
});

it('one where people write them into notes is read so, if the estate says how the notes begin', async () => {
  behave({}, { 'ir.note': [{ id: 1, resource: 'stock.shipment.out,15', message: 'Tracking: 1Z9' }] });
  const { told } = await poll({ trackingNotes: 'Tracking:' });
  expect(told.map(({ tracking }) => tracking)).toEqual([null, '1Z9']);
});
