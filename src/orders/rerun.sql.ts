import { sql } from '../store/index.ts';

export interface RerunLineRow {
  order_id: number;
  line_no: number;
  sku_id: number;
  channel_id: number;
  account_id: number;
  external_no: string;
  priority_class: string;
  waiting: number;
  /** `allocation_id,location_id,open` of what the WMS was not asked for, `;` between. */
  allocations: string | null;
  /** `supply_id,location_id,quantity`, `;` between. */
  commitments: string | null;
  /** `location_id,quantity` of all that the order has of the SKU, `;` between; of channels with limits. */
  order_has: string | null;
  ordered_at: Date;
}
// Lines that wait, and of orders that the WMS was asked for nothing of, those that have something. Not of orders on hold: they keep what they
// have; nor what is part of a kit, which goes by whole kits. $1: channels whose lines may be decided anew, $2: of these, those whose stock is
// their own to keep; $3: these SKUs, null: all; $4: channels with a share, a cap or a buffer.
export const readRerunLines = sql<RerunLineRow>(
  'orders_read_rerun_lines',
  `with claims as materialized (
     select l.order_id, l.line_no, l.sku_id, l.backordered - l.held as waiting, false as has_stock
       from order_line l
      where l.backordered > 0 and l.backordered > l.held and l.set_no is null and ($3::bigint[] is null or l.sku_id = any($3::bigint[]))
      union all
     select l.order_id, l.line_no, l.sku_id, l.backordered - l.held, true
       from sales_order o join order_line l using (order_id)
      where not o.is_handed and o.state in ('accepted', 'confirmed') and o.channel_id <> all($2::int[])
        and l.allocated > 0 and l.set_no is null and ($3::bigint[] is null or l.sku_id = any($3::bigint[]))),
        each as (
     select order_id, line_no, sku_id, waiting, bool_or(has_stock) as has_stock from claims group by order_id, line_no, sku_id, waiting)
   select e.order_id, e.line_no, e.sku_id, o.channel_id, o.account_id, o.external_no, c.priority_class, e.waiting, a.list as allocations, m.list as commitments,
          h.list as order_has, o.ordered_at
     from each e join sales_order o using (order_id) join account c using (account_id)
     left join lateral (select string_agg(concat_ws(',', allocation_id, location_id, open_quantity), ';' order by allocation_id) as list
                          from allocation x where e.has_stock and x.order_id = e.order_id and x.line_no = e.line_no and x.open_quantity > 0) a on true
     left join lateral (select string_agg(concat_ws(',', s.supply_id, s.location_id, x.quantity), ';' order by s.due_at, s.supply_id) as list
                          from supply_commitment x join supply s using (supply_id)
                         where x.order_id = e.order_id and x.line_no = e.line_no) m on true
     left join lateral (select string_agg(concat_ws(',', x.location_id, x.open_quantity), ';') as list
                          from allocation x where o.channel_id = any($4::int[]) and x.order_id = e.order_id and x.sku_id = e.sku_id and x.open_quantity > 0) h on true
    where o.holds = 0 and o.channel_id = any($1::int[])
    order by e.sku_id, e.order_id, e.line_no`,
);
export const readFree = sql<{ sku_id: number; location_id: number; free: number }>(
  'orders_read_rerun_free',
  `select sku_id, location_id, on_hand - reserved - allocated - exposed - safety_stock - outside_deducted as free
     from stock_balance where sku_id = any($1::bigint[])`,
);

// $1: days that any channel looks ahead.
export const findUncovered = sql<{ sku_id: number }>(
  'orders_find_uncovered_skus',
  `select distinct s.sku_id
     from supply s
    where s.quantity > s.received and s.due_at <= crossdock_now() + make_interval(days => $1::int)
      and s.quantity - s.received > (select coalesce(sum(c.quantity), 0) from supply_commitment c where c.supply_id = s.supply_id)
      and exists (select from order_line l join sales_order o using (order_id)
                   where l.sku_id = s.sku_id and l.backordered > 0 and o.holds = 0
                     and l.backordered - l.held > (select coalesce(sum(c.quantity), 0) from supply_commitment c
                                                    where c.order_id = l.order_id and c.line_no = l.line_no))
    limit $2::int`,
);

// Lines that a rerun leaves as they are: $1 these SKUs, null: all that somebody waits for.
export const countLeftOut = sql<{ on_hold: number; at_wms: number; by_itself: number }>(
  'orders_count_rerun_left_out',
  `select count(*) filter (where o.holds > 0)::int as on_hold,
          count(*) filter (where o.holds = 0 and l.allocated > 0 and o.is_handed)::int as at_wms,
          count(*) filter (where o.holds = 0 and l.allocated > 0 and not o.is_handed and o.channel_id = any($2::int[]))::int as by_itself
     from order_line l join sales_order o using (order_id)
    where (l.backordered > 0 or l.allocated > 0) and o.state in ('accepted', 'confirmed', 'in_fulfilment')
      and l.sku_id in (select sku_id from order_line w where w.backordered > w.held and w.backordered > 0 and ($1::bigint[] is null or w.sku_id = any($1::bigint[]))
                        union select unnest($1::bigint[]))`,
);
