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

/** Of units that are given up, counted from the beginning, as their amount is. */
export function undoneTax(line: OrderLine, quantity: number, before = 0): number {
  const undone = line.cancelled + line.returned + before;
  return taxOfUnits(line.taxMinor, undone + quantity, line.quantity) - taxOfUnits(line.taxMinor, undone, line.quantity);
}

/** Said only of lines that are taxed. */
export function taxOfPart(line: OrderLine, taxMinor: number): { taxMinor?: number } {
  return line.taxMinor === 0 ? {} : { taxMinor };
}
