/**
 * Decides anew who gets what there is and what is to come: of the SKUs that something happened to, or of all. Looked at without locks and shown as it
 * is; applied line by line where the order is still as it was, what was given up first.
 */

import { PRIORITY_CLASSES, type PriorityClass } from '../canonical/index.ts';
import { isLimited, QuotaBook, readOpenSupplies } from '../ledger/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import { type Claim, compareHoldings, type Holding, type Pool, redistribute } from '../promise/index.ts';
import { type Database, databaseNow, numbers, type Queryable, type Tx } from '../store/index.ts';
import { needsAllAllocations } from './backorders.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';
import { basisOf } from './quota-counts.ts';
import * as statements from './rerun.sql.ts';
import { type LimitedLine, limitsOf } from './rerun-limits.ts';
import type { OrderCommand } from './types.ts';

const DAY_MS = 86_400_000;
/** Lines of one transaction: it holds the locks of their orders and SKUs. */
export const LINES_PER_TRANSACTION_MAX = 2_000;

export interface RerunPart {
  quantity: number;
  locationId: number;
  /** null: it is there. */
  supplyId: number | null;
  dueAt: string | null;
}

/** What becomes of one line. */
export interface RerunLine {
  orderId: number;
  lineNo: number;
  skuId: number;
  channelId: number;
  accountId: number;
  externalNo: string;
  priority: PriorityClass;
  /** Units that wait, without what is promised of them. */
  before: RerunPart[];
  after: RerunPart[];
  verdict: 'gains' | 'loses' | 'moves';
  change: Extract<OrderCommand, { kind: 'reassign' }>['lines'][number];
}

export interface RerunPlan {
  /** Lines that were looked at. */
  lines: number;
  skus: number;
  /** Those of which something changes, by SKU and order. */
  changes: RerunLine[];
}

interface Known {
  row: statements.RerunLineRow;
  claim: Claim;
  allocations: { allocationId: number; locationId: number; quantity: number }[];
}

/** `all`: by class, some may lose. `free`: who waits gets what nobody has, dearest class first; nobody loses. */
export type RerunReach = 'all' | 'free';

/**
 * @param skuIds null: all of which something waits
 * @param reach free: of dated supply only, as stock that is free is given by the backorders
 * Left as they are: orders on hold, what the WMS was asked for, and what channels that sell by themselves have.
 */
export async function planRerun(
  db: Queryable,
  deps: OrderDeps,
  skuIds: readonly number[] | null,
  reach: RerunReach = 'all',
): Promise<RerunPlan> {
  const channels = [...deps.directory.channelById.values()].filter((channel) => reach === 'all' || isDated(channel));
  const rows = await db.query(statements.readRerunLines, [
    numbers(channels.map((channel) => channel.channelId)),
    numbers(channels.filter((channel) => channel.sellsByItself).map((channel) => channel.channelId)),
    skuIds === null ? null : numbers(skuIds),
    numbers(channels.filter(isLimited).map((channel) => channel.channelId)),
  ]);
  const plan: RerunPlan = { lines: rows.length, skus: 0, changes: [] };
  if (rows.length === 0) return plan;
  const bySku = Map.groupBy(rows, (row) => row.sku_id);
  const ids = [...bySku.keys()];
  const now = (await databaseNow(db)).getTime();
  const free = Map.groupBy(await db.query(statements.readFree, [numbers(ids)]), (row) => row.sku_id);
  const supplies = Map.groupBy(await readOpenSupplies(db, ids), (supply) => supply.skuId);
  const book = await QuotaBook.view(db, deps.directory, ids, { orders: rows.map(quotaOrderOf) });
  plan.skus = ids.length;
  for (const [skuId, lines] of bySku) {
    const pool: Pool = {
      stock: new Map(reach === 'free' ? [] : (free.get(skuId) ?? []).map((row) => [row.location_id, row.free])),
      supply: (supplies.get(skuId) ?? []).map(({ supplyId, locationId, left, dueAt }) => ({
        ...{ supplyId, locationId, units: left, at: Date.parse(dueAt) },
      })),
    };
    const openSupplies = pool.supply.map(({ supplyId, units }) => ({ supplyId, units: Math.max(0, units) }));
    const freeAt = (places: readonly number[]) => {
      const there = new Map((free.get(skuId) ?? []).map((row) => [row.location_id, row.free]));
      return places.map((place) => there.get(place) ?? 0);
    };
    const known = lines.map((row) => knownOf(deps, row, now, reach));
    if (reach === 'free') known.sort((a, b) => rankOf(a.row) - rankOf(b.row));
    const limits = limitsOf(
      deps.directory,
      book,
      skuId,
      known.map(({ row }) => limitedLineOf(deps, row)),
    );
    const after = redistribute(
      known.map(({ claim }) => claim),
      pool,
      limits,
    );
    const atOf = (supplyId: number) => pool.supply.find((supply) => supply.supplyId === supplyId)?.at ?? 0;
    known.forEach((line, i) => {
      const verdict = compareHoldings(line.claim.has, after[i]!, atOf);
      if (verdict === 'same') return;
      const change = lineOf(line, after[i]!, verdict, pool);
      if (limits !== undefined) change.change.basis = basisOf(book, skuId, freeAt(line.claim.places), openSupplies);
      plan.changes.push(change);
    });
  }
  return plan;
}

