/** What left, what was invoiced and what came back, as the shop shows it: each thing once, wherever a try broke off. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connector, OrderStatusState, ShipmentState, StateItem } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { vendure } from './index.ts';
import { OrderDouble } from './testing.ts';

const signal = new AbortController().signal;
const at = '2026-03-02T10:00:00.000Z';
const settings = { user: 'crossdock', company: 'US', account: 'WALK-IN', locations: ['DC-EAST'] };

let system: FakeSystem;
let shop: Connector;
let order: OrderDouble;

const connect = (more: object = {}) =>
  vendure(contextFor(system.url, { system: 'vendure', channel: 'shop', settings: { ...settings, ...more } }));

beforeEach(async () => {
  system = await fakeSystem();
  shop = connect();
  order = new OrderDouble([5, 3]);
  system.answer((call) => order.answer(call));
});
afterEach(async () => {
  await shop.close();
  await system.close();
});

const shipmentOf = (
  no: number,
  quantities: readonly number[],
  tracking: readonly string[] = [`T-${no}`],
): ShipmentState => ({
  ...{
    shipment: `wms/S-${no}`,
    location: 'EAST',
    tracking: tracking[0] ?? null,
    carrier: no === 1 ? 'Parcel Post' : null,
  },
  parcels: tracking.map((number) => ({ tracking: number })),
  at,
  lines: quantities.flatMap((quantity, i) => (quantity > 0 ? [{ lineNo: i + 1, quantity }] : [])),
});

function stateOf(shipments: ShipmentState[], rest: Partial<OrderStatusState> = {}): OrderStatusState {
  const units = (lineNo: number) =>
    shipments
      .flatMap(({ lines }) => lines)
      .reduce((sum, line) => sum + (line.lineNo === lineNo ? line.quantity : 0), 0);
  const none = { amountMinor: 0, cancelled: 0, refused: 0, backordered: 0, invoiced: 0, returned: 0 };
  return {
    ...{ channel: 'shop', externalNo: order.code, status: 'x', account: 'a', currency: 'USD', totalMinor: 800 },
    lines: [5, 3].map((quantity, i) => ({
      ...none,
      lineNo: i + 1,
      sku: `SKU-${i + 1}`,
      quantity,
      shipped: units(i + 1),
    })),
    shipments,
    ...rest,
  };
}
const everything = () =>
  stateOf([shipmentOf(1, [3, 0], ['T-1', 'T-1b']), shipmentOf(2, [2, 3])], {
    invoices: [{ document: 'invoice', reference: 'erp/41', number: '41', currency: 'USD', amountMinor: 805, at }],
    returns: [{ reference: 'R/4/9', return: 'R12', at, lines: [{ lineNo: 2, quantity: 1, amountMinor: 105 }] }],
  });

const itemOf = (state: OrderStatusState): StateItem => ({ key: `shop/${order.code}`, version: 3, base: 0, state });
const tell = async (state: OrderStatusState) => (await shop.orderStatus!.write([itemOf(state)], signal))[0]!;
const holds = async (state: OrderStatusState) => (await shop.orderStatus!.holds!([itemOf(state)], signal)).size === 1;
const shown = () =>
  order.fulfilments.map(({ method, trackingCode, state, lines }) => [
    method,
    trackingCode,
    state,
    lines.map(({ orderLineId, quantity }) => `${quantity} of ${orderLineId}`).join(', '),
  ]);
const writes = () => system.calls.filter((call) => order.isWrite(call)).length;
const SHOWN = [
  ['Crossdock, Parcel Post', 'T-1, T-1b', 'Shipped', '3 of 1'],
  ['Crossdock', 'T-2', 'Shipped', '2 of 1, 3 of 2'],
];
const NOTES = ['invoice erp/41: 2026-03-02, 8.05 USD', 'return R/4/9: 2026-03-02, R12, 1 x SKU-2; 1.05 USD'];

it('each shipment is a fulfilment with its own tracking codes; invoices and returns are notes, and nothing goes to the shelf', async () => {
  expect(await holds(everything())).toBe(false);
  expect(await tell(everything())).toEqual({ outcome: 'confirmed' });
  expect(shown()).toEqual(SHOWN);
  expect(order.notes).toEqual(NOTES.map((note) => ({ note, isPublic: false })));
  expect(order.restocked).toBe(0);
  expect(await holds(everything())).toBe(true);
});

it('delivered twice, and late after a newer one, makes nothing', async () => {
  const older = stateOf([shipmentOf(1, [3, 0], ['T-1', 'T-1b'])]);
  await tell(older);
  await tell(everything());
  const calls = writes();
  for (const again of [everything(), older]) expect(await tell(again)).toEqual({ outcome: 'confirmed' });
  expect([writes(), shown(), order.notes.length]).toEqual([calls, SHOWN, 2]);
});

it.each(['after the effect', 'before the effect'])(
  'a try that broke off %s of any write is gone on from, once each',
  async (when) => {
    await tell(everything());
    const total = writes();
    expect(total).toBe(6);
    for (let fatal = 1; fatal <= total; fatal++) {
      order = new OrderDouble([5, 3]);
      let n = 0;
      system.answer((call) => {
        const isFatal = order.isWrite(call) && ++n === fatal;
        if (isFatal && when === 'before the effect') return 'reset';
        const answer = order.answer(call);
        return isFatal ? 'reset' : answer;
      });
      expect((await tell(everything())).outcome).toBe('in_doubt');
      if (!(await holds(everything()))) expect(await tell(everything())).toEqual({ outcome: 'confirmed' });
      const where = `${when}, write ${fatal}`;
      expect(await holds(everything()), where).toBe(true);
      expect(shown(), where).toEqual(SHOWN);
      expect(
        order.notes.map(({ note }) => note),
        where,
      ).toEqual(NOTES);
    }
  },
);

it('what the shop’s people fulfilled counts for the oldest shipment, and the next keeps its own code', async () => {
  order.fulfilments.push({
    ...{ id: 'hand', state: 'Shipped', method: 'By hand', trackingCode: 'HAND' },
    lines: [{ orderLineId: '1', quantity: 3 }],
  });
  await tell(stateOf([shipmentOf(1, [3, 0]), shipmentOf(2, [2, 3])]));
  expect(shown().slice(1)).toEqual([['Crossdock', 'T-2', 'Shipped', '2 of 1, 3 of 2']]);
});

it('shipments without a tracking code are known by their units', async () => {
  const one = shipmentOf(2, [3, 0], []);
  await tell(stateOf([one]));
  const two = {
    ...shipmentOf(3, [2, 1], []),
    lines: [
      { lineNo: 1, quantity: 2 },
      { lineNo: 2, quantity: 1 },
    ],
  };
  for (let i = 0; i < 2; i++) await tell(stateOf([one, two]));
  expect(shown()).toEqual([
    ['Crossdock', '', 'Shipped', '3 of 1'],
    ['Crossdock', '', 'Shipped', '2 of 1, 1 of 2'],
  ]);
});

it('notes are for buyers only where the estate says so, and are told by their first words', async () => {
  await shop.close();
  shop = connect({ publicNotes: true });
  order.notes.push({ note: 'invoice erp/41: in other words', isPublic: false });
  await tell(everything());
  expect(order.notes.slice(1)).toEqual([{ note: NOTES[1], isPublic: true }]);
});

it('units that the shop’s people took back after they had left leave nothing to be done but to tell of it', async () => {
  await tell(stateOf([shipmentOf(1, [3, 0])]));
  // Vendure takes fulfilled units off the line and leaves the fulfilment as it is.
  order.lines[0]!.quantity -= 4;
  const { returns } = everything();
  const state = stateOf([shipmentOf(1, [3, 0])], { returns: returns! });
  state.lines[0]!.cancelled = 2;
  state.lines[0]!.returned = 2;
  expect(await tell(state)).toEqual({ outcome: 'confirmed' });
  expect([order.fulfilments.length, order.notes.length, await holds(state)]).toEqual([1, 1, true]);
});
