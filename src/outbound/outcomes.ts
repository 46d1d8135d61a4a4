/**
 * Writes what became of deliveries, and what their answers do to the orders, for all destinations of this process: outcomes that
 * come in together are written together.
 */
import type {
  FulfilmentCancelAnswer,
  FulfilmentCancelPayload,
  OrderChangePayload,
  SalesOrderAnswer,
} from '../connectors/kit/index.ts';
import type { Directory } from '../master/index.ts';
import { type OrderDeps, type OrderWork, processOrders } from '../orders/index.ts';
import {
  type Database,
  documents,
  isConnectionFault,
  isSerializationFault,
  Lane,
  numbers,
  type Tx,
  texts,
} from '../store/index.ts';
import * as statements from './deliver.sql.ts';
import type { Freshness } from './freshness.ts';

/** Deliveries in one transaction, and lines of theirs that orders are told of: a turn must stay short. */
const OUTCOMES_PER_BATCH_MAX = 300;
const LINES_PER_BATCH_MAX = 3_000;

/** Batches that tell orders what was answered; orders are locked by id, so they can't block each other for ever. */
const TELLING_BATCHES_MAX = 3;

export interface DeliveryOutcome {
  destination: string;
  row: statements.ClaimedDelivery;
  epoch: number;
  state: 'c' | 'r' | 'd' | 'n' | 'p';
  error: string | null;
  answer: unknown;
  pauseMs: number;
  /** Whether its sending counts: not when the whole request was put off. */
  isAttempt: boolean;
  /** What a look said of what was in doubt; of what is on its way by now it says nothing. */
  isLookup: boolean;
}

export interface OutcomesOptions {
  db: Database;
  deps: OrderDeps;
  freshness: Freshness;
  onCommit: () => void;
}

export class Outcomes {
  readonly #options: OutcomesOptions;
  /** Those that tell an order something that moves stock take a turn; the others need none. */
  readonly #moving: Lane<DeliveryOutcome, undefined>;
  readonly #telling: Lane<DeliveryOutcome, undefined>;
  readonly #plain: Lane<DeliveryOutcome, undefined>;

  constructor(options: OutcomesOptions) {
    this.#options = options;
    const common = {
      itemsMax: OUTCOMES_PER_BATCH_MAX,
      // Bounded by what the dispatchers have on their way.
      waitingMax: Number.POSITIVE_INFINITY,
      run: (outcomes: DeliveryOutcome[]) => this.#write(outcomes),
      overflow: (waiting: number) => new Error(`${waiting} outcomes wait`),
    };
    const weighed = { ...common, weigh: linesOf, weightMax: LINES_PER_BATCH_MAX };
    this.#moving = new Lane({ ...weighed, name: 'moving outcomes', enter: () => options.db.turn() });
    this.#telling = new Lane({ ...weighed, name: 'telling outcomes', concurrency: TELLING_BATCHES_MAX });
    this.#plain = new Lane({ ...common, name: 'plain outcomes' });
  }

  /**
   * Resolves when all are committed. An answer that its order can't take holds nothing else back: it is set aside for a person,
   * with what was answered.
   */
  async record(outcomes: readonly DeliveryOutcome[]): Promise<void> {
    await Promise.all(
      outcomes.map(async (outcome) => {
        try {
          await this.#laneOf(outcome).submit(outcome);
        } catch (error) {
          if (isSerializationFault(error) || isConnectionFault(error) || outcome.state === 'p') throw error;
          const reason = error instanceof Error ? error.message : String(error);
          await this.#plain.submit({ ...outcome, state: 'p', error: reason });
        }
      }),
    );
  }

  #laneOf({ row, state, answer }: DeliveryOutcome): Lane<DeliveryOutcome, undefined> {
    const command = state === 'c' ? workOf(this.#options.deps.directory, row, answer)?.command.kind : undefined;
    if (command === undefined) return this.#plain;
    return command === 'answer_cancel' ? this.#moving : this.#telling;
  }

