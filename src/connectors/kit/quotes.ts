/** What systems would ask, show or have quoted, over routes that answer a list. */
import { batchMaxOf, lookUp } from './batch.ts';
import { Fields, Unreadable } from './fields.ts';
import type { HttpClient } from './http.ts';
import type { ConnectorContext, Quote, QuoteDesk } from './types.ts';

/** `{items: [...]}` → `{quotes: [{unitPrice, pricePer, currency} | null]}`, in the order given. */
export function quotesBy(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  { path, itemsMax, isWhole }: { path: string; itemsMax: number; isWhole: boolean },
): QuoteDesk {
  const batchMax = batchMaxOf(limits, itemsMax);
  return {
    ...{ batchMax, asks: 'account', isWhole },
    async ask(items, signal) {
      const found: (Quote | null)[] = [];
      for (let from = 0; from < items.length; from += batchMax) {
        const part = items.slice(from, from + batchMax);
        const { value } = await client.read(path, signal, { items: part });
        const quotes = (value as { quotes?: unknown } | null)?.quotes;
        if (!Array.isArray(quotes) || quotes.length !== part.length)
          return client.malformed('POST', path, `quotes is not a list of ${part.length}`);
        for (const [index, quote] of quotes.entries())
          try {
            found.push(quote === null ? null : quoteOf(new Fields(quote, `/quotes/${index}`)));
          } catch (error) {
            if (!(error instanceof Unreadable)) throw error;
            return client.malformed('POST', path, error.message);
          }
      }
      return found;
    },
  };
}

function quoteOf(fields: Fields): Quote {
  const { pricePer } = fields.raw;
  return {
    unitPrice: fields.unitPrice('unitPrice'),
    pricePer: pricePer === undefined ? 1 : fields.quantity('pricePer'),
    currency: fields.currency('currency'),
  };
}

/** `{skus: [...]}` → `{found: [{sku, unitPrice, currency}]}`: what a shop shows to everybody. */
export function shownPrices(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  { path, itemsMax }: { path: string; itemsMax: number },
): QuoteDesk {
  return {
    ...{ batchMax: batchMaxOf(limits, itemsMax), asks: 'everybody', isWhole: true },
    async ask(items, signal) {
      const route = { path, list: 'skus', itemsMax: batchMaxOf(limits, itemsMax), keyName: 'sku', valueOf: quoteOf };
      const keys = items.map(({ sku }) => sku);
      const found = await lookUp(client, route, keys, signal);
      return keys.map((sku) => found.get(sku)?.[0] ?? null);
    },
  };
}
