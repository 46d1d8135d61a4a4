import { countOf, eachItem, type Item, listOf, priceOf, textOf, textOrNull } from './items.ts';
import { business, drive, type Entry, type Kit, type Route } from './system.ts';

const ASKED_MAX = 200;

interface Quote {
  quantityMin: number;
  unitPrice: string;
  pricePer: number;
  currency: string;
}

/** What a system would ask, or has quoted: kept by people, by account (null: everybody) and SKU, from a quantity on. */
export function quotesOf(kit: Kit) {
  const kept = new Map<string, Map<number, Quote>>();
  const keyOf = (account: string | null, sku: string) => JSON.stringify([account, sku]);

  const restore = (entry: Entry): boolean => {
    if (entry.do !== 'quote') return false;
    const { account, sku, quantityMin, unitPrice, pricePer, currency } = entry as unknown as Quote & {
      account: string | null;
      sku: string;
    };
    const key = keyOf(account, sku);
    const steps = kept.get(key) ?? new Map<number, Quote>();
    kept.set(key, steps);
    steps.set(quantityMin, { quantityMin, unitPrice, pricePer, currency });
    return true;
  };
  const set = (item: Item): object => {
    const [sku, account] = [textOf(item, 'sku'), textOrNull(item, 'account')];
    const entry = {
      ...{ do: 'quote', sku, account, unitPrice: priceOf(item, 'unitPrice'), currency: textOf(item, 'currency') },
      quantityMin: item.quantityMin === undefined ? 1 : countOf(item, 'quantityMin'),
      pricePer: item.pricePer === undefined ? 1 : countOf(item, 'pricePer'),
    };
    kit.keep(entry);
    restore(entry);
    return { sku, status: 200 };
  };
  const ask = (raw: unknown): object | null => {
    const item = raw as Item;
    const [sku, quantity] = [textOf(item, 'sku'), countOf(item, 'quantity')];
    for (const account of [textOrNull(item, 'account'), null]) {
      const steps = [...(kept.get(keyOf(account, sku))?.values() ?? [])].filter((step) => step.quantityMin <= quantity);
      if (steps.length === 0) continue;
      const { unitPrice, pricePer, currency } = steps.sort((a, b) => b.quantityMin - a.quantityMin)[0]!;
      return { unitPrice, pricePer, currency };
    }
    return null;
  };
  const routes: Route[] = [
    drive('quotes', ({ body }) => eachItem(body, 'quotes', 1000, 'sku', set)),
    business('POST', '/quotes/ask', ({ body }) => ({ quotes: listOf(body, 'items', ASKED_MAX).map(ask) })),
  ];
  return { routes, restore };
}
