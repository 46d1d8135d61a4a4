/** The pieces that request and answer schemas are made of. Objects are closed; every list and text has a limit. */
import { type TObject, type TProperties, type TSchema, Type } from 'typebox';
import { fail, PACK_LEVELS, QUANTITY_MAX, UNIT_PATTERN } from '../canonical/index.ts';

/**
 * No control characters: PostgreSQL takes no NUL, and nobody means the others. No half of a surrogate pair either: it can't be written
 * as UTF-8, so what came back from the database under such a key would not be what was sent.
 */
const PRINTABLE = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';

export function closed<T extends TProperties>(properties: T, description?: string): TObject<T> {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });
}
export function text(charactersMax: number, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength: charactersMax,
    pattern: PRINTABLE,
    ...(description === undefined ? {} : { description }),
  });
}
/** A text for people: may be empty and have lines. */
export function prose(charactersMax: number) {
  return Type.String({ maxLength: charactersMax, pattern: '^[^\\u0000\\ud800-\\udfff]*$' });
}
export function list<T extends TSchema>(items: T, itemsMax: number) {
  return Type.Array(items, { minItems: 1, maxItems: itemsMax });
}

export const CODE_CHARACTERS_MAX = 100;
export const code = () => text(CODE_CHARACTERS_MAX);
export const sku = () => text(CODE_CHARACTERS_MAX, 'SKU code; case does not matter');
export const quantity = (minimum = 1) => Type.Integer({ minimum, maximum: QUANTITY_MAX, description: 'base units' });
/** Whole, or a decimal string where `unit` is said: no fraction travels as a number. See {@link checkTyped}. */
export const typedQuantity = () =>
  Type.Unsafe<number | string>({
    type: ['integer', 'string'],
    ...{ minimum: 1, maximum: QUANTITY_MAX, pattern: '^\\d{1,12}(\\.\\d{1,6})?$' },
    description: 'of `unit`; a fraction of one, e.g. "2.5", is a decimal string',
  });
/** @throws XD_BODY_INVALID for a text that counts base units: of them there are no fractions */
export function checkTyped(said: { quantity: number | string; unit?: string | undefined }, place: string): void {
  if (typeof said.quantity === 'string' && said.unit === undefined)
    fail('XD_BODY_INVALID', `${place} must be integer: it counts base units, as no unit is said`, { place });
}
export const unit = (of = 'what the quantity counts') =>
  Type.String({ pattern: UNIT_PATTERN, description: `${of}; default the base unit` });
export const packLevel = () => Type.Enum([...PACK_LEVELS], { description: "the unit's, checked where it is said" });
export const pricePer = () =>
  Type.Integer({ minimum: 1, maximum: QUANTITY_MAX, description: 'how many the price is for; default 1' });
export const unitPrice = () =>
  Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$', description: 'exact decimal, e.g. "2.55"' });
export const signedPrice = () =>
  Type.String({ pattern: '^-?\\d{1,12}(\\.\\d{1,6})?$', description: 'exact decimal, may be negative' });
export const currency = () => Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' });
export const time = () => Type.String({ format: 'date-time', maxLength: 40, description: 'RFC 3339' });
export const date = () => Type.String({ format: 'date', pattern: '^(19[7-9]|20\\d|21\\d)\\d-', maxLength: 10 });
export const cursor = () =>
  Type.String({
    minLength: 1,
    maxLength: 200,
    pattern: '^[A-Za-z0-9_-]+$',
    description: 'opaque; from the page before',
  });
export const limit = (maximum = 500) => Type.Integer({ minimum: 1, maximum, default: Math.min(100, maximum) });
export const idParams = closed({ id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }) });

const TIME_MIN = Date.UTC(1970, 0, 1);
const TIME_MAX = Date.UTC(2200, 0, 1);

/** RFC 3339 in any offset to UTC, so that one moment has one text. */
export function utcOf(value: string, place: string): string {
  const ms = Date.parse(value);
  if (!(ms >= TIME_MIN && ms < TIME_MAX))
    fail('XD_VALUE_INVALID', `${place} must be a time from 1970 to 2199, not ${JSON.stringify(value.slice(0, 40))}`, {
      place,
    });
  return new Date(ms).toISOString();
}

/** SKU codes that differ only by case are one SKU. */
export function skuCodeOf(value: string): string {
  return value.toUpperCase();
}

export { decimalOf } from '../canonical/index.ts';
