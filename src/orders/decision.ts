/** What all deciders answer with, and what they must assume the WMS has done. */
import type { Allocation, Decision, Order, OrderEvent } from './types.ts';

export const nothing: Decision = { ok: true, events: [] };

export function events(list: OrderEvent[]): Decision {
  return { ok: true, events: list };
}

export function refused(
  reason: Extract<Decision, { ok: false }>['refused'],
  detail: string,
  waitFor?: string,
): Extract<Decision, { ok: false }> {
  return { ok: false, refused: reason, detail, ...(waitFor !== undefined && { waitFor }) };
}

/** Whether the WMS was asked for what was allocated: it may be picking it. What was added waits for the ERP first, and a hold for its end. */
export function isRequested(order: Order, { fulfilmentId }: Pick<Allocation, 'fulfilmentId'>): boolean {
  return order.fulfilments.has(fulfilmentId);
}

/** Open units of a line that the WMS was asked for: it may have picked them without our having heard of it. */
export function requestedUnits(order: Order, lineNo: number): number {
  let units = 0;
  for (const allocation of order.allocations.values())
    if (allocation.lineNo === lineNo && isRequested(order, allocation)) units += allocation.openQuantity;
  return units;
}
