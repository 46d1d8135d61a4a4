import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Exchange, hear, priceText, TOLD_MAX, tell } from './echoes.ts';

const START = Date.UTC(2026, 0, 1);
const at = (second: number) => new Date(START + 1_000 * second).toISOString();
const nothing: Exchange = { told: [], saidAt: '' };

it('a system that only shows what it is told never changes anything, whatever it leaves out and in whatever order that comes', () => {
  const values = fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(
      values,
      fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
      fc.array(fc.nat()),
      (told, shown, order) => {
        let exchange = nothing;
        told.forEach((value, second) => {
          exchange = { ...exchange, told: tell(exchange.told, value, at(second)) };
        });
        // Told the same twice in a row it shows it once.
        const shows = told
          .map((value, second) => ({ value, at: at(100 + second) }))
          .filter(({ value }, i) => shown[i] && value !== told[i + 1]);
        for (const n of order) {
          if (shows.length < 2) break;
          const [i, j] = [n % shows.length, (n + 1) % shows.length];
          [shows[i], shows[j]] = [shows[j]!, shows[i]!];
        }
        for (const { value, at: when } of shows) {
          const { heard, after } = hear(exchange, value, when);
          expect(heard).not.toBe('change');
          exchange = after;
        }
      },
    ),
  );
});

it('what it was not told, or has shown already, is a change', () => {
  const exchange = { told: tell(tell([], '10', at(1)), '11', at(2)), saidAt: '' };
  const shown = hear(exchange, '11', at(5));
  expect([shown.heard, shown.after.told]).toEqual(['echo', []]);
  expect(hear(shown.after, '10', at(4)).heard).toBe('older');
  expect(hear(shown.after, '10', at(6)).heard).toBe('change');
  const other = hear(exchange, '12', at(1.5));
  // What it was told after that may stand there by now.
  expect([other.heard, other.after.told]).toEqual(['change', [['11', at(2)]]]);
});

it('only so much is expected, and only for so long', () => {
  let told = tell([], 'first', at(0));
  for (let n = 1; n <= 2 * TOLD_MAX; n++) told = tell(told, `value ${n}`, at(n));
  expect(told).toHaveLength(TOLD_MAX);
  expect(tell(told, 'late', at(3_700)).map(([value]) => value)).toEqual(['late']);
  expect(tell(tell([], 'same', at(1)), 'same', at(9))).toEqual([['same', at(9)]]);
});

it('one price has one text', () => {
  expect(new Set(['10', '10.0', '10.000000'].map((price) => priceText(price))).size).toBe(1);
  expect(priceText('10', 12)).not.toBe(priceText('10'));
});
