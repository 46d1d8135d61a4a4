import { describe, expect, it } from 'vitest';
import { Fields, RECORD_LINES_MAX, Unreadable } from './fields.ts';

function refused(
  record: unknown,
  read: (fields: Fields) => unknown,
): { reason: string; place: string; value: unknown } {
  try {
    read(new Fields(record, '/records/3'));
  } catch (error) {
    if (error instanceof Unreadable) return { reason: error.reason, place: error.place, value: error.value };
    throw error;
  }
  throw new Error('was read');
}

describe('a value that is not what it must be', () => {
  it.each([
    ['quantity', 1e20, (f: Fields) => f.quantity('quantity')],
    ['quantity', 1.5, (f: Fields) => f.quantity('quantity')],
    ['quantity', '3', (f: Fields) => f.quantity('quantity')],
    ['quantity', -1, (f: Fields) => f.quantity('quantity')],
    ['quantity', Number.NaN, (f: Fields) => f.quantity('quantity')],
    ['quantity', 1_000_000_001, (f: Fields) => f.quantity('quantity')],
    ['unitPrice', 2.55, (f: Fields) => f.unitPrice('unitPrice')],
    ['unitPrice', '-2.55', (f: Fields) => f.unitPrice('unitPrice')],
    ['unitPrice', '2.5500001', (f: Fields) => f.unitPrice('unitPrice')],
    ['unitPrice', '1e3', (f: Fields) => f.unitPrice('unitPrice')],
    ['amount', 2 ** 53, (f: Fields) => f.integer('amount', 0)],
    ['lineNo', 0, (f: Fields) => f.lineNo('lineNo')],
    ['lineNo', 2 ** 31, (f: Fields) => f.lineNo('lineNo')],
    ['currency', 'gbp', (f: Fields) => f.currency('currency')],
    ['type', 'refund', (f: Fields) => f.oneOf('type', ['order', 'cancel'])],
    ['type', 'constructor', (f: Fields) => f.oneOf('type', ['order', 'cancel'])],
    ['at', '2026-02-30T00:00:00Z', (f: Fields) => f.time('at')],
    ['at', '2026-03-01', (f: Fields) => f.time('at')],
    ['at', '2026-03-01T25:00:00Z', (f: Fields) => f.time('at')],
    ['at', '0001-01-01T00:00:00Z', (f: Fields) => f.time('at')],
    ['at', 1_767_225_600, (f: Fields) => f.time('at')],
    ['name', '', (f: Fields) => f.text('name')],
    ['name', 7, (f: Fields) => f.text('name')],
    ['name', 'a\0b', (f: Fields) => f.text('name')],
    ['name', '\ud800', (f: Fields) => f.text('name')],
    ['name', 'x'.repeat(201), (f: Fields) => f.text('name')],
    ['lines', {}, (f: Fields) => f.lines('lines')],
    ['lines', [], (f: Fields) => f.lines('lines')],
    ['lines', new Array(RECORD_LINES_MAX + 1).fill({}), (f: Fields) => f.lines('lines')],
  ])('%s %j is refused at its place', (name, value, read) => {
    expect(refused({ [name]: value }, read).place).toBe(`/records/3/${name}`);
  });

  it('a missing field says so, a line says which one it is', () => {
    expect(refused({}, (f) => f.text('number'))).toEqual({
      reason: 'is missing; it must be a text',
      place: '/records/3/number',
      value: null,
    });
    expect(refused({ lines: [{ sku: 'a' }, null] }, (f) => f.lines('lines')).place).toBe('/records/3/lines/1');
    expect(() => new Fields([], '')).toThrow(Unreadable);
  });

  it('is shown short and storable, whatever it is', () => {
    const shown = (value: unknown) => refused({ name: value }, (f) => f.oneOf('name', ['x'])).value;
    expect(shown('a\0b\ud800')).toBe('a\ufffdb\ufffd');
    expect(String(shown({ deep: 'x'.repeat(10_000) })).length).toBeLessThanOrEqual(201);
    expect(shown(12)).toBe(12);
  });
});

describe('one spelling for one thing', () => {
  const fields = new Fields({ sku: '85123a', at: '2026-03-01T10:30:00.5+01:00', none: null, price: '2.50' }, '');
  it('SKU codes are upper case, times are UTC, prices stay the text they are', () => {
    expect(fields.sku('sku')).toBe('85123A');
    expect(fields.time('at')).toBe('2026-03-01T09:30:00.500Z');
    expect(fields.unitPrice('price')).toBe('2.50');
    expect(fields.textOrNull('none')).toBeNull();
  });
});
