import { sql } from '../store/index.ts';

// Readers are not held up; writers are few.
export const lockSubstitutes = sql('master_lock_substitutes', 'lock table sku_substitute in share row exclusive mode');
export const lockKits = sql('master_lock_kits', 'lock table kit_component in share row exclusive mode');

// All that these SKUs lead to, and all that leads to them. Each row once, so that it ends whatever is in the table.
export const readSubstitutesAround = sql<{ sku: string; other: string }>(
  'master_read_substitutes_around',
  `with recursive start as (select sku_id from sku where code = any($1::text[])),
   down as (select t.sku_id, t.substitute_id, t.rank from sku_substitute t join start using (sku_id)
            union select t.sku_id, t.substitute_id, t.rank from down d join sku_substitute t on t.sku_id = d.substitute_id),
   up as (select t.sku_id, t.substitute_id, t.rank from sku_substitute t join start s on s.sku_id = t.substitute_id
          union select t.sku_id, t.substitute_id, t.rank from up u join sku_substitute t on t.substitute_id = u.sku_id)
   select s.code as sku, o.code as other
     from (select sku_id, substitute_id, rank from down union select sku_id, substitute_id, rank from up) e
     join sku s on s.sku_id = e.sku_id
     join sku o on o.sku_id = e.substitute_id
    order by e.sku_id, e.rank`,
);
export const readKitsAround = sql<{ sku: string; other: string; quantity: number }>(
  'master_read_kits_around',
  `with recursive start as (select sku_id from sku where code = any($1::text[])),
   down as (select k.kit_sku_id, k.component_id, k.quantity from kit_component k join start s on s.sku_id = k.kit_sku_id
            union select k.kit_sku_id, k.component_id, k.quantity from down d join kit_component k on k.kit_sku_id = d.component_id),
   up as (select k.kit_sku_id, k.component_id, k.quantity from kit_component k join start s on s.sku_id = k.component_id
          union select k.kit_sku_id, k.component_id, k.quantity from up u join kit_component k on k.component_id = u.kit_sku_id)
   select s.code as sku, o.code as other, e.quantity
     from (select kit_sku_id, component_id, quantity from down union select kit_sku_id, component_id, quantity from up) e
     join sku s on s.sku_id = e.kit_sku_id
     join sku o on o.sku_id = e.component_id
    order by s.code, o.code`,
);

export const removeSubstitutes = sql(
  'master_remove_substitutes',
  'delete from sku_substitute where sku_id = any($1::bigint[])',
);
export const insertSubstitutes = sql(
  'master_insert_substitutes',
  `insert into sku_substitute (sku_id, rank, substitute_id) select sku_id, rank, substitute_id
     from unnest($1::bigint[], $2::int[], $3::bigint[]) as t(sku_id, rank, substitute_id)`,
);
export const removeKits = sql('master_remove_kits', 'delete from kit_component where kit_sku_id = any($1::bigint[])');
export const insertKits = sql(
  'master_insert_kits',
  `insert into kit_component (kit_sku_id, component_id, quantity) select kit_sku_id, component_id, quantity
     from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as t(kit_sku_id, component_id, quantity)`,
);
