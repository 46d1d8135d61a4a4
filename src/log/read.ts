import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import type { Fact } from './facts.ts';
import * as statements from './read.sql.ts';

export const READ_FACTS_MAX = 2_000;

/**
 * Reads the next facts for a consumer inside `tx`, in (transaction, position) order and below the snapshot's xmin, and
 * moves its cursor. The cursor row stays locked until the caller commits: what the consumer writes and how far it
 * has read are one.
 * @param types what is wanted; default: all
 * @returns how many were read, and those wanted in log order; within a stream they may be out of version order
 */
export async function readNext(
  tx: Tx,
  consumer: string,
  limit = READ_FACTS_MAX,
  types?: readonly string[],
): Promise<{ read: number; facts: Fact[] }> {
  let [cursor] = await tx.query(statements.lockCursor, [consumer, 0]);
  if (cursor === undefined) {
    await tx.query(statements.ensureCursor, [consumer, 0]);
    [cursor] = await tx.query(statements.lockCursor, [consumer, 0]);
  }
  const { rows, read } = await readPage(tx, [cursor!.transaction_id, cursor!.position, limit], types);
  const last = rows.at(-1);
  if (last === undefined) return { read: 0, facts: [] };
  await tx.query(statements.moveCursor, [consumer, 0, last.transaction_id, last.position]);
  const facts = rows.map(factOf);
  if (types !== undefined && !types.includes(last.type)) facts.pop();
  return { read, facts };
}

async function readPage(
  tx: Tx,
  page: readonly unknown[],
  types: readonly string[] | undefined,
): Promise<{ rows: statements.FactRow[]; read: number }> {
  if (types === undefined) {
    const rows = await tx.query(statements.readFacts, page);
    return { rows, read: rows.length };
  }
  const rows = await tx.query(statements.readFactsOf, [...page, texts(types)]);
  return { rows, read: rows[0]?.read ?? 0 };
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
