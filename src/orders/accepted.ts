import { amountMinor } from '../canonical/index.ts';

/**
 * The part of a line that was accepted, with its amount: what the ERP holds and what shipments add up to. A refused unit is
 * nobody's demand; the line's own quantity and amount stay as they were ordered.
 */
export function acceptedOf(
  line: { quantity: number; refused: number; unitPrice: string; pricePer?: number | undefined },
  currency: string,
): { quantity: number; amountMinor: number } {
  const quantity = line.quantity - line.refused;
  return { quantity, amountMinor: amountMinor(line.unitPrice, quantity, currency, line.pricePer) };
}
