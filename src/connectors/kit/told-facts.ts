/** What left, was invoiced and came back, as a line of text each: for systems that show people a note and have no field for it. */
import { decimalOf } from '../../canonical/index.ts';
import type { OrderStatusState } from './types.ts';

/** One thing that happened to an order. Both texts are the same for ever, so that what is there can be found and compared. */
export interface ToldFact {
  /** Such as `invoice erp/4711`: no other fact of any order begins so. */
  key: string;
  /** Begins with the key and a colon. */
  text: string;
}

/** Pure; oldest first within shipments, invoices and returns. The state must be whole: SKUs stand on its lines. */
export function factsOf(state: OrderStatusState): ToldFact[] {
  const skus = new Map(state.lines.map(({ lineNo, sku }) => [lineNo, sku]));
  const goods = (lines: readonly { lineNo: number; quantity: number }[]) =>
    lines.map(({ lineNo, quantity }) => `${quantity} x ${skus.get(lineNo) ?? `line ${lineNo}`}`).join(', ');
  const day = (at: string) => at.slice(0, 10);
  const facts: ToldFact[] = [];
  for (const { shipment, at, lines, carrier, parcels } of state.shipments ?? []) {
    const key = `shipment ${shipment}`;
    const travels = [carrier ?? '', ...parcels.map(({ tracking }) => tracking)].filter((text) => text !== '').join(' ');
    facts.push({ key, text: `${key}: ${day(at)}, ${goods(lines)}${travels === '' ? '' : `; ${travels}`}` });
  }
  for (const { document, reference, at, amountMinor, currency } of state.invoices ?? []) {
    const key = `${document === 'invoice' ? 'invoice' : 'credit note'} ${reference}`;
    facts.push({ key, text: `${key}: ${day(at)}, ${decimalOf(amountMinor, currency)} ${currency}` });
  }
  for (const { reference, return: announced, at, lines } of state.returns ?? []) {
    const key = `return ${reference}`;
    const amount = lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0);
    const worth = `${decimalOf(amount, state.currency)} ${state.currency}`;
    facts.push({ key, text: `${key}: ${day(at)}, ${announced}, ${goods(lines)}; ${worth}` });
  }
  return facts;
}

/** Pure. The facts that none of these texts tells of: by their names alone, so that another wording tells nothing twice. */
export function untold(facts: readonly ToldFact[], there: readonly string[]): ToldFact[] {
  return facts.filter(({ key }) => !there.some((text) => text.startsWith(`${key}: `)));
}
