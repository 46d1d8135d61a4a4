import { expect, test } from 'vitest';
import { paceOf } from './pace.ts';

test('events come at their moments, counted from the start, and what is late waits for nothing', async () => {
  let nowMs = 5_000;
  const waits: number[] = [];
  const due = paceOf({
    ...{ ordersPerSecond: 2, orders: 10, events: 20, from: 4 },
    nowMs: () => nowMs,
    wait: async (ms) => {
      waits.push(ms);
      nowMs += ms;
    },
  });
  await due(4);
  await due(5);
  nowMs += 100;
  await due(6);
  expect(waits).toEqual([250, 150]);
  nowMs += 10_000;
  await due(12);
  expect(waits.length).toBe(2);
  await due(60);
  expect(nowMs).toBe(5_000 + (60 - 4) * 250);
});
