/**
 * Tax on amounts, rounded by a declared rule. Whoever rounds each line and whoever rounds the whole come to other sums (0.02 on 1,920
 * lines of one), and neither is wrong; what is wrong is not to say which. Parts are differences of cumulative amounts, so the tax of
 * what was invoiced by and by adds up to the tax of the whole. Pure, whole numbers all the way.
 */
import { fail } from './errors.ts';
import { minorNumber, nearest, priceMicros } from './money.ts';

export interface TaxRule {
  /** `line`: each line's tax is rounded, and the order's is their sum. `order`: the tax of all lines of one rate is rounded once. */
  rounding: 'line' | 'order';
  /** The amounts hold the tax already. */
  included?: boolean;
}

export interface TaxedLine {
  lineNo: number;
  amountMinor: number;
  /** In percent, a decimal string: "19", "5.5". */
  rate: string;
}

const RATE = /^\d{1,3}(\.\d{1,6})?$/;
const HUNDRED = priceMicros('100');

/** The tax in an amount at a rate, rounded once. */
export function taxMinor(amountMinor: number, rate: string, included = false): number {
  return minorNumber(rounded(BigInt(amountMinor), micros(rate), included), () => `tax of ${rate} % on ${amountMinor}`);
}

/**
 * Each line's tax, in the order given; their sum is the order's. By `order` a line's tax is what it adds to that of the lines of its
 * rate before it, so a line's own may be a minor unit more or less than alone.
 */
export function taxesOf(lines: readonly TaxedLine[], rule: TaxRule): (TaxedLine & { taxMinor: number })[] {
  const sums = new Map<bigint, bigint>();
  return lines.map((line) => {
    const rate = micros(line.rate);
    const before = rule.rounding === 'line' ? 0n : (sums.get(rate) ?? 0n);
    const after = before + BigInt(line.amountMinor);
    if (rule.rounding === 'order') sums.set(rate, after);
    const tax = rounded(after, rate, rule.included ?? false) - rounded(before, rate, rule.included ?? false);
    return { ...line, taxMinor: minorNumber(tax, () => `tax of line ${line.lineNo}`) };
  });
}

/**
 * The tax of a part of a line: of what was invoiced from one cumulative amount to the next. All parts add up to the line's own tax
 * as it was rounded alone; by `order`, the same with the cumulative amounts of the whole rate.
 */
export function taxOfPart(beforeMinor: number, afterMinor: number, rate: string, included = false): number {
  return taxMinor(afterMinor, rate, included) - taxMinor(beforeMinor, rate, included);
}

function rounded(amount: bigint, rate: bigint, included: boolean): bigint {
  return nearest(amount * rate, included ? HUNDRED + rate : HUNDRED);
}

function micros(rate: string): bigint {
  if (!RATE.test(rate))
    fail('XD_VALUE_INVALID', `a tax rate is a decimal such as "19", not ${JSON.stringify(rate.slice(0, 20))}`);
  return priceMicros(rate);
}
