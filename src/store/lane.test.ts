import { describe, expect, it } from 'vitest';
import { Lane } from './lane.ts';

const overflow = (waiting: number) => new Error(`${waiting} wait`);
const settled = (promises: Promise<unknown>[]) =>
  Promise.allSettled(promises).then((results) =>
    results.map((r) => (r.status === 'fulfilled' ? r.value : String(r.reason))),
  );

describe('a lane', () => {
  it('answers each of 256 callers with his own result, and only the one bad item fails', async () => {
    const sizes: number[] = [];
    const lane = new Lane<number, number>({
      name: 't',
      itemsMax: 256,
      waitingMax: 1_000,
      overflow,
      run: async (items) => {
        sizes.push(items.length);
        if (items.includes(77)) throw new Error('77 is bad');
        return items.map((item) => item * 10);
      },
    });
    const results = await settled(Array.from({ length: 256 }, (_, i) => lane.submit(i)));
    expect(results).toEqual(Array.from({ length: 256 }, (_, i) => (i === 77 ? 'Error: 77 is bad' : i * 10)));
    // 256, and then one half and one quarter … at each step: 8 halvings on the way to the one.
    expect(sizes).toHaveLength(17);
    expect(sizes[0]).toBe(256);
  });

  it('gathers while a batch is under way, never more than its maximum', async () => {
    const sizes: number[] = [];
    let release = () => {};
    let first = true;
    const lane = new Lane<number, number>({
      name: 't',
      itemsMax: 10,
      waitingMax: 100,
      overflow,
      run: async (items) => {
        sizes.push(items.length);
        if (first) {
          first = false;
          await new Promise<void>((resolve) => {
            release = resolve;
          });
        }
        return items;
      },
    });
    const one = lane.submit(0);
    await new Promise((resolve) => setImmediate(resolve));
    const rest = Array.from({ length: 25 }, (_, i) => lane.submit(i + 1));
    expect(lane.waiting).toBe(25);
    release();
    expect(await Promise.all([one, ...rest])).toEqual(Array.from({ length: 26 }, (_, i) => i));
    expect(sizes).toEqual([1, 10, 10, 5]);
    await lane.drained();
  });

  it('takes what has gathered only when it may begin, and ends its turn also after a fault', async () => {
    const turns: string[] = [];
    const gates: (() => void)[] = [];
    const lane = new Lane<number, number>({
      name: 't',
      itemsMax: 10,
      waitingMax: 100,
      overflow,
      enter: async () => {
        await new Promise<void>((resolve) => gates.push(resolve));
        turns.push('in');
        return () => turns.push('out');
      },
      run: async (items) => {
        turns.push(items.join());
        if (items.includes(9)) throw new Error('nine');
        return items;
      },
    });
    const early = lane.submit(1);
    await new Promise((resolve) => setImmediate(resolve));
    expect([gates.length, lane.waiting]).toEqual([1, 1]);
    const late = lane.submit(2);
    gates.shift()!();
    expect(await Promise.all([early, late])).toEqual([1, 2]);
    await lane.drained();
    const bad = settled([lane.submit(9)]);
    while (gates.length === 0) await new Promise((resolve) => setImmediate(resolve));
    gates.shift()!();
    expect(await bad).toEqual(['Error: nine']);
    await lane.drained();
    expect(turns).toEqual(['in', '1,2', 'out', 'in', '9', 'out']);
  });

  it('refuses what is beyond its bound at once, and takes up again when it has room', async () => {
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const lane = new Lane<number, number>({
      name: 't',
      itemsMax: 1,
      waitingMax: 2,
      overflow,
      run: async (items) => {
        await held;
        return items;
      },
    });
    const first = lane.submit(1);
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = [lane.submit(2), lane.submit(3)];
    await expect(lane.submit(4)).rejects.toThrow('2 wait');
    release();
    expect(await Promise.all([first, ...waiting])).toEqual([1, 2, 3]);
    expect(await lane.submit(5)).toBe(5);
  });

  it('decides a lost race again with all of it, and gives up after eight', async () => {
    let runs = 0;
    const lane = new Lane<number, number>({
      name: 't',
      itemsMax: 10,
      waitingMax: 10,
      overflow,
      sleep: async () => {},
      run: async (items) => {
        runs++;
        if (runs < 3 || items.includes(9)) throw Object.assign(new Error('deadlock'), { code: '40P01' });
        return items;
      },
    });
    expect(await Promise.all([lane.submit(1), lane.submit(2)])).toEqual([1, 2]);
    expect(runs).toBe(3);
    runs = 10;
    await expect(lane.submit(9)).rejects.toThrow('deadlock');
    expect(runs).toBe(18);
  });
});
