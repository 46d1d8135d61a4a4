/** A line as who ordered knows it, and what of it may still be given up. Pure. */
import { amountMinor } from '../canonical/index.ts';
import { acceptedOf } from './accepted.ts';
import { cancelledTax, taxOfPart } from './tax-parts.ts';
import type { Order, OrderLine } from './types.ts';

/**
 * The amount of all units shipped so far, counted from the end of what was accepted: the whole less the amount of the rest. What is cancelled
 * is counted from the beginning, so the two add up to the minor unit, whichever of them comes last.
 */
export function shippedAmount({ currency }: Order, line: OrderLine, shipped: number): number {
  const accepted = acceptedOf(line, currency);
  return accepted.amountMinor - amountMinor(line.unitPrice, accepted.quantity - shipped, currency, line.pricePer);
}

/** Units that are given up before they left, with their amount and tax. */
export function cancelledPart(
  { currency }: Order,
  line: OrderLine,
  quantity: number,
  before = 0,
): { lineNo: number; quantity: number; amountMinor: number; taxMinor?: number } {
  const { unitPrice, pricePer } = line;
  const upTo = (units: number) => amountMinor(unitPrice, line.cancelled + units, currency, pricePer);
  return {
    ...{ lineNo: line.lineNo, quantity, amountMinor: upTo(before + quantity) - upTo(before) },
    ...taxOfPart(line, cancelledTax(line, quantity, before)),
  };
}

/**
 * The amount of units that came back: as it was when they left. So never more is credited than was shipped, and all of it once all of it is
 * back, also where something was cancelled in between.
 */
export function returnedAmount(order: Order, line: OrderLine, quantity: number, before = 0): number {
  const from = line.returned + before;
  return shippedAmount(order, line, from + quantity) - shippedAmount(order, line, from);
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
  // They may have been read in any order.
  parts.sort((a, b) => a.lineNo - b.lineNo);
  return [...parts.filter((line) => line.standsFor !== null), ...parts.filter((line) => line.standsFor === null)];
}
