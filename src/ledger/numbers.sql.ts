import { sql } from '../store/index.ts';

export const findSettleable = sql<{ sku_id: number }>(
  'ledger_find_settleable',
  `select n.sku_id from channel_number n
    where n.channel_id = $1::int and n.read_back_at is not null and n.sending is null
      and n.read_back_at < (select max(drained_at) from feed_cursor where system = $2::text)
    order by n.sku_id limit $3::int`,
);

// Read after the balances are locked: every order that is in the cursor and concerns these SKUs is in the balances too.
export const readOrdersThrough = sql<{ cursor: string }>(
  'ledger_read_orders_through',
  `select cursor from feed_cursor where system = $1::text order by feed limit 1`,
);
