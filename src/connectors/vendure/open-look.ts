/** Looks at everything that is open: levels that lie are corrected, changes that no time tells are handed over. */
import type { Shop } from './client.ts';
import { allocatedOf, noRows, type OpenOrders, readOpenOrders, readStock, trueThreshold } from './levels.ts';
import { ORDER_FIELDS } from './map.ts';
import { joined, type OpenLook } from './source.ts';
import { updateVariants } from './variants.ts';

/** What was found to lie, as the page keeps it. */
export interface Correction {
  variant: string;
  rows: number;
  allocated: number;
  threshold: number;
}

const GATE = `query {
  placed: orders(options: { take: 1, sort: { orderPlacedAt: DESC }, filter: { orderPlacedAt: { isNull: false } } }) {
    items { id orderPlacedAt }
  }
  changed: orders(options: { take: 1, sort: { updatedAt: DESC } }) { items { id updatedAt } }
}`;

const BY_ID = `query ($ids: [String!]) {
  orders(options: { filter: { id: { in: $ids } }, take: 100 }) { totalItems items { ${ORDER_FIELDS} } }
}`;
const IDS_MAX = 100;

/** How soon after one look the next may be, and when it is due though nothing says so. */
const PAUSE_MS = 1_000;

export interface OpenLookOptions {
  /** The shop's own reserve of each variant. */
  reserve: number;
  /** Whether levels are corrected. */
  corrects: boolean;
  /** Without a sign of a change a look comes this often; changes that the shop's people make leave none. */
  everyMs: number;
  now?: () => number;
}

export function openLook(shop: Shop, options: OpenLookOptions): OpenLook & { corrections: Correction[] } {
  const { reserve, corrects, everyMs, now = () => performance.now() } = options;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let sign = '';
  let settled = false;
  let handed = new Map<string, string>();
  let given: { name: string; changes: Map<string, string> } | undefined;
  const corrections: Correction[] = [];

  return {
    corrections,
    async look(taken, signal) {
      if (given?.name === taken) handed = new Map([...handed, ...given.changes]);
      given = undefined;
      const since = now() - lookedAt;
      if (since < PAUSE_MS) return undefined;
      const { data } = await shop.ask(GATE, {}, signal);
      const seen = JSON.stringify(data);
      if (seen === sign && settled && since < everyMs) return undefined;
      lookedAt = now();
      const open = await readOpenOrders(shop, signal);
      settled = !corrects || (await correct(open, signal)) === 0;
      sign = seen;
      for (const id of handed.keys()) if (!open.changed.has(id)) handed.delete(id);
      const fresh = new Map([...open.changed].filter(([id, change]) => handed.get(id) !== change));
      if (fresh.size === 0) return undefined;
      const bodies: Buffer[] = [];
      const ids = [...fresh.keys()];
      for (let from = 0; from < ids.length; from += IDS_MAX)
        bodies.push((await shop.ask(BY_ID, { ids: ids.slice(from, from + IDS_MAX) }, signal)).body);
      given = { name: String(Date.now()), changes: fresh };
      return { name: given.name, body: joined(bodies) };
    },
  };

  /** @returns how many were corrected, or can't be told yet */
  async function correct(open: OpenOrders, signal: AbortSignal): Promise<number> {
    const ids = [...open.byVariant.keys()];
    const first = await lying(open, ids, signal);
    if (first.length === 0) return 0;
    // An order is paid in one transaction and allocated in the next: what lies for a moment only is left alone.
    const again = await lying(
      await readOpenOrders(shop, signal),
      first.map(({ variant }) => variant),
      signal,
    );
    const before = new Map(first.map(({ variant, threshold }) => [variant, threshold]));
    const sure = again.filter(({ variant, threshold }) => before.get(variant) === threshold);
    const inputs = sure.map(({ variant, threshold }) => ({
      id: variant,
      outOfStockThreshold: threshold,
      useGlobalOutOfStockThreshold: false,
    }));
    await updateVariants(shop, inputs, signal);
    corrections.push(...sure);
    corrections.splice(0, corrections.length - 1_000);
    return first.length;
  }

  async function lying(open: OpenOrders, ids: readonly string[], signal: AbortSignal): Promise<Correction[]> {
    const stocks = await readStock(shop, ids, signal);
    return [...stocks.values()].flatMap((stock) => {
      const rows = open.byVariant.get(stock.id) ?? noRows;
      const threshold = trueThreshold(stock, rows, reserve);
      if (!stock.tracked || threshold === stock.threshold) return [];
      return [{ variant: stock.id, rows: rows.units, allocated: allocatedOf(stock), threshold }];
    });
  }
}
