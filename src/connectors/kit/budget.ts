import type { Clock } from './clock.ts';

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
 * What one system may be asked: calls a second and calls at once, reads and writes together, because the other side counts
 * them together. Callers are served in the order they came.
 *
 * Nobody waits out a pause in here. A write that had waited a minute for its turn would outlive the lease it was made under:
 * another worker would have looked it up, not found it, sent it, and then this one would send it again. So a pause refuses at
 * once and says how long it lasts, and a queue refuses after a bounded wait.
 */
export class CallBudget {
  readonly #limits: BudgetLimits;
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #waiting = new Set<Waiter>();
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
    for (const waiter of [...this.#waiting]) waiter.refuse('paused');
  }

  /** Refuses everybody who waits or comes later. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRefill?.();
    for (const waiter of [...this.#waiting]) waiter.refuse('stopped');
  }

  /** @returns what gives the place back, or why there is none */
  acquire(waitMsMax: number, signal: AbortSignal): Promise<(() => void) | Refused> {
    if (this.#stopped || signal.aborted) return Promise.resolve('stopped');
    if (this.pausedMs > 0) return Promise.resolve('paused');
    return new Promise((resolve) => {
      const settle = (answer: (() => void) | Refused): void => {
        this.#waiting.delete(waiter);
        cancelDeadline();
        signal.removeEventListener('abort', onAbort);
        resolve(answer);
      };
      const onAbort = (): void => settle('stopped');
      const waiter: Waiter = { grant: () => settle(this.#takePlace()), refuse: settle };
      const cancelDeadline = this.#clock.after(waitMsMax, () => settle('waited_too_long'));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(waiter);
      this.#serve();
    });
  }

  #takePlace(): () => void {
    this.#active += 1;
    this.#tokens -= 1;
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
    for (const waiter of this.#waiting) {
      if (this.#active >= this.#limits.concurrency) return;
      if (this.#tokens < 1) {
        this.#serveWhenFilled();
        return;
      }
      waiter.grant();
    }
  }

  #fill(): void {
    const now = this.#clock.now();
    const earned = ((now - this.#filledAt) / 1000) * this.#limits.callsPerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#filledAt = now;
  }

  #serveWhenFilled(): void {
    if (this.#cancelRefill !== undefined) return;
    const ms = Math.ceil(((1 - this.#tokens) / this.#limits.callsPerSecond) * 1000);
    this.#cancelRefill = this.#clock.after(Math.max(1, ms), () => {
      this.#cancelRefill = undefined;
      this.#serve();
    });
  }
}
