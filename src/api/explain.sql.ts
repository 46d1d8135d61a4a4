import { sql } from '../store/index.ts';

export const readBalances = sql<{
  location_id: number;
  on_hand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  safety_stock: number;
  outside_open: number;
  outside_deducted: number;
  version: number;
  counted_at: Date | null;
  counted_source: string | null;
}>(
  'api_explain_balances',
  `select location_id, on_hand, reserved, allocated, exposed, safety_stock, outside_open, outside_deducted, version, counted_at,
          counted_source
     from stock_balance where sku_id = $1::bigint order by location_id`,
);

export const readExposures = sql<{ channel_id: number; location_id: number; quantity: number }>(
  'api_explain_exposures',
  `select channel_id, location_id, quantity from exposure where sku_id = $1::bigint and quantity > 0
    order by channel_id, location_id`,
);

export const readNumbers = sql<{
  channel_id: number;
  shown: number | null;
  sending: number | null;
  read_back: number | null;
  read_back_at: Date | null;
}>(
  'api_explain_numbers',
  `select channel_id, shown, sending, read_back, read_back_at from channel_number where sku_id = $1::bigint order by channel_id`,
);

export const listReservations = sql<{
  reservation_id: number;
  location_id: number;
  channel_id: number;
  open_quantity: number;
  purpose: string;
  expires_at: Date;
}>(
  'api_explain_reservations',
  `select reservation_id, location_id, channel_id, open_quantity, purpose, expires_at from reservation
    where state = 'open' and sku_id = $1::bigint order by expires_at, reservation_id, location_id limit $2::int`,
);

export const listAllocations = sql<{
  order_id: number;
  line_no: number;
  location_id: number;
  open_quantity: number;
  fulfilment_id: number | null;
  channel_id: number;
  external_no: string;
}>(
  'api_explain_allocations',
  `select a.order_id, a.line_no, a.location_id, a.open_quantity, a.fulfilment_id, o.channel_id, o.external_no
     from allocation a join sales_order o on o.order_id = a.order_id
    where a.sku_id = $1::bigint and a.open_quantity > 0 order by a.order_id, a.allocation_id limit $2::int`,
);

// What other systems have allocated and nobody has picked, and what of a line they and we both have.
export const listOutside = sql<{
  source: string;
  source_id: string;
  location_id: number;
  channel_id: number | null;
  external_no: string | null;
  line_no: number | null;
  quantity: number;
  open_quantity: number;
  occurred_at: Date;
  ours: number | null;
  deducted: number;
}>(
  'api_explain_outside_allocations',
  `select x.source, x.source_id, x.location_id, x.channel_id, x.external_no, x.line_no, x.quantity, x.open_quantity, x.occurred_at,
          d.ours, coalesce(d.deducted, x.open_quantity) as deducted
     from outside_allocation x
     left join outside_line() d on d.sku_id = x.sku_id and d.location_id = x.location_id and d.channel_id = x.channel_id
      and d.external_no = x.external_no and d.line_no = x.line_no
    where x.sku_id = $1::bigint and x.quantity > 0 and x.open_quantity > 0
    order by x.occurred_at, x.source, x.source_id, x.location_id limit $2::int`,
);

export const sumBackorders = sql<{ units: number; orders: number }>(
  'api_explain_backorders',
  `select coalesce(sum(backordered), 0)::bigint as units, count(distinct order_id)::int as orders
     from order_line where sku_id = $1::bigint and backordered > 0`,
);

// What is to come, soonest first; what came already and what was withdrawn is left out.
export const listSupplies = sql<{
  source: string;
  source_id: string;
  location_id: number;
  quantity: number;
  received: number;
  committed: number;
  due_at: Date;
  counted: boolean;
}>(
  'api_explain_supplies',
  `select s.source, s.source_id, s.location_id, s.quantity, s.received, coalesce(c.committed, 0)::bigint as committed, s.due_at,
          s.location_id = any($2::int[]) and $3::int > 0 and s.due_at <= crossdock_now() + make_interval(days => $3::int) as counted
     from supply s
     left join lateral (select sum(quantity) as committed from supply_commitment where supply_id = s.supply_id) c on true
    where s.sku_id = $1::bigint and s.quantity > s.received order by s.due_at, s.supply_id limit $4::int`,
);

export const listMovements = sql<{
  kind: string;
  location_id: number;
  quantity: number;
  effect: number;
  source: string;
  source_id: string;
  occurred_at: Date;
  recorded_at: Date;
}>(
  'api_explain_movements',
  `select kind, location_id, quantity, effect, source, source_id, occurred_at, recorded_at from stock_movement
    where sku_id = $1::bigint order by occurred_at desc, movement_id desc limit $2::int`,
);

