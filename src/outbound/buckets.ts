/** Whose turn a key is: a destination's keys are spread over buckets, and a lease each says which process works on it. */
import { permitted } from '../connectors/kit/index.ts';
import { type Database, type Leases, numbers, type Statement } from '../store/index.ts';

export const BUCKETS = 8;
/** What has been on its way for too long is looked for again after this, also in buckets that stayed ours. */
const ADOPT_AGAIN_MS = 5_000;

export function leaseName(destination: string, bucket: number): string {
  return `out/${destination}/${bucket}`;
}

/** Buckets by number, each with its fencing token. */
export type Held = ReadonlyMap<number, number>;

export interface BucketsOptions {
  db: Database;
  leases: Leases;
  destination: { destinationId: number; code: string };
  effectHorizonMs: number;
}

/** The buckets of one destination that this process holds. */
export class Buckets {
  readonly #options: BucketsOptions;
  readonly #doubtOrphans: Statement;
  readonly #adopted = new Map<number, number>();
  #adoptedAt = 0;

  /** @param doubtOrphans of a destination ($1), in buckets ($2) with their epochs ($3), for an effect horizon in ms ($4) */
  constructor(options: BucketsOptions, doubtOrphans: Statement) {
    this.#options = options;
    this.#doubtOrphans = doubtOrphans;
  }

  held(): Held {
    const { leases, destination } = this.#options;
    const held = new Map<number, number>();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const epoch = leases.epoch(leaseName(destination.code, bucket));
      if (epoch !== undefined) held.set(bucket, epoch);
    }
    return held;
  }

  /** Whether a bucket is still ours as it was then: the lease may go while the database is waited for. */
  isStillOurs(bucket: number, held: Held): boolean {
    const { leases, destination } = this.#options;
    return leases.epoch(leaseName(destination.code, bucket)) === held.get(bucket);
  }

  /** `signal`, under which a write of these rows may begin only while all their buckets are still ours as they were then. */
  whileOurs(rows: readonly { bucket: number }[], held: Held, signal: AbortSignal): AbortSignal {
    const buckets = [...new Set(rows.map((row) => row.bucket))];
    return permitted(signal, () => buckets.every((bucket) => this.isStillOurs(bucket, held)));
  }

  /** Puts in doubt what earlier holders of these buckets left on its way. */
  async adopt(held: Held): Promise<void> {
    const { db, destination, effectHorizonMs } = this.#options;
    const fresh = [...held].filter(
      ([bucket, epoch]) => this.#adopted.get(bucket) !== epoch || performance.now() - this.#adoptedAt > ADOPT_AGAIN_MS,
    );
    if (fresh.length === 0) return;
    await db.query(this.#doubtOrphans, [
      destination.destinationId,
      numbers(fresh.map(([bucket]) => bucket)),
      numbers(fresh.map(([, epoch]) => epoch)),
      effectHorizonMs,
    ]);
    for (const [bucket, epoch] of fresh) this.#adopted.set(bucket, epoch);
    this.#adoptedAt = performance.now();
  }
}
