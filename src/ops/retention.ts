/**
 * Forgets what is older than its kind is kept: whole partitions, each in a transaction of its own, and rows of what has ended, a page
 * each. Business keys, orders and balances are kept for ever; what a dropped month of movements did to a balance stays in its closing
 * balance (I1).
 */
import { fail } from '../canonical/index.ts';
import type { Database } from '../store/index.ts';
import { listKinds } from './forget.sql.ts';
import { forgetEnded } from './forget.ts';
import * as statements from './retention.sql.ts';

/** What a partition drop may wait for others; then it is left for the next run, because it holds everyone up meanwhile. */
const LOCK_WAIT_MS_MAX = 2_000;
const NAME = /^[a-z_][a-z0-9_]*$/;

export interface RetentionResult {
  dropped: { table: string; partition: string }[];
  /** Rows taken out of default partitions, and rows of what has ended, by table. */
  deleted: Record<string, number>;
  /** What has expired and had to stay, and why. */
  kept: { table: string; partition: string; reason: string }[];
}

/**
 * @param retentionDays by table, instead of what `partitioned_table` and `expiring_table` say
 * Locks the expired partition against writes, then its parent for the moment of the drop.
 */
export async function dropExpired(
  db: Database,
  retentionDays: Readonly<Record<string, number>> = {},
): Promise<RetentionResult> {
  for (const [table, days] of Object.entries(retentionDays))
    if (!Number.isSafeInteger(days) || days < 1)
      fail('XD_VALUE_INVALID', `retention of ${table} must be whole days from 1, not ${days}`, { place: table });
  const partitions = await db.query(statements.listPartitions, [JSON.stringify(retentionDays)]);
  const kinds = await db.query(listKinds, [JSON.stringify(retentionDays)]);
  const tables = new Set([...partitions, ...kinds].map((row) => row.table_name));
  for (const table of Object.keys(retentionDays))
    if (!tables.has(table))
      fail('XD_VALUE_INVALID', `no kind of record ${table} is kept by days; there are ${[...tables].join(', ')}`, {
        place: table,
      });
  const result: RetentionResult = { dropped: [], deleted: {}, kept: [] };
  for (const row of partitions) {
    const { table_name: table, partition, until, expires_before: before } = row;
    const end = until ?? before;
    if (end > before) continue;
    if (table === 'fact') {
      const [reader] = await db.query(statements.findUnread, [partition, end]);
      if (reader !== undefined) {
        result.kept.push({ table, partition, reason: `${reader.consumer} has not read all of it` });
        continue;
      }
    }
    try {
      const deleted = await dropOne(db, table, partition, until, before);
      if (until !== null) result.dropped.push({ table, partition });
      else if (deleted > 0) result.deleted[table] = deleted;
    } catch (error) {
      if ((error as { code?: string }).code !== '55P03') throw error;
      result.kept.push({ table, partition, reason: 'in use; tried again at the next run' });
    }
  }
  // After the facts: what they could plan again is kept until they are gone.
  return { ...result, deleted: { ...result.deleted, ...(await forgetEnded(db, kinds)) } };
}

async function dropOne(
  db: Database,
  table: string,
  partition: string,
  until: Date | null,
  before: Date,
): Promise<number> {
  // Names come from the catalogue, and from nowhere else; they are not values, so they can't be bound.
  if (!NAME.test(table) || !NAME.test(partition)) fail('XD_INTERNAL', `a partition is called ${partition}`);
  return db.transaction(async (tx) => {
    const run = (text: string, values: unknown[] = []) => tx.query<{ count: number }>({ name: '', text }, values);
    await run(`set local lock_timeout = ${LOCK_WAIT_MS_MAX}`);
    await run(`lock table ${partition} in share row exclusive mode`);
    const expired = until === null ? 'where recorded_at < $1::timestamptz' : '';
    const values = until === null ? [before] : [];
    if (table === 'stock_movement')
      await run(
        `insert into stock_closing as c (sku_id, location_id, on_hand, closed_before)
         select sku_id, location_id, sum(effect), $${values.length + 1}::timestamptz from ${partition} ${expired} group by sku_id, location_id
         on conflict (sku_id, location_id) do update
           set on_hand = c.on_hand + excluded.on_hand, closed_before = greatest(c.closed_before, excluded.closed_before)`,
        [...values, until ?? before],
      );
    const keptSince = () =>
      run(
        'update partitioned_table set kept_since = greatest(kept_since, $2::timestamptz) where table_name = $1::text',
        [table, until ?? before],
      );
    if (until !== null) {
      await run(`drop table ${partition}`);
      await keptSince();
      return 0;
    }
    const [row] = await run(
      `with gone as (delete from ${partition} ${expired} returning 1) select count(*)::int as count from gone`,
      values,
    );
    if (row!.count > 0) await keptSince();
    return row!.count;
  });
}
