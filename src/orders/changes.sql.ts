import { sql } from '../store/index.ts';
import type { ChangedLine } from './types.ts';

export interface ChangeRow {
  order_id: number;
  change_version: number;
  last_version: number;
  reference: string;
  number: number | null;
  is_whole: boolean;
  lines: ChangedLine[];
}
export const readChanges = sql<ChangeRow>(
  'orders_read_changes',
  `select order_id, change_version, last_version, reference, number, is_whole, lines
     from order_change where order_id = any($1::bigint[]) order by order_id, change_version`,
);
export const insertChanges = sql(
  'orders_insert_changes',
  `insert into order_change (order_id, change_version, last_version, reference, number, is_whole, lines)
   select order_id, change_version, last_version, reference, number, is_whole, lines::json
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::boolean[], $7::text[])
       as t(order_id, change_version, last_version, reference, number, is_whole, lines)`,
);
export const confirmLines = sql(
  'orders_confirm_lines',
  `update order_line l set awaits_erp = false from unnest($1::bigint[], $2::int[]) as t(order_id, line_no)
    where l.order_id = t.order_id and l.line_no = t.line_no`,
);
