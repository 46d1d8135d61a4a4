import { sql } from '../store/index.ts';

export interface OutlookRow {
  company: string;
  sku: string;
  unit: string;
  free: number;
  /** Promised beyond what is there: goods were lost. */
  missing: number;
  waiting: number;
  held: number;
  committed: number;
  to_come: number;
  overdue: number;
  supplies:
    | {
        source: string;
        id: string;
        location: string;
        dueAt: string;
        toCome: number;
        promised: number;
        orders: number;
        overdue: boolean;
      }[]
    | null;
}

/**
 * Per company and SKU of which something is to come or waits: one moment of the whole page. What other channels may believe is not free,
 * nor what is kept as safety stock; a place where more is promised than there is gives nothing to another.
 */
export const readOutlook = sql<OutlookRow>(
  'projections_read_purchasing',
  `with waiting as (
     select o.company_id, l.sku_id, sum(l.backordered)::bigint as units, sum(l.held)::bigint as held
       from order_line l join sales_order o using (order_id)
      where l.backordered > 0 and ($3::text is null or l.sku_id = (select sku_id from sku where code = $3::text))
      group by o.company_id, l.sku_id),
        supplies as (
     select p.company_id, s.sku_id, s.supply_id, s.source, s.source_id, p.code as location, s.due_at, s.quantity - s.received as to_come,
            coalesce(c.units, 0) as promised, coalesce(c.orders, 0) as orders, s.due_at < crossdock_now() as overdue
       from supply s join location p using (location_id)
       left join lateral (select sum(quantity)::bigint as units, count(distinct order_id)::int as orders from supply_commitment
                           where supply_id = s.supply_id) c on true
      where s.quantity > s.received and ($3::text is null or s.sku_id = (select sku_id from sku where code = $3::text))),
        page as (
     select k.company_id, k.sku_id, m.code as company, u.code as sku, u.unit
       from (select company_id, sku_id from waiting union select company_id, sku_id from supplies) k
       join company m using (company_id) join sku u using (sku_id)
      where ($1::text is null or (m.code, u.code) > ($1::text, $2::text)) and ($4::text is null or m.code = $4::text)),
        summed as (
     select g.company, g.sku, g.unit, g.company_id, g.sku_id, coalesce(b.free, 0)::bigint as free, coalesce(b.missing, 0)::bigint as missing,
            coalesce(w.units, 0) as waiting, coalesce(w.held, 0) as held, coalesce(s.committed, 0)::bigint as committed,
            coalesce(s.to_come, 0)::bigint as to_come, coalesce(s.overdue, 0)::bigint as overdue
       from page g
       left join waiting w using (company_id, sku_id)
       left join lateral (select sum(to_come) as to_come, sum(promised) as committed, sum(to_come) filter (where overdue) as overdue
                            from supplies where company_id = g.company_id and sku_id = g.sku_id) s on true
       left join lateral (select sum(greatest(0, x.free)) as free, sum(greatest(0, -x.free)) as missing
                            from (select y.on_hand - y.reserved - y.allocated - y.exposed - y.safety_stock - y.outside_deducted as free
                                    from stock_balance y join location p using (location_id)
                                   where y.sku_id = g.sku_id and p.company_id = g.company_id) x) b on true)
   select t.company, t.sku, t.unit, t.free, t.missing, t.waiting, t.held, t.committed, t.to_come, t.overdue,
          (select json_agg(json_build_object('source', s.source, 'id', s.source_id, 'location', s.location, 'dueAt', s.due_at, 'toCome', s.to_come,
                                             'promised', s.promised, 'orders', s.orders, 'overdue', s.overdue) order by s.due_at, s.supply_id)
             from supplies s where s.company_id = t.company_id and s.sku_id = t.sku_id) as supplies
     from summed t
    where not $5::boolean or t.waiting + t.missing - t.committed - t.free - (t.to_come - t.committed) > 0
    order by t.company, t.sku limit $6::int`,
);
