import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choosePlaces, distanceKm, rankPlaces, type SourcingPlace, splitOver } from './index.ts';

const LONDON = { latitude: 51.507, longitude: -0.128 };
const LEEDS = { latitude: 53.801, longitude: -1.549 };
const PARIS = { latitude: 48.857, longitude: 2.352 };
const place = (locationId: number, rest: Partial<SourcingPlace> = {}): SourcingPlace => ({
  ...{ locationId, priority: locationId, position: null, costMinor: 0 },
  ...rest,
});

describe('ranking', () => {
  const places = [
    place(1, { position: PARIS, costMinor: 100 }),
    place(2, { position: LEEDS, costMinor: 300 }),
    place(3, { costMinor: 100 }),
  ];
  it('by distance along a great circle; what has no position is furthest', () => {
    expect(Math.round(distanceKm(LONDON, PARIS))).toBe(343);
    expect(Math.round(distanceKm(LONDON, LEEDS))).toBe(272);
    expect(rankPlaces(places, ['distance'], LONDON)).toEqual([2, 1, 3]);
  });
  it('by cost, then by distance, then as given', () => {
    expect(rankPlaces(places, ['cost', 'distance'], LONDON)).toEqual([1, 3, 2]);
    expect(rankPlaces(places, ['cost'], null)).toEqual([1, 3, 2]);
  });
  it('an order without a position is ranked by what comes next', () => {
    expect(rankPlaces(places, ['distance', 'priority'], null)).toEqual([1, 2, 3]);
    expect(rankPlaces(places.toReversed(), ['distance'], null)).toEqual([3, 2, 1]);
  });
});

const quantities = (there: number[], wanted: number, how: 'fullest' | 'ranked', most: number | null = null) =>
  splitOver(there, wanted, how, most).map(({ at, quantity }) => [at, quantity]);

describe('splitting', () => {
  it('the first place that has all gives all', () => {
    expect(quantities([3, 5, 50], 5, 'ranked')).toEqual([[1, 5]]);
  });
  it('else as few as can: the fullest, or of so few the best ranked', () => {
    expect(quantities([4, 1, 6, 5], 9, 'fullest')).toEqual([
      [2, 6],
      [3, 3],
    ]);
    expect(quantities([4, 1, 6, 5], 9, 'ranked')).toEqual([
      [0, 4],
      [2, 5],
    ]);
  });
  it('within the limit: what the fullest have, and the rest waits', () => {
    expect(quantities([4, 1, 6, 5], 12, 'ranked', 2)).toEqual([
      [2, 6],
      [3, 5],
    ]);
    expect(quantities([4, 1, 6, 5], 12, 'ranked', 0)).toEqual([]);
  });
});

/** All sets, looked at one by one. */
function* subsets(n: number): Generator<number[]> {
  for (let bits = 0; bits < 2 ** n; bits++) yield Array.from({ length: n }, (_, i) => i).filter((i) => bits & (2 ** i));
}
const before = (a: number[], b: number[]): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return false;
};
const some = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 });

describe('against all sets of places', () => {
  it('a line gets as much as any set within the limit has, from as few places, and the best ranked of those', () => {
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 6 }), (there, wanted, most) => {
        const given = splitOver(there, wanted, 'ranked', most);
        const sum = given.reduce((all, { quantity }) => all + quantity, 0);
        const sets = [...subsets(there.length)].filter((set) => set.length <= most);
        const units = (set: number[]) =>
          Math.min(
            wanted,
            set.reduce((all, at) => all + there[at]!, 0),
          );
        const best = Math.max(...sets.map(units));
        expect(sum).toBe(best);
        for (const { at, quantity } of given) expect(quantity).toBeLessThanOrEqual(there[at]!);
        const few = Math.min(...sets.filter((set) => units(set) === best).map((set) => set.length));
        expect(given.length).toBe(few);
        if (best < wanted) return;
        const ranked = sets
          .filter((set) => set.length === few && units(set) === best)
          .sort((a, b) => (before(a, b) ? -1 : 1))[0]!;
        expect(given.map(({ at }) => at).sort((a, b) => a - b)).toEqual(ranked);
      }),
    );
  });

  it('an order is served from the places that together have most of it', () => {
    const lines = fc.integer({ min: 1, max: 5 }).chain((places) =>
      fc.record({
        places: fc.constant(places),
        wants: fc.array(
          fc.record({
            wanted: fc.integer({ min: 1, max: 12 }),
            there: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: places, maxLength: places }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        most: fc.integer({ min: 1, max: 5 }),
        fixed: fc.subarray(Array.from({ length: places }, (_, i) => i)),
      }),
    );
    fc.assert(
      fc.property(lines, ({ places, wants, most, fixed }) => {
        const units = (set: number[]) =>
          wants.reduce(
            (all, { wanted, there }) =>
              all +
              Math.min(
                wanted,
                set.reduce((sum, at) => sum + there[at]!, 0),
              ),
            0,
          );
        const chosen = choosePlaces(wants, places, most, fixed);
        for (const at of fixed) expect(chosen.has(at)).toBe(true);
        expect(chosen.size).toBeLessThanOrEqual(Math.max(most, fixed.length));
        const sets = [...subsets(places)]
          .map((set) => [...new Set([...fixed, ...set])].sort((a, b) => a - b))
          .filter((set) => set.length <= Math.max(most, fixed.length));
        expect(units([...chosen])).toBe(Math.max(...sets.map(units)));
      }),
    );
  });

  it('also where not every set can be looked at', () => {
    const there = Array.from({ length: 40 }, (_, at) => at);
    expect([...choosePlaces([{ wanted: 100, there }], 40, 6)].sort((a, b) => a - b)).toEqual([23, 38, 39]);
  });
});
