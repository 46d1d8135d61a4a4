/** Rounds of work that repeat: at once while there is work, after a wake-up, else after a pause. */

import { isConnectionFault } from './faults.ts';

/** Asking a database that is away costs nothing, and everything waits for it. */
export const DATABASE_PAUSE_MS_MAX = 1_000;
/** How often a gather time that is not fixed is asked for again. */
const GATHER_STEP_MS = 50;

/** Wakes loops in this process after a commit; other processes find the work by their pause. */
export class Wake {
  readonly #waiting = new Set<() => void>();

  fire(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next {@link fire}, after `ms`, or when `signal` ends. */
  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const timer = setTimeout(done, ms);
      const waiting = this.#waiting;
      function done(): void {
        clearTimeout(timer);
        waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      }
      waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

export interface LoopOptions {
  name: string;
  /** Does a bounded piece of work. @returns whether there may be more */
  round: () => Promise<boolean>;
  /** Whether this process may do it now (it holds the lease). */
  may: () => boolean;
  wake: Wake;
  /** The least time between two rounds: what arrives in it is done together. A function may change its mind meanwhile. */
  gatherMs: number | (() => number);
  /** The longest pause without a wake-up. */
  idleMs: number;
  signal: AbortSignal;
  onError: (name: string, error: unknown) => void;
}

/** Runs rounds until the signal ends. A failed round is reported and tried again after a growing pause. */
export async function runLoop(options: LoopOptions): Promise<void> {
  const { round, may, wake, gatherMs, idleMs, signal } = options;
  let failures = 0;
  const never = new Wake();
  const gather = async () => {
    if (typeof gatherMs === 'number') {
      if (gatherMs > 0) await never.wait(gatherMs, signal);
      return;
    }
    for (let waitedMs = 0; waitedMs < gatherMs() && !signal.aborted; waitedMs += GATHER_STEP_MS)
      await never.wait(GATHER_STEP_MS, signal);
  };
  while (!signal.aborted) {
    let more = false;
    let pauseMs = idleMs;
    if (may()) {
      try {
        more = await round();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        pauseMs = Math.min(isConnectionFault(error) ? DATABASE_PAUSE_MS_MAX : 5_000, 50 * 2 ** Math.min(failures, 7));
        options.onError(options.name, error);
        await never.wait(pauseMs, signal);
        continue;
      }
    }
    if (!more) await wake.wait(pauseMs, signal);
    await gather();
  }
}
