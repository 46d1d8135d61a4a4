/**
 * Quantities with their unit. One `unit` of a SKU is numerator / denominator of its base units; whatever is said in another unit is
 * converted exactly, by whole numbers, or refused with its place. A quotient is never rounded: half a box that nobody can pick is not one.
 */
import { fail } from './errors.ts';
import { decimalOfMicros, priceMicros, QUANTITY_MAX, type Quantity } from './money.ts';

/** How a trade item is packed, from one on. A measure (a metre, a kilogram) is `each`: it is not packed. */
export const PACK_LEVELS = ['each', 'inner', 'case', 'layer', 'pallet'] as const;
export type PackLevel = (typeof PACK_LEVELS)[number];

/** As in UN/ECE Recommendation 20 and 21 (EA, CT, KGM), or a word of one's own. */
export const UNIT_PATTERN = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,29}$';
const UNIT = new RegExp(UNIT_PATTERN);

export const BASE_UNIT_DEFAULT = 'each';

export interface Unit {
  unit: string;
  packLevel: PackLevel;
  /** One of it is numerator / denominator base units. */
  numerator: number;
  denominator: number;
}

/** All units of one SKU. */
export interface Units {
  sku: string;
  base: string;
  others: ReadonlyMap<string, Unit>;
}

/** A quantity as somebody says it. A fraction is a decimal string: no fraction sits in a float. */
export interface TypedQuantity {
  quantity: number | string;
  unit: string;
  packLevel?: PackLevel | undefined;
}

/** A price as somebody says it: for `pricePer` of `priceUnit`. */
export interface TypedPrice {
  unitPrice: string;
  priceUnit: string;
  /** Default 1. */
  pricePer?: number | undefined;
}

const TEXT_QUANTITY = /^\d{1,12}(\.\d{1,6})?$/;
const MICROS = 1_000_000n;

export function isUnit(text: string): boolean {
  return UNIT.test(text);
}

/** @throws XD_UNKNOWN_UNIT naming unit, SKU and place; also where the pack level is another than was said */
export function unitOf(units: Units, unit: string, packLevel: PackLevel | undefined, place: string): Unit {
  const found =
    unit === units.base ? { unit, packLevel: 'each' as const, numerator: 1, denominator: 1 } : units.others.get(unit);
  if (found === undefined)
    fail('XD_UNKNOWN_UNIT', `${place}: no conversion for unit ${shown(unit)} of SKU ${units.sku}`, { place });
  if (packLevel !== undefined && packLevel !== found.packLevel)
    fail('XD_UNKNOWN_UNIT', `${place}: ${shown(unit)} of SKU ${units.sku} is ${found.packLevel}, not ${packLevel}`, {
      place,
    });
  return found;
}

/**
 * In base units, exactly.
 * @throws XD_UNKNOWN_UNIT, XD_UNIT_INEXACT where it is no whole number of them, XD_VALUE_INVALID below `min` or beyond the most
 */
export function toBase(typed: TypedQuantity, units: Units, place: string, min = 1): Quantity {
  const { numerator, denominator } = unitOf(units, typed.unit, typed.packLevel, `${place.replace(/\w+$/, '')}unit`);
  const micros = quantityMicros(typed.quantity, place) * BigInt(numerator);
  const divisor = MICROS * BigInt(denominator);
  if (micros % divisor !== 0n)
    fail(
      'XD_UNIT_INEXACT',
      `${place}: ${typed.quantity} ${typed.unit} of SKU ${units.sku} is no whole number of ${units.base}`,
      { place },
    );
  const base = micros / divisor;
  if (base < BigInt(min) || base > BigInt(QUANTITY_MAX))
    fail('XD_VALUE_INVALID', `${place} must be from ${min} to ${QUANTITY_MAX} ${units.base}, not ${base}`, { place });
  return Number(base);
}

/** The same quantity in another unit, as a decimal. @throws XD_UNIT_INEXACT where it has none with six places */
export function fromBase(quantity: number, unit: Unit, units: Units, place: string): string {
  const micros = BigInt(quantity) * BigInt(unit.denominator) * MICROS;
  if (micros % BigInt(unit.numerator) !== 0n)
    fail(
      'XD_UNIT_INEXACT',
      `${place}: ${quantity} ${units.base} of SKU ${units.sku} is no exact number of ${unit.unit}`,
      { place },
    );
  return decimalOfMicros(micros / BigInt(unit.numerator));
}

