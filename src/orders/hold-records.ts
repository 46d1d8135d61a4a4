/** Holds as people see, put and release them: listed by page, newest first; put and released by a command of their order. */
import { fail, holdKinds } from '../canonical/index.ts';
import { type Database, databaseNow, numbers, type Queryable, texts } from '../store/index.ts';
import type { HoldKind } from './hold-types.ts';
import * as statements from './holds.sql.ts';
import { hasHeldPrices } from './price-differences.sql.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';
import type { OrderCommand } from './types.ts';

export interface HoldRecord {
  holdId: number;
  kind: HoldKind;
  reason: string;
  detail: string;
  state: 'open' | 'released';
  owner: string;
  dueAt: Date | null;
  /** Open, and nobody has looked in time. */
  isDue: boolean;
  orderId: number;
  channelId: number;
  externalNo: string;
  account: string;
  orderState: string;
  currency: string;
  totalMinor: number;
  /** A person; null: a rule. */
  heldBy: string | null;
  releasedBy: string | null;
  releaseReason: string | null;
  recordedAt: Date;
  endedAt: Date | null;
}

export interface HoldFilter {
  state?: 'open' | 'released' | undefined;
  kind?: HoldKind | undefined;
  channelId?: number | undefined;
  orderId?: number | undefined;
  owner?: string | undefined;
  /** Only those that somebody should have looked at by now. */
  due?: boolean | undefined;
  /** Only those with a lower id. */
  before?: number | undefined;
  limit: number;
}

export async function listHolds(db: Queryable, filter: HoldFilter): Promise<HoldRecord[]> {
  const {
    state = null,
    kind = null,
    channelId = null,
    orderId = null,
    owner = null,
    due = false,
    before = null,
  } = filter;
  const values = [before, state, kind, channelId, orderId, null, owner, due, filter.limit];
  return (await db.query(statements.listHolds, values)).map(recordOf);
}

/** @throws XD_NOT_FOUND */
export async function getHold(db: Queryable, holdId: number): Promise<HoldRecord> {
  const [row] = await db.query(statements.listHolds, [null, null, null, null, null, holdId, null, false, 1]);
  return row === undefined ? fail('XD_NOT_FOUND', `there is no hold ${holdId}`, { place: 'id' }) : recordOf(row);
}

/** Open ones by kind, and how many of them somebody should have looked at. */
export async function countOpenHolds(
  db: Queryable,
): Promise<{ kind: HoldKind; holds: number; due: number; oldestMs: number }[]> {
  const rows = await db.query(statements.countOpenHolds);
  return rows.map(({ oldest_ms: oldestMs, ...row }) => ({ ...row, oldestMs: Math.round(oldestMs) }));
}

/**
 * A person holds an order. The same reason and detail again is the hold that is there.
 * @throws XD_UNKNOWN_ORDER; XD_REFUSED when nothing of it is left to hold
 * Locks as {@link processOrders} does.
 */
export async function holdOrder(
  db: Database,
  deps: OrderDeps,
  orderId: number,
  {
    reason,
    detail,
    dueAt = null,
    by,
  }: { reason: string; detail: string; dueAt?: string | null | undefined; by: string },
): Promise<HoldRecord> {
  await perform(db, deps, orderId, { kind: 'hold', hold: { kind: 'manual', reason, detail }, dueAt, by });
  const open = await listHolds(db, { orderId, state: 'open', kind: 'manual', limit: 1_000 });
  const found = open.find((hold) => hold.reason === reason && hold.detail === detail);
  return found ?? fail('XD_REFUSED', `order ${orderId} was released again meanwhile`, { place: 'id' });
}

/**
 * Releases a hold; with `reprice` one for prices at the decided ones. The same again does nothing. With the last one the ERP is told the order.
 * @throws XD_NOT_FOUND
 */
export async function releaseHold(
  db: Database,
  deps: OrderDeps,
  holdId: number,
  {
    by,
    reason = null,
    reprice = false,
  }: { by: string; reason?: string | null | undefined; reprice?: boolean | undefined },
): Promise<HoldRecord> {
  const { orderId } = await getHold(db, holdId);
  await perform(db, deps, orderId, { kind: 'release_hold', holdId, by, reason, ...(reprice && { reprice }) });
  // Somebody released it first.
  if (reprice && (await db.query(hasHeldPrices, [orderId]))[0]!.has)
    fail('XD_REFUSED', `hold ${holdId} was released at the asked prices`, { refused: 'hold_released', place: 'id' });
  return getHold(db, holdId);
}

async function perform(db: Database, deps: OrderDeps, orderId: number, command: OrderCommand): Promise<void> {
  const occurredAt = (await databaseNow(db)).toISOString();
  const result = await db.inTurn(async (tx) => {
    const batch = await processOrders(tx, deps, [{ reference: { orderId }, command, occurredAt }]);
    await batch.finish();
    return batch.results[0]!;
  });
  if (result.outcome === 'unknown_order') fail('XD_UNKNOWN_ORDER', `there is no order ${orderId}`, { place: 'id' });
  if (result.outcome === 'refused') fail('XD_REFUSED', result.detail, { refused: result.refused, place: 'id' });
}

/** Gives up the orders whose rule says so once nobody has released their hold in time. @returns how many */
export async function endDueHolds(db: Database, deps: OrderDeps, limit = 50): Promise<number> {
  const kinds = holdKinds.filter((kind) => deps.directory.holdTerms(kind).onDue === 'cancel');
  if (kinds.length === 0) return 0;
  const due = await db.query(statements.findDueHolds, [texts(kinds), limit]);
  if (due.length === 0) return 0;
  const occurredAt = (await databaseNow(db)).toISOString();
  return db.inTurn(async (tx) => {
    // Found without a lock: one that was released or cancelled meanwhile is told from what it is now.
    const open = new Set(
      (await tx.query(statements.lockDueHolds, [numbers(due.map((row) => row.order_id)), texts(kinds)])).map(
        (row) => row.order_id,
      ),
    );
    const works = due
      .filter((row) => open.has(row.order_id))
      .flatMap((row) =>
        row.line_nos.map(
          (lineNo, i): OrderWork => ({
            reference: { orderId: row.order_id },
            command: { kind: 'cancel', reference: `hold ${row.kind}`, lineNo, quantity: row.quantities[i]! },
            occurredAt,
          }),
        ),
      );
    const batch = await processOrders(tx, deps, works);
    await batch.finish();
    return open.size;
  });
}

function recordOf(row: statements.ListedHold): HoldRecord {
  const { kind, reason, detail, state, owner, account, currency } = row;
  return {
    ...{ holdId: row.hold_id, kind, reason, detail, state, owner, dueAt: row.due_at, isDue: row.is_due },
    ...{ orderId: row.order_id, channelId: row.channel_id, externalNo: row.external_no, account },
    ...{ orderState: row.order_state, currency, totalMinor: row.total_minor },
    ...{ heldBy: row.held_by, releasedBy: row.released_by, releaseReason: row.release_reason },
    ...{ recordedAt: row.recorded_at, endedAt: row.ended_at },
  };
}