  /** Locks delivery, then orders, then balances. */
  async #write(outcomes: readonly DeliveryOutcome[]): Promise<undefined[]> {
    const { db, freshness, onCommit } = this.#options;
    const ended = await db.transaction((tx) => this.#writeIn(tx, outcomes));
    for (const { row, state, destination } of outcomes) {
      const at = ended.get(row.delivery_id);
      if (state === 'c' && at !== undefined && at !== null)
        freshness.record(`${row.kind}:${destination}`, at.getTime() - row.recorded_at.getTime());
    }
    onCommit();
    return outcomes.map(() => undefined);
  }

  async #writeIn(tx: Tx, outcomes: readonly DeliveryOutcome[]): Promise<Map<number, Date | null>> {
    const rows = await tx.query(statements.recordOutcomes, [
      numbers(outcomes.map((o) => o.row.delivery_id)),
      numbers(outcomes.map((o) => o.epoch)),
      texts(outcomes.map((o) => o.state)),
      texts(outcomes.map((o) => o.error?.slice(0, 500) ?? null)),
      documents(outcomes.map((o) => (o.answer === null || o.answer === undefined ? null : JSON.stringify(o.answer)))),
      numbers(outcomes.map((o) => Math.round(o.pauseMs))),
      numbers(outcomes.map((o) => (o.isAttempt ? 0 : 1))),
      `{${outcomes.map((o) => (o.isLookup ? 't' : 'f')).join(',')}}`,
    ]);
    const written = new Map(rows.map((row) => [row.delivery_id, row.ended_at]));
    const telling: { work: OrderWork; destination: string }[] = [];
    for (const { row, state, answer, destination } of outcomes)
      if (state === 'c' && written.has(row.delivery_id)) {
        const work = workOf(this.#options.deps.directory, row, answer);
        if (work !== undefined) telling.push({ work, destination });
      }
    if (telling.length === 0) return written;
    const batch = await processOrders(
      tx,
      this.#options.deps,
      telling.map(({ work }) => work),
    );
    batch.results.forEach((result, i) => {
      if (result.outcome === 'refused')
        throw new Error(
          `${telling[i]!.destination} answered what the order can't take: ${result.refused}, ${result.detail}`,
        );
    });
    await batch.finish();
    return written;
  }
}

function linesOf({ row }: DeliveryOutcome): number {
  return (row.payload as { lines?: unknown[] }).lines?.length ?? 1;
}

/** What a confirmed delivery tells the order it belongs to. */
function workOf(directory: Directory, row: statements.ClaimedDelivery, answer: unknown): OrderWork | undefined {
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
  if (row.kind === 'order_change') {
    const { lines } = row.payload as OrderChangePayload;
    return {
      reference,
      command: { kind: 'confirm_change', lineNos: lines.map(({ lineNo }) => lineNo) },
      occurredAt,
      causationId,
    };
  }
  if (row.kind === 'fulfilment')
    return {
      reference,
      command: { kind: 'release', fulfilmentId: fulfilmentIdOf(directory, row.reference) },
      occurredAt,
      causationId,
    };
  if (row.kind === 'fulfilment_cancel') {
    const { fulfilment, lines: asked } = row.payload as FulfilmentCancelPayload;
    const lines = (answer as FulfilmentCancelAnswer).lines.map((line) => {
      const units = asked.reduce((sum, { lineNo, quantity }) => sum + (lineNo === line.lineNo ? quantity : 0), 0);
      return { ...line, asked: units };
    });
    return {
      reference,
      command: {
        kind: 'answer_cancel',
        reference: row.reference,
        fulfilmentId: fulfilmentIdOf(directory, fulfilment),
        askedVersion: askedVersionOf(directory, row.reference),
        lines,
      },
      occurredAt,
      causationId,
    };
  }
  return undefined;
}

/** The order's version that asked: the end of the reference, before this hub's own mark. */
function askedVersionOf(directory: Directory, reference: string): number {
  const ours = reference.slice(0, reference.length - directory.referenceEnding.length);
  return Number(ours.slice(ours.lastIndexOf('/') + 1));
}

function fulfilmentIdOf(directory: Directory, reference: string): number {
  const id = directory.fulfilmentIdOf(reference);
  if (id === null) throw new Error(`${reference} is told and is no fulfilment of ours`);
  return id;
}
