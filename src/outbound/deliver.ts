/**
 * Delivers facts to one destination: in order per key, each exactly one effect.
 *
 * new → sending (committed before the first byte) → confirmed | refused | in doubt | new again (it surely had no effect).
 * In doubt: wait the destination's effect horizon, look it up by its reference; found is confirmed, not found is new again.
 * A destination that may lie confirms nothing by its answer: what it said it took is looked up at once.
 */
import { askedToWaitMs, type Connector, type DeliveryKind, type Outcome } from '../connectors/kit/index.ts';
import { type Database, Lane, type Leases, numbers } from '../store/index.ts';
import type { Offer, Sender } from './at-once.ts';
import { Buckets, type Held } from './buckets.ts';
import { chunks } from './chunks.ts';
import * as statements from './deliver.sql.ts';
import type { DeliveryOutcome, Outcomes } from './outcomes.ts';
import { isPaused, retryPauseMs, Setbacks } from './retry.ts';
import { Slots } from './slots.ts';

const CLAIM_MAX = 400;
/**
 * What was to leave at once, and after this long still waits for a slot, is given back. What is not even known to be committed by then is
 * left alone: it is taken for lost soon, and looked up.
 */
const AT_ONCE_MS_MAX = 5_000;

export interface DispatcherOptions {
  db: Database;
  leases: Leases;
  destination: { destinationId: number; code: string };
  connector: Connector;
  concurrency: number;
  effectHorizonMs: number;
  attemptsMax: number;
  outcomes: Outcomes;
  random: () => number;
  /** Milliseconds of a clock that only goes on. */
  now?: () => number;
  onError: (error: unknown) => void;
  /** Whether the system answered: undefined, or why it did not. */
  onContact?: (fault: string | undefined) => void;
  /** Ends a write that takes too long; the connector's own timeouts come first. */
  signal: AbortSignal;
}

export class DeliveryDispatcher implements Sender {
  readonly #options: DispatcherOptions;
  readonly #buckets: Buckets;
  /** Rows that a batch of ours is working on. */
  readonly #busy = new Set<number>();
  /** Rows that a batch of ours left on their way, with the epoch they were sent under. */
  readonly #strays = new Map<number, number>();

