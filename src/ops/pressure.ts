import { type Database, sql } from '../store/index.ts';

const sample = sql<{ unfinished: number; oldest_ms: number; behind: number }>(
  'hub_sample_pressure',
  `select (select count(*)::int from (select from delivery where state in ('n', 's', 'd') limit 20000) as t) as unfinished,
          coalesce((select extract(epoch from crossdock_now() - min(recorded_at)) * 1000
                      from delivery where state in ('n', 's') and attempts <= 1), 0)::float8 as oldest_ms,
          (select count(*)::int from (select from fact f, log_cursor c
                                       where c.consumer = 'outbound' and (f.transaction_id, f.position) > (c.transaction_id, c.position)
                                       limit 5000) as t) as behind`,
);

export interface PressureLimits {
  inFlightMax: number;
  ageMaxMs: number;
}

/** Whether intake must wait: unfinished outbound work is at its bound, or has grown too old, or the log is far ahead. */
export class Pressure {
  readonly #db: Database;
  readonly #limits: PressureLimits;
  unfinished = 0;
  oldestMs = 0;
  behind = 0;

  constructor(db: Database, limits: PressureLimits) {
    this.#db = db;
    this.#limits = limits;
  }

  async sample(): Promise<void> {
    const [row] = await this.#db.query(sample);
    this.unfinished = row!.unfinished;
    this.oldestMs = row!.oldest_ms;
    this.behind = row!.behind;
  }

  get high(): boolean {
    return this.unfinished > this.#limits.inFlightMax || this.oldestMs > this.#limits.ageMaxMs || this.behind >= 5_000;
  }
}
