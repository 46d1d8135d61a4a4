import { fail } from '../canonical/index.ts';
import { findOrders, findParkedOrders, type OrderFound } from '../projections/index.ts';
import type { Queryable } from '../store/index.ts';
import { say } from './output.ts';

/** How a person may name an order, for an argument's description. */
export const ORDER_ARGUMENT = 'order id, channel/number, number, or ERP number';

/** @throws XD_NOT_FOUND, with what is parked under that number; XD_VALUE_INVALID when several are called so: they are printed */
export async function orderNamed(db: Queryable, text: string): Promise<OrderFound> {
  const found = await findOrders(db, text);
  const exact = found.filter(
    (order) => `${order.channel}/${order.externalNo}` === text || String(order.orderId) === text,
  );
  const order = exact.length === 1 ? exact[0] : found.length === 1 ? found[0] : undefined;
  if (order !== undefined) return order;
  if (found.length === 0) {
    const parked = await findParkedOrders(db, text);
    const ids = parked.map(({ parkedId }) => parkedId);
    const instead = parked.map(({ parkedId, class: kind }) => `crossdock parked show ${parkedId} (${kind})`);
    const more = parked.length === 0 ? '' : `; one that came is parked: ${instead.join(', ')}`;
    return fail('XD_NOT_FOUND', `no order has the id, number or ERP number ${text}${more}`, {
      order: text,
      ...(ids.length > 0 && { parked: ids }),
    });
  }
  for (const one of found)
    say(`${one.orderId}  ${one.channel}/${one.externalNo}  ${one.erpNumber ?? '-'}  ${one.state}`);
  return fail(
    'XD_VALUE_INVALID',
    `${found.length} orders are called ${text}: name one by its id or as channel/number`,
    { order: text },
  );
}
