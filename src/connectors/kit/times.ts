/** Times as files and databases write them: without offset, day first, in some town's clock. */

const PARTS = { yyyy: '(?<yyyy>\\d{4})', MM: '(?<MM>\\d{2})', dd: '(?<dd>\\d{2})', HH: '(?<HH>\\d{2})' } as const;
const MORE_PARTS = { mm: '(?<mm>\\d{2})', ss: '(?<ss>\\d{2})', SSS: '(?<SSS>\\d{3})' } as const;
const TOKENS: Readonly<Record<string, string>> = { ...PARTS, ...MORE_PARTS };
const DAY_MS = 86_400_000;

const patterns = new Map<string, RegExp>();
const zones = new Map<string, Intl.DateTimeFormat>();

/** Whether a format has a year, a month and a day, each once. */
export function isTimeFormat(format: string): boolean {
  return ['yyyy', 'MM', 'dd'].every((part) => format.split(part).length === 2);
}

/** Whether the machine's time zone data know it. */
export function isZone(zone: string): boolean {
  try {
    partsOf(zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * `yyyy`, `MM`, `dd`, `HH`, `mm`, `ss`, `SSS`; everything else stands for itself. What has no hour is the day's beginning in its zone.
 * @returns RFC 3339 in UTC; null: not of this format, no day of the calendar, or an hour that the clock leapt over in spring. Of an hour
 * that came twice in autumn, the first.
 */
export function timeIn(text: string, format: string, zone: string): string | null {
  const found = patternOf(format).exec(text)?.groups;
  if (found === undefined) return null;
  const part = (name: string) => Number(found[name] ?? 0);
  const [year, month, day] = [part('yyyy'), part('MM'), part('dd')];
  const [hour, minute, second] = [part('HH'), part('mm'), part('ss')];
  const wall = Date.UTC(year, month - 1, day, hour, minute, second, part('SSS'));
  const checked = new Date(wall);
  const isReal = checked.getUTCDate() === day && checked.getUTCMonth() === month - 1 && hour < 24 && minute < 60;
  if (!isReal || second > 59) return null;
  // The offset of a day before and a day after: where they differ the clock changes in between, and one of the two is right, or both, or none.
  const offsets = [offsetAt(wall - DAY_MS, zone), offsetAt(wall + DAY_MS, zone)];
  const fitting = offsets.filter((offset) => offsetAt(wall - offset, zone) === offset);
  if (fitting.length === 0) {
    // Zones that change twice within two days are none; a day that begins in a gap begins with its first moment.
    return found.HH === undefined ? new Date(wall - Math.min(...offsets)).toISOString() : null;
  }
  return new Date(wall - Math.max(...fitting)).toISOString();
}

function patternOf(format: string): RegExp {
  const known = patterns.get(format);
  if (known !== undefined) return known;
  const source = format.replaceAll(/yyyy|MM|dd|HH|mm|ss|SSS|./gs, (token) => TOKENS[token] ?? escaped(token));
  const made = new RegExp(`^${source}$`);
  patterns.set(format, made);
  return made;
}

function escaped(character: string): string {
  return /[\w\s]/.test(character) ? character : `\\${character}`;
}

function partsOf(zone: string): Intl.DateTimeFormat {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const made = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', second: 'numeric', ...numeric });
  zones.set(zone, made);
  return made;
}

/** What has to be added to UTC, in ms. */
function offsetAt(at: number, zone: string): number {
  const parts = Object.fromEntries(
    partsOf(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  return Date.UTC(year!, month! - 1, day, hour, minute, second) - Math.floor(at / 1000) * 1000;
}
