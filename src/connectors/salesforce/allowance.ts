/** The calls that the org may take in 24 hours, which it shares with everybody else who asks it. */
import type { Clock, HttpAnswer } from '../kit/index.ts';
import { DAILY_LIMIT_PAUSE_MS } from './errors.ts';

const DAY_MS = 86_400_000;
/** The last part of the day's calls is never taken: people and other programs live on it. */
const KEPT_SHARE = 0.03;

/**
 * Each answer says how many of the day's calls are used (`api-usage=18/5000`). Up to `dailyShare` nothing is held back. From there on, work
 * begins at the pace at which calls become free again (the window of 24 hours moves), slower the less is left, and not at all where only
 * what is kept for others is left. Work that has begun is ended: held back in its middle, it would have to begin again, at more calls.
 */
export class DailyAllowance {
  readonly #share: number;
  readonly #clock: Clock;
  #used = 0;
  #max = 0;
  #mayBeginAt = Number.NEGATIVE_INFINITY;

  constructor(share: number, clock: Clock) {
    this.#share = share;
    this.#clock = clock;
  }

  /** What the org last said; null before it said anything. */
  get usage(): { used: number; max: number } | null {
    return this.#max === 0 ? null : { used: this.#used, max: this.#max };
  }

  /** Milliseconds until work may begin. */
  get waitMs(): number {
    return Math.max(0, Math.ceil(this.#mayBeginAt - this.#clock.now()));
  }

  note(headers: HttpAnswer['headers']): void {
    const text = headers['sforce-limit-info'];
    const [, used, max] = /\bapi-usage=(\d{1,12})\/(\d{1,12})/.exec(typeof text === 'string' ? text : '') ?? [];
    if (used === undefined || max === undefined || Number(max) === 0) return;
    this.#used = Number(used);
    this.#max = Number(max);
    const from = this.#max * this.#share;
    if (this.#used < from) {
      this.#mayBeginAt = Number.NEGATIVE_INFINITY;
      return;
    }
    const end = this.#max * (1 - KEPT_SHARE);
    const left = end - this.#used;
    const pace = (DAY_MS / this.#max) * ((end - from) / left);
    const waitMs = left <= 0 ? DAILY_LIMIT_PAUSE_MS : Math.min(pace, DAILY_LIMIT_PAUSE_MS);
    this.#mayBeginAt = this.#clock.now() + waitMs;
  }
}
