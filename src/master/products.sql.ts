import { sql } from '../store/index.ts';
import type { Said, SetBy } from './provenance.ts';

// Always first, also where there is nothing to add: the lock on the table comes before those on its rows, as it does for whoever locks all.
// Rows before values: whoever else brings the same product meets us at its lock, and what it holds then is weighed.
export const addProducts = sql<{ code: string }>(
  'master_add_products',
  `insert into sku (code)
   select t.code from unnest($1::text[]) as t(code) where not exists (select from sku s where s.code = t.code) order by t.code
   on conflict (code) do nothing returning code`,
);
export interface ProductRow {
  sku_id: number;
  code: string;
  description: string;
  unit: string;
  lifecycle: string;
  weight_g: number | null;
  length_mm: number | null;
  width_mm: number | null;
  height_mm: number | null;
  order_multiple: number;
  order_minimum: number;
  order_rounding: string;
  said: Said;
  set_by: SetBy;
  is_withdrawn: boolean;
}
// The weaker lock: orders and kits refer to products all the time, and their ids never change.
export const lockProducts = sql<ProductRow>(
  'master_lock_products',
  `select sku_id, code, description, unit, lifecycle, weight_g, length_mm, width_mm, height_mm, order_multiple, order_minimum, order_rounding, said, set_by,
          withdrawn_at is not null as is_withdrawn
     from sku where code = any($1::text[]) order by code for no key update`,
);
export const updateProducts = sql(
  'master_update_products',
  `update sku s
      set description = t.description, unit = t.unit,
          unit_changed_at = case when s.unit = t.unit then s.unit_changed_at else crossdock_now() end, lifecycle = t.lifecycle, weight_g = t.weight_g, length_mm = t.length_mm,
          width_mm = t.width_mm, height_mm = t.height_mm, order_multiple = t.order_multiple, order_minimum = t.order_minimum,
          order_rounding = t.order_rounding, said = t.said::json, set_by = t.set_by::json,
          changed_at = greatest(s.changed_at, t.changed_at), updated_at = crossdock_now(), withdrawn_at = null
     from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::text[],
                 $11::timestamptz[], $12::bigint[], $13::bigint[], $14::text[])
       as t(sku_id, description, unit, lifecycle, weight_g, length_mm, width_mm, height_mm, said, set_by, changed_at, order_multiple, order_minimum,
            order_rounding)
    where s.sku_id = t.sku_id`,
);
// Of this very transaction: nobody has seen them.
export const removeProducts = sql('master_remove_products', 'delete from sku where sku_id = any($1::bigint[])');
export const readGtins = sql<{ sku: string; gtin: string }>(
  'master_read_gtins',
  'select sku, gtin from product_gtin where sku = any($1::text[])',
);
