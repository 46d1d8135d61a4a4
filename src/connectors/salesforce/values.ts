/** Numbers, ids, times and texts as this system writes them. */
import { Unreadable } from '../kit/index.ts';

/** A decimal that is written into JSON with its own digits. */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * JSON in which every number that isn't a small whole one is the text it was written as: 16 digits of a currency field don't all fit into
 * a double, and the system writes large ones with an exponent.
 */
export function parseExact(text: string): unknown {
  // Before it is parsed, not by a reviver: that goes down into every value, and a deep one ends the stack.
  const exact = text.replaceAll(TEXT_OR_NUMBER, (token) => {
    if (token.startsWith('"')) return token;
    const value = Number(token);
    return Number.isSafeInteger(value) && String(value) === token ? token : `"${token}"`;
  });
  return JSON.parse(exact);
}

const TEXT_OR_NUMBER = /"(?:[^"\\]+|\\.)*"|-?\d[\d.eE+-]*/gs;

export function jsonOf(value: unknown): string {
  if (value instanceof Decimal) return value.text;
  if (Array.isArray(value)) return `[${value.map(jsonOf).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const parts = Object.entries(value).filter(([, one]) => one !== undefined);
  return `{${parts.map(([key, one]) => `${JSON.stringify(key)}:${jsonOf(one)}`).join(',')}}`;
}

const NUMBER = /^(-?)(\d{1,30})(?:\.(\d{1,30}))?(?:[eE]([+-]?\d{1,2}))?$/;

/** `1.2E7` → `12000000`, `2.50` → `2.5`; undefined: no number. */
export function plainDecimal(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded = point <= 0 ? '0'.repeat(1 - point) + digits : digits.padEnd(point, '0');
  const at = Math.max(point, 1);
  const before = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const after = padded.slice(at).replace(/0+$/, '');
  const plain = after === '' ? before : `${before}.${after}`;
  return sign === '-' && plain !== '0' ? `-${plain}` : plain;
}

/** Minor units as a decimal of the major one. */
export function majorOf(minor: number): Decimal {
  const digits = String(Math.abs(minor)).padStart(3, '0');
  return new Decimal(`${minor < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`);
}

/** A unit price less a percentage, exactly. @returns undefined when it has more than six places */
export function discounted(price: string, percent: string): string | undefined {
  const parse = (text: string): [value: bigint, places: number] => {
    const [whole = '', fraction = ''] = text.split('.');
    return [BigInt(whole + fraction), fraction.length];
  };
  const [value, places] = parse(price);
  const [off, offPlaces] = parse(percent);
  const left = 100n * 10n ** BigInt(offPlaces) - off;
  if (left < 0n) return undefined;
  const total = places + offPlaces + 2;
  const digits = String(value * left).padStart(total + 1, '0');
  const plain = plainDecimal(`${digits.slice(0, -total)}.${digits.slice(-total)}`)!;
  return (plain.split('.')[1]?.length ?? 0) > 6 ? undefined : plain;
}

const SUFFIX = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';

/** Ids come with 15 characters, whose case counts, or with three more that say which are capitals. One record, one spelling: 18. */
export function id18(id: string, place: string): string {
  if (!/^[0-9A-Za-z]{15}([A-Z0-5]{3})?$/.test(id))
    throw new Unreadable('must be an id of 15 or 18 characters', place, id);
  let suffix = '';
  for (let from = 0; from < 15; from += 5) {
    let bits = 0;
    for (let at = 0; at < 5; at++) if (/[A-Z]/.test(id[from + at]!)) bits |= 1 << at;
    suffix += SUFFIX[bits];
  }
  if (id.length === 18 && id.slice(15) !== suffix)
    throw new Unreadable('must be an id whose last three characters fit the others', place, id);
  return id.slice(0, 15) + suffix;
}

/** `2026-03-01T09:30:00.000+0000`, whose offset has no colon; Z in CSV. Given back in UTC with milliseconds. */
export function timeOf(value: unknown, place: string): string {
  const [, stem, sign, hours, minutes] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?)(?:Z|([+-])(\d\d):?(\d\d))$/.exec(String(value)) ?? [];
  const offset = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`;
  const at = new Date(`${stem}${offset}`);
  if (stem === undefined || Number.isNaN(at.getTime()))
    throw new Unreadable('must be a time such as 2026-03-01T09:30:00.000+0000', place, value);
  return at.toISOString();
}

/** The moment a day begins in a time zone. Where its first hour is skipped, the first moment that exists. */
export function dayBegins(date: unknown, timeZone: string, place: string): string {
  const [, year = 0, month = 0, day = 0] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(String(date)) ?? []).map(Number);
  const midnight = Date.UTC(year, month - 1, day);
  if (year < 1970 || new Date(midnight).getUTCDate() !== day || month < 1)
    throw new Unreadable('must be a date such as 2026-03-01', place, date);
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const localOf = (at: number): number => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second);
  };
  // Local time less the moment is the offset; twice, since it may change between the guess and the answer.
  let at = midnight - (localOf(midnight) - midnight);
  at = midnight - (localOf(at) - at);
  // A midnight that the clock jumps over: the guess lies before it, the day begins with the jump.
  for (const step of [3_600_000, 1_800_000]) if (localOf(at) < midnight) at += step;
  return new Date(at).toISOString();
}

/** A text as it stands in a query. */
export function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}
