import { sql } from '../store/index.ts';

export interface OrderFactRow {
  stream: string;
  stream_version: number;
  type: string;
  data: unknown;
}

// Streams in text order, keyset: one page is all that is in memory. 'order0' is the first text after every 'order/…'.
export const readOrderFacts = sql<OrderFactRow>(
  'verify_read_order_facts',
  `select stream, stream_version, type, data from fact
    where (stream, stream_version) > ($1::text, $2::bigint) and stream < 'order0'
    order by stream, stream_version limit $3::int`,
);

// Facts are kept for a time only. An order older than that may have lost its first ones.
export const readFactsKeptSince = sql<{ since: Date | null }>(
  'verify_read_facts_kept_since',
  `select kept_since as since from partitioned_table where table_name = 'fact'`,
);

export const findSilentOrders = sql<{ order_id: number; recorded_at: Date }>(
  'verify_find_silent_orders',
  `select o.order_id, o.recorded_at from sales_order o
    where not exists (select from fact f where f.stream = 'order/' || o.order_id::text)
      and o.recorded_at >= $1::timestamptz order by o.order_id limit 1000`,
);

export const readRecordedAt = sql<{ recorded_at: Date }>(
  'verify_read_recorded_at',
  'select recorded_at from sales_order where order_id = $1::bigint',
);
