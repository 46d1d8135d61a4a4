import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from './database.ts';

const database = useDatabase();

describe('times of the database', () => {
  it('arrive to the millisecond, whatever their length, their era and the zone of the server', async () => {
    const db = new Database({ url: database.url, poolMax: 1 });
    try {
      const given = [
        '2026-11-23T08:00:00Z',
        '2026-11-23T08:00:00.1Z',
        '2026-11-23T08:00:00.12345Z',
        '2026-11-23T08:00:00.123999Z',
        '2024-02-29T23:59:59.999999+05:30',
        '1969-07-20T20:17:40.5Z',
        '12026-01-01T00:00:00Z',
      ];
      const rows = await db.execute(
        'select t::timestamptz as at, round(extract(epoch from date_trunc($2, t::timestamptz)) * 1000)::text as ms from unnest($1::text[]) as t',
        [given, 'milliseconds'],
      );
      expect(rows.map((row) => String((row.at as Date).getTime()))).toEqual(rows.map((row) => row.ms));
      const [zone] = await db.execute(`select current_setting('TimeZone') as zone, 'infinity'::timestamptz as never`);
      expect(zone).toEqual({ zone: 'UTC', never: Number.POSITIVE_INFINITY });
    } finally {
      await db.end();
    }
  });
});
