/** What left, what was invoiced and what came back, as the shop shows it: each thing once, wherever a try broke off. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, OrderStatusState, ReturnState, ShipmentState, StateItem } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import { medusa } from './index.ts';
import { spread } from './returns.ts';
import { isDone, missing, orderThere } from './status-plan.ts';
import { OrderDouble } from './testing.ts';

const signal = new AbortController().signal;
const at = '2026-03-02T10:00:00.000Z';
const settings = { company: 'main', account: 'WALK-IN', locations: { EAST: 'sloc_1' } };

let system: FakeSystem;
let shop: Connector;
let order: OrderDouble;

beforeEach(async () => {
  system = await fakeSystem();
  shop = medusa(contextFor(system.url, { settings, limits: { ...contextFor('').limits, timeoutMs: 250 } }));
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
  ...{ shipment: `wms/S-${no}`, location: 'EAST', tracking: tracking[0] ?? null, carrier: 'Parcel Post', at },
  parcels: tracking.map((number) => ({ tracking: number, url: `https://carrier.example/${number}` })),
  lines: quantities.flatMap((quantity, i) => (quantity > 0 ? [{ lineNo: i + 1, quantity }] : [])),
});

/** An order of two lines, 5 and 3 units, with what was shipped and what came back of each. */
function stateOf(
  shipments: ShipmentState[],
  returned: readonly number[] = [0, 0],
  rest: Partial<OrderStatusState> = {},
): OrderStatusState {
  const shipped = [1, 2].map((lineNo) =>
    shipments
      .flatMap(({ lines }) => lines)
      .reduce((sum, line) => sum + (line.lineNo === lineNo ? line.quantity : 0), 0),
  );
  return {
    ...{ channel: 'channel', externalNo: '7', status: 'x', account: 'a', currency: 'USD', totalMinor: 800 },
    lines: [5, 3].map((quantity, i) => ({
      ...{
        lineNo: i + 1,
        sku: `SKU-${i + 1}`,
        quantity,
        amountMinor: 100 * quantity,
        cancelled: 0,
        backordered: 0,
        refused: 0,
      },
      ...{ invoiced: 0, shipped: shipped[i]!, returned: returned[i]! },
    })),
    shipments,
    ...rest,
  };
}

const itemOf = (state: OrderStatusState): StateItem => ({ key: 'channel/7', version: 3, base: 0, state });
const tell = async (state: OrderStatusState) => (await shop.orderStatus!.write([itemOf(state)], signal))[0]!;
const holds = async (state: OrderStatusState) => (await shop.orderStatus!.holds!([itemOf(state)], signal)).size === 1;
const shown = () =>
  order.fulfilments.map(({ metadata, labels, items, shipped_at }) => [
    (metadata as Record<string, unknown>).crossdock_shipment ?? null,
    labels.map(({ tracking_number }) => tracking_number).join(' '),
    items.map(({ line_item_id, quantity }) => `${quantity} of ${line_item_id}`).join(', '),
    shipped_at !== null,
  ]);
const writes = () => system.calls.filter(({ method }) => method !== 'GET').length;
const invoices = [
  { document: 'invoice', reference: 'erp/41', number: '41', currency: 'USD', amountMinor: 805, at },
  { document: 'credit_note', reference: 'erp/42', number: '42', currency: 'USD', amountMinor: 5, at },
] as const;
const everything = () =>
  stateOf([shipmentOf(1, [3, 0], ['T-1', 'T-1b']), shipmentOf(2, [2, 3])], [2, 1], { invoices: [...invoices] });

it('each shipment is one of the shop, with its own tracking numbers and their links', async () => {
  const state = stateOf([shipmentOf(1, [3, 0], ['T-1', 'T-1b']), shipmentOf(2, [2, 3])]);
  expect(await tell(state)).toEqual({ outcome: 'confirmed' });
  expect(shown()).toEqual([
    ['wms/S-1', 'T-1 T-1b', '3 of ordli_1', true],
    ['wms/S-2', 'T-2', '2 of ordli_1, 3 of ordli_2', true],
  ]);
  expect(order.fulfilments[0]!.labels[0]).toEqual({
    tracking_number: 'T-1',
    tracking_url: 'https://carrier.example/T-1',
    label_url: '#',
  });
  expect(await holds(state)).toBe(true);
});

