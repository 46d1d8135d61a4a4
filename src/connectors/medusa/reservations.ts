/**
 * Where the level lies. Two processes of the shop that sell at once lose updates of `reserved_quantity`: more is promised in reservation
 * rows than the level says, and the shop goes on selling what is gone. So the rows of items whose reservations changed are added up and
 * what the level hides is taken off its on hand, once for each hidden unit.
 *
 * What was found, and what was set right, is in the cursor: a difference counts when two polls in a row saw it unchanged, between two
 * equal readings of the level; it is set right by one write that says what it replaces; and what has been set right stays known.
 * A process that dies between the write and its cursor meets the level as it wanted it. A cursor that is lost makes the shop show less
 * than it could, never more.
 */
import { Buffer } from 'node:buffer';
import { fail } from '../../canonical/index.ts';
import { earlierIso, type FeedPage, type HttpClient, type Source } from '../kit/index.ts';
import { type Level, type Levels, readLevels, writeLevels } from './levels.ts';

const ROWS_MAX = 200;
const ITEM_ROWS_MAX = 1000;
/** Items looked at in one poll: their rows are read once, and the levels twice around them. */
const ITEMS_MAX = 40;
const OVERLAP_MS = 10_000;
const CHECKED_MAX = 20_000;

/** `<inventory item>@<stock location>` */
type Spot = string;

interface Position {
  at?: string;
  /** The first pass over all open rows is done; what the level hid before it is in the first number that was told. */
  begun?: true;
  /** Seen once: hidden units, and the level as it was. */
  seen?: Record<Spot, [hidden: number, stocked: number, reserved: number]>;
  /** Set right already. */
  known?: Record<Spot, number>;
  /** Touched, and not looked at yet. */
  open?: Spot[];
}

