/** Feeds of systems that only have a time of change: read by (time, id), again from a little before the end each time. */
import { hash } from 'node:crypto';
import { fail, type InboundItem } from '../../canonical/index.ts';
import { cutDeep } from './fields.ts';
import type { FeedPage, Source } from './types.ts';

/** A record's place: the system's own time of its last change, and what tells records of one time apart; both sort as texts. */
export interface Place {
  at: string;
  id: string;
}

export interface KeysetRow extends Place {
  raw: unknown;
}

export interface KeysetPage {
  /** As it came. */
  body: Buffer;
  contentType: string;
  /** In the order of their places. */
  rows: KeysetRow[];
  /** Whether more follow. */
  more: boolean;
  /** What comes next is there and not finished yet: the feed goes on from here, and is not read to its end. */
  isHeld?: boolean;
}

export interface KeysetSource {
  feed: string;
  /** Rows a page. */
  pageMax: number;
  /** How far before the newest known change each pass begins again, in ms. */
  overlapMs: number;
  /** Rows whose place is beyond `after` (undefined: all), the first `limit` of them. */
  read(after: Place | undefined, limit: number, signal: AbortSignal): Promise<KeysetPage>;
  /** Pure. Keys must not depend on the page. */
  map(rows: readonly unknown[]): InboundItem[];
  /** The rows of a page, from its bytes. */
  rowsOf(body: Buffer): unknown[];
  /** A time so many ms earlier, as the system writes it. */
  earlier?(at: string, ms: number): string;
}

/**
 * `p`: read up to here in this pass; `h`: the newest place of all passes, from which the next begins; `k`: what was handed over without
 * either moving on, so that whoever comes back says by its cursor whether that was kept.
 */
interface Position {
  p?: Place;
  h?: Place;
  k?: string;
}

/** Row versions of the last pass that were handed over: only what is new among them is handed over again. */
const REMEMBERED_MAX = 50_000;

/**
 * A pass reads from the overlap's beginning to the end. Rows of equal time are told apart by their id; a change that was committed after
 * a later one was read is met by the next pass, as long as it commits within the overlap of its own time. All times are the system's own,
 * so a clock that differs from ours doesn't matter. Rows that were handed over are remembered, so that a quiet system costs one
 * small page a pass; after a restart the overlap is handed over once more, under the same keys.
 */
export function keysetSource(options: KeysetSource): Source {
  const { feed, pageMax, overlapMs, read, map, rowsOf, earlier = earlierIso } = options;
  const placeOf = ({ at, id }: Place) => `${at} ${id}`;
  // With what it says: a system may change a thing twice in what it calls one moment.
  const nameOf = (row: KeysetRow) => `${placeOf(row)} ${hash('sha256', contentOf(row.raw), 'base64url').slice(0, 16)}`;
  let remembered = new Set<string>();
  /** Handed over with the page that leads to `cursor`; they count once the caller comes back with it. */
  let given: { cursor: string; names: string[] } | undefined;
  return {
    feed,
    reread: (body) => map(rowsOf(body)),
    async poll(cursor, signal): Promise<FeedPage> {
      const position = positionOf(cursor);
      if (given !== undefined) {
        if (given.cursor === cursor) for (const name of given.names) remembered.add(name);
        given = undefined;
      }
      if (remembered.size > REMEMBERED_MAX) remembered = new Set([...remembered].slice(-REMEMBERED_MAX / 2));
      const after = position.p;
      const page = await read(after, pageMax, signal);
      const last = page.rows.at(-1);
      const held = page.isHeld === true;
      if (page.more && last === undefined && !held) malformed(feed, 'says that more follows an empty page');
      if (last !== undefined && after !== undefined && !isBeyond(last, after))
        malformed(feed, `goes back: ${placeOf(last)} after ${placeOf(after)}`);
      const newest = last !== undefined && (position.h === undefined || isBeyond(last, position.h)) ? last : position.h;
      const here = newest === undefined ? undefined : { at: newest.at, id: newest.id };
      let next: Position;
      if (held && last === undefined) next = position;
      else if (page.more || held) next = { p: { at: last!.at, id: last!.id }, ...(here && { h: here }) };
      else next = here === undefined ? {} : { p: { at: earlier(here.at, overlapMs), id: '' }, h: here };
      const fresh = page.rows.filter((row) => !remembered.has(nameOf(row)));
      const names = fresh.map(nameOf);
      const text = movedOn(next, position, cursor, names);
      given = { cursor: text, names };
      return {
        body: page.body,
        contentType: page.contentType,
        items: fresh.length === 0 ? [] : map(fresh.map((row) => row.raw)),
        cursor: text,
        drained: !page.more && !held,
      };
    },
  };
}

/** What is nested so deep that no writer of JSON gets to its end is told apart by what stands above that. */
function contentOf(raw: unknown): string {
  try {
    return JSON.stringify(raw) ?? '';
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return JSON.stringify(cutDeep(raw));
  }
}

/** As a text that differs from the one before wherever something was handed over, and only there. */
function movedOn(next: Position, { k }: Position, cursor: string, names: readonly string[]): string {
  const written = (position: Position) => (Object.keys(position).length === 0 ? '' : JSON.stringify(position));
  const same = k === undefined ? written(next) : written({ ...next, k });
  if (same !== cursor) return written(next);
  if (names.length === 0) return same;
  const mark = hash('sha256', JSON.stringify([k ?? '', names]), 'base64url');
  return written({ ...next, k: mark.slice(0, 16) });
}

function isBeyond(one: Place, other: Place): boolean {
  return one.at > other.at || (one.at === other.at && one.id > other.id);
}

function positionOf(cursor: string): Position {
  if (cursor === '') return {};
  try {
    const read: unknown = JSON.parse(cursor);
    const { p, h, k } = (typeof read === 'object' && read !== null ? read : { p: read }) as Position;
    const isPlace = (place: Place | undefined) =>
      place === undefined || (typeof place?.at === 'string' && typeof place.id === 'string');
    if (isPlace(p) && isPlace(h) && (k === undefined || typeof k === 'string'))
      return { ...(p && { p }), ...(h && { h }), ...(k && { k }) };
  } catch {
    // Told below.
  }
  return fail('XD_VALUE_INVALID', 'the cursor is not one of this feed', { cursor: cursor.slice(0, 100) });
}

function malformed(feed: string, what: string): never {
  fail('XD_CONNECTOR_MALFORMED', `${feed} ${what}`);
}

/** Of RFC 3339 times in UTC with a fixed number of digits, which sort as texts. */
export function earlierIso(at: string, ms: number): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) fail('XD_CONNECTOR_MALFORMED', `${JSON.stringify(at.slice(0, 40))} is no time`);
  const iso = new Date(time - ms).toISOString();
  // As many digits as the system writes: texts are compared.
  const digits = /\.(\d+)/.exec(at)?.[1]?.length ?? 0;
  return digits === 0
    ? `${iso.slice(0, 19)}Z`
    : `${iso.slice(0, 20)}${iso.slice(20, 23).padEnd(digits, '0').slice(0, digits)}Z`;
}
