import type { ChannelEntry, Directory } from '../master/index.ts';
import { numbers, type Queryable } from '../store/index.ts';
import * as statements from './availability.sql.ts';
import { type Kept, leftWithin, type Place, type QuotaRoom, type SellsFrom, supplyWithin } from './quota-rule.ts';
import { QuotaBook } from './quotas.ts';

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
  /** What quotas keep for others, and what their caps leave; absent: there is none of this SKU. */
  quota?: { capLeft: number | null; kept: Kept[] };
}

/**
 * ATP per SKU for one channel, from the balances: a channel that asks gets what is free in its locations, less its buffer, and
 * the dated supply inside its horizon, up to its cap; one that sells by itself gets what is set aside for it. SKUs without stock are 0.
 * What quotas keep for others is not in it, whoever buys there: an account with a quota of its own may get more.
 */
export async function readAtp(
  db: Queryable,
  channel: ChannelEntry,
  skuIds: readonly number[],
  directory: Directory,
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
  const book = await QuotaBook.view(db, directory, skuIds);
  for (const view of views.values()) {
    view.atp = atpOf(channel, view.locations, view.supply);
    const room = book.isEmpty ? undefined : book.roomOfChannel(view.skuId, channel);
    if (room === undefined) continue;
    const sellsFrom = (id: number) => directory.channelById.get(id)?.locationIds ?? [];
    const places = placesOf(channel, view);
    view.quota = { capLeft: room.capLeft, kept: room.keptOf(places, sellsFrom) };
    if (!channel.sellsByItself) view.atp = atpWithin(channel, view.supply, places, room, sellsFrom);
  }
  return views;
}

/** Pure: the channel's number from its locations. */
export function atpOf(
  channel: Pick<ChannelEntry, 'sellsByItself' | 'share' | 'cap' | 'buffer'>,
  locations: readonly LocationAvailability[],
  supply: number,
): number {
  let atp = 0;
  for (const l of locations) atp += channel.sellsByItself ? l.own : offeredTo(channel, freeOf(l));
  return channel.sellsByItself ? capped(channel, atp) : limitedTo(channel, atp, supply);
}

function freeOf(l: LocationAvailability): number {
  return l.onHand - l.reserved - l.allocated - l.exposed - l.safetyStock - l.outsideDeducted;
}

/** In the channel's order: what is kept for others leaves the places that it comes to last. */
function placesOf({ locationIds }: ChannelEntry, { locations }: AtpView): Place[] {
  const byId = new Map(locations.map((l) => [l.locationId, freeOf(l)]));
  return locationIds.map((locationId) => ({ locationId, units: byId.get(locationId) ?? 0 }));
}

/** Of all that is to come together: where, is not looked at. */
const TO_COME = -1;

/** The same within quotas, as its orders are decided. */
function atpWithin(
  channel: ChannelEntry,
  supply: number,
  places: readonly Place[],
  room: QuotaRoom,
  sellsFrom: SellsFrom,
): number {
  const left = leftWithin(room, places, sellsFrom);
  let offered = 0;
  let within = 0;
  places.forEach(({ units }, i) => {
    const here = offeredTo(channel, units);
    offered += here;
    within += Math.min(here, left[i]!);
  });
  const stock = Math.min(Math.max(0, offered - channel.buffer), within);
  const own = new Set(channel.locationIds);
  const [toCome] = supplyWithin(room, places, [{ locationId: TO_COME, units: supply }], (channelId) => {
    const theirs = sellsFrom(channelId);
    return theirs.some((locationId) => own.has(locationId)) ? [...theirs, TO_COME] : theirs;
  });
  return Math.min(capped(channel, stock + toCome!), room.capLeft ?? Number.POSITIVE_INFINITY);
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
