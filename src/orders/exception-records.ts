/** Exceptions as people see and settle them: listed by page, newest first; settled by a command of their order. */
import { fail } from '../canonical/index.ts';
import { type Database, databaseNow, type Queryable } from '../store/index.ts';
import * as statements from './exceptions.sql.ts';
import { type OrderDeps, processOrders } from './process.ts';
import type { ExceptionKind, ExceptionPolicy, ExceptionUnits } from './types.ts';

export interface ExceptionRecord extends ExceptionUnits {
  exceptionId: number;
  kind: ExceptionKind;
  state: 'open' | 'resolved';
  policy: ExceptionPolicy;
  orderId: number;
  channelId: number;
  externalNo: string;
  lineNo: number;
  sku: string;
  /** Base unit. */
  unit: string;
  units: number;
  resolvedBy: string | null;
  reason: string | null;
  recordedAt: Date;
  endedAt: Date | null;
  /** What is sent instead. */
  standIns: { lineNo: number; sku: string; quantity: number }[];
}

export interface ExceptionFilter {
  state?: 'open' | 'resolved' | undefined;
  kind?: ExceptionKind | undefined;
  channelId?: number | undefined;
  orderId?: number | undefined;
  /** Only those with a lower id. */
  before?: number | undefined;
  limit: number;
}

export async function listExceptions(db: Queryable, filter: ExceptionFilter): Promise<ExceptionRecord[]> {
  const { state = null, kind = null, channelId = null, orderId = null, before = null, limit } = filter;
  const rows = await db.query(statements.listExceptions, [before, state, kind, channelId, orderId, null, limit]);
  return rows.map(recordOf);
}

/** @throws XD_NOT_FOUND */
export async function getException(db: Queryable, exceptionId: number): Promise<ExceptionRecord> {
  const [row] = await db.query(statements.listExceptions, [null, null, null, null, null, exceptionId, 1]);
  return row === undefined
    ? fail('XD_NOT_FOUND', `there is no exception ${exceptionId}`, { place: 'id' })
    : recordOf(row);
}

/** Open ones by kind, and the units that they hold. */
export async function countOpenExceptions(
  db: Queryable,
): Promise<{ kind: ExceptionKind; exceptions: number; units: number; oldestMs: number }[]> {
  const rows = await db.query(statements.countOpenExceptions);
  return rows.map(({ oldest_ms: oldestMs, ...row }) => ({ ...row, oldestMs: Math.round(oldestMs) }));
}

export interface Settlement {
  as: Exclude<ExceptionPolicy, 'hold' | 'resource'>;
  /** For units that no substitute covers. */
  otherwise?: 'backorder' | 'cancel' | null | undefined;
  by: string;
  reason?: string | null | undefined;
}

/**
 * Settles what is held. The same again does nothing.
 * @throws XD_NOT_FOUND, and XD_REFUSED when it was settled otherwise or substitutes don't cover it
 * Locks as {@link processOrders} does.
 */
export async function settleException(
  db: Database,
  deps: OrderDeps,
  exceptionId: number,
  { as, otherwise = null, by, reason = null }: Settlement,
): Promise<ExceptionRecord> {
  const { orderId } = await getException(db, exceptionId);
  const occurredAt = (await databaseNow(db)).toISOString();
  const result = await db.inTurn(async (tx) => {
    const command = { kind: 'resolve_exception', exceptionId, as, otherwise, by, reason } as const;
    const batch = await processOrders(tx, deps, [{ reference: { orderId }, command, occurredAt }]);
    await batch.finish();
    return batch.results[0]!;
  });
  if (result.outcome === 'refused') fail('XD_REFUSED', result.detail, { refused: result.refused, place: 'as' });
  return getException(db, exceptionId);
}

function recordOf(row: statements.ListedException): ExceptionRecord {
  const { exception_id: exceptionId, order_id: orderId, channel_id: channelId, external_no: externalNo } = row;
  const {
    line_no: lineNo,
    kind,
    state,
    policy,
    sku,
    unit,
    units,
    held,
    backordered,
    cancelled,
    substituted,
    resourced,
    reason,
  } = row;
  return {
    ...{ exceptionId, kind, state, policy, orderId, channelId, externalNo, lineNo, sku, unit },
    ...{ units, held, backordered, cancelled, substituted, resourced, reason },
    resolvedBy: row.resolved_by,
    recordedAt: row.recorded_at,
    endedAt: row.ended_at,
    standIns: row.stand_ins ?? [],
  };
}
