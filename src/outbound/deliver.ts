/**
 * Delivers facts to one destination: in order per key, each exactly one effect.
 *
 * new → sending (committed before the first byte) → confirmed | refused | in doubt | new again (it surely had no effect).
 * In doubt: wait the destination's effect horizon, look it up by its reference; found is confirmed, not found is new again.
 * A destination that may lie confirms nothing by its answer: what it said it took is looked up at once.
 */
import type {
  Connector,
  DeliveryKind,
  FulfilmentCancelAnswer,
  Outcome,
  SalesOrderAnswer,
} from '../connectors/kit/index.ts';
import { type OrderDeps, type OrderWork, processOrders } from '../orders/index.ts';
import {
  type Database,
  isConnectionFault,
  isSerializationFault,
  type Leases,
  numbers,
  type Tx,
  texts,
} from '../store/index.ts';
import * as statements from './deliver.sql.ts';
import type { Freshness } from './freshness.ts';
import { BUCKETS } from './plan.ts';
import { retryPauseMs } from './retry.ts';

const CLAIM_MAX = 400;

export interface DispatcherOptions {
  db: Database;
  deps: OrderDeps;
  leases: Leases;
  destination: { destinationId: number; code: string };
  connector: Connector;
  concurrency: number;
  effectHorizonMs: number;
  attemptsMax: number;
  freshness: Freshness;
  random: () => number;
  onCommit: () => void;
  onError: (error: unknown) => void;
  /** Ends a write that takes too long; the connector's own timeouts come first. */
  signal: AbortSignal;
}

interface Result {
  row: statements.ClaimedDelivery;
  epoch: number;
  state: 'c' | 'r' | 'd' | 'n' | 'p';
  error: string | null;
  answer: unknown;
  pauseMs: number;
}

export function leaseName(destination: string, bucket: number): string {
  return `out/${destination}/${bucket}`;
}

/** The buckets this process holds, with their fencing tokens. */
export function heldBuckets(leases: Leases, destination: string): Map<number, number> {
  const held = new Map<number, number>();
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const epoch = leases.epoch(leaseName(destination, bucket));
    if (epoch !== undefined) held.set(bucket, epoch);
  }
  return held;
}

