import type { Connector, Outcome } from '../connectors/kit/index.ts';

/** Whether the system asked to be left alone: what is begun now would be refused before it is sent. */
export function isPaused(connector: Connector): boolean {
  return (connector.pausedMs?.() ?? 0) > 0;
}

/** When to try again: a doubling pause of which half is chance; what the system asked for wins when it is longer. */
export function retryPauseMs(attempts: number, retryAfterMs: number | undefined, random: () => number): number {
  const pause = Math.min(60_000, 50 * 2 ** Math.min(attempts, 12));
  return Math.max(retryAfterMs ?? 0, Math.round(pause / 2 + (random() * pause) / 2));
}

/** Doublings of the pause after a whole request was put off: a system that is back is noticed within 13 s. */
const SETBACKS_MAX = 8;

/**
 * How often in a row a system put off whole requests of a kind. It grows once a pause, however many batches are under way, and
 * says nothing about the items, whose attempts are their own.
 */
export class Setbacks {
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { inARow: number; until: number }>();

  constructor(random: () => number, now: () => number = () => performance.now()) {
    this.#random = random;
    this.#now = now;
  }

  /** @returns how long to wait, in ms */
  pauseMs(kind: string, retryAfterMs: number | undefined): number {
    const before = this.#kinds.get(kind) ?? { inARow: 0, until: Number.NEGATIVE_INFINITY };
    const isNew = this.#now() >= before.until;
    const inARow = isNew ? Math.min(SETBACKS_MAX, before.inARow + 1) : before.inARow;
    const pauseMs = retryPauseMs(inARow, retryAfterMs, this.#random);
    if (isNew) this.#kinds.set(kind, { inARow, until: this.#now() + pauseMs });
    return pauseMs;
  }

  /** @returns how long to wait when the whole request was put off, in ms */
  after(kind: string, outcomes: readonly (Outcome | { outcome: 'conflict' })[]): number | undefined {
    for (const outcome of outcomes)
      if (outcome.outcome === 'later' && outcome.ofSystem === true) return this.pauseMs(kind, outcome.retryAfterMs);
    if (outcomes.some(({ outcome }) => outcome === 'confirmed' || outcome === 'refused')) this.end(kind);
    return undefined;
  }

  /** Whether it put something off so lately that nothing of the kind is tried again yet. */
  get isPausing(): boolean {
    const now = this.#now();
    for (const { until } of this.#kinds.values()) if (now < until) return true;
    return false;
  }

  /** It answered. */
  end(kind: string): void {
    this.#kinds.delete(kind);
  }
}
