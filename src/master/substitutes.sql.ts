import { sql } from '../store/index.ts';

// Readers are not held up; writers are few.
export const lock = sql('master_lock_substitutes', 'lock table sku_substitute in share row exclusive mode');
export const readAll = sql<{ sku_id: number; substitute_id: number }>(
  'master_read_substitutes',
  'select sku_id, substitute_id from sku_substitute order by sku_id, rank',
);
export const removeLists = sql(
  'master_remove_substitutes',
  'delete from sku_substitute where sku_id = any($1::bigint[])',
);
export const insertLists = sql(
  'master_insert_substitutes',
  `insert into sku_substitute (sku_id, rank, substitute_id) select * from unnest($1::bigint[], $2::int[], $3::bigint[])`,
);
