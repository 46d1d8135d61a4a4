import { type Database, sql } from '../store/index.ts';

const ensure = sql<{ made: number }>(
  'ops_ensure_partitions',
  'select crossdock_ensure_partitions(crossdock_now(), 2) as made',
);

/** Makes the partitions of this and the next two months, so that rows never pile up in the default one. */
export async function ensurePartitions(db: Database): Promise<number> {
  return (await db.query(ensure))[0]!.made;
}
