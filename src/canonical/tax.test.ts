import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { apportion, taxMinor, taxOfBases, taxOfUnits, taxRateOf } from './tax.ts';

const minor = fc.integer({ min: -1_000_000_000, max: 1_000_000_000 });
const sum = (list: readonly number[]) => list.reduce((all, one) => all + one, 0);

describe('tax', () => {
  it('is rounded half away from zero, whatever the sign', () => {
    expect([taxMinor(250, '10'), taxMinor(245, '10'), taxMinor(255, '10'), taxMinor(-245, '10')]).toEqual([
      25, 25, 26, -25,
    ]);
    expect(taxMinor(10_000, '8.875')).toBe(888);
    expect(taxMinor(9_007_199_254_740_991, '100')).toBe(9_007_199_254_740_991);
    expect(() => taxMinor(9_007_199_254_740_991, '200')).toThrow(/beyond exact range/);
  });

  it('has a rate of at most four places, which is never below 0', () => {
    expect(taxRateOf('8.8750', 'rate')).toBe('8.8750');
    for (const wrong of ['-1', '1.23456', '1000', '', '20%', 20, '1e2', ' 20'])
      expect(() => taxRateOf(wrong, 'taxes[0].rate'), String(wrong)).toThrow(/taxes\[0\]\.rate must be per cent/);
  });

  it('by line and by order differ by no more than half a minor unit a line', () => {
    fc.assert(
      fc.property(
        fc.array(minor, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 0, max: 500_000 }),
        (bases, rate) => {
          const text = `${Math.floor(rate / 10_000)}.${String(rate % 10_000).padStart(4, '0')}`;
          const difference = taxOfBases(bases, text, 'line') - taxOfBases(bases, text, 'order');
          expect(Math.abs(difference)).toBeLessThanOrEqual((bases.length + 1) / 2);
        },
      ),
    );
  });
});

describe('parts', () => {
  it('of an amount by weight add up to it, none more than one minor unit beside its due', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(minor, weights, (total, list) => {
        const parts = apportion(total, list);
        expect(sum(parts)).toBe(total);
        const all = sum(list);
        if (all > 0)
          parts.forEach((part, i) => {
            expect(Math.abs(part - (total * list[i]!) / all)).toBeLessThan(1.000_001);
          });
      }),
    );
  });

  it('go to the largest fractions, of equal ones to the first', () => {
    expect(apportion(100, [1, 1, 1])).toEqual([34, 33, 33]);
    expect(apportion(-100, [1, 1, 1])).toEqual([-33, -33, -34]);
    expect(apportion(5, [0, 0])).toEqual([5, 0]);
    expect(apportion(1_000, [120, -20])).toEqual([1_200, -200]);
  });

  it('of a line add up to its tax however it is shipped', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100_000 }), cuts, (tax, shipments) => {
        const units = sum(shipments);
        let shipped = 0;
        const parts = shipments.map((quantity) => {
          const before = taxOfUnits(tax, shipped, units);
          shipped += quantity;
          return taxOfUnits(tax, shipped, units) - before;
        });
        expect(sum(parts)).toBe(tax);
        expect(Math.min(...parts)).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
