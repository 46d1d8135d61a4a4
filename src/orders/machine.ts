/**
 * The order machine, declared once: docs/reference/order-states.md is generated from it, `evolve` obeys it and `verify`
 * checks the recorded facts against it (I8).
 *
 * A state says how far the whole order has come; how far each line has come is in its quantities. Facts may arrive in
 * any order: a shipment may be heard of before the release that caused it, so later states can be reached from any earlier one.
 */
import type { Order, OrderEventType, OrderState, Progress } from './types.ts';

export interface StateRule {
  state: OrderState;
  meaning: string;
  /** When an order is in this state; the first rule that fits, from the top, decides. */
  guard: string;
  holds: (progress: Progress) => boolean;
  next: readonly OrderState[];
}

export const stateRules: readonly StateRule[] = [
  {
    state: 'refused',
    meaning: 'No line was accepted.',
    guard: 'every unit is refused',
    holds: (p) => p.refused === p.quantity,
    next: [],
  },
  {
    state: 'cancelled',
    meaning: 'Nothing is left to deliver and nothing was shipped.',
    guard: 'every unit is cancelled or refused',
    holds: (p) => p.open === 0,
    next: [],
  },
  {
    state: 'closed',
    meaning: 'Everything that is not cancelled has left and is invoiced.',
    guard: 'shipped = open units and invoiced ≥ shipped',
    holds: (p) => p.shipped >= p.open && p.invoiced >= p.shipped,
    next: [],
  },
  {
    state: 'shipped',
    meaning: 'Everything that is not cancelled has left; an invoice is missing.',
    guard: 'shipped = open units',
    holds: (p) => p.shipped >= p.open,
    next: ['closed'],
  },
  {
    state: 'partly_shipped',
    meaning: 'Something has left, something has not.',
    guard: '0 < shipped < open units',
    holds: (p) => p.shipped > 0,
    next: ['shipped', 'closed'],
  },
  {
    state: 'released',
    meaning: 'The WMS has confirmed at least one fulfilment.',
    guard: 'a fulfilment is released',
    holds: (p) => p.released,
    next: ['partly_shipped', 'shipped', 'closed', 'cancelled'],
  },
  {
    state: 'confirmed',
    meaning: 'The ERP has the order. What is allocated goes to the WMS; what is backordered waits for stock.',
    guard: 'the ERP gave a number',
    holds: (p) => p.confirmed,
    next: ['released', 'partly_shipped', 'shipped', 'closed', 'cancelled'],
  },
  {
    state: 'accepted',
    meaning:
      'Every line is decided (allocated, backordered or refused); the ERP is being told, or waits until nothing of it is held.',
    guard: 'otherwise',
    holds: () => true,
    next: ['confirmed', 'released', 'partly_shipped', 'shipped', 'closed', 'cancelled', 'refused'],
  },
];

/** What each event does, and which states it may meet. Events never move an order back. */
export const eventRules: Readonly<
  Record<OrderEventType, { meaning: string; from: readonly OrderState[] | 'any' | 'none' }>
> = {
  'order.accepted': { meaning: 'The order is taken and each line decided.', from: 'none' },
  'order.confirmed': { meaning: 'The ERP has the order under its number.', from: 'any' },
  'fulfilment.requested': { meaning: 'Allocated units of one location are handed to the WMS.', from: 'any' },
  'fulfilment.released': { meaning: 'The WMS has taken a fulfilment.', from: 'any' },
  'order.lines_allocated': {
    meaning: 'Backordered units found stock.',
    from: ['accepted', 'confirmed', 'released', 'partly_shipped'],
  },
  'order.lines_reassigned': {
    meaning: 'It was decided anew who gets what: units of its lines are others, more or fewer.',
    from: ['accepted', 'confirmed', 'released', 'partly_shipped'],
  },
  'fulfilment.short_picked': {
    meaning: 'Units that the WMS was told to pick were not there: they wait again.',
    from: 'any',
  },
  'stock.picked': { meaning: 'Goods left the shelf: on hand and allocated fall together.', from: 'any' },
  'shipment.confirmed': { meaning: 'Goods left the location.', from: 'any' },
  'document.posted': { meaning: 'The ERP posted an invoice or credit note.', from: 'any' },
  'order.lines_cancelled': { meaning: 'Units are given up before the pick; stock is given back.', from: 'any' },
  'order.cancel_asked': { meaning: 'The WMS is asked to stop units it was told to pick.', from: 'any' },
  'return.authorised': { meaning: 'Units that were picked already are expected back.', from: 'any' },
  'return.received': {
    meaning: 'Goods came back; they are on the shelf again, unless they are inspected first.',
    from: 'any',
  },
  'return.inspected': {
    meaning: 'Somebody looked at goods that came back: they are on the shelf again, scrapped, or set apart.',
    from: 'any',
  },
  'order.exception_raised': {
    meaning: "The order can't have units as they were ordered; says what becomes of them.",
    from: 'any',
  },
  'order.exception_resolved': {
    meaning: 'Units that were held are settled: they wait for stock, are given up, or another SKU stands for them.',
    from: 'any',
  },
  'order.held': { meaning: 'A rule or a person says that the order may not go on, and why.', from: 'any' },
  'order.hold_released': { meaning: 'One of its holds is released: by whom, and why.', from: 'any' },
  'order.degraded_ended': {
    meaning: 'Accepted while the ERP was away; credit that was reported since allows it.',
    from: 'any',
  },
  'order.repriced': {
    meaning: 'Lines that were held for their price have the decided one; amounts and total follow.',
    from: ['accepted'],
  },
  'order.promise_changed': {
    meaning: 'Something leaves at another time, or from another place, than was promised.',
    from: 'any',
  },
  'order.changed': {
    meaning:
      'The order was changed: what was asked of each line, and what it was answered. What follows from it comes next.',
    from: 'any',
  },
  'order.lines_added': {
    meaning: 'Units were added, as lines of their own, and each was decided.',
    from: ['accepted', 'confirmed', 'released', 'partly_shipped'],
  },
  'order.change_confirmed': {
    meaning: 'The ERP has the added lines: what is allocated to them is asked of the WMS.',
    from: 'any',
  },
  'order.change_too_late': {
    meaning: 'The WMS was too late to stop units that a change gave back: the order keeps them.',
    from: 'any',
  },
  'order.hold_ended': { meaning: 'Nothing of it is held any more: the ERP is told the order.', from: 'any' },
};

export function stateOf(order: Order): OrderState {
  return stateRules.find((rule) => rule.holds(order.progress))!.state;
}

const nextByState = new Map(stateRules.map((rule) => [rule.state, new Set(rule.next)]));

export function mayMove(from: OrderState, to: OrderState): boolean {
  return from === to || nextByState.get(from)!.has(to);
}
