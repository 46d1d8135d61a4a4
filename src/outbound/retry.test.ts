import { expect, test } from 'vitest';
import { retryPauseMs } from './retry.ts';

test('pauses double from 50 ms to a minute, and half of each is chance', () => {
  const bounds = (attempts: number) => [0, 1].map((chance) => retryPauseMs(attempts, undefined, () => chance));
  expect([0, 1, 5].map(bounds)).toEqual([
    [25, 50],
    [50, 100],
    [800, 1_600],
  ]);
  for (const attempts of [11, 20, 1_000]) expect(bounds(attempts)).toEqual([30_000, 60_000]);
});

test('what the system asked for wins when it is longer, and never shortens a pause', () => {
  expect(retryPauseMs(0, 7_000, () => 1)).toBe(7_000);
  expect(retryPauseMs(10, 7_000, () => 0)).toBe(25_600);
});
