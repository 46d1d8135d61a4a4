import { expect, it } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

it.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['GPB', 'GBP', 1],
  ['timeoutMS', 'timeoutMs', 1],
])('from %j to %j are %i steps', (a, b, steps) => {
  expect(editDistance(a, b)).toBe(steps);
  expect(editDistance(b, a)).toBe(steps);
});

it('the nearest word is given only where it is near', () => {
  expect(nearest('chanel', ['companies', 'channel', 'channels'])).toBe('channel');
  expect(nearest('sim-market', ['sim-erp', 'sim-marketplace'])).toBe('sim-marketplace');
  expect(nearest('lon', ['LON', 'LAN'])).toBe('LON');
  expect(nearest('xyz', ['companies', 'channels'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});
