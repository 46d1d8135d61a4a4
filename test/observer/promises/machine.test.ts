import { expect, test } from 'vitest';
import { PlayedOrder, readMachine, type Told } from './machine.ts';

test('the machine is read from the page that people read', () => {
  const { next, meets } = readMachine();
  expect([...next.keys()]).toEqual([
    'refused',
    'cancelled',
    'closed',
    'shipped',
    'partly_shipped',
    'released',
    'confirmed',
    'accepted',
  ]);
  expect(next.get('closed')).toEqual(new Set());
  expect(next.get('partly_shipped')).toEqual(new Set(['shipped', 'closed']));
  expect(meets.get('order.accepted')).toBe('none');
  expect(meets.get('order.lines_allocated')).toEqual(new Set(['accepted', 'confirmed', 'released', 'partly_shipped']));
  expect(() => readMachine('# nothing')).toThrow('no table of states');
});

const accepted: Told = {
  lines: [
    { lineNo: 1, quantity: 5, backordered: 2 },
    { lineNo: 2, quantity: 1, refused: 1 },
  ],
  allocations: [{ lineNo: 1, quantity: 3 }],
};
const way: [string, Told, string][] = [
  ['order.accepted', accepted, 'accepted'],
  ['order.confirmed', {}, 'confirmed'],
  ['fulfilment.requested', {}, 'confirmed'],
  ['fulfilment.released', {}, 'released'],
  // Goods may be heard to have left before they are heard to have been picked.
  ['shipment.confirmed', { lines: [{ lineNo: 1, quantity: 3 }] }, 'partly_shipped'],
  ['stock.picked', { lines: [{ lineNo: 1, quantity: 3 }] }, 'partly_shipped'],
  ['order.lines_allocated', { allocations: [{ lineNo: 1, quantity: 1 }] }, 'partly_shipped'],
  [
    'order.lines_cancelled',
    { lines: [{ lineNo: 1, quantity: 2, fromBackorder: 1 }], released: [{ lineNo: 1, quantity: 1 }] },
    'shipped',
  ],
  ['document.posted', { document: 'invoice', lines: [{ lineNo: 1, quantity: 3 }] }, 'closed'],
  ['return.received', { lines: [{ lineNo: 1, quantity: 1 }] }, 'closed'],
  ['document.posted', { document: 'credit_note', lines: [{ lineNo: 1, quantity: 1 }] }, 'closed'],
];

function play(steps: readonly (readonly [string, Told, ...unknown[]])[], machine = readMachine()) {
  const order = new PlayedOrder();
  const states = steps.map(([type, told], i) => order.play(machine, i + 1, type, told) ?? order.state);
  return { order, states };
}

test('an order goes its whole way', () => {
  const { order, states } = play(way);
  expect(states).toEqual(way.map(([, , state]) => state));
  const none = { backordered: 0, allocated: 0 };
  expect(order.lines.get(1)).toEqual({
    ...none,
    quantity: 5,
    refused: 0,
    picked: 3,
    shipped: 3,
    invoiced: 3,
    cancelled: 2,
    returned: 1,
  });
  expect(play([['order.accepted', { lines: [{ lineNo: 1, quantity: 1, refused: 1 }] }]]).states).toEqual(['refused']);
});

test('a step that is not declared is named', () => {
  const declared = readMachine();
  const next = new Map(declared.next).set('accepted', new Set(['released']));
  expect(play(way.slice(0, 2), { ...declared, next }).states).toEqual([
    'accepted',
    'order.confirmed (version 2) moves it from accepted to confirmed',
  ]);
});

test.each<[string, [string, Told][], string]>([
  ['an event before its order', [['order.confirmed', {}]], 'order.confirmed meets an order that is not there'],
  [
    'an order twice',
    [way[0]!, way[0]!].map(([type, told]) => [type, told]),
    'order.accepted meets an order that is accepted',
  ],
  ['an event that nobody declared', [['order.lost', {}]], 'order.lost is no declared event'],
  [
    'more picked than was allocated',
    [
      ['order.accepted', accepted],
      ['stock.picked', { lines: [{ lineNo: 1, quantity: 4 }] }],
    ],
    'stock.picked leaves line 1 with -1 allocated',
  ],
  [
    'units that come from nowhere',
    [['order.accepted', { lines: [{ lineNo: 1, quantity: 5, backordered: 2 }] }]],
    'order.accepted leaves line 1 with 5 ≠ 0 + 2 + 0 + 0 + 0',
  ],
])('%s is named', (_, steps, fault) => {
  expect(play(steps).states.at(-1)).toBe(fault);
});

test('a gap is named', () => {
  const order = new PlayedOrder();
  expect(order.play(readMachine(), 2, 'order.accepted', accepted)).toBe('version 2 follows 0');
});
