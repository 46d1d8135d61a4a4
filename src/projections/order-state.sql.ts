import { sql } from '../store/index.ts';

export interface LineState {
  line_no: number;
  sku: string;
  quantity: number;
  allocated: number;
  held: number;
  backordered: number;
  picked: number;
  shipped: number;
  invoiced: number;
  cancel_asked: number;
  return_expected: number;
  without_fulfilment: number;
  confirmed: boolean;
}

export const readOrderState = sql<LineState>(
  'projections_read_order_state',
  `select l.line_no, s.code as sku, l.quantity, l.allocated, l.held, l.backordered, l.picked, l.shipped, l.invoiced, l.cancel_asked,
          l.return_expected, coalesce(a.open, 0)::bigint as without_fulfilment, o.erp_number is not null and not l.awaits_erp as confirmed
     from order_line l
     join sales_order o using (order_id)
     join sku s using (sku_id)
     left join lateral (select sum(open_quantity) as open from allocation a
                         where a.order_id = l.order_id and a.line_no = l.line_no
                           and not exists (select from fulfilment f where f.order_id = a.order_id and f.fulfilment_id = a.fulfilment_id)) a on true
    where l.order_id = any($1::bigint[]) order by l.line_no`,
);

export const readOpenHolds = sql<{ kind: string; reason: string; detail: string; owner: string; recorded_at: Date }>(
  'projections_read_open_holds',
  `select kind, reason, detail, owner, recorded_at from order_hold where order_id = $1::bigint and state = 'open' order by hold_id`,
);
