/** Availability out. */
import type { AvailabilityItem, AvailabilitySink, Outcome } from '../kit/index.ts';
import { askedToWaitMs } from '../kit/index.ts';
import type { Catalog } from './catalog.ts';
import type { Shop } from './client.ts';
import { lyingLevels } from './doubtful.ts';
import {
  availableOf,
  type NumberPlan,
  noRows,
  planNumber,
  readOpenOrders,
  readStock,
  type VariantStock,
} from './levels.ts';
import { unreadSince } from './source.ts';
import { updateVariants, type VariantInput } from './variants.ts';

export interface StockTerms {
  batchMax: number;
  /** Ids of the shop's stock locations that are ours to tell; the first carries the number. */
  locations(signal: AbortSignal): Promise<readonly string[]>;
  /** The shop's own reserve of each variant. */
  reserve: number;
  /** Whether levels that say less is allocated than open orders hold are found and set right. */
  corrects: boolean;
  /** How often they are looked for without a sign of a change. */
  everyMs: number;
}

type NumberOutcome = Outcome | { outcome: 'conflict' };

export function availability(shop: Shop, catalog: Catalog, terms: StockTerms): AvailabilitySink {
  return {
    batchMax: terms.batchMax,
    ...(terms.corrects && { doubtful: lyingLevels(shop, catalog, terms) }),
    async write(items, signal): Promise<NumberOutcome[]> {
      let read: Awaited<ReturnType<typeof situation>>;
      try {
        read = await situation(items, signal);
      } catch (error) {
        return items.map(() => laterBy(error));
      }
      const outcomes: NumberOutcome[] = new Array(items.length);
      const inputs: VariantInput[] = [];
      const places: number[] = [];
      items.forEach((item, index) => {
        const stock = read.stockOf(item.sku);
        if (typeof stock === 'string') {
          outcomes[index] = { outcome: 'refused', error: stock };
          return;
        }
        const plan = planNumber(stock, item, read.open.byVariant.get(stock.id) ?? noRows, {
          ...terms,
          locations: read.locations,
          // Units of an order that can't be read may be unread, too: then nobody knows.
          unreadSince: read.open.isWhole ? unreadSince(item.ordersThrough) : undefined,
        });
        if (plan === 'conflict') outcomes[index] = { outcome: 'conflict' };
        else if (!plan.changes) outcomes[index] = { outcome: 'confirmed' };
        else {
          inputs.push(inputOf(stock, plan));
          places.push(index);
        }
      });
      const written = await updateVariants(shop, inputs, signal);
      written.forEach((outcome, index) => {
        outcomes[places[index]!] = outcome;
      });
      return outcomes;
    },
    async readBack(skus, signal) {
      const variants = await catalog.variantsOf(skus, signal);
      const locations = await terms.locations(signal);
      const single = skus.flatMap((sku) =>
        variants.get(sku)?.length === 1 ? [[sku, variants.get(sku)![0]!] as const] : [],
      );
      const stocks = await readStock(
        shop,
        single.map(([, id]) => id),
        signal,
      );
      return new Map(
        single.flatMap(([sku, id]) => {
          const stock = stocks.get(id);
          return stock === undefined ? [] : [[sku, availableOf(stock, locations)] as const];
        }),
      );
    },
  };

  async function situation(items: readonly AvailabilityItem[], signal: AbortSignal) {
    const variants = await catalog.variantsOf(
      items.map((item) => item.sku),
      signal,
    );
    const locations = await terms.locations(signal);
    const ids = [...variants.values()].flatMap((given) => (given.length === 1 ? given : []));
    // Rows before levels: what is sold in between is in the level, where it only lowers the number.
    const open = await readOpenOrders(shop, signal);
    const stocks = await readStock(shop, ids, signal);
    const stockOf = (sku: string): VariantStock | string => {
      const given = variants.get(sku);
      if (given === undefined) return `the shop lists no variant with SKU ${sku}`;
      if (given.length > 1) return `the shop lists ${given.length} variants with SKU ${sku} (${given.join(', ')})`;
      const stock = stocks.get(given[0]!);
      if (stock === undefined) {
        catalog.forget(sku);
        return `the shop lists SKU ${sku} no more`;
      }
      return stock.tracked ? stock : `the shop doesn't track stock of SKU ${sku}, and sells it whatever the number is`;
    };
    return { locations, open, stockOf };
  }
}

function inputOf({ id }: VariantStock, { levels, threshold, setsThreshold }: NumberPlan): VariantInput {
  return {
    id,
    ...(levels.length > 0 && {
      stockLevels: levels.map(({ location, onHand }) => ({ stockLocationId: location, stockOnHand: onHand })),
    }),
    ...(setsThreshold && { outOfStockThreshold: threshold, useGlobalOutOfStockThreshold: false }),
  };
}

/** Nothing but reading was done. */
export function laterBy(error: unknown): Outcome {
  const retryAfterMs = askedToWaitMs(error);
  return {
    outcome: 'later',
    error: error instanceof Error ? error.message : 'unknown error',
    ofSystem: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
