/** What the kits are made of that a batch of commands orders, read with one statement for all; where none is a kit that is all there is to pay. */
import { priceMicros, QUANTITY_MAX } from '../canonical/index.ts';
import { type KitLeaf, readKitLeaves, readKitPrices } from '../master/index.ts';
import type { Queryable } from '../store/index.ts';
import { addedSkus } from './change-needs.ts';
import type { KitPart, Order, OrderCommand } from './types.ts';

interface PriceRow {
  companyId: number;
  currency: string;
  unitPrice: string;
  pricePer: number;
}

export class OrderKits {
  readonly #leaves = new Map<number, KitLeaf[]>();
  readonly #prices = new Map<number, PriceRow[]>();
  readonly #read = new Set<number>();

  /** Of new orders. */
  static async read(db: Queryable, works: readonly { command: OrderCommand }[]): Promise<OrderKits> {
    const kits = new OrderKits();
    await kits.#readAll(
      db,
      works.flatMap(({ command }) => (command.kind === 'submit' ? command.lines.map(({ skuId }) => skuId) : [])),
    );
    return kits;
  }

  static async ofSkus(db: Queryable, skuIds: readonly number[]): Promise<OrderKits> {
    const kits = new OrderKits();
    await kits.#readAll(db, skuIds);
    return kits;
  }

  /** Of what is added to known ones. */
  async readOf(
    db: Queryable,
    works: readonly { command: OrderCommand }[],
    orderIds: readonly (number | null)[],
    orders: ReadonlyMap<number, Order>,
  ): Promise<void> {
    await this.#readAll(
      db,
      works.flatMap(({ command }, i) =>
        command.kind === 'change' ? addedSkus(command, orders.get(orderIds[i] ?? 0)) : [],
      ),
    );
  }

  async #readAll(db: Queryable, skuIds: readonly number[]): Promise<void> {
    const wanted = [...new Set(skuIds)].filter((skuId) => !this.#read.has(skuId));
    if (wanted.length === 0) return;
    for (const skuId of wanted) this.#read.add(skuId);
    const found = await readKitLeaves(db, wanted);
    if (found.size === 0) return;
    for (const [skuId, leaves] of found) this.#leaves.set(skuId, leaves);
    const parts = [...new Set([...found.values()].flatMap((leaves) => leaves.map(({ skuId }) => skuId)))];
    for (const [skuId, rows] of await readKitPrices(db, parts)) this.#prices.set(skuId, rows);
  }

  get isEmpty(): boolean {
    return this.#leaves.size === 0;
  }

  /** The SKU itself; of a kit, what it is made of. */
  skuIdsOf(skuId: number): readonly number[] {
    return this.#leaves.get(skuId)?.map((leaf) => leaf.skuId) ?? [skuId];
  }

  /** Lines that stand for kits, at most, by this command. */
  linesOf(command: OrderCommand, order: Order | undefined): number {
    if (this.isEmpty) return 0;
    const skuIds =
      command.kind === 'submit'
        ? command.lines.map(({ skuId }) => skuId)
        : command.kind === 'change'
          ? addedSkus(command, order)
          : [];
    return skuIds.reduce((sum, skuId) => sum + (this.#leaves.get(skuId)?.length ?? 0), 0);
  }

  /**
   * For orders of a company in a currency: parts share a kit's price as their own base prices do; where one has none, by units.
   */
  of({ companyId, currency }: { companyId: number; currency: string }): (skuId: number) => KitPart[] | undefined {
    const known = new Map<number, KitPart[] | undefined>();
    return (skuId) => {
      if (!known.has(skuId)) known.set(skuId, this.#partsOf(skuId, companyId, currency));
      return known.get(skuId);
    };
  }

  #partsOf(kit: number, companyId: number, currency: string): KitPart[] | undefined {
    const leaves = this.#leaves.get(kit);
    if (leaves === undefined) return undefined;
    const weights = leaves.map(({ skuId, quantity }) => {
      const price = this.#prices.get(skuId)?.find((row) => row.companyId === companyId && row.currency === currency);
      if (price === undefined) return 0;
      return Number((priceMicros(price.unitPrice) * BigInt(quantity)) / BigInt(price.pricePer));
    });
    const isPriced = weights.every((weight) => weight > 0 && Number.isSafeInteger(weight * leaves.length));
    return leaves.map(({ skuId, quantity }, i) => ({
      skuId,
      quantity: Math.min(quantity, QUANTITY_MAX + 1),
      weight: isPriced ? weights[i]! : quantity,
    }));
  }
}
