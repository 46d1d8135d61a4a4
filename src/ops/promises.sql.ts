/** The promises as set statements: each counts what it looked at and what breaks the promise, and names the first few. */
import { type Statement, sql } from '../store/index.ts';

export interface VerdictRow {
  checked: number;
  violations: number;
  examples: string[] | null;
}

/** `from` gives rows with a boolean `bad`; `what` is text over the same row, written only for bad ones. */
export function verdict(name: string, from: string, what: string): Statement<VerdictRow> {
  return sql<VerdictRow>(
    `verify_${name}`,
    `select count(*)::bigint as checked, count(*) filter (where bad)::bigint as violations,
            (array_agg(${what}) filter (where bad))[1:5] as examples
       from (${from}) as t`,
  );
}

/** The checks look at every row: without statistics of the tables as they are a plan may take minutes. */
export const analyzeStale = sql<{ table: string }>(
  'verify_analyze_stale',
  'select crossdock_analyze_stale() as "table"',
);

/** Since when a kind whose rows go one by one is surely kept. What is older may be gone. */
export function keptSince(table: string): string {
  return `coalesce((select kept_since from expiring_table where table_name = '${table}'), '-infinity')`;
}

// I1. Closing balances stand for movements whose partition was dropped.
export const onHand = verdict(
  'on_hand',
  `select sku_id, location_id, on_hand, moved, on_hand <> moved as bad
     from (select sku_id, location_id, coalesce(b.on_hand, 0) as on_hand, coalesce(c.on_hand, 0) + coalesce(m.effect, 0) as moved
             from stock_balance b
             full join (select sku_id, location_id, sum(effect) as effect from stock_movement group by sku_id, location_id) m
                  using (sku_id, location_id)
             full join stock_closing c using (sku_id, location_id)) as s`,
  `format('SKU %s at location %s: on hand %s, closing balance and movements give %s', sku_id, location_id, on_hand, moved)`,
);

// I2. What is held and promised, from both ends.
export const balancesHeld = verdict(
  'balances_held',
  `select sku_id, location_id, reserved, r, allocated, a, exposed, e, (reserved, allocated, exposed) is distinct from (r, a, e) as bad
     from (select sku_id, location_id, coalesce(b.reserved, 0) as reserved, coalesce(b.allocated, 0) as allocated,
                  coalesce(b.exposed, 0) as exposed, coalesce(r.quantity, 0)::bigint as r, coalesce(a.quantity, 0)::bigint as a,
                  coalesce(e.quantity, 0)::bigint as e
             from stock_balance b
             full join (select sku_id, location_id, sum(open_quantity) as quantity from reservation
                         where state = 'open' group by sku_id, location_id) r using (sku_id, location_id)
             full join (select sku_id, location_id, sum(open_quantity) as quantity from allocation
                         where open_quantity > 0 group by sku_id, location_id) a using (sku_id, location_id)
             full join (select sku_id, location_id, sum(quantity) as quantity from exposure
                         group by sku_id, location_id) e using (sku_id, location_id)) as s`,
  `format('SKU %s at location %s: reserved %s, open reservations %s; allocated %s, open allocations %s; exposed %s, exposures %s',
          sku_id, location_id, reserved, r, allocated, a, exposed, e)`,
);
// What other systems have allocated, and what of it goes beyond ours, from the rows of both.
export const outsideHeld = verdict(
  'outside_held',
  `select sku_id, location_id, outside_open, o, outside_deducted, d, (outside_open, outside_deducted) is distinct from (o, d) as bad
     from (select sku_id, location_id, coalesce(b.outside_open, 0) as outside_open, coalesce(b.outside_deducted, 0) as outside_deducted,
                  coalesce(o.quantity, 0)::bigint as o, coalesce(d.quantity, 0)::bigint as d
             from stock_balance b
             full join (select sku_id, location_id, sum(open_quantity) as quantity from outside_allocation
                         group by sku_id, location_id) o using (sku_id, location_id)
             full join (select sku_id, location_id, sum(deducted) as quantity from outside_line()
                         group by sku_id, location_id) d using (sku_id, location_id)) as s`,
  `format('SKU %s at location %s: other systems have open %s, reports give %s; deducted %s, beyond our allocations are %s',
          sku_id, location_id, outside_open, o, outside_deducted, d)`,
);
export const linesAllocated = verdict(
  'lines_allocated',
  `select order_id, line_no, coalesce(l.allocated, 0) as allocated, coalesce(a.quantity, 0) as quantity,
          coalesce(l.allocated, 0) <> coalesce(a.quantity, 0) as bad
     from (select order_id, line_no, allocated from order_line where allocated <> 0) l
     full join (select order_id, line_no, sum(open_quantity) as quantity from allocation
                 where open_quantity <> 0 group by order_id, line_no) a
          using (order_id, line_no)`,
  `format('order %s line %s: allocated %s, open allocations %s', order_id, line_no, allocated, quantity)`,
);
// Lines that are forgotten have no row any more: what they had stays counted.
export const quotasUsed = verdict(
  'quotas_used',
  `select q.quota_id, q.used, coalesce(u.units, 0) as units, u.wrong, q.used <> coalesce(u.units, 0) or coalesce(u.wrong, 0) > 0 as bad
     from quota q
     left join (select u.quota_id, sum(u.units) as units,
                       count(*) filter (where l.order_id is not null and u.units <> l.allocated + l.picked) as wrong
                  from quota_use u left join order_line l on l.order_id = u.order_id and l.line_no = u.line_no
                 group by u.quota_id) u using (quota_id)`,
  `format('quota %s: %s used, its lines have %s; %s lines have other than they hold', quota_id, used, units, coalesce(wrong, 0))`,
);
export const endedReservations = verdict(
  'ended_reservations',
  `select reservation_id, location_id, state, open_quantity, (state = 'open') <> (open_quantity > 0) as bad from reservation`,
  `format('reservation %s at location %s is %s with %s open', reservation_id, location_id, state, open_quantity)`,
);

