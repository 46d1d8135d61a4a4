/** Exact decimals from the shop's numbers in the major unit. */
import { Unreadable } from '../kit/index.ts';

const DECIMAL = /^(-?)(\d{1,18})(?:\.(\d{1,20}))?$/;
const PLACES = 6;

/** `value` of Medusa's raw numbers (`{"value": "9.11"}`), or the shortest text of a JSON number. */
export function decimalText(raw: unknown, number: unknown): string | undefined {
  const value = (raw as { value?: unknown } | null | undefined)?.value ?? number;
  const text = typeof value === 'number' ? String(value) : value;
  return typeof text === 'string' && DECIMAL.test(text) ? text : undefined;
}

/** Without zeros that say nothing: two spellings of one price are one. */
export function canonicalDecimal(text: string): string {
  const [, sign = '', whole = '', fraction = ''] = DECIMAL.exec(text) ?? [];
  if (whole === '') throw new Unreadable('must be a decimal number', '', text);
  const kept = fraction.replace(/0+$/, '');
  const lead = whole.replace(/^0+(?=\d)/, '');
  const digits = kept === '' ? lead : `${lead}.${kept}`;
  return digits === '0' ? '0' : sign + digits;
}

/** `(total - less) / units`, at most six places, half away from zero. */
export function perUnit(total: string, less: string, units: number): string {
  const scale = 20n;
  const difference = scaled(total, scale) - scaled(less, scale);
  const divisor = BigInt(units) * 10n ** (scale - BigInt(PLACES));
  const half = divisor / 2n;
  const rounded = difference < 0n ? -((-difference + half) / divisor) : (difference + half) / divisor;
  const sign = rounded < 0n ? '-' : '';
  const text = String(rounded < 0n ? -rounded : rounded).padStart(PLACES + 1, '0');
  return canonicalDecimal(`${sign}${text.slice(0, -PLACES)}.${text.slice(-PLACES)}`);
}

/** A price as the JSON number that the shop takes; undefined where no number has exactly this value. */
export function exactNumber(text: string): number | undefined {
  const number = Number(text);
  return String(number) === canonicalDecimal(text) ? number : undefined;
}

function scaled(text: string, scale: bigint): bigint {
  const [, sign, whole = '0', fraction = ''] = DECIMAL.exec(text) ?? [];
  const value = BigInt(whole + fraction.padEnd(Number(scale), '0'));
  return sign === '-' ? -value : value;
}
