import { QUANTITY_MAX, quantityOf, unitPriceOf } from '../../canonical/index.ts';

const TEXT_CHARS_MAX = 200;
const VALUE_CHARS_MAX = 200;
const LINE_NO_MAX = 1_000_000;
/** Lines of one record. A year of a wholesaler's real orders has at most 1,114. */
export const RECORD_LINES_MAX = 5_000;
const LEVELS_MAX = 32;
const TIME = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const YEAR_MIN = 1970;
const YEAR_MAX = 2999;

/** A record, or a part of one, that is not what its contract says. Caught per record: neighbours don't notice. */
export class Unreadable extends Error {
  readonly reason: string;
  /** JSON pointer into the message that arrived. */
  readonly place: string;
  readonly value: unknown;

  constructor(reason: string, place: string, value: unknown) {
    super(`${place || '/'} ${reason}`);
    this.name = 'Unreadable';
    this.reason = reason;
    this.place = place;
    this.value = shortened(value);
  }
}

/**
 * An outside object whose fields are read by name and checked at once. Every getter throws {@link Unreadable} with the place
 * and the value found. Texts that PostgreSQL can't store (NUL, lone surrogates) are refused here, where the place is known.
 */
export class Fields {
  readonly place: string;
  readonly raw: Readonly<Record<string, unknown>>;

  constructor(value: unknown, place: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Unreadable('must be an object', place, value);
    this.place = place;
    this.raw = value as Record<string, unknown>;
  }

  text(name: string, charsMax = TEXT_CHARS_MAX): string {
    const value = this.raw[name];
    if (typeof value !== 'string' || value === '') throw this.unreadable(name, 'must be a text');
    if (value.length > charsMax) throw this.unreadable(name, `must have at most ${charsMax} characters`);
    // Where bytes were no UTF-8 the decoder put this: kept, it would be a name that nobody ever wrote.
    if (value.includes('\ufffd')) throw this.unreadable(name, 'is not valid UTF-8');
    if (value.includes('\0') || !value.isWellFormed()) throw this.unreadable(name, 'holds characters that are no text');
    return value;
  }

  textOrNull(name: string): string | null {
    return this.raw[name] == null ? null : this.text(name);
  }

  /** Codes that differ only by case are one SKU. */
  sku(name: string): string {
    return this.text(name).toUpperCase();
  }

  integer(name: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.raw[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      throw this.unreadable(name, `must be a whole number from ${min} to ${max}`);
    return value;
  }

  lineNo(name: string): number {
    return this.integer(name, 1, LINE_NO_MAX);
  }

  quantity(name: string, min = 1): number {
    return this.#checked(name, () => quantityOf(this.raw[name], name, min), `from ${min} to ${QUANTITY_MAX}`);
  }

  unitPrice(name: string): string {
    return this.#checked(name, () => unitPriceOf(this.raw[name], name), 'as a decimal string such as "2.55"');
  }

  currency(name: string): string {
    const value = this.text(name);
    if (!/^[A-Z]{3}$/.test(value)) throw this.unreadable(name, 'must be an ISO 4217 code such as GBP');
    return value;
  }

  /** RFC 3339, in any offset; given back in UTC with milliseconds, so that one moment has one spelling. */
  time(name: string): string {
    const value = this.text(name);
    const [, year = 0, month = 0, day = 0] = (TIME.exec(value) ?? []).map(Number);
    const at = new Date(value);
    // Date rolls 30 February over to March instead of refusing it.
    const dayExists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day;
    if (Number.isNaN(at.getTime()) || year < YEAR_MIN || year > YEAR_MAX || !dayExists)
      throw this.unreadable(name, 'must be an RFC 3339 time such as 2026-03-01T09:30:00Z');
    return at.toISOString();
  }

  oneOf<T extends string>(name: string, known: readonly T[]): T {
    const value = this.raw[name];
    const found = known.find((candidate) => candidate === value);
    if (found === undefined) throw this.unreadable(name, `must be one of ${known.join(', ')}`);
    return found;
  }

  list(name: string): unknown[] {
    const value = this.raw[name];
    if (!Array.isArray(value)) throw this.unreadable(name, 'must be a list');
    return value;
  }

  /** A list's raw entries with their places; at least one, at most {@link RECORD_LINES_MAX}. */
  entries(name: string): { value: unknown; place: string }[] {
    const list = this.list(name);
    if (list.length === 0) throw this.unreadable(name, 'must hold at least one line');
    if (list.length > RECORD_LINES_MAX) throw this.unreadable(name, `must hold at most ${RECORD_LINES_MAX} lines`);
    return list.map((value, index) => ({ value, place: `${this.place}/${name}/${index}` }));
  }

  lines(name: string): Fields[] {
    return this.entries(name).map(({ value, place }) => new Fields(value, place));
  }

  unreadable(name: string, reason: string): Unreadable {
    const missing = this.raw[name] === undefined;
    return new Unreadable(missing ? `is missing; it ${reason}` : reason, `${this.place}/${name}`, this.raw[name]);
  }

  #checked<T>(name: string, read: () => T, form: string): T {
    try {
      return read();
    } catch {
      throw this.unreadable(name, `must be given ${form}`);
    }
  }
}

/**
 * A copy whose levels end where no contract reaches. JSON is parsed at any depth and written at some thousand levels only: a record that
 * can't be written would end the page it is in, and be met again at each poll.
 */
export function cutDeep(value: unknown, levels = LEVELS_MAX): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return '…';
  if (Array.isArray(value)) return value.map((entry) => cutDeep(entry, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, cutDeep(entry, levels - 1)]));
}

/** What was found, kept small and storable: a parked record shows it beside the raw message, which has all of it. */
function shortened(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  if (typeof value === 'object' && value !== null) return cut(JSON.stringify(cutDeep(value)));
  return value ?? null;
}

function cut(text: string): string {
  const clean = text.toWellFormed().replaceAll('\0', '\ufffd');
  return clean.length > VALUE_CHARS_MAX ? `${clean.slice(0, VALUE_CHARS_MAX).toWellFormed()}…` : clean;
}