// I3, I4. A loss, or a raised safety stock, may leave less than was promised; then an open shortage says so, of at least that size.
// Safety stock that was never filled breaks nothing: what may be promised is then 0.
const shortages = `(select sku_id, location_id, sum(quantity) as quantity from shortage where state = 'open' group by sku_id, location_id)`;
const promisable = 'least(b.on_hand, greatest(0, b.on_hand - b.safety_stock))';
export const promisedStock = verdict(
  'promised_stock',
  `select b.sku_id, b.location_id, b.reserved, b.allocated, b.on_hand, b.safety_stock, coalesce(s.quantity, 0) as short,
          b.outside_deducted as outside,
          b.reserved < 0 or b.allocated < 0 or b.outside_deducted < 0
            or b.reserved + b.allocated + b.outside_deducted > ${promisable} + coalesce(s.quantity, 0) as bad
     from stock_balance b left join ${shortages} s using (sku_id, location_id)`,
  `format('SKU %s at location %s: reserved %s + allocated %s + outside %s of on hand %s less safety stock %s, recorded shortage %s',
          sku_id, location_id, reserved, allocated, outside, on_hand, safety_stock, short)`,
);
export const exposedStock = verdict(
  'exposed_stock',
  `select b.sku_id, b.location_id, b.reserved, b.allocated, coalesce(e.quantity, 0) as exposed, b.on_hand, b.safety_stock,
          coalesce(s.quantity, 0) as short, b.outside_deducted as outside,
          b.reserved + b.allocated + b.outside_deducted + coalesce(e.quantity, 0) > ${promisable} + coalesce(s.quantity, 0) as bad
     from stock_balance b
     left join (select e.sku_id, e.location_id, sum(e.quantity) as quantity
                  from exposure e join channel c using (channel_id)
                 where c.settings->>'risk' is distinct from 'shared' group by e.sku_id, e.location_id) e using (sku_id, location_id)
     left join ${shortages} s using (sku_id, location_id)`,
  `format('SKU %s at location %s: exposed %s + reserved %s + allocated %s + outside %s of on hand %s less safety stock %s, recorded shortage %s',
          sku_id, location_id, exposed, reserved, allocated, outside, on_hand, safety_stock, short)`,
);
// A number on its way was set aside whole; sales read since then have used up that much of its exposure, and of the number. What a
// net number shows keeps its sales until they are settled, because a number that is too high is safe: they are taken off here.
export const shownNumbers = verdict(
  'shown_numbers',
  `select n.channel_id, n.sku_id, n.shown, n.sending, coalesce(e.quantity, 0) as exposed, coalesce(sold.quantity, 0) as sold,
          coalesce(n.shown, 0) - case when c.settings->>'numberMeans' = 'on_hand' then 0 else n.sold_since end
              > coalesce(e.quantity, 0)
            or coalesce(n.sending, 0) > coalesce(e.quantity, 0) + coalesce(sold.quantity, 0) as bad
     from channel_number n
     join channel c using (channel_id)
     left join (select channel_id, sku_id, sum(quantity) as quantity from exposure group by channel_id, sku_id) e
          using (channel_id, sku_id)
     left join lateral (select sum(l.within) as quantity
                          from destination d
                          join publication p on p.destination_id = d.destination_id and p.kind = 'availability' and p.key = n.sku_id
                          join sales_order o on o.channel_id = n.channel_id and o.recorded_at >= p.sent_at
                          join order_line l on l.order_id = o.order_id and l.sku_id = n.sku_id
                         where d.code = c.settings->>'system' and n.sending > coalesce(e.quantity, 0)) sold on true
    where c.settings->>'risk' is distinct from 'shared'`,
  `format('channel %s SKU %s: shown %s, on its way %s, set aside %s (sold since: %s)', channel_id, sku_id, shown, sending, exposed, sold)`,
);

