import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Calendar, type CalendarRule, WEEKDAYS } from './index.ts';

const everyDay = [...WEEKDAYS];
const london = (cutOff: string, rest: Partial<CalendarRule> = {}) =>
  new Calendar({ timeZone: 'Europe/London', workingDays: ['mon', 'tue', 'wed', 'thu', 'fri'], cutOff, ...rest });
const ships = (calendar: Calendar, at: string) => new Date(calendar.nextShip(Date.parse(at))).toISOString();

describe('what is there by the cut-off leaves on that day', () => {
  it.each([
    ['before it, in winter', '2026-01-14T13:59:59Z', '2026-01-14T14:00:00.000Z'],
    ['to the second', '2026-01-14T14:00:00Z', '2026-01-14T14:00:00.000Z'],
    ['after it, the next day', '2026-01-14T14:00:00.001Z', '2026-01-15T14:00:00.000Z'],
    ['in summer an hour earlier', '2026-07-15T13:00:00Z', '2026-07-15T13:00:00.000Z'],
    ['on a Friday afternoon, on Monday', '2026-01-16T14:01:00Z', '2026-01-19T14:00:00.000Z'],
    ['over a closed day', '2026-12-24T15:00:00Z', '2026-12-28T14:00:00.000Z'],
    ['over the change to summer time', '2026-03-27T15:00:00Z', '2026-03-30T13:00:00.000Z'],
  ])('%s', (_, at, leaves) => {
    expect(ships(london('14:00', { closed: ['2026-12-25'] }), at)).toBe(leaves);
  });
});

describe('the hour that daylight saving repeats', () => {
  // On 2026-10-25 London's clocks show 01:00 to 02:00 twice: from 00:00Z, and again from 01:00Z.
  const calendar = london('01:30', { workingDays: everyDay });
  it('an order placed the first time round makes the cut-off', () => {
    expect(ships(calendar, '2026-10-25T00:29:00Z')).toBe('2026-10-25T00:30:00.000Z');
  });
  it('one placed when clocks show the same time again does not: the next day', () => {
    expect(ships(calendar, '2026-10-25T01:29:00Z')).toBe('2026-10-26T01:30:00.000Z');
    expect(ships(calendar, '2026-10-25T00:30:00.001Z')).toBe('2026-10-26T01:30:00.000Z');
  });
  it('both hours come before a cut-off that day has once', () => {
    for (const at of ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z'])
      expect(ships(london('14:00', { workingDays: everyDay }), at)).toBe('2026-10-25T14:00:00.000Z');
  });
});

describe('what clocks leave out', () => {
  it('a cut-off in the hour that is skipped is the moment of the jump', () => {
    // On 2026-03-29 London's clocks go from 01:00 to 02:00, at 01:00Z.
    const calendar = london('01:30', { workingDays: everyDay });
    expect(ships(calendar, '2026-03-29T00:59:00Z')).toBe('2026-03-29T01:00:00.000Z');
    expect(ships(calendar, '2026-03-29T01:00:00.001Z')).toBe('2026-03-30T00:30:00.000Z');
  });
  it('nothing leaves on a day that a zone left out', () => {
    const apia = new Calendar({ timeZone: 'Pacific/Apia', workingDays: everyDay, cutOff: '12:00' });
    // Samoa had no 2011-12-30.
    expect(ships(apia, '2011-12-29T22:00:01Z')).toBe('2011-12-30T22:00:00.000Z');
    expect(ships(apia, '2011-12-28T22:00:01Z')).toBe('2011-12-29T22:00:00.000Z');
  });
});

it('goods that come in are put away for so many working days of the place', () => {
  const calendar = london('14:00', { closed: ['2026-12-25'] });
  const after = (at: string, days: number) => new Date(calendar.afterWorkingDays(Date.parse(at), days)).toISOString();
  expect(after('2026-12-24T09:00:00Z', 0)).toBe('2026-12-24T09:00:00.000Z');
  expect(after('2026-12-24T09:00:00Z', 1)).toBe('2026-12-28T00:00:00.000Z');
  expect(after('2026-07-14T22:30:00Z', 2)).toBe('2026-07-15T23:00:00.000Z');
  // 23:30Z is the day after, there.
  expect(after('2026-07-14T23:30:00Z', 1)).toBe('2026-07-15T23:00:00.000Z');
});

describe('a rule that can be no calendar is refused with its place', () => {
  const rule: CalendarRule = { timeZone: 'Europe/London', workingDays: ['mon'], cutOff: '14:00' };
  it.each([
    [{ workingDays: [] }, 'workingDays'],
    [{ cutOff: '24:00' }, 'cutOff'],
    [{ closed: ['2026-02-30'] }, 'closed'],
  ])('%j', (part, place) => {
    expect(() => new Calendar({ ...rule, ...part } as CalendarRule)).toThrow(
      expect.objectContaining({ code: 'XD_VALUE_INVALID', details: { place } }),
    );
  });
});

// A model that knows nothing of offsets: it looks at the place's clock every five minutes.
const STEP = 300_000;
const clocks = new Map<string, Intl.DateTimeFormat>();
function shown(timeZone: string, instant: number): { day: string; time: string; weekday: string } {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-CA', {
      ...{ timeZone, weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    });
    clocks.set(timeZone, clock);
  }
  const part = Object.fromEntries(clock.formatToParts(instant).map(({ type, value }) => [type, value]));
  return {
    day: `${part.year}-${part.month}-${part.day}`,
    time: `${part.hour}:${part.minute}`,
    weekday: part.weekday!.slice(0, 3).toLowerCase(),
  };
}

