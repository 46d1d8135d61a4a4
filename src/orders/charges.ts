/** The parts that lines and charges have of an order's tax. Pure, as `decide`. */
import { apportion } from '../canonical/index.ts';
import type { Charged, OrderCharge } from './charge-types.ts';

/**
 * A tax of one line or charge is that one's; one of the whole order is apportioned by amount, so that the parts add up to it.
 * @returns null where a tax names a line that there isn't
 */
export function taxedParts(
  { charges, taxes }: Charged,
  lines: readonly { lineNo: number; amountMinor: number }[],
): { lineTaxes: Map<number, number>; charges: OrderCharge[] } | null {
  const lineTaxes = new Map(lines.map(({ lineNo }) => [lineNo, 0]));
  const taxed = charges.map((charge): OrderCharge => ({ ...charge, taxMinor: 0 }));
  for (const { lineNo, chargeNo, taxMinor } of taxes) {
    if (lineNo !== null) {
      const before = lineTaxes.get(lineNo);
      if (before === undefined) return null;
      lineTaxes.set(lineNo, before + taxMinor);
    } else if (chargeNo !== null) taxed[chargeNo - 1]!.taxMinor += taxMinor;
    else {
      const weights = [...lines, ...charges].map(({ amountMinor }) => amountMinor);
      const parts = apportion(taxMinor, weights);
      lines.forEach((line, i) => {
        lineTaxes.set(line.lineNo, lineTaxes.get(line.lineNo)! + parts[i]!);
      });
      taxed.forEach((charge, i) => {
        charge.taxMinor += parts[lines.length + i]!;
      });
    }
  }
  return { lineTaxes, charges: taxed };
}
