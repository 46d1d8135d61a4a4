/** Charges and taxes that orders were accepted with, which never change, and how far they have come. */
import { numbers, type Tx, texts } from '../store/index.ts';
import * as statements from './charges.sql.ts';
import type { Billing, ChargeProgress, OrderCharge, OrderEvent, OrderTax } from './types.ts';

interface Changed {
  order: { orderId: number; chargesMinor: number; taxMinor: number; billing?: Billing };
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
  if (orders.length > 0) insert(tx, orders, charges, taxes);
  writeBilling(tx, changed);
}

function insert(
  tx: Tx,
  orders: readonly Changed['order'][],
  charges: readonly (OrderCharge & { orderId: number })[],
  taxes: readonly (OrderTax & { orderId: number })[],
): void {
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

/** Events that move charges or tax. */
const BILLING: ReadonlySet<string> = new Set([
  'order.accepted',
  'shipment.confirmed',
  'order.lines_cancelled',
  'order.lines_added',
  'order.exception_resolved',
  'return.received',
  'return.inspected',
  'document.posted',
]);

function writeBilling(tx: Tx, changed: readonly Changed[]): void {
  const moved = changed.filter(
    ({ order, events }) => order.billing !== undefined && events.some(({ event }) => BILLING.has(event.type)),
  );
  if (moved.length === 0) return;
  const all = moved.map(({ order }) => ({ orderId: order.orderId, billing: order.billing! }));
  tx.write(statements.writeBilling, [
    numbers(all.map((o) => o.orderId)),
    numbers(all.map((o) => o.billing.goods.acceptedMinor)),
    numbers(all.map((o) => o.billing.goods.cancelledMinor)),
    numbers(all.map((o) => o.billing.goods.shippedMinor)),
    numbers(all.map((o) => o.billing.goods.returnedMinor)),
  ]);
  const charges = all.flatMap(({ orderId, billing }) =>
    [...billing.charges.values()].map((charge) => ({ orderId, charge })),
  );
  if (charges.length > 0)
    tx.write(statements.moveCharges, [
      numbers(charges.map((c) => c.orderId)),
      numbers(charges.map((c) => c.charge.chargeNo)),
      ...PROGRESS.flatMap((part) => [
        numbers(charges.map((c) => c.charge[part].amountMinor)),
        numbers(charges.map((c) => c.charge[part].taxMinor)),
      ]),
    ]);
  const lines = all.flatMap(({ orderId, billing }) =>
    [...billing.lines].map(([lineNo, line]) => ({ orderId, lineNo, ...line })),
  );
  if (lines.length > 0)
    tx.write(statements.writeLineTaxes, [
      numbers(lines.map((l) => l.orderId)),
      numbers(lines.map((l) => l.lineNo)),
      numbers(lines.map((l) => l.invoicedTaxMinor)),
      numbers(lines.map((l) => l.creditedTaxMinor)),
    ]);
}

const PROGRESS = ['due', 'cancelled', 'refunded', 'invoiced', 'credited'] as const satisfies (keyof ChargeProgress)[];
