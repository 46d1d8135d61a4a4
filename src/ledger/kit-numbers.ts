/**
 * Numbers of kits, to channels that sell by themselves. A kit has nothing that could be set aside for it: its number rests on what is set aside for the
 * same channel of its components, whose own numbers rest on that, too. So it is told only where the estate takes that risk; elsewhere it is 0.
 */
import { type ChannelEntry, type KitLeaf, readKitLeaves } from '../master/index.ts';
import type { Queryable } from '../store/index.ts';
import type { StockSession } from './session.ts';

export class KitNumbers {
  readonly #leaves: ReadonlyMap<number, readonly KitLeaf[]>;

  private constructor(leaves: ReadonlyMap<number, readonly KitLeaf[]>) {
    this.#leaves = leaves;
  }

  static async read(db: Queryable, skuIds: readonly number[]): Promise<KitNumbers> {
    return new KitNumbers(await readKitLeaves(db, skuIds));
  }

  has(skuId: number): boolean {
    return this.#leaves.has(skuId);
  }

  /** With what the kits among them are made of. */
  withParts(skuIds: readonly number[]): readonly number[] {
    if (this.#leaves.size === 0) return skuIds;
    return [...new Set([...skuIds, ...[...this.#leaves.values()].flat().map(({ skuId }) => skuId)])];
  }

  /** What the channel shall show of a kit. */
  targetOf(stock: StockSession, channel: ChannelEntry, kitId: number): number {
    if (!channel.sharedRisk) return 0;
    const kits = this.#leaves.get(kitId)!.map(({ skuId, quantity }) => {
      let there = 0;
      for (const locationId of channel.locationIds) {
        const own = stock.exposure(channel.channelId, skuId, locationId);
        there += Math.max(0, Math.min(own, stock.free(skuId, locationId) + own));
      }
      return Math.floor(there / quantity);
    });
    const target = Math.min(...kits) - channel.buffer;
    return Math.max(0, channel.cap === null ? target : Math.min(target, channel.cap));
  }
}
