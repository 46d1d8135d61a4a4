/** Gives freed stock to waiting lines, first come, first served. */
import { PRIORITY_CLASSES } from '../canonical/index.ts';
import { isLimited } from '../ledger/index.ts';
import { readNext } from '../log/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type Database, numbers, type Tx, texts } from '../store/index.ts';
import { type OrderDeps, type OrderWork, processOrders } from './process.ts';
import { isSplitLimited } from './sourcing.ts';
import * as statements from './store.sql.ts';

export const BACKORDER_CONSUMER = 'backorders';
/** Most facts free nothing and are passed over unread. */
const FACTS_PER_READ_MAX = 5_000;
/** Lines served in one transaction: it holds their locks. What is left is served in the next. */
const LINES_PER_TRANSACTION_MAX = 2_000;
const SKUS_PER_SWEEP_MAX = 200;

/** Facts that may give something free. */
const FREEING = [
  'stock.received',
  'stock.adjusted',
  'stock.counted',
  'stock.reservation_released',
  'stock.reservation_expired',
  'stock.exposure_lowered',
  'stock.safety_stock_changed',
  'quota.changed',
  'stock.outside_allocation_changed',
  'order.lines_cancelled',
  'order.lines_reassigned',
  'order.exception_resolved',
  'order.hold_released',
  'return.received',
  'return.inspected',
  'stock.picked',
];

/**
 * SKUs of which a fact gave something free, or none.
 * @param withLimits whether a channel has a share, a cap or a buffer
 */
function freedSkus(fact: { type: string; data: unknown }, withLimits: boolean): number[] {
  const data = fact.data as {
    skuId?: number;
    skuIds?: number[];
    effect?: number;
    found?: number;
    safetyStock?: number;
    before?: number;
    released?: { skuId: number }[];
    lines?: { skuId: number; restock?: number }[];
    inspection?: string;
    countedBefore?: number[];
    backordered?: number;
  };
  switch (fact.type) {
    case 'stock.received':
    case 'stock.adjusted':
    case 'stock.counted':
      return data.skuId !== undefined && ((data.effect ?? 0) > 0 || (data.found ?? 0) > 0) ? [data.skuId] : [];
    // What was held waits for stock now, of which there may be some.
    case 'order.exception_resolved':
      return (data.backordered ?? 0) > 0 ? [data.skuId!] : [];
    case 'stock.reservation_released':
    case 'stock.reservation_expired':
    // Also what another system allocates: it may be for a line that waits.
    case 'stock.outside_allocation_changed':
      return data.skuId === undefined ? [] : [data.skuId];
    case 'stock.safety_stock_changed':
      return data.skuId !== undefined && data.safetyStock! < data.before! ? [data.skuId] : [];
    case 'quota.changed':
    case 'stock.exposure_lowered':
      return data.skuIds ?? [];
    case 'order.lines_cancelled':
    case 'order.lines_reassigned':
      return (data.released ?? []).map((part) => part.skuId);
    case 'return.received':
      return data.inspection !== undefined ? [] : (data.lines ?? []).map((line) => line.skuId);
    case 'return.inspected':
      return (data.lines ?? []).filter((line) => line.restock! > 0).map((line) => line.skuId);
    case 'stock.picked':
      // What an order has no more counts no more towards its channel's limits.
      if (withLimits) return (data.lines ?? []).map((line) => line.skuId);
      // A count knew of it first: only the allocation ended, so what it held is free again.
      return data.countedBefore ?? [];
    default:
      return [];
  }
}

/**
 * Follows the log to its end and gives freed stock to waiting lines, beginning in the transaction that moves the cursor.
 * @param linesMax the most lines served in one transaction
 * @returns facts read and orders served
 */
export async function followBackorders(
  db: Database,
  deps: OrderDeps,
  linesMax = LINES_PER_TRANSACTION_MAX,
): Promise<{ read: number; served: number }> {
  const all = { read: 0, served: 0 };
  const withLimits = limitedChannels(deps.directory).length > 0;
  for (;;) {
    const { read, skuIds, served, more } = await db.inTurn(async (tx) => {
      const page = await readNext(tx, BACKORDER_CONSUMER, FACTS_PER_READ_MAX, FREEING);
      // What was on hold waits for stock again.
      const released = page.facts
        .filter((fact) => fact.type === 'order.hold_released')
        .map((fact) => Number(fact.stream.slice(6)));
      const waiting = released.length === 0 ? [] : await tx.query(statements.findWaitingSkus, [numbers(released)]);
      const skuIds = [
        ...new Set([...page.facts.flatMap((fact) => freedSkus(fact, withLimits)), ...waiting.map((row) => row.sku_id)]),
      ];
      return { read: page.read, skuIds, ...(await allocateBackorders(tx, deps, skuIds, linesMax)) };
    });
    all.read += read;
    all.served += served;
    // Whoever dies in here leaves the rest to the sweep.
    if (more) all.served += await serve(db, deps, skuIds, linesMax);
    if (read < FACTS_PER_READ_MAX) return all;
  }
}

