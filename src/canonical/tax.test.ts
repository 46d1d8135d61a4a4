import fc from 'fast-check';
import { expect, it } from 'vitest';
import { amountMinor, taxesOf, taxMinor, taxOfPart } from './index.ts';

const sum = (lines: readonly { taxMinor: number }[]) => lines.reduce((all, line) => all + line.taxMinor, 0);

it('0.02 on 1,920 units: rounded per line and per order are two sums, and the rule says which', () => {
  // Five lines of 384 at 0.013: 4.99 each, and 38.423 cents of tax in it.
  const lines = [1, 2, 3, 4, 5].map((lineNo) => ({
    lineNo,
    amountMinor: amountMinor('0.013', 384, 'EUR'),
    rate: '7.7',
  }));
  expect(taxesOf(lines, { rounding: 'line' }).map((line) => line.taxMinor)).toEqual([38, 38, 38, 38, 38]);
  expect(taxesOf(lines, { rounding: 'order' }).map((line) => line.taxMinor)).toEqual([38, 39, 38, 39, 38]);
  // A line a unit: each rounds 2.849 cents up, 1,920 times.
  const each = Array.from({ length: 1_920 }, (_, i) => ({ lineNo: i + 1, amountMinor: 37, rate: '7.7' }));
  expect(sum(taxesOf(each, { rounding: 'line' }))).toBe(5_760);
  expect(sum(taxesOf(each, { rounding: 'order' }))).toBe(5_470);
});

it('two rates are two sums, each rounded once; a rate written otherwise is the same rate', () => {
  const lines = [
    { lineNo: 1, amountMinor: 5, rate: '10' },
    { lineNo: 2, amountMinor: 5, rate: '5' },
    { lineNo: 3, amountMinor: 5, rate: '10.00' },
  ];
  expect(taxesOf(lines, { rounding: 'line' }).map((line) => line.taxMinor)).toEqual([1, 0, 1]);
  expect(taxesOf(lines, { rounding: 'order' }).map((line) => line.taxMinor)).toEqual([1, 0, 0]);
});

it('goes away from zero at the half, with either sign, and out of amounts that hold it', () => {
  expect([taxMinor(5, '10'), taxMinor(-5, '10'), taxMinor(4, '10')]).toEqual([1, -1, 0]);
  expect([taxMinor(11_900, '19', true), taxMinor(100, '19', true), taxMinor(-100, '19', true)]).toEqual([
    1_900, 16, -16,
  ]);
  expect(taxMinor(1_234_567, '0')).toBe(0);
  for (const rate of ['', '-1', '1e1', '0.1234567', '1000'])
    expect(() => taxMinor(1, rate)).toThrow(expect.objectContaining({ code: 'XD_VALUE_INVALID' }));
});

const rate = fc.tuple(fc.nat(99), fc.nat(999)).map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`);
const amounts = fc.array(fc.integer({ min: -100_000, max: 1_000_000 }), { minLength: 1, maxLength: 30 });

it('by order adds up to the tax of the whole, and no line is off by more than one from its own', () => {
  fc.assert(
    fc.property(amounts, rate, fc.boolean(), (list, percent, included) => {
      const lines = list.map((amountMinor, i) => ({ lineNo: i + 1, amountMinor, rate: percent }));
      const taxed = taxesOf(lines, { rounding: 'order', included });
      const whole = list.reduce((all, amount) => all + amount, 0);
      expect(sum(taxed)).toBe(taxMinor(whole, percent, included));
      for (const line of taxed)
        expect(Math.abs(line.taxMinor - taxMinor(line.amountMinor, percent, included))).toBeLessThanOrEqual(1);
    }),
  );
});

it('of what is invoiced by and by adds up to the tax of the whole, never to that of the whole each time', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 1 }), rate, (parts, percent) => {
      let billed = 0;
      let tax = 0;
      for (const part of parts) {
        tax += taxOfPart(billed, billed + part, percent);
        billed += part;
      }
      expect(tax).toBe(taxMinor(billed, percent));
    }),
  );
});
