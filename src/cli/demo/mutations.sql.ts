/** What became of what went otherwise, in the hub's own words. */
import { sql } from '../../store/index.ts';

export const countChanges = sql<{ outcome: string; lines: number; orders: number }>(
  'demo_count_changes',
  `select l->>'outcome' as outcome, count(*)::int as lines, count(distinct c.order_id)::int as orders
     from order_change c cross join json_array_elements(c.lines) l group by 1 order by 1`,
);
export const countSetAside = sql<{ scope: string; class: string; count: number }>(
  'demo_count_set_aside',
  `select split_part(scope, '/', 1) as scope, class, count(*)::int as count from parked_record
    where state = 'open' and scope ~ '^(change|return|cancel)/' group by 1, 2 order by 1, 2`,
);
export const countExceptions = sql<{
  kind: string;
  count: number;
  units: number;
  resourced: number;
  substituted: number;
  backordered: number;
  cancelled: number;
  held: number;
}>(
  'demo_count_exceptions',
  `select kind, count(*)::int as count, sum(units)::bigint as units, sum(resourced)::bigint as resourced,
          sum(substituted)::bigint as substituted, sum(backordered)::bigint as backordered, sum(cancelled)::bigint as cancelled, sum(held)::bigint as held
     from order_exception group by kind order by kind`,
);
export const countHolds = sql<{ kind: string; state: string; by: string | null; count: number }>(
  'demo_count_holds',
  `select kind, state, case when released_by is null or released_by in ('rule', 'order') then released_by else 'person' end as by,
          count(*)::int as count from order_hold group by 1, 2, 3 order by 1, 2, 3`,
);
export const countReturns = sql<{ state: string; count: number }>(
  'demo_count_returns',
  'select state, count(*)::int as count from return_authorisation group by state order by state',
);
export const sumInspected = sql<{ restocked: number; scrapped: number; quarantined: number }>(
  'demo_sum_inspected',
  `select coalesce(sum(restocked), 0)::bigint as restocked, coalesce(sum(scrapped), 0)::bigint as scrapped,
          coalesce(sum(quarantined), 0)::bigint as quarantined from return_line`,
);
export const countPriceDifferences = sql<{ outcome: string; count: number }>(
  'demo_count_price_differences',
  'select outcome, count(*)::int as count from price_difference group by outcome order by outcome',
);
export const sumMovements = sql<{ kind: string; units: number }>(
  'demo_sum_movements',
  'select kind, sum(effect)::bigint as units from stock_movement group by kind order by kind',
);
export const sumMoney = sql<{ cancelled: number; invoiced: number; credited: number }>(
  'demo_sum_money',
  `select coalesce(sum(cancelled_minor), 0)::bigint as cancelled, coalesce(sum(invoiced_minor), 0)::bigint as invoiced,
          coalesce(sum(credited_minor), 0)::bigint as credited
     from order_line l join sales_order o using (order_id) where o.is_told`,
);
