import { sql } from '../store/index.ts';

export interface MovedAlert {
  alert_id: number;
  order_id: number;
  company_id: number;
  stage: string;
  since: Date;
  owner: string;
}

// An order that went on, whether to the next stage or out of all, is stuck no more.
export const endAlerts = sql<MovedAlert>(
  'ops_end_alerts',
  `update stage_alert a set state = 'ended', ended_at = crossdock_now()
     from sales_order o
    where a.state = 'open' and o.order_id = a.order_id and (o.state, o.state_since) is distinct from (a.stage, a.since)
   returning a.alert_id, a.order_id, o.company_id, a.stage, a.since, a.owner`,
);
// By id from where the first open order is: what ended long ago is not looked at. $1: stages, $2: minutes, $3: owners.
export const raiseAlerts = sql<MovedAlert>(
  'ops_raise_alerts',
  `with late as (
     select o.order_id, o.channel_id, o.company_id, o.state, o.state_since, o.state_since + make_interval(mins => t.minutes) as due_at, t.owner
       from sales_order o join unnest($1::text[], $2::int[], $3::text[]) as t(stage, minutes, owner) on t.stage = o.state
      where o.order_id >= $4::bigint and o.state_since + make_interval(mins => t.minutes) <= crossdock_now()
        and not exists (select from stage_alert a where a.order_id = o.order_id and a.stage = o.state and a.since = o.state_since)
      order by o.order_id limit $5::int),
        raised as (
     insert into stage_alert (order_id, channel_id, stage, since, due_at, owner)
     select order_id, channel_id, state, state_since, due_at, owner from late
     on conflict (order_id, stage, since) do nothing
     returning alert_id, order_id, stage, since, owner)
   select r.alert_id, r.order_id, l.company_id, r.stage, r.since, r.owner from raised r join late l using (order_id)`,
);
export const firstOpenOrder = sql<{ order_id: number | null }>(
  'ops_first_open_order',
  `select order_id from sales_order where order_id >= $1::bigint and state = any($2::text[]) order by order_id limit 1`,
);

export interface AlertRow {
  alert_id: number;
  order_id: number;
  channel_id: number;
  external_no: string;
  account: string;
  currency: string;
  total_minor: number;
  stage: string;
  since: Date;
  due_at: Date;
  owner: string;
  state: 'open' | 'ended';
  seen_by: string | null;
  recorded_at: Date;
  ended_at: Date | null;
  late_seconds: number;
  /** What it waits for, of which the first that is there says what to do. */
  hold_id: number | null;
  hold_owner: string | null;
  exception_id: number | null;
  parked_delivery: string | null;
  open_delivery: string | null;
  backordered: number;
  allocated: number;
  to_ship: number;
  to_invoice: number;
}
export const listAlerts = sql<AlertRow>(
  'ops_list_alerts',
  `select a.alert_id, a.order_id, a.channel_id, o.external_no, c.code as account, o.currency, o.total_minor, a.stage, a.since, a.due_at, a.owner, a.state,
          a.seen_by, a.recorded_at, a.ended_at,
          extract(epoch from coalesce(a.ended_at, crossdock_now()) - a.due_at)::float8 as late_seconds,
          h.hold_id, h.owner as hold_owner, e.exception_id, p.what as parked_delivery, d.what as open_delivery,
          l.backordered, l.allocated, l.to_ship, l.to_invoice
     from stage_alert a join sales_order o using (order_id) join account c using (account_id)
     left join lateral (select hold_id, owner from order_hold where order_id = a.order_id and state = 'open' order by hold_id limit 1) h on true
     left join lateral (select exception_id from order_exception where order_id = a.order_id and state = 'open' order by exception_id limit 1) e on true
     left join lateral (select n.code || ': ' || v.kind || ' ' || v.reference as what from delivery v join destination n using (destination_id)
                         where v.order_id = a.order_id and v.needs_person order by v.delivery_id limit 1) p on true
     left join lateral (select n.code || ': ' || v.kind || ' ' || v.reference || coalesce(', ' || v.error, '') as what
                          from delivery v join destination n using (destination_id)
                         where v.order_id = a.order_id and v.is_open order by v.delivery_id limit 1) d on true
     cross join lateral (select coalesce(sum(backordered), 0)::bigint as backordered, coalesce(sum(allocated), 0)::bigint as allocated,
                                coalesce(sum(greatest(0, picked - shipped)), 0)::bigint as to_ship,
                                coalesce(sum(greatest(0, shipped - invoiced)), 0)::bigint as to_invoice
                           from order_line where order_id = a.order_id) l
    where ($1::bigint is null or a.alert_id < $1::bigint) and ($2::text is null or a.state = $2::text) and ($3::text is null or a.stage = $3::text)
      and ($4::int is null or a.channel_id = $4::int) and ($5::bigint is null or a.alert_id = $5::bigint) and ($6::text is null or a.owner = $6::text)
    order by a.alert_id desc limit $7::int`,
);
export const seeAlert = sql<{ alert_id: number }>(
  'ops_see_alert',
  `update stage_alert set seen_by = $2::text where alert_id = $1::bigint and seen_by is null returning alert_id`,
);
export const countAlerts = sql<{ stage: string; alerts: number; unseen: number; oldest_ms: number }>(
  'ops_count_alerts',
  `select stage, count(*)::int as alerts, (count(*) filter (where seen_by is null))::int as unseen,
          (extract(epoch from crossdock_now() - min(due_at)) * 1000)::float8 as oldest_ms
     from stage_alert where state = 'open' group by stage order by stage`,
);
