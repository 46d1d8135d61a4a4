/** Prices out: of one channel, in whole minor units. */
import type { Outcome, PriceState, StateItem, StateSink } from '../kit/index.ts';
import { Fields } from '../kit/index.ts';
import type { Catalog } from './catalog.ts';
import { type Shop, TAKE_MAX } from './client.ts';
import { laterBy } from './stock.ts';
import { updateVariants, type VariantInput } from './variants.ts';

const READ = `query ($ids: [String!]) {
  activeChannel { code pricesIncludeTax }
  productVariants(options: { filter: { id: { in: $ids } }, take: 100 }) { items { id prices { price currencyCode } } }
}`;

/** Vendure counts money in hundredths, whatever the currency. @returns undefined where the price has a finer part */
export function minorOf(unitPrice: string): number | undefined {
  const [, whole, fraction = ''] = /^(\d+)(?:\.(\d+))?$/.exec(unitPrice) ?? [];
  if (whole === undefined || !/^0*$/.test(fraction.slice(2))) return undefined;
  const minor = Number(whole + fraction.slice(0, 2).padEnd(2, '0'));
  return Number.isSafeInteger(minor) ? minor : undefined;
}

/** What is there: by variant and currency. */
type Held = ReadonlyMap<string, ReadonlyMap<string, number>>;

export function prices(shop: Shop, catalog: Catalog, batchMax: number): StateSink {
  return {
    batchMax,
    async write(items, signal) {
      let variants: ReadonlyMap<string, readonly string[]>;
      let there: { held: Held; includesTax: boolean };
      try {
        variants = await catalog.variantsOf(keysOf(items), signal);
        there = await read([...variants.values()].flat(), signal);
      } catch (error) {
        return items.map(() => laterBy(error));
      }
      const inputs: VariantInput[] = [];
      const itemOf: number[] = [];
      const outcomes = items.map((item, index): Outcome => {
        const { unitPrice, currency } = item.state as PriceState;
        const price = minorOf(unitPrice);
        const ids = variants.get(item.key);
        if (ids === undefined) return { outcome: 'refused', error: `the shop lists no variant with SKU ${item.key}` };
        if (price === undefined)
          return {
            outcome: 'refused',
            error: `${unitPrice} ${currency} is no whole number of cents, and the shop holds no other`,
          };
        if (there.includesTax)
          return {
            outcome: 'refused',
            error: "the channel's prices include tax, and ours are net: nobody said which rate",
          };
        for (const id of ids) {
          if (there.held.get(id)?.get(currency) === price) continue;
          inputs.push({ id, prices: [{ currencyCode: currency, price }] });
          itemOf.push(index);
        }
        return { outcome: 'confirmed' };
      });
      const written = await updateVariants(shop, inputs, signal);
      written.forEach((outcome, index) => {
        if (outcome.outcome !== 'confirmed') outcomes[itemOf[index]!] = outcome;
      });
      return outcomes;
    },
    readBack: async () => new Map(),
    async holds(items, signal) {
      const variants = await catalog.variantsOf(keysOf(items), signal);
      const { held } = await read([...variants.values()].flat(), signal);
      const isThere = ({ key, state }: StateItem) => {
        const { unitPrice, currency } = state as PriceState;
        const ids = variants.get(key) ?? [];
        return ids.length > 0 && ids.every((id) => held.get(id)?.get(currency) === minorOf(unitPrice));
      };
      return new Set(keysOf(items.filter(isThere)));
    },
  };

  async function read(ids: readonly string[], signal: AbortSignal): Promise<{ held: Held; includesTax: boolean }> {
    const held = new Map<string, Map<string, number>>();
    let includesTax = false;
    for (let from = 0; from < ids.length; from += TAKE_MAX) {
      const { data } = await shop.ask(READ, { ids: ids.slice(from, from + TAKE_MAX) }, signal);
      includesTax = (data.activeChannel as { pricesIncludeTax?: unknown } | null)?.pricesIncludeTax === true;
      for (const variant of new Fields(data.productVariants, '/productVariants').list('items')) {
        const fields = new Fields(variant, '/productVariants/items');
        const byCurrency = fields.list('prices').map((raw) => new Fields(raw, '/productVariants/items/prices'));
        held.set(
          fields.text('id'),
          new Map(byCurrency.map((price) => [price.currency('currencyCode'), price.integer('price', 0)])),
        );
      }
    }
    return { held, includesTax };
  }
}

function keysOf(items: readonly StateItem[]): string[] {
  return items.map((item) => item.key);
}
