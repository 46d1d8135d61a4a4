import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SqlFeed } from './settings.ts';
import { keysetStatement, snapshotStatement } from './statements.ts';

const { feeds } = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/estate.json'), 'utf8')) as {
  feeds: [SqlFeed, SqlFeed];
};
const after = { at: '2026-03-01T10:00:00.123456Z', id: '00000000000000000042' };

it('names in texts, quoted names, comments and casts are no values', () => {
  expect(snapshotStatement(feeds[0], 'postgresql', 'feed', 10)).toEqual({
    text: `select q.* from (select part, place, level from stock where active = $1 and note <> ':active' -- :not\n and level::text <> ":column") q limit 10`,
    values: ['Y'],
  });
});

it('a page begins beyond its place, ordered by time and number', () => {
  expect(keysetStatement(feeds[1], 'postgresql', 'feed', after, 3)).toEqual({
    text:
      `select q.*, to_char((q."changed_at")::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "$at", ` +
      `lpad(q."row_id"::text, 20, '0') as "$id" from (select * from order_rows where kind in ($1, $2)) q ` +
      `where (q."changed_at" > $3::timestamptz or (q."changed_at" = $3::timestamptz and q."row_id" > $4::bigint)) order by q."changed_at", q."row_id" limit 3`,
    values: ['1', '2', after.at, '42'],
  });
});

it('MySQL has its own quotes and marks', () => {
  const { text, values } = keysetStatement(feeds[1], 'mysql', 'feed', after, 3);
  expect(text).toContain(
    'where (q.`changed_at` > ? or (q.`changed_at` = ? and q.`row_id` > ?)) order by q.`changed_at`, q.`row_id` limit 3',
  );
  expect(values).toEqual(['1', '2', '2026-03-01 10:00:00.123456', '2026-03-01 10:00:00.123456', '42']);
});
