import { fail } from '../canonical/index.ts';
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import type { Fact } from './facts.ts';
import * as statements from './read.sql.ts';

export const READ_FACTS_MAX = 2_000;

/**
 * Reads the next facts for a consumer inside `tx`, in (transaction, position) order and below the snapshot's xmin, and
 * moves its cursor. The cursor row stays locked until the caller commits: what the consumer writes and how far it
 * has read are one.
 * @param types what is wanted; default: all
 * @returns how many were read, and those wanted in log order, of the epoch named; within a stream they may be out of version order
 */
export async function readNext(
  tx: Tx,
  consumer: string,
  limit = READ_FACTS_MAX,
  types?: readonly string[],
): Promise<{ read: number; facts: Fact[]; epoch: number }> {
  let [cursor] = await tx.query(statements.lockCursor, [consumer, 0]);
  if (cursor === undefined) {
    await tx.query(statements.ensureCursor, [consumer, 0]);
    [cursor] = await tx.query(statements.lockCursor, [consumer, 0]);
  }
  const { transaction_id: transactionId, position, epoch, is_ahead: isAhead } = cursor!;
  // Everything recorded here from now on would stand before it and never be read.
  if (isAhead)
    fail(
      'XD_LOG_EPOCH',
      `${consumer} has read up to transaction ${transactionId}, which is still to come in this cluster`,
    );
  const { read, facts, place } = await readFrom(tx, { epoch, transactionId, position }, limit, types);
  if (place.epoch !== epoch || read > 0)
    tx.write(statements.moveCursor, [consumer, 0, place.epoch, place.transactionId, place.position]);
  return { read, facts, epoch: place.epoch };
}

/** A consumer that reads no more: facts are not kept for it. Should it read again, it begins at the beginning. */
export async function endConsumer(db: Queryable, consumer: string): Promise<void> {
  await db.query(statements.removeCursor, [consumer]);
}

/** Where a reader stands: epochs follow each other, within one (transaction id, position). */
export interface Place {
  epoch: number;
  transactionId: string;
  position: number;
}

/** Where "from now on" begins: everything before is committed or will never be. */
export async function readEnd(db: Queryable): Promise<Place> {
  const [end] = await db.query(statements.endOfLog);
  return { epoch: end!.epoch, transactionId: end!.transaction_id, position: -1 };
}

/**
 * Reads what follows a place. An epoch that is read to its end is followed by the next.
 * @returns as {@link readNext}, and the place of the last that was read
 */
export async function readFrom(
  db: Queryable,
  from: Place,
  limit: number,
  types?: readonly string[],
): Promise<{ read: number; facts: Fact[]; place: Place }> {
  let place = from;
  for (;;) {
    const { rows, read } = await readPage(db, [place.transactionId, place.position, limit, place.epoch], types);
    const last = rows.at(-1);
    if (last !== undefined) {
      const facts = rows.map(factOf);
      if (types !== undefined && !types.includes(last.type)) facts.pop();
      const { epoch } = place;
      return { read, facts, place: { epoch, transactionId: last.transaction_id, position: last.position } };
    }
    const [next] = await db.query(statements.findNextEpoch, [place.epoch]);
    if (next!.epoch === null) return { read: 0, facts: [], place };
    place = { epoch: next!.epoch, transactionId: '0', position: 0 };
  }
}

async function readPage(
  db: Queryable,
  page: readonly unknown[],
  types: readonly string[] | undefined,
): Promise<{ rows: statements.FactRow[]; read: number }> {
  if (types === undefined) {
    const rows = await db.query(statements.readFacts, page);
    return { rows, read: rows.length };
  }
  const rows = await db.query(statements.readFactsOf, [...page, texts(types)]);
  return { rows, read: rows[0]?.read ?? 0 };
}

/**
 * Begins a new epoch, after a restore: what is in the log is read as it stood, then what this cluster adds.
 * @returns the epoch, and the last position before it
 * Locks the log against writers until the end of the transaction.
 */
export async function beginEpoch(tx: Tx): Promise<{ epoch: number; afterPosition: number }> {
  await tx.query(statements.lockLog);
  const [row] = await tx.query(statements.insertEpoch);
  return { epoch: row!.epoch, afterPosition: row!.after_position };
}

/** All facts of one stream, in version order. */
export async function listStream(db: Queryable, stream: string, limit = 1_000): Promise<Fact[]> {
  return (await db.query(statements.readStream, [stream, limit])).map(factOf);
}

/** Facts named by stream and version, in no order. */
export async function listFacts(db: Queryable, keys: readonly { stream: string; version: number }[]): Promise<Fact[]> {
  if (keys.length === 0) return [];
  const rows = await db.query(statements.readPositions, [
    texts(keys.map((key) => key.stream)),
    numbers(keys.map((key) => key.version)),
  ]);
  return rows.map(factOf);
}

/**
 * Facts named by stream and version that are committed and beyond the consumer's cursor, in no order.
 * @param since when the last fact that the consumer has read was recorded
 */
export async function listUnread(
  tx: Tx,
  consumer: string,
  keys: readonly { stream: string; version: number }[],
  since: Date,
): Promise<Fact[]> {
  if (keys.length === 0) return [];
  const rows = await tx.query(statements.readUnread, [
    consumer,
    texts(keys.map((key) => key.stream)),
    numbers(keys.map((key) => key.version)),
    since.toISOString(),
  ]);
  return rows.map(factOf);
}

/** How many facts (counted up to 5,000) a consumer has not read, and the age of the oldest in ms. */
export async function logLag(db: Queryable, consumer: string): Promise<{ behind: number; oldestMs: number }> {
  const [row] = await db.query(statements.lagRow, [consumer]);
  return { behind: row?.behind ?? 0, oldestMs: row?.oldest_ms ?? 0 };
}

function factOf(row: statements.FactRow): Fact {
  return {
    position: row.position,
    transactionId: row.transaction_id,
    type: row.type,
    stream: row.stream,
    version: row.stream_version,
    companyId: row.company_id,
    occurredAt: row.occurred_at.toISOString(),
    recordedAt: row.recorded_at,
    correlationId: row.correlation_id,
    causationId: row.causation_id,
    data: row.data,
  };
}
