/** What an opportunity says of its order: one note, whose text follows from the order's state. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, OrderStatusState, StateItem } from '../kit/index.ts';
import { contextFor, type FakeAnswer, type FakeCall, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { tryton } from './index.ts';

const signal = new AbortController().signal;
const settings = { user: 'crossdock', companyCode: 'US', warehouses: { EAST: 'DC-EAST' } };
const at = '2026-03-02T10:00:00.000Z';

let system: FakeSystem;
let connector: Connector;
/** Notes there, by id. */
let notes: Map<number, { resource: string; message: string }>;
/** What becomes of the next write: its answer is lost, before or after its effect. */
let fate: 'ok' | 'before' | 'after';

beforeEach(async () => {
  system = await fakeSystem();
  connector = tryton(contextFor(system.url, { channel: 'crm', settings }));
  notes = new Map();
  fate = 'ok';
  system.answer(answer);
});
afterEach(async () => {
  await connector.close();
  await system.close();
});

type Rpc = { method: string; params: unknown[] };
const result = (value: unknown): FakeAnswer => ({ json: { id: 1, result: value } });

/** Notes as Tryton keeps them: `like` finds what begins with a head, its wildcards escaped. */
function answer(call: FakeCall): FakeAnswer {
  const { method, params } = call.body as Rpc;
  if (method === 'common.db.login') return result([7, 'session']);
  if (method === 'model.res.user.get_preferences') return result({ company: 1, language: 'en' });
  if (method === 'model.sale.opportunity.search_read') {
    const [[, , numbers]] = params[0] as [[string, string, string[]]];
    return result(numbers.includes('OPP-1') ? [{ id: 31, number: 'OPP-1' }] : []);
  }
  if (method === 'model.ir.note.search_read') {
    const heads = (params[0] as [string, ...[[string, string, string]][]]).slice(1).map((part) => {
      const [[, , pattern]] = part as unknown as [[string, string, string]];
      return pattern.slice(0, -1).replace(/\\(.)/g, '$1');
    });
    const found = [...notes].filter(([, { message }]) => heads.some((head) => message.startsWith(head)));
    return result(found.map(([id, { message }]) => ({ id, message })));
  }
  const now = fate;
  fate = 'ok';
  if (now === 'before') return 'reset';
  if (method === 'model.ir.note.create') {
    const [[values]] = params as [[{ resource: string; message: string }]];
    notes.set(notes.size + 1, values);
  } else if (method === 'model.ir.note.write') {
    const [[id], { message }] = params as [[number], { message: string }];
    notes.get(id)!.message = message;
  }
  return now === 'after' ? 'reset' : result([1]);
}

const line = { lineNo: 1, sku: 'SKU-1', quantity: 5, amountMinor: 500, invoiced: 0 };
function stateOf(
  changes: Partial<OrderStatusState>,
  numbers: Partial<OrderStatusState['lines'][number]> = {},
): StateItem {
  const none = { cancelled: 0, backordered: 0, refused: 0, shipped: 0, returned: 0 };
  const state: OrderStatusState = {
    ...{ channel: 'crm', externalNo: 'OPP-1', status: 'x', account: 'a', currency: 'USD', totalMinor: 500 },
    lines: [{ ...line, ...none, ...numbers }],
    ...{ shipments: [], invoices: [], returns: [] },
    ...changes,
  };
  return { key: `${state.channel}/${state.externalNo}`, version: 1, base: 0, state };
}
const shipments: OrderStatusState['shipments'] = [
  {
    ...{ shipment: 'erp/14', location: 'EAST', tracking: 'T-1', carrier: null, parcels: [{ tracking: 'T-1' }], at },
    lines: [{ lineNo: 1, quantity: 3 }],
  },
];
const invoices: OrderStatusState['invoices'] = [
  { document: 'invoice', reference: 'erp/9', number: '9', currency: 'USD', amountMinor: 305, at },
];
const returns: OrderStatusState['returns'] = [
  { reference: 'R/4/9', return: 'R12', at, lines: [{ lineNo: 1, quantity: 1, amountMinor: 100 }] },
];
const sink = () => connector.orderStatus!;
const tell = async (item: StateItem) => (await sink().write([item], signal))[0]!;
const holds = async (item: StateItem) => (await sink().holds!([item], signal)).has(item.key);
const writes = () => system.calls.filter((call) => /ir\.note\.(create|write)$/.test((call.body as Rpc).method)).length;

it('an order that only moves along has no note, and costs no write', async () => {
  const item = stateOf({ status: 'released' });
  expect([await tell(item), await holds(item), notes.size, writes()]).toEqual([{ outcome: 'confirmed' }, true, 0, 0]);
});

