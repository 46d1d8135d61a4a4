/** Decides anew what a change touched: new supply, goods that came or were lost, an order that was cancelled, a pick that was short. */
import { endConsumer, readNext } from '../log/index.ts';
import { type Database, numbers } from '../store/index.ts';
import type { OrderDeps } from './process.ts';
import { findUncovered } from './rerun.sql.ts';
import { applyLines, applyRerun, isDated, LINES_PER_TRANSACTION_MAX, planRerun, type RerunReach } from './rerun.ts';
import * as statements from './store.sql.ts';

export const RERUN_CONSUMER = 'reruns';
const FACTS_PER_READ_MAX = 2_000;
const SKUS_PER_SWEEP_MAX = 200;

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
  'quota.changed',
  'order.accepted',
  'order.lines_cancelled',
  'order.hold_released',
  'order.exception_resolved',
  'return.received',
  'return.inspected',
];

/** Facts by which there is dated supply that nobody has. */
const FREEING = [
  'supply.announced',
  'supply.received',
  'order.lines_allocated',
  'order.lines_cancelled',
  'order.lines_reassigned',
  'order.hold_released',
  'order.exception_resolved',
  'quota.changed',
];
const ended = new WeakSet<Database>();

/** Whether anything of this estate may be promised what is still to come. */
export function promisesSupply({ directory }: OrderDeps): boolean {
  return [...directory.channelById.values()].some(isDated);
}

function skusOf({ type, data }: { type: string; data: unknown }): number[] {
  const { skuId, skuIds, lines, released, commitments, allocations } = data as {
    skuId?: number;
    commitments?: { skuId: number }[];
    allocations?: { skuId: number }[];
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
    ...[...(released ?? []), ...(commitments ?? []), ...(allocations ?? [])].map((line) => line.skuId),
  ].filter((id) => id !== undefined);
}

/**
 * Follows the log to its end. What was read is decided in the transaction that moves the cursor, so that whoever dies has done all or nothing of it;
 * only what one transaction has no room for comes behind it.
 * @param reach free: nothing is taken from anybody, and there is nothing to do where no channel promises dated supply
 * @returns facts read and orders of which something changed
 */
export async function followReruns(
  db: Database,
  deps: OrderDeps,
  reach: RerunReach = 'all',
): Promise<{ read: number; changed: number }> {
  const all = { read: 0, changed: 0 };
  if (reach === 'free' && !promisesSupply(deps)) {
    // Where an earlier estate decided anew, its reader would keep all facts for ever.
    if (!ended.has(db)) await endConsumer(db, RERUN_CONSUMER);
    ended.add(db);
    return all;
  }
  const types = reach === 'free' ? FREEING : TOUCHING;
  for (;;) {
    const { read, changed, rest } = await db.inTurn(async (tx) => {
      const page = await readNext(tx, RERUN_CONSUMER, FACTS_PER_READ_MAX, types);
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
      const plan = await planRerun(tx, deps, [...skuIds], reach);
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

/**
 * What waits although there is dated supply that nobody has: what nobody told, such as supply that comes near enough only now.
 * @returns orders of which something changed
 */
export async function sweepReruns(db: Database, deps: OrderDeps): Promise<number> {
  const channels = [...deps.directory.channelById.values()].filter(isDated);
  if (channels.length === 0) return 0;
  const days = Math.max(...channels.map(({ horizonDays }) => horizonDays));
  const rows = await db.query(findUncovered, [days, SKUS_PER_SWEEP_MAX]);
  if (rows.length === 0) return 0;
  const plan = await planRerun(
    db,
    deps,
    rows.map((row) => row.sku_id),
    'free',
  );
  return plan.changes.length === 0 ? 0 : (await applyRerun(db, deps, plan)).applied;
}
