/** What events do to how far charges and tax of an order have come. Pure but for the order it is given. */
import { acceptedOf } from './accepted.ts';
import { follow, newBilling, newCharge } from './billing.ts';
import type { Billing, ChargePart } from './billing-types.ts';
import type { Order, OrderEvent } from './types.ts';

type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;

export function billingOf({ charges, lines, currency }: Accepted): { billing?: Billing } {
  if (charges === undefined) return {};
  const accepted = lines.reduce((sum, line) => sum + acceptedOf(line, currency).amountMinor, 0);
  return { billing: newBilling(new Map(charges.map((charge) => [charge.chargeNo, newCharge(charge)])), accepted) };
}

/** @param order as it was before the event */
export function applyBilling(order: Order, event: Exclude<OrderEvent, Accepted>): void {
  const { billing, currency } = order;
  if (billing === undefined) return;
  const { goods } = billing;
  switch (event.type) {
    case 'shipment.confirmed':
      follow(billing, event);
      add(billing, event.charges, 'due');
      return;
    case 'order.lines_cancelled':
      follow(billing, event);
      add(billing, event.charges, 'cancelled');
      return;
    case 'return.received':
    case 'return.inspected':
      follow(billing, event);
      add(billing, event.charges, 'refunded');
      return;
    case 'order.lines_added':
      for (const line of event.lines) goods.acceptedMinor += acceptedOf(line, currency).amountMinor;
      return;
    case 'order.exception_resolved': {
      if (event.refused > 0) {
        const line = order.lines.get(event.lineNo)!;
        const refused = line.refused + event.refused;
        goods.acceptedMinor += acceptedOf({ ...line, refused }, currency).amountMinor;
        goods.acceptedMinor -= acceptedOf(line, currency).amountMinor;
      }
      for (const line of event.lines) goods.acceptedMinor += line.amountMinor;
      return;
    }
    case 'document.posted':
      post(billing, event);
      return;
  }
}

function add(billing: Billing, parts: readonly ChargePart[] = [], to: 'due' | 'cancelled' | 'refunded'): void {
  for (const { chargeNo, amountMinor, taxMinor } of parts) {
    const so = billing.charges.get(chargeNo)![to];
    so.amountMinor += amountMinor;
    so.taxMinor += taxMinor;
  }
}

function post(billing: Billing, event: Extract<OrderEvent, { type: 'document.posted' }>): void {
  const isInvoice = event.document === 'invoice';
  for (const { lineNo, taxMinor } of event.lines) {
    if (taxMinor === undefined) continue;
    const line = billing.lines.get(lineNo) ?? { invoicedTaxMinor: 0, creditedTaxMinor: 0 };
    billing.lines.set(lineNo, line);
    line[isInvoice ? 'invoicedTaxMinor' : 'creditedTaxMinor'] += taxMinor;
  }
  for (const { chargeNo, amountMinor, taxMinor = 0 } of event.charges ?? []) {
    const charge = chargeNo === null ? undefined : billing.charges.get(chargeNo);
    if (charge === undefined) continue;
    const so = charge[isInvoice ? 'invoiced' : 'credited'];
    so.amountMinor += amountMinor;
    so.taxMinor += taxMinor;
  }
}
