import { sql } from '../store/index.ts';

// What a person puts (without a time) holds until its system changes it later than it did before.
export const upsertProducts = sql<{ sku_id: number; code: string }>(
  'master_upsert_products',
  `insert into sku as s (code, description, unit, changed_at)
   select code, description, unit, coalesce(changed_at, '-infinity')
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as t(code, description, unit, changed_at) order by code
   on conflict (code) do update
     set description = excluded.description, unit = excluded.unit, changed_at = greatest(s.changed_at, excluded.changed_at), updated_at = crossdock_now()
   where excluded.changed_at in ('-infinity', greatest(s.changed_at, excluded.changed_at))
   returning sku_id, code`,
);
export const upsertAccounts = sql<{ account_id: number; code: string }>(
  'master_upsert_accounts',
  `insert into account as a (company_id, code, channel, name, currency, changed_at)
   select company_id, code, channel, name, currency, coalesce(changed_at, '-infinity')
     from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       as t(company_id, code, channel, name, currency, changed_at)
    order by company_id, code
   on conflict (company_id, code) do update
     set channel = excluded.channel, name = excluded.name, changed_at = greatest(a.changed_at, excluded.changed_at), updated_at = crossdock_now()
   where excluded.changed_at in ('-infinity', greatest(a.changed_at, excluded.changed_at))
   returning account_id, code`,
);
// Returned is what really changed.
export const upsertPrices = sql<{ company_id: number; sku_id: number }>(
  'master_upsert_prices',
  `insert into price as p (company_id, sku_id, price_list, currency, valid_from, unit_price, changed_at)
   select company_id, sku_id, price_list, currency, valid_from, unit_price, coalesce(changed_at, '-infinity')
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::numeric[], $7::timestamptz[])
       as t(company_id, sku_id, price_list, currency, valid_from, unit_price, changed_at)
    order by company_id, sku_id, price_list, currency, valid_from
   on conflict (company_id, sku_id, price_list, currency, valid_from) do update
     set unit_price = excluded.unit_price, changed_at = greatest(p.changed_at, excluded.changed_at), updated_at = crossdock_now()
   where excluded.changed_at in ('-infinity', greatest(p.changed_at, excluded.changed_at)) and p.unit_price is distinct from excluded.unit_price
   returning company_id, sku_id`,
);
