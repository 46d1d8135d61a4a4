/** From where an order of a channel is served, as its estate declares it. */
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type Position, rankPlaces } from '../promise/index.ts';
import type { SplitRule } from './decide-context.ts';

/** The channel with its locations as this order's rule ranks them; the channel itself where it declares none. */
export function sourcedFor(
  directory: Directory,
  channel: ChannelEntry,
  shipTo: Position | null | undefined,
): ChannelEntry {
  const { sourcing } = channel;
  if (sourcing === null) return channel;
  const places = channel.locationIds.map((locationId) => {
    const { priority, position, costMinor } = directory.locationById.get(locationId)!;
    return { locationId, priority, position, costMinor };
  });
  return { ...channel, locationIds: rankPlaces(places, sourcing.rank, shipTo ?? null) };
}

export function splitRuleOf({ sourcing }: ChannelEntry): SplitRule | undefined {
  if (sourcing === null) return undefined;
  return { orderMax: sourcing.splitMax, lineMax: sourcing.lineSplitMax };
}

export function isSplitLimited({ sourcing }: ChannelEntry): boolean {
  return sourcing !== null && (sourcing.splitMax !== null || sourcing.lineSplitMax !== null);
}
