import fc from 'fast-check';
import { expect, it } from 'vitest';
import { amountMinor } from '../../canonical/index.ts';
import { datetimeOf, decimalOf, decimalText, minorOf, momentOf, priceFor, timeText, unitsOf } from './values.ts';

it('decimals are read digit by digit, whatever way Python wrote them', () => {
  const texts = ['12.3400', '0.1', '-3.50', '1E+2', '1.5E-3', '0E-8', '-0.00', '99999999999999.9999'];
  expect(texts.map((text) => decimalText(decimalOf(text), ''))).toEqual([
    '12.34',
    '0.1',
    '-3.5',
    '100',
    '0.0015',
    '0',
    '0',
    '99999999999999.9999',
  ]);
  for (const wrong of [12.34, '12.34', { __class__: 'Decimal', decimal: 'NaN' }, null])
    expect(() => decimalText(wrong, '/amount')).toThrow('/amount must be a tagged decimal');
});

it('an amount has whole minor units, a quantity whole base units', () => {
  expect([minorOf(decimalOf('-12.3'), ''), minorOf(decimalOf('1E+2'), '')]).toEqual([-1230, 10_000]);
  expect(() => minorOf(decimalOf('0.125'), '/amount')).toThrow('whole minor units');
  expect(unitsOf(6.0, '')).toBe(6);
  expect(() => unitsOf(2.5, '/quantity')).toThrow('/quantity must be a whole number of base units');
});

it('a time keeps its microseconds there and back', () => {
  const at = '2026-03-01T09:05:00.000123Z';
  expect(timeText(datetimeOf(at), '')).toBe(at);
  expect(momentOf(datetimeOf(at), '')).toBe('2026-03-01T09:05:00.000Z');
  expect(() => timeText(null, '/write_date')).toThrow('/write_date must be a tagged datetime');
});

it('the price makes the amount agreed though Tryton rounds half to even', () => {
  expect(priceFor('12.34', 3, 3702)).toBe('12.3400');
  expect(priceFor('0.125', 1, 13)).toBe('0.1251');
  expect(priceFor('0.12345', 1, 12)).toBeUndefined();
  // 1,001 units: a ten-thousandth is more than a cent, and the order can't be the same in both.
  expect(priceFor('0.005', 1001, 501)).toBeUndefined();
  expect(priceFor('0.005', 1003, 502)).toBe('0.0050');
});

it('whatever price it finds, Tryton comes to the amount', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999_999 }), fc.integer({ min: 1, max: 99 }), (price, quantity) => {
      const text = `${Math.floor(price / 10_000)}.${String(price % 10_000).padStart(4, '0')}`;
      const amount = amountMinor(text, quantity, 'EUR');
      const found = priceFor(text, quantity, amount);
      // Below a hundred units one step of the price is less than a cent, so there always is one.
      expect(found).toBeDefined();
      const product = Number(found!.replace('.', '')) * quantity;
      const rest = product % 100;
      const floor = Math.floor(product / 100);
      expect(rest > 50 || (rest === 50 && floor % 2 === 1) ? floor + 1 : floor).toBe(amount);
    }),
  );
});