// How old the sources of stock are: when each was last read to its end.
export const readFeeds = sql<{ system: string; feed: string; drained_at: Date | null; age_ms: number | null }>(
  'api_explain_feeds',
  `select system, feed, drained_at, (extract(epoch from crossdock_now() - drained_at) * 1000)::float8 as age_ms
     from feed_cursor order by system, feed`,
);

export const readPublications = sql<{
  code: string;
  version: number;
  confirmed_version: number;
  state: string;
  changed_at: Date;
  confirmed_at: Date | null;
  error: string | null;
}>(
  'api_explain_publications',
  `select d.code, p.version, p.confirmed_version, p.state, p.changed_at, p.confirmed_at, p.error
     from publication p join destination d on d.destination_id = p.destination_id
    where p.kind = 'availability' and p.key = $1::bigint order by d.code`,
);

/** Null where rows or facts since the moment are gone; outside_deducted where other systems ever allocated; exposed where a channel's number was ever told, since raising it leaves no fact. */
export interface PastBalance {
  location_id: number;
  on_hand: number | null;
  reserved: number | null;
  allocated: number | null;
  exposed: number | null;
  outside_deducted: number | null;
  closed_before: Date | null;
  kept_since: Date | null;
}
// Counted back from the present balance: what happened since is taken off again. All in one statement, so both are of one moment.
export const readPastBalances = sql<PastBalance>(
  'api_explain_past_balances',
  `with since as (
     select f.type, f.stream, f.data from fact f
      where f.recorded_at > $2::timestamptz
        and (f.stream in (select 'stock/' || sku_id || '@' || location_id from stock_balance where sku_id = $1::bigint)
             or f.stream in (select 'order/' || order_id from allocation where sku_id = $1::bigint))
        and f.type in ('stock.reserved', 'stock.reservation_released', 'stock.reservation_expired', 'stock.reservation_claimed',
                       'order.accepted', 'order.lines_allocated', 'order.lines_reassigned', 'order.lines_cancelled', 'stock.picked')),
   parts as (
     select (data->>'skuId')::bigint as sku_id, (data->>'locationId')::int as location_id, 0::bigint as allocated,
            case type when 'stock.reserved' then 1 else -1 end * (data->>'quantity')::bigint as reserved
       from since where stream like 'stock/%'
     union all
     select (a->>'skuId')::bigint, (a->>'locationId')::int, (a->>'quantity')::bigint, 0
       from since, json_array_elements(data->'allocations') a where type in ('order.accepted', 'order.lines_allocated', 'order.lines_reassigned')
     union all
     select (a->>'skuId')::bigint, (a->>'locationId')::int, -(a->>'quantity')::bigint, 0
       from since, json_array_elements(data->'released') a where type in ('order.lines_cancelled', 'order.lines_reassigned')
     union all
     select (a->>'skuId')::bigint, (data->>'locationId')::int, -(a->>'quantity')::bigint, 0
       from since, json_array_elements(data->'lines') a where type = 'stock.picked'),
   promised as (select location_id, sum(reserved) as reserved, sum(allocated) as allocated from parts where sku_id = $1::bigint group by location_id),
   moved as (select location_id, sum(effect) as effect from stock_movement
              where sku_id = $1::bigint and recorded_at > $2::timestamptz group by location_id)
   select b.location_id, c.closed_before, k.kept_since,
          case when $2::timestamptz < c.closed_before then null else (b.on_hand - coalesce(m.effect, 0))::bigint end as on_hand,
          case when $2::timestamptz < k.kept_since then null else (b.reserved - coalesce(p.reserved, 0))::bigint end as reserved,
          case when $2::timestamptz < k.kept_since then null else (b.allocated - coalesce(p.allocated, 0))::bigint end as allocated,
          case when exists (select from channel_number n where n.sku_id = b.sku_id) then null else b.exposed end as exposed,
          case when exists (select from outside_allocation x where x.sku_id = b.sku_id and x.location_id = b.location_id)
               then null else 0 end::bigint as outside_deducted
     from stock_balance b
     left join moved m using (location_id)
     left join promised p using (location_id)
     left join stock_closing c on c.sku_id = b.sku_id and c.location_id = b.location_id
     left join partitioned_table k on k.table_name = 'fact'
    where b.sku_id = $1::bigint order by b.location_id`,
);
