/**
 * Where the level lies. Two processes of the shop that sell at once lose updates of `reserved_quantity`: more is promised in reservation
 * rows than the level says, and the shop goes on selling what is gone. The rows of items whose reservations changed are added up; an
 * item whose rows hold more than its level, twice in a row the same and between two equal readings of the level, is named to the hub.
 *
 * It only reads. The hub reads the number back, knows from the orders what it should be, and tells it under the lease, the budget and the
 * guard of every number. So nothing has to remember what was taken off already: an item that is named once more shows what it should,
 * and nothing is written. A process that dies forgets what it saw, and the next one looks at all rows again.
 */
import { earlierIso, type HttpClient } from '../kit/index.ts';
import type { Catalog } from './catalog.ts';
import { type Level, type Levels, readLevels } from './levels.ts';

const ROWS_MAX = 1_000;
/** Items looked at together: their rows are read once, and the levels twice around them. */
const ITEMS_MAX = 80;
/** A row that commits later than this after its own time is met with the next one of its item. */
const OVERLAP_MS = 10_000;
const CHECKED_MAX = 50_000;
const FIELDS = 'id,quantity,updated_at,location_id,inventory_item_id';

/** `<inventory item>@<stock location>` */
type Spot = string;

const spotOf = (itemId: string, locationId: string): Spot => `${itemId}@${locationId}`;
const itemOf = (spot: Spot): string => spot.slice(0, spot.indexOf('@'));
const locationOf = (spot: Spot): string => spot.slice(spot.indexOf('@') + 1);

/** What was found at a spot: units that the level hides, and the level. */
interface Found extends Level {
  hidden: number;
}

/** Pure. Whether what was found counts: a sale writes its row before its level, so what was seen once may be one that is just made. */
export function isSure(found: Found, before: Found | undefined): boolean {
  return before !== undefined && found.hidden === before.hidden && found.reserved === before.reserved;
}

/** SKUs of which reservation rows hold more than the level says. One caller at a time. */
export function hiddenUnits(
  client: HttpClient,
  catalog: Catalog,
  locationIds: readonly string[],
): (signal: AbortSignal) => Promise<string[]> {
  const ours = new Set(locationIds);
  let since: string | undefined;
  /** Rows that led to a look already, by their time. */
  let checked = new Map<string, string>();
  /** Touched, and not looked at yet. */
  const open = new Set<Spot>();
  /** Found once. */
  const seen = new Map<Spot, Found>();
  /** Items that are to be named; kept until they were. */
  const sure = new Set<string>();

  /** Notes what was touched since the last time, all pages of it. */
  const readTouched = async (signal: AbortSignal): Promise<void> => {
    let newest = since ?? '';
    const from = since === undefined ? '' : `&updated_at[$gte]=${since}`;
    for (let offset = 0; ; offset += ROWS_MAX) {
      const path = `/admin/reservations?limit=${ROWS_MAX}&offset=${offset}&order=updated_at&fields=${FIELDS}${from}`;
      const rows = await readRows(client, path, signal);
      for (const row of rows) {
        const changed = String(row.updated_at);
        if (changed > newest) newest = changed;
        if (checked.get(String(row.id)) === changed) continue;
        checked.set(String(row.id), changed);
        if (ours.has(String(row.location_id))) open.add(spotOf(String(row.inventory_item_id), String(row.location_id)));
      }
      // Rows that go while pages are read pull others forward unseen; they are met by what their items sell next, or at the next start.
      if (rows.length < ROWS_MAX) break;
    }
    if (newest !== '') since = earlierIso(newest, OVERLAP_MS);
    if (checked.size > CHECKED_MAX) checked = new Map([...checked].slice(-CHECKED_MAX / 2));
  };

  const sumsOf = async (itemIds: readonly string[], signal: AbortSignal): Promise<Map<Spot, number>> => {
    const sums = new Map<Spot, number>();
    const ids = itemIds.map((id) => `&inventory_item_id[]=${id}`).join('');
    for (let offset = 0; ; offset += ROWS_MAX) {
      const path = `/admin/reservations?limit=${ROWS_MAX}&offset=${offset}&order=id&fields=${FIELDS}${ids}`;
      const rows = await readRows(client, path, signal);
      for (const { inventory_item_id: itemId, location_id: at, quantity } of rows) {
        if (typeof quantity !== 'number') client.malformed('GET', path, 'a quantity is no number');
        const spot = spotOf(String(itemId), String(at));
        sums.set(spot, (sums.get(spot) ?? 0) + (quantity as number));
      }
      if (rows.length < ROWS_MAX) return sums;
    }
  };

  const look = async (items: readonly string[], signal: AbortSignal): Promise<void> => {
    const before = await readLevels(client, items, signal);
    const sums = await sumsOf(items, signal);
    const after = await readLevels(client, items, signal);
    const now = new Set(items);
    for (const spot of new Set([...seen.keys(), ...open])) {
      if (!now.has(itemOf(spot))) continue;
      const last = seen.get(spot);
      const level = after.get(itemOf(spot))?.get(locationOf(spot));
      // It sold in between: looked at once more.
      if (level !== undefined && !isSame(before.get(itemOf(spot)), level, locationOf(spot))) continue;
      open.delete(spot);
      seen.delete(spot);
      const hidden = level === undefined ? 0 : (sums.get(spot) ?? 0) - level.reserved;
      if (level === undefined || hidden <= 0) continue;
      const found = { ...level, hidden };
      if (isSure(found, last)) sure.add(itemOf(spot));
      else seen.set(spot, found);
    }
  };

  return async (signal) => {
    await readTouched(signal);
    const items = [...new Set([...seen.keys(), ...open].map(itemOf))];
    for (let from = 0; from < items.length; from += ITEMS_MAX) await look(items.slice(from, from + ITEMS_MAX), signal);
    if (sure.size === 0) return [];
    const skus = await catalog.skusOf(sure, signal);
    sure.clear();
    return skus;
  };
}

function isSame(before: Levels | undefined, level: Level, locationId: string): boolean {
  const then = before?.get(locationId);
  return then !== undefined && then.stocked === level.stocked && then.reserved === level.reserved;
}

async function readRows(client: HttpClient, path: string, signal: AbortSignal): Promise<Record<string, unknown>[]> {
  const { value } = await client.read(path, signal);
  const rows = (value as { reservations?: unknown } | null)?.reservations;
  if (!Array.isArray(rows)) client.malformed('GET', path, 'reservations is not a list');
  return rows as Record<string, unknown>[];
}
