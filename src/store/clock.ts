import { type Queryable, sql } from './database.ts';

const now = sql<{ now: Date }>('clock_now', 'select crossdock_now() as now');

/** The database's time: the only clock that expiry, leases and freshness use. */
export async function databaseNow(db: Queryable): Promise<Date> {
  return (await db.query(now))[0]!.now;
}
