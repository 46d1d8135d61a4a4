import { type Statement, sql } from '../store/index.ts';

export interface KindRow {
  table_name: string;
  expires_before: Date;
}
export const listKinds = sql<KindRow>(
  'ops_list_expiring_tables',
  `select table_name, crossdock_now() - make_interval(days => coalesce(($1::json->>table_name)::int, retention_days)) as expires_before
     from expiring_table order by table_name`,
);

// No fact lies before this moment. A partition counts from its beginning, whether it holds anything or not.
export const readFactsFrom = sql<{ since: Date }>(
  'ops_read_facts_from',
  `select least((select min(substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \\(''([^'']+)''\\)')::timestamptz)
                   from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'fact'::regclass),
                (select min(recorded_at) from fact_default), crossdock_now()) as since`,
);

export const writeKeptSince = sql(
  'ops_write_kept_since',
  `update expiring_table set kept_since = greatest(kept_since, $2::timestamptz) where table_name = $1::text`,
);

/** The lowest id above $1, if there is one. */
export type First = Statement<{ id: number | null }>;
/** Deletes what has ended and expired before $3 among ids from $1 to below $2. `old`: rows there that were recorded before $3. */
export type Forget = Statement<{ old: number; deleted: number }>;

function byId(table: string, id: string, expired: string): { first: First; forget: Forget } {
  return {
    first: sql(`ops_first_${table}`, `select min(${id}) as id from ${table} where ${id} > $1::bigint`),
    forget: sql(
      `ops_forget_${table}`,
      `with gone as (delete from ${table} where ${id} >= $1::bigint and ${id} < $2::bigint and ${expired} returning 1)
       select (select count(*)::int from ${table}
                where ${id} >= $1::bigint and ${id} < $2::bigint and recorded_at < $3::timestamptz) as old,
              (select count(*)::int from gone) as deleted`,
    ),
  };
}

export const reservations = byId(
  'reservation',
  'reservation_id',
  // Whatever ended it, it ended by its expiry.
  `state <> 'open' and greatest(recorded_at, expires_at) < $3::timestamptz`,
);
export const parkedRecords = byId(
  'parked_record',
  'parked_id',
  `state <> 'open' and coalesce(ended_at, recorded_at) < $3::timestamptz`,
);
export const stageAlerts = byId(
  'stage_alert',
  'alert_id',
  `state <> 'open' and coalesce(ended_at, recorded_at) < $3::timestamptz`,
);
export const shortages = byId(
  'shortage',
  'shortage_id',
  `state <> 'open' and coalesce(ended_at, recorded_at) < $3::timestamptz`,
);
export const loadPlans = byId('load_plan', 'plan_id', `recorded_at < $3::timestamptz`);
export const creditClaims = byId('credit_claim', 'order_id', 'ended_at < $3::timestamptz');
// Of charges and whatever else belongs to no order: its fact, which is older than it, is gone when all facts of its time are.
export const otherDeliveries = byId(
  'delivery',
  'delivery_id',
  `order_id is null and not is_open and not needs_person and greatest(recorded_at, ended_at) < $3::timestamptz`,
);

// Of an order nothing is forgotten while a fact of it is left: it could be planned again, and its deliveries' references would not
// stop it. Locked, so that nobody adds to it meanwhile; one that somebody works on is left for the next round.
export const lockEnded = sql<{ order_id: number }>(
  'ops_lock_ended_orders',
  `select o.order_id from sales_order o
    where o.order_id >= $1::bigint and o.order_id < $2::bigint and o.recorded_at < $3::timestamptz and o.state = any($4::text[])
      and not exists (select from fact f where f.stream = 'order/' || o.order_id::text)
    order by o.order_id for update skip locked`,
);
export const countOldOrders = sql<{ old: number }>(
  'ops_count_old_orders',
  `select count(*)::int as old from sales_order
    where order_id >= $1::bigint and order_id < $2::bigint and recorded_at < $3::timestamptz`,
);

export const firstDeliveredOrder: First = sql(
  'ops_first_delivered_order',
  'select min(order_id) as id from delivery where order_id > $1::bigint',
);
export const forgetDeliveries = sql<{ deleted: number }>(
  'ops_forget_order_deliveries',
  `with ended as (
     select o.order_id from unnest($1::bigint[]) as o(order_id)
      where not exists (select from delivery d
                         where d.order_id = o.order_id
                           and (d.is_open or d.needs_person or greatest(d.recorded_at, d.ended_at) >= $2::timestamptz))),
        gone as (delete from delivery d using ended e where d.order_id = e.order_id returning 1)
   select count(*)::int as deleted from gone`,
);

export const firstPublishedOrder: First = sql(
  'ops_first_published_order',
  `select min(p.key) as id from destination d
    cross join lateral (select min(key) as key from publication
                         where destination_id = d.destination_id and kind = 'order_status' and key > $1::bigint) p`,
);
export const forgetPublications = sql<{ deleted: number }>(
  'ops_forget_order_publications',
  `with gone as (
     delete from publication p using destination d, unnest($1::bigint[]) as o(order_id)
      where p.destination_id = d.destination_id and p.kind = 'order_status' and p.key = o.order_id
        and not p.is_dirty and p.state in ('n', 'x') and greatest(p.changed_at, p.confirmed_at) < $2::timestamptz
     returning 1)
   select count(*)::int as deleted from gone`,
);

export const firstPromisedOrder: First = sql(
  'ops_first_promised_order',
  'select min(order_id) as id from promise where order_id > $1::bigint',
);
export const forgetPromises = sql<{ deleted: number }>(
  'ops_forget_order_promises',
  `with gone as (
     delete from promise p using unnest($1::bigint[]) as o(order_id)
      where p.order_id = o.order_id
        and not exists (select from promise n where n.order_id = p.order_id and n.recorded_at >= $2::timestamptz)
     returning 1)
   select count(*)::int as deleted from gone`,
);
