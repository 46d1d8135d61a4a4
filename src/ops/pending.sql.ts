import { sql } from '../store/index.ts';

export interface PendingRow {
  deliveries: number;
  publications: number;
  /** On their way, or read back and not settled; one that is to be read again has a dirty publication. */
  numbers: number;
  waiting: number;
  behind: number;
  /** Lines that wait although something free where their channel serves could be theirs, counted up to 1,000; of SKUs with quotas none, which only a decision tells. */
  servable: number;
}

/**
 * What the hub itself still has to do; a consumer that has never read is behind by everything.
 * A backorder without stock is a state, not pending work; one that could be served is.
 */
export const readPending = sql<PendingRow>(
  'hub_read_pending',
  `with declared as materialized (
     select h.channel_id, array(select p.location_id from location p
                                 where p.code in (select json_array_elements_text(h.settings->'locations'))) as location_ids,
            s.share, s.cap, s.buffer, h.settings->>'sells' is distinct from 'by_itself' and (s.share < 1 or s.cap is not null or s.buffer > 0) as is_limited,
            (h.settings->'sourcing'->>'splitMax')::int as order_max, (h.settings->'sourcing'->>'lineSplitMax')::int as line_max
       from channel h
      cross join lateral (select coalesce((h.settings->>'share')::float8, 1) as share, (h.settings->>'cap')::bigint as cap,
                                 coalesce((h.settings->>'buffer')::bigint, 0) as buffer) s),
     free as materialized (
     select distinct b.sku_id, h.channel_id from stock_balance b join declared h on b.location_id = any(h.location_ids)
      where b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted > 0
        and b.sku_id in (select sku_id from order_line where backordered > 0))
   select (select count(*)::int from delivery where is_open and state in ('n', 's', 'd')) as deliveries,
          (select count(*)::int from publication where is_dirty) as publications,
          (select count(*)::int from channel_number where sending is not null or read_back is not null) as numbers,
          (select count(*)::int from awaited_record) as waiting,
          (select count(*)::int
             from ((select from crossdock_unread('outbound') limit 1000)
                   union all (select from crossdock_unread('backorders') limit 1000)) as t) as behind,
          (select count(*)::int
             from ((select l.order_id, l.line_no from order_line l join sales_order o using (order_id) join free f using (sku_id, channel_id) join declared h using (channel_id)
                    where l.sku_id = any(array(select sku_id from free)) and l.backordered > 0 and l.backordered > l.held and o.holds = 0
                      and not exists (select from quota q where q.sku_id = l.sku_id)
                      and (not h.is_limited or servable_units(l.order_id, l.sku_id, h.location_ids, h.share, h.cap, h.buffer) > 0)
                      and (coalesce(h.order_max, h.line_max) is null or may_split(l.order_id, l.line_no, l.sku_id, h.location_ids, h.order_max, h.line_max))
                     limit 1000)
                   union
                   select k.order_id, k.line_no from kept_backorders() k
                     join declared h on h.channel_id = k.channel_id and k.location_id = any(h.location_ids)) as t) as servable`,
);