function quotaOrderOf(row: statements.RerunLineRow) {
  const { order_id: orderId, channel_id: channelId, account_id: accountId, ordered_at: at } = row;
  return { orderId, channelId, accountId, orderedAt: at.toISOString() };
}

function limitedLineOf({ directory }: OrderDeps, row: statements.RerunLineRow): LimitedLine {
  const orderHas = new Map<number, number>();
  for (const [locationId, quantity] of partsOf(row.order_has))
    orderHas.set(locationId!, (orderHas.get(locationId!) ?? 0) + quantity!);
  return { ...quotaOrderOf(row), channel: directory.channelById.get(row.channel_id)!, orderHas };
}

function partsOf(text: string | null): number[][] {
  return (text ?? '')
    .split(';')
    .filter(Boolean)
    .map((part) => part.split(',').map(Number));
}

export function isDated({ sellsByItself, horizonDays }: ChannelEntry): boolean {
  return !sellsByItself && horizonDays > 0;
}

function rankOf({ priority_class: given }: statements.RerunLineRow): number {
  return PRIORITY_CLASSES.indexOf(given as PriorityClass);
}

function knownOf({ directory }: OrderDeps, row: statements.RerunLineRow, now: number, reach: RerunReach): Known {
  const channel = directory.channelById.get(row.channel_id)!;
  const allocations = partsOf(reach === 'free' ? null : row.allocations).map(
    ([allocationId, locationId, quantity]) => ({
      ...{ allocationId: allocationId!, locationId: locationId!, quantity: quantity! },
    }),
  );
  const stock = new Map<number, number>();
  for (const { locationId, quantity } of allocations) stock.set(locationId, (stock.get(locationId) ?? 0) + quantity);
  const supply = new Map(partsOf(row.commitments).map(([supplyId, , quantity]) => [supplyId!, quantity!]));
  const had = allocations.reduce((sum, { quantity }) => sum + quantity, 0);
  return {
    row,
    allocations,
    claim: {
      priority: reach === 'free' ? 'gain' : (row.priority_class as PriorityClass),
      wants: row.waiting + had,
      places: channel.locationIds,
      until: isDated(channel) ? now + channel.horizonDays * DAY_MS : null,
      has: { stock, supply },
    },
  };
}

function lineOf(
  { row, claim, allocations }: Known,
  after: Holding,
  verdict: RerunLine['verdict'],
  pool: Pool,
): RerunLine {
  const release = [];
  const take = [];
  for (const { allocationId, locationId, quantity } of allocations) {
    // Of several there, the newest go first.
    const keep = after.stock.get(locationId) ?? 0;
    const other = allocations
      .filter((one) => one.locationId === locationId && one.allocationId < allocationId)
      .reduce((sum, one) => sum + one.quantity, 0);
    const kept = Math.max(0, Math.min(quantity, keep - other));
    if (kept < quantity) release.push({ allocationId, quantity: quantity - kept });
  }
  for (const [locationId, units] of after.stock) {
    const more = units - (claim.has.stock.get(locationId) ?? 0);
    if (more > 0) take.push({ locationId, quantity: more });
  }
  const supplyOf = new Map(pool.supply.map((supply) => [supply.supplyId, supply]));
  const commitments = [];
  for (const supplyId of new Set([...claim.has.supply.keys(), ...after.supply.keys()])) {
    const quantity = (after.supply.get(supplyId) ?? 0) - (claim.has.supply.get(supplyId) ?? 0);
    const { locationId, at } = supplyOf.get(supplyId)!;
    if (quantity !== 0) commitments.push({ supplyId, locationId, quantity, dueAt: new Date(at).toISOString() });
  }
  const shown = ({ stock, supply }: Holding): RerunPart[] => [
    ...[...stock].map(([locationId, quantity]) => ({ quantity, locationId, supplyId: null, dueAt: null })),
    ...[...supply].map(([supplyId, quantity]) => {
      const { locationId, at } = supplyOf.get(supplyId)!;
      return { quantity, locationId, supplyId, dueAt: new Date(at).toISOString() };
    }),
  ];
  const { order_id: orderId, line_no: lineNo, sku_id: skuId, channel_id: channelId, account_id: accountId } = row;
  return {
    ...{ orderId, lineNo, skuId, channelId, accountId, externalNo: row.external_no },
    priority: row.priority_class as PriorityClass,
    ...{ before: shown(claim.has), after: shown(after), verdict },
    change: { lineNo, waiting: row.waiting, promised: sumOf(claim.has.supply.values()), release, take, commitments },
  };
}

