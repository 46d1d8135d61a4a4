/** Which variants carry a SKU. */
import type { Answered, Shop } from './client.ts';

const VARIANTS = `query ($filter: ProductVariantFilterParameter, $skip: Int, $take: Int) {
  productVariants(options: { filter: $filter, skip: $skip, take: $take, sort: { id: ASC } }) {
    totalItems items { id sku }
  }
}`;

/** A SKU that isn't there is asked for again after this long; until then it stays unknown without a call. */
const UNKNOWN_MS = 10_000;

/**
 * Read whole once and kept; a SKU that it doesn't hold is asked for by itself. Vendure lets two variants carry one SKU: they share no
 * stock, so no number can be told of them.
 */
export class Catalog {
  readonly #shop: Shop;
  readonly #now: () => number;
  #ids = new Map<string, string[]>();
  #read: Promise<void> | undefined;
  readonly #unknown = new Map<string, number>();

  constructor(shop: Shop, now: () => number = () => performance.now()) {
    this.#shop = shop;
    this.#now = now;
  }

  /** Every SKU with its variants. */
  async snapshot(signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    const rows = await this.#shop.all(VARIANTS, 'productVariants', { filter: {} }, signal);
    this.#ids = new Map();
    this.#keep(rows);
    return this.#ids;
  }

  /** The variants of these SKUs; absent: the shop doesn't list it. */
  async variantsOf(skus: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, readonly string[]>> {
    if (this.#read === undefined) {
      const reading = this.snapshot(signal).then(() => undefined);
      this.#read = reading;
      reading.catch(() => {
        if (this.#read === reading) this.#read = undefined;
      });
    }
    await this.#read;
    const now = this.#now();
    const missing = skus.filter((sku) => !this.#ids.has(sku) && (this.#unknown.get(sku) ?? 0) <= now);
    if (missing.length > 0) {
      const filter = { sku: { in: missing } };
      this.#keep(await this.#shop.all(VARIANTS, 'productVariants', { filter }, signal));
      for (const sku of missing) if (!this.#ids.has(sku)) this.#unknown.set(sku, now + UNKNOWN_MS);
    }
    return new Map(skus.flatMap((sku) => (this.#ids.has(sku) ? [[sku, this.#ids.get(sku)!] as const] : [])));
  }

  /** The SKUs of these variants, of those that have it alone. */
  async skusOf(ids: ReadonlySet<string>, signal: AbortSignal): Promise<string[]> {
    const known = () =>
      [...this.#ids].flatMap(([sku, [id, ...more]]) => (more.length === 0 && ids.has(id!) ? [sku] : []));
    await this.variantsOf([], signal);
    // One that is newer than what we know.
    if (known().length < ids.size) await this.snapshot(signal);
    return known();
  }

  /** A variant that was there and isn't any more: it is looked for anew. */
  forget(sku: string): void {
    this.#ids.delete(sku);
    this.#unknown.delete(sku);
  }

  #keep(rows: readonly Answered[]): void {
    for (const { id, sku: given } of rows) {
      if (typeof id !== 'string' || typeof given !== 'string') this.#shop.malformed('a variant without id or sku');
      const sku = (given as string).toUpperCase();
      const ids = this.#ids.get(sku) ?? [];
      if (!ids.includes(id as string)) this.#ids.set(sku, [...ids, id as string]);
    }
  }
}
