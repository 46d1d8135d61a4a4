/** What goods that came back mean for others: what the ERP is told of them, and whose numbers they change. Pure. */
import type { OrderDocumentPayload } from '../connectors/kit/index.ts';
import type { ReturnEvent } from '../orders/index.ts';

type Told = Extract<ReturnEvent, { type: 'return.received' | 'return.inspected' }>;

/**
 * The ERP is told of units once what becomes of them is decided, or as they come in, as the return's rule has it. Units that are not
 * credited are told, too, with an amount of 0: they are the company's again.
 */
export function returnPosting(reference: string, order: string, event: Told): OrderDocumentPayload | undefined {
  const lines = new Map<number, { lineNo: number; quantity: number; amountMinor: number }>();
  const add = (lineNo: number, quantity: number, amountMinor: number) => {
    const line = lines.get(lineNo) ?? { lineNo, quantity: 0, amountMinor: 0 };
    if (quantity > 0) lines.set(lineNo, line);
    line.quantity += quantity;
    line.amountMinor += amountMinor;
  };
  if (event.type === 'return.inspected') {
    if (event.inspection === 'before_credit')
      for (const { lineNo, restock, scrap, askedMinor } of event.lines) add(lineNo, restock + scrap, askedMinor);
  } else if (event.inspection !== 'before_credit')
    for (const { lineNo, quantity, amountMinor, askedMinor = amountMinor } of event.lines)
      add(lineNo, quantity, askedMinor);
  return lines.size === 0 ? undefined : { reference, order, lines: [...lines.values()] };
}

/** SKUs of which there is more on hand by it. */
export function restockedSkus(event: Told): number[] {
  if (event.type === 'return.inspected')
    return event.lines.filter(({ restock }) => restock > 0).map(({ skuId }) => skuId);
  return event.inspection === undefined ? event.lines.map(({ skuId }) => skuId) : [];
}
