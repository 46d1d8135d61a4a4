/** Exact money and quantities. No fraction of either ever sits in a float: unit prices are decimal strings, amounts minor units. */
import { fail } from './errors.ts';

/** Base units of a SKU. A safe integer, checked at the edge. */
export type Quantity = number & { readonly __quantity?: never };

/** The most one quantity may be; a line beyond it is a typing error, not an order. */
export const QUANTITY_MAX = 1_000_000_000;
const DECIMAL = /^-?\d{1,12}(\.\d{1,6})?$/;
const SCALE = 6;

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

/**
 * Amount of `quantity` units in minor units (1/100 of the major one), half away from zero.
 * Amounts of parts are differences of cumulative amounts, so that parts always add up to the whole.
 */
export function amountMinor(price: string, quantity: number): number {
  const micros = priceMicros(price) * BigInt(quantity);
  const unit = 10_000n;
  const half = unit / 2n;
  const minor = micros >= 0n ? (micros + half) / unit : -((-micros + half) / unit);
  const value = Number(minor);
  if (!Number.isSafeInteger(value)) fail('XD_VALUE_INVALID', `amount of ${quantity} at ${price} is beyond exact range`);
  return value;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** Minor units as a decimal string. */
export function decimalOf(minor: number): string {
  const sign = minor < 0 ? '-' : '';
  const digits = String(Math.abs(minor)).padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
