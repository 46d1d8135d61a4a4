import { describe, expect, it } from 'vitest';
import { CallBudget, OVERTAKEN_MAX, SECOND_MS } from './budget.ts';
import { type Priority, permitted, prioritised } from './permit.ts';
import { manualClock } from './testing.ts';

const signal = new AbortController().signal;

describe('calls a second', () => {
  it.each([
    [0.5, 10],
    [1, 20],
    [10, 100],
    [15, 150],
    [200, 1_000],
  ])('at %d a second, no second holds more, wherever it begins', async (callsPerSecond, calls) => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond, concurrency: 1_000 }, clock);
    const at: number[] = [];
    for (let i = 0; i < calls; i++) void budget.acquire(60_000, signal).then(() => at.push(clock.now()));
    await clock.advance(40_000);
    expect(at).toHaveLength(calls);
    expect(at[0]).toBe(0);
    const whole = Math.max(1, Math.floor(callsPerSecond));
    for (let i = whole; i < at.length; i++)
      expect(at[i]! - at[i - whole]!).toBeGreaterThanOrEqual((whole / callsPerSecond) * SECOND_MS - 0.001);
    // And it is used up: nearly as many as are allowed.
    expect(at.at(-1)).toBeLessThan((calls / callsPerSecond) * SECOND_MS * 1.05);
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

describe('urgent before bulk', () => {
  /** One call at a time; each ends as soon as it has been noted, so that the next is chosen among all who wait. */
  async function orderOf(waiting: readonly Priority[]): Promise<string[]> {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 1 }, clock);
    const held = await budget.acquire(60_000, signal);
    const order: string[] = [];
    const counts: Record<string, number> = {};
    for (const priority of waiting) {
      counts[priority] = (counts[priority] ?? 0) + 1;
      const name = `${priority} ${counts[priority]}`;
      // What a write may be made under goes along, whichever was said first.
      const both = permitted(prioritised(signal, priority), () => true);
      void budget.acquire(60_000, both).then((place) => {
        order.push(name);
        (place as () => void)();
      });
    }
    (held as () => void)();
    await clock.advance(1_000);
    return order;
  }

  it('those who wait go by priority, and in the order they came within one', async () => {
    expect(await orderOf(['bulk', 'bulk', 'normal', 'urgent', 'normal', 'urgent'])).toEqual([
      'urgent 1',
      'urgent 2',
      'normal 1',
      'normal 2',
      'bulk 1',
      'bulk 2',
    ]);
  });

  it('a call that says nothing is normal', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 1 }, clock);
    const held = await budget.acquire(1_000, signal);
    const order: string[] = [];
    const wait = (name: string, under: AbortSignal) =>
      void budget.acquire(1_000, under).then((place) => {
        order.push(name);
        (place as () => void)();
      });
    wait('bulk', prioritised(signal, 'bulk'));
    wait('plain', signal);
    (held as () => void)();
    await clock.advance(10);
    expect(order).toEqual(['plain', 'bulk']);
  });

  it('bulk is overtaken a bounded number of times between two of its own, however much is urgent', async () => {
    const order = await orderOf(['bulk', 'bulk', ...Array.from({ length: 20 }, () => 'urgent' as const)]);
    expect(order).toHaveLength(22);
    expect(order.indexOf('bulk 1')).toBe(OVERTAKEN_MAX);
    expect(order.indexOf('bulk 2')).toBe(2 * OVERTAKEN_MAX + 1);
  });

  it('normal and bulk are both served while urgent calls never end', async () => {
    const order = await orderOf([
      ...Array.from({ length: 3 }, () => 'bulk' as const),
      ...Array.from({ length: 3 }, () => 'normal' as const),
      ...Array.from({ length: 40 }, () => 'urgent' as const),
    ]);
    for (const priority of ['normal', 'bulk']) {
      const at = [1, 2, 3].map((n) => order.indexOf(`${priority} ${n}`));
      // At most so many more urgent ones, and one of the other that had waited as long.
      expect(at[0]).toBeLessThanOrEqual(OVERTAKEN_MAX + 1);
      for (let i = 1; i < at.length; i++) expect(at[i]! - at[i - 1]!).toBeLessThanOrEqual(OVERTAKEN_MAX + 2);
    }
  });

  it('who begins to wait has not been overtaken yet', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10_000, concurrency: 1 }, clock);
    const urgent = prioritised(signal, 'urgent');
    // Many urgent ones go while a bulk one waits, which gives up; the next bulk one waits from its own beginning.
    let held = (await budget.acquire(1_000, signal)) as () => void;
    const gone = new AbortController();
    const given = budget.acquire(1_000, prioritised(gone.signal, 'bulk'));
    for (let i = 0; i < OVERTAKEN_MAX; i++) {
      const next = budget.acquire(1_000, urgent);
      held();
      held = (await next) as () => void;
    }
    gone.abort();
    expect(await given).toBe('stopped');
    const order: string[] = [];
    void budget.acquire(1_000, prioritised(signal, 'bulk')).then(() => order.push('bulk'));
    void budget.acquire(1_000, urgent).then(() => order.push('urgent'));
    held();
    await clock.advance(1);
    expect(order).toEqual(['urgent']);
  });

  it('the calls a second are given by priority, too', async () => {
    const clock = manualClock();
    const budget = new CallBudget({ callsPerSecond: 10, concurrency: 100 }, clock);
    const order: string[] = [];
    for (const priority of ['normal', 'bulk', 'bulk', 'urgent', 'urgent'] as const)
      void budget.acquire(60_000, prioritised(signal, priority)).then(() => order.push(priority));
    await clock.advance(1_000);
    expect(order).toEqual(['normal', 'urgent', 'urgent', 'bulk', 'bulk']);
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
