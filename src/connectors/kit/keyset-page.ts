/** Pages of systems that are asked for what lies beyond a place, or only from a time on. */
import { CrossdockError, fail, fingerprint } from '../../canonical/index.ts';
import { cutDeep } from './fields.ts';
import type { KeysetPage, KeysetRow, KeysetSource, Place } from './keyset.ts';

export interface AskedPage {
  body: Buffer;
  contentType: string;
  records: unknown[];
}

export interface KeysetPages {
  pageMax: number;
  /**
   * id: it can be asked for what lies beyond (time, id) · time: only from a time on, inclusive; then the last moment of a full page may be
   * there in part, and is read again with the next
   */
  ties: 'id' | 'time';
  /** Undefined: the record doesn't say. */
  placeOf(raw: unknown): Place | undefined;
  /** The first `size` records beyond `after`, or from its time on. */
  ask(after: Place | undefined, size: number, signal: AbortSignal): Promise<AskedPage>;
}

/** How many times a page may grow when more records than it holds share one time. */
const GROWTH_MAX = 32;
/** Between a neighbour's id and what a record without a place of its own holds. */
const UNPLACED = ' !';

export function keysetPages({ pageMax, ties, placeOf, ask }: KeysetPages): KeysetSource['read'] {
  let size = pageMax;
  const malformed = (what: string): never => fail('XD_CONNECTOR_MALFORMED', what);
  return async (after, _limit, signal): Promise<KeysetPage> => {
    for (;;) {
      const asked = size;
      const beyond = after && { at: after.at, id: after.id.split(UNPLACED)[0]! };
      let page: AskedPage;
      try {
        page = await ask(beyond, asked, signal);
      } catch (error) {
        const tooLarge = error instanceof CrossdockError && error.details.reason === 'answer_too_large';
        if (!tooLarge || size === 1) throw error;
        size = Math.max(1, size >> 1);
        continue;
      }
      const { body, contentType, records } = page;
      const placed = records.map(placeOf);
      if (placed.length > 0 && placed.every((place) => place === undefined))
        malformed('no record of a page has a time of change and an id');
      const all = records.map((raw, index): KeysetRow => {
        // A record without a place is handed over with its neighbour, and parked; it holds nobody up.
        const near =
          placed.findLast((place, at) => place !== undefined && at <= index) ?? placed.find((place) => place)!;
        const content = placed[index] === undefined ? UNPLACED + fingerprint('page', cutDeep(raw ?? null)) : '';
        return { raw, at: near.at, id: near.id + content };
      });
      const rows = all.filter((row) => after === undefined || compare(row, after) > 0).sort(compare);
      if (ties === 'id') {
        size = Math.min(pageMax, size * 2);
        return { body, contentType, rows, more: rows.length > 0 };
      }
      const isFull = all.length >= asked;
      const whole = isFull ? rows.filter((row) => row.at < rows.at(-1)!.at) : rows;
      if (isFull && whole.length === 0) {
        if (size >= pageMax * GROWTH_MAX) malformed(`more than ${size} records share one time of change`);
        size *= 2;
        continue;
      }
      size = Math.min(size, pageMax);
      return { body, contentType, rows: whole, more: isFull };
    }
  };
}

function compare(one: Place, other: Place): number {
  if (one.at !== other.at) return one.at < other.at ? -1 : 1;
  return one.id === other.id ? 0 : one.id < other.id ? -1 : 1;
}