export class DeliveryDispatcher {
  readonly #options: DispatcherOptions;
  readonly #adopted = new Map<number, number>();
  #adoptedAt = 0;
  /** Rows that a batch of ours is working on. */
  readonly #busy = new Set<number>();
  /** Rows that a batch of ours left on their way, with the epoch they were sent under. */
  readonly #strays = new Map<number, number>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
  }

  /** One round. @returns how many deliveries were worked on */
  async round(): Promise<number> {
    const { db, leases, destination, connector, effectHorizonMs } = this.#options;
    const held = heldBuckets(leases, destination.code);
    if (held.size === 0) return 0;
    const fresh = [...held].filter(
      ([bucket, epoch]) => this.#adopted.get(bucket) !== epoch || performance.now() - this.#adoptedAt > 5_000,
    );
    if (fresh.length > 0) {
      await db.query(statements.doubtOrphans, [
        destination.destinationId,
        numbers(fresh.map(([bucket]) => bucket)),
        numbers(fresh.map(([, epoch]) => epoch)),
        effectHorizonMs,
      ]);
      for (const [bucket, epoch] of fresh) this.#adopted.set(bucket, epoch);
      this.#adoptedAt = performance.now();
    }
    if (this.#strays.size > 0) {
      const strays = [...this.#strays];
      await db.query(statements.doubtStrays, [
        numbers(strays.map(([id]) => id)),
        numbers(strays.map(([, epoch]) => epoch)),
        effectHorizonMs,
      ]);
      for (const [id] of strays) this.#strays.delete(id);
    }
    const due = await db.query(statements.findDue, [destination.destinationId, numbers([...held.keys()]), CLAIM_MAX]);
    const rows = due.filter((row) => !this.#busy.has(row.delivery_id));
    if (rows.length === 0) return 0;
    const jobs: (() => Promise<void>)[] = [];
    const byKind = new Map<string, statements.ClaimedDelivery[]>();
    for (const row of rows) {
      const list = byKind.get(row.kind);
      if (list === undefined) byKind.set(row.kind, [row]);
      else list.push(row);
    }
    for (const [kind, list] of byKind) {
      const served = connector.deliveries[kind];
      if (served === undefined) {
        jobs.push(() =>
          this.#record(
            list.map((row) => ({
              row,
              epoch: held.get(row.bucket)!,
              state: 'p',
              error: `${destination.code} does not serve ${kind}`,
              answer: null,
              pauseMs: 0,
            })),
          ),
        );
        continue;
      }
      for (let i = 0; i < list.length; i += served.batchMax) {
        const batch = list.slice(i, i + served.batchMax);
        jobs.push(() => this.#keepingStrays(batch, held, () => this.#work(served, batch, held)));
      }
    }
    for (const row of rows) this.#busy.add(row.delivery_id);
    try {
      await runAll(jobs, this.#options.concurrency, this.#options.onError);
    } finally {
      for (const row of rows) this.#busy.delete(row.delivery_id);
    }
    return rows.length;
  }

  /** The lease is renewed under the same epoch, so nobody takes over what a failed batch leaves behind: we do it ourselves. */
  async #keepingStrays(
    rows: readonly statements.ClaimedDelivery[],
    held: ReadonlyMap<number, number>,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      for (const row of rows) this.#strays.set(row.delivery_id, held.get(row.bucket)!);
      throw error;
    }
  }

  async #work(
    kind: DeliveryKind,
    rows: statements.ClaimedDelivery[],
    held: ReadonlyMap<number, number>,
  ): Promise<void> {
    const doubtful = rows.filter((row) => row.state === 'd');
    if (doubtful.length > 0) await this.#lookUp(kind, doubtful, held);
    const fresh = rows.filter((row) => row.state === 'n');
    if (fresh.length > 0) await this.#send(kind, fresh, held);
  }

  async #send(
    kind: DeliveryKind,
    rows: statements.ClaimedDelivery[],
    held: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { db, leases, destination, signal, effectHorizonMs, attemptsMax, random, connector } = this.#options;
    const claimed = new Set(
      (
        await db.query(statements.markSending, [
          numbers(rows.map((r) => r.delivery_id)),
          numbers(rows.map((r) => held.get(r.bucket)!)),
        ])
      ).map((row) => row.delivery_id),
    );
    // The lease may have gone while we waited for the database: what we can still hold back, we do not send.
    const mine = rows.filter(
      (row) =>
        claimed.has(row.delivery_id) && leases.epoch(leaseName(destination.code, row.bucket)) === held.get(row.bucket),
    );
    for (const row of rows)
      if (claimed.has(row.delivery_id) && !mine.includes(row)) this.#strays.set(row.delivery_id, held.get(row.bucket)!);
    if (mine.length === 0) return;
    let outcomes: Outcome[];
    try {
      outcomes = await kind.write(
        mine.map(({ reference, payload }) => ({ reference, payload })),
        signal,
      );
    } catch (error) {
      outcomes = mine.map(() => ({ outcome: 'in_doubt', error: messageOf(error) }));
    }
    let found: Map<string, unknown> | undefined;
    const claimedDone = mine.filter((_, i) => outcomes[i]?.outcome === 'confirmed').map((row) => row.reference);
    if (connector.confirmedBy === 'read_back' && claimedDone.length > 0) {
      try {
        found = await kind.locate(claimedDone, signal);
      } catch {
        found = undefined;
      }
    }
    await this.#record(
      mine.map((row, i): Result => {
        const outcome = outcomes[i] ?? { outcome: 'in_doubt', error: 'no answer for this item' };
        const epoch = held.get(row.bucket)!;
        const attempts = row.attempts + 1;
        if (outcome.outcome === 'confirmed') {
          if (connector.confirmedBy === 'answer')
            return { row, epoch, state: 'c', error: null, answer: outcome.answer, pauseMs: 0 };
          if (found?.has(row.reference))
            return {
              row,
              epoch,
              state: 'c',
              error: null,
              answer: found.get(row.reference) ?? outcome.answer,
              pauseMs: 0,
            };
          return {
            row,
            epoch,
            state: 'd',
            error: 'said to be done, but not found',
            answer: null,
            pauseMs: effectHorizonMs,
          };
        }
        if (outcome.outcome === 'refused')
          return { row, epoch, state: 'p', error: outcome.error, answer: outcome.answer ?? null, pauseMs: 0 };
        if (outcome.outcome === 'in_doubt')
          return { row, epoch, state: 'd', error: outcome.error, answer: null, pauseMs: effectHorizonMs };
        if (attempts >= attemptsMax)
          return {
            row,
            epoch,
            state: 'p',
            error: `${attempts} attempts; the last: ${outcome.error}`,
            answer: null,
            pauseMs: 0,
          };
        return {
          row,
          epoch,
          state: 'n',
          error: outcome.error,
          answer: null,
          pauseMs: retryPauseMs(attempts, outcome.retryAfterMs, random),
        };
      }),
    );
  }

  async #lookUp(
    kind: DeliveryKind,
    rows: statements.ClaimedDelivery[],
    held: ReadonlyMap<number, number>,
  ): Promise<void> {
    const { signal, random, attemptsMax } = this.#options;
    let found: Map<string, unknown>;
    try {
      found = await kind.locate(
        rows.map((row) => row.reference),
        signal,
      );
    } catch (error) {
      await this.#record(
        rows.map((row) => ({
          row,
          epoch: held.get(row.bucket)!,
          state: 'd',
          error: `could not be looked up: ${messageOf(error)}`,
          answer: null,
          pauseMs: retryPauseMs(row.attempts, undefined, random),
        })),
      );
      return;
    }
    await this.#record(
      rows.map((row): Result => {
        const epoch = held.get(row.bucket)!;
        if (found.has(row.reference))
          return { row, epoch, state: 'c', error: null, answer: found.get(row.reference), pauseMs: 0 };
        if (row.attempts >= attemptsMax)
          return { row, epoch, state: 'p', error: `${row.attempts} attempts and not found`, answer: null, pauseMs: 0 };
        return { row, epoch, state: 'n', error: 'not found after the effect horizon', answer: null, pauseMs: 0 };
      }),
    );
  }

  /**
   * Writes outcomes. One answer that its order can't take must not hold back its neighbours: the batch is halved until it is
   * alone, and then it is set aside for a person, with what was answered.
   */
  async #record(results: readonly Result[]): Promise<void> {
    try {
      await this.#recordTogether(results);
    } catch (error) {
      if (isSerializationFault(error) || isConnectionFault(error)) throw error;
      const [only] = results;
      if (results.length > 1) {
        const half = results.length >> 1;
        await this.#record(results.slice(0, half));
        await this.#record(results.slice(half));
      } else if (only!.state !== 'p') await this.#recordTogether([{ ...only!, state: 'p', error: messageOf(error) }]);
      else throw error;
    }
  }

  /** Writes outcomes and what they do to the orders in one transaction. Locks delivery, then orders, then balances. */
  async #recordTogether(results: readonly Result[]): Promise<void> {
    const { db, deps, freshness, destination, onCommit } = this.#options;
    const tells = results.some((result) => result.state === 'c' && workOf(result.row, result.answer) !== undefined);
    const write = async (tx: Tx) => {
      const rows = await tx.query(statements.recordOutcomes, [
        numbers(results.map((r) => r.row.delivery_id)),
        numbers(results.map((r) => r.epoch)),
        texts(results.map((r) => r.state)),
        texts(results.map((r) => r.error?.slice(0, 500) ?? null)),
        texts(results.map((r) => (r.answer === null || r.answer === undefined ? null : JSON.stringify(r.answer)))),
        numbers(results.map((r) => Math.round(r.pauseMs))),
      ]);
      const written = new Map(rows.map((row) => [row.delivery_id, row.ended_at]));
      const works: OrderWork[] = [];
      for (const result of results)
        if (result.state === 'c' && written.has(result.row.delivery_id)) {
          const work = workOf(result.row, result.answer);
          if (work !== undefined) works.push(work);
        }
      if (works.length > 0) {
        const batch = await processOrders(tx, deps, works);
        for (const outcome of batch.results)
          if (outcome.outcome === 'refused')
            throw new Error(
              `${destination.code} answered what the order can't take: ${outcome.refused}, ${outcome.detail}`,
            );
        await batch.finish();
      }
      return written;
    };
    const ended = await (tells ? db.inTurn(write) : db.transaction(write));
    for (const result of results) {
      const at = ended.get(result.row.delivery_id);
      if (result.state === 'c' && at !== undefined && at !== null)
        freshness.record(`${result.row.kind}:${destination.code}`, at.getTime() - result.row.recorded_at.getTime());
    }
    onCommit();
  }
}

