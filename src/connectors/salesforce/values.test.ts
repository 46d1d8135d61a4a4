import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayBegins, discounted, id18, jsonOf, majorOf, parseExact, plainDecimal, quoted, timeOf } from './values.ts';

describe('decimals', () => {
  it.each([
    ['1.2E7', '12000000'],
    ['1.25e-3', '0.00125'],
    ['-0.0', '0'],
    ['007.50', '7.5'],
    ['-12.30', '-12.3'],
    ['1E0', '1'],
    [3, '3'],
    ['1,5', undefined],
    ['', undefined],
    [null, undefined],
  ])('%s is %s', (given, plain) => {
    expect(plainDecimal(given)).toBe(plain);
  });

  it('any is the same after it was written with any exponent', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n }),
        fc.integer({ min: -9, max: 9 }),
        (digits, exponent) => {
          const plain = plainDecimal(`${digits}E${exponent}`)!;
          const [whole, fraction = ''] = plain.split('.') as [string, string?];
          const shifted = BigInt(whole + fraction.padEnd(9, '0'));
          expect(shifted).toBe(digits * 10n ** BigInt(9 + exponent));
        },
      ),
    );
  });

  it('JSON keeps the digits of what it reads and writes', () => {
    expect(parseExact('{"a":90071992547409.91,"b":6.0,"c":7,"d":9007199254740993}')).toEqual({
      a: '90071992547409.91',
      b: '6.0',
      c: 7,
      d: '9007199254740993',
    });
    expect(jsonOf({ a: majorOf(Number.MAX_SAFE_INTEGER), b: [majorOf(-5)], c: undefined, d: null })).toBe(
      '{"a":90071992547409.91,"b":[-0.05],"d":null}',
    );
  });

  it('JSON is read to any depth, and its texts are left alone', () => {
    const deep = `${'{"a":'.repeat(10_000)}1.50${'}'.repeat(10_000)}`;
    let inner = parseExact(deep) as { a: unknown };
    while (typeof inner.a === 'object') inner = inner.a as { a: unknown };
    expect(inner.a).toBe('1.50');
    const long = 'x'.repeat(2_000_000);
    const texts = { a: '1.50 "2.50" \\ 3', 'b 1.0': ['-4.0', ''], c: long };
    expect(parseExact(JSON.stringify(texts))).toEqual(texts);
    expect(() => parseExact('{"a": 1.50.2.}x')).toThrow(SyntaxError);
  });

  it('a discount is taken off exactly, or not at all', () => {
    expect([discounted('2.55', '0'), discounted('10', '33.33'), discounted('3.39', '100')]).toEqual([
      '2.55',
      '6.667',
      '0',
    ]);
    expect([discounted('0.000001', '50'), discounted('1', '101')]).toEqual([undefined, undefined]);
  });
});

describe('ids', () => {
  it('of 15 characters get the three that say which are capitals', () => {
    expect(id18('0012w00001AbCdE', '/Id')).toBe('0012w00001AbCdEAAV');
    expect(id18('0012w00001AbCdEAAV', '/Id')).toBe('0012w00001AbCdEAAV');
  });
  it('with a wrong end or length are refused', () => {
    for (const id of ['0012w00001AbCdEAAA', '0012w00001AbCd', '0012w00001AbCd-'])
      expect(() => id18(id, '/Id')).toThrow('/Id must be an id');
  });
});

describe('times', () => {
  it.each([
    ['2026-03-01T09:30:00.000+0000', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T09:30:00.000Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T09:30:00-0530', '2026-03-01T15:00:00.000Z'],
  ])('%s is %s', (given, at) => {
    expect(timeOf(given, '/t')).toBe(at);
  });
  it('what is no time is refused', () => {
    for (const given of ['2026-03-01', '2026-13-01T00:00:00Z', null])
      expect(() => timeOf(given, '/t')).toThrow('/t must be a time');
  });

  it.each([
    ['2026-01-15', 'UTC', '2026-01-15T00:00:00.000Z'],
    ['2026-07-01', 'Europe/London', '2026-06-30T23:00:00.000Z'],
    // The clock goes forward at two: the day begins before it does.
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
    // It goes forward at midnight: the day begins at one.
    ['2018-11-04', 'America/Sao_Paulo', '2018-11-04T03:00:00.000Z'],
    ['2026-01-15', 'Pacific/Auckland', '2026-01-14T11:00:00.000Z'],
    ['2026-01-15', 'Asia/Kathmandu', '2026-01-14T18:15:00.000Z'],
  ])('%s in %s begins at %s', (date, zone, at) => {
    expect(dayBegins(date, zone, '/d')).toBe(at);
  });
  it('a day that does not exist is refused', () => {
    for (const date of ['2026-02-30', '2026-3-1', null])
      expect(() => dayBegins(date, 'UTC', '/d')).toThrow('/d must be a date');
  });
});

it('a text stays a text in a query, whatever is in it', () => {
  expect(quoted("O'Neil\\ OR Name != '\n")).toBe("'O\\'Neil\\\\ OR Name != \\'\\n'");
});
