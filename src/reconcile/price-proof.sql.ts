import { sql } from '../store/index.ts';

export interface SampledLine {
  order_id: number;
  line_no: number;
  company_id: number;
  channel_id: number;
  account_id: number;
  external_no: string;
  currency: string;
  ordered_at: Date;
  sku_id: number;
  quantity: number;
  refused: number;
  unit_price: string;
  price_per: number;
  invoiced: number;
  invoiced_minor: number;
  outcome: string | null;
}

// Lines of the newest $5 orders, in an order that only the seed decides. What stands for a line has its price.
export const sampleLines = sql<SampledLine>(
  'reconcile_sample_lines',
  `select o.order_id, l.line_no, o.company_id, o.channel_id, o.account_id, o.external_no, o.currency, o.ordered_at, l.sku_id, l.quantity, l.refused,
          l.unit_price::text as unit_price, l.price_per, l.invoiced, l.invoiced_minor, d.outcome
     from (select order_id, company_id, channel_id, account_id, external_no, currency, ordered_at from sales_order
            where $1::bigint is null or account_id = $1::bigint order by order_id desc limit $5::int) o
     join order_line l on l.order_id = o.order_id and l.stands_for is null and ($2::bigint is null or l.sku_id = $2::bigint)
     left join price_difference d on d.order_id = l.order_id and d.line_no = l.line_no
    order by hashint8extended(o.order_id * 10000 + l.line_no, $3::bigint), o.order_id, l.line_no
    limit $4::int`,
);

// Prices that hold about now: of contracts with their account, of lists without one.
export const samplePrices = sql<{
  company_id: number;
  account_id: number | null;
  sku_id: number;
  quantity_min: number;
}>(
  'reconcile_sample_prices',
  `select company_id, account_id, sku_id, quantity_min
     from (select c.company_id, c.account_id, p.sku_id, p.quantity_min
             from contract c join contract_price p using (contract_id)
            where c.valid_from <= crossdock_now()::date and c.valid_to >= crossdock_now()::date and ($1::bigint is null or c.account_id = $1::bigint)
           union
           select p.company_id, null, p.sku_id, p.quantity_min from price p
            where p.valid_from <= crossdock_now()::date and p.valid_to >= crossdock_now()::date) s
    where $2::bigint is null or sku_id = $2::bigint
    order by hashint8extended(sku_id * 1000003 + quantity_min + coalesce(account_id, 0), $3::bigint), sku_id, quantity_min, account_id, company_id
    limit $4::int`,
);

export const sampleAccounts = sql<{ account_id: number; company_id: number }>(
  'reconcile_sample_accounts',
  `select account_id, company_id from account
    where merged_into is null and ($1::bigint is null or account_id = $1::bigint)
    order by hashint8extended(account_id, $2::bigint), account_id limit $3::int`,
);

// Of prices that were to be told there and are not known to be shown.
export const findUnconfirmed = sql<{ key: number; error: string | null; state: string }>(
  'reconcile_find_unconfirmed_prices',
  `select p.key, p.error, p.state from publication p join destination d using (destination_id)
    where d.code = $1::text and p.kind = 'price' and p.key = any($2::bigint[]) and (p.is_dirty or p.state <> 'n')`,
);