it('delivered twice, and late after a newer one, makes nothing', async () => {
  const older = stateOf([shipmentOf(1, [3, 0])]);
  const newer = everything();
  await tell(older);
  await tell(newer);
  const before = [structuredClone(order.lines), structuredClone(order.fulfilments), structuredClone(order.returns)];
  const calls = writes();
  await tell(newer);
  await tell(older);
  expect([order.lines, order.fulfilments, order.returns]).toEqual(before);
  expect(writes()).toBe(calls);
  expect(order.metadata.crossdock_invoices).toContain('erp/42');
});

it('an invoice stands in the metadata with number and amount to the cent, beside what is there', async () => {
  const state = stateOf([], [0, 0], { invoices: [...invoices] });
  expect(await holds(state)).toBe(false);
  await tell(state);
  expect(order.metadata).toEqual({
    gift: 'yes',
    crossdock_invoices: 'invoice erp/41: 2026-03-02, 8.05 USD; credit note erp/42: 2026-03-02, 0.05 USD',
  });
  expect(await holds(state)).toBe(true);
});

it('what came back is received without being put on the shop’s shelf, part by part', async () => {
  const shipments = [shipmentOf(1, [5, 3])];
  await tell(stateOf(shipments, [1, 0]));
  await tell(stateOf(shipments, [3, 2]));
  expect(order.lines.map(({ detail }) => detail.return_dismissed_quantity)).toEqual([3, 2]);
  expect(order.lines.map(({ detail }) => detail.return_requested_quantity)).toEqual([0, 0]);
  expect(order.returns.map(({ status }) => status)).toEqual(['received', 'received']);
  expect(order.restocked).toBe(0);
  expect(await holds(stateOf(shipments, [3, 2]))).toBe(true);
});

it('what the shop awaits already is received on that return, and only the rest makes another', async () => {
  const shipments = [shipmentOf(1, [5, 3])];
  await tell(stateOf(shipments));
  order.returns.push({
    id: 'return_buyer',
    status: 'requested',
    location_id: null,
    items: [{ item_id: 'ordli_1', quantity: 2, received_quantity: 0 }],
  });
  order.lines[0]!.detail.return_requested_quantity = 2;
  await tell(stateOf(shipments, [3, 0]));
  expect(order.returns.map(({ id, status, items }) => [id === 'return_buyer', status, items[0]!.quantity])).toEqual([
    [true, 'received', 2],
    [false, 'received', 1],
  ]);
  expect(order.lines[0]!.detail).toMatchObject({ return_dismissed_quantity: 3, return_requested_quantity: 0 });
});

it('a person who changes the order is waited for', async () => {
  const shipments = [shipmentOf(1, [5, 3])];
  await tell(stateOf(shipments));
  const theirs = { id: 'ordch_x', change_type: 'edit', status: 'pending', return_id: null, internal_note: 'by Ann' };
  order.changes.push({ ...theirs, items: [], received: [], dismissed: [] });
  expect(await tell(stateOf(shipments, [1, 0]))).toMatchObject({
    outcome: 'later',
    error: expect.stringContaining('person'),
  });
  expect(order.returns).toEqual([]);
});

describe('a try that broke off', () => {
  const counts = async () => {
    await tell(everything());
    return writes();
  };
  it.each(['after the effect', 'before the effect'] as const)(
    '%s of any write is gone on from, once each',
    async (when) => {
      const total = await counts();
      expect(total).toBeGreaterThan(8);
      for (let fatal = 1; fatal <= total; fatal++) {
        order = new OrderDouble([5, 3]);
        let n = 0;
        system.answer((call) => {
          const isFatal = call.method !== 'GET' && ++n === fatal;
          if (isFatal && when === 'before the effect') return 'reset';
          const answer = order.answer(call);
          return isFatal ? 'reset' : answer;
        });
        const first = await tell(everything());
        expect(first.outcome, `write ${fatal}`).toBe('in_doubt');
        n = total;
        for (let tries = 0; tries < 4 && !(await holds(everything())); tries++) await tell(everything());
        const where = `${when}, write ${fatal}`;
        expect(await holds(everything()), where).toBe(true);
        expect(
          shown().map(([name, labels, items]) => [name, labels, items]),
          where,
        ).toEqual([
          ['wms/S-1', 'T-1 T-1b', '3 of ordli_1'],
          ['wms/S-2', 'T-2', '2 of ordli_1, 3 of ordli_2'],
        ]);
        expect(
          order.lines.map(({ detail }) => detail.shipped_quantity),
          where,
        ).toEqual([5, 3]);
        expect(
          order.lines.map(({ detail }) => detail.return_dismissed_quantity),
          where,
        ).toEqual([2, 1]);
        expect(
          order.lines.map(({ detail }) => detail.return_requested_quantity),
          where,
        ).toEqual([0, 0]);
        expect(
          order.returns.every(({ status }) => status === 'received'),
          where,
        ).toBe(true);
        expect(order.restocked, where).toBe(0);
      }
    },
  );
});

