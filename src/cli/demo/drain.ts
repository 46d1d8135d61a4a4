import { pendingWork } from '../../ops/index.ts';
import { type Database, sql } from '../../store/index.ts';

const readCursors = sql<{ system: string; cursor: string }>(
  'demo_read_cursors',
  'select system, cursor from feed_cursor',
);

const readEnd = sql<{ facts: string; cursors: string | null }>(
  'demo_read_end',
  `select coalesce(pg_sequence_last_value(pg_get_serial_sequence('fact', 'position')::regclass), 0)::text as facts,
          (select string_agg(system || ' ' || feed || ' ' || cursor, ', ' order by system, feed) from feed_cursor) as cursors`,
);

/** How far the log, the feeds and the systems' records have come. */
async function placeOf(db: Database, urls: Readonly<Record<string, string>>): Promise<string> {
  const [end] = await db.query(readEnd);
  const records = [];
  for (const url of Object.values(urls)) records.push((await systemStats(url).catch(() => undefined))?.records);
  return JSON.stringify([end, records]);
}

type SystemStats = {
  pending?: number;
  records?: number;
  unread?: number;
};

export async function systemStats(url: string): Promise<SystemStats & Record<string, unknown>> {
  const answer = await fetch(`${url}/_control/stats`, { signal: AbortSignal.timeout(5_000) });
  return (await answer.json()) as SystemStats;
}

/** What is still to be done, in the hub and in the systems, by name; empty when everything has come to rest. */
export async function findPending(
  db: Database,
  urls: Readonly<Record<string, string>>,
): Promise<Record<string, number>> {
  const open: Record<string, number> = {};
  const { total: _, ...hub } = await pendingWork(db);
  for (const [name, count] of Object.entries(hub)) if (count > 0) open[`hub.${name}`] = count;
  const cursors = new Map((await db.query(readCursors)).map((row) => [row.system, Number(row.cursor || 0)]));
  for (const [system, url] of Object.entries(urls)) {
    const stats = await systemStats(url).catch(() => ({ pending: 1 }) as SystemStats);
    if ((stats.pending ?? 0) > 0) open[`${system}.pending`] = stats.pending!;
    const unread = (stats.records ?? 0) - (cursors.get(system) ?? 0);
    if (unread > 0) open[`${system}.unread`] = unread;
  }
  return open;
}

/**
 * Waits until nothing is pending in two looks in a row and nothing was recorded between them: a look takes one after the other, so
 * work may pass from one side to the other behind its back. @throws when nothing moves for `stillMsMax`
 */
export async function waitUntilDrained(
  db: Database,
  urls: Readonly<Record<string, string>>,
  options: {
    lookMs: number;
    stillMsMax: number;
    onLook?: (pending: Record<string, number>) => void;
    signal: AbortSignal;
  },
): Promise<void> {
  let quietAt = '';
  let last = '';
  let changedAt = performance.now();
  while (!options.signal.aborted) {
    const pending = await findPending(db, urls);
    options.onLook?.(pending);
    const text = JSON.stringify(pending);
    const place = text === '{}' ? await placeOf(db, urls) : '';
    if (place !== '' && place === quietAt) return;
    quietAt = place;
    if (text !== last) {
      last = text;
      changedAt = performance.now();
    } else if (performance.now() - changedAt > options.stillMsMax)
      throw new Error(`nothing has moved for ${Math.round(options.stillMsMax / 1000)} s; still open: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, options.lookMs));
  }
}
