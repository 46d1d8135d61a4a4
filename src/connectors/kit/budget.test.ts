import { describe, expect, it } from 'vitest';
import { CallBudget } from './budget.ts';
import { manualClock } from './testing.ts';

const signal = new AbortController().signal;

describe('calls a second', () => {
  it('a hundred calls at ten a second take just under ten seconds, one burst ahead', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10, concurrency: 100 }, clock);
    const at: number[] = [];
    for (let i = 0; i < 100; i++) void budget.acquire(60_000, signal).then(() => at.push(clock.now()));
    await clock.advance(20_000);
    expect(at).toHaveLength(100);
    expect(at[0]).toBe(0);
    expect(at.at(-1)).toBeGreaterThanOrEqual(9_900);
    expect(at.at(-1)).toBeLessThan(10_100);
    // Never more than a burst (one call here) above the rate, whatever second one looks at.
    for (let i = 11; i < at.length; i++) expect(at[i]! - at[i - 11]!).toBeGreaterThanOrEqual(1_000);
  });

  it('a quiet hour saves up one burst and no more', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 100, concurrency: 1_000 }, clock);
    await clock.advance(3_600_000);
    let granted = 0;
    for (let i = 0; i < 500; i++) void budget.acquire(60_000, signal).then(() => granted++);
    await clock.advance(0);
    expect(granted).toBe(10);
  });
});

describe('calls at once', () => {
  it('the fifth of five waits for a place and the places are given in order', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 2 }, clock);
    const order: number[] = [];
    const places = [0, 1, 2, 3].map((n) =>
      budget.acquire(1_000, signal).then((place) => {
        order.push(n);
        return place as () => void;
      }),
    );
    await clock.advance(0);
    expect(order).toEqual([0, 1]);
    const first = await places[0]!;
    first();
    first();
    await clock.advance(0);
    expect(order).toEqual([0, 1, 2]);
    (await places[1]!)();
    await clock.advance(0);
    expect(order).toEqual([0, 1, 2, 3]);
  });
});

describe('refused without a byte sent', () => {
  it('who waited too long', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 1 }, clock);
    const held = await budget.acquire(100, signal);
    const waiting = budget.acquire(100, signal);
    await clock.advance(100);
    expect(await waiting).toBe('waited_too_long');
    (held as () => void)();
    expect(await budget.acquire(100, signal)).toBeTypeOf('function');
  });

  it('everybody during a pause, those who wait included, and nobody after it', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 1 }, clock);
    const held = await budget.acquire(100, signal);
    const waiting = budget.acquire(100, signal);
    budget.pause(1_000);
    budget.pause(200);
    (held as () => void)();
    expect(await waiting).toBe('paused');
    expect(budget.pausedMs).toBe(1_000);
    expect(await budget.acquire(100, signal)).toBe('paused');
    await clock.advance(1_000);
    expect(await budget.acquire(100, signal)).toBeTypeOf('function');
  });

  it('who was stopped, before or while waiting', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 1 }, clock);
    expect(await budget.acquire(100, AbortSignal.abort())).toBe('stopped');
    await budget.acquire(100, signal);
    const controller = new AbortController();
    const waiting = budget.acquire(100, controller.signal);
    controller.abort();
    expect(await waiting).toBe('stopped');
    const last = budget.acquire(100, signal);
    budget.stop();
    expect(await last).toBe('stopped');
    expect(await budget.acquire(100, signal)).toBe('stopped');
  });
});
