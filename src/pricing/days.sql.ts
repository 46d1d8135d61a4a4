import { sql } from '../store/index.ts';

export const readDays = sql<{ company_id: number; day: string; lists: string[] }>(
  'pricing_read_days',
  'select company_id, day::text as day, lists from price_day where company_id = any($1::int[])',
);
export const addDay = sql(
  'pricing_add_day',
  `insert into price_day (company_id, day, lists) values ($1::int, $2::date, $3::text[]) on conflict (company_id) do nothing`,
);
export const lockDay = sql<{ day: string; lists: string[] }>(
  'pricing_lock_day',
  'select day::text as day, lists from price_day where company_id = $1::int for update',
);
// What began after $2 up to $3, what ended since, and what stands in lists that a channel shows or showed, and did not or does not.
export const findTurned = sql<{ sku_id: number }>(
  'pricing_find_turned',
  `select distinct sku_id from (
     select sku_id from price where company_id = $1::int and valid_from > '-infinity' and valid_from > $2::date and valid_from <= $3::date
     union all
     select sku_id from price where company_id = $1::int and valid_to < 'infinity' and valid_to >= $2::date and valid_to < $3::date
     union all
     select sku_id from price where company_id = $1::int and price_list = any($4::text[])) p
    order by sku_id`,
);
export const moveDay = sql(
  'pricing_move_day',
  'update price_day set day = $2::date, lists = $3::text[] where company_id = $1::int',
);
