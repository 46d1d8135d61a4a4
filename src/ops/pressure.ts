import { type Database, sql } from '../store/index.ts';

// The age of what could leave now. What waits behind another of its key says nothing of how busy we are: a handful behind one in doubt
// would stop all intake until a person looks.
const sample = sql<{ unfinished: number; oldest_ms: number; behind: number }>(
  'hub_sample_pressure',
  `select (select count(*)::int from (select from delivery where is_open and state in ('n', 's', 'd') limit $1::int + 1) as t) as unfinished,
          coalesce((select extract(epoch from crossdock_now() - min(o.recorded_at)) * 1000
                      from destination t cross join lateral
                           (select d.recorded_at from delivery d
                             where d.destination_id = t.destination_id and d.is_open and d.state in ('n', 's') and d.attempts <= 1
                               and d.next_at <= crossdock_now()
                               and d.delivery_id = (select min(e.delivery_id) from delivery e
                                                     where e.destination_id = t.destination_id and e.key = d.key and e.is_open)
                             order by d.delivery_id limit 1) as o), 0)::float8 as oldest_ms,
          (select count(*)::int from (select from crossdock_unread('outbound') limit 5000) as t) as behind`,
);

/** Parts of this process's time that are spent working, between which gathering grows. */
const BUSY_FROM = 0.1;
const BUSY_TO = 0.4;
/** How far back the load is felt. */
const LOAD_MS = 200;
/** Utilisation over less than this says nothing. */
const LOAD_SAMPLE_MS = 20;

export interface PressureLimits {
  inFlightMax: number;
  ageMaxMs: number;
}

/** Whether intake must wait: unfinished outbound work is at its bound, or has grown too old, or the log is far ahead. */
export class Pressure {
  readonly #db: Database;
  readonly #limits: PressureLimits;
  #utilization = performance.eventLoopUtilization();
  #measuredAt = performance.now();
  #busy = 0;
  unfinished = 0;
  oldestMs = 0;
  behind = 0;

  constructor(db: Database, limits: PressureLimits) {
    this.#db = db;
    this.#limits = limits;
  }

  async sample(): Promise<void> {
    const [row] = await this.#db.query(sample, [this.#limits.inFlightMax]);
    this.unfinished = row!.unfinished;
    this.oldestMs = row!.oldest_ms;
    this.behind = row!.behind;
  }

  /** From 0, this process idles, to 1, it is so busy that what can wait should be gathered. */
  get load(): number {
    const sinceMs = performance.now() - this.#measuredAt;
    if (sinceMs >= LOAD_SAMPLE_MS) {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
      this.#utilization = now;
      this.#measuredAt += sinceMs;
      this.#busy = utilization + (this.#busy - utilization) * Math.exp(-sinceMs / LOAD_MS);
    }
    return Math.min(1, Math.max(0, (this.#busy - BUSY_FROM) / (BUSY_TO - BUSY_FROM)));
  }

  get high(): boolean {
    return this.unfinished > this.#limits.inFlightMax || this.oldestMs > this.#limits.ageMaxMs || this.behind >= 5_000;
  }
}
