import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Calendar,
  isSamePromise,
  notBefore,
  type PromisePart,
  type PromiseSource,
  type PromiseTime,
  promiseComplete,
  promiseOf,
  withoutStock,
  withStock,
  withWaiting,
} from './index.ts';

const calendar = new Calendar({
  timeZone: 'Europe/London',
  workingDays: ['mon', 'tue', 'wed', 'thu', 'fri'],
  cutOff: '14:00',
});
const at = (now: string, rest: Partial<PromiseTime> = {}): PromiseTime => ({
  now: Date.parse(now),
  requestedAt: null,
  placeOf: (locationId) => ({ calendar: locationId === 9 ? null : calendar, receivingDays: locationId === 2 ? 1 : 0 }),
  ...rest,
});
const stock = (quantity: number, locationId = 1): PromiseSource => ({ kind: 'stock', locationId, quantity });
const supply = (quantity: number, dueAt: string, locationId = 1, supplyId = 7): PromiseSource => ({
  ...{ kind: 'supply', locationId, supplyId, dueAt, quantity },
});
const shown = (parts: readonly PromisePart[]) => parts.map((part) => `${part.quantity} ${part.reason} ${part.at}`);
const MONDAY = '2026-06-01T09:00:00Z';
const LATER = '2026-06-03T15:00:00Z';

describe('a promise', () => {
  it('is of each part the moment it leaves', () => {
    const sources = [supply(3, '2026-06-10T00:00:00Z', 2), stock(2), stock(1, 9), stock(1)];
    expect(shown(promiseOf(sources, at(MONDAY)))).toEqual([
      '3 stock 2026-06-01T13:00:00.000Z',
      // Put away on the day after.
      '3 supply 2026-06-11T13:00:00.000Z',
      '1 no_calendar null',
    ]);
  });
  it('of late supply is of now on', () => {
    expect(shown(promiseOf([supply(1, '2026-05-01T00:00:00Z')], at(LATER)))).toEqual([
      '1 supply 2026-06-04T13:00:00.000Z',
    ]);
  });
  it('of an order that leaves only whole is that of its last part, and none where that has none', () => {
    const rest = [supply(3, '2026-06-10T00:00:00Z')];
    expect(promiseComplete([[stock(2)], rest], at(MONDAY)).flatMap(shown)).toEqual([
      '2 stock 2026-06-10T13:00:00.000Z',
      '3 supply 2026-06-10T13:00:00.000Z',
    ]);
    const none: PromiseSource = { kind: 'none', reason: 'no_supply', quantity: 1 };
    expect(promiseComplete([[stock(2)], [none]], at(MONDAY)).flatMap(shown)).toEqual([
      '2 ship_complete null',
      '1 no_supply null',
    ]);
  });
});

describe('dates that were given stay', () => {
  const given = promiseOf([stock(2), supply(3, '2026-06-10T00:00:00Z')], at(MONDAY));
  it('for what lay there already, when more comes', () => {
    expect(shown(withStock(given, 1, 1, at(LATER)))).toEqual([
      '2 stock 2026-06-01T13:00:00.000Z',
      '1 stock 2026-06-04T13:00:00.000Z',
      '3 supply 2026-06-10T13:00:00.000Z',
    ]);
  });
  it('for what is due as before, when less of it is waited for; another date is another promise', () => {
    const late = at('2026-06-12T15:00:00Z');
    expect(shown(withWaiting(given, [supply(1, '2026-06-10T00:00:00.000Z')], late))[1]).toBe(
      '1 supply 2026-06-15T13:00:00.000Z',
    );
    expect(shown(withWaiting(given, [supply(1, '2026-06-10T00:00:00Z')], late))[1]).toBe(
      '1 supply 2026-06-10T13:00:00.000Z',
    );
  });
  it('but those that are over, when an order went on too late', () => {
    expect(shown(notBefore(given, at(LATER)))[0]).toBe('2 stock 2026-06-04T13:00:00.000Z');
    expect(isSamePromise(notBefore(given, at(MONDAY)), given)).toBe(true);
  });
});

it('units are neither lost nor made, whatever comes and goes', () => {
  const part = fc.record({ units: fc.integer({ min: 1, max: 9 }), place: fc.constantFrom(1, 2, 9) });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), fc.array(part, { maxLength: 6 }), (added, removed) => {
      let parts: PromisePart[] = [];
      const there = new Map<number, number>();
      added.forEach(({ units, place }, i) => {
        parts = withStock(parts, place, units, at(i % 2 === 0 ? MONDAY : LATER));
        there.set(place, (there.get(place) ?? 0) + units);
      });
      for (const { units, place } of removed) {
        parts = withoutStock(parts, place, units);
        there.set(place, Math.max(0, (there.get(place) ?? 0) - units));
      }
      for (const [place, units] of there)
        expect(parts.filter((one) => one.locationId === place).reduce((sum, one) => sum + one.quantity, 0)).toBe(units);
      for (const one of parts) expect(one.quantity).toBeGreaterThan(0);
    }),
  );
});
