import type { Hub } from '../../app.ts';
import { checkPromises } from '../../ops/index.ts';
import { readFreshness } from '../../outbound/index.ts';
import { compareWithSystems } from '../../reconcile/index.ts';
import type { DemoOptions } from '../demo.ts';
import { systemStats } from './drain.ts';
import type { Fed, FeederDone } from './feed.ts';
import { summariseMutations } from './mutations.ts';
import * as statements from './summary.sql.ts';

export interface SummaryInput {
  fed: Fed;
  urls: Record<string, string>;
  token: string;
  seconds: number;
  fedSeconds: number;
  peakRssMb: number;
  options: DemoOptions;
  faults: Record<string, { count: number; last: string }>;
}

/** Every line read has one kind, or was rejected with a reason. */
function addsUp(lines: FeederDone['lines'], rejected: number): boolean {
  return Object.values(lines.byKind).reduce((sum, count) => sum + count, 0) + rejected === lines.read;
}

/** Asks the hub and every system for its own truth and puts it side by side. Keys are relied on by others: add, never rename. */
export async function summarise(hub: Hub, input: SummaryInput) {
  const { db } = hub;
  const comparedAt = performance.now();
  const [orders] = await db.query(statements.countOrders);
  const states = await db.query(statements.countStates);
  const [stock] = await db.query(statements.countStock);
  const parked = await db.query(statements.countParked);
  const deliveries = await db.query(statements.countDeliveries);
  const freshness = await readFreshness(db, hub.startedAt);
  const promises = await checkPromises(db);
  const comparison = await compareWithSystems(
    db,
    input.urls as Record<'erp' | 'crm' | 'wms' | 'shop' | 'marketplace', string>,
    input.token,
  );
  const systems: Record<string, unknown> = {};
  for (const [name, url] of Object.entries(input.urls)) {
    const stats = await systemStats(url);
    systems[name] = stats;
  }
  const { done, fileError, rejects } = input.fed;
  const { lines } = done;
  const oversell = comparison.oversell;
  const parityHolds = Object.values(comparison.parity).every(
    (p) => p.missing === 0 && p.extra === 0 && p.different === 0,
  );
  const mutations =
    input.options.mutate === undefined ? undefined : await summariseMutations(db, input.urls, done.mutations);
  const ok =
    parityHolds &&
    mutations?.money.equal !== false &&
    mutations?.stock.explained !== false &&
    oversell === 0 &&
    Object.values(promises).every((promise) => promise.holds) &&
    addsUp(lines, done.rejected) &&
    rejects.count === 0 &&
    fileError === null;
  const perSecond = (count: number) => Math.round((count / Math.max(0.001, input.seconds)) * 10) / 10;
  return {
    ok,
    lines,
    orders: {
      accepted: orders!.orders,
      refused: orders!.orders_refused,
      cancelled: orders!.cancelled_orders,
      shipped: orders!.orders_shipped,
      backordered: orders!.orders_backordered,
      byState: Object.fromEntries(states.map((row) => [row.state, row.count])),
      units: {
        ordered: orders!.quantity,
        allocated: orders!.allocated,
        backordered: orders!.backordered,
        refused: orders!.refused,
        shipped: orders!.shipped,
        cancelled: orders!.cancelled,
        returned: orders!.returned,
      },
    },
    stock: { ...stock!, ...(done.units as object | undefined) },
    oversell,
    parity: comparison.parity,
    freshness,
    throughput: { linesPerSecond: perSecond(lines.read), ordersPerSecond: perSecond(orders!.orders) },
    memory: { hubPeakRssMb: input.peakRssMb },
    seconds: Math.round(input.seconds * 10) / 10,
    fedSeconds: Math.round(input.fedSeconds * 10) / 10,
    compareSeconds: Math.round((performance.now() - comparedAt) / 100) / 10,
    promises,
    parked: Object.fromEntries(parked.map((row) => [row.class, row.count])),
    deliveries: deliveries.map((row) => ({
      system: row.code,
      state: row.state,
      count: row.count,
      attempts: row.attempts,
    })),
    ...(mutations !== undefined && { mutations }),
    rejects,
    fileError,
    feeder: done,
    systems,
    faultsMet: input.faults,
    seed: input.options.seed,
    faults: input.options.faults,
  };
}
