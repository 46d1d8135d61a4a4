/** The first decision about an order, read from what never changes of its rows: its facts may have been dropped long ago. */
import type { Queryable } from '../store/index.ts';
import { readOrders } from './store.ts';
import type { OrderEvent } from './types.ts';

/**
 * The event as it was decided, but for what nobody keeps: which dated supply was promised, and what of it came out of exposures.
 * Lines in the order of their numbers.
 */
export async function readFirstDecision(
  db: Queryable,
  orderId: number,
): Promise<Extract<OrderEvent, { type: 'order.accepted' }> | undefined> {
  const order = (await readOrders(db, [orderId])).get(orderId);
  if (order === undefined) return undefined;
  const { companyId, channelId, accountId, externalNo, currency, orderedAt } = order;
  // What was added since is no part of it.
  const lines = [...order.lines.values()].filter((line) => line.addsTo === null);
  const first = [...order.allocations.values()].filter(
    ({ lineNo, fromBackorder }) => !fromBackorder && order.lines.get(lineNo)!.addsTo === null,
  );
  const totalMinor = lines.reduce((sum, line) => sum + (line.standsFor === null ? line.amountMinor : 0), 0);
  return {
    type: 'order.accepted',
    ...{ orderId, companyId, channelId, accountId, externalNo, currency, totalMinor, orderedAt },
    lines: lines.map((line) => {
      const { lineNo, skuId, quantity, unitPrice, pricePer, amountMinor, within, withinShort, refused, asked } = line;
      const { substituted, standsFor, perUnit, setNo } = line;
      let backordered = quantity - refused;
      for (const allocation of first) if (allocation.lineNo === lineNo) backordered -= allocation.quantity;
      return {
        ...{ lineNo, skuId, quantity, unitPrice, amountMinor, within, withinShort, backordered, refused },
        ...(pricePer !== 1 && { pricePer }),
        ...(asked !== undefined && { asked }),
        ...(substituted > 0 && { substituted }),
        ...(standsFor !== null && { standsFor }),
        ...(setNo !== null && { perUnit, setNo }),
      };
    }),
    allocations: first.map(({ allocationId, lineNo, skuId, locationId, fulfilmentId, quantity }) => ({
      ...{ allocationId, lineNo, skuId, locationId, fulfilmentId, quantity },
      fromExposure: 0,
    })),
    commitments: [],
    exposureUsed: [],
  };
}
