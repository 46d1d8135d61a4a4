import { sql } from '../store/index.ts';

export const findOrderId = sql<{ order_id: number }>(
  'api_find_order_id',
  'select order_id from sales_order where channel_id = $1::int and external_no = $2::text',
);
