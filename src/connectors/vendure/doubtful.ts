/**
 * Levels that lie. Buyers who pay at once make `stockAllocated` lose updates, and what is paid for beyond the stock of a location is never
 * allocated; the rows of open orders lose nothing. What differs twice in a row is named to the hub, which reads the number back and tells
 * it under the lease, the budget and the guard of every number: looking writes nothing.
 */
import type { Catalog } from './catalog.ts';
import type { Shop } from './client.ts';
import { allocatedOf, noRows, readOpenOrders, readStock, trueThreshold } from './levels.ts';

/** What moves when something is sold, cancelled or changed by the shop's process. */
export const GATE = `query {
  placed: orders(options: { take: 1, sort: { orderPlacedAt: DESC }, filter: { orderPlacedAt: { isNull: false } } }) {
    items { id orderPlacedAt }
  }
  changed: orders(options: { take: 1, sort: { updatedAt: DESC } }) { items { id updatedAt } }
}`;

export interface DoubtTerms {
  /** The shop's own reserve of each variant. */
  reserve: number;
  /** Without a sign of a change it looks this often; changes that the shop's people make leave none. */
  everyMs: number;
  now?: () => number;
}

/** SKUs whose level is not what the rows of open orders say. One caller at a time. */
export function lyingLevels(
  shop: Shop,
  catalog: Catalog,
  terms: DoubtTerms,
): (signal: AbortSignal) => Promise<string[]> {
  const { reserve, everyMs, now = () => performance.now() } = terms;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let sign = '';
  /** What was found once, and what was named: by variant, what it was. */
  let seen = new Map<string, string>();
  const named = new Map<string, string>();

  return async (signal) => {
    const seenSign = JSON.stringify((await shop.ask(GATE, {}, signal)).data);
    if (seenSign === sign && seen.size === 0 && now() - lookedAt < everyMs) return [];
    // Rows before levels: what is sold in between is in the level, and met by the next look.
    const open = await readOpenOrders(shop, signal);
    const stocks = await readStock(shop, [...new Set([...open.byVariant.keys(), ...named.keys()])], signal);
    const found = new Map<string, string>();
    for (const stock of stocks.values()) {
      const rows = open.byVariant.get(stock.id) ?? noRows;
      const should = trueThreshold(stock, rows, reserve);
      // Of an order that can't be read some rows are missing: that the level says more proves nothing then.
      const isRight = should === stock.threshold || (should < stock.threshold && !open.isWhole);
      if (stock.tracked && !isRight) found.set(stock.id, `${rows.units}/${allocatedOf(stock)}/${stock.threshold}`);
      else named.delete(stock.id);
    }
    // An order is paid in one transaction and allocated in the next: what lies for a moment only is left alone.
    const sure = [...found].filter(([id, what]) => seen.get(id) === what && named.get(id) !== what);
    const skus = sure.length === 0 ? [] : await catalog.skusOf(new Set(sure.map(([id]) => id)), signal);
    for (const [id, what] of sure) named.set(id, what);
    seen = new Map([...found].filter(([id, what]) => named.get(id) !== what));
    sign = seenSign;
    lookedAt = now();
    return skus;
  };
}