function sumOf(units: Iterable<number>): number {
  let sum = 0;
  for (const quantity of units) sum += quantity;
  return sum;
}

export interface RerunResult {
  /** Orders of which something changed; those that were not as they were when it was decided. */
  applied: number;
  stale: number;
}

/** Locks as {@link processOrders} does; a transaction for as many SKUs as fit. */
export async function applyRerun(db: Database, deps: OrderDeps, plan: RerunPlan): Promise<RerunResult> {
  const result: RerunResult = { applied: 0, stale: 0 };
  let batch: RerunLine[] = [];
  const flush = async () => {
    if (batch.length === 0) return;
    const lines = batch;
    batch = [];
    const { applied, stale } = await db.inTurn((tx) => applyLines(tx, deps, lines));
    result.applied += applied;
    result.stale += stale;
  };
  for (const lines of Map.groupBy(plan.changes, (line) => line.skuId).values()) {
    if (batch.length + lines.length > LINES_PER_TRANSACTION_MAX) await flush();
    batch.push(...lines);
  }
  await flush();
  return result;
}

/** As {@link applyRerun}, in the caller's transaction. */
export async function applyLines(tx: Tx, deps: OrderDeps, changes: readonly RerunLine[]): Promise<RerunResult> {
  // As they were decided: what limits the one depends on what the others before it were given.
  const lines = changes.toSorted(
    (a, b) => PRIORITY_CLASSES.indexOf(a.priority) - PRIORITY_CLASSES.indexOf(b.priority) || a.orderId - b.orderId,
  );
  const occurredAt = (await databaseNow(tx)).toISOString();
  const works: OrderWork[] = [];
  const firstOf = new Map<number, number>();
  const add = (of: (line: RerunLine) => RerunLine['change'] | undefined) => {
    for (const [orderId, own] of Map.groupBy(lines, (line) => line.orderId)) {
      const changes = own.flatMap((line) => of(line) ?? []);
      if (changes.length === 0) continue;
      const completes = firstOf.get(orderId);
      if (completes === undefined) firstOf.set(orderId, works.length);
      const command: OrderCommand = { kind: 'reassign', lines: changes };
      const isBound = needsAllAllocations(deps.directory.channelById.get(own[0]!.channelId)!);
      const work = { reference: { orderId }, command, occurredAt, isLimited: isBound };
      works.push(completes === undefined ? work : { ...work, completes });
    }
  };
  // First everybody gives up what they lose, then everybody gets what they are given.
  const gives = ({ release, commitments }: RerunLine['change']) =>
    release.length > 0 || commitments.some(({ quantity }) => quantity < 0);
  const giving = new Set(lines.filter(({ change }) => gives(change)).map(({ orderId }) => orderId));
  // Of such an order all lines are looked at before anything of it is done: what it gives up is not lost to it then.
  add(({ orderId, change }) =>
    giving.has(orderId)
      ? { ...change, take: [], commitments: change.commitments.filter(({ quantity }) => quantity < 0) }
      : undefined,
  );
  add(({ change }) => {
    const commitments = change.commitments.filter(({ quantity }) => quantity > 0);
    if (change.take.length + commitments.length === 0) return undefined;
    const freed = sumOf(change.release.map(({ quantity }) => quantity));
    const given = sumOf(change.commitments.map(({ quantity }) => Math.min(0, quantity)));
    const { waiting, promised } = change;
    return { ...change, waiting: waiting + freed, promised: promised + given, release: [], commitments };
  });
  const batch = await processOrders(tx, deps, works);
  await batch.finish();
  const applied = new Set<number>();
  const stale = new Set<number>();
  for (const one of batch.results) {
    if (one.outcome === 'applied' && one.events.length > 0) applied.add(one.orderId);
    if (one.outcome === 'refused') stale.add(one.orderId);
  }
  return { applied: applied.size, stale: stale.size };
}

/** Lines that a rerun leaves as they are, and why. */
export interface LeftOut {
  onHold: number;
  /** What they have was asked of the WMS. */
  atWms: number;
  /** What they have is their channel's own, which sells by itself. */
  soldByItself: number;
}

/** @param skuIds null: all of which something waits */
export async function readLeftOut(db: Queryable, deps: OrderDeps, skuIds: readonly number[] | null): Promise<LeftOut> {
  const [row] = await db.query(statements.countLeftOut, [
    skuIds === null ? null : numbers(skuIds),
    numbers([...deps.directory.channelById.values()].filter((one) => one.sellsByItself).map((one) => one.channelId)),
  ]);
  return { onHold: row!.on_hold, atWms: row!.at_wms, soldByItself: row!.by_itself };
}
