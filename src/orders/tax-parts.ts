/** The tax of parts of a line: differences of cumulative ones, as their amounts. Pure. */
import { taxOfUnits } from '../canonical/index.ts';
import type { OrderLine } from './types.ts';

/** Of all units shipped so far, counted from the end of what was accepted, as their amount is. */
export function shippedTax(line: OrderLine, shipped: number): number {
  const accepted = line.quantity - line.refused;
  return (
    taxOfUnits(line.taxMinor, accepted, line.quantity) - taxOfUnits(line.taxMinor, accepted - shipped, line.quantity)
  );
}

/** Of units that are given up before they left, counted from the beginning, as their amount is. */
export function cancelledTax(line: OrderLine, quantity: number, before = 0): number {
  const from = line.cancelled + before;
  return taxOfUnits(line.taxMinor, from + quantity, line.quantity) - taxOfUnits(line.taxMinor, from, line.quantity);
}

/** Of units that came back: as they were when they left. */
export function returnedTax(line: OrderLine, quantity: number, before = 0): number {
  const from = line.returned + before;
  return shippedTax(line, from + quantity) - shippedTax(line, from);
}

/** Said only of lines that are taxed. */
export function taxOfPart(line: OrderLine, taxMinor: number): { taxMinor?: number } {
  return line.taxMinor === 0 ? {} : { taxMinor };
}
