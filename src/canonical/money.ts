/** Exact money and quantities. No fraction of either ever sits in a float: unit prices are decimal strings, amounts minor units. */
import { minorPlacesOf } from './currencies.ts';
import { fail } from './errors.ts';

/** Base units of a SKU. A safe integer, checked at the edge. */
export type Quantity = number & { readonly __quantity?: never };

/** The most one quantity may be; a line beyond it is a typing error, not an order. */
export const QUANTITY_MAX = 1_000_000_000;
const DECIMAL = /^-?\d{1,12}(\.\d{1,6})?$/;
const SCALE = 6;
const MICROS = 1_000_000n;

export function quantityOf(value: unknown, place: string, min = 1): Quantity {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > QUANTITY_MAX)
    fail('XD_VALUE_INVALID', `${place} must be a whole number from ${min} to ${QUANTITY_MAX}, not ${shown(value)}`, {
      place,
    });
  return value;
}

/** A unit price: a decimal string with at most 6 places, e.g. "2.55". Not negative. */
export function unitPriceOf(value: unknown, place: string): string {
  if (typeof value !== 'string' || !DECIMAL.test(value) || value.startsWith('-'))
    fail('XD_VALUE_INVALID', `${place} must be a decimal string such as "2.55", not ${shown(value)}`, { place });
  return value;
}

/** Millionths of the currency's major unit. */
export function priceMicros(price: string): bigint {
  const [whole, fraction = ''] = price.split('.');
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

/** Millionths as the shortest decimal string. */
export function decimalOfMicros(micros: bigint): string {
  const size = micros < 0n ? -micros : micros;
  const fraction = String(size % MICROS)
    .padStart(SCALE, '0')
    .replace(/0+$/, '');
  return `${micros < 0n ? '-' : ''}${size / MICROS}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The nearest whole number, half away from zero. */
export function nearest(numerator: bigint, denominator: bigint): bigint {
  const doubled = (numerator < 0n ? -numerator : numerator) * 2n + denominator;
  const size = doubled / (denominator * 2n);
  return numerator < 0n ? -size : size;
}

/** Millionths of the major unit in one minor unit, by the currency's places. */
const MICROS_OF_MINOR = [1_000_000n, 100_000n, 10_000n, 1_000n, 100n] as const;

/** Millionths in one minor unit of a currency. */
export function minorMicros(currency: string): bigint {
  return MICROS_OF_MINOR[minorPlacesOf(currency)]!;
}

/**
 * Amount of `quantity` base units in minor units of the currency, half away from zero.
 * Amounts of parts are differences of cumulative amounts, so that parts always add up to the whole.
 * @param per what the price is for: so many base units. 10.00 for a box of 12 has no exact price of one, and needs none
 */
export function amountMinor(price: string, quantity: number, currency: string, per = 1): number {
  const micros = priceMicros(price) * BigInt(quantity);
  const unit = minorMicros(currency);
  return minorNumber(
    nearest(micros, per === 1 ? unit : unit * BigInt(per)),
    () => `amount of ${quantity} at ${price}${per === 1 ? '' : ` for ${per}`}`,
  );
}

/** Whether every quantity is a whole number of minor units at this price, so that parts add up however they are rounded. */
export function isWholeMinor(price: string, currency: string, per = 1): boolean {
  return priceMicros(price) % (minorMicros(currency) * BigInt(per)) === 0n;
}

/** Whether two prices are the same price of one base unit: 24.00 for 12 is 2.00 for 1. */
export function isSamePrice(
  one: { unitPrice: string; pricePer?: number | undefined },
  other: { unitPrice: string; pricePer?: number | undefined },
): boolean {
  return (
    priceMicros(one.unitPrice) * BigInt(other.pricePer ?? 1) ===
    priceMicros(other.unitPrice) * BigInt(one.pricePer ?? 1)
  );
}

/** @throws XD_VALUE_INVALID beyond what a number holds exactly */
export function minorNumber(minor: bigint, what: () => string): number {
  const value = Number(minor);
  if (!Number.isSafeInteger(value)) fail('XD_VALUE_INVALID', `${what()} is beyond exact range`);
  return value;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** An amount written as a decimal, in minor units; undefined: it is none, or has more places than the currency. */
export function minorOfDecimal(text: string, currency: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const size = priceMicros(text.replace('-', ''));
  const unit = minorMicros(currency);
  const minor = Number(size / unit);
  if (size % unit !== 0n || !Number.isSafeInteger(minor)) return undefined;
  return text.startsWith('-') && minor !== 0 ? -minor : minor;
}

/** Minor units as a decimal string, with as many decimals as the currency has. */
export function decimalOf(minor: number, currency: string): string {
  const places = minorPlacesOf(currency);
  const sign = minor < 0 ? '-' : '';
  const digits = String(Math.abs(minor)).padStart(places + 1, '0');
  return places === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
