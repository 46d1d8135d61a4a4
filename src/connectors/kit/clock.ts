/** Time as connectors see it: monotonic, so that a clock set back never makes a budget stand still. Tests bring their own. */
export interface Clock {
  /** Milliseconds since some moment. */
  now(): number;
  /** Runs once after `ms`; the answer takes it back. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
