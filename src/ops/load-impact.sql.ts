import { sql } from '../store/index.ts';

/** What the items of a plan are about, and what hangs on it now. Orders with a unit that is neither delivered nor given up are open. */
export const readTouched = sql<{ subjects: number; open_orders: number; open_lines: number; published: number }>(
  'ops_read_load_touched',
  `with subject as materialized (
     select distinct subject_id from load_plan_item where plan_id = $1::bigint and action in ('add', 'change') and subject_id is not null),
   line as (
     select l.order_id from order_line l join subject s on s.subject_id = l.sku_id join sales_order o on o.order_id = l.order_id
      where $2::text = 'sku' and o.state not in ('closed', 'cancelled', 'refused')
     union all
     select l.order_id from sales_order o join subject s on s.subject_id = o.account_id join order_line l on l.order_id = o.order_id
      where $2::text = 'account' and o.state not in ('closed', 'cancelled', 'refused'))
   select (select count(*)::int from subject) as subjects,
          (select count(distinct order_id)::int from line) as open_orders, (select count(*)::int from line) as open_lines,
          (select count(*)::int from publication p join subject s on s.subject_id = p.key
            where $2::text = 'sku' and p.kind = $3::text and p.confirmed_version > 0) as published`,
);

export interface PriceMove {
  line: number;
  key: string[];
  before: string;
  after: string;
  percent: string;
}
/** The largest rise and the largest fall; exact decimals, in percent of what it was. */
export const readPriceMoves = sql<PriceMove & { which: 'rise' | 'fall' }>(
  'ops_read_load_price_moves',
  `with moved as materialized (
     select line, key::json as key, before ->> 'unitPrice' as before, after ->> 'unitPrice' as after,
            ((after ->> 'unitPrice')::numeric - (before ->> 'unitPrice')::numeric) * 100 / nullif((before ->> 'unitPrice')::numeric, 0) as percent
       from load_plan_item where plan_id = $1::bigint and action = 'change'),
   rise as (select 'rise' as which, line, key, before, after, percent from moved where percent > 0 order by percent desc, line limit 1),
   fall as (select 'fall' as which, line, key, before, after, percent from moved where percent < 0 order by percent, line limit 1)
   select which, line, key, before, after, round(percent, 2)::text as percent from rise
   union all
   select which, line, key, before, after, round(percent, 2)::text from fall`,
);
export const readCompaniesTouched = sql<{ company: string; skus: number }>(
  'ops_read_load_companies',
  `select key::json ->> 0 as company, count(distinct subject_id)::int as skus
     from load_plan_item where plan_id = $1::bigint and action in ('add', 'change') group by 1 order by 1`,
);
