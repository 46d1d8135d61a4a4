import { sql } from '../store/index.ts';

export interface PartitionRow {
  table_name: string;
  partition: string;
  /** Null for the default partition, which takes what has no month of its own. */
  until: Date | null;
  expires_before: Date;
}

// A partition expires as a whole, when its last possible row does.
export const listPartitions = sql<PartitionRow>(
  'ops_list_partitions',
  `select t.table_name, c.relname as partition,
          substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \\(''([^'']+)''\\)')::timestamptz as until,
          crossdock_now() - make_interval(days => coalesce(($1::json->>t.table_name)::int, t.retention_days)) as expires_before
     from partitioned_table t
     join pg_inherits i on i.inhparent = to_regclass(t.table_name)
     join pg_class c on c.oid = i.inhrelid
    order by t.table_name, until nulls last`,
);

// A fact that a consumer has not read is not to be forgotten.
export const findUnread = sql<{ consumer: string }>(
  'ops_find_unread_facts',
  `select p.consumer from log_place p
    where exists (select from fact f
                   where f.tableoid = $1::text::regclass and f.recorded_at < $2::timestamptz
                     and (f.position > p.until_position
                          or (f.position > p.after_position and (f.transaction_id, f.position) > (p.transaction_id, p.position))))
    limit 1`,
);
