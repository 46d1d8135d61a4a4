/** What the shop would still sell, by its levels and by its orders' rows. The first part is pure. */
import { Fields, Unreadable } from '../kit/index.ts';
import { type Answered, type Shop, TAKE_MAX } from './client.ts';

export interface Level {
  location: string;
  onHand: number;
  allocated: number;
}

/** A variant's stock as Vendure keeps it. */
export interface VariantStock {
  id: string;
  /** Whether Vendure counts it at all. */
  tracked: boolean;
  /** Taken off what it sells: the shop's own reserve, and our correction. */
  threshold: number;
  usesGlobalThreshold: boolean;
  levels: Level[];
}

/** Units of a variant in open orders, and how many of them were sold since some time. */
export interface OpenRows {
  units: number;
  placedAt: { at: string; units: number }[];
}

export const noRows: OpenRows = { units: 0, placedAt: [] };

export function allocatedOf({ levels }: VariantStock): number {
  return levels.reduce((sum, level) => sum + level.allocated, 0);
}

/** What Vendure would sell now, over these locations: this is its own reckoning. */
export function availableOf({ levels, threshold }: VariantStock, locations: readonly string[]): number {
  return levels
    .filter(({ location }) => locations.includes(location))
    .reduce((sum, { onHand, allocated }) => sum + onHand - allocated, -threshold);
}

/**
 * The threshold with which Vendure sells what is really there. Its `stockAllocated` loses updates when buyers pay at once, for ever: it
 * is lower by the lost units also when all of them were shipped or cancelled. The rows of the orders lose nothing, so the
 * difference is what has to be taken off. Written as it is, not as a step, it can be found and written again and again.
 * (Lowering on hand instead would have to remember what was lowered already: the level goes on lying by as much.)
 */
export function trueThreshold(stock: VariantStock, rows: OpenRows, reserve: number): number {
  return reserve + rows.units - allocatedOf(stock);
}

export interface NumberPlan {
  /** New on hand of locations where it differs. */
  levels: { location: string; onHand: number }[];
  threshold: number;
  /** Whether it is written, as the variant's own: one that follows the whole shop's would move the number with it. */
  setsThreshold: boolean;
  changes: boolean;
}

/**
 * What to write so that the shop shows `quantity` less the sales that are not in it; `conflict`: it shows more than we think.
 *
 * A sale raises what is allocated and never touches on hand, so on hand can be set without writing over one. The number moves by
 * the difference to `from`: sales that we have not read yet stay taken off. What the shop sold beyond its number would stay taken off for
 * ever, though it is in our ledger already; so it is at least `quantity` less all that may be unread.
 */
export function planNumber(
  stock: VariantStock,
  item: { from: number | null; quantity: number },
  rows: OpenRows,
  terms: { locations: readonly string[]; reserve: number; corrects: boolean; unreadSince: string | undefined },
): NumberPlan | 'conflict' {
  const { locations, reserve, corrects, unreadSince } = terms;
  // Never lower: a level that says more than the rows may know of a sale that came after them, and what was never allocated leaves the rows
  // when it is shipped, though nothing was taken off on hand for it.
  const threshold = corrects ? Math.max(stock.threshold, trueThreshold(stock, rows, reserve)) : stock.threshold;
  const available = availableOf({ ...stock, threshold }, locations);
  const { from, quantity } = item;
  if (from !== null && available > from) return 'conflict';
  let target = quantity;
  if (from !== null) {
    const unread = rows.placedAt.reduce((sum, { at, units }) => sum + (isSince(at, unreadSince) ? units : 0), 0);
    const moved = available + quantity - from;
    target = unreadSince === undefined ? moved : Math.min(quantity, Math.max(moved, quantity - unread));
  }
  const levels = placed(stock, locations, target - available, from === null);
  const setsThreshold = corrects && (threshold !== stock.threshold || stock.usesGlobalThreshold);
  return { levels, threshold, setsThreshold, changes: levels.length > 0 || setsThreshold };
}

/**
 * The whole number lies at the first location: Vendure sells the sum, and one level is one write. What other locations have to sell is
 * moved there at the first telling, and whenever the first would fall below nothing.
 */
function placed(stock: VariantStock, locations: readonly string[], by: number, isFirst: boolean): NumberPlan['levels'] {
  const at = (location: string) =>
    stock.levels.find((level) => level.location === location) ?? { location, onHand: 0, allocated: 0 };
  const [carrier, ...others] = locations.map(at);
  if (carrier === undefined || (by === 0 && !isFirst)) return [];
  const gather = isFirst || carrier.onHand + by < 0;
  const moved = gather ? others.filter((level) => level.onHand > level.allocated) : [];
  const extra = moved.reduce((sum, level) => sum + level.onHand - level.allocated, 0);
  const onHand = carrier.onHand + by + extra;
  return [
    ...(onHand === carrier.onHand ? [] : [{ location: carrier.location, onHand }]),
    ...moved.map(({ location, allocated }) => ({ location, onHand: allocated })),
  ];
}

function isSince(at: string, since: string | undefined): boolean {
  return since === undefined || Date.parse(at) >= Date.parse(since);
}

const STOCK = `query ($ids: [String!], $skip: Int, $take: Int) {
  productVariants(options: { filter: { id: { in: $ids } }, skip: $skip, take: $take }) {
    totalItems items {
      id trackInventory outOfStockThreshold useGlobalOutOfStockThreshold
      stockLevels { stockLocationId stockOnHand stockAllocated }
    }
  }
  globalSettings { trackInventory outOfStockThreshold }
}`;

