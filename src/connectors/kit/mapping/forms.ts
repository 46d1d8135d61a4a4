/** What values are made to be. Each gives the value or throws why it can't be: a text for a person. */
import { QUANTITY_MAX } from '../../../canonical/index.ts';
import type { ValueForm } from './schema.ts';

/** Why a value is not what it should be. */
export class NotOfForm extends Error {}

const DECIMAL = /^([+-]?)(\d{1,15})(?:\.(\d{1,12}))?$/;
const V2_TIME = /^\/Date\((-?\d{1,15})([+-]\d{4})?\)\/$/;
const OFFSET = /(Z|[+-]\d\d:?\d\d)$/;
const LOCAL = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?))?$/;
const DAY = /^(\d{4})-(\d\d)-(\d\d)/;
/** As many as a double always gives back as they were written. */
const EXACT_DIGITS = 15;

/** A JSON number is taken by its shortest text, which is what the system wrote unless it wrote more digits than a double holds. */
export function textOfScalar(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' && Number.isFinite(value)) {
    const text = String(value);
    // What the system wrote may have been rounded when it was read; money must not be.
    const digits = text.replace(/^-?0?\.?0*|[.-]/g, '');
    if (!Number.isSafeInteger(value) && (digits.length > EXACT_DIGITS || digits.includes('e')))
      throw new NotOfForm('has more digits than a JSON number holds');
    return text;
  }
  throw new NotOfForm('must be a text or a number');
}

/** `-12.50` → `-12.5`; at most 12 places. */
export function decimalOf(value: unknown): string {
  const [, sign = '', whole = '', fraction = ''] = DECIMAL.exec(textOfScalar(value)) ?? [];
  if (whole === '') throw new NotOfForm('must be a decimal number such as 12.5');
  const places = fraction.replace(/0+$/, '');
  const digits = whole.replace(/^0+(?=\d)/, '');
  const text = places === '' ? digits : `${digits}.${places}`;
  return sign === '-' && text !== '0' ? `-${text}` : text;
}

/** Exact: so many base units as `factor` makes of it, which must be whole. */
export function timesExactly(amount: string, factor: string): string {
  const [a, b] = [scaled(amount), scaled(factor)];
  return unscaled(a.digits * b.digits, a.places + b.places);
}

function scaled(text: string): { digits: bigint; places: number } {
  const [whole = '0', fraction = ''] = text.split('.');
  return { digits: BigInt(whole + fraction), places: fraction.length };
}

function unscaled(digits: bigint, places: number): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString().padStart(places + 1, '0');
  return decimalOf(`${sign}${places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`}`);
}

function wholeOf(value: unknown): number {
  const text = decimalOf(value);
  const whole = Number(text);
  if (text.includes('.') || !Number.isSafeInteger(whole)) throw new NotOfForm('must be a whole number');
  return whole;
}

function quantityFrom(value: unknown): number {
  const quantity = wholeOf(value);
  if (Math.abs(quantity) > QUANTITY_MAX) throw new NotOfForm(`must be at most ${QUANTITY_MAX}`);
  return quantity;
}

function timeOf(value: unknown, zone: string | undefined): string {
  const text = textOfScalar(value);
  const v2 = V2_TIME.exec(text);
  // The ticks are UTC; the offset after them only says where it was written.
  if (v2 !== null) return isoOf(Number(v2[1]));
  // Date rolls 30 February over to March instead of refusing it.
  const [, year, month, day] = (DAY.exec(text) ?? []).map(Number);
  if (day !== undefined && new Date(Date.UTC(year!, month! - 1, day)).getUTCDate() !== day)
    throw new NotOfForm('must be a time that exists');
  if (OFFSET.test(text) && text.includes('T')) return isoOf(Date.parse(text));
  const local = LOCAL.exec(text);
  if (local === null) throw new NotOfForm('must be a time such as 2026-03-01T09:30:00Z');
  if (zone === undefined) throw new NotOfForm('is a time without an offset: its rule must name a `zone`');
  return zonedTime(`${local[1]}T${local[2] ?? '00:00:00'}`, zone);
}

function isoOf(ms: number): string {
  if (Number.isNaN(ms) || Math.abs(ms) > 8.64e15) throw new NotOfForm('must be a time that exists');
  return new Date(ms).toISOString();
}

/**
 * A wall clock's time in UTC. An hour that clocks show twice is taken as the first of the two, one that they leave out as if they had
 * not been moved yet: what happened then has a time, and it must be the same each time it is read.
 */
export function zonedTime(local: string, zone: string): string {
  const asUtc = Date.parse(`${local}Z`);
  if (Number.isNaN(asUtc)) throw new NotOfForm('must be a time that exists');
  const dayMs = 86_400_000;
  // The offsets in force a day before and a day after; between them at most one change.
  const offsets = [offsetMs(asUtc - dayMs, zone), offsetMs(asUtc + dayMs, zone)];
  const fitting = offsets.filter((offset) => offsetMs(asUtc - offset, zone) === offset).map((offset) => asUtc - offset);
  return isoOf(fitting.length > 0 ? Math.min(...fitting) : asUtc - offsets[0]!);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function offsetMs(at: number, zone: string): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
    });
    formats.set(zone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}

export function formed(form: ValueForm, value: unknown, zone: string | undefined): unknown {
  switch (form) {
    case 'any':
      return value;
    case 'text':
      return textOfScalar(value);
    case 'sku':
      return textOfScalar(value).toUpperCase();
    case 'integer':
      return wholeOf(value);
    case 'quantity':
      return quantityFrom(value);
    case 'decimal':
      return decimalOf(value);
    case 'number': {
      const text = decimalOf(value);
      // For systems that want JSON numbers: only where a double's shortest text is the same number.
      if (String(Number(text)) !== text) throw new NotOfForm('has more digits than a JSON number holds');
      return Number(text);
    }
    case 'minor': {
      const minor = timesExactly(decimalOf(value), '100');
      // Of a currency that has others, a document takes `total` and `amount` as they are written.
      if (minor.includes('.')) throw new NotOfForm('must be an amount with at most two places');
      return wholeOf(minor);
    }
    case 'time':
      return timeOf(value, zone);
    case 'unix':
      return isoOf(wholeOf(value) * 1000);
    case 'unixMs':
      return isoOf(wholeOf(value));
    case 'date':
      return timeOf(value, zone).slice(0, 10);
    case 'boolean': {
      const text = typeof value === 'boolean' ? String(value) : textOfScalar(value).toLowerCase();
      if (['true', '1', 'yes', 'y', 'x'].includes(text)) return true;
      if (['false', '0', 'no', 'n', ''].includes(text)) return false;
      throw new NotOfForm('must be true or false');
    }
  }
}
