/** How Tryton writes values in JSON: decimals, dates and times are tagged objects; quantities are plain floats. Pure. */
import { Unreadable } from '../kit/index.ts';

export interface Tagged {
  __class__: string;
}

/** Digits behind the point of unit prices, Tryton's `price_decimal`; amounts have the currency's. */
export const PRICE_DIGITS = 4;
const EXPONENT_MAX = 30;

export function decimalOf(text: string): Tagged & { decimal: string } {
  return { __class__: 'Decimal', decimal: text };
}

/** The day of a moment, in UTC. */
export function dateOf(iso: string): Tagged {
  const at = new Date(iso);
  return { __class__: 'date', year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() } as Tagged;
}

/** A place in time with microseconds, `2026-03-01T09:30:00.123456Z`, as Tryton takes it in a domain. */
export function datetimeOf(text: string): Tagged {
  const at = new Date(text);
  const micros = Number((/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(6, '0').slice(0, 6));
  return {
    ...dateOf(text),
    __class__: 'datetime',
    hour: at.getUTCHours(),
    minute: at.getUTCMinutes(),
    second: at.getUTCSeconds(),
    microsecond: micros,
  } as Tagged;
}

/** A time of Tryton's (UTC without saying so) as a text that sorts; null stays null. */
export function timeText(value: unknown, place: string): string {
  const at = tagged(value, 'datetime');
  const part = (name: string, digits: number) => {
    const number = at?.[name];
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 0)
      throw new Unreadable('must be a tagged datetime', place, value);
    return String(number).padStart(digits, '0');
  };
  const day = `${part('year', 4)}-${part('month', 2)}-${part('day', 2)}`;
  return `${day}T${part('hour', 2)}:${part('minute', 2)}:${part('second', 2)}.${part('microsecond', 6)}Z`;
}

/** With milliseconds, as the hub writes moments. */
export function momentOf(value: unknown, place: string): string {
  return `${timeText(value, place).slice(0, 23)}Z`;
}

/** A decimal as plain text: `1E+2` is 100, `12.3400` is 12.34. */
export function decimalText(value: unknown, place: string): string {
  const text = tagged(value, 'Decimal')?.decimal;
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    (typeof text === 'string' && /^(-?)(\d{1,20})(?:\.(\d{0,20}))?(?:E([+-]?\d{1,3}))?$/i.exec(text)) || [];
  const shift = Number(exponent);
  if (whole === '' || Math.abs(shift) > EXPONENT_MAX) throw new Unreadable('must be a tagged decimal', place, value);
  const digits = (whole + fraction).padStart(1, '0');
  const point = whole.length + shift;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const head = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const tail = padded.slice(at).replace(/0+$/, '');
  const plain = tail === '' ? head : `${head}.${tail}`;
  return sign === '-' && plain !== '0' ? `-${plain}` : plain;
}

/** An amount in minor units; one that holds a fraction of them is not an amount. */
export function minorOf(value: unknown, place: string): number {
  const text = decimalText(value, place);
  const [, sign, whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  const minor = whole === '' ? Number.NaN : Number(whole + fraction.padEnd(2, '0'));
  if (!Number.isSafeInteger(minor)) throw new Unreadable('must be an amount in whole minor units', place, value);
  return sign === '-' && minor !== 0 ? -minor : minor;
}

/** A quantity in base units. Tryton's are floats: 6.0 is 6, and what is no whole number is no quantity of ours. */
export function unitsOf(value: unknown, place: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new Unreadable('must be a whole number of base units', place, value);
  return value;
}

/**
 * The unit price from which Tryton makes the amount we agreed. It rounds a line half to even, we round half away from zero; where that
 * tells, a ten-thousandth more or less in the price brings the amount back. Undefined when no such price has four digits.
 */
export function priceFor(unitPrice: string, quantity: number, amountMinor: number): string | undefined {
  const [whole = '0', fraction = ''] = unitPrice.split('.');
  if (/[1-9]/.test(fraction.slice(PRICE_DIGITS))) return undefined;
  const scaled = BigInt(whole + fraction.slice(0, PRICE_DIGITS).padEnd(PRICE_DIGITS, '0'));
  for (const nudge of [0n, 1n, -1n]) {
    const price = scaled + nudge;
    if (price >= 0n && halfEven(price * BigInt(quantity)) === BigInt(amountMinor)) {
      const digits = String(price).padStart(PRICE_DIGITS + 1, '0');
      return `${digits.slice(0, -PRICE_DIGITS)}.${digits.slice(-PRICE_DIGITS)}`;
    }
  }
  return undefined;
}

/** Ten-thousandths to hundredths, half to even, as Python's decimal does. */
function halfEven(value: bigint): bigint {
  const [floor, rest] = [value / 100n, value % 100n];
  if (rest > 50n || (rest === 50n && floor % 2n === 1n)) return floor + 1n;
  return floor;
}

function tagged(value: unknown, name: string): Record<string, unknown> | undefined {
  const object = value as Record<string, unknown> | null;
  return typeof object === 'object' && object !== null && object.__class__ === name ? object : undefined;
}
