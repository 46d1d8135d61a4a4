import { sql } from '../store/index.ts';
import type { Told } from './echoes.ts';

export interface ExchangeRow {
  at: number;
  told: Told;
  said_at: string;
}
// By their place in what was asked. Rows that are not there yet are made: two that hear of one at once wait for each other.
export const lockExchanges = sql<ExchangeRow>(
  'master_lock_system_prices',
  `select t.nth::int - 1 as at, s.told, s.said_at
     from unnest($1::int[], $2::int[], $3::bigint[], $4::text[], $5::text[])
       with ordinality as t(destination_id, company_id, sku_id, price_list, currency, nth)
     join system_price s using (destination_id, company_id, sku_id, price_list, currency)
    order by s.destination_id, s.company_id, s.sku_id, s.price_list, s.currency
      for update of s`,
);
export const addExchanges = sql(
  'master_add_system_prices',
  `insert into system_price (destination_id, company_id, sku_id, price_list, currency)
   select destination_id, company_id, sku_id, price_list, currency
     from unnest($1::int[], $2::int[], $3::bigint[], $4::text[], $5::text[]) as t(destination_id, company_id, sku_id, price_list, currency)
    order by destination_id, company_id, sku_id, price_list, currency
   on conflict do nothing`,
);
export const writeExchanges = sql(
  'master_write_system_prices',
  `update system_price s set told = t.told::json, said_at = t.said_at
     from unnest($1::int[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
       as t(destination_id, company_id, sku_id, price_list, currency, told, said_at)
    where (s.destination_id, s.company_id, s.sku_id, s.price_list, s.currency)
        = (t.destination_id, t.company_id, t.sku_id, t.price_list, t.currency)`,
);
export interface HeldPriceRow {
  at: number;
  quantity_min: number;
  unit_price: string;
  price_per: number;
  set_by: string;
}
export const readHeld = sql<HeldPriceRow>(
  'master_read_held_prices',
  `select t.nth::int - 1 as at, p.quantity_min, p.unit_price::text as unit_price, p.price_per, p.set_by
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[])
       with ordinality as t(company_id, sku_id, price_list, currency, valid_from, nth)
     join price p using (company_id, sku_id, price_list, currency, valid_from)
    order by t.nth, p.quantity_min`,
);
// The system itself set it and has shown all that it was told since: what it was told last may have come after that.
export const findOwn = sql<{ sku_id: number }>(
  'master_find_own_prices',
  `select p.sku_id
     from unnest($4::bigint[], $5::text[], $6::bigint[], $7::date[]) as t(sku_id, price_list, quantity_min, valid_from)
     join price p on p.company_id = $3::int and p.sku_id = t.sku_id and p.price_list = t.price_list and p.currency = $8::text
                 and p.quantity_min = t.quantity_min and p.valid_from = t.valid_from
     left join system_price s on s.destination_id = $1::int and s.company_id = $3::int and s.sku_id = p.sku_id
                             and s.price_list = $9::text and s.currency = $8::text
    where p.set_by = $2::text and coalesce(json_array_length(s.told), 0) = 0`,
);
