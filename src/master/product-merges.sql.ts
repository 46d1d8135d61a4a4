import { sql } from '../store/index.ts';

// What a system's code was here until it is another's: what it meant last, or the SKU of that code, where the system has told of it.
export const findOwnSku = sql<{ sku_id: number; code: string }>(
  'master_find_own_sku',
  `with meant as (select our_code from crosswalk_entry where system = $1::text and kind = 'sku' and outside_id = $2::text
                   order by valid_to desc limit 1)
   select s.sku_id, s.code from sku s
    where s.withdrawn_at is null
      and case when exists (select from meant) then s.code = (select our_code from meant)
               else s.code = upper($2::text) and (s.said -> $1::text is not null
                      or exists (select from stock_movement m where m.sku_id = s.sku_id and m.source = $1::text)) end`,
);
// What would stay behind with a SKU whose code is another's from now on.
export const findHanging = sql<{ stock: string | null; supplies: number; orders: number }>(
  'master_find_hanging_of_sku',
  `select (select string_agg(b.on_hand || ' at ' || l.code, ', ' order by l.code) from stock_balance b join location l using (location_id)
            where b.sku_id = $1::bigint and (b.on_hand, b.reserved, b.allocated, b.exposed, b.outside_open) <> (0, 0, 0, 0, 0)) as stock,
          (select count(*)::int from supply p where p.sku_id = $1::bigint and p.quantity > p.received) as supplies,
          (select count(distinct l.order_id)::int from order_line l join sales_order o using (order_id)
            where l.sku_id = $1::bigint and o.state not in ('closed', 'cancelled', 'refused')) as orders`,
);
// What a system has brought of a SKU since then.
export const findBrought = sql<{ movements: number; supplies: number }>(
  'master_find_brought_of_sku',
  `select (select count(*)::int from stock_movement m join sku s using (sku_id)
            where s.code = $1::text and m.source = $2::text and m.recorded_at >= $3::timestamptz) as movements,
          (select count(*)::int from supply p join sku s using (sku_id)
            where s.code = $1::text and p.source = $2::text and p.quantity > p.received) as supplies`,
);
