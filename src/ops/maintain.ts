import { type Database, sql } from '../store/index.ts';

const ensure = sql<{ made: number }>(
  'ops_ensure_partitions',
  'select crossdock_ensure_partitions(crossdock_now(), 2) as made',
);

/**
 * Makes the partitions of this and the next two months, so that rows never pile up in the default one; what lies there already
 * moves along. A transaction, so that a race with those who write there is run again.
 */
export async function ensurePartitions(db: Database): Promise<number> {
  return db.transaction(async (tx) => (await tx.query(ensure))[0]!.made);
}