describe('what is missing', () => {
  const there = async () => {
    const raw = order.answer({ method: 'GET', path: '/admin/orders/order_1' } as never);
    const { order: shown } = (raw as { json: { order: unknown } }).json;
    return orderThere(shown, shown);
  };
  it('of a shipment that the shop made by itself is nothing, and the next one keeps its own tracking number', async () => {
    order.lines[0]!.detail.fulfilled_quantity = 3;
    order.lines[0]!.detail.shipped_quantity = 3;
    order.fulfilments.push({
      ...{ id: 'ful_hand', shipped_at: at, canceled_at: null, metadata: null, labels: [{ tracking_number: 'HAND' }] },
      items: [{ line_item_id: 'ordli_1', quantity: 3 }],
    });
    const todo = missing(await there(), stateOf([shipmentOf(1, [3, 0]), shipmentOf(2, [2, 0])]));
    expect(todo.fulfil.map(({ shipment, labels }) => [shipment, labels[0]?.tracking_number])).toEqual([
      ['wms/S-2', 'T-2'],
    ]);
  });
  it('where people packed it is shipped as it is, under the shipment that has its goods', async () => {
    order.lines[1]!.detail.fulfilled_quantity = 3;
    order.fulfilments.push({
      ...{ id: 'ful_hand', shipped_at: null, canceled_at: null, metadata: null, labels: [] },
      items: [{ line_item_id: 'ordli_2', quantity: 3 }],
    });
    const todo = missing(await there(), stateOf([shipmentOf(1, [3, 0]), shipmentOf(2, [0, 3])]));
    expect(todo.ship.map(({ id, labels }) => [id, labels[0]?.tracking_number])).toEqual([['ful_hand', 'T-2']]);
    expect(todo.fulfil.map(({ shipment }) => shipment)).toEqual(['wms/S-1']);
  });
  it('of units that no shipment tells of is one fulfilment without a name', async () => {
    const state = stateOf([shipmentOf(1, [3, 0])]);
    const { shipments: _, ...untold } = state;
    expect(missing(await there(), untold).fulfil).toEqual([
      { shipment: null, items: [{ itemId: 'ordli_1', quantity: 3 }], labels: [] },
    ]);
  });
  it('of a parcel link that is no web address is only its number', async () => {
    const shipment = shipmentOf(1, [1, 0]);
    shipment.parcels = [{ tracking: 'T', url: 'javascript:alert(1)' }];
    const [made] = missing(await there(), stateOf([shipment])).fulfil;
    expect(made!.labels).toEqual([{ tracking_number: 'T', tracking_url: '#', label_url: '#' }]);
  });
  it('is nothing of what came back and was never shipped there', async () => {
    const todo = missing(await there(), stateOf([], [2, 0], { returns: [] as ReturnState[] }));
    expect(isDone(todo)).toBe(true);
  });
});

it('returns that the shop awaits take no more than its line says is to come', () => {
  const requested = { id: 'r', status: 'partially_received', locationId: 'l', items: [{ itemId: 'i', open: 4 }] };
  const parts = [{ itemId: 'i', quantity: 5 }];
  expect(spread(parts, [requested, { ...requested, id: 'c', status: 'canceled' }], new Map([['i', 2]]))).toEqual({
    receive: [{ id: 'r', locationId: 'l', items: [{ itemId: 'i', quantity: 2 }] }],
    rest: [{ itemId: 'i', quantity: 3 }],
  });
});
