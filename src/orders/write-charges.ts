/** Charges and taxes that orders were accepted with. They never change. */
import { numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './charges.sql.ts';
import type { OrderCharge, OrderEvent, OrderTax } from './types.ts';

interface Changed {
  order: { orderId: number; chargesMinor: number; taxMinor: number };
  isNew: boolean;
  events: readonly { event: OrderEvent }[];
}

export function writeCharges(tx: Tx, changed: readonly Changed[]): void {
  const orders: Changed['order'][] = [];
  const charges: (OrderCharge & { orderId: number })[] = [];
  const taxes: (OrderTax & { orderId: number })[] = [];
  for (const { order, isNew, events } of changed) {
    const first = isNew ? events[0]?.event : undefined;
    if (first?.type !== 'order.accepted' || first.charges === undefined) continue;
    const { orderId } = order;
    orders.push(order);
    charges.push(...first.charges.map((charge) => ({ orderId, ...charge })));
    taxes.push(...(first.taxes ?? []).map((tax) => ({ orderId, ...tax })));
  }
  if (orders.length === 0) return;
  tx.write(statements.markCharged, [
    numbers(orders.map((o) => o.orderId)),
    numbers(orders.map((o) => o.chargesMinor)),
    numbers(orders.map((o) => o.taxMinor)),
  ]);
  if (charges.length > 0)
    tx.write(statements.insertCharges, [
      numbers(charges.map((c) => c.orderId)),
      numbers(charges.map((c) => c.chargeNo)),
      texts(charges.map((c) => c.kind)),
      texts(charges.map((c) => c.code)),
      numbers(charges.map((c) => c.amountMinor)),
      numbers(charges.map((c) => c.taxMinor)),
    ]);
  if (taxes.length > 0)
    tx.write(statements.insertTaxes, [
      numbers(taxes.map((t) => t.orderId)),
      numbers(taxes.map((t) => t.taxNo)),
      numbers(taxes.map((t) => t.lineNo)),
      numbers(taxes.map((t) => t.chargeNo)),
      texts(taxes.map((t) => t.code)),
      texts(taxes.map((t) => t.rate)),
      numbers(taxes.map((t) => t.baseMinor)),
      numbers(taxes.map((t) => t.taxMinor)),
      numbers(taxes.map((t) => t.ownMinor)),
    ]);
}