/** What a confirmed delivery tells the order it belongs to. */
function workOf(row: statements.ClaimedDelivery, answer: unknown): OrderWork | undefined {
  if (row.order_id === null) return undefined;
  const occurredAt = new Date().toISOString();
  const reference = { orderId: row.order_id };
  const causationId = `delivery/${row.delivery_id}`;
  if (row.kind === 'sales_order')
    return {
      reference,
      command: { kind: 'confirm', erpNumber: (answer as SalesOrderAnswer).number },
      occurredAt,
      causationId,
    };
  if (row.kind === 'fulfilment')
    return {
      reference,
      command: { kind: 'release', fulfilmentId: Number(row.reference.slice(1)) },
      occurredAt,
      causationId,
    };
  if (row.kind === 'fulfilment_cancel') {
    const { fulfilment } = row.payload as { fulfilment: string };
    const { lines } = answer as FulfilmentCancelAnswer;
    return {
      reference,
      command: { kind: 'answer_cancel', reference: row.reference, fulfilmentId: Number(fulfilment.slice(1)), lines },
      occurredAt,
      causationId,
    };
  }
  return undefined;
}

/** Runs jobs, at most `limit` at once. A failed one is reported and stops no other. */
export async function runAll(
  jobs: (() => Promise<void>)[],
  limit: number,
  onError: (error: unknown) => void,
): Promise<void> {
  let next = 0;
  const runner = async () => {
    while (next < jobs.length) {
      const job = jobs[next++]!;
      try {
        await job();
      } catch (error) {
        onError(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, jobs.length) }, runner));
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
