import { expect, test } from 'vitest';
import { retryPauseMs, Setbacks } from './retry.ts';

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

test('setbacks of a kind grow once a pause, to 13 s, and end with an answer', () => {
  let now = 0;
  const setbacks = new Setbacks(
    () => 1,
    () => now,
  );
  const putOff = [{ outcome: 'later', error: 'away', ofSystem: true } as const];
  expect(setbacks.after('invoice', putOff)).toBe(100);
  // Of four batches that were under way all say the same.
  for (let i = 0; i < 3; i++) expect(setbacks.after('invoice', putOff)).toBe(100);
  expect(setbacks.after('order', putOff), 'another kind').toBe(100);
  for (let i = 0; i < 40; i++) {
    now += 60_000;
    setbacks.after('invoice', putOff);
  }
  expect(setbacks.after('invoice', putOff)).toBe(12_800);
  expect(setbacks.after('invoice', [{ outcome: 'later', error: 'locked' }]), 'an item of it').toBeUndefined();
  expect(setbacks.after('invoice', [{ outcome: 'confirmed' }])).toBeUndefined();
  expect(setbacks.after('invoice', putOff)).toBe(100);
});
