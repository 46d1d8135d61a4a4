/** Clock and timers, passed in: a test moves them by hand and waits for nothing. */
export interface Time {
  now(): number;
  /** Runs `act` once after `ms`; the answer calls it off. */
  after(ms: number, act: () => void): () => void;
  /** Calls off everything that has not run yet. */
  stop(): void;
}

export function realTime(): Time {
  const timers = new Set<NodeJS.Timeout>();
  return {
    now: Date.now,
    after(ms, act) {
      const timer = setTimeout(() => {
        timers.delete(timer);
        act();
      }, ms);
      timers.add(timer);
      return () => {
        timers.delete(timer);
        clearTimeout(timer);
      };
    },
    stop() {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
    },
  };
}

export interface ManualTime extends Time {
  /** Moves the clock and runs what falls due, in order of time, also what that work itself schedules. */
  advance(ms: number): void;
}

export function manualTime(start = 0): ManualTime {
  let now = start;
  let made = 0;
  let waiting: { at: number; n: number; act: () => void }[] = [];
  return {
    now: () => now,
    after(ms, act) {
      const timer = { at: now + ms, n: made++, act };
      waiting.push(timer);
      return () => {
        waiting = waiting.filter((other) => other !== timer);
      };
    },
    stop() {
      waiting = [];
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        waiting.sort((a, b) => a.at - b.at || a.n - b.n);
        const first = waiting[0];
        if (first === undefined || first.at > until) break;
        waiting.shift();
        now = Math.max(now, first.at);
        first.act();
      }
      now = until;
    },
  };
}
