/**
 * Exact decimals without floats. A unit price stays the text that the file holds; an amount is an integer of minor units,
 * rounded half up (away from zero) once per line.
 */

const DECIMAL = /^-?\d{1,12}(\.\d{1,6})?$/;

export function isDecimal(text: string): boolean {
  return DECIMAL.test(text);
}

/** A decimal as integer units of 10^-scale: '2.550' → 2550 and 3. */
function parts(text: string): { digits: bigint; scale: number } {
  const dot = text.indexOf('.');
  if (dot < 0) return { digits: BigInt(text), scale: 0 };
  return { digits: BigInt(text.slice(0, dot) + text.slice(dot + 1)), scale: text.length - dot - 1 };
}

/** quantity × unitPrice in minor units of a currency with two decimals, half up. The price is for `per` of them. */
export function amountMinor(unitPrice: string, quantity: number, per = 1): bigint {
  const { digits, scale } = parts(unitPrice);
  const exact = digits * BigInt(quantity) * 100n;
  if (scale === 0 && per === 1) return exact;
  const divisor = 10n ** BigInt(scale) * BigInt(per);
  const size = ((exact < 0n ? -exact : exact) * 2n + divisor) / (divisor * 2n);
  return exact < 0n ? -size : size;
}

/** Whether two decimal texts are the same number: '2.5' and '2.50' are. */
export function sameDecimal(a: string, b: string): boolean {
  if (a === b) return true;
  if (!isDecimal(a) || !isDecimal(b)) return false;
  const x = parts(a);
  const y = parts(b);
  return x.digits * 10n ** BigInt(y.scale) === y.digits * 10n ** BigInt(x.scale);
}

export function isZero(text: string): boolean {
  return parts(text).digits === 0n;
}

/** Whether every quantity of this price is a whole number of minor units, so that parts of a line add up without rounding. */
export function isWholeMinor(unitPrice: string): boolean {
  const { digits, scale } = parts(unitPrice);
  return scale <= 2 || digits % 10n ** BigInt(scale - 2) === 0n;
}
