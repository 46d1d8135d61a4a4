/** What limits lines that are decided anew: their channel's share, cap and buffer, and quotas; by the same rule as when they were accepted. */
import { isLimited, type QuotaBook, type QuotaOrder, supplyWithin } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import type { Limits } from '../promise/index.ts';
import { offersWithin, sellsFromOf } from './quota-counts.ts';
import { type Mine, offersOf } from './stock-effects.ts';

export interface LimitedLine extends QuotaOrder {
  channel: ChannelEntry;
  /** All that its order has of the SKU by now, by location; of channels with limits. */
  orderHas: ReadonlyMap<number, number>;
}

/** Of the lines of one SKU; undefined: nothing limits any of them. */
export function limitsOf(
  directory: Directory,
  book: QuotaBook,
  skuId: number,
  lines: readonly LimitedLine[],
): Limits | undefined {
  if (!book.has(skuId) && !lines.some(({ channel }) => isLimited(channel))) return undefined;
  const sellsFrom = sellsFromOf(directory);
  const held = new Map<number, Map<number, number>>();
  for (const { orderId, orderHas } of lines) held.set(orderId, new Map(orderHas));
  return {
    keeps: (at) => book.keepsOf(skuId, lines[at]!),
    count: (at, stock, supplyUnits) => {
      const line = lines[at]!;
      const has = held.get(line.orderId)!;
      let units = supplyUnits;
      for (const [locationId, quantity] of stock) {
        has.set(locationId, (has.get(locationId) ?? 0) + quantity);
        units += quantity;
      }
      book.move(line, skuId, units);
    },
    offers: (at, stock, supplies) => {
      const line = lines[at]!;
      const { channel } = line;
      const room = book.roomOf(skuId, line);
      if (room === undefined && !isLimited(channel)) return undefined;
      const free = (locationId: number) => stock.get(locationId) ?? 0;
      const mine = [...held.get(line.orderId)!].map(
        ([locationId, quantity]): Mine => ({ skuId, locationId, quantity, isFree: false }),
      );
      const bare = { free: (_: number, locationId: number) => free(locationId), exposure: () => 0 };
      const offered = offersOf(bare, channel, skuId, mine);
      const within = room === undefined ? offered : offersWithin(room, sellsFrom, offered, free, []);
      const places = channel.locationIds.map((locationId) => ({ locationId, units: free(locationId) }));
      const left =
        room === undefined ? supplies.map(({ units }) => units) : supplyWithin(room, places, supplies, sellsFrom);
      return {
        places: new Map(within.places.map((offer) => [offer.locationId, Math.min(offer.free, offer.physical)])),
        supplies: new Map(supplies.map(({ supplyId }, i) => [supplyId, left[i]!])),
        allocatable: within.allocatable,
        promisable: within.promisable,
      };
    },
  };
}
