import { readNext } from '../log/index.ts';
import { type Database, sql } from '../store/index.ts';
import { allocateBackorders, type OrderDeps } from './process.ts';

export const BACKORDER_CONSUMER = 'backorders';
/** Most facts free nothing and are passed over unread. */
const FACTS_PER_READ_MAX = 5_000;

// The log tells us quickly; this finds what a full batch left behind, or what nobody told.
const findServable = sql<{ sku_id: number }>(
  'hub_find_servable_backorders',
  `select distinct l.sku_id from order_line l
    where l.backordered > 0
      and exists (select from stock_balance b
                   where b.sku_id = l.sku_id and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock > 0)
    limit $1::int`,
);

/** Facts that may give something free. */
const FREEING = [
  'stock.received',
  'stock.adjusted',
  'stock.counted',
  'stock.reservation_released',
  'stock.reservation_expired',
  'stock.exposure_lowered',
  'stock.safety_stock_changed',
  'order.lines_cancelled',
  'return.received',
  'stock.picked',
];

/** SKUs of which a fact gave something free, or none. */
function freedSkus(fact: { type: string; data: unknown }): number[] {
  const data = fact.data as {
    skuId?: number;
    skuIds?: number[];
    effect?: number;
    safetyStock?: number;
    before?: number;
    released?: { skuId: number }[];
    lines?: { skuId: number }[];
    countedBefore?: number[];
  };
  switch (fact.type) {
    case 'stock.received':
    case 'stock.adjusted':
    case 'stock.counted':
      return data.skuId !== undefined && (data.effect ?? 0) > 0 ? [data.skuId] : [];
    case 'stock.reservation_released':
    case 'stock.reservation_expired':
      return data.skuId === undefined ? [] : [data.skuId];
    case 'stock.safety_stock_changed':
      return data.skuId !== undefined && data.safetyStock! < data.before! ? [data.skuId] : [];
    case 'stock.exposure_lowered':
      return data.skuIds ?? [];
    case 'order.lines_cancelled':
      return (data.released ?? []).map((part) => part.skuId);
    case 'return.received':
      return (data.lines ?? []).map((line) => line.skuId);
    case 'stock.picked':
      // A count knew of it first: only the allocation ended, so what it held is free again.
      return data.countedBefore ?? [];
    default:
      return [];
  }
}

/**
 * Follows the log to its end and gives freed stock to waiting lines, in the transactions that move the cursor.
 * @returns facts read and orders served
 */
export async function followBackorders(db: Database, deps: OrderDeps): Promise<{ read: number; served: number }> {
  const all = { read: 0, served: 0 };
  for (;;) {
    const { read, served } = await followPage(db, deps);
    all.read += read;
    all.served += served;
    if (read < FACTS_PER_READ_MAX) return all;
  }
}

function followPage(db: Database, deps: OrderDeps): Promise<{ read: number; served: number }> {
  return db.inTurn(async (tx) => {
    const { read, facts } = await readNext(tx, BACKORDER_CONSUMER, FACTS_PER_READ_MAX, FREEING);
    const skuIds = new Set<number>();
    for (const fact of facts) for (const skuId of freedSkus(fact)) skuIds.add(skuId);
    return { read, served: await allocateBackorders(tx, deps, [...skuIds]) };
  });
}

/** Serves whatever waits although there is stock. @returns orders served */
export async function sweepBackorders(db: Database, deps: OrderDeps): Promise<number> {
  const skuIds = (await db.query(findServable, [200])).map((row) => row.sku_id);
  if (skuIds.length === 0) return 0;
  return db.inTurn((tx) => allocateBackorders(tx, deps, skuIds));
}
