/**
 * Holds: a rule or a person says that an order may not go on. Pure, as `decide`.
 *
 * An order that is held keeps what it was promised and gets no more. The ERP is told an order once and whole, so one that is held before that
 * is told when nothing holds it any more; the WMS is asked for nothing new of it either way.
 */
import { taxOfUnits } from '../canonical/index.ts';
import { acceptedOf } from './accepted.ts';
import { isIncomplete } from './complete.ts';
import { events, nothing, refused } from './decision.ts';
import { evolve } from './evolve.ts';
import { openAllocations, requestFulfilments } from './fulfilments.ts';
import type { DecideContext, Decision, NewAllocation, NewHold, Order, OrderCommand, OrderEvent } from './types.ts';

export function isHeld(order: Order): boolean {
  return order.progress.held > 0 || order.progress.holds > 0;
}

/** Whether all that is left of it has left. */
function isOver({ progress }: Order): boolean {
  return progress.shipped >= progress.open;
}

/** Whether the WMS may be asked for what is allocated: the ERP knows the order, nothing holds it, and it doesn't wait for the rest of itself. */
export function mayHandOver(order: Order): boolean {
  return order.erpNumber !== null && !isHeld(order) && !isIncomplete(order);
}

function held(hold: NewHold, context: DecideContext, by: string | null, dueAt: string | null = null): OrderEvent {
  const { kind, reason, detail } = hold;
  const { owner, dueMinutes } = context.holdTerms(kind);
  return {
    ...{ type: 'order.held', holdId: context.takeHoldId(), kind, reason, detail, by },
    ...{ owner, dueAt, dueMinutes: dueAt === null ? dueMinutes : null },
  };
}

/** What holds a new order, as events behind its acceptance. */
export function heldBy(holds: readonly NewHold[], context: DecideContext): OrderEvent[] {
  return holds.map((hold) => held(hold, context, null));
}

export function hold(
  order: Order,
  { hold: wanted, dueAt, by }: Extract<OrderCommand, { kind: 'hold' }>,
  context: DecideContext,
): Decision {
  for (const open of order.holds.values())
    if (
      open.releasedBy === null &&
      open.kind === wanted.kind &&
      open.reason === wanted.reason &&
      // What a rule says of an order it says once, in whatever words.
      (by === null || open.detail === wanted.detail)
    )
      return nothing;
  if (isOver(order))
    return refused('order_ended', `order ${order.orderId} is ${order.state}: nothing of it can be held`);
  return events([held(wanted, context, by, dueAt)]);
}

/** The same release twice is one. */
export function releaseHold(
  order: Order,
  { holdId, by, reason, isRule = false, reprice = false }: Extract<OrderCommand, { kind: 'release_hold' }>,
  context: DecideContext,
): Decision {
  const found = order.holds.get(holdId);
  if (found === undefined) return refused('unknown_hold', `hold ${holdId}`);
  if (found.releasedBy !== null) return nothing;
  const verdict = context.judgeRelease(order, found, { isRule, reprice });
  if (!verdict.ok) return refused(verdict.refused, verdict.detail);
  const { credit, repriced } = verdict;
  const released = { holdId, kind: found.kind, by, reason, ...(credit !== undefined && { credit }) };
  return events([
    ...(repriced === undefined ? [] : [{ type: 'order.repriced' as const, holdId, by, lines: [...repriced] }]),
    { type: 'order.hold_released', ...released },
  ]);
}

/** What was allocated while the order was held. */
function* unasked(order: Order): Generator<Omit<NewAllocation, 'fromExposure'>> {
  for (const allocation of openAllocations(order))
    if (!order.fulfilments.has(allocation.fulfilmentId) && order.lines.get(allocation.lineNo)?.awaitsErp !== true)
      yield allocation;
}

/**
 * With the last thing that held it settled, the ERP is told the order as it is by then, and the WMS is asked for what could not be asked before.
 * An order of which nothing is left to send is held by nothing. Needs the order's holds; of one that is not told all lines, else its open allocations.
 */
export function withHoldEnded(order: Order, list: OrderEvent[]): OrderEvent[] {
  if (!isHeld(order)) return list;
  const all = [...list];
  const next = structuredClone(order);
  for (const event of list) evolve(next, event);
  if (isOver(next))
    for (const { holdId, kind, releasedBy } of [...next.holds.values()]) {
      if (releasedBy !== null) continue;
      const released: OrderEvent = {
        type: 'order.hold_released',
        holdId,
        kind,
        by: 'order',
        reason: 'nothing of it is left',
      };
      all.push(released);
      evolve(next, released);
    }
  if (isHeld(next)) return all;
  if (!next.progress.told) {
    const lines = [...next.lines.values()]
      .filter((line) => line.refused < line.quantity)
      .map(
        ({
          lineNo,
          skuId,
          unitPrice,
          pricePer,
          cancelled,
          cancelledMinor,
          standsFor,
          perUnit,
          setNo,
          addsTo,
          taxMinor,
          ...line
        }) => ({
          ...{ lineNo, skuId, unitPrice, cancelled, cancelledMinor },
          ...(taxMinor !== 0 && cancelled > 0 && { cancelledTaxMinor: taxOfUnits(taxMinor, cancelled, line.quantity) }),
          ...(pricePer !== 1 && { pricePer }),
          ...acceptedOf({ ...line, unitPrice, pricePer }, order.currency),
          ...(standsFor !== null && { standsFor }),
          ...(setNo !== null && { perUnit, setNo }),
          ...(addsTo !== null && { addsTo }),
          ...(taxMinor !== 0 && { taxMinor: taxOfUnits(taxMinor, line.quantity - line.refused, line.quantity) }),
        }),
      );
    const charges = [...(next.billing?.charges.values() ?? [])].flatMap(({ chargeNo, cancelled }) =>
      cancelled.amountMinor === 0 && cancelled.taxMinor === 0 ? [] : { chargeNo, ...cancelled },
    );
    if (lines.length > 0) all.push({ type: 'order.hold_ended', lines, ...(charges.length > 0 && { charges }) });
  } else if (mayHandOver(next) && !isOver(next)) all.push(...requestFulfilments(next, unasked(next)));
  return all;
}
