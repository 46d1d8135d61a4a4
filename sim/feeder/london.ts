/**
 * Europe/London local time to UTC. Summer time since 1996: from the last Sunday of March 01:00 UTC to the last Sunday of
 * October 01:00 UTC, one hour ahead. Written as arithmetic because Intl costs 5 µs a line and there is half a million.
 * The hour that October repeats is read as its first pass (summer time); the hour that March skips is read as if the clock
 * had not been put forward yet.
 */

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/;
const HOUR_SECONDS = 3600;

function lastSundayAtOneUtc(year: number, month: number): number {
  const lastDay = new Date(Date.UTC(year, month + 1, 0));
  return Date.UTC(year, month, lastDay.getUTCDate() - lastDay.getUTCDay(), 1) / 1000;
}

const summers = new Map<number, { from: number; to: number }>();

function summerOf(year: number): { from: number; to: number } {
  let summer = summers.get(year);
  if (summer === undefined) {
    summer = { from: lastSundayAtOneUtc(year, 2), to: lastSundayAtOneUtc(year, 9) };
    summers.set(year, summer);
  }
  return summer;
}

/** @returns seconds since 1970 UTC, or undefined when the text isn't a time that exists in a calendar */
export function londonToUtcSeconds(text: string): number | undefined {
  const match = LOCAL.exec(text);
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (year < 1996 || year > 2105 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const asUtc = date.getTime() / 1000;
  const { from, to } = summerOf(year);
  // In local clock terms summer begins when it would be 01:00 and shows 02:00, and ends when it shows 02:00.
  const inSummer = asUtc >= from + HOUR_SECONDS && asUtc < to + HOUR_SECONDS;
  return inSummer ? asUtc - HOUR_SECONDS : asUtc;
}

export function utcText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