/** Serves whatever waits although there is stock. @returns orders served */
export async function sweepBackorders(
  db: Database,
  deps: OrderDeps,
  skusMax = SKUS_PER_SWEEP_MAX,
  linesMax = LINES_PER_TRANSACTION_MAX,
): Promise<number> {
  const skuIds = (await db.query(statements.findServableSkus, [...declaredOf(deps.directory), skusMax])).map(
    (row) => row.sku_id,
  );
  const withQuotas = (await db.query(statements.findWaitingQuotaSkus, [skusMax])).map((row) => row.sku_id);
  const served = await serve(db, deps, skuIds, linesMax);
  return served + (withQuotas.length === 0 ? 0 : await tryAll(db, deps, withQuotas, linesMax));
}

/** Whether a quota lets a line have something, only its decision tells: those that it keeps waiting stand before nobody. */
async function tryAll(db: Database, deps: OrderDeps, skuIds: readonly number[], linesMax: number): Promise<number> {
  let all = 0;
  for (let after: LinePlace | undefined = FIRST; after !== undefined; ) {
    const behind: LinePlace = after;
    const { served, last } = await db.inTurn((tx) => allocateBackorders(tx, deps, skuIds, linesMax, behind));
    all += served;
    after = last;
  }
  return all;
}

/** One transaction after the other, others' between them, until nothing that waits can be served. */
async function serve(db: Database, deps: OrderDeps, skuIds: readonly number[], linesMax: number): Promise<number> {
  let all = 0;
  for (;;) {
    const { served, more } = await db.inTurn((tx) => allocateBackorders(tx, deps, skuIds, linesMax));
    all += served;
    if (!more) return all;
  }
}

function limitedChannels(directory: Directory): ChannelEntry[] {
  return [...directory.channelById.values()].filter(isLimited);
}

/**
 * Which channel serves which location, as two columns; then share, cap and buffer of those that have any, as four; then split limits of
 * those that have any, as three.
 */
function declaredOf(directory: Directory): string[] {
  const pairs = [...directory.channelById.values()].flatMap(({ channelId, locationIds }) =>
    locationIds.map((locationId) => ({ channelId, locationId })),
  );
  const limited = limitedChannels(directory);
  const split = [...directory.channelById.values()].filter(isSplitLimited);
  return [
    numbers(pairs.map((pair) => pair.channelId)),
    numbers(pairs.map((pair) => pair.locationId)),
    numbers(limited.map((channel) => channel.channelId)),
    numbers(limited.map((channel) => channel.share)),
    numbers(limited.map((channel) => channel.cap)),
    numbers(limited.map((channel) => channel.buffer)),
    numbers(split.map((channel) => channel.channelId)),
    numbers(split.map((channel) => channel.sourcing!.splitMax)),
    numbers(split.map((channel) => channel.sourcing!.lineSplitMax)),
  ];
}

/** What its order has elsewhere counts towards what it may have. */
export function needsAllAllocations(channel: ChannelEntry): boolean {
  return isLimited(channel) || isSplitLimited(channel);
}

/** Rank of the account's class, order and line. */
type LinePlace = readonly [rank: number, orderId: number, lineNo: number];
const FIRST: LinePlace = [0, 0, 0];

/**
 * Gives what is free of these SKUs to waiting lines that it can serve.
 * @param behind only lines behind this one
 * @returns how many orders got something, and whether more may wait that this transaction had no room for
 * Locks as {@link processOrders} does.
 */
export async function allocateBackorders(
  tx: Tx,
  deps: OrderDeps,
  skuIds: readonly number[],
  linesMax = LINES_PER_TRANSACTION_MAX,
  behind = FIRST,
): Promise<{ served: number; more: boolean; last?: LinePlace }> {
  if (skuIds.length === 0) return { served: 0, more: false };
  const rows = await tx.query(statements.findBackorders, [
    ...declaredOf(deps.directory),
    ...[numbers(skuIds), linesMax, ...behind, texts(PRIORITY_CLASSES)],
  ]);
  const end = rows.at(-1);
  const last = end === undefined || rows.length < linesMax ? {} : { last: placeOf(end) };
  const byOrder = new Map<number, { channelId: number; lineNos: number[] }>();
  for (const row of rows) {
    const found = byOrder.get(row.order_id);
    if (found === undefined) byOrder.set(row.order_id, { channelId: row.channel_id, lineNos: [row.line_no] });
    else found.lineNos.push(row.line_no);
  }
  const now = new Date().toISOString();
  const works = [...byOrder].map(
    ([orderId, { channelId, lineNos }]): OrderWork => ({
      reference: { orderId },
      command: { kind: 'allocate_backorders', lineNos },
      occurredAt: now,
      isLimited: needsAllAllocations(deps.directory.channelById.get(channelId)!),
    }),
  );
  if (works.length === 0) return { served: 0, more: false };
  const batch = await processOrders(tx, deps, works);
  await batch.finish();
  const served = batch.results.filter((result) => result.outcome === 'applied' && result.events.length > 0).length;
  // A full page of which nothing was served lost a race for the stock: whoever frees it again says so.
  return { served, more: served > 0 && rows.length === linesMax, ...last };
}

function placeOf(row: { rank: number; order_id: number; line_no: number }): LinePlace {
  return [row.rank, row.order_id, row.line_no];
}
