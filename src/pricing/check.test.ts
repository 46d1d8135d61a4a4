import { describe, expect, it } from 'vitest';
import { differenceOf, differencesText, isWithin, percentOf } from './check.ts';
import { type DecidedPrice, NEVER_BEGAN, NO_END } from './types.ts';

const exact = { tolerancePercent: '0', toleranceMinor: 0 };
const decided = (unitPrice: string, pricePer = 1): DecidedPrice => ({
  ...{ unitPrice, pricePer, currency: 'GBP', source: 'contract', name: 'C1', accountId: 1 },
  ...{ quantityMin: 1, validFrom: NEVER_BEGAN, validTo: NO_END, next: null },
});
const of = (price: DecidedPrice | null) => ({ price, looks: [] });
const line = { lineNo: 1, skuId: 5, quantity: 12, unitPrice: '2.55' };

describe('a line’s price beside the decided one', () => {
  it('equal amounts do not differ, whatever the prices are for', () => {
    expect(differenceOf(line, 'GBP', of(decided('2.550000')), exact)).toBeUndefined();
    expect(differenceOf(line, 'GBP', of(decided('30.60', 12)), exact)).toBeUndefined();
    expect(
      differenceOf({ ...line, unitPrice: '30.60', pricePer: 12 }, 'GBP', of(decided('2.55')), exact),
    ).toBeUndefined();
  });

  it('a limit of the tolerance is within it, a minor unit more is not', () => {
    const at = (asked: number, tolerance: Partial<typeof exact>) => isWithin(asked, 10_000, { ...exact, ...tolerance });
    expect([at(10_200, { tolerancePercent: '2' }), at(10_201, { tolerancePercent: '2' })]).toEqual([true, false]);
    expect([at(9_800, { tolerancePercent: '2' }), at(9_799, { tolerancePercent: '2' })]).toEqual([true, false]);
    expect([at(10_001, { tolerancePercent: '0.01' }), at(10_002, { tolerancePercent: '0.0199' })]).toEqual([
      true,
      false,
    ]);
    expect([at(10_050, { toleranceMinor: 50 }), at(10_051, { toleranceMinor: 50 })]).toEqual([true, false]);
    // Either is enough.
    expect(at(10_100, { toleranceMinor: 1, tolerancePercent: '1' })).toBe(true);
    expect(isWithin(1, 0, { ...exact, tolerancePercent: '50' })).toBe(false);
  });

  it('says what was asked, what was decided and by what', () => {
    const found = differenceOf(line, 'GBP', of(decided('2.50')), exact)!;
    expect(found).toMatchObject({ askedMinor: 3060, decidedMinor: 3000, source: 'contract', name: 'C1' });
    expect(differencesText([found], () => 'LAMP', 'GBP')).toBe(
      'line 1: 12 × LAMP at 2.55 GBP; contract C1 says 2.50: +0.60 (2.00 %)',
    );
    const none = differenceOf(line, 'GBP', of(null), { tolerancePercent: '100', toleranceMinor: 1_000_000 })!;
    expect(none).toMatchObject({ decided: null, decidedMinor: null });
    const many = Array.from({ length: 7 }, () => none);
    expect(differencesText(many, () => 'LAMP', 'GBP')).toMatch(/there is no price\. and 2 more$/);
  });

  it('per cent to two places, half away from zero', () => {
    expect([percentOf(60, 3000), percentOf(-1, 3), percentOf(1, 800), percentOf(-1, 20_000), percentOf(5, 0)]).toEqual([
      '2.00',
      '-33.33',
      '0.13',
      '-0.01',
      null,
    ]);
  });
});
