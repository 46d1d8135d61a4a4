/** Money that follows the goods: at the order's price, and parts that add up to the whole. */
import type { Findings } from './findings.ts';
import type { Source } from './source.ts';

export interface MoneyOfLine {
  cancelled: number;
  cancelledMinor: number;
  invoiced: number;
  invoicedMinor: number;
  returned: number;
  creditedMinor: number;
}

/**
 * With a price of whole pennies each part is exact. With a tenth of a penny a part may be rounded either way, but what was
 * undone adds up exactly, and once nothing is open so does the line.
 */
export function judgeMoney(source: Source, findings: Findings, line: MoneyOfLine, row: number, key: string): boolean {
  const { cancelled, cancelledMinor, invoiced, invoicedMinor, returned, creditedMinor } = line;
  const part = (code: string, quantity: number, minor: number): boolean => {
    const exact = source.amount(row, quantity);
    if (source.isWhole(row) || quantity === 0) return findings.same(code, 'erp', key, exact, minor);
    if (Math.abs(exact - minor) <= 1) return true;
    findings.add(code, 'erp', key, exact, minor);
    return false;
  };
  let isSame = part('invoiced_amount', invoiced, invoicedMinor);
  isSame = part('cancelled_amount', cancelled, cancelledMinor) && isSame;
  isSame = part('credited_amount', returned, creditedMinor) && isSame;
  const accepted = source.accepted(row);
  if (cancelled + invoiced === accepted) {
    const whole = source.amount(row, accepted);
    isSame = findings.same('line_amount', 'erp', key, whole, cancelledMinor + invoicedMinor) && isSame;
  }
  // Cancelled from the beginning of the line, back from the end of what was accepted, as it left.
  const back = source.amount(row, accepted) - source.amount(row, accepted - returned);
  const undone = source.amount(row, cancelled) + back;
  return findings.same('undone_amount', 'erp', key, undone, cancelledMinor + creditedMinor) && isSame;
}
