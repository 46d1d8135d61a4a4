/** What the WMS is asked for. Pure, as `decide`. */
import type { NewAllocation, Order, OrderEvent } from './types.ts';

/** Asks for what is allocated, by fulfilment. The ERP knows the order: before, nothing of it is asked; from then on, all at once. */
export function requestFulfilments(
  order: Order,
  allocations: Iterable<Omit<NewAllocation, 'fromExposure'>> = askable(order),
): OrderEvent[] {
  const requests = new Map<
    number,
    { locationId: number; lines: Map<number, { lineNo: number; skuId: number; quantity: number }> }
  >();
  for (const { fulfilmentId, locationId, lineNo, skuId, quantity } of allocations) {
    let request = requests.get(fulfilmentId);
    if (request === undefined) {
      request = { locationId, lines: new Map() };
      requests.set(fulfilmentId, request);
    }
    const line = request.lines.get(lineNo);
    if (line === undefined) request.lines.set(lineNo, { lineNo, skuId, quantity });
    else line.quantity += quantity;
  }
  return [...requests].map(([fulfilmentId, { locationId, lines }]) => ({
    type: 'fulfilment.requested',
    fulfilmentId,
    locationId,
    lines: [...lines.values()],
  }));
}

/** What was added and isn't confirmed by the ERP is asked for when it is. */
function* askable(order: Order): Generator<Omit<NewAllocation, 'fromExposure'>> {
  for (const allocation of openAllocations(order))
    if (order.lines.get(allocation.lineNo)?.awaitsErp !== true) yield allocation;
}

export function* openAllocations(order: Order): Generator<Omit<NewAllocation, 'fromExposure'>> {
  for (const allocation of order.allocations.values())
    if (allocation.openQuantity > 0) yield { ...allocation, quantity: allocation.openQuantity };
}
