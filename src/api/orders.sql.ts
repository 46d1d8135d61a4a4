import { sql } from '../store/index.ts';

export const findOrderId = sql<{ order_id: number }>(
  'api_find_order_id',
  'select order_id from sales_order where channel_id = $1::int and external_no = $2::text',
);

export interface OrderHeadRow {
  order_id: number;
  company_id: number;
  channel_id: number;
  account_id: number;
  account: string;
  external_no: string;
  state: string;
  version: number;
  currency: string;
  total_minor: number;
  ordered_at: Date;
  recorded_at: Date;
  erp_number: string | null;
}

// Newest first; order ids grow with acceptance.
export const listOrders = sql<OrderHeadRow>(
  'api_list_orders',
  `select o.order_id, o.company_id, o.channel_id, o.account_id, a.code as account, o.external_no, o.state, o.version,
          o.currency, o.total_minor, o.ordered_at, o.recorded_at, o.erp_number
     from sales_order o join account a on a.account_id = o.account_id
    where ($1::bigint is null or o.order_id < $1::bigint)
      and ($2::text is null or o.state = $2::text)
      and ($3::int is null or o.channel_id = $3::int)
      and ($4::bigint[] is null or o.account_id = any($4::bigint[]))
      and ($5::text is null or o.external_no = $5::text)
    order by o.order_id desc limit $6::int`,
);

export const findAccountIds = sql<{ account_id: number }>(
  'api_find_account_ids',
  'select account_id from account where code = $1::text order by account_id',
);

export const knownKeys = sql<{ key: string; state: string }>(
  'api_known_keys',
  'select key, state from inbound where scope = $1::text and key = any($2::text[])',
);
