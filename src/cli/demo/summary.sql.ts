import { sql } from '../../store/index.ts';

export const countOrders = sql<{
  orders: number;
  cancelled_orders: number;
  lines: number;
  quantity: number;
  allocated: number;
  backordered: number;
  refused: number;
  shipped: number;
  cancelled: number;
  returned: number;
  within_short: number;
  orders_shipped: number;
  orders_backordered: number;
  orders_refused: number;
}>(
  'demo_count_orders',
  `select count(distinct l.order_id)::int as orders, count(*)::int as lines, sum(l.quantity)::bigint as quantity,
          sum(l.allocated)::bigint as allocated, sum(l.backordered)::bigint as backordered, sum(l.refused)::bigint as refused,
          sum(l.shipped)::bigint as shipped, sum(l.cancelled)::bigint as cancelled, sum(l.returned)::bigint as returned,
          sum(l.within_short)::bigint as within_short,
          count(distinct l.order_id) filter (where l.shipped > 0)::int as orders_shipped,
          count(distinct l.order_id) filter (where l.backordered > 0)::int as orders_backordered,
          (select count(*)::int from sales_order where state = 'cancelled') as cancelled_orders,
          (select count(*)::int from sales_order where state = 'refused') as orders_refused
     from order_line l`,
);
export const countStates = sql<{ state: string; count: number }>(
  'demo_count_states',
  'select state, count(*)::int as count from sales_order group by state order by state',
);
export const countStock = sql<{
  on_hand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  skus: number;
  movements: number;
  shortages: number;
}>(
  'demo_count_stock',
  `select sum(on_hand)::bigint as on_hand, sum(reserved)::bigint as reserved, sum(allocated)::bigint as allocated,
          sum(exposed)::bigint as exposed, count(distinct sku_id)::int as skus,
          (select count(*)::int from stock_movement) as movements, (select count(*)::int from shortage where state = 'open') as shortages
     from stock_balance`,
);
export const countParked = sql<{ class: string; count: number }>(
  'demo_count_parked',
  `select class, count(*)::int as count from parked_record where state = 'open' group by class order by class`,
);
export const countDeliveries = sql<{ code: string; state: string; count: number; attempts: number }>(
  'demo_count_deliveries',
  `select d.code, v.state::text as state, count(*)::int as count, sum(v.attempts)::int as attempts
     from delivery v join destination d using (destination_id) group by 1, 2 order by 1, 2`,
);
