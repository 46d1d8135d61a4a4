import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountMinor, fingerprint, priceMicros, QUANTITY_MAX, quantityOf, unitPriceOf } from './index.ts';

const refusal = (place: string) => expect.objectContaining({ code: 'XD_VALUE_INVALID', details: { place } });

describe('amounts', () => {
  it.each([
    // Half a penny goes away from zero; a float would make 100 of the first.
    ['1.005', 1, 101],
    ['-1.005', 1, -101],
    ['0.005', 1, 1],
    ['0.004999', 1, 0],
    ['-0.004999', 1, 0],
    ['2.55', 3, 765],
    ['0.1', 3, 30],
    ['0.000001', 1_000_000, 100],
    ['123456.789012', 1_000, 12_345_678_901],
    ['0', QUANTITY_MAX, 0],
  ])('%s × %i is %i', (price, quantity, minor) => {
    expect(amountMinor(price, quantity)).toBe(minor);
  });

  it('are rounded once: parts as differences of cumulative amounts add up to the whole, whatever the price', () => {
    const price = fc.tuple(fc.nat(99_999), fc.nat(999_999)).map(([w, f]) => `${w}.${String(f).padStart(6, '0')}`);
    fc.assert(
      fc.property(price, fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 }), (at, parts) => {
        let before = 0;
        let sum = 0;
        for (const part of parts) {
          const amount = amountMinor(at, before + part) - amountMinor(at, before);
          // A part is never off by more than a unit from what it would be alone.
          expect(Math.abs(amount - amountMinor(at, part))).toBeLessThanOrEqual(1);
          sum += amount;
          before += part;
        }
        expect(sum).toBe(amountMinor(at, before));
      }),
    );
  });

  it('beyond what a number holds exactly are refused, not rounded', () => {
    expect(() => amountMinor('999999999999', QUANTITY_MAX)).toThrow(/beyond exact range/);
  });

  it('know a price to the millionth', () => {
    expect(priceMicros('2.5')).toBe(2_500_000n);
    expect(priceMicros('999999999999.999999')).toBe(999_999_999_999_999_999n);
  });
});

describe('what comes in from outside', () => {
  it.each([0, -1, 1.5, '3', Number.NaN, Number.POSITIVE_INFINITY, QUANTITY_MAX + 1, 2 ** 53, null, undefined])(
    'as the quantity %s is refused with its place',
    (value) => {
      expect(() => quantityOf(value, 'lines[0].quantity')).toThrow(refusal('lines[0].quantity'));
    },
  );

  it.each(['-1', '1e3', '1,5', '', ' 1', '1.', '.5', '1.0000001', '1234567890123', 'NaN', 2.55, null])(
    'as the price %s is refused with its place',
    (value) => {
      expect(() => unitPriceOf(value, 'unitPrice')).toThrow(refusal('unitPrice'));
    },
  );

  it('is shown in a message no longer than forty characters', () => {
    expect(() => unitPriceOf('9'.repeat(1_000_000), 'unitPrice')).toThrow(/^.{0,140}$/);
  });
});

describe('a fingerprint', () => {
  it('tells every field and its mapping apart, and is the same for the same', () => {
    const fields = { sku: 'A', lines: [{ quantity: 1 }] };
    const one = fingerprint('m1', fields);
    expect(fingerprint('m1', structuredClone(fields))).toBe(one);
    expect(fingerprint('m2', fields)).not.toBe(one);
    expect(fingerprint('m1', { ...fields, lines: [{ quantity: 2 }] })).not.toBe(one);
    expect(one).toMatch(/^m1:[\w-]{22}$/);
  });
});
