/** Takes units of waiting lines away and gives them others, as a rerun has decided. Pure, as `decide`. */
import { events, nothing, refused } from './decision.ts';
import { fulfilmentsOf } from './exceptions.ts';
import { requestFulfilments } from './fulfilments.ts';
import { isHeld, mayHandOver } from './holds.ts';
import type { DecideContext, Decision, NewAllocation, Offered, Order, OrderCommand, OrderEvent } from './types.ts';

type Reassign = Extract<OrderCommand, { kind: 'reassign' }>;
type Reassigned = Extract<OrderEvent, { type: 'order.lines_reassigned' }>;

/**
 * What was decided from a look without locks: where the order is no more as it was then, nothing happens, and the next rerun looks again.
 * Units that somebody else has taken meanwhile are not given.
 */
export function reassign(order: Order, command: Reassign, context: DecideContext): Decision {
  if (isHeld(order)) return refused('stale', `order ${order.orderId} is held by now`);
  const released: Reassigned['released'] = [];
  const allocations: NewAllocation[] = [];
  const commitments: Reassigned['commitments'] = [];
  const fulfilmentAt = fulfilmentsOf(context, order);
  const offers = new Map<number, Offered>();
  const offeredOf = (skuId: number): Offered => {
    let offered = offers.get(skuId);
    if (offered === undefined) {
      offered = { ...context.offers(skuId) };
      offers.set(skuId, offered);
    }
    return offered;
  };
  const free = new Map<string, number>();
  for (const wanted of command.lines) {
    const line = order.lines.get(wanted.lineNo);
    if (line === undefined) return refused('unknown_line', `line ${wanted.lineNo}`);
    const { lineNo, skuId } = line;
    if (line.backordered - line.held !== wanted.waiting)
      return refused('stale', `line ${lineNo} waits for ${line.backordered - line.held}, not for ${wanted.waiting}`);
    // Of a line that another rerun has given something meanwhile the rest is decided by the next.
    const promised = context.promisedOf(lineNo, skuId);
    if (promised !== wanted.promised)
      return refused('stale', `line ${lineNo} is promised ${promised} of what is to come, not ${wanted.promised}`);
    for (const { allocationId, quantity } of wanted.release) {
      const allocation = order.allocations.get(allocationId);
      if (order.progress.handed || allocation === undefined || allocation.openQuantity < quantity)
        return refused('stale', `line ${lineNo}: allocation ${allocationId} is not as it was`);
      released.push({ allocationId, lineNo, skuId, locationId: allocation.locationId, quantity });
    }
    for (const { locationId, quantity } of wanted.take) {
      const key = `${skuId}@${locationId}`;
      const offered = offeredOf(skuId);
      const offer = offered.places.find((one) => one.locationId === locationId);
      const there = free.get(key) ?? Math.max(0, Math.min(offer?.free ?? 0, offer?.physical ?? 0));
      const units = Math.max(0, Math.min(quantity, there, offered.allocatable));
      free.set(key, there - units);
      offered.allocatable -= units;
      offered.promisable -= units;
      if (units === 0) continue;
      const ids = { allocationId: context.takeAllocationId(), fulfilmentId: fulfilmentAt(locationId, lineNo) };
      allocations.push({ ...ids, lineNo, skuId, locationId, quantity: units, fromExposure: 0 });
    }
    for (const part of wanted.commitments) {
      let left = part.quantity;
      if (left > 0) {
        const offered = offeredOf(skuId);
        left = Math.max(0, Math.min(left, context.supplyLeft(skuId, part.supplyId), offered.promisable));
        offered.promisable -= left;
      }
      if (part.quantity < 0 && context.promisedOf(lineNo, skuId, part.supplyId) < -part.quantity)
        return refused('stale', `line ${lineNo} is not promised so much of supply ${part.supplyId}`);
      if (left !== 0) commitments.push({ ...part, lineNo, skuId, quantity: left });
    }
  }
  if (released.length + allocations.length + commitments.length === 0) return nothing;
  const told = allocations.filter(({ lineNo }) => order.lines.get(lineNo)?.awaitsErp !== true);
  const requests = told.length > 0 && mayHandOver(order) ? requestFulfilments(order, told) : [];
  return events([{ type: 'order.lines_reassigned', released, allocations, commitments }, ...requests]);
}
