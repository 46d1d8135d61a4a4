/** Degraded modes as they are now, and as they were. */
import { appendFacts } from '../log/index.ts';
import type { ModeDomain } from '../master/index.ts';
import { databaseNow, numbers, type Queryable, type Tx } from '../store/index.ts';
import * as statements from './modes.sql.ts';

export interface OpenMode {
  modeId: number;
  domain: ModeDomain;
  system: string;
  cause: 'away' | 'drill';
}

/** Those that hold now; at most one a domain. */
export async function readOpenModes(db: Queryable): Promise<OpenMode[]> {
  return (await db.query(statements.findOpen)).map(({ mode_id: modeId, domain, system, cause }) => ({
    ...{ modeId, domain, system, cause },
  }));
}

export interface ModeRecord extends OpenMode {
  state: 'open' | 'left';
  detail: string;
  by: string | null;
  enteredAt: string;
  endsAt: string | null;
  leftAt: string | null;
  seconds: number;
  /** Accepted meanwhile; of these held because they were beyond what may be accepted. */
  orders: number;
  held: number;
}

/** Newest first. */
export async function listModes(db: Queryable, { all, limit }: { all: boolean; limit: number }): Promise<ModeRecord[]> {
  return (await db.query(statements.listModes, [all, limit])).map((row) => ({
    ...{ modeId: row.mode_id, domain: row.domain, system: row.system, cause: row.cause, detail: row.detail },
    state: row.is_open ? 'open' : 'left',
    ...{ by: row.entered_by, enteredAt: row.recorded_at.toISOString(), endsAt: row.ends_at?.toISOString() ?? null },
    ...{ leftAt: row.left_at?.toISOString() ?? null, seconds: row.seconds, orders: row.orders, held: row.held },
  }));
}

export interface DegradedOrder {
  orderId: number;
  channelId: number;
  externalNo: string;
  account: string;
  currency: string;
  totalMinor: number;
  isHeld: boolean;
  checkedAt: string | null;
  /** By how much its account was over its limit once the ERP was back; null: not known. */
  overByMinor: number | null;
}

/** What was accepted in a mode. */
export async function listDegradedOrders(db: Queryable, modeId: number, limit: number): Promise<DegradedOrder[]> {
  return (await db.query(statements.listOrders, [modeId, limit])).map((row) => ({
    ...{ orderId: row.order_id, channelId: row.channel_id, externalNo: row.external_no, account: row.account },
    ...{ currency: row.currency, totalMinor: row.total_minor, isHeld: row.is_held, overByMinor: row.over_by_minor },
    checkedAt: row.checked_at?.toISOString() ?? null,
  }));
}

/** Keeps which orders were accepted in a mode; the caller holds their locks. */
export function noteDegradedOrders(
  tx: Tx,
  orders: readonly { orderId: number; modeId: number; isHeld: boolean }[],
): void {
  if (orders.length === 0) return;
  tx.write(statements.addOrders, [
    numbers(orders.map(({ orderId }) => orderId)),
    numbers(orders.map(({ modeId }) => modeId)),
    `{${orders.map(({ isHeld }) => (isHeld ? 't' : 'f')).join(',')}}`,
  ]);
}

/** Orders of modes that were left, not yet looked at again. */
export async function listUnchecked(
  db: Queryable,
  limit: number,
): Promise<{ orderId: number; modeId: number; accountId: number; secondsSince: number }[]> {
  return (await db.query(statements.findUnchecked, [limit])).map((row) => ({
    ...{ orderId: row.order_id, modeId: row.mode_id, accountId: row.account_id, secondsSince: row.seconds_since },
  }));
}

/**
 * Writes what fresh credit said of them, as a fact a mode; what somebody else has written meanwhile stays.
 * @returns those that this call has written
 */
export async function writeChecked(
  tx: Tx,
  checked: readonly { orderId: number; modeId: number; overByMinor: number | null }[],
): Promise<ReadonlySet<number>> {
  const rows = await tx.query(statements.checkOrders, [
    numbers(checked.map(({ orderId }) => orderId)),
    numbers(checked.map(({ overByMinor }) => overByMinor)),
  ]);
  const mine = new Set(rows.map((row) => row.order_id));
  const now = await databaseNow(tx);
  const byMode = Map.groupBy(
    checked.filter(({ orderId }) => mine.has(orderId)),
    ({ modeId }) => modeId,
  );
  await appendFacts(
    tx,
    [...byMode].map(([modeId, list]) => ({
      type: 'mode.checked',
      stream: `mode/${modeId}`,
      version: 0,
      companyId: 0,
      occurredAt: now.toISOString(),
      data: { modeId, orders: list.map(({ orderId, overByMinor }) => ({ orderId, overByMinor })) },
    })),
  );
  return mine;
}

/** Of these orders those that were accepted while the ERP was away and that nothing live has confirmed since. */
export async function readUnconfirmed(db: Queryable, orderIds: readonly number[]): Promise<ReadonlySet<number>> {
  if (orderIds.length === 0) return new Set();
  const rows = await db.query(statements.findUnconfirmed, [numbers(orderIds)]);
  return new Set(rows.map((row) => row.order_id));
}
