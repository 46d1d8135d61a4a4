import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIORITY_CLASSES, type PriorityClass } from '../canonical/index.ts';
import { type Claim, compareHoldings, type Holding, type Pool, redistribute, unitsOf } from './redistribute.ts';

const DAY = 86_400_000;
const holding = (stock: Record<number, number> = {}, supply: Record<number, number> = {}): Holding => ({
  stock: new Map(Object.entries(stock).map(([place, units]) => [Number(place), units])),
  supply: new Map(Object.entries(supply).map(([id, units]) => [Number(id), units])),
});
const claim = (
  priority: PriorityClass,
  wants: number,
  has: Holding = holding(),
  until: number | null = 30 * DAY,
): Claim => ({
  ...{ priority, wants, has, until, places: [1, 2] },
});
const pool = (
  stock: Record<number, number>,
  supply: [id: number, units: number, day: number, place?: number][] = [],
): Pool => ({
  stock: holding(stock).stock,
  supply: supply.map(([supplyId, units, day, locationId = 1]) => ({ supplyId, locationId, units, at: day * DAY })),
});
const shown = (holdings: readonly Holding[]) =>
  holdings.map(({ stock, supply }) =>
    [
      ...[...stock].sort().map(([place, units]) => `${units} at ${place}`),
      ...[...supply].sort().map(([id, units]) => `${units} of ${id}`),
    ].join(', '),
  );

describe('what is decided anew', () => {
  it('goes to those who win first, with what others had', () => {
    const claims = [claim('redistribute', 5, holding({ 1: 5 })), claim('win', 4), claim('redistribute', 3)];
    expect(shown(redistribute(claims, pool({ 2: 1 })))).toEqual(['1 at 1, 1 at 2', '4 at 1', '']);
  });

  it('leaves those who gain what they have, and gives them what comes sooner', () => {
    const claims = [claim('gain', 5, holding({}, { 9: 5 })), claim('win', 3)];
    expect(shown(redistribute(claims, pool({ 1: 4 }, [[9, 0, 8]])))).toEqual(['1 at 1, 4 of 9', '3 at 1']);
    expect(shown(redistribute(claims, pool({}, [[9, 0, 8]])))).toEqual(['5 of 9', '']);
  });

  it('never gives those who fill more than they had, and those who lose only what nobody wants', () => {
    const claims = [claim('lose', 4, holding({ 1: 4 })), claim('fill', 6, holding({ 1: 2 })), claim('redistribute', 3)];
    expect(shown(redistribute(claims, pool({ 1: 0 })))).toEqual(['1 at 1', '2 at 1', '3 at 1']);
    expect(shown(redistribute([claim('fill', 6, holding({ 1: 2 }))], pool({ 1: 10 })))).toEqual(['2 at 1']);
  });

  it('takes lost goods from the lowest class first, and from who gains only when nobody else has any', () => {
    const claims = [claim('gain', 4, holding({ 1: 4 })), claim('lose', 3, holding({ 1: 3 }))];
    expect(shown(redistribute(claims, pool({ 1: -2 })))).toEqual(['4 at 1', '1 at 1']);
    expect(shown(redistribute(claims, pool({ 1: -5 })))).toEqual(['2 at 1', '']);
  });

  it('leaves things where they are when another place would be no better', () => {
    const claims = [claim('redistribute', 3, holding({ 2: 3 })), claim('redistribute', 2, holding({}, { 8: 2 }))];
    expect(
      shown(
        redistribute(
          claims,
          pool({ 1: 0 }, [
            [7, 5, 4],
            [8, 0, 4],
          ]),
        ),
      ),
    ).toEqual(['3 at 2', '2 of 8']);
  });

  it('does not promise what comes too late, but leaves it to who was promised it', () => {
    const late = [
      claim('redistribute', 3, holding(), 5 * DAY),
      claim('redistribute', 3, holding({}, { 9: 2 }), 5 * DAY),
    ];
    expect(shown(redistribute(late, pool({}, [[9, 4, 6]])))).toEqual(['', '2 of 9']);
  });
});

