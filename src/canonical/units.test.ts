import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountMinor,
  fromBase,
  type OrderRounding,
  priceOfUnit,
  QUANTITY_MAX,
  ruled,
  toBase,
  toBasePrice,
  type Unit,
  type Units,
  unitOf,
  wholeOf,
} from './index.ts';

const unit = (name: string, packLevel: Unit['packLevel'], numerator: number, denominator = 1): Unit => ({
  ...{ unit: name, packLevel, numerator, denominator },
});
const units: Units = {
  sku: 'NAIL',
  base: 'EA',
  others: new Map(
    [unit('BX', 'case', 1_000), unit('PL', 'pallet', 48_000), unit('DZ', 'inner', 12), unit('G', 'each', 1, 3)].map(
      (one) => [one.unit, one],
    ),
  ),
};
const refusal = (code: string, place: string) => expect.objectContaining({ code, details: { place } });

describe('a quantity', () => {
  it.each([
    [53, 'EA', 53],
    [53, 'BX', 53_000],
    ['52.9', 'BX', 52_900],
    ['1.5', 'DZ', 18],
    ['0.25', 'DZ', 3],
    [2, 'PL', 96_000],
    [9, 'G', 3],
  ])('of %s %s is %i', (quantity, name, base) => {
    expect(toBase({ quantity, unit: name }, units, 'lines[0].quantity')).toBe(base);
  });

  it.each([
    [1, 'CT', 'XD_UNKNOWN_UNIT', 'lines[0].unit'],
    [1, '__proto__', 'XD_UNKNOWN_UNIT', 'lines[0].unit'],
    ['0.5', 'EA', 'XD_UNIT_INEXACT', 'lines[0].quantity'],
    ['0.0001', 'DZ', 'XD_UNIT_INEXACT', 'lines[0].quantity'],
    [1, 'G', 'XD_UNIT_INEXACT', 'lines[0].quantity'],
    [1.5, 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    [-1, 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    ['-1', 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    ['1e3', 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    ['', 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    ['0', 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    [QUANTITY_MAX, 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
    [Number.NaN, 'BX', 'XD_VALUE_INVALID', 'lines[0].quantity'],
  ])('of %s %s is refused as %s at %s', (quantity, name, code, place) => {
    expect(() => toBase({ quantity, unit: name }, units, 'lines[0].quantity')).toThrow(refusal(code, place));
  });

  it('of another pack level than was said is refused, not taken for what it is', () => {
    expect(unitOf(units, 'BX', 'case', 'unit')).toMatchObject({ numerator: 1_000 });
    expect(() => unitOf(units, 'BX', 'pallet', 'unit')).toThrow(refusal('XD_UNKNOWN_UNIT', 'unit'));
    expect(() => unitOf(units, 'EA', 'case', 'unit')).toThrow(refusal('XD_UNKNOWN_UNIT', 'unit'));
  });

  const anyUnit = fc
    .tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 50 }))
    .map(([numerator, denominator]) => unit('U', 'case', numerator, denominator));

  it('there and back is the same, or it was refused: never another', () => {
    fc.assert(
      fc.property(anyUnit, fc.integer({ min: 1, max: 1_000_000 }), (one, base) => {
        const those = { ...units, others: new Map([['U', one]]) };
        let said: string | undefined;
        try {
          said = fromBase(base, one, those, 'quantity');
        } catch (error) {
          expect(error).toMatchObject({ code: 'XD_UNIT_INEXACT' });
          // It was right to: no number with six places is that many.
          expect((BigInt(base) * BigInt(one.denominator) * 1_000_000n) % BigInt(one.numerator)).not.toBe(0n);
        }
        if (said !== undefined) expect(toBase({ quantity: said, unit: 'U' }, those, 'quantity')).toBe(base);
      }),
    );
  });

  it('in whole ones is the most that can be made of it', () => {
    fc.assert(
      fc.property(anyUnit, fc.integer({ min: 0, max: QUANTITY_MAX }), (one, base) => {
        const whole = BigInt(wholeOf(base, one));
        const costs = (count: bigint) => count * BigInt(one.numerator);
        expect(costs(whole) <= BigInt(base) * BigInt(one.denominator)).toBe(true);
        expect(costs(whole + 1n) > BigInt(base) * BigInt(one.denominator)).toBe(true);
      }),
    );
  });
});

describe('a price', () => {
  it('of a box is for as many as a box holds', () => {
    expect(toBasePrice({ unitPrice: '10.20', priceUnit: 'BX' }, units, 'unitPrice')).toEqual({
      unitPrice: '10.20',
      pricePer: 1_000,
    });
    expect(toBasePrice({ unitPrice: '24', priceUnit: 'DZ', pricePer: 5 }, units, 'unitPrice').pricePer).toBe(60);
    // A third of one costs a third: three of them are the price of one.
    expect(toBasePrice({ unitPrice: '0.333333', priceUnit: 'G' }, units, 'unitPrice')).toEqual({
      unitPrice: '0.999999',
      pricePer: 1,
    });
    expect(() => toBasePrice({ unitPrice: '1', priceUnit: 'CT' }, units, 'lines[3].unitPrice')).toThrow(
      refusal('XD_UNKNOWN_UNIT', 'lines[3].priceUnit'),
    );
    expect(() => toBasePrice({ unitPrice: '1', priceUnit: 'PL', pricePer: QUANTITY_MAX }, units, 'unitPrice')).toThrow(
      refusal('XD_VALUE_INVALID', 'unitPrice'),
    );
  });

  it('of one is exact or there is none', () => {
    expect(priceOfUnit({ unitPrice: '10.20', pricePer: 1_000 })).toBe('0.0102');
    expect(priceOfUnit({ unitPrice: '10', pricePer: 12 })).toBeUndefined();
    expect(priceOfUnit({ unitPrice: '10', pricePer: 12 }, unit('DZ', 'inner', 12))).toBe('10');
    expect(priceOfUnit({ unitPrice: '10', pricePer: 12 }, unit('X', 'inner', 6))).toBe('5');
  });

  it('in any unit makes the amount that it makes in base units', () => {
    const cents = fc
      .integer({ min: 0, max: 9_999_999 })
      .map((n) => `${Math.floor(n / 100)}.${String(n % 100).padStart(2, '0')}`);
    fc.assert(
      fc.property(
        ...([
          cents,
          fc.integer({ min: 1, max: 500 }),
          fc.integer({ min: 1, max: 20 }),
          fc.integer({ min: 1, max: 99 }),
        ] as const),
        (unitPrice, numerator, denominator, count) => {
          const those = { ...units, others: new Map([['U', unit('U', 'case', numerator, denominator)]]) };
          const price = toBasePrice({ unitPrice, priceUnit: 'U' }, those, 'unitPrice');
          // So many units that they are whole base units: what they cost is what their base units cost.
          const base = count * numerator;
          const minor = BigInt(unitPrice.replace('.', '')) * BigInt(count * denominator);
          expect(BigInt(amountMinor(price.unitPrice, base, 'EUR', price.pricePer))).toBe(minor);
        },
      ),
    );
  });
});

describe('what may be ordered', () => {
  const rule = (rounding: OrderRounding, multiple = 12, minimum = 30) => ({ multiple, minimum, rounding });

  it.each([
    ['refuse', 36, 36, undefined],
    ['refuse', 40, 40, 'order_multiple'],
    ['refuse', 24, 24, 'order_minimum'],
    ['up', 40, 48, 'order_multiple'],
    ['up', 1, 36, 'order_minimum'],
    ['nearest', 41, 36, 'order_multiple'],
    ['nearest', 42, 48, 'order_multiple'],
    ['nearest', 2, 36, 'order_minimum'],
    ['down', 47, 36, 'order_multiple'],
    // Nothing would be left: it stays as it is, for whoever asked to be told.
    ['down', 35, 35, 'order_minimum'],
    ['hold', 40, 40, 'order_multiple'],
  ] as const)('by %s: of %i comes %i, which broke %s', (rounding, asked, quantity, breaks) => {
    expect(ruled(asked, rule(rounding))).toEqual(breaks === undefined ? { quantity } : { quantity, breaks });
  });

  it('is kept by every quantity that was rounded', () => {
    const numbers = [
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 5_000 }),
    ] as const;
    fc.assert(
      fc.property(...numbers, fc.constantFrom('up', 'nearest', 'down'), (multiple, minimum, asked, rounding) => {
        const { quantity, breaks } = ruled(asked, { multiple, minimum, rounding });
        if (breaks === undefined || quantity === asked) return;
        expect([quantity % multiple, quantity >= minimum]).toEqual([0, true]);
        expect(ruled(quantity, { multiple, minimum, rounding })).toEqual({ quantity });
        if (quantity > Math.ceil(minimum / multiple) * multiple)
          expect(Math.abs(quantity - asked)).toBeLessThan(multiple);
      }),
    );
  });
});
