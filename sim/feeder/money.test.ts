import { describe, expect, test } from 'vitest';
import { londonToUtcSeconds, utcText } from './london.ts';
import { amountMinor, isWholeMinor, sameDecimal } from './money.ts';

describe('amounts', () => {
  test.each([
    ['2.55', 6, 1530n],
    ['3', 1, 300n],
    ['0.001', 4, 0n],
    ['0.001', 5, 1n],
    ['1.005', 1, 101n],
    ['1.115', 3, 335n],
    ['0.29', 3, 87n],
    ['11062.06', 1, 1106206n],
    ['-11062.06', 1, -1106206n],
    ['-0.005', 1, -1n],
    ['4.95', -1, -495n],
    ['999999.99', 10_000_000, 999999990000000n],
  ])('%s × %i is %s minor units, half up once per line', (price, quantity, expected) => {
    expect(amountMinor(price, quantity)).toBe(expected);
  });

  test('prices are the same number however many zeros they end in', () => {
    expect(sameDecimal('2.5', '2.50')).toBe(true);
    expect(sameDecimal('2.5', '2.05')).toBe(false);
    expect(sameDecimal('0', '0.00')).toBe(true);
    expect(isWholeMinor('2.550')).toBe(true);
    expect(isWholeMinor('2.555')).toBe(false);
  });
});

describe('London time', () => {
  test('is the same as the tz database at every half hour of five years', () => {
    const zone = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/London',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const local = (seconds: number): string => {
      const parts = Object.fromEntries(zone.formatToParts(seconds * 1000).map((part) => [part.type, part.value]));
      return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}`;
    };
    const wrong: string[] = [];
    // Only around the changes does anything happen: three days each side of a month's last Sunday, and the first of each month.
    for (let year = 2009; year <= 2013; year += 1) {
      for (const month of [2, 9]) {
        for (
          let seconds = Date.UTC(year, month, 24) / 1000;
          seconds < Date.UTC(year, month + 1, 2) / 1000;
          seconds += 1800
        ) {
          const text = local(seconds);
          const back = londonToUtcSeconds(text);
          // The repeated hour is read as its first pass, so the second pass comes back an hour earlier.
          const second = local(seconds - 3600) === text;
          if (back !== (second ? seconds - 3600 : seconds)) wrong.push(text);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  test('summer is one hour behind in UTC, winter is the same', () => {
    expect(utcText(londonToUtcSeconds('2011-06-01T09:30:00')!)).toBe('2011-06-01T08:30:00Z');
    expect(utcText(londonToUtcSeconds('2010-12-01T08:26:00')!)).toBe('2010-12-01T08:26:00Z');
    expect(utcText(londonToUtcSeconds('2011-03-27T01:30:00')!)).toBe('2011-03-27T01:30:00Z');
  });

  test.each([
    '2011-02-29T08:00:00',
    '2011-13-01T08:00:00',
    '2011-01-01T24:00:00',
    '01/12/2010 08:26',
    '',
    '2011-01-01',
  ])('%j is no time', (text) => {
    expect(londonToUtcSeconds(text)).toBeUndefined();
  });
});
