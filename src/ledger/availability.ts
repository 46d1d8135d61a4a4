import type { ChannelEntry } from '../master/index.ts';
import { numbers, type Queryable } from '../store/index.ts';
import * as statements from './availability.sql.ts';

export interface LocationAvailability {
  locationId: number;
  onHand: number;
  reserved: number;
  allocated: number;
  /** Set aside for all channels that sell by themselves. */
  exposed: number;
  /** Of that, for this channel. */
  own: number;
  safetyStock: number;
  /** Allocated by other systems beyond our own allocations of the same lines. */
  outsideDeducted: number;
}

export interface AtpView {
  skuId: number;
  /** What may be promised to this channel now; never negative, never more than it may sell. */
  atp: number;
  /** Of that, units of dated supply inside the channel's horizon; 0 for a channel that sells by itself. */
  supply: number;
  locations: LocationAvailability[];
}

/**
 * ATP per SKU for one channel, from the balances: a channel that asks gets what is free in its locations, less its buffer, and
 * the dated supply inside its horizon, up to its cap; one that sells by itself gets what is set aside for it. SKUs without stock are 0.
 */
export async function readAtp(
  db: Queryable,
  channel: ChannelEntry,
  skuIds: readonly number[],
): Promise<Map<number, AtpView>> {
  const views = new Map<number, AtpView>();
  for (const skuId of skuIds) views.set(skuId, { skuId, atp: 0, supply: 0, locations: [] });
  const served = new Set(channel.locationIds);
  const rows = await db.query(statements.readAvailability, [
    numbers(skuIds),
    channel.channelId,
    numbers(channel.locationIds),
    channel.sellsByItself ? 0 : channel.horizonDays,
  ]);
  for (const row of rows) {
    if (!served.has(row.location_id)) continue;
    const view = views.get(row.sku_id)!;
    view.supply = row.supply;
    view.locations.push({
      locationId: row.location_id,
      onHand: row.on_hand,
      reserved: row.reserved,
      allocated: row.allocated,
      exposed: row.exposed,
      own: row.own,
      safetyStock: row.safety_stock,
      outsideDeducted: row.outside_deducted,
    });
  }
  for (const view of views.values()) view.atp = atpOf(channel, view.locations, view.supply);
  return views;
}

/** Pure: the channel's number from its locations. */
export function atpOf(
  channel: Pick<ChannelEntry, 'sellsByItself' | 'share' | 'cap' | 'buffer'>,
  locations: readonly LocationAvailability[],
  supply: number,
): number {
  let atp = 0;
  for (const l of locations)
    atp += channel.sellsByItself
      ? l.own
      : offeredTo(channel, l.onHand - l.reserved - l.allocated - l.exposed - l.safetyStock - l.outsideDeducted);
  return channel.sellsByItself ? capped(channel, atp) : limitedTo(channel, atp, supply);
}

/** Whether anything keeps what is free from an order of this channel; one that sells by itself has its exposure. */
export function isLimited({ sellsByItself, share, cap, buffer }: ChannelEntry): boolean {
  return !sellsByItself && (share < 1 || cap !== null || buffer > 0);
}

/** What of a location's free units a channel may have; one that sells by itself has its share set aside, and asks like any other for more. */
export function offeredTo(channel: Pick<ChannelEntry, 'sellsByItself' | 'share'>, free: number): number {
  return Math.floor((channel.sellsByItself ? 1 : channel.share) * Math.max(0, free));
}

/** What its buffer and its cap leave of what all its locations offer. */
export function limitedTo(channel: Pick<ChannelEntry, 'cap' | 'buffer'>, offered: number, supply = 0): number {
  return capped(channel, Math.max(0, offered - channel.buffer) + supply);
}

function capped({ cap }: Pick<ChannelEntry, 'cap'>, quantity: number): number {
  return cap === null ? quantity : Math.min(cap, quantity);
}
