/**
 * Orders that leave only whole: what is allocated waits until everything of the order is there, or given up; then all of it goes to the WMS at once.
 * What changes after that goes as it would for any order. Pure, as `decide`.
 */
import type { Order } from './types.ts';

/** Needs all lines of such an order. */
export function isIncomplete(order: Order): boolean {
  if (order.terms?.shipComplete !== true || order.progress.handed) return false;
  for (const line of order.lines.values()) if (line.backordered > 0) return true;
  return false;
}
