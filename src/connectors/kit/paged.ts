/**
 * Feeds of systems that only know pages: by number, offset, token or link. A pass reads all pages from the first; the next one begins at the
 * newest change it met, less an overlap, where the system can be asked for changes, and at the beginning where it can't.
 *
 * Pages shift while they are read: a record that is deleted, or changed and moved to the end, pulls those behind it forward, over the line that
 * was read already. So each page is tied to the one before it. By offset, the last records are read again: where they are found tells where
 * to read on. By page number nothing overlaps: after each page the one before is looked at again, and if its last record is not the same any
 * more, what followed may have moved before it was read. Where the tie is lost the pass begins again; what was handed over is remembered, so
 * that only what is new is handed over again.
 */
import { fail, fingerprint, type InboundItem } from '../../canonical/index.ts';
import { cutDeep } from './fields.ts';
import { earlierIso } from './keyset.ts';
import type { FeedPage, Source } from './types.ts';

/** A page's place as the system takes it: a number, a token or a path. */
export type Where = string;

export interface Page {
  body: Buffer;
  contentType: string;
  records: unknown[];
  /** Null: this was the last one. */
  next: Where | null;
  /** Of the last page: where what changes after this pass will be found, if the system keeps track of it. */
  changes?: Where;
}

export interface PagedSource {
  feed: string;
  first: Where;
  /** Records that are read again with the next page; only where places are offsets. */
  overlap: number;
  /** Whether the page before is looked at again after each. */
  recheck: boolean;
  idOf(raw: unknown): string | undefined;
  change?: { timeOf(raw: unknown): string | undefined; overlapMs: number };
  /** `restart`: the place is not known any more. */
  read(where: Where, since: string | undefined, signal: AbortSignal): Promise<Page | 'restart'>;
  map(records: readonly unknown[]): InboundItem[];
  rowsOf(body: Buffer): unknown[];
}

interface Position {
  /** From which change on this pass reads. */
  s?: string;
  /** The newest change of this pass. */
  n?: string;
  /** Where to read on; absent: at the first page. */
  w?: Where;
  /** The page before, and the name of its last record. */
  b?: Where;
  l?: string;
  /** What was handed over though no place moved on: whoever comes back says by its cursor whether that was kept. */
  k?: string;
}

const REMEMBERED_MAX = 50_000;

export function pagedSource(options: PagedSource): Source {
  const { feed, first, overlap, recheck, idOf, change, read, map, rowsOf } = options;
  const nameOf = (raw: unknown) => idOf(raw) ?? contentOf(raw);
  /** By name the content that was handed over last. */
  let remembered = new Map<string, string>();
  let given: { cursor: string; records: [string, string][] } | undefined;

  return {
    feed,
    reread: (body) => map(rowsOf(body)),
    async poll(cursor, signal): Promise<FeedPage> {
      const position = positionOf(cursor);
      if (given?.cursor === cursor) for (const [name, content] of given.records) remembered.set(name, content);
      given = undefined;
      if (remembered.size > REMEMBERED_MAX) remembered = new Map([...remembered].slice(-REMEMBERED_MAX / 2));

      const { s: since } = position;
      const where = position.w ?? first;
      const isTied = position.l !== undefined;
      // By offset it begins a little before.
      const begins = overlap > 0 && isTied ? String(Math.max(0, Number(where) - overlap)) : where;
      const page = await read(begins, since, signal);
      const again: Position = { ...(since !== undefined && { s: since }) };
      const handOver = (from: { body: Buffer; contentType: string }, some: unknown[], to: Position, drained: boolean) =>
        handedOver(cursor, position, from, some, to, drained);
      if (page === 'restart') return handOver(emptyBody, [], again, false);
      let { records } = page;
      let { next } = page;
      let isLost = false;
      // Whoever gives the same page for each place would be read for ever.
      if (isTied && overlap === 0 && records.length > 0 && nameOf(records.at(-1)) === position.l)
        malformed(
          feed,
          'gives the page before once more: does it know these parameters, or should `more` say its end?',
        );
      if (isTied && overlap > 0) {
        const tie = records.findLastIndex((raw) => nameOf(raw) === position.l);
        isLost = tie < 0;
        // What lies before the tie was read with the page before. Nothing behind it: that was all.
        if (!isLost) records = records.slice(tie + 1);
        if (!isLost && records.length === 0) next = null;
      } else if (isTied && recheck) {
        const before = await read(position.b!, since, signal);
        isLost = before === 'restart' || before.records.length === 0 || nameOf(before.records.at(-1)) !== position.l;
      }
      if (next !== null && next === where && records.length > 0) malformed(feed, 'leads from a page to itself');
      const newest = newestOf(records, position.n);
      if (isLost) return handOver(page, records, again, false);
      if (next === null) {
        if (page.changes !== undefined) return handOver(page, records, { w: page.changes }, true);
        const from = newest === undefined ? since : earlierIso(newest, change?.overlapMs ?? 0);
        const isLater = from !== undefined && (since === undefined || from > since);
        const end = isLater ? from : since;
        return handOver(page, records, end === undefined ? {} : { s: end }, true);
      }
      const last = records.at(-1);
      const on: Position = { ...again, w: next, b: where, ...(newest !== undefined && { n: newest }) };
      if (last !== undefined) on.l = nameOf(last);
      else if (position.l !== undefined) on.l = position.l;
      return handOver(page, records, on, false);
    },
  };

  function handedOver(
    before: string,
    { k }: Position,
    page: { body: Buffer; contentType: string },
    records: unknown[],
    to: Position,
    drained: boolean,
  ): FeedPage {
    const fresh: unknown[] = [];
    const names: [string, string][] = [];
    for (const raw of records) {
      const [name, content] = [nameOf(raw), contentOf(raw)];
      if (remembered.get(name) === content) continue;
      fresh.push(raw);
      names.push([name, content]);
    }
    const written = (place: Position) => (Object.keys(place).length === 0 ? '' : JSON.stringify(place));
    const same = k === undefined ? written(to) : written({ ...to, k });
    let cursor = same === before ? same : written(to);
    if (fresh.length > 0 && cursor === before) cursor = written({ ...to, k: contentOf([k ?? '', names]) });
    given = { cursor, records: names };
    const { body, contentType } = page;
    return { body, contentType, items: fresh.length === 0 ? [] : map(fresh), cursor, drained };
  }

  function newestOf(records: readonly unknown[], known: string | undefined): string | undefined {
    let newest = known;
    if (change !== undefined)
      for (const raw of records) {
        const time = change.timeOf(raw);
        if (time !== undefined && (newest === undefined || time > newest)) newest = time;
      }
    return newest;
  }
}

const emptyBody = { body: Buffer.from('null'), contentType: 'application/json' };

function contentOf(raw: unknown): string {
  return fingerprint('page', cutDeep(raw ?? null));
}

function positionOf(cursor: string): Position {
  if (cursor === '') return {};
  try {
    const read = JSON.parse(cursor) as Record<string, unknown> | null;
    if (read !== null && typeof read === 'object' && Object.values(read).every((value) => typeof value === 'string'))
      return read as Position;
  } catch {
    // Told below.
  }
  return fail('XD_VALUE_INVALID', 'the cursor is not one of this feed', { cursor: cursor.slice(0, 100) });
}

function malformed(feed: string, what: string): never {
  fail('XD_CONNECTOR_MALFORMED', `${feed} ${what}`);
}
