/** What an order means for others: as the ERP is told it, once and whole, and whose numbers it changes. Codes of SKUs and account are loaded. Pure. */
import { orderReference, taxOfUnits } from '../canonical/index.ts';
import type { OrderChangePayload, OrderDocumentPayload, SalesOrderPayload } from '../connectors/kit/index.ts';
import type { Directory } from '../master/index.ts';
import { acceptedOf, type ChargePart, type OrderEvent } from '../orders/index.ts';
import type { Header } from './plan-headers.ts';

type Told = {
  lineNo: number;
  skuId: number;
  unitPrice: string;
  pricePer?: number | undefined;
  quantity: number;
  amountMinor: number;
  taxMinor?: number;
};

interface StandsFor {
  standsFor?: number;
  perUnit?: number;
  setNo?: number;
}

/** Of a kit, how many of it are in one. */
function insteadOf({ standsFor, perUnit = 1, setNo }: StandsFor): { standsFor?: number; perUnit?: number } {
  return { ...(standsFor !== undefined && { standsFor }), ...(setNo !== undefined && { perUnit }) };
}

function salesOrder(
  directory: Directory,
  header: Header,
  told: readonly (Told & StandsFor & { addsTo?: number })[],
): SalesOrderPayload {
  const lines = told.map(
    ({ lineNo, skuId, unitPrice, pricePer, quantity, amountMinor, taxMinor, addsTo, ...instead }) => ({
      ...{ lineNo, sku: directory.skuCode(skuId), unitPrice, quantity, amountMinor },
      ...(taxMinor !== undefined && { taxMinor }),
      ...(pricePer !== undefined && { pricePer }),
      ...insteadOf(instead),
      ...(addsTo !== undefined && addsTo !== lineNo && { addsTo }),
    }),
  );
  return {
    reference: orderReference(directory.channelById.get(header.channelId)!.code, header.externalNo),
    company: directory.companyById.get(header.companyId)!.code,
    account: directory.accountCode(header.accountId),
    currency: header.currency,
    orderedAt: header.orderedAt,
    totalMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0) + sumOf(header.charges, 'amountMinor'),
    lines,
    ...(header.charges !== undefined && {
      charges: header.charges,
      taxes: (header.taxes ?? []).map(({ lineNo, chargeNo, code, rate, baseMinor, taxMinor }) => ({
        ...(lineNo !== null && { lineNo }),
        ...(chargeNo !== null && { chargeNo }),
        ...{ code, rate, baseMinor, taxMinor },
      })),
      taxMinor: lines.reduce((sum, line) => sum + (line.taxMinor ?? 0), 0) + sumOf(header.charges, 'taxMinor'),
    }),
  };
}

export function orderAsAccepted(
  directory: Directory,
  header: Header,
  event: Extract<OrderEvent, { type: 'order.accepted' }>,
): SalesOrderPayload {
  const told = event.lines.filter((line) => line.refused < line.quantity);
  return salesOrder(
    directory,
    header,
    told.map(({ taxMinor, ...line }) => ({
      ...{ ...line, ...acceptedOf(line, header.currency) },
      ...(taxMinor !== undefined && { taxMinor: taxOfUnits(taxMinor, line.quantity - line.refused, line.quantity) }),
    })),
  );
}

function sumOf(charges: Header['charges'], of: 'amountMinor' | 'taxMinor'): number {
  return (charges ?? []).reduce((sum, charge) => sum + charge[of], 0);
}

/** One that was held: as it is when no unit waits for a person any more. */
export function orderAsReleased(
  directory: Directory,
  header: Header,
  event: Extract<OrderEvent, { type: 'order.hold_ended' }>,
): SalesOrderPayload {
  return salesOrder(directory, header, event.lines);
}

/** What was added to an order that the ERP was told before; undefined: nothing of it was accepted. */
export function addedToOrder(
  directory: Directory,
  { currency }: Header,
  event: Extract<OrderEvent, { type: 'order.lines_added' }>,
  reference: string,
  order: string,
): OrderChangePayload | undefined {
  const lines = event.lines
    .filter((line) => line.refused < line.quantity)
    .map((line) => {
      const { lineNo, skuId, unitPrice, pricePer, addsTo } = line;
      return {
        ...{ lineNo, sku: directory.skuCode(skuId), unitPrice, ...acceptedOf(line, currency) },
        ...(pricePer !== undefined && { pricePer }),
        ...insteadOf(line),
        ...(addsTo !== lineNo && { addsTo }),
      };
    });
  if (lines.length === 0) return undefined;
  return { reference, order, totalMinor: lines.reduce((sum, line) => sum + line.amountMinor, 0), lines };
}

/** What of it was cancelled before the ERP knew it; undefined: nothing. */
export function cancelledWhileHeld(
  event: Extract<OrderEvent, { type: 'order.hold_ended' }>,
  reference: string,
  order: string,
  header: Header,
): OrderDocumentPayload | undefined {
  const lines = event.lines
    .filter((line) => line.cancelled > 0)
    .map(({ lineNo, cancelled, cancelledMinor, cancelledTaxMinor }) => ({
      ...{ lineNo, quantity: cancelled, amountMinor: cancelledMinor },
      ...(cancelledTaxMinor !== undefined && { taxMinor: cancelledTaxMinor }),
    }));
  return lines.length === 0 ? undefined : { reference, order, lines, ...chargesOf(header, event.charges) };
}

/** What of the order's charges goes with a document, as the order has them. */
export function chargesOf(
  { charges = [] }: Header,
  parts: readonly ChargePart[] | undefined,
): Pick<OrderDocumentPayload, 'charges'> {
  if (parts === undefined || parts.length === 0) return {};
  return {
    charges: parts.map(({ chargeNo, amountMinor, taxMinor, askedMinor, askedTaxMinor }) => {
      const { kind, code } = charges.find((charge) => charge.chargeNo === chargeNo)!;
      return { chargeNo, kind, code, amountMinor: askedMinor ?? amountMinor, taxMinor: askedTaxMinor ?? taxMinor };
    }),
  };
}

/**
 * Whose numbers an accepted order changes, or what is added to one. What is taken from the free stock, or waits for some, changes every channel's; what a
 * channel sold out of its own exposure changes only what it may be given again.
 */
export function changedNumbers(event: Extract<OrderEvent, { type: 'order.accepted' | 'order.lines_added' }>): {
  taken: Set<number>;
  sold: Set<number>;
} {
  const taken = new Set<number>();
  for (const { skuId, quantity, fromExposure } of event.allocations) if (fromExposure < quantity) taken.add(skuId);
  for (const { skuId, backordered } of event.lines) if (backordered > 0) taken.add(skuId);
  const sold = new Set<number>();
  // What a channel sold of kits it sold of their components, without its knowing.
  for (const { skuId, fromExposure } of event.allocations) if (fromExposure > 0 && !taken.has(skuId)) sold.add(skuId);
  for (const { skuId } of event.exposureUsed) if (!taken.has(skuId)) sold.add(skuId);
  return { taken, sold };
}
