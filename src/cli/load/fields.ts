/** Reads the fields of one row; what is wrong names column and value. */
import { fail, QUANTITY_MAX, unitPriceOf } from '../../canonical/index.ts';

export const TEXT_LENGTH_MAX = 2_000;
const CODE_LENGTH_MAX = 200;
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** "Unit Price", "unit_price" and "unitPrice" are one column. */
export function columnOf(heading: string): string {
  return heading.toLowerCase().replace(/[\s_-]/g, '');
}

export class RowFields {
  readonly #columns: ReadonlyMap<string, number>;
  readonly #fields: readonly string[];

  constructor(columns: ReadonlyMap<string, number>, fields: readonly string[]) {
    this.#columns = columns;
    this.#fields = fields;
    if (fields.length !== columns.size)
      fail('XD_VALUE_INVALID', `${fields.length} fields, the heading has ${columns.size}`);
  }

  /** Empty is absent. */
  optional(name: string, lengthMax = CODE_LENGTH_MAX): string | undefined {
    const at = this.#columns.get(columnOf(name));
    const text = at === undefined ? '' : (this.#fields[at] ?? '').trim();
    if (text === '') return undefined;
    if (text.length > lengthMax)
      fail('XD_VALUE_INVALID', `${name} has ${text.length} characters; at most ${lengthMax}`, { place: name });
    // What isn't UTF-8 was read as U+FFFD; PostgreSQL stores no zero byte.
    if (text.includes('\uFFFD')) fail('XD_VALUE_INVALID', `${name} is not valid UTF-8`, { place: name });
    if (text.includes('\0')) fail('XD_VALUE_INVALID', `${name} holds a zero byte`, { place: name });
    return text;
  }

  text(name: string, fallback?: string): string {
    return this.optional(name) ?? fallback ?? fail('XD_VALUE_INVALID', `${name} is empty`, { place: name });
  }

  whole(name: string, min: number, fallback?: number): number {
    const text = this.optional(name);
    if (text === undefined && fallback !== undefined) return fallback;
    const value = text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= QUANTITY_MAX))
      fail('XD_VALUE_INVALID', `${name} must be a whole number from ${min} to ${QUANTITY_MAX}, not ${shown(text)}`, {
        place: name,
      });
    return value;
  }

  unitPrice(name: string): string {
    return unitPriceOf(this.text(name), name);
  }

  /** RFC 3339, or a day, or a day and a time; without an offset it is UTC. */
  time(name: string, fallback?: string): string {
    const text = this.optional(name);
    if (text === undefined && fallback !== undefined) return fallback;
    const found = TIME.exec(text ?? '');
    const iso = found === null ? '' : `${found[1]}T${found[2] ?? '00:00'}${found[3] ?? ':00'}${found[4] ?? 'Z'}`;
    const time = new Date(iso);
    // 2026-02-30 would silently become March.
    const day = found?.[1] ?? '';
    if (
      found === null ||
      Number.isNaN(time.getTime()) ||
      new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10) !== day
    )
      fail('XD_VALUE_INVALID', `${name} must be a time such as 2026-03-02T09:00:00Z, not ${shown(text)}`, {
        place: name,
      });
    return time.toISOString();
  }

  day(name: string): string | undefined {
    return this.optional(name) === undefined ? undefined : this.time(name).slice(0, 10);
  }

  oneOf<const T extends string>(name: string, values: readonly T[], fallback?: T): T {
    const text = this.optional(name) ?? fallback;
    if (!values.includes(text as T))
      fail('XD_VALUE_INVALID', `${name} must be one of ${values.join(', ')}, not ${shown(text)}`, { place: name });
    return text as T;
  }
}

function shown(text: string | undefined): string {
  if (text === undefined) return 'empty';
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
