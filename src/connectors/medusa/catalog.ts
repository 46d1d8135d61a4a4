/** What the shop calls a SKU: its variant, product and inventory item. */
import { type Clock, type HttpClient, systemClock } from '../kit/index.ts';

const PAGE = 200;
/** A SKU that is not there is not looked for more often than this: a list of unknown ones must not become a storm of reads. */
export const REFRESH_MS_MIN = 30_000;

export interface CatalogEntry {
  sku: string;
  variantId: string;
  productId: string;
  /** Null where its stock is not one number: not managed, or put together of several things. */
  inventoryItemId: string | null;
  /** Whether the product has this variant only. */
  alone: boolean;
}

interface RawVariant {
  id?: unknown;
  sku?: unknown;
  product_id?: unknown;
  manage_inventory?: unknown;
  inventory_items?: { inventory_item_id?: unknown; required_quantity?: unknown }[] | null;
}

/** Pure. A SKU that two variants have is in neither: nobody could say which one is meant. */
export function mapCatalog(variants: readonly RawVariant[]): {
  entries: Map<string, CatalogEntry>;
  ambiguous: Set<string>;
} {
  const entries = new Map<string, CatalogEntry>();
  const ambiguous = new Set<string>();
  const perProduct = new Map<unknown, number>();
  for (const { product_id } of variants) perProduct.set(product_id, (perProduct.get(product_id) ?? 0) + 1);
  for (const variant of variants) {
    const { id, sku, product_id, manage_inventory, inventory_items } = variant;
    if (typeof id !== 'string' || typeof product_id !== 'string' || typeof sku !== 'string' || sku === '') continue;
    const code = sku.toUpperCase();
    if (entries.has(code)) ambiguous.add(code);
    const [first, ...others] = inventory_items ?? [];
    const isOne = manage_inventory === true && others.length === 0 && first?.required_quantity === 1;
    const itemId = isOne && typeof first?.inventory_item_id === 'string' ? first.inventory_item_id : null;
    const alone = perProduct.get(product_id) === 1;
    entries.set(code, { sku: code, variantId: id, productId: product_id, inventoryItemId: itemId, alone });
  }
  for (const code of ambiguous) entries.delete(code);
  return { entries, ambiguous };
}

export class Catalog {
  readonly #client: HttpClient;
  readonly #clock: Clock;
  #known: { at: number; entries: Map<string, CatalogEntry>; ambiguous: Set<string> } | undefined;
  #loading: Promise<void> | undefined;

  constructor(client: HttpClient, clock: Clock = systemClock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** Those of the SKUs that the shop lists; unknown ones make it look again. */
  async find(skus: readonly string[], signal: AbortSignal): Promise<Map<string, CatalogEntry>> {
    const misses = () => skus.some((sku) => !this.#known?.entries.has(sku));
    const isOld = this.#known === undefined || this.#clock.now() - this.#known.at >= REFRESH_MS_MIN;
    if (this.#known === undefined || (misses() && isOld)) await this.#load(signal);
    const found = new Map<string, CatalogEntry>();
    for (const sku of skus) {
      const entry = this.#known?.entries.get(sku);
      if (entry !== undefined) found.set(sku, entry);
    }
    return found;
  }

  /** Whose stock these inventory items are. */
  async skusOf(itemIds: ReadonlySet<string>, signal: AbortSignal): Promise<string[]> {
    if (this.#known === undefined) await this.#load(signal);
    const entries = [...(this.#known?.entries.values() ?? [])];
    return entries.flatMap(({ sku, inventoryItemId }) =>
      inventoryItemId !== null && itemIds.has(inventoryItemId) ? [sku] : [],
    );
  }

  whyNot(sku: string): string {
    return this.#known?.ambiguous.has(sku)
      ? `two variants of the shop have the SKU ${sku}: give one of them another`
      : `the shop lists no SKU ${sku}`;
  }

  /** What is known may be wrong: the shop did not know an id of ours. */
  forget(): void {
    this.#known = undefined;
  }

  /** All of it, read anew. */
  async snapshot(signal: AbortSignal): Promise<CatalogEntry[]> {
    await this.#load(signal);
    return [...(this.#known?.entries.values() ?? [])];
  }

  #load(signal: AbortSignal): Promise<void> {
    this.#loading ??= this.#read(signal).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(signal: AbortSignal): Promise<void> {
    const at = this.#clock.now();
    const variants = new Map<unknown, RawVariant>();
    const fields =
      'id,sku,product_id,manage_inventory,inventory_items.inventory_item_id,inventory_items.required_quantity';
    for (let offset = 0; ; offset += PAGE) {
      const path = `/admin/product-variants?limit=${PAGE}&offset=${offset}&order=id&fields=${fields}`;
      const { value } = await this.#client.read(path, signal);
      const page = (value as { variants?: unknown } | null)?.variants;
      if (!Array.isArray(page)) this.#client.malformed('GET', path, 'variants is not a list');
      for (const variant of page as RawVariant[]) variants.set(variant.id, variant);
      if ((page as unknown[]).length < PAGE) break;
    }
    this.#known = { at, ...mapCatalog([...variants.values()]) };
  }
}
