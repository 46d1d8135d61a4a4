import { texts } from './arrays.ts';
import { type Database, sql } from './database.ts';

const renew = sql<{ name: string; epoch: number }>(
  'lease_renew',
  `update lease set expires_at = crossdock_now() + make_interval(secs => $3::float8 / 1000)
    where name = any($2::text[]) and holder = $1::text and expires_at > crossdock_now()
   returning name, epoch`,
);
const take = sql<{ name: string; epoch: number }>(
  'lease_take',
  `insert into lease as l (name, holder, expires_at)
   select name, $1::text, crossdock_now() + make_interval(secs => $3::float8 / 1000)
     from unnest($2::text[]) as t(name) order by name
   on conflict (name) do update
     set holder = excluded.holder, epoch = l.epoch + 1, expires_at = excluded.expires_at
   where l.expires_at <= crossdock_now()
   returning name, epoch`,
);
const free = sql<{ name: string }>(
  'lease_free',
  `select t.name from unnest($1::text[]) as t(name)
     left join lease l using (name)
    where l.name is null or l.expires_at <= crossdock_now()`,
);
const live = sql<{ count: number }>(
  'lease_live_processes',
  `select count(*)::int as count from lease where name like 'process/%' and expires_at > crossdock_now()`,
);
const release = sql(
  'lease_release',
  `update lease set expires_at = crossdock_now() where holder = $1::text and expires_at > crossdock_now()`,
);
const giveBack = sql(
  'lease_give_back',
  `update lease set expires_at = crossdock_now() where holder = $1::text and name = any($2::text[]) and expires_at > crossdock_now()`,
);

export interface LeaseOptions {
  db: Database;
  /** Unique for ever: a process's life, not its host. */
  holder: string;
  ttlMs?: number;
  onFault?: (error: unknown) => void;
}

/**
 * Holds this process's share of the named pieces of work. The epoch is the fencing token: it grows with every change of
 * holder, and every write made under a lease names it. Expiry is judged by the database's clock; this process
 * stops believing in a lease well before the database does, by its own monotonic clock.
 */
export class Leases {
  readonly #options: Required<Omit<LeaseOptions, 'onFault'>> & Pick<LeaseOptions, 'onFault'>;
  readonly #names = new Set<string>();
  readonly #held = new Map<string, { epoch: number; until: number }>();
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #stopped = false;

  constructor(options: LeaseOptions) {
    this.#options = { ttlMs: 4_000, ...options };
  }

  /** Declares work that some process must do. */
  want(names: readonly string[]): void {
    for (const name of names) this.#names.add(name);
  }

  /** The fencing token if this process holds the work now. */
  epoch(name: string): number | undefined {
    const lease = this.#held.get(name);
    return lease !== undefined && lease.until > performance.now() ? lease.epoch : undefined;
  }

  async start(): Promise<void> {
    await this.beat();
    const every = this.#options.ttlMs / 4;
    this.#timer = setInterval(() => {
      this.#beating ??= this.beat()
        .catch((error) => this.#options.onFault?.(error))
        .finally(() => {
          this.#beating = undefined;
        });
    }, every);
  }

  /** One round: renew what is held, give back what is beyond this process's share, take what is free. */
  async beat(): Promise<void> {
    const { db, holder, ttlMs } = this.#options;
    const self = `process/${holder}`;
    const started = performance.now();
    const until = started + ttlMs * 0.75;
    const mine = [self, ...this.#held.keys()];
    const renewed = await db.query(renew, [holder, texts(mine), ttlMs]);
    const still = new Set(renewed.map((row) => row.name));
    for (const name of [...this.#held.keys()]) if (!still.has(name)) this.#held.delete(name);
    for (const { name, epoch } of renewed) if (name !== self) this.#held.set(name, { epoch, until });
    if (!still.has(self)) await db.query(take, [holder, texts([self]), ttlMs]);
    const processes = Math.max(1, (await db.query(live))[0]!.count);
    const share = Math.ceil(this.#names.size / processes);
    if (this.#held.size > share) {
      const surplus = [...this.#held.keys()].slice(share);
      for (const name of surplus) this.#held.delete(name);
      await db.query(giveBack, [holder, texts(surplus)]);
    } else if (this.#held.size < share && !this.#stopped) {
      const wanted = [...this.#names].filter((name) => !this.#held.has(name));
      const open = (await db.query(free, [texts(wanted)])).slice(0, share - this.#held.size).map((row) => row.name);
      if (open.length > 0)
        for (const { name, epoch } of await db.query(take, [holder, texts(open), ttlMs]))
          this.#held.set(name, { epoch, until });
    }
  }

  /** Gives everything back at once, so that others need not wait for the expiry. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#beating;
    this.#held.clear();
    await this.#options.db.query(release, [this.#options.holder]);
  }
}
