import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  type HttpClient,
  type Outcome,
  type PriceState,
  type StateItem,
  type StateSink,
  type WriteAnswer,
} from '../kit/index.ts';
import { notYet } from './availability.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { canonicalDecimal, exactNumber } from './decimals.ts';

const PRICES_MAX = 40;

/** A price of a variant as the shop tells it; those with rules or steps are the merchant's own. */
export interface VariantPrice {
  id: string;
  currency_code: string;
  amount: number;
  min_quantity?: number | null;
  max_quantity?: number | null;
  rules?: Record<string, string> | null;
}

function isPlain({ min_quantity, max_quantity, rules }: VariantPrice): boolean {
  return min_quantity == null && max_quantity == null && Object.keys(rules ?? {}).length === 0;
}

/** Pure. Whether the shop asks this price of everybody. */
export function asks(prices: readonly VariantPrice[], { unitPrice, currency }: PriceState): boolean {
  const plain = prices.filter((price) => isPlain(price) && price.currency_code.toUpperCase() === currency);
  return plain.length === 1 && canonicalDecimal(String(plain[0]!.amount)) === canonicalDecimal(unitPrice);
}

/** Pure. All prices of a variant with this one set: a list without the others would delete them. */
export function withPrice(prices: readonly VariantPrice[], amount: number, currency: string): unknown[] {
  const others = prices.filter((price) => !isPlain(price) || price.currency_code.toUpperCase() !== currency);
  const own = prices.find((price) => isPlain(price) && price.currency_code.toUpperCase() === currency);
  return [
    ...others.map(({ id, currency_code, amount: theirs, min_quantity, max_quantity, rules }) => ({
      id,
      currency_code,
      amount: theirs,
      ...(min_quantity != null && { min_quantity }),
      ...(max_quantity != null && { max_quantity }),
      ...(rules != null && Object.keys(rules).length > 0 && { rules }),
    })),
    { ...(own !== undefined && { id: own.id }), currency_code: currency.toLowerCase(), amount },
  ];
}

export function prices(client: HttpClient, limits: ConnectorContext['limits'], catalog: Catalog): StateSink {
  const read = async (items: readonly StateItem[], signal: AbortSignal) => {
    const listed = await catalog.find(
      items.map(({ key }) => key),
      signal,
    );
    const held = new Map<string, VariantPrice[]>();
    const ids = [...listed.values()].map(({ variantId }) => variantId);
    if (ids.length === 0) return { listed, held };
    const path = `/admin/product-variants?limit=${ids.length}&fields=id,prices.*&${ids.map((id) => `id[]=${id}`).join('&')}`;
    const { value } = await client.read(path, signal);
    const variants = (value as { variants?: unknown } | null)?.variants;
    if (!Array.isArray(variants)) client.malformed('GET', path, 'variants is not a list');
    for (const variant of variants as { id: string; prices?: unknown }[]) {
      if (!Array.isArray(variant?.prices)) client.malformed('GET', path, 'prices is not a list');
      const list = variant.prices as VariantPrice[];
      for (const price of list)
        if (typeof price?.amount !== 'number' || typeof price.currency_code !== 'string')
          client.malformed('GET', path, 'a price has no amount or no currency');
      held.set(variant.id, list);
    }
    return { listed, held };
  };

  return {
    batchMax: batchMaxOf(limits, PRICES_MAX),
    async write(items, signal) {
      let there: Awaited<ReturnType<typeof read>>;
      try {
        there = await read(items, signal);
      } catch (error) {
        if (error instanceof CrossdockError) return items.map(() => notYet(error));
        throw error;
      }
      const outcomes: (Outcome | undefined)[] = [];
      const changes: Change[] = [];
      for (const [index, { key, state }] of items.entries()) {
        const { unitPrice, currency } = state as PriceState;
        const entry = there.listed.get(key);
        const held = entry === undefined ? undefined : there.held.get(entry.variantId);
        const amount = exactNumber(unitPrice);
        if (entry === undefined || held === undefined)
          outcomes[index] = { outcome: 'refused', error: catalog.whyNot(key) };
        else if (amount === undefined)
          outcomes[index] = {
            outcome: 'refused',
            error: `${unitPrice} has more digits than a number of the shop holds`,
          };
        else if (asks(held, { unitPrice, currency })) outcomes[index] = { outcome: 'confirmed' };
        else changes.push({ index, entry, prices: withPrice(held, amount, currency) });
      }
      for (const [index, outcome] of await writeChanges(client, changes, signal)) {
        outcomes[index] = outcome;
        if (outcome.outcome === 'refused') catalog.forget();
      }
      return outcomes as Outcome[];
    },
    readBack: () => Promise.resolve(new Map()),
    async holds(items, signal) {
      const { listed, held } = await read(items, signal);
      return new Set(
        items.flatMap(({ key, state }) => {
          const entry = listed.get(key);
          const list = entry === undefined ? undefined : held.get(entry.variantId);
          return list !== undefined && asks(list, state as PriceState) ? [key] : [];
        }),
      );
    },
  };
}

