/** What all deciders answer with, and what they must assume the WMS has done. */
import type { Decision, Order, OrderEvent, OrderLine } from './types.ts';

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

/** Whether the WMS was told of what is allocated to a line: all of it, as soon as the ERP knows the order and the line, and nothing holds it. */
export function isHandedOver(order: Order, line?: OrderLine): boolean {
  return order.progress.handed && line?.awaitsErp !== true;
}

/** Units that the WMS may have picked without our having heard of it. */
export function handedOver(order: Order, lineNo: number): number {
  let units = 0;
  if (!isHandedOver(order, order.lines.get(lineNo))) return units;
  for (const allocation of order.allocations.values())
    if (allocation.lineNo === lineNo) units += allocation.openQuantity;
  return units;
}
