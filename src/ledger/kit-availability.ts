/** What of kits may be promised: as many as each of their components is there for. Kits hold no stock of their own. */
import { type ChannelEntry, type Directory, readKitLeaves } from '../master/index.ts';
import type { Queryable } from '../store/index.ts';
import { type AtpView, atpOf, readAtp } from './availability.ts';

export interface KitPartView {
  skuId: number;
  /** Units in one kit. */
  quantity: number;
  atp: number;
  /** Kits that it alone would be enough for. */
  kits: number;
}

export interface KitView {
  atp: number;
  /** Of that, kits of which each component is still to come. */
  supply: number;
  parts: KitPartView[];
}

/** By kit; SKUs that are none are left out. */
export async function readKitAtp(
  db: Queryable,
  channel: ChannelEntry,
  skuIds: readonly number[],
  directory: Directory,
): Promise<Map<number, KitView>> {
  const kits = new Map<number, KitView>();
  const leaves = await readKitLeaves(db, skuIds);
  if (leaves.size === 0) return kits;
  const parts = [...new Set([...leaves.values()].flatMap((of) => of.map(({ skuId }) => skuId)))];
  const views = await readAtp(db, channel, parts, directory);
  for (const [kitId, of] of leaves) kits.set(kitId, kitOf(channel, of, views));
  return kits;
}

/** What is on shelves makes kits, and so does what is to come; what is here never waits for what is not. Pure. */
export function kitOf(
  channel: ChannelEntry,
  leaves: readonly { skuId: number; quantity: number }[],
  views: ReadonlyMap<number, AtpView>,
): KitView {
  const parts = leaves.map(({ skuId, quantity }) => {
    const { atp } = views.get(skuId)!;
    return { skuId, quantity, atp, kits: Math.floor(atp / quantity) };
  });
  const there = least(leaves, ({ skuId }) => {
    const { atp, supply, locations, quota } = views.get(skuId)!;
    // Within quotas nobody says what of it is there: no more than what is not to come.
    return quota === undefined ? atpOf(channel, locations, 0) : Math.max(0, atp - supply);
  });
  const toCome = least(leaves, ({ skuId }) => views.get(skuId)!.supply);
  // Of a channel that sells by itself: as its number is told, see `kit-numbers.ts`.
  const isSold = !channel.sellsByItself || channel.sharedRisk;
  const atp = isSold ? Math.min(there + toCome, ...parts.map(({ kits }) => kits)) : 0;
  return { atp, supply: Math.max(0, atp - there), parts };
}

function least<L extends { quantity: number }>(leaves: readonly L[], unitsOf: (leaf: L) => number): number {
  return Math.min(...leaves.map((leaf) => Math.floor(unitsOf(leaf) / leaf.quantity)));
}