it('when the rest is promised stands there by day, and changes with the promise', async () => {
  const part = (quantity: number, on: string | null) => ({ quantity, at: on, location: 'EAST', reason: 'in_stock' });
  const [early, late] = ['2026-03-03T15:00:00.000Z', '2026-03-09T15:00:00.000Z'];
  const promise = async (...promised: ReturnType<typeof part>[]) => {
    const item = stateOf({}, { promised });
    expect([await tell(item), await holds(item)]).toEqual([{ outcome: 'confirmed' }, true]);
    return [...notes.values()].map(({ message }) => message.split('\n').slice(1));
  };
  expect(await promise(part(1, null), part(1, late), part(3, early))).toEqual([
    ['promised for 2026-03-03: 3 x SKU-1', 'promised for 2026-03-09: 1 x SKU-1', 'promised for no day yet: 1 x SKU-1'],
  ]);
  expect(await promise(part(5, late))).toEqual([['promised for 2026-03-09: 5 x SKU-1']]);
  expect(await promise()).toEqual([['nothing to tell any more']]);
});

it('what left, was invoiced, came back, waits and was cancelled stands in one note of its opportunity', async () => {
  const first = stateOf({ shipments }, { shipped: 3, backordered: 2 });
  const last = stateOf({ shipments, invoices, returns }, { shipped: 3, cancelled: 2 });
  expect(await holds(first)).toBe(false);
  expect([await tell(first), await tell(first), await holds(first)]).toEqual([
    { outcome: 'confirmed' },
    { outcome: 'confirmed' },
    true,
  ]);
  expect([...notes.values()]).toEqual([
    {
      resource: 'sale.opportunity,31',
      message: 'crossdock order crm/OPP-1\nshipment erp/14: 2026-03-02, 3 x SKU-1; T-1\nwaiting for stock: 2 x SKU-1',
    },
  ]);
  await tell(last);
  expect([...notes.values()].map(({ message }) => message.split('\n'))).toEqual([
    [
      'crossdock order crm/OPP-1',
      'shipment erp/14: 2026-03-02, 3 x SKU-1; T-1',
      'invoice erp/9: 2026-03-02, 3.05 USD',
      'return R/4/9: 2026-03-02, R12, 1 x SKU-1; 1.00 USD',
      'cancelled: 2 x SKU-1',
    ],
  ]);
  expect([await holds(first), await holds(last), writes()]).toEqual([false, true, 2]);
});

it('of units that waited and were served the note says that it is over', async () => {
  await tell(stateOf({}, { backordered: 2 }));
  await tell(stateOf({}));
  expect([...notes.values()].map(({ message }) => message)).toEqual([
    'crossdock order crm/OPP-1\nnothing to tell any more',
  ]);
  expect([await holds(stateOf({})), writes()]).toEqual([true, 2]);
});

it.each(['before', 'after'] as const)('an answer that was lost %s the effect leaves one note', async (when) => {
  const item = stateOf({ shipments }, { shipped: 3 });
  fate = when;
  expect(await tell(item)).toMatchObject({ outcome: 'in_doubt' });
  expect(await holds(item)).toBe(when === 'after');
  await tell(item);
  expect([notes.size, await holds(item), writes()]).toEqual([1, true, when === 'after' ? 1 : 2]);
});

it('orders of other channels have no opportunity: there is nothing to write, and nothing is asked', async () => {
  const item = stateOf({ channel: 'medusa', shipments }, { shipped: 3 });
  expect([await tell(item), await holds(item)]).toEqual([{ outcome: 'confirmed' }, true]);
  expect(system.calls).toEqual([]);
});

it('one whose opportunity is gone is refused, its neighbour is told', async () => {
  const lost = stateOf({ externalNo: 'OPP-9', shipments }, { shipped: 3 });
  const outcomes = await sink().write([lost, stateOf({ shipments }, { shipped: 3 })], signal);
  expect(outcomes).toMatchObject([
    { outcome: 'refused', error: expect.stringContaining('no opportunity OPP-9') },
    { outcome: 'confirmed' },
  ]);
  expect([...notes.values()].map(({ resource }) => resource)).toEqual(['sale.opportunity,31']);
});

it('a Tryton that can not be read puts it off', async () => {
  system.answer((call) => (/note/.test((call.body as Rpc).method) ? { status: 503, json: {} } : answer(call)));
  expect(await tell(stateOf({ shipments }))).toMatchObject({ outcome: 'later', ofSystem: true });
});

it('without a channel there are no opportunities to tell anything', async () => {
  const erp = tryton(contextFor(system.url, { channel: null, settings }));
  expect(erp.orderStatus).toBeUndefined();
  await erp.close();
});
