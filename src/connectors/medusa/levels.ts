/** What the shop has on hand and has promised, by inventory item and stock location. */
import type { HttpClient, Outcome } from '../kit/index.ts';

/** Items of one read: the address carries all their ids. */
const READ_MAX = 120;

export interface Level {
  stocked: number;
  reserved: number;
}
/** By stock location. */
export type Levels = ReadonlyMap<string, Level>;

export interface LevelChange {
  itemId: string;
  locationId: string;
  stocked: number;
  /** Whether the shop has this item at this location; one that it hasn't is created. */
  exists: boolean;
}

const fields = 'id,location_levels.location_id,location_levels.stocked_quantity,location_levels.reserved_quantity';

export async function readLevels(
  client: HttpClient,
  itemIds: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Levels>> {
  const found = new Map<string, Levels>();
  for (let from = 0; from < itemIds.length; from += READ_MAX) {
    const part = itemIds.slice(from, from + READ_MAX);
    const path = `/admin/inventory-items?limit=${READ_MAX}&fields=${fields}&${part.map((id) => `id[]=${id}`).join('&')}`;
    const { value } = await client.read(path, signal);
    const items = (value as { inventory_items?: unknown } | null)?.inventory_items;
    if (!Array.isArray(items)) client.malformed('GET', path, 'inventory_items is not a list');
    for (const item of items as { id: string; location_levels?: unknown }[]) {
      if (!Array.isArray(item?.location_levels)) client.malformed('GET', path, 'location_levels is not a list');
      const levels = new Map<string, Level>();
      for (const raw of item.location_levels as Record<string, unknown>[]) {
        const { location_id: at, stocked_quantity: stocked, reserved_quantity: reserved } = raw ?? {};
        if (typeof at !== 'string' || !Number.isSafeInteger(stocked) || !Number.isSafeInteger(reserved))
          client.malformed('GET', path, 'a level holds no whole numbers');
        levels.set(at as string, { stocked: stocked as number, reserved: reserved as number });
      }
      found.set(item.id, levels);
    }
  }
  return found;
}

/**
 * Writes levels of several items in one call. A refusal undoes the whole call, so it is halved by item until the one to blame is alone.
 * @returns one outcome per group of changes
 */
export async function writeLevels(
  client: HttpClient,
  groups: readonly (readonly LevelChange[])[],
  signal: AbortSignal,
): Promise<Outcome[]> {
  if (groups.length === 0) return [];
  const bodyOf = (exists: boolean) =>
    groups
      .flat()
      .flatMap((change) =>
        change.exists === exists
          ? [{ inventory_item_id: change.itemId, location_id: change.locationId, stocked_quantity: change.stocked }]
          : [],
      );
  const json = { create: bodyOf(false), update: bodyOf(true) };
  const answer = await client.write('/admin/inventory-items/location-levels/batch', json, signal);
  if (answer.answered) {
    const told = spotsIn(answer.value);
    return groups.map((changes) => outcomeOf(changes, told));
  }
  if (!answer.itemsToBlame || groups.length === 1) return groups.map(() => answer.outcome);
  const half = Math.ceil(groups.length / 2);
  return [
    ...(await writeLevels(client, groups.slice(0, half), signal)),
    ...(await writeLevels(client, groups.slice(half), signal)),
  ];
}

/** The levels that an answer speaks of: it lists each one that was made or changed. */
function spotsIn(answer: unknown): ReadonlySet<string> {
  const { created, updated } = (answer ?? {}) as { created?: unknown; updated?: unknown };
  const listed = [created, updated].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
  return new Set(
    listed.map((level) => {
      const { inventory_item_id: item, location_id: at } = (level ?? {}) as Record<string, unknown>;
      return `${String(item)}@${String(at)}`;
    }),
  );
}

function outcomeOf(changes: readonly LevelChange[], told: ReadonlySet<string>): Outcome {
  const silent = changes.find(({ itemId, locationId }) => !told.has(`${itemId}@${locationId}`));
  if (silent === undefined) return { outcome: 'confirmed' };
  return { outcome: 'in_doubt', error: `level ${silent.itemId} at ${silent.locationId} is not in the answer` };
}

/** What the shop would still sell of an item from these locations, by its levels. */
export function sellable(levels: Levels, locationIds: readonly string[]): number {
  let sum = 0;
  for (const id of locationIds) sum += availableAt(levels, id);
  return sum;
}

function availableAt(levels: Levels, locationId: string): number {
  const level = levels.get(locationId);
  return level === undefined ? 0 : Math.max(0, level.stocked - level.reserved);
}

/**
 * Pure. What to write so that the shop would sell `quantity`, or by how much that differs from `from` where it showed that. Units that
 * it sold meanwhile are kept: they stand in what it reserved. The first location carries the number; from the others it is only
 * taken away, and at the first telling they are emptied.
 */
export function planNumber(
  { from, quantity }: { from: number | null; quantity: number },
  itemId: string,
  levels: Levels,
  locationIds: readonly string[],
): 'conflict' | LevelChange[] {
  const shown = sellable(levels, locationIds);
  if (from !== null && shown > from) return 'conflict';
  const wanted = from === null ? quantity : Math.max(0, shown + quantity - from);
  const [first, ...others] = locationIds;
  const target = new Map(locationIds.map((id) => [id, availableAt(levels, id)]));
  if (from === null) {
    for (const id of others) target.set(id, 0);
    target.set(first!, wanted);
  } else if (wanted > shown) target.set(first!, target.get(first!)! + wanted - shown);
  else {
    let less = shown - wanted;
    for (const id of [...others.reverse(), first!]) {
      const taken = Math.min(less, target.get(id)!);
      target.set(id, target.get(id)! - taken);
      less -= taken;
    }
  }
  return [...target].flatMap(([locationId, available]) => {
    const level = levels.get(locationId);
    if (available === availableAt(levels, locationId)) return [];
    const stocked = Math.max(0, (level?.reserved ?? 0) + available);
    return [{ itemId, locationId, stocked, exists: level !== undefined }];
  });
}
