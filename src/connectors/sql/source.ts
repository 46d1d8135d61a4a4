import {
  type ConnectorContext,
  keysetSource,
  recordReader,
  type Source,
  type SqlClient,
  snapshotSource,
} from '../kit/index.ts';
import { placedChanges, placedRows } from './map.ts';
import type { SqlFeed } from './settings.ts';
import { keysetStatement, paddedId, snapshotStatement } from './statements.ts';

const PAGE_ROWS = 500;
const THINGS_MAX = 5_000;
/** Rows of one thing, e.g. lines of an order, on average. */
const ROWS_A_THING = 20;
const CONTENT_TYPE = 'application/vnd.crossdock.rows+json';

export function sqlSource(
  client: SqlClient,
  feed: SqlFeed,
  { system, channel }: ConnectorContext,
  place: string,
): Source {
  const { cursor } = feed;
  const reader = recordReader(feed.map, `${place}.map`, system, channel);
  if (cursor.by === 'snapshot') {
    const { key, gone, thingsMax = THINGS_MAX } = cursor;
    return snapshotSource({
      feed: feed.feed,
      key,
      thingsMax,
      ...(feed.pageRows !== undefined && { changesMax: feed.pageRows }),
      read: (signal) =>
        client.reading(signal, async (run) => {
          const { text, values } = snapshotStatement(feed, client.dialect, place, thingsMax * ROWS_A_THING + 1);
          const { rows } = await run(text, values);
          return { rows, readAt: await timeOf(client, run) };
        }),
      map: (body) => reader.read(placedChanges(body, key, gone), body.revision),
    });
  }
  const isTime = cursor.by === 'time';
  const mapRows = (rows: readonly unknown[]) => reader.read(placedRows(rows));
  return keysetSource({
    feed: feed.feed,
    pageMax: feed.pageRows ?? PAGE_ROWS,
    overlapMs: isTime ? cursor.overlapSeconds * 1000 : cursor.overlapRows,
    // Of a sequence the numbers are the times, and so many numbers earlier is the overlap.
    ...(!isTime && {
      earlier: (at: string, rows: number) => {
        const number = BigInt(at) - BigInt(rows);
        return paddedId(String(number < 0n ? 0n : number));
      },
    }),
    async read(after, limit, signal) {
      const { text, values } = keysetStatement(feed, client.dialect, place, after, limit + 1);
      const { rows } = await client.reading(signal, (run) => run(text, values));
      const page = rows.slice(0, limit);
      return {
        body: Buffer.from(JSON.stringify({ rows: page }), 'utf8'),
        contentType: CONTENT_TYPE,
        rows: page.map((row) => ({ at: row.$at ?? '', id: row.$id ?? '', raw: row })),
        more: rows.length > limit,
      };
    },
    map: mapRows,
    rowsOf: (body) => (JSON.parse(body.toString('utf8')) as { rows: unknown[] }).rows,
  });
}

export async function timeOf(
  client: SqlClient,
  run: Parameters<Parameters<SqlClient['reading']>[1]>[0],
): Promise<string> {
  const text =
    client.dialect === 'mysql'
      ? `select date_format(utc_timestamp(3), '%Y-%m-%dT%H:%i:%s.%fZ') as t`
      : `select to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as t`;
  const { rows } = await run(text, []);
  return new Date(rows[0]!.t!).toISOString();
}