function modelNextShip({ timeZone, workingDays, closed = [], cutOff }: CalendarRule, instant: number): number {
  // A cut-off that was passed before `instant` is not to be met again.
  const passed = new Set<string>();
  for (let at = instant - 50 * 3_600_000; ; at += STEP) {
    const { day, time, weekday } = shown(timeZone, at);
    if (time < cutOff || passed.has(day)) continue;
    passed.add(day);
    if (at >= instant && workingDays.includes(weekday as 'mon') && !closed.includes(day)) return at;
  }
}

describe('against clocks that are looked at', () => {
  const around: [zone: string, at: string][] = [
    ['Europe/London', '2026-10-25T01:00:00Z'],
    ['Europe/London', '2026-03-29T01:00:00Z'],
    ['America/New_York', '2026-11-01T06:00:00Z'],
    ['America/New_York', '2026-03-08T07:00:00Z'],
    ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
    ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
    ['America/Sao_Paulo', '2018-11-04T03:00:00Z'],
    ['America/Sao_Paulo', '2018-02-18T02:00:00Z'],
    ['America/Havana', '2026-11-01T05:00:00Z'],
    ['Pacific/Chatham', '2026-04-04T14:00:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['Asia/Kathmandu', '2026-06-01T00:00:00Z'],
    ['UTC', '2024-02-29T00:00:00Z'],
  ];
  it('the next moment is the same', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...around),
        fc.integer({ min: -300, max: 300 }),
        fc.integer({ min: 0, max: 287 }),
        fc.subarray(everyDay, { minLength: 1 }),
        fc.integer({ min: 0, max: 4 }),
        ([timeZone, at], steps, minutes, workingDays, closedDays) => {
          const instant = Date.parse(at) + steps * STEP;
          const cutOff = `${String(Math.floor(minutes / 12)).padStart(2, '0')}:${String((minutes % 12) * 5).padStart(2, '0')}`;
          const closed = Array.from({ length: closedDays }, (_, i) => shown(timeZone, instant + i * 86_400_000).day);
          const rule = { timeZone, workingDays, closed, cutOff };
          const found = new Calendar(rule).nextShip(instant);
          expect(new Date(found).toISOString()).toBe(new Date(modelNextShip(rule, instant)).toISOString());
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);
});
