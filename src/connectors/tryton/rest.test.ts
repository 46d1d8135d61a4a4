import { expect, it } from 'vitest';
import { planRest, type RestMove } from './rest.ts';

const lines = [
  { id: 1, quantity: 6 },
  { id: 2, quantity: 2 },
];
const move = (id: number, line: number, quantity: number, shipment: [number, string, string | null], state = 'draft') =>
  ({
    id,
    line,
    quantity,
    state,
    shipment: { id: shipment[0], state: shipment[1], reference: shipment[2] },
  }) as RestMove;
const nothing = { unassign: [], draft: [], quantities: [], remove: [], empty: [] };

it('what Tryton planned becomes a draft, whole', () => {
  const planned: [number, string, string] = [9, 'assigned', 'shop/1'];
  expect(planRest(lines, [move(1, 1, 6, planned), move(2, 2, 2, planned)])).toEqual({
    ...nothing,
    unassign: [9],
    draft: [9],
  });
});

it('a fulfilment takes its part, and a second look changes nothing', () => {
  const rest: [number, string, string] = [9, 'draft', 'shop/1'];
  const ours: [number, string, string] = [10, 'draft', 'F1'];
  const before = [move(1, 1, 6, rest), move(2, 2, 2, rest), move(3, 1, 4, ours), move(4, 2, 2, ours)];
  expect(planRest(lines, before)).toEqual({ ...nothing, quantities: [{ move: 1, quantity: 2 }], remove: [2] });
  const after = [move(1, 1, 2, rest), move(3, 1, 4, ours), move(4, 2, 2, ours)];
  expect(planRest(lines, after)).toEqual(nothing);
});

it('when all is taken the rest is empty and goes', () => {
  const rest: [number, string, null] = [9, 'draft', null];
  const ours: [number, string, string] = [10, 'waiting', 'F1'];
  expect(planRest(lines, [move(1, 1, 6, rest), move(3, 1, 6, ours), move(4, 2, 2, ours)])).toEqual({
    ...nothing,
    remove: [1],
    empty: [9],
  });
});

it('cancelled goods stay away; a cancelled fulfilment gives its back', () => {
  const rest: [number, string, string] = [9, 'draft', 'shop/1'];
  const cancellation = move(3, 1, 2, [10, 'cancelled', 'C/5/3'], 'cancelled');
  const fulfilment = move(4, 1, 4, [11, 'cancelled', 'F1'], 'cancelled');
  expect(planRest(lines, [move(1, 1, 6, rest), move(2, 2, 2, rest), cancellation, fulfilment])).toEqual({
    ...nothing,
    quantities: [{ move: 1, quantity: 4 }],
  });
});

it('what people picked beside us counts as taken and is left alone', () => {
  const picked = move(1, 1, 6, [9, 'picked', 'shop/1'], 'assigned');
  expect(planRest(lines, [picked, move(2, 2, 2, [12, 'waiting', null])])).toEqual({ ...nothing, draft: [12] });
});

it("a channel called C or F has its orders' goods kept as well", () => {
  for (const reference of ['C/17', 'F/12', 'F1/2'])
    expect(
      planRest(lines, [move(1, 1, 6, [9, 'waiting', reference]), move(2, 2, 2, [9, 'waiting', reference])]),
    ).toEqual({
      ...nothing,
      draft: [9],
    });
});

it('what this hub and others made is theirs, however their references end', () => {
  const rest: [number, string, string] = [9, 'draft', 'shop/1'];
  for (const reference of ['F1', 'F1-K7QX', 'C/5/3', 'C/5-K7QX/3']) {
    const state = reference.startsWith('C') ? 'cancelled' : 'waiting';
    const taken = move(3, 1, 6, [10, state, reference], state);
    expect(planRest(lines, [move(1, 1, 6, rest), move(2, 2, 2, rest), taken]), reference).toEqual({
      ...nothing,
      remove: [1],
    });
  }
});