/** The stock of these variants, by id; absent: there is no such variant. */
export async function readStock(
  shop: Shop,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, VariantStock>> {
  const found = new Map<string, VariantStock>();
  for (let from = 0; from < ids.length; from += TAKE_MAX) {
    const part = ids.slice(from, from + TAKE_MAX);
    const { data } = await shop.ask(STOCK, { ids: part, skip: 0, take: TAKE_MAX }, signal);
    const items = (data.productVariants as { items?: unknown } | null)?.items;
    if (!Array.isArray(items)) return shop.malformed('productVariants is not a list');
    const global = new Fields(data.globalSettings, '/globalSettings');
    for (const [index, raw] of items.entries()) {
      const stock = stockOf(new Fields(raw, `/productVariants/items/${index}`), global);
      found.set(stock.id, stock);
    }
  }
  return found;
}

export function stockOf(variant: Fields, global: Fields): VariantStock {
  const tracking = variant.oneOf('trackInventory', ['TRUE', 'FALSE', 'INHERIT']);
  const usesGlobalThreshold = variant.raw.useGlobalOutOfStockThreshold === true;
  return {
    id: variant.text('id'),
    tracked: tracking === 'INHERIT' ? global.raw.trackInventory === true : tracking === 'TRUE',
    threshold: whole(usesGlobalThreshold ? global : variant, 'outOfStockThreshold'),
    usesGlobalThreshold,
    levels: variant.list('stockLevels').map((raw, index) => {
      const level = new Fields(raw, `${variant.place}/stockLevels/${index}`);
      return {
        location: level.text('stockLocationId'),
        onHand: whole(level, 'stockOnHand'),
        allocated: whole(level, 'stockAllocated'),
      };
    }),
  };
}

/** Vendure takes negative numbers everywhere, and comes to some by itself. */
function whole(fields: Fields, name: string): number {
  return fields.integer(name, Number.MIN_SAFE_INTEGER);
}

/** States in which nothing is left to be shipped, or nothing was sold. */
const NOT_OPEN = ['AddingItems', 'ArrangingPayment', 'Draft', 'Cancelled', 'Shipped', 'Delivered'];

const OPEN = `query ($filter: OrderFilterParameter, $skip: Int, $take: Int) {
  orders(options: { filter: $filter, sort: { id: ASC }, skip: $skip, take: $take }) {
    totalItems items {
      id orderPlacedAt modifications { id }
      lines { quantity orderPlacedQuantity productVariant { id } fulfillmentLines { quantity fulfillment { state } } }
    }
  }
}`;

/** Everything sold and not yet fulfilled, by variant, over all channels: they sell from the same levels. */
export interface OpenOrders {
  byVariant: Map<string, OpenRows>;
  /** Whether every one of them could be read: of others the units are missing. */
  isWhole: boolean;
  /** Orders of which less is left than was sold, or which were changed, with what tells one change from the next. */
  changed: Map<string, string>;
}

export async function readOpenOrders(shop: Shop, signal: AbortSignal): Promise<OpenOrders> {
  const filter = { orderPlacedAt: { isNull: false }, state: { notIn: NOT_OPEN } };
  return openOrdersOf(await shop.all(OPEN, 'orders', { filter }, signal));
}

export function openOrdersOf(orders: readonly Answered[]): OpenOrders {
  const byVariant = new Map<string, OpenRows>();
  const changed = new Map<string, string>();
  const seen = new Set<string>();
  let isWhole = true;
  for (const raw of orders) {
    const id = raw?.id;
    // A page that shifted under the reader brings one twice.
    if (typeof id === 'string' && seen.has(id)) continue;
    try {
      const order = openOrderOf(raw);
      seen.add(order.id);
      for (const { variant, units, at } of order.lines) {
        const rows = byVariant.get(variant) ?? { units: 0, placedAt: [] };
        if (units > 0) {
          rows.units += units;
          rows.placedAt.push({ at, units });
        }
        byVariant.set(variant, rows);
      }
      if (order.change !== undefined) changed.set(order.id, order.change);
    } catch (error) {
      // Set aside by the feed, with its place. It must not hold up every number of the shop.
      if (!(error instanceof Unreadable)) throw error;
      isWhole = false;
    }
  }
  return { byVariant, changed, isWhole };
}

interface OpenOrder {
  id: string;
  lines: { variant: string; units: number; at: string }[];
  /** What tells this change of it from the next; undefined where it is as it was sold. */
  change: string | undefined;
}

/** @throws Unreadable */
function openOrderOf(raw: unknown): OpenOrder {
  const order = new Fields(raw, '/orders');
  const at = order.time('orderPlacedAt');
  const modifications = order.list('modifications').length;
  const left: number[] = [];
  let isChanged = modifications > 0;
  const lines = order.list('lines').map((entry) => {
    const line = new Fields(entry, '/orders/lines');
    const quantity = line.integer('quantity', 0);
    left.push(quantity);
    isChanged ||= quantity < line.integer('orderPlacedQuantity', 0);
    const variant = new Fields(line.raw.productVariant, '/orders/lines/productVariant').text('id');
    return { variant, units: quantity - fulfilledOf(line), at };
  });
  return { id: order.text('id'), lines, change: isChanged ? `${modifications}/${left.join()}` : undefined };
}

/** Units of a line in fulfilments that stand. */
export function fulfilledOf(line: Fields): number {
  return line
    .list('fulfillmentLines')
    .map((raw, index) => new Fields(raw, `${line.place}/fulfillmentLines/${index}`))
    .filter((part) => new Fields(part.raw.fulfillment, `${part.place}/fulfillment`).raw.state !== 'Cancelled')
    .reduce((sum, part) => sum + part.integer('quantity', 0), 0);
}
