/** What an order was promised, and what it was promised before: one record a part of a line, with its reason and rule. */
import type { Queryable } from '../store/index.ts';
import { listPromises } from './promise-records.sql.ts';

export interface PromiseRecord {
  lineNo: number;
  /** Of a line that leaves in place of an ordered one: that one. */
  standsFor: number | null;
  sku: string;
  quantity: number;
  /** When it leaves; null: nobody knows. */
  promisedAt: Date | null;
  location: string | null;
  /** System and number of the supply that it rests on, and when that was due when it was promised. */
  supply: string | null;
  supplyDueAt: Date | null;
  channel: string;
  account: string;
  /** Why it is this: stock, supply, no_supply, held, no_calendar or ship_complete. */
  reason: string;
  /** What it was promised upon: accepted, served, cancelled, supply_changed … */
  cause: string;
  ruleVersion: string;
  /** Versions of the order: with which it was promised, and since which something else is; null: it holds. */
  orderVersion: number;
  replacedVersion: number | null;
  recordedAt: Date;
}

/** By line, newest first. @param past also what holds no more @param max at most so many */
export async function readPromiseRecords(
  db: Queryable,
  orderId: number,
  { past, max }: { past: boolean; max: number },
): Promise<PromiseRecord[]> {
  const rows = await db.query(listPromises, [orderId, past, max]);
  return rows.map((row) => ({
    ...{ lineNo: row.line_no, standsFor: row.stands_for, sku: row.sku, quantity: row.quantity },
    ...{ promisedAt: row.promised_at, location: row.location, supply: row.supply, supplyDueAt: row.due_at },
    ...{ channel: row.channel, account: row.account, reason: row.reason, cause: row.cause },
    ...{ ruleVersion: row.rule_version, orderVersion: row.order_version, replacedVersion: row.replaced_version },
    recordedAt: row.recorded_at,
  }));
}
