/** Orders that leave only whole, when what they waited for is there. Pure, as `decide`. */
import { evolve } from './evolve.ts';
import { requestFulfilments } from './fulfilments.ts';
import { mayHandOver } from './holds.ts';
import type { Decision, Order } from './types.ts';

/** With the last of what it waited for, the WMS is asked for all of it. Needs all lines and open allocations of such an order. */
export function withComplete(order: Order, decision: Decision): Decision {
  if (order.terms?.shipComplete !== true || order.progress.handed || !decision.ok || decision.events.length === 0)
    return decision;
  const next = structuredClone(order);
  for (const event of decision.events) evolve(next, event);
  if (next.progress.handed || !mayHandOver(next)) return decision;
  return { ok: true, events: [...decision.events, ...requestFulfilments(next)] };
}