/** Spots whose number was just set right over what the level hid. */
export class Settled {
  readonly #spots = new Set<Spot>();
  add(itemId: string, locationId: string): void {
    this.#spots.add(spotOf(itemId, locationId));
  }
  /** Those since the last time. */
  take(): Set<Spot> {
    const spots = new Set(this.#spots);
    this.#spots.clear();
    return spots;
  }
}

const spotOf = (itemId: string, locationId: string): Spot => `${itemId}@${locationId}`;
const itemOf = (spot: Spot): string => spot.slice(0, spot.indexOf('@'));
const locationOf = (spot: Spot): string => spot.slice(spot.indexOf('@') + 1);

/** Pure: what to make of one reading of a spot. `write`: the new on hand. */
export function judge(
  hidden: number,
  level: Level,
  seen: [number, number, number] | undefined,
  known: number,
  isBaseline: boolean,
): { seen?: [number, number, number]; known?: number; write?: number } {
  if (isBaseline || hidden <= known) return { known: hidden };
  const { stocked, reserved } = level;
  const lowered = (from: number, promised: number) => from - Math.min(hidden - known, Math.max(0, from - promised));
  if (seen !== undefined && seen[0] === hidden && seen[2] === reserved) {
    const wanted = lowered(seen[1], reserved);
    // Written by a process that could not say so any more, or nothing left that could be sold.
    if (stocked === wanted) return { known: hidden };
    if (stocked === seen[1]) return { known: hidden, write: wanted };
  }
  return { seen: [hidden, stocked, reserved] };
}

export function reservations(client: HttpClient, locationIds: readonly string[], settled: Settled): Source {
  const ours = new Set(locationIds);
  /** Rows that led to a look already, by their time. */
  let checked = new Map<string, string>();
  /** Those of the page that leads to `cursor`; they count once the caller comes back with it. */
  let given: { cursor: string; rows: [id: string, changed: string][] } | undefined;

  const rowsOf = async (itemIds: readonly string[], signal: AbortSignal): Promise<Map<Spot, number>> => {
    const sums = new Map<Spot, number>();
    if (itemIds.length === 0) return sums;
    const fields = 'id,quantity,location_id,inventory_item_id';
    const ids = itemIds.map((id) => `&inventory_item_id[]=${id}`).join('');
    const path = `/admin/reservations?limit=${ITEM_ROWS_MAX}&order=id&fields=${fields}${ids}`;
    for (let offset = 0; ; offset += ITEM_ROWS_MAX) {
      const { rows } = await readRows(client, `${path}&offset=${offset}`, signal);
      for (const { inventory_item_id: itemId, location_id: at, quantity } of rows) {
        if (typeof quantity !== 'number') client.malformed('GET', path, 'a quantity is no number');
        const spot = spotOf(String(itemId), String(at));
        sums.set(spot, (sums.get(spot) ?? 0) + (quantity as number));
      }
      if (rows.length < ITEM_ROWS_MAX) return sums;
    }
  };

  return {
    feed: 'reservations',
    reread: () => [],
    async poll(cursor, signal): Promise<FeedPage> {
      const position = positionOf(cursor);
      if (given?.cursor === cursor) for (const [id, changed] of given.rows) checked.set(id, changed);
      given = undefined;
      const looked: [string, string][] = [];
      const { at } = position;
      const since = at === undefined ? '' : `&updated_at[$gte]=${at}`;
      const path = `/admin/reservations?limit=${ROWS_MAX}&order=updated_at&fields=id,quantity,updated_at,location_id,inventory_item_id${since}`;
      const page = await readRows(client, path, signal);
      const more = page.rows.length === ROWS_MAX;
      if (checked.size > CHECKED_MAX) checked = new Map([...checked].slice(-CHECKED_MAX / 2));
      const setRight = settled.take();
      const touched = new Set<Spot>([...(position.open ?? []), ...Object.keys(position.seen ?? {}), ...setRight]);
      let newest = at ?? '';
      for (const row of page.rows) {
        const changed = String(row.updated_at);
        if (changed > newest) newest = changed;
        const isNew = checked.get(String(row.id)) !== changed;
        looked.push([String(row.id), changed]);
        if (isNew && ours.has(String(row.location_id)))
          touched.add(spotOf(String(row.inventory_item_id), String(row.location_id)));
      }
      const isBaseline = position.begun !== true;
      const items = [...new Set([...touched].map(itemOf))];
      const now = new Set(items.slice(0, ITEMS_MAX));
      const known = { ...position.known };
      const seen: NonNullable<Position['seen']> = {};
      const corrections = [];
      const open = new Set([...touched].filter((spot) => !now.has(itemOf(spot))));
      for (const spot of Object.keys(position.seen ?? {})) if (open.has(spot)) seen[spot] = position.seen![spot]!;

      const before = await readLevels(client, [...now], signal);
      const sums = await rowsOf([...before.keys()], signal);
      const after = await readLevels(client, [...now], signal);
      for (const spot of touched) {
        const itemId = itemOf(spot);
        if (!now.has(itemId)) continue;
        const level = after.get(itemId)?.get(locationOf(spot));
        if (level === undefined) continue;
        if (!isSame(before.get(itemId), level, locationOf(spot))) {
          // It sold in between: looked at once more.
          open.add(spot);
          continue;
        }
        const hidden = (sums.get(spot) ?? 0) - level.reserved;
        const baseline = isBaseline || setRight.has(spot);
        const verdict = judge(hidden, level, position.seen?.[spot], known[spot] ?? 0, baseline);
        if (verdict.seen !== undefined) seen[spot] = verdict.seen;
        if (verdict.write !== undefined) {
          const change = { itemId, locationId: locationOf(spot), stocked: verdict.write, exists: true };
          const [outcome] = await writeLevels(client, [[change]], signal);
          corrections.push({ spot, hidden, from: level.stocked, to: verdict.write, outcome: outcome!.outcome });
          if (outcome!.outcome !== 'confirmed') {
            // Met as it is by the next poll: either done, or still to do.
            seen[spot] = position.seen![spot]!;
            continue;
          }
        }
        if (verdict.known !== undefined) {
          if (verdict.known > 0) known[spot] = verdict.known;
          else delete known[spot];
        }
      }
      const next: Position = {
        ...(newest !== '' && {
          at: more && newest !== at ? newest : more ? later(newest) : earlierIso(newest, OVERLAP_MS),
        }),
        ...(!more && open.size === 0 && { begun: true as const }),
        ...(position.begun === true && { begun: true as const }),
        ...(Object.keys(seen).length > 0 && { seen }),
        ...(Object.keys(known).length > 0 && { known }),
        ...(open.size > 0 && { open: [...open] }),
      };
      const body = corrections.length === 0 ? page.body : Buffer.from(JSON.stringify({ corrections }));
      const isDrained = !more && open.size === 0;
      const text = JSON.stringify(next);
      given = { cursor: text, rows: looked };
      return { body, contentType: 'application/json', items: [], cursor: text, drained: isDrained };
    },
  };
}

function isSame(before: Levels | undefined, level: Level, locationId: string): boolean {
  const then = before?.get(locationId);
  return then !== undefined && then.stocked === level.stocked && then.reserved === level.reserved;
}

async function readRows(
  client: HttpClient,
  path: string,
  signal: AbortSignal,
): Promise<{ rows: Record<string, unknown>[]; body: Buffer }> {
  const { value, body } = await client.read(path, signal);
  const rows = (value as { reservations?: unknown } | null)?.reservations;
  if (!Array.isArray(rows)) client.malformed('GET', path, 'reservations is not a list');
  return { rows: rows as Record<string, unknown>[], body };
}

/** More rows of one moment than a page holds: gone past; their items are added up whole anyway when any of their rows changes. */
function later(at: string): string {
  return new Date(Date.parse(at) + 1).toISOString();
}

function positionOf(cursor: string): Position {
  if (cursor === '') return {};
  try {
    const position = JSON.parse(cursor) as Position | null;
    if (typeof position === 'object' && position !== null) return position;
  } catch {
    // Told below.
  }
  return fail('XD_VALUE_INVALID', 'the cursor is not one of this feed', { cursor: cursor.slice(0, 100) });
}
