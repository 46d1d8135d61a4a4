import { sql } from '../store/index.ts';

export const countOrders = sql<{ state: string; orders: number }>(
  'api_count_orders',
  'select state, count(*)::int as orders from sales_order group by state',
);
export const sumBackordered = sql<{ units: number; lines: number }>(
  'api_sum_backordered',
  'select coalesce(sum(backordered), 0)::bigint as units, count(*)::int as lines from order_line where backordered > 0',
);

// What has not ended, and what ended badly; each by its partial index. Confirmed ones are history and are not counted.
export const countDeliveries = sql<{
  destination: string;
  state: string;
  deliveries: number;
  oldest_ms: number | null;
}>(
  'api_count_deliveries',
  `select d.code as destination, l.state, l.deliveries, l.oldest_ms
     from (select destination_id, state, count(*)::int as deliveries,
                  (extract(epoch from crossdock_now() - min(recorded_at)) * 1000)::float8 as oldest_ms
             from delivery where is_open and state in ('n', 's', 'd') group by destination_id, state
           union all
           select destination_id, state, count(*)::int, null from delivery where needs_person group by destination_id, state) l
     join destination d on d.destination_id = l.destination_id
    order by d.code, l.state`,
);
export const countPublications = sql<{
  destination: string;
  kind: string;
  dirty: number;
  in_doubt: number;
  parked: number;
  oldest_ms: number | null;
}>(
  'api_count_publications',
  `select d.code as destination, p.kind, p.dirty, p.in_doubt, p.parked, p.oldest_ms
     from (select destination_id, kind,
                  count(*) filter (where is_dirty)::int as dirty,
                  count(*) filter (where state = 'd')::int as in_doubt, count(*) filter (where state = 'p')::int as parked,
                  (extract(epoch from crossdock_now() - min(changed_at) filter (where is_dirty)) * 1000)::float8
                    as oldest_ms
             from publication group by destination_id, kind) p
     join destination d on d.destination_id = p.destination_id
    order by d.code, p.kind`,
);
export const countParked = sql<{ class: string; records: number }>(
  'api_count_parked',
  `select class, count(*)::int as records from parked_record where state = 'open' group by class order by class`,
);
export const countFacts = sql<{ facts: number; now: Date }>(
  'api_count_facts',
  `select coalesce(pg_sequence_last_value(pg_get_serial_sequence('fact', 'position')::regclass), 0)::bigint as facts, crossdock_now() as now`,
);

export interface ProblemRow {
  kind: string;
  class: string;
  what: string;
  detail: string | null;
  place: string | null;
  at: Date;
}
export const listProblems = sql<ProblemRow>(
  'api_list_problems',
  `(select 'parked_record' as kind, class, scope || ' ' || key as what, reason as detail, place, recorded_at as at
      from parked_record where state = 'open' order by parked_id desc limit $1::int)
   union all
   (select 'delivery', case l.state when 'p' then 'parked' else 'refused' end, l.kind || ' ' || l.reference || ' → ' || d.code, l.error, null,
           coalesce(l.ended_at, l.recorded_at)
      from delivery l join destination d on d.destination_id = l.destination_id
     where l.needs_person order by l.delivery_id desc limit $1::int)
   union all
   (select 'publication', 'parked', p.kind || ' ' || p.key || ' → ' || d.code, p.error, null, p.changed_at
      from publication p join destination d on d.destination_id = p.destination_id
     where p.state = 'p' order by p.changed_at desc limit $1::int)
   union all
   (select 'shortage', 'open', s.quantity || ' of ' || k.code || ' at ' || l.code, s.cause, s.owner, s.recorded_at
      from shortage s join sku k on k.sku_id = s.sku_id join location l on l.location_id = s.location_id
     where s.state = 'open' order by s.shortage_id desc limit $1::int)
   union all
   (select 'order_exception', e.kind, c.code || '/' || o.external_no || ' line ' || e.line_no, e.held || ' of ' || e.units || ' ' || k.code || ' held', null,
           e.recorded_at
      from order_exception e join sales_order o using (order_id) join channel c on c.channel_id = e.channel_id join sku k on k.sku_id = e.sku_id
     where e.state = 'open' order by e.exception_id desc limit $1::int)
   union all
   (select 'order_hold', h.kind, c.code || '/' || o.external_no, h.reason || ': ' || h.detail, h.owner, h.recorded_at
      from order_hold h join sales_order o using (order_id) join channel c on c.channel_id = h.channel_id
     where h.state = 'open' and h.due_at <= crossdock_now() order by h.due_at limit $1::int)
   union all
   (select 'stage_alert', a.stage, c.code || '/' || o.external_no, 'in ' || a.stage || ' since ' || a.since, a.owner, a.due_at
      from stage_alert a join sales_order o using (order_id) join channel c on c.channel_id = a.channel_id
     where a.state = 'open' order by a.alert_id desc limit $1::int)
   order by at desc limit $1::int`,
);

export interface ParkedRow {
  parked_id: number;
  scope: string;
  key: string;
  system: string;
  class: string;
  reason: string;
  place: string | null;
  wait_key: string | null;
  state: string;
  attempts: number;
  resolution: string | null;
  recorded_at: Date;
  ended_at: Date | null;
}
const parked =
  'parked_id, scope, key, system, class, reason, place, wait_key, state, attempts, resolution, recorded_at, ended_at';

export const listParked = sql<ParkedRow>(
  'api_list_parked',
  `select ${parked} from parked_record
    where ($1::bigint is null or parked_id < $1::bigint) and state = $2::text
      and ($3::text is null or class = $3::text) and ($4::text is null or system = $4::text)
    order by parked_id desc limit $5::int`,
);
export const readParked = sql<ParkedRow & { item: unknown }>(
  'api_read_parked',
  `select ${parked}, item from parked_record where parked_id = $1::bigint`,
);
