import type { Clock } from './clock.ts';
import { type Priority, priorityOf } from './permit.ts';

export interface BudgetLimits {
  callsPerSecond: number;
  concurrency: number;
}

/** Why a call was not let through. None of them sent a byte. */
export type Refused = 'paused' | 'waited_too_long' | 'stopped';

interface Waiter {
  grant: () => void;
  refuse: (why: Refused) => void;
}

/** The part of a second whose calls may go at once after a quiet time; more would read as a flood on the other side. */
const BURST_SECONDS = 0.1;
/**
 * The other side counts calls as they arrive. What left evenly arrives closer together when somebody on the way was busy, so a
 * second's calls leave in a little more than a second.
 */
export const SECOND_MS = 1_050;

const BY_PRIORITY = ['urgent', 'normal', 'bulk'] as const satisfies Priority[];
/**
 * So many more urgent calls go before one that waits, then it is that one's turn: a fifth of the calls is enough for prices and
 * order states to get through a system that sells without a pause, and a stock number waits for one call more at most.
 */
export const OVERTAKEN_MAX = 4;

/** Those of one priority, in the order they came. */
interface Queue {
  readonly waiting: Set<Waiter>;
  /** More urgent calls that went since it was last its turn, or since somebody waits. */
  overtaken: number;
}

/**
 * What one system may be asked: calls a second and calls at once, reads and writes together, because the other side counts
 * them together. Callers are served by priority, and in the order they came within one; nobody is overtaken for ever.
 *
 * Nobody waits out a pause in here. A write that had waited a minute for its turn would outlive the lease it was made under:
 * another worker would have looked it up, not found it, sent it, and then this one would send it again. So a pause refuses at
 * once and says how long it lasts, and a queue refuses after a bounded wait.
 */
export class CallBudget {
  readonly #limits: BudgetLimits;
  readonly #clock: Clock;
  readonly #burst: number;
  /** When the last calls were let through: as many as fit in a second, the oldest at `#oldest`. */
  readonly #granted: Float64Array;
  #oldest = 0;
  readonly #queues: Readonly<Record<Priority, Queue>> = {
    urgent: { waiting: new Set(), overtaken: 0 },
    normal: { waiting: new Set(), overtaken: 0 },
    bulk: { waiting: new Set(), overtaken: 0 },
  };
  #tokens: number;
  #filledAt: number;
  #active = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #stopped = false;
  #cancelRefill: (() => void) | undefined;

  constructor(limits: BudgetLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#burst = Math.max(1, limits.callsPerSecond * BURST_SECONDS);
    this.#granted = new Float64Array(Math.max(1, Math.floor(limits.callsPerSecond))).fill(Number.NEGATIVE_INFINITY);
    this.#tokens = this.#burst;
    this.#filledAt = clock.now();
  }

  /** Milliseconds until the system may be asked again; 0 when it may. */
  get pausedMs(): number {
    return Math.max(0, this.#pausedUntil - this.#clock.now());
  }

  /** The system asked us to wait; that holds for every call, not only for the one it answered. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + ms);
    this.#refuseAll('paused');
  }

  /** Refuses everybody who waits or comes later. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRefill?.();
    this.#refuseAll('stopped');
  }

  #refuseAll(why: Refused): void {
    for (const { waiting } of Object.values(this.#queues)) for (const waiter of [...waiting]) waiter.refuse(why);
  }

  /**
   * @param signal says its priority, too
   * @returns what gives the place back, or why there is none
   */
  acquire(waitMsMax: number, signal: AbortSignal): Promise<(() => void) | Refused> {
    if (this.#stopped || signal.aborted) return Promise.resolve('stopped');
    if (this.pausedMs > 0) return Promise.resolve('paused');
    const queue = this.#queues[priorityOf(signal)];
    return new Promise((resolve) => {
      const settle = (answer: (() => void) | Refused): void => {
        queue.waiting.delete(waiter);
        if (queue.waiting.size === 0) queue.overtaken = 0;
        cancelDeadline();
        signal.removeEventListener('abort', onAbort);
        resolve(answer);
      };
      const onAbort = (): void => settle('stopped');
      const waiter: Waiter = { grant: () => settle(this.#takePlace()), refuse: settle };
      const cancelDeadline = this.#clock.after(waitMsMax, () => settle('waited_too_long'));
      signal.addEventListener('abort', onAbort, { once: true });
      queue.waiting.add(waiter);
      this.#serve();
    });
  }

  #takePlace(): () => void {
    this.#active += 1;
    this.#tokens -= 1;
    this.#granted[this.#oldest] = this.#clock.now();
    this.#oldest = (this.#oldest + 1) % this.#granted.length;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#active -= 1;
      this.#serve();
    };
  }

  #serve(): void {
    this.#fill();
    for (let queue = this.#next(); queue !== undefined; queue = this.#next()) {
      if (this.#active >= this.#limits.concurrency) return;
      const waitMs = this.#waitMs();
      if (waitMs > 0) {
        this.#serveAfter(waitMs);
        return;
      }
      this.#grant(queue);
    }
  }

  /** Whose turn it is: the most urgent, unless a less urgent one was overtaken for long enough. */
  #next(): Queue | undefined {
    const waiting = BY_PRIORITY.map((priority) => this.#queues[priority]).filter((queue) => queue.waiting.size > 0);
    return waiting.findLast((queue) => queue.overtaken >= OVERTAKEN_MAX) ?? waiting[0];
  }

  #grant(queue: Queue): void {
    const [first] = queue.waiting;
    queue.overtaken = 0;
    const less = BY_PRIORITY.slice(BY_PRIORITY.findIndex((priority) => this.#queues[priority] === queue) + 1);
    for (const priority of less) if (this.#queues[priority].waiting.size > 0) this.#queues[priority].overtaken += 1;
    first!.grant();
  }

  #fill(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#filledAt) / 1000) * this.#limits.callsPerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAt = now;
  }

  /** Until the next call may leave: there is a token for it, and a second holds no more than it may. */
  #waitMs(): number {
    const { callsPerSecond } = this.#limits;
    const forToken = this.#tokens < 1 ? ((1 - this.#tokens) / callsPerSecond) * 1_000 : 0;
    const window = (this.#granted.length / callsPerSecond) * SECOND_MS;
    const forSecond = this.#granted[this.#oldest]! + window - this.#clock.now();
    return Math.ceil(Math.max(forToken, forSecond));
  }

  #serveAfter(ms: number): void {
    if (this.#cancelRefill !== undefined) return;
    this.#cancelRefill = this.#clock.after(Math.max(1, ms), () => {
      this.#cancelRefill = undefined;
      this.#serve();
    });
  }
}
