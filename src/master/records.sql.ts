import { sql } from '../store/index.ts';

export const upsertProducts = sql<{ sku_id: number; code: string }>(
  'master_upsert_products',
  `insert into sku (code, description, unit)
   select code, description, unit from unnest($1::text[], $2::text[], $3::text[]) as t(code, description, unit) order by code
   on conflict (code) do update set description = excluded.description, unit = excluded.unit, updated_at = crossdock_now()
   returning sku_id, code`,
);
export const upsertAccounts = sql<{ account_id: number; code: string }>(
  'master_upsert_accounts',
  `insert into account (company_id, code, channel, name, currency)
   select company_id, code, channel, name, currency
     from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[]) as t(company_id, code, channel, name, currency)
    order by company_id, code
   on conflict (company_id, code) do update
     set channel = excluded.channel, name = excluded.name, updated_at = crossdock_now()
   returning account_id, code`,
);
export const upsertPrices = sql<{ company_id: number; sku_id: number }>(
  'master_upsert_prices',
  `insert into price as p (company_id, sku_id, price_list, currency, valid_from, unit_price)
   select company_id, sku_id, price_list, currency, valid_from, unit_price
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::numeric[])
       as t(company_id, sku_id, price_list, currency, valid_from, unit_price)
    order by company_id, sku_id, price_list, currency, valid_from
   on conflict (company_id, sku_id, price_list, currency, valid_from) do update
     set unit_price = excluded.unit_price, updated_at = crossdock_now()
   where p.unit_price is distinct from excluded.unit_price
   returning company_id, sku_id`,
);
