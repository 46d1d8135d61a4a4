import { sql } from '../store/index.ts';

// One that nobody knew yet is known from now on: orders may still come for it.
export const addMerged = sql(
  'master_add_merged',
  `insert into account (company_id, code, name, currency)
   select company_id, code, '', currency from unnest($1::int[], $2::text[], $3::text[]) as t(company_id, code, currency) order by company_id, code
   on conflict (company_id, code) do nothing`,
);
export const lockMerged = sql(
  'master_lock_merged',
  `select account_id from account where company_id = any($1::int[]) and code = any($2::text[]) order by company_id, code for no key update`,
);
// Into the last of a row of merges, so that one look leads there.
export const mergeAccounts = sql<{ account_id: number; merged_into: number }>(
  'master_merge_accounts',
  `update account a set merged_into = coalesce(o.merged_into, o.account_id), changed_at = greatest(a.changed_at, t.changed_at), updated_at = crossdock_now()
     from unnest($1::int[], $2::text[], $3::text[], $4::timestamptz[]) as t(company_id, code, other, changed_at)
     join account o on o.company_id = t.company_id and o.code = t.other
    where a.company_id = t.company_id and a.code = t.code and t.changed_at >= a.changed_at and a.account_id <> coalesce(o.merged_into, o.account_id)
   returning a.account_id, a.merged_into`,
);
export const mergeFollowers = sql(
  'master_merge_followers',
  `update account a set merged_into = t.merged_into, updated_at = crossdock_now()
     from unnest($1::bigint[], $2::bigint[]) as t(account_id, merged_into)
    where a.merged_into = t.account_id and a.account_id <> t.merged_into`,
);
// Sets of prices, by their place in what was asked: of each all rows, locked in order, and when the newest of them changed. One look by its
// key for each: as a join it was planned as if the table were as empty as it was when it was looked at last, and compared each with each.
export const lockPrices = sql<{ at: number; changed_at: Date | null }>(
  'master_lock_prices',
  `with asked as materialized (
     select t.ordinality::int - 1 as at, t.company_id, t.sku_id, t.price_list, t.currency, t.valid_from
       from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[])
         with ordinality as t(company_id, sku_id, price_list, currency, valid_from, ordinality)
      order by t.company_id, t.sku_id, t.price_list collate "C", t.currency collate "C", t.valid_from),
   locked as materialized (
     select t.at, p.changed_at
       from asked t
      cross join lateral (
        select p.changed_at from price p
         where (p.company_id, p.sku_id, p.price_list, p.currency, p.valid_from) = (t.company_id, t.sku_id, t.price_list, t.currency, t.valid_from)
         order by p.quantity_min for update) p)
   select at, max(nullif(changed_at, '-infinity')) as changed_at from locked group by at`,
);
export const lockPriceWriters = sql(
  'master_lock_price_writers',
  'select company_id from company where company_id = any($1::int[]) order by company_id for no key update',
);
// What stands in the days of prices that are to be put, by their place in what was asked. Two without an end follow one another. Prices of
// the set ($8 to $13; quantity null: all of a day's) are put anew or end with it, so what is there of them counts for nothing.
export const findOverlaps = sql<{ at: number; valid_from: string; valid_to: string }>(
  'master_find_price_overlaps',
  `with put as materialized (select * from unnest($8::int[], $9::bigint[], $10::text[], $11::text[], $12::date[], $13::bigint[])
          as k(company_id, sku_id, price_list, currency, valid_from, quantity_min))
   select t.ordinality::int - 1 as at, o.valid_from::text as valid_from, o.valid_to::text as valid_to
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::date[], $7::bigint[])
       with ordinality as t(company_id, sku_id, price_list, currency, valid_from, valid_to, quantity_min, ordinality)
    cross join lateral (
      select p.valid_from, p.valid_to from price p
       where (p.company_id, p.sku_id, p.price_list, p.currency, p.quantity_min) = (t.company_id, t.sku_id, t.price_list, t.currency, t.quantity_min)
         and p.valid_from <= t.valid_to and p.valid_to >= t.valid_from and p.valid_from <> t.valid_from
         and not (p.valid_to = 'infinity' and t.valid_to = 'infinity')
         and not exists (select from put k where (k.company_id, k.sku_id, k.price_list, k.currency, k.valid_from)
                                               = (p.company_id, p.sku_id, p.price_list, p.currency, p.valid_from)
                                           and coalesce(k.quantity_min, p.quantity_min) = p.quantity_min)
       order by p.valid_from limit 1) o`,
);
// Of whole sets: what isn't among their quantities any more.
export const endPrices = sql<{ company_id: number; sku_id: number }>(
  'master_end_prices',
  `delete from price p
    using unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[])
      with ordinality as t(company_id, sku_id, price_list, currency, valid_from, ordinality)
    where (p.company_id, p.sku_id, p.price_list, p.currency, p.valid_from) = (t.company_id, t.sku_id, t.price_list, t.currency, t.valid_from)
      and not exists (select from unnest($6::int[], $7::bigint[]) as k(at, quantity_min)
                       where k.at = t.ordinality - 1 and k.quantity_min = p.quantity_min)
   returning p.company_id, p.sku_id`,
);
// Returned is what really changed.
export const upsertPrices = sql<{ company_id: number; sku_id: number }>(
  'master_upsert_prices',
  `insert into price as p (company_id, sku_id, price_list, currency, valid_from, quantity_min, unit_price, changed_at, valid_to, whole, set_by, price_per)
   select company_id, sku_id, price_list, currency, valid_from, quantity_min, unit_price, coalesce(changed_at, '-infinity'), valid_to, whole, set_by, price_per
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::bigint[], $7::numeric[], $8::timestamptz[], $9::date[], $10::boolean[], $11::text[],
                 $12::bigint[])
       as t(company_id, sku_id, price_list, currency, valid_from, quantity_min, unit_price, changed_at, valid_to, whole, set_by, price_per)
    order by company_id, sku_id, price_list, currency, valid_from, quantity_min
   on conflict (company_id, sku_id, price_list, currency, valid_from, quantity_min) do update
     set unit_price = excluded.unit_price, price_per = excluded.price_per, set_by = excluded.set_by, valid_to = excluded.valid_to, whole = p.whole or excluded.whole,
         changed_at = greatest(p.changed_at, excluded.changed_at), updated_at = crossdock_now()
   where excluded.changed_at in ('-infinity', greatest(p.changed_at, excluded.changed_at))
     and (p.unit_price, p.price_per, p.valid_to, p.whole) is distinct from (excluded.unit_price, excluded.price_per, excluded.valid_to, p.whole or excluded.whole)
   returning company_id, sku_id`,
);
// A change that says what is there holds against older ones, too.
export const touchPrices = sql(
  'master_touch_prices',
  `update price p set changed_at = t.changed_at
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::timestamptz[])
       as t(company_id, sku_id, price_list, currency, valid_from, changed_at)
    where (p.company_id, p.sku_id, p.price_list, p.currency, p.valid_from) = (t.company_id, t.sku_id, t.price_list, t.currency, t.valid_from)
      and p.changed_at < t.changed_at`,
);