interface Change {
  index: number;
  entry: CatalogEntry;
  prices: unknown[];
}

/** Products of one variant go in one call; of others each product by itself, since a list of variants replaces those it leaves out. */
async function writeChanges(
  client: HttpClient,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<Map<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  const alone = changes.filter(({ entry }) => entry.alone);
  await writeProducts(client, alone, signal, outcomes);
  const groups = Map.groupBy(
    changes.filter(({ entry }) => !entry.alone),
    ({ entry }) => entry.productId,
  );
  for (const [productId, group] of groups) await writeVariants(client, productId, group, signal, outcomes);
  return outcomes;
}

async function writeProducts(
  client: HttpClient,
  changes: readonly Change[],
  signal: AbortSignal,
  outcomes: Map<number, Outcome>,
): Promise<void> {
  if (changes.length === 0) return;
  const update = changes.map(({ entry, prices }) => ({
    id: entry.productId,
    variants: [{ id: entry.variantId, prices }],
  }));
  const answer = await client.write('/admin/products/batch?fields=id', { update }, signal);
  if (!answer.answered && answer.itemsToBlame && changes.length > 1) {
    const half = Math.ceil(changes.length / 2);
    await writeProducts(client, changes.slice(0, half), signal, outcomes);
    await writeProducts(client, changes.slice(half), signal, outcomes);
    return;
  }
  const told = answer.answered ? idsIn(answer.value) : undefined;
  for (const { index, entry } of changes) outcomes.set(index, outcomeOf(answer, told, entry.productId));
}

/** The ids that an answer speaks of: it lists each thing that was changed. */
function idsIn(answer: unknown): ReadonlySet<unknown> {
  const { updated } = (answer ?? {}) as { updated?: unknown };
  return new Set(Array.isArray(updated) ? updated.map((one) => (one as { id?: unknown } | null)?.id) : []);
}

function outcomeOf(answer: WriteAnswer, told: ReadonlySet<unknown> | undefined, id: string): Outcome {
  if (!answer.answered) return answer.outcome;
  return told?.has(id) === true
    ? { outcome: 'confirmed' }
    : { outcome: 'in_doubt', error: `${id} is not in the answer` };
}

async function writeVariants(
  client: HttpClient,
  productId: string,
  changes: readonly Change[],
  signal: AbortSignal,
  outcomes: Map<number, Outcome>,
): Promise<void> {
  const update = changes.map(({ entry, prices }) => ({ id: entry.variantId, prices }));
  const answer = await client.write(`/admin/products/${productId}/variants/batch?fields=id`, { update }, signal);
  if (!answer.answered && answer.itemsToBlame && changes.length > 1) {
    for (const change of changes) await writeVariants(client, productId, [change], signal, outcomes);
    return;
  }
  const told = answer.answered ? idsIn(answer.value) : undefined;
  for (const { index, entry } of changes) outcomes.set(index, outcomeOf(answer, told, entry.variantId));
}