/** How many whole ones can be made of so many base units. */
export function wholeOf(quantity: number, unit: Pick<Unit, 'numerator' | 'denominator'>): number {
  return Number((BigInt(quantity) * BigInt(unit.denominator)) / BigInt(unit.numerator));
}

/**
 * The price for base units: the same price of one, exactly. A unit that is a fraction of a base unit takes the price of several.
 * @throws XD_UNKNOWN_UNIT, XD_VALUE_INVALID where the exact price is beyond what a price may be
 */
export function toBasePrice(typed: TypedPrice, units: Units, place: string): { unitPrice: string; pricePer: number } {
  const { numerator, denominator } = unitOf(units, typed.priceUnit, undefined, `${place.replace(/\w+$/, '')}priceUnit`);
  const per = BigInt(typed.pricePer ?? 1) * BigInt(numerator);
  const times = BigInt(denominator) / divisorOf(per, BigInt(denominator));
  const pricePer = (per * times) / BigInt(denominator);
  const micros = priceMicros(typed.unitPrice) * times;
  if (pricePer > BigInt(QUANTITY_MAX) || micros >= 10n ** 18n)
    fail(
      'XD_VALUE_INVALID',
      `${place}: ${typed.unitPrice} for ${per / BigInt(denominator)} ${units.base} is too much`,
      {
        place,
      },
    );
  return { unitPrice: times === 1n ? typed.unitPrice : decimalOfMicros(micros), pricePer: Number(pricePer) };
}

/** What one of a unit costs, exactly; undefined: it has no price with six places. */
export function priceOfUnit(
  price: { unitPrice: string; pricePer?: number | undefined },
  unit: Pick<Unit, 'numerator' | 'denominator'> = { numerator: 1, denominator: 1 },
): string | undefined {
  const micros = priceMicros(price.unitPrice) * BigInt(unit.numerator);
  const per = BigInt(price.pricePer ?? 1) * BigInt(unit.denominator);
  return micros % per === 0n ? decimalOfMicros(micros / per) : undefined;
}

/** What may be ordered of a SKU, in base units, and what becomes of a line that is something else. */
export interface OrderRule {
  multiple: number;
  minimum: number;
  rounding: OrderRounding;
}
export const ORDER_ROUNDINGS = ['refuse', 'up', 'nearest', 'down', 'hold'] as const;
export type OrderRounding = (typeof ORDER_ROUNDINGS)[number];

/** What a quantity comes to by the rule. `breaks` absent: it keeps to it as it is. */
export interface Ruled {
  quantity: number;
  breaks?: 'order_minimum' | 'order_multiple';
}

/** Rounds as the rule says; where it says none, or nothing would be left, the quantity stays and says what it breaks. */
export function ruled(quantity: number, { multiple, minimum, rounding }: OrderRule): Ruled {
  const least = Math.ceil(minimum / multiple) * multiple;
  const over = quantity % multiple;
  if (over === 0 && quantity >= least) return { quantity };
  const breaks = quantity < least ? 'order_minimum' : 'order_multiple';
  const below = quantity - over;
  const up = over === 0 ? quantity : below + multiple;
  if (rounding === 'up') return { quantity: Math.max(least, up), breaks };
  if (rounding === 'nearest') return { quantity: Math.max(least, over * 2 >= multiple ? up : below), breaks };
  return { quantity: rounding === 'down' && below >= least ? below : quantity, breaks };
}

function quantityMicros(quantity: number | string, place: string): bigint {
  if (typeof quantity === 'number' ? !Number.isSafeInteger(quantity) || quantity < 0 : !TEXT_QUANTITY.test(quantity))
    fail(
      'XD_VALUE_INVALID',
      `${place} must be a whole number, or a decimal string such as "2.5", not negative, not ${shown(String(quantity))}`,
      { place },
    );
  return priceMicros(String(quantity));
}

function divisorOf(a: bigint, b: bigint): bigint {
  return b === 0n ? a : divisorOf(b, a % b);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
