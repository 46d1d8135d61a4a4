import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { driveMerged } from './merged-stream.ts';
import { seeded } from './random.ts';

interface Event {
  lane: string;
  number: number;
}

function events(seed: number, count: number, lanes: number): Event[] {
  return Array.from({ length: count }, (_, number) => ({ lane: `l${seeded(seed, `lane/${number}`, lanes)}`, number }));
}

describe('the merged stream', () => {
  test.each([1, 2, 3])('keeps each lane in order and everyone within the window (seed %i)', async (seed) => {
    const all = events(seed, 400, 9);
    const open = new Set<number>();
    const done = new Set<number>();
    const started: number[] = [];
    const frontiers: number[] = [];
    let widest = 0;
    let most = 0;
    await driveMerged({
      events: all,
      from: 0,
      window: 30,
      inFlightMax: 5,
      laneOf: (event) => event.lane,
      joins: (gathered) => gathered.length < 3,
      run: async (batch) => {
        for (const event of batch) {
          started.push(event.number);
          open.add(event.number);
        }
        most = Math.max(most, batch.length);
        const oldest = all.findIndex((event) => !done.has(event.number));
        widest = Math.max(widest, Math.max(...open) - oldest);
        await sleep(seeded(seed, `time/${batch[0]!.number}`, 4));
        for (const event of batch) {
          open.delete(event.number);
          done.add(event.number);
        }
      },
      onFrontier: (frontier) => frontiers.push(frontier),
    });
    expect(started.toSorted((a, b) => a - b)).toEqual(all.map((event) => event.number));
    for (const lane of new Set(all.map((event) => event.lane))) {
      const inLane = started.filter((number) => all[number]!.lane === lane);
      expect(inLane).toEqual(inLane.toSorted((a, b) => a - b));
    }
    expect(widest).toBeLessThan(30);
    expect(most).toBe(3);
    expect(frontiers.at(-1)).toBe(400);
    expect(frontiers).toEqual(frontiers.toSorted((a, b) => a - b));
  });

  test('goes on where it was told to, and ends at once when nothing is left', async () => {
    const all = events(1, 20, 3);
    const started: number[] = [];
    const options = {
      events: all,
      window: 5,
      inFlightMax: 2,
      laneOf: (event: Event) => event.lane,
      joins: () => false,
      run: async ([event]: readonly Event[]) => void started.push(event!.number),
    };
    await driveMerged({ ...options, from: 15 });
    expect(started.toSorted((a, b) => a - b)).toEqual([15, 16, 17, 18, 19]);
    await driveMerged({ ...options, from: 20 });
    await driveMerged({ ...options, events: [], from: 0 });
  });

  test('ends with the first failure and starts nothing after it', async () => {
    const all = events(1, 50, 1);
    let calls = 0;
    const run = driveMerged({
      events: all,
      from: 0,
      window: 50,
      inFlightMax: 4,
      laneOf: (event) => event.lane,
      joins: () => false,
      run: async ([event]) => {
        calls += 1;
        if (event!.number === 7) throw new Error('refused');
      },
    });
    await expect(run).rejects.toThrow('refused');
    await sleep(5);
    expect(calls).toBe(8);
  });
});
