/** Decides anew what a change touched: new supply, goods that came or were lost, an order that was cancelled, a pick that was short. */
import { readNext } from '../log/index.ts';
import { type Database, numbers } from '../store/index.ts';
import type { OrderDeps } from './process.ts';
import { applyLines, applyRerun, LINES_PER_TRANSACTION_MAX, planRerun } from './rerun.ts';
import * as statements from './store.sql.ts';

export const RERUN_CONSUMER = 'reruns';
const FACTS_PER_READ_MAX = 2_000;

/** Facts by which somebody may get more, or has to get less. */
const TOUCHING = [
  'supply.announced',
  'supply.received',
  'stock.received',
  'stock.adjusted',
  'stock.counted',
  'stock.exposure_lowered',
  'stock.safety_stock_changed',
  'stock.outside_allocation_changed',
  'order.accepted',
  'order.lines_cancelled',
  'order.hold_released',
  'order.exception_resolved',
  'return.received',
  'return.inspected',
];

function skusOf({ type, data }: { type: string; data: unknown }): number[] {
  const { skuId, skuIds, lines, released } = data as {
    skuId?: number;
    skuIds?: number[];
    lines?: { skuId?: number; backordered?: number }[];
    released?: { skuId: number }[];
  };
  // A new order touches others only where it has to wait.
  const of = type === 'order.accepted' ? (lines ?? []).filter((line) => (line.backordered ?? 0) > 0) : (lines ?? []);
  return [
    skuId,
    ...(skuIds ?? []),
    ...of.map((line) => line.skuId),
    ...(released ?? []).map((line) => line.skuId),
  ].filter((id) => id !== undefined);
}

/**
 * Follows the log to its end. What was read is decided in the transaction that moves the cursor, so that whoever dies has done all or nothing of it;
 * only what one transaction has no room for comes behind it.
 * @returns facts read and orders of which something changed
 */
export async function followReruns(db: Database, deps: OrderDeps): Promise<{ read: number; changed: number }> {
  const all = { read: 0, changed: 0 };
  for (;;) {
    const { read, changed, rest } = await db.inTurn(async (tx) => {
      const page = await readNext(tx, RERUN_CONSUMER, FACTS_PER_READ_MAX, TOUCHING);
      const released = page.facts.filter(
        ({ type }) => type === 'order.hold_released' || type === 'order.lines_cancelled',
      );
      const waiting =
        released.length === 0
          ? []
          : await tx.query(statements.findWaitingSkus, [
              numbers(released.map(({ stream }) => Number(stream.slice(6)))),
            ]);
      const skuIds = new Set([...page.facts.flatMap(skusOf), ...waiting.map((row) => row.sku_id)]);
      const none = { read: page.read, changed: 0, rest: undefined };
      if (skuIds.size === 0) return none;
      const plan = await planRerun(tx, deps, [...skuIds]);
      if (plan.changes.length === 0) return none;
      if (plan.changes.length > LINES_PER_TRANSACTION_MAX) return { ...none, rest: plan };
      return { ...none, changed: (await applyLines(tx, deps, plan.changes)).applied };
    });
    all.read += read;
    all.changed += changed;
    if (rest !== undefined) all.changed += (await applyRerun(db, deps, rest)).applied;
    if (read < FACTS_PER_READ_MAX) return all;
  }
}
