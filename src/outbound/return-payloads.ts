/** What goods that came back mean for others: what the ERP is told of them, and whose numbers they change. Pure. */
import type { OrderDocumentPayload } from '../connectors/kit/index.ts';
import type { ReturnEvent } from '../orders/index.ts';
import { chargesOf } from './order-payloads.ts';
import type { Header } from './plan-headers.ts';

type Told = Extract<ReturnEvent, { type: 'return.received' | 'return.inspected' }>;

/**
 * The ERP is told of units once what becomes of them is decided, or as they come in, as the return's rule has it. Units that are not
 * credited are told, too, with an amount of 0: they are the company's again.
 */
export function returnPosting(
  reference: string,
  order: string,
  event: Told,
  header: Header,
): OrderDocumentPayload | undefined {
  const lines = new Map<number, OrderDocumentPayload['lines'][number]>();
  const add = (lineNo: number, quantity: number, amountMinor: number, taxMinor: number | undefined) => {
    const line = lines.get(lineNo) ?? { lineNo, quantity: 0, amountMinor: 0 };
    if (quantity > 0) lines.set(lineNo, line);
    line.quantity += quantity;
    line.amountMinor += amountMinor;
    if (taxMinor !== undefined) line.taxMinor = (line.taxMinor ?? 0) + taxMinor;
  };
  if (event.type === 'return.inspected') {
    if (event.inspection === 'before_credit')
      for (const { lineNo, restock, scrap, askedMinor, askedTaxMinor } of event.lines)
        add(lineNo, restock + scrap, askedMinor, askedTaxMinor);
  } else if (event.inspection !== 'before_credit')
    for (const { lineNo, quantity, amountMinor, taxMinor, askedMinor, askedTaxMinor } of event.lines)
      add(lineNo, quantity, askedMinor ?? amountMinor, askedTaxMinor ?? taxMinor);
  if (lines.size === 0) return undefined;
  const { charges = [] } = chargesOf(header, event.charges);
  if (event.fee !== undefined) {
    const { code, amountMinor, taxMinor } = event.fee;
    charges.push({ chargeNo: null, kind: 'restocking', code, amountMinor: -amountMinor, taxMinor: -taxMinor });
  }
  return { reference, order, lines: [...lines.values()], ...(charges.length > 0 && { charges }) };
}

/** SKUs of which there is more on hand by it. */
export function restockedSkus(event: Told): number[] {
  if (event.type === 'return.inspected')
    return event.lines.filter(({ restock }) => restock > 0).map(({ skuId }) => skuId);
  return event.inspection === undefined ? event.lines.map(({ skuId }) => skuId) : [];
}
