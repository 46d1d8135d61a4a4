import { channel } from './channel.ts';
import { countOf, eachFound, eachItem, type Item, textOf } from './lib/items.ts';
import { business, type Call, type Entry, type Kit, type System, truthOf } from './lib/system.ts';

const OFFERS_MAX = 250;

interface Offer {
  quantity: number;
  ordersThrough: number;
}

/** Sales of one SKU: by seq, with all units sold up to and including it. */
interface Sales {
  seqs: number[];
  units: number[];
}

/**
 * Sells by itself. Its number means on hand: it is told a quantity together with the last order that this quantity knows
 * of, and takes off what it sold since. Every sale is kept, because an old call that comes late may name an old order.
 */
export function marketplace(kit: Kit): System {
  const offers = new Map<string, Offer>();
  const sales = new Map<string, Sales>();
  let ordersThroughBackwards = 0;

  const soldSince = (sku: string, seq: number): number => {
    const sold = sales.get(sku);
    if (sold === undefined) return 0;
    let at = sold.seqs.length;
    // From the end: what a call does not know yet is almost always the last few.
    while (at > 0 && sold.seqs[at - 1]! > seq) at -= 1;
    return sold.units.at(-1)! - (sold.units[at - 1] ?? 0);
  };

  const availableOf = (sku: string, { quantity, ordersThrough }: Offer): number => {
    return Math.max(0, quantity - soldSince(sku, ordersThrough));
  };

  const common = channel(
    kit,
    {
      available: (sku) => {
        const offer = offers.get(sku);
        return offer === undefined ? 0 : availableOf(sku, offer);
      },
      sold: (sku, units, seq) => {
        let sold = sales.get(sku);
        if (sold === undefined) {
          sold = { seqs: [], units: [] };
          sales.set(sku, sold);
        }
        const total = (sold.units.at(-1) ?? 0) + units;
        sold.seqs.push(seq);
        sold.units.push(total);
      },
    },
    { setPrice: '/offers/price', findPrice: '/offers/price/lookup' },
  );

  const restore = (entry: Entry): void => {
    if (entry.do !== 'offer') {
      common.restore(entry);
      return;
    }
    const { sku, quantity, ordersThrough } = entry as unknown as Offer & { sku: string };
    if (ordersThrough < (offers.get(sku)?.ordersThrough ?? 0)) ordersThroughBackwards += 1;
    offers.set(sku, { quantity, ordersThrough });
  };

  const set = (item: Item, call: Call): object => {
    const sku = textOf(item, 'sku');
    const offer = { quantity: countOf(item, 'quantity', 0), ordersThrough: countOf(item, 'ordersThrough', 0) };
    if (!call.lost()) {
      const entry = { do: 'offer', sku, ...offer };
      kit.keep(entry);
      restore(entry);
    }
    return { sku, status: 200, available: availableOf(sku, offer) };
  };

  return {
    feedPath: '/orders',
    routes: [
      business('POST', '/offers/quantity', (call) =>
        eachItem(call.body, 'items', OFFERS_MAX, 'sku', (item) => set(item, call)),
      ),
      business('POST', '/offers/lookup', ({ body }) =>
        eachFound(body, 'skus', OFFERS_MAX, (sku) => {
          const offer = offers.get(sku);
          return offer === undefined ? [] : [{ sku, ...offer, available: availableOf(sku, offer) }];
        }),
      ),
      ...common.routes,
    ],
    restore,
    restoreRecord: common.restoreRecord,
    resume: () => {},
    pending: () => 0,
    stats: () => ({ ...common.stats(), ordersThroughBackwards }),
    truths: {
      orders: common.ordersTruth,
      prices: common.pricesTruth,
      numbers: truthOf(offers, (offer, sku) => ({ available: availableOf(sku, offer) })),
    },
  };
}