const units = fc.nat(6);
const claims = fc.array(
  fc.record({
    priority: fc.constantFrom(...PRIORITY_CLASSES),
    waits: units,
    at: fc.tuple(units, units),
    of: fc.tuple(units, units),
    places: fc.constantFrom([1, 2], [2, 1], [1]),
    until: fc.constantFrom(null, 5 * DAY, 30 * DAY),
  }),
  { minLength: 1, maxLength: 7 },
);
const sparse = (pairs: [number, number][]) => new Map(pairs.filter(([, units]) => units > 0));

describe('whatever is claimed', () => {
  const atOf = (id: number) => (id === 11 ? 3 : 9) * DAY;
  const given = fc
    .tuple(claims, fc.tuple(fc.integer({ min: -6, max: 9 }), units), fc.tuple(units, units))
    .map(([list, [one, two], [sooner, later]]) => {
      const all = list.map(({ priority, waits, at, of, places, until }): Claim => {
        const has: Holding = {
          stock: sparse([
            [1, at[0]],
            [2, at[1]],
          ]),
          supply: sparse([
            [11, of[0]],
            [12, of[1]],
          ]),
        };
        return { priority, wants: waits + unitsOf(has), places, until, has };
      });
      return {
        all,
        there: pool({ 1: one, 2: two }, [
          [11, sooner, 3],
          [12, later, 9, 2],
        ]),
      };
    });

  it('no more is given than there is, nobody gets more than they want, and the same again changes nothing', () => {
    fc.assert(
      fc.property(given, ({ all, there }) => {
        const after = redistribute(all, there);
        for (const [place, free] of there.stock) {
          const had = all.reduce((sum, one) => sum + (one.has.stock.get(place) ?? 0), 0);
          const has = after.reduce((sum, one) => sum + (one.stock.get(place) ?? 0), 0);
          expect(has).toBeLessThanOrEqual(Math.max(0, had + free));
        }
        for (const { supplyId, units: left } of there.supply) {
          const had = all.reduce((sum, one) => sum + (one.has.supply.get(supplyId) ?? 0), 0);
          expect(after.reduce((sum, one) => sum + (one.supply.get(supplyId) ?? 0), 0)).toBeLessThanOrEqual(had + left);
        }
        after.forEach((one, i) => {
          expect(unitsOf(one)).toBeLessThanOrEqual(all[i]!.wants);
          if (all[i]!.priority === 'fill') expect(unitsOf(one)).toBeLessThanOrEqual(unitsOf(all[i]!.has));
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('who wins or gains is never worse off while nothing is lost', () => {
    fc.assert(
      fc.property(given, ({ all, there }) => {
        fc.pre([...there.stock.values()].every((free) => free >= 0));
        redistribute(all, there).forEach((after, i) => {
          const { priority, has } = all[i]!;
          if (priority === 'win' || priority === 'gain')
            expect(['same', 'gains']).toContain(
              compareHoldings(has, after, atOf) === 'moves' ? 'same' : compareHoldings(has, after, atOf),
            );
        });
      }),
      { numRuns: 2_000 },
    );
  });

  it('nobody waits for what lies free where they may be served', () => {
    fc.assert(
      fc.property(given, ({ all, there }) => {
        const after = redistribute(all, there);
        const left = (place: number) =>
          (there.stock.get(place) ?? 0) +
          all.reduce((sum, one) => sum + (one.has.stock.get(place) ?? 0), 0) -
          after.reduce((sum, one) => sum + (one.stock.get(place) ?? 0), 0);
        after.forEach((one, i) => {
          const { priority, wants, places } = all[i]!;
          if (priority === 'fill' || unitsOf(one) === wants) return;
          for (const place of places) expect(left(place)).toBeLessThanOrEqual(0);
        });
      }),
      { numRuns: 2_000 },
    );
  });
});