  /** Deliveries that were to leave at once and wait for a slot. */
  #leaving = 0;
  readonly #now: () => number;
  readonly #setbacks: Setbacks;
  readonly #lookups: Setbacks;
  readonly #slots: Slots;
  /** Batches that begin together are marked as on their way together. */
  readonly #claims: Lane<{ id: number; epoch: number }, boolean>;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#buckets = new Buckets(options, statements.doubtOrphans);
    this.#now = options.now ?? (() => performance.now());
    this.#setbacks = new Setbacks(options.random, this.#now);
    this.#lookups = new Setbacks(options.random, this.#now);
    this.#slots = new Slots(options.concurrency, options.onError);
    this.#claims = new Lane({
      name: `claims of ${options.destination.code}`,
      itemsMax: CLAIM_MAX,
      waitingMax: Number.POSITIVE_INFINITY,
      run: async (claims) => {
        // In a transaction, so that a cut connection leaves no doubt whether they are marked.
        const marked = await options.db.transaction((tx) =>
          tx.query(statements.markSending, [
            numbers(claims.map(({ id }) => id)),
            numbers(claims.map(({ epoch }) => epoch)),
          ]),
        );
        const ids = new Set(marked.map((row) => row.delivery_id));
        return claims.map(({ id }) => ids.has(id));
      },
      overflow: (waiting) => new Error(`${waiting} claims wait`),
    });
  }

  /** Begins what is due and waits until it has ended. @returns how many deliveries were worked on */
  async round(): Promise<number> {
    const begun = await this.step();
    await this.settled();
    return begun;
  }

  /** Resolves when nothing is under way. */
  settled(): Promise<void> {
    return this.#slots.settled();
  }

  /**
   * Begins what is due; resolves when all of it is under way, so that the next step may follow while answers are awaited.
   * @returns how many deliveries were begun
   */
  async step(): Promise<number> {
    const { db, destination, connector, effectHorizonMs } = this.#options;
    const held = this.#buckets.held();
    if (held.size === 0 || isPaused(connector)) return 0;
    await this.#buckets.adopt(held);
    if (this.#strays.size > 0) {
      const strays = [...this.#strays];
      await db.query(statements.doubtStrays, [
        numbers(strays.map(([id]) => id)),
        numbers(strays.map(([, epoch]) => epoch)),
        effectHorizonMs,
      ]);
      for (const [id] of strays) this.#strays.delete(id);
    }
    // What a batch of ours was working on when we looked may be read in a state that it has left since.
    const busy = new Set(this.#busy);
    const limit = CLAIM_MAX + busy.size;
    const due = await db.query(statements.findDue, [destination.destinationId, numbers([...held.keys()]), limit]);
    // What left at once meanwhile was read as it was then, too.
    const rows = due.filter((row) => !busy.has(row.delivery_id) && !this.#busy.has(row.delivery_id));
    const begun: Promise<void>[] = [];
    const outcomeOf = this.#outcomesUnder(held);
    for (const [kind, list] of byKind(rows)) {
      const served = connector.deliveries[kind];
      if (served === undefined) {
        const parked = list.map((row) => outcomeOf(row, 'p', { error: `${destination.code} does not serve ${kind}` }));
        begun.push(this.#begin(list, () => this.#options.outcomes.record(parked)));
        continue;
      }
      for (const batch of chunks(list, served.batchMax))
        begun.push(this.#begin(batch, () => this.#keepingStrays(batch, held, () => this.#work(served, batch, held))));
    }
    await Promise.all(begun);
    return rows.length;
  }

  /** Resolves when the batch has a slot. */
  #begin(batch: readonly statements.ClaimedDelivery[], work: () => Promise<void>): Promise<void> {
    for (const row of batch) this.#busy.add(row.delivery_id);
    const done = () => {
      for (const row of batch) this.#busy.delete(row.delivery_id);
    };
    return this.#slots.begin(() => work().finally(done));
  }

  /** Nothing while the system wants to be left alone or fails: what must wait, waits where all can see it. */
  offer(): Offer | undefined {
    const { connector, signal } = this.#options;
    const held = this.#buckets.held();
    if (held.size === 0 || signal.aborted || isPaused(connector) || this.#setbacks.isPausing || this.#slots.anyWaits)
      return undefined;
    const serves = (kind: string) => connector.deliveries[kind] !== undefined;
    return { held, at: this.#now(), room: CLAIM_MAX - this.#leaving, serves };
  }

  sendAtOnce(rows: readonly statements.ClaimedDelivery[], { held, at }: Offer): void {
    const { connector, signal, outcomes } = this.#options;
    if (this.#now() - at > AT_ONCE_MS_MAX) return;
    const outcomeOf = this.#outcomesUnder(held);
    for (const [kind, list] of byKind(rows)) {
      const served = connector.deliveries[kind]!;
      for (const batch of chunks(list, served.batchMax)) {
        this.#leaving += batch.length;
        void this.#begin(batch, () => {
          this.#leaving -= batch.length;
          return this.#keepingStrays(batch, held, () => {
            if (!signal.aborted && !isPaused(connector) && this.#now() - at <= AT_ONCE_MS_MAX)
              return this.#sendMarked(served, batch, held);
            // It surely had no effect: it never left.
            return outcomes.record(batch.map((row) => outcomeOf(row, 'n', { isAttempt: false })));
          });
        });
      }
    }
  }

  /** The lease is renewed under the same epoch, so nobody takes over what a failed batch leaves behind: we do it ourselves. */
  async #keepingStrays(
    rows: readonly statements.ClaimedDelivery[],
    held: Held,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const row of rows) this.#strays.set(row.delivery_id, held.get(row.bucket)!);
      throw error;
    }
  }

  /** What became of a row, under the epoch it was worked on. */
  #outcomesUnder(held: Held) {
    return (
      row: statements.ClaimedDelivery,
      state: DeliveryOutcome['state'],
      {
        error = null,
        answer = null,
        pauseMs = 0,
        isAttempt = true,
        isLookup = false,
      }: Partial<Pick<DeliveryOutcome, 'error' | 'answer' | 'pauseMs' | 'isAttempt' | 'isLookup'>>,
    ): DeliveryOutcome => ({
      destination: this.#options.destination.code,
      row,
      epoch: held.get(row.bucket)!,
      state,
      error,
      answer,
      pauseMs,
      isAttempt,
      isLookup,
    });
  }

  async #work(kind: DeliveryKind, rows: statements.ClaimedDelivery[], held: Held): Promise<void> {
    const doubtful = rows.filter((row) => row.state === 'd');
    if (doubtful.length > 0) await this.#lookUp(kind, doubtful, held);
    const fresh = rows.filter((row) => row.state === 'n');
    if (fresh.length > 0) await this.#send(kind, fresh, held);
  }

  async #send(kind: DeliveryKind, rows: statements.ClaimedDelivery[], held: Held): Promise<void> {
    const claims = await Promise.all(
      rows.map((row) => this.#claims.submit({ id: row.delivery_id, epoch: held.get(row.bucket)! })),
    );
    const claimed = rows.filter((_, i) => claims[i]);
    await this.#sendMarked(kind, claimed, held);
  }

  /** @param claimed committed as on their way, under the tokens of `held` */
  async #sendMarked(kind: DeliveryKind, claimed: readonly statements.ClaimedDelivery[], held: Held): Promise<void> {
    const { signal, effectHorizonMs, attemptsMax, random, connector } = this.#options;
    const outcomeOf = this.#outcomesUnder(held);
    // The lease may have gone while we waited for the database: what we can still hold back, we do not send.
    const mine = claimed.filter((row) => this.#buckets.isStillOurs(row.bucket, held));
    for (const row of claimed) if (!mine.includes(row)) this.#strays.set(row.delivery_id, held.get(row.bucket)!);
    if (mine.length === 0) return;
    let outcomes: Outcome[];
    try {
      outcomes = await kind.write(
        mine.map(({ reference, payload }) => ({ reference, payload })),
        this.#buckets.whileOurs(mine, held, signal),
      );
    } catch (error) {
      outcomes = mine.map(() => ({ outcome: 'in_doubt', error: messageOf(error) }));
    }
    this.#tellContact(outcomes);
    let found: Map<string, unknown> | undefined;
    const claimedDone = mine.filter((_, i) => outcomes[i]?.outcome === 'confirmed').map((row) => row.reference);
    if (connector.confirmedBy === 'read_back' && claimedDone.length > 0) {
      try {
        found = await kind.locate(claimedDone, signal);
      } catch {
        found = undefined;
      }
    }
    const putOffMs = this.#setbacks.after(mine[0]!.kind, outcomes);
    await this.#options.outcomes.record(
      mine.map((row, i) => {
        const outcome = outcomes[i] ?? { outcome: 'in_doubt', error: 'no answer for this item' };
        const attempts = row.attempts + 1;
        if (outcome.outcome === 'confirmed') {
          if (connector.confirmedBy === 'answer') return outcomeOf(row, 'c', { answer: outcome.answer });
          if (found?.has(row.reference))
            return outcomeOf(row, 'c', { answer: found.get(row.reference) ?? outcome.answer });
          return outcomeOf(row, 'd', { error: 'said to be done, but not found', pauseMs: effectHorizonMs });
        }
        if (outcome.outcome === 'refused')
          return outcomeOf(row, 'p', { error: outcome.error, answer: outcome.answer ?? null });
        if (outcome.outcome === 'in_doubt')
          return outcomeOf(row, 'd', { error: outcome.error, pauseMs: effectHorizonMs });
        if (outcome.ofSystem === true && putOffMs !== undefined)
          return outcomeOf(row, 'n', { error: outcome.error, pauseMs: putOffMs, isAttempt: false });
        if (attempts >= attemptsMax)
          return outcomeOf(row, 'p', { error: `${attempts} attempts; the last: ${outcome.error}` });
        return outcomeOf(row, 'n', {
          error: outcome.error,
          pauseMs: retryPauseMs(attempts, outcome.retryAfterMs, random),
        });
      }),
    );
  }

  /** A refusal is an answer, and so is an asked-for pause of one item. */
  #tellContact(outcomes: readonly Outcome[]): void {
    const silent = outcomes.every(
      ({ outcome, ...rest }) => outcome === 'in_doubt' || (outcome === 'later' && 'ofSystem' in rest),
    );
    const [first] = outcomes;
    this.#options.onContact?.(silent && first !== undefined && 'error' in first ? first.error : undefined);
  }

  async #lookUp(kind: DeliveryKind, rows: statements.ClaimedDelivery[], held: Held): Promise<void> {
    const { signal, attemptsMax } = this.#options;
    const outcomeOf = this.#outcomesUnder(held);
    const { kind: name } = rows[0]!;
    let found: Map<string, unknown>;
    try {
      found = await kind.locate(
        rows.map((row) => row.reference),
        signal,
      );
    } catch (error) {
      this.#options.onContact?.(messageOf(error));
      const pauseMs = this.#lookups.pauseMs(name, askedToWaitMs(error));
      const said = `could not be looked up: ${messageOf(error)}`;
      await this.#options.outcomes.record(
        rows.map((row) => outcomeOf(row, 'd', { error: said, pauseMs, isLookup: true })),
      );
      return;
    }
    this.#lookups.end(name);
    this.#options.onContact?.(undefined);
    await this.#options.outcomes.record(
      rows.map((row) => {
        if (found.has(row.reference)) return outcomeOf(row, 'c', { answer: found.get(row.reference), isLookup: true });
        if (row.attempts >= attemptsMax)
          return outcomeOf(row, 'p', { error: `${row.attempts} attempts and not found`, isLookup: true });
        return outcomeOf(row, 'n', { error: 'not found after the effect horizon', isLookup: true });
      }),
    );
  }
}

function byKind(rows: readonly statements.ClaimedDelivery[]): Map<string, statements.ClaimedDelivery[]> {
  const kinds = new Map<string, statements.ClaimedDelivery[]>();
  for (const row of rows) {
    const list = kinds.get(row.kind);
    if (list === undefined) kinds.set(row.kind, [row]);
    else list.push(row);
  }
  return kinds;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
