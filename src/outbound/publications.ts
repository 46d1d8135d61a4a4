/** What publications of all kinds have in common: whose they are, which are due, what became of them. */
import type { Connector } from '../connectors/kit/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import type { OrderDeps } from '../orders/index.ts';
import { type Database, type Leases, numbers, type Tx, texts } from '../store/index.ts';
import { Buckets, type Held } from './buckets.ts';
import type { Freshness } from './freshness.ts';
import * as statements from './publish.sql.ts';

export interface PublisherOptions {
  db: Database;
  deps: OrderDeps;
  leases: Leases;
  destination: { destinationId: number; code: string };
  connector: Connector;
  /** The channel whose number this destination shows. */
  channel: ChannelEntry | null;
  concurrency: number;
  effectHorizonMs: number;
  attemptsMax: number;
  freshness: Freshness;
  random: () => number;
  onCommit: () => void;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}

export type Kind = 'availability' | 'price' | 'order_status';

export interface Recorded {
  row: statements.DuePublication;
  epoch: number;
  state: 'n' | 'd' | 'p';
  /** The version that the destination surely holds now. */
  confirmed: number | null;
  error: string | null;
  pauseMs: number;
  /** Nothing was sent because nothing differs: no freshness to measure. */
  silent?: boolean;
  /** Nothing went wrong with it: no attempt is counted. */
  blameless?: boolean;
}

export class Publications {
  readonly #options: PublisherOptions;
  readonly #buckets: Buckets;
  /** Rows that a batch of ours left on their way, with the epoch they were sent under. */
  #strays: { kind: Kind; key: number; epoch: number }[] = [];

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#buckets = new Buckets(options, statements.doubtOrphans);
  }

  /** The buckets that are ours, after what others and we ourselves left on its way was put in doubt. */
  async held(): Promise<Held> {
    const held = this.#buckets.held();
    if (held.size === 0) return held;
    await this.#doubtStrays();
    await this.#buckets.adopt(held);
    return held;
  }

  async #doubtStrays(): Promise<void> {
    const { db, destination, effectHorizonMs } = this.#options;
    if (this.#strays.length === 0) return;
    const strays = this.#strays;
    await db.query(statements.doubtStrays, [
      destination.destinationId,
      texts(strays.map((stray) => stray.kind)),
      numbers(strays.map((stray) => stray.key)),
      numbers(strays.map((stray) => stray.epoch)),
      effectHorizonMs,
    ]);
    this.#strays = this.#strays.filter((stray) => !strays.includes(stray));
  }

  /** The lease is renewed under the same epoch, so nobody takes over what a failed batch leaves behind: we do it ourselves. */
  async keepingStrays<T>(
    kind: Kind,
    rows: readonly statements.DuePublication[],
    held: Held,
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      for (const row of rows) this.#strays.push({ kind, key: row.key, epoch: held.get(row.bucket)! });
      throw error;
    }
  }

  /** The signal for a write of these rows, by {@link Buckets.whileOurs}. */
  whileOurs(rows: readonly { bucket: number }[], held: Held, signal: AbortSignal): AbortSignal {
    return this.#buckets.whileOurs(rows, held, signal);
  }

  /** Those whose lease is still believed in: what we can still hold back, we do not send. The others are left in doubt. */
  stillHeld(kind: Kind, rows: readonly statements.DuePublication[], held: Held): statements.DuePublication[] {
    const mine = rows.filter((row) => this.#buckets.isStillOurs(row.bucket, held));
    for (const row of rows)
      if (!mine.includes(row)) this.#strays.push({ kind, key: row.key, epoch: held.get(row.bucket)! });
    return mine;
  }

  /** @param gatherMs how long a change must have stood: what changes again meanwhile is said once */
  due(kind: Kind, held: Held, limit: number, gatherMs = 0): Promise<statements.DuePublication[]> {
    const { db, destination } = this.#options;
    return db.query(statements.findDue, [destination.destinationId, kind, numbers([...held.keys()]), limit, gatherMs]);
  }

  /** Writes outcomes and returns those that were still ours to write. Locks publications in key order. */
  async write(
    tx: Tx,
    kind: Kind,
    records: readonly Recorded[],
  ): Promise<{ key: number; confirmed_at: Date | null; changed_at: Date }[]> {
    const named = [this.#options.destination.destinationId, kind, numbers(records.map((r) => r.row.key))];
    const [locked, written] = await Promise.all([
      tx.query(statements.lockPublications, named),
      tx.query(statements.record, [
        ...named,
        numbers(records.map((r) => r.epoch)),
        texts(records.map((r) => r.state)),
        texts(records.map((r) => r.error?.slice(0, 300) ?? null)),
        numbers(records.map((r) => r.confirmed)),
        numbers(records.map((r) => Math.round(r.pauseMs))),
        numbers(records.map((r) => (r.blameless === true ? 0 : 1))),
      ]),
    ]);
    const changedAt = new Map(locked.map((row) => [row.key, row.changed_at]));
    return written.map((row) => ({ ...row, changed_at: changedAt.get(row.key)! }));
  }

  /** After the commit of {@link write}: how late was what is confirmed now? */
  committed(
    kind: Kind,
    records: readonly Recorded[],
    written: readonly { key: number; confirmed_at: Date | null; changed_at: Date }[],
  ): void {
    const { freshness, destination, onCommit } = this.#options;
    const said = new Set(
      records.filter((record) => record.confirmed !== null && !record.silent).map((record) => record.row.key),
    );
    for (const row of written)
      if (said.has(row.key) && row.confirmed_at !== null)
        freshness.record(`${kind}:${destination.code}`, row.confirmed_at.getTime() - row.changed_at.getTime());
    onCommit();
  }
}
