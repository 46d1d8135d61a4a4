/** A line as who ordered knows it, and what of it may still be given up. Pure. */
import { amountMinor } from '../canonical/index.ts';
import type { Order, OrderLine } from './types.ts';

/** What was given up in all (cancelled or returned) has one amount, whichever way each unit went. */
export function undoneAmount({ currency }: Order, line: OrderLine, quantity: number, before = 0): number {
  const { unitPrice, pricePer } = line;
  const undone = line.cancelled + line.returned + before;
  return (
    amountMinor(unitPrice, undone + quantity, currency, pricePer) - amountMinor(unitPrice, undone, currency, pricePer)
  );
}

/** Units of a line that may still be taken back. */
export function leftOf(line: OrderLine): number {
  return line.quantity - line.refused - line.cancelled - line.cancelAsked - line.returnExpected - line.returned;
}

/** The line as who ordered knows it: its own, or the one that it was added to or stands for. */
export function rootOf(line: OrderLine): number {
  return line.addsTo ?? line.standsFor ?? line.lineNo;
}

/** All lines of one that was ordered: what stands for it first, then itself, then what was added to it. */
export function partsOf(order: Order, root: number): OrderLine[] {
  const parts = [...order.lines.values()].filter((line) => rootOf(line) === root);
  if (parts.length < 2) return parts;
  return [...parts.filter((line) => line.standsFor !== null), ...parts.filter((line) => line.standsFor === null)];
}
