import { type Random, seededRandom } from './prng.ts';

/** Rates are per business call unless said otherwise; 0 is never, 1 is always. */
export const NO_FAULTS = {
  latency: 0,
  latencyMsMin: 20,
  latencyMsMax: 200,
  tooMany: 0,
  errorBefore: 0,
  errorAfter: 0,
  silentAfter: 0,
  silentMs: 3000,
  lateEffect: 0,
  lateMsMax: 800,
  reset: 0,
  /** Per item of a write. */
  lostWrite: 0,
  outageMs: 0,
  outageEveryMs: 60_000,
  /** Calls in one second of the clock; 0 is no limit. */
  callsPerSecondMax: 0,
  /** The webhook rates are per webhook call. */
  webhookTwice: 0,
  webhookDisordered: 0,
  webhookNever: 0,
};

export type FaultRates = typeof NO_FAULTS;
export type FaultProfile = 'none' | 'storm' | Partial<FaultRates>;

export const STORM: FaultRates = {
  ...NO_FAULTS,
  latency: 0.1,
  tooMany: 0.01,
  errorBefore: 0.01,
  errorAfter: 0.005,
  silentAfter: 0.005,
  lateEffect: 0.003,
  reset: 0.003,
  lostWrite: 0.005,
  outageMs: 4000,
  webhookTwice: 0.1,
  webhookDisordered: 0.1,
  webhookNever: 0.02,
};

/** Faults of which a call has at most one, so that each keeps its own rate exactly. */
const EXCLUSIVE = ['tooMany', 'errorBefore', 'errorAfter', 'silentAfter', 'lateEffect', 'reset'] as const;

export type Act = 'none' | 'outage' | (typeof EXCLUSIVE)[number];
export type WebhookFault = 'webhookTwice' | 'webhookDisordered' | 'webhookNever';

export interface CallPlan {
  act: Act;
  latencyMs: number;
  /** How long after the call was cut a late effect comes. */
  lateMs: number;
  /** A reset comes before or after the effect at even odds: the caller can't tell. */
  resetAfterEffect: boolean;
}

/** @throws TypeError naming the first key that is not a rate, or whose value isn't a number from 0 */
export function ratesOf(profile: unknown): FaultRates {
  if (profile === 'none' || profile === undefined) return NO_FAULTS;
  if (profile === 'storm') return STORM;
  if (typeof profile !== 'object' || profile === null) throw new TypeError(`unknown fault profile ${String(profile)}`);
  for (const [name, value] of Object.entries(profile)) {
    if (!(name in NO_FAULTS)) throw new TypeError(`unknown fault ${name}; known: ${Object.keys(NO_FAULTS).join(', ')}`);
    if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`fault ${name} must be a number from 0`);
  }
  return { ...NO_FAULTS, ...profile };
}

export class Faults {
  readonly given: Record<string, number> = {};
  #now: () => number;
  #rates: FaultRates = NO_FAULTS;
  #seed = '';
  #random: Random = seededRandom(0);
  #since = 0;
  #second = -1;
  #callsThisSecond = 0;

  constructor(now: () => number, profile: unknown, seed: string) {
    this.#now = now;
    this.set(profile, seed);
  }

  get rates(): FaultRates {
    return this.#rates;
  }

  set(profile: unknown, seed: string): void {
    this.#rates = ratesOf(profile);
    this.#seed = seed;
    this.#random = seededRandom(seed, 'faults');
    this.#since = this.#now();
  }

  plan(): CallPlan {
    const rates = this.#rates;
    const plan: CallPlan = { act: 'none', latencyMs: 0, lateMs: 0, resetAfterEffect: false };
    if (rates === NO_FAULTS) return plan;
    if (this.#isOut()) return { ...plan, act: this.#give('outage') };
    if (this.#isOverLimit()) return { ...plan, act: this.#give('tooMany') };
    if (this.#random.chance(rates.latency)) {
      plan.latencyMs = this.#random.between(rates.latencyMsMin, rates.latencyMsMax);
      this.#give('latency');
    }
    let roll = this.#random.next();
    for (const act of EXCLUSIVE) {
      if (roll < rates[act]) {
        plan.act = this.#give(act);
        break;
      }
      roll -= rates[act];
    }
    if (plan.act === 'lateEffect') plan.lateMs = this.#random.between(1, rates.lateMsMax);
    if (plan.act === 'reset') plan.resetAfterEffect = this.#random.chance(0.5);
    return plan;
  }

  /** Whether this item of a write is answered like the others and yet not kept. */
  losesItem(): boolean {
    const lost = this.#random.chance(this.#rates.lostWrite);
    if (lost) this.#give('lostWrite');
    return lost;
  }

  rollWebhook(fault: WebhookFault): boolean {
    const rolled = this.#random.chance(this.#rates[fault]);
    if (rolled) this.#give(fault);
    return rolled;
  }

  /** Each window has one outage at a seeded place of its own, so that five systems don't fall together. */
  #isOut(): boolean {
    const { outageMs, outageEveryMs } = this.#rates;
    if (outageMs <= 0) return false;
    const elapsed = this.#now() - this.#since;
    const window = Math.floor(elapsed / outageEveryMs);
    const start = seededRandom(this.#seed, 'outage', window).next() * Math.max(0, outageEveryMs - outageMs);
    const within = elapsed - window * outageEveryMs;
    return within >= start && within < start + outageMs;
  }

  #isOverLimit(): boolean {
    const max = this.#rates.callsPerSecondMax;
    if (max <= 0) return false;
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) this.#callsThisSecond = 0;
    this.#second = second;
    this.#callsThisSecond += 1;
    return this.#callsThisSecond > max;
  }

  #give<F extends Act | WebhookFault | 'latency' | 'lostWrite'>(fault: F): F {
    this.given[fault] = (this.given[fault] ?? 0) + 1;
    return fault;
  }
}
