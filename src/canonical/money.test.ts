import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  amountMinor,
  decimalOf,
  decimalOfMicros,
  fingerprint,
  isSamePrice,
  isWholeMinor,
  minorMicros,
  minorPlacesOf,
  nearest,
  priceMicros,
  QUANTITY_MAX,
  quantityOf,
  unitPriceOf,
} from './index.ts';

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
    expect(amountMinor(price, quantity, 'GBP')).toBe(minor);
  });

  it.each([
    // 10.00 for a box of 12 has no exact price of one.
    ['10', 12, 12, 'EUR', 1_000],
    ['10', 1, 12, 'EUR', 83],
    ['10', 6, 12, 'EUR', 500],
    ['-10', 1, 12, 'EUR', -83],
    // The bug of others: 52,900 pieces at the price of a box of 1,000.
    ['10.20', 52_900, 1_000, 'EUR', 53_958],
    // Yen have no cents, dinars have a thousand fils.
    ['100', 3, 1, 'JPY', 300],
    ['0.5', 1, 1, 'JPY', 1],
    ['0.499999', 1, 1, 'JPY', 0],
    ['1.2345', 1, 1, 'BHD', 1_235],
    ['1.00005', 1, 1, 'CLF', 10_001],
    ['0.000001', 1, 3, 'EUR', 0],
  ])('%s for %i of a price per %i in %s is %i', (price, quantity, per, currency, minor) => {
    expect(amountMinor(price, quantity, currency, per)).toBe(minor);
  });

  it('of any price for any number, in any currency, are the nearest minor unit, and parts add up to the whole', () => {
    const price = fc.tuple(fc.nat(99_999), fc.nat(999_999)).map(([w, f]) => `${w}.${String(f).padStart(6, '0')}`);
    const currency = fc.constantFrom('GBP', 'JPY', 'BHD', 'CLF');
    const per = fc.integer({ min: 1, max: 10_000 });
    fc.assert(
      fc.property(price, per, currency, fc.array(fc.integer({ min: 1, max: 999 }), { minLength: 1 }), (...given) => {
        const [at, per, money, parts] = given;
        let sold = 0;
        let sum = 0;
        for (const part of parts) {
          sum += amountMinor(at, sold + part, money, per) - amountMinor(at, sold, money, per);
          sold += part;
        }
        const whole = amountMinor(at, sold, money, per);
        expect(sum).toBe(whole);
        // Never off by more than half a minor unit, and up where it is exactly half.
        const off = priceMicros(at) * BigInt(sold) - BigInt(whole) * minorMicros(money) * BigInt(per);
        const half = minorMicros(money) * BigInt(per);
        expect(off * 2n < half && off * 2n >= -half).toBe(true);
      }),
    );
  });

  it('are whole at a price exactly when every part of it is', () => {
    const cents = fc.tuple(fc.nat(999), fc.nat(9_999), fc.integer({ min: 1, max: 12 }));
    fc.assert(
      fc.property(cents, ([whole, fraction, per]) => {
        const price = `${whole}.${String(fraction).padStart(4, '0')}`;
        const one = amountMinor(price, 1, 'EUR', per);
        const isWhole = [1, 2, 3, 5, 7, 1_000, 999_999].every(
          (quantity) => amountMinor(price, quantity, 'EUR', per) === one * quantity,
        );
        expect(isWholeMinor(price, 'EUR', per)).toBe(isWhole);
      }),
    );
  });

  it('say the same price of one however many it is for', () => {
    expect(isSamePrice({ unitPrice: '24' }, { unitPrice: '2', pricePer: 1 })).toBe(false);
    expect(isSamePrice({ unitPrice: '24', pricePer: 12 }, { unitPrice: '2.00' })).toBe(true);
    expect(isSamePrice({ unitPrice: '10', pricePer: 12 }, { unitPrice: '0.833333' })).toBe(false);
  });

  it('are shown with the decimals of their currency', () => {
    expect(['GBP', 'JPY', 'BHD', 'CLF'].map((code) => decimalOf(-12_345, code))).toEqual([
      '-123.45',
      '-12345',
      '-12.345',
      '-1.2345',
    ]);
    expect(['GBP', 'JPY', 'BHD'].map((code) => decimalOf(7, code))).toEqual(['0.07', '7', '0.007']);
    expect(minorPlacesOf('ISK')).toBe(0);
    expect([0n, 1n, 2_500_000n, -10_000_000n, 833_333n].map(decimalOfMicros)).toEqual([
      '0',
      '0.000001',
      '2.5',
      '-10',
      '0.833333',
    ]);
  });

  it('go away from zero at the half, on both sides of it', () => {
    expect([5n, -5n, 4n, -4n, 6n, 15n].map((value) => nearest(value, 10n))).toEqual([1n, -1n, 0n, 0n, 1n, 2n]);
    expect([1n, 2n, -2n].map((value) => nearest(value, 3n))).toEqual([0n, 1n, -1n]);
  });

  it('are rounded once: parts as differences of cumulative amounts add up to the whole, whatever the price', () => {
    const price = fc.tuple(fc.nat(99_999), fc.nat(999_999)).map(([w, f]) => `${w}.${String(f).padStart(6, '0')}`);
    fc.assert(
      fc.property(price, fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 20 }), (at, parts) => {
        let before = 0;
        let sum = 0;
        for (const part of parts) {
          const amount = amountMinor(at, before + part, 'GBP') - amountMinor(at, before, 'GBP');
          // A part is never off by more than a unit from what it would be alone.
          expect(Math.abs(amount - amountMinor(at, part, 'GBP'))).toBeLessThanOrEqual(1);
          sum += amount;
          before += part;
        }
        expect(sum).toBe(amountMinor(at, before, 'GBP'));
      }),
    );
  });

  it('beyond what a number holds exactly are refused, not rounded', () => {
    expect(() => amountMinor('999999999999', QUANTITY_MAX, 'GBP')).toThrow(/beyond exact range/);
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
