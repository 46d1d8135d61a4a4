/** Tax in minor units, exact: of one line, of a whole order, and of parts that add up to the whole. Pure. */
import { fail } from './errors.ts';
import { minorNumber, nearest } from './money.ts';

/** Per cent as a decimal string with at most 4 places: "20", "8.875". */
const RATE = /^\d{1,3}(\.\d{1,4})?$/;
const RATE_SCALE = 4;
/** Ten-thousandths of a per cent in the whole. */
const WHOLE = 1_000_000n;

export function taxRateOf(value: unknown, place: string): string {
  if (typeof value !== 'string' || !RATE.test(value))
    fail('XD_VALUE_INVALID', `${place} must be per cent such as "20" or "8.875"`, { place });
  return value;
}

/** What a base is taxed by its rate, half away from zero. */
export function taxMinor(baseMinor: number, rate: string): number {
  const [whole, fraction = ''] = rate.split('.');
  const scaled = BigInt(whole + fraction.padEnd(RATE_SCALE, '0'));
  return minorNumber(nearest(BigInt(baseMinor) * scaled, WHOLE), () => `tax of ${rate} % on ${baseMinor}`);
}

export type TaxRounding = 'line' | 'order';

/**
 * The tax of bases of one rate. line: each is rounded, and what is rounded is added up; order: what is added up is rounded, once. On many small
 * lines the two differ by pennies, so both sides of an order must say which of them they mean.
 */
export function taxOfBases(basesMinor: readonly number[], rate: string, rounding: TaxRounding): number {
  if (rounding === 'line') return basesMinor.reduce((sum, base) => sum + taxMinor(base, rate), 0);
  return taxMinor(
    basesMinor.reduce((sum, base) => sum + base, 0),
    rate,
  );
}

/**
 * Parts of an amount by weight that add up to it: each gets what it is due without its fraction, and those with the largest fractions one minor
 * unit more; of equal ones the first. Weights below 0 count as they are as long as all together are above 0; without any weight the first gets all.
 */
export function apportion(totalMinor: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + BigInt(weight), 0n);
  if (sum <= 0n) return weights.map((_, i) => (i === 0 ? totalMinor : 0));
  const parts = weights.map((weight, i) => {
    const exact = BigInt(totalMinor) * BigInt(weight);
    // Towards minus infinity, so that what is left over is never below 0.
    const floor = exact / sum - (exact % sum < 0n ? 1n : 0n);
    return { i, floor, rest: exact - floor * sum };
  });
  let left = BigInt(totalMinor) - parts.reduce((all, { floor }) => all + floor, 0n);
  for (const part of [...parts].sort((a, b) => (a.rest === b.rest ? a.i - b.i : a.rest > b.rest ? -1 : 1))) {
    if (left === 0n) break;
    part.floor += 1n;
    left -= 1n;
  }
  return parts.map(({ floor }) => Number(floor));
}

/**
 * The tax of so many units of a line that has this tax as a whole. Parts are differences of it, so that they add up to the whole: a part shipment
 * shows the tax of what is in it.
 */
export function taxOfUnits(lineTaxMinor: number, units: number, ofUnits: number): number {
  if (lineTaxMinor === 0 || units === 0) return 0;
  return Number(nearest(BigInt(lineTaxMinor) * BigInt(units), BigInt(ofUnits)));
}
