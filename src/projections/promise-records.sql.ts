import { sql } from '../store/index.ts';

// Also of lines that leave in place of others. Bounded: an order may have been promised anew any number of times.
export const listPromises = sql<{
  line_no: number;
  stands_for: number | null;
  sku: string;
  quantity: number;
  promised_at: Date | null;
  location: string | null;
  supply: string | null;
  due_at: Date | null;
  channel: string;
  account: string;
  reason: string;
  cause: string;
  rule_version: string;
  order_version: number;
  replaced_version: number | null;
  recorded_at: Date;
}>(
  'projections_list_promises',
  `select p.line_no, l.stands_for, s.code as sku, p.quantity, p.promised_at, o.code as location, y.source || ' ' || y.source_id as supply, p.due_at,
          c.code as channel, a.code as account, p.reason, p.cause, p.rule_version, p.order_version, p.replaced_version, p.recorded_at
     from promise p
     join order_line l using (order_id, line_no)
     join sku s using (sku_id)
     join channel c using (channel_id)
     join account a using (account_id)
     left join location o on o.location_id = p.location_id
     left join supply y on y.supply_id = p.supply_id
    where p.order_id = $1::bigint and ($2::boolean or p.replaced_version is null)
    order by p.line_no, p.order_version desc, p.part limit $3::int`,
);
