import { sql } from '../store/index.ts';

/** What of a period the log is told: it changes numbers when it begins and when it ends. */
const PHASE =
  "case when valid_to <= crossdock_now() then 'ended' when valid_from <= crossdock_now() then 'running' else 'to_come' end";

export interface QuotaRecordRow {
  quota_id: number;
  sku: string;
  channel_id: number;
  region: string | null;
  account: string | null;
  valid_from: Date;
  valid_to: Date;
  ring_fenced: number;
  cap: number | null;
  borrow: boolean;
  lend: boolean;
  used: number;
  committed: number;
  recorded_at: Date;
  recorded_by: string;
}

export const listQuotas = sql<QuotaRecordRow>(
  'orders_list_quotas',
  `select q.quota_id, s.code as sku, q.channel_id, q.region, a.code as account, q.valid_from, q.valid_to, q.ring_fenced, q.cap, q.borrow,
          q.lend, q.used, q.recorded_at, q.recorded_by,
          coalesce((select sum(c.quantity) from quota_use u join supply_commitment c on c.order_id = u.order_id and c.line_no = u.line_no
                     where u.quota_id = q.quota_id), 0)::bigint as committed
     from quota q join sku s using (sku_id) left join account a on a.account_id = q.account_id
    where ($1::bigint[] is null or q.quota_id = any($1::bigint[]))
      and ($2::text is null or s.code = $2::text)
      and ($3::int is null or q.channel_id = $3::int)
      and ($4::boolean or q.valid_to > crossdock_now())
      and ($5::bigint is null or q.quota_id > $5::bigint)
    order by q.quota_id limit $6::int`,
);

// Of one node no two hold at once. The balances of the SKUs are locked: nobody writes another one meanwhile.
export const findOverlapping = sql<{ at: number; valid_from: Date; valid_to: Date }>(
  'orders_find_overlapping_quotas',
  `select t.at, q.valid_from, q.valid_to
     from unnest($1::int[], $2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::timestamptz[], $7::timestamptz[])
            as t (at, sku_id, channel_id, region, account_id, valid_from, valid_to)
     join quota q on q.sku_id = t.sku_id and q.channel_id = t.channel_id and q.region is not distinct from t.region
      and q.account_id is not distinct from t.account_id
      and q.valid_from <> t.valid_from and q.valid_from < t.valid_to and q.valid_to > t.valid_from
    order by t.at limit 1`,
);

export const putQuotas = sql<{ quota_id: number; sku_id: number; channel_id: number }>(
  'orders_put_quotas',
  `insert into quota as q (sku_id, channel_id, region, account_id, valid_from, valid_to, ring_fenced, cap, borrow, lend, recorded_by, told)
   select t.*, $11::text, ${PHASE}
     from unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::bigint[], $8::bigint[],
                 $9::boolean[], $10::boolean[]) as t (sku_id, channel_id, region, account_id, valid_from, valid_to, ring_fenced, cap, borrow, lend)
       on conflict (sku_id, channel_id, region, account_id, valid_from) do update
      set valid_to = excluded.valid_to, ring_fenced = excluded.ring_fenced, cap = excluded.cap, borrow = excluded.borrow, lend = excluded.lend,
          recorded_by = excluded.recorded_by, recorded_at = crossdock_now(), told = excluded.told
    where (q.valid_to, q.ring_fenced, q.cap, q.borrow, q.lend)
       is distinct from (excluded.valid_to, excluded.ring_fenced, excluded.cap, excluded.borrow, excluded.lend)
   returning q.quota_id, q.sku_id, q.channel_id`,
);

// A quota counts what was ordered in its period. What it counts already stays, as long as that is so: an account may have moved since.
export const dropUses = sql(
  'orders_drop_quota_uses',
  `delete from quota_use u using quota q, sales_order o
    where u.quota_id = any($1::bigint[]) and q.quota_id = u.quota_id and o.order_id = u.order_id
      and (o.ordered_at < q.valid_from or o.ordered_at >= q.valid_to)`,
);
export const addUses = sql(
  'orders_add_quota_uses',
  `insert into quota_use (order_id, line_no, quota_id, units)
   select l.order_id, l.line_no, q.quota_id, l.allocated + l.picked
     from quota q
     join order_line l on l.sku_id = q.sku_id
     join sales_order o on o.order_id = l.order_id and o.channel_id = q.channel_id and o.ordered_at >= q.valid_from and o.ordered_at < q.valid_to
     join account a on a.account_id = o.account_id
    where q.quota_id = any($1::bigint[])
      and (q.account_id is null or q.account_id = o.account_id) and (q.region is null or q.region = a.region)
      and l.allocated + l.picked + l.backordered > 0
       on conflict do nothing`,
);
export const sumUses = sql(
  'orders_sum_quota_uses',
  `update quota q set used = coalesce((select sum(u.units) from quota_use u where u.quota_id = q.quota_id), 0)
    where q.quota_id = any($1::bigint[])`,
);

// All that may lie above or below those that were put, of their time.
export const readNested = sql<{
  quota_id: number;
  sku_id: number;
  channel_id: number;
  region: string | null;
  account_id: number | null;
  ring_fenced: number;
  cap: number | null;
  valid_from: Date;
  valid_to: Date;
}>(
  'orders_read_nested_quotas',
  `select q.quota_id, q.sku_id, q.channel_id, coalesce(q.region, a.region) as region, q.account_id, q.ring_fenced, q.cap, q.valid_from, q.valid_to
     from quota q left join account a on a.account_id = q.account_id
    where q.sku_id = any($1::bigint[]) and q.valid_to > $2::timestamptz`,
);

export const findRegions = sql<{ at: number; region: string | null; account_region: string | null; known: boolean }>(
  'orders_find_quota_regions',
  `select t.at, t.region, a.region as account_region,
          exists (select from account x where x.company_id = t.company_id and x.region = t.region) as known
     from unnest($1::int[], $2::int[], $3::text[], $4::bigint[]) as t (at, company_id, region, account_id)
     left join account a on a.account_id = t.account_id`,
);

// Holds are locked before balances; the second time behind them, for what was held in between.
export const countHolds = sql(
  'orders_count_holds',
  `update reservation r set is_counted = true
     from (select reservation_id, location_id from reservation
            where state = 'open' and not is_counted and sku_id = any($1::bigint[])
            order by reservation_id, location_id for update) h
    where r.reservation_id = h.reservation_id and r.location_id = h.location_id`,
);

export const tellPeriods = sql<{ quota_id: number; sku_id: number; channel_id: number }>(
  'orders_tell_quota_periods',
  `with due as (
     select quota_id from quota
      where (told = 'to_come' and valid_from <= crossdock_now()) or (told <> 'ended' and valid_to <= crossdock_now())
      order by sku_id, quota_id limit $1::int for update skip locked)
   update quota q set told = ${PHASE}
     from due where q.quota_id = due.quota_id
   returning q.quota_id, q.sku_id, q.channel_id`,
);
