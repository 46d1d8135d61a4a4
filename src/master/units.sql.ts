import type { OrderRounding, PackLevel } from '../canonical/index.ts';
import { sql } from '../store/index.ts';

// By their place in what was asked. What is counted in the base unit, where that would be another one. Stock and numbers first: whoever
// has orders open has some of them, or goods on the way; the last look, for orders that wait for an invoice only, is the long one.
export const readUnitsInUse = sql<{ at: number; unit: string; used: string | null }>(
  'master_read_units_in_use',
  `select t.n::int - 1 as at, s.unit,
          case when coalesce(t.unit, s.unit) = s.unit then null
               when not t.renewed and exists (select from sku_unit u where u.sku_id = s.sku_id) then 'other units'
               when s.order_multiple > 1 or s.order_minimum > 1 then 'order rules'
               when exists (select from stock_balance b where b.sku_id = s.sku_id
                             and (b.on_hand, b.reserved, b.allocated, b.exposed, b.outside_open) <> (0, 0, 0, 0, 0)) then 'stock'
               when exists (select from supply p where p.sku_id = s.sku_id and p.quantity > p.received) then 'announced supplies'
               when exists (select from price p where p.sku_id = s.sku_id) then 'prices'
               when exists (select from order_line l where l.sku_id = s.sku_id and l.backordered > 0) then 'open orders'
               when exists (select from order_line l join sales_order o using (order_id)
                             where l.sku_id = s.sku_id and o.state not in ('closed', 'cancelled', 'refused')) then 'open orders'
          end as used
     from unnest($1::text[], $2::text[], $3::boolean[]) with ordinality as t(code, unit, renewed, n) join sku s using (code)`,
);
export const deleteUnits = sql('master_delete_units', 'delete from sku_unit where sku_id = any($1::bigint[])');
export const readUnitLists = sql<{
  code: string;
  unit: string;
  pack_level: PackLevel;
  numerator: number;
  denominator: number;
  gtin: string | null;
}>(
  'master_read_unit_lists',
  `select s.code, u.unit, u.pack_level, u.numerator, u.denominator, u.gtin from sku s join sku_unit u using (sku_id) where s.code = any($1::text[])`,
);
export const insertUnits = sql(
  'master_insert_units',
  `insert into sku_unit (sku_id, unit, pack_level, numerator, denominator, gtin)
   select * from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[])`,
);
/** Whose trade items these are: of a product itself, or of a unit of it. */
export const findUnitGtins = sql<{ gtin: string; sku: string }>(
  'master_find_unit_gtins',
  `select p.gtin, p.sku from product_gtin p where p.gtin = any($1::text[])
    union all
   select u.gtin, s.code from sku_unit u join sku s using (sku_id) where u.gtin = any($1::text[])`,
);
export const readUnits = sql<{
  sku_id: number;
  code: string;
  base: string;
  unit: string | null;
  pack_level: PackLevel;
  numerator: number;
  denominator: number;
}>(
  'master_read_units',
  `select s.sku_id, s.code, s.unit as base, u.unit, u.pack_level, u.numerator, u.denominator
     from sku s left join sku_unit u using (sku_id) where s.sku_id = any($1::bigint[])`,
);
/** Few SKUs have one: an index of theirs answers. */
export const readOrderRules = sql<{ sku_id: number; multiple: number; minimum: number; rounding: OrderRounding }>(
  'master_read_order_rules',
  `select sku_id, order_multiple as multiple, order_minimum as minimum, order_rounding as rounding from sku
    where sku_id = any($1::bigint[]) and (order_multiple > 1 or order_minimum > 1)`,
);
export const readChangedBaseUnits = sql<{ sku_id: number; unit: string }>(
  'master_read_changed_base_units',
  `select sku_id, unit from sku where unit_changed_at > crossdock_now() - make_interval(secs => $1::int)`,
);
