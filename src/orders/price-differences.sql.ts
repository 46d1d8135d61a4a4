import { sql } from '../store/index.ts';

export const insertDifferences = sql(
  'orders_insert_price_differences',
  `insert into price_difference (order_id, line_no, sku_id, outcome, asked_price, asked_per, decided_price, decided_per, source, name)
   select order_id, line_no, sku_id, outcome, asked_price, asked_per, decided_price, decided_per, source, name
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::numeric[], $6::bigint[], $7::numeric[], $8::bigint[], $9::text[], $10::text[])
       as t(order_id, line_no, sku_id, outcome, asked_price, asked_per, decided_price, decided_per, source, name)`,
);
