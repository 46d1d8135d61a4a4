import type { PriceSource } from '../pricing/index.ts';
import { sql } from '../store/index.ts';

export const insertDifferences = sql(
  'orders_insert_price_differences',
  `insert into price_difference (order_id, line_no, sku_id, outcome, asked_price, asked_per, decided_price, decided_per, source, name)
   select order_id, line_no, sku_id, outcome, asked_price, asked_per, decided_price, decided_per, source, name
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::numeric[], $6::bigint[], $7::numeric[], $8::bigint[], $9::text[], $10::text[])
       as t(order_id, line_no, sku_id, outcome, asked_price, asked_per, decided_price, decided_per, source, name)`,
);

/** Lines that a hold for their price keeps; of one that is no such hold, nothing. */
export interface HeldPriceRow {
  hold_id: number;
  company_id: number;
  account_id: number;
  channel_id: number;
  currency: string;
  ordered_at: Date;
  line_no: number;
  sku_id: number;
  quantity: number;
  asked_price: string;
  asked_per: number;
  decided_price: string | null;
  decided_per: number | null;
  source: PriceSource | null;
  name: string | null;
}
export const readHeldPrices = sql<HeldPriceRow>(
  'orders_read_held_prices',
  `select h.hold_id, o.company_id, o.account_id, o.channel_id, o.currency, o.ordered_at, d.line_no, d.sku_id, l.quantity,
          d.asked_price::text as asked_price, d.asked_per, d.decided_price::text as decided_price, d.decided_per, d.source, d.name
     from order_hold h
     join sales_order o using (order_id)
     join price_difference d using (order_id)
     join order_line l on l.order_id = d.order_id and l.line_no = d.line_no
    where h.hold_id = any($1::bigint[]) and h.kind = 'price' and d.outcome = 'held'
    order by h.hold_id, d.line_no`,
);
export const hasHeldPrices = sql<{ has: boolean }>(
  'orders_has_held_prices',
  `select exists (select from price_difference where order_id = $1::bigint and outcome = 'held') as has`,
);
export const markRepriced = sql(
  'orders_mark_repriced',
  `update price_difference d
      set outcome = 'repriced', decided_price = t.price, decided_per = t.per, source = t.source, name = t.name
     from unnest($1::bigint[], $2::int[], $3::numeric[], $4::bigint[], $5::text[], $6::text[]) as t(order_id, line_no, price, per, source, name)
    where d.order_id = t.order_id and d.line_no = t.line_no`,
);
/** Whose orders are changed, and which SKUs the lines are that units may be added to. */
export const readChangedLines = sql<{
  order_id: number;
  company_id: number;
  account_id: number;
  channel_id: number;
  currency: string;
  sku_ids: number[];
}>(
  'orders_read_changed_lines',
  `select o.order_id, o.company_id, o.account_id, o.channel_id, o.currency,
          array(select distinct l.sku_id from order_line l where l.order_id = o.order_id and l.stands_for is null) as sku_ids
     from sales_order o where o.order_id = any($1::bigint[]) and o.channel_id = any($2::int[])`,
);