// I3, of what is to come: a supply that is short of its announcement ends promises of it at once, a line that is served its own.
export const committedSupply = verdict(
  'committed_supply',
  `select c.supply_id, c.committed, s.quantity, s.received,
          s.supply_id is null or c.committed > greatest(0, s.quantity - s.received) as bad
     from (select supply_id, sum(quantity) as committed from supply_commitment group by supply_id) c
     left join supply s using (supply_id)`,
  `format('supply %s: %s committed of %s announced, %s of them received', supply_id, committed, coalesce(quantity, 0), coalesce(received, 0))`,
);
export const committedLines = verdict(
  'committed_lines',
  `select c.order_id, c.line_no, c.committed, l.backordered, l.order_id is null or c.committed > l.backordered as bad
     from (select order_id, line_no, sum(quantity) as committed from supply_commitment group by order_id, line_no) c
     left join order_line l using (order_id, line_no)`,
  `format('order %s line %s: %s committed of dated supply, %s backordered', order_id, line_no, committed, coalesce(backordered, 0))`,
);

// I5. A conflict keeps the first content applied and sets the other aside, so its record doesn't count here.
export const inboundStates = verdict(
  'inbound_states',
  `select scope, key, i.state, coalesce(p.open, 0) as open,
          case when i.state is null then true
               when i.state in ('w', 'p') then coalesce(p.open, 0) <> 1
               when i.state in ('a', 's') then coalesce(p.open, 0) <> 0
               else true end as bad
     from inbound i
     full join (select scope, key, count(*) as open from parked_record
                 where state = 'open' and class <> 'key_conflict' group by scope, key) p using (scope, key)`,
  `format('%s %s: state %s, %s open parked', scope, key, coalesce(state::text, 'unknown'), open)`,
);
export const appliedOrders = verdict(
  'applied_orders',
  `select i.scope, i.key, i.subject, o.order_id is null or o.external_no <> i.key or 'order/' || c.code <> i.scope as bad
     from inbound i
     left join sales_order o on o.order_id = i.subject
     left join channel c on c.channel_id = o.channel_id
    where i.scope >= 'order/' and i.scope < 'order0' and i.state = 'a'`,
  `format('%s %s was applied as order %s, which is not there under that number', scope, key, coalesce(subject::text, '-'))`,
);

// I9. A publication's numbers only grow; what was planned or booked of a stream is never beyond what happened to it.
export const publicationVersions = verdict(
  'publication_versions',
  `select destination_id, kind, key, version, confirmed_version, sending_version, state,
          confirmed_version > version or coalesce(sending_version, 0) > version
            or state not in ('n', 's', 'd', 'p', 'x')
            or (state = 's' and coalesce(sending_version, 0) <= confirmed_version) as bad
     from publication`,
  `format('destination %s %s %s: version %s, confirmed %s, sending %s, state %s', destination_id, kind, key, version,
          confirmed_version, sending_version, state)`,
);
// A destination receives what an order's facts say in the order of their versions, whatever order they stand in the log. Keys of
// fulfilments, returns and orders may be the same number.
export const deliveryVersions = verdict(
  'delivery_versions',
  `select reference, kind, version, before, coalesce(before > version, false) as bad
     from (select d.reference, d.kind, f.stream_version as version,
                  lag(f.stream_version) over (partition by d.destination_id, d.key, d.order_id order by d.delivery_id) as before
             from delivery d join fact f on f.position = d.fact_position where d.order_id is not null) t`,
  `format('%s %s tells version %s after version %s', kind, reference, version, before)`,
);
export const balanceVersions = verdict(
  'balance_versions',
  `select m.sku_id, m.location_id, m.booked, m.distinct_versions, m.movements, b.version,
          b.version is null or m.booked > b.version or m.distinct_versions <> m.movements as bad
     from (select sku_id, location_id, max(balance_version) as booked, count(distinct balance_version) as distinct_versions,
                  count(*) as movements
             from stock_movement group by sku_id, location_id) m
     left join stock_balance b using (sku_id, location_id)`,
  `format('SKU %s at location %s: %s movements under %s versions up to %s, balance at %s', sku_id, location_id, movements,
          distinct_versions, booked, coalesce(version::text, 'none'))`,
);
