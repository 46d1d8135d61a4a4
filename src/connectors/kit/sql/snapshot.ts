/**
 * Feeds of tables without a time of change: all of it is read at one moment and compared with what was handed over.
 *
 * What was handed over is kept in the cursor: a key and ten characters of a hash per thing. It is stored with the page in one transaction, so
 * a crash loses and repeats nothing, and a thing that is gone is noticed even if it went while nobody looked. The price is a cursor that
 * grows with the table: some 30 bytes a thing, so there is a bound, and beyond it the table needs a time or a change table.
 */
import { createHash } from 'node:crypto';
import { fail, type InboundItem } from '../../../canonical/index.ts';
import type { FeedPage, Source } from '../types.ts';
import type { SqlRow } from './client.ts';

export const SNAPSHOT_THINGS_MAX = 50_000;
const CHANGES_MAX = 500;
const CONTENT_TYPE = 'application/vnd.crossdock.rows+json';

/** Rows of one key as they are now; none: it is gone. */
export interface Change {
  key: string[];
  rows: SqlRow[];
}

/** A page as it is kept. `revision` tells it from all others of the feed; `readAt` is the database's own time. */
export interface ChangesBody {
  revision: string;
  readAt: string;
  changes: Change[];
}

export interface SnapshotOptions {
  feed: string;
  thingsMax?: number;
  changesMax?: number;
  read(signal: AbortSignal): Promise<{ rows: SqlRow[]; readAt: string }>;
  /** Names of the columns that tell things apart. */
  key: readonly string[];
  /** Pure. */
  map(body: ChangesBody): InboundItem[];
}

interface State {
  /** Of the last page that had changes. */
  s: number;
  t: Record<string, string>;
}

export function snapshotSource({
  feed,
  read,
  key,
  map,
  thingsMax = SNAPSHOT_THINGS_MAX,
  changesMax = CHANGES_MAX,
}: SnapshotOptions): Source {
  return {
    feed,
    reread: (body) => map(JSON.parse(body.toString('utf8')) as ChangesBody),
    async poll(cursor, signal): Promise<FeedPage> {
      const state = stateOf(cursor, feed);
      const { rows, readAt } = await read(signal);
      const things = new Map<string, SqlRow[]>();
      for (const row of rows) {
        const name = JSON.stringify(key.map((column) => row[column] ?? ''));
        const known = things.get(name);
        if (known === undefined) things.set(name, [row]);
        else known.push(row);
      }
      if (things.size > thingsMax)
        fail(
          'XD_CONNECTOR_REFUSED',
          `${feed} has more than ${thingsMax} things: it needs a time of change or a change table`,
        );
      const changes: (Change & { name: string; hash: string | undefined })[] = [];
      let more = false;
      const add = (name: string, found: SqlRow[], hash: string | undefined) => {
        if (changes.length === changesMax) more = true;
        else changes.push({ name, key: JSON.parse(name) as string[], rows: found, hash });
      };
      for (const [name, found] of things) {
        const hash = hashOf(found);
        if (state.t[name] !== hash) add(name, found, hash);
      }
      for (const name of Object.keys(state.t)) if (!things.has(name)) add(name, [], undefined);
      if (changes.length === 0)
        return { body: Buffer.alloc(0), contentType: CONTENT_TYPE, items: [], cursor, drained: true };
      const next: State = { s: state.s + 1, t: { ...state.t } };
      for (const { name, hash } of changes)
        if (hash === undefined) delete next.t[name];
        else next.t[name] = hash;
      const body: ChangesBody = {
        revision: String(next.s),
        readAt,
        changes: changes.map(({ key: columns, rows: found }) => ({ key: columns, rows: found })),
      };
      const bytes = Buffer.from(JSON.stringify(body), 'utf8');
      return { body: bytes, contentType: CONTENT_TYPE, items: map(body), cursor: JSON.stringify(next), drained: !more };
    },
  };
}

/** The order of a thing's rows is not part of it: a query promises none. */
function hashOf(rows: readonly SqlRow[]): string {
  const texts = rows
    .map((row) => JSON.stringify(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1))))
    .sort();
  return createHash('sha256').update(texts.join('\n')).digest('base64url').slice(0, 10);
}

function stateOf(cursor: string, feed: string): State {
  if (cursor === '') return { s: 0, t: {} };
  try {
    const state = JSON.parse(cursor) as State;
    if (Number.isSafeInteger(state.s) && typeof state.t === 'object' && state.t !== null) return state;
  } catch {
    // Told below.
  }
  return fail('XD_VALUE_INVALID', `the cursor is not one of ${feed}`, { cursor: cursor.slice(0, 100) });
}
