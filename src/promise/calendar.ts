/**
 * When a location ships. Everything is an instant; a day and a time of day are what the location's own clocks show, so an hour that daylight
 * saving repeats or leaves out is what it is there. Pure; nothing but `Intl` knows time zones.
 */
import { fail } from '../canonical/index.ts';

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface CalendarRule {
  /** IANA name. */
  timeZone: string;
  workingDays: readonly Weekday[];
  /** Days without work, YYYY-MM-DD. */
  closed?: readonly string[];
  /** HH:MM; what is there by then leaves on that day. */
  cutOff: string;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** No zone is further from UTC, and none has ever changed by more at once. */
const OFFSET_MS_MAX = 26 * 3_600_000;
const DAYS_KEPT_MAX = 4_000;

export class Calendar {
  readonly #days: ReadonlySet<number>;
  readonly #closed: ReadonlySet<number>;
  readonly #cutOffMs: number;
  readonly #format: Intl.DateTimeFormat;
  readonly #daysMax: number;
  /** By day: its cut-off, null where it is no working day. A day never changes. */
  readonly #cutOffs = new Map<number, number | null>();

  /** @throws XD_VALUE_INVALID, `place` naming the key */
  constructor({ timeZone, workingDays, closed = [], cutOff }: CalendarRule) {
    const wrong = (place: string, what: string): never => fail('XD_VALUE_INVALID', `${place} ${what}`, { place });
    this.#days = new Set(workingDays.map((day) => WEEKDAYS.indexOf(day)));
    if (this.#days.size === 0) wrong('workingDays', 'must name at least one day: nothing would ever leave');
    if (this.#days.has(-1)) wrong('workingDays', `must be of ${WEEKDAYS.join(', ')}`);
    this.#closed = new Set(closed.map((day) => dayOf(day) ?? wrong('closed', `${day} is no day YYYY-MM-DD`)));
    this.#cutOffMs = timeOfDayMs(cutOff) ?? wrong('cutOff', `must be a time of day HH:MM, not ${cutOff}`);
    this.#format = new Intl.DateTimeFormat('en-u-ca-iso8601', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
    // Every closed day may be a working one; a zone may leave out a day as well.
    this.#daysMax = 7 * (this.#closed.size + 3);
  }

  /** The first cut-off of a working day at `instant` or after it. */
  nextShip(instant: number): number {
    for (let day = Math.floor(instant / DAY_MS) - 2, last = day + this.#daysMax; day <= last; day++) {
      const cutOff = this.#cutOffOf(day);
      if (cutOff !== null && cutOff >= instant) return cutOff;
    }
    throw new Error(`no working day within ${this.#daysMax} days of ${new Date(instant).toISOString()}`);
  }

  /** Where so many working days have begun since the day of `instant`; 0: at once. What comes in is put away first. */
  afterWorkingDays(instant: number, days: number): number {
    if (days === 0) return instant;
    let left = days;
    for (let day = Math.floor(this.#local(instant) / DAY_MS) + 1; ; day++)
      if (this.#cutOffOf(day) !== null && --left === 0) return this.#firstAt(day * DAY_MS);
  }

  /** The cut-off of a working day: the first moment at which its clocks show it, or would have, had they not been put forward. */
  #cutOffOf(day: number): number | null {
    const known = this.#cutOffs.get(day);
    if (known !== undefined) return known;
    const cutOff = this.#isWorking(day) ? this.#firstAt(day * DAY_MS + this.#cutOffMs) : null;
    if (this.#cutOffs.size >= DAYS_KEPT_MAX) this.#cutOffs.clear();
    this.#cutOffs.set(day, cutOff);
    return cutOff;
  }

  #isWorking(day: number): boolean {
    // The first day of all, 1970-01-01, was a Thursday.
    if (!this.#days.has((((day + 4) % 7) + 7) % 7) || this.#closed.has(day)) return false;
    // Whole days have been left out where a zone moved over the date line.
    return Math.floor(this.#local(this.#firstAt(day * DAY_MS)) / DAY_MS) === day;
  }

  /** The first instant at which clocks there show `local` or later. */
  #firstAt(local: number): number {
    const early = local - this.#offset(local - OFFSET_MS_MAX);
    const late = local - this.#offset(local + OFFSET_MS_MAX);
    const shown = [early, late].filter((instant) => this.#local(instant) === local);
    if (shown.length > 0) return Math.min(...shown);
    // Left out: clocks jump over it. The moment of the jump lies between the two readings.
    let before = Math.min(early, late);
    let after = Math.max(early, late);
    while (after - before > 1_000) {
      const middle = Math.floor((before + after) / 2 / 1_000) * 1_000;
      if (this.#local(middle) >= local) after = middle;
      else before = middle;
    }
    return after;
  }

  #offset(instant: number): number {
    return this.#local(instant) - instant;
  }

  /** What clocks there show, as if it were UTC. */
  #local(instant: number): number {
    const at: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) at[type] = Number(value);
    return (
      Date.UTC(at.year!, at.month! - 1, at.day, at.hour, at.minute, at.second) + (((instant % 1_000) + 1_000) % 1_000)
    );
  }
}

/** Days since 1970 of YYYY-MM-DD; undefined: it is none. */
export function dayOf(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms / DAY_MS;
}

export function timeOfDayMs(text: string): number | undefined {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  return hours === undefined ? undefined : (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}
