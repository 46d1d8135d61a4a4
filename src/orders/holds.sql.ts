import { sql } from '../store/index.ts';
import type { HoldKind } from './hold-types.ts';

export interface HoldRow {
  order_id: number;
  hold_id: number;
  kind: HoldKind;
  reason: string;
  detail: string;
  owner: string;
  due_at: Date | null;
  held_by: string | null;
  released_by: string | null;
  release_reason: string | null;
}
const columns =
  'h.order_id, h.hold_id, h.kind, h.reason, h.detail, h.owner, h.due_at, h.held_by, h.released_by, h.release_reason';

export const readHolds = sql<HoldRow>(
  'orders_read_holds',
  `select ${columns} from order_hold h where h.order_id = any($1::bigint[]) order by h.hold_id`,
);
// By the database's clock, from when it is recorded: an order may have been placed long ago.
export const writeHolds = sql(
  'orders_write_holds',
  `insert into order_hold as h (order_id, hold_id, channel_id, kind, reason, detail, owner, due_at, state, held_by, released_by, release_reason, ended_at,
                               recorded_at)
   select order_id, hold_id, channel_id, kind, reason, detail, owner, coalesce(due_at, n.now + make_interval(mins => due_minutes)),
          case when released_by is null then 'open' else 'released' end, held_by, released_by, release_reason,
          case when released_by is null then null else n.now end, n.now
     from (select crossdock_now() as now offset 0) n, unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::int[], $10::text[],
                 $11::text[], $12::text[])
       as t(order_id, hold_id, channel_id, kind, reason, detail, owner, due_at, due_minutes, held_by, released_by, release_reason)
   on conflict (order_id, hold_id) do update
     set state = excluded.state, released_by = excluded.released_by, release_reason = excluded.release_reason, ended_at = excluded.ended_at`,
);

export interface ListedHold extends HoldRow {
  state: 'open' | 'released';
  channel_id: number;
  external_no: string;
  account: string;
  order_state: string;
  currency: string;
  total_minor: number;
  is_due: boolean;
  recorded_at: Date;
  ended_at: Date | null;
}
export const listHolds = sql<ListedHold>(
  'orders_list_holds',
  `select ${columns}, h.state, h.channel_id, o.external_no, a.code as account, o.state as order_state, o.currency, o.total_minor, h.recorded_at, h.ended_at,
          h.state = 'open' and coalesce(h.due_at <= crossdock_now(), false) as is_due
     from order_hold h join sales_order o using (order_id) join account a using (account_id)
    where ($1::bigint is null or h.hold_id < $1::bigint) and ($2::text is null or h.state = $2::text) and ($3::text is null or h.kind = $3::text)
      and ($4::int is null or h.channel_id = $4::int) and ($5::bigint is null or h.order_id = $5::bigint)
      and ($6::bigint is null or h.hold_id = $6::bigint) and ($7::text is null or h.owner = $7::text)
      and (not $8::boolean or h.state = 'open' and h.due_at <= crossdock_now())
    order by h.hold_id desc limit $9::int`,
);
export const countOpenHolds = sql<{ kind: HoldKind; holds: number; due: number; oldest_ms: number }>(
  'orders_count_open_holds',
  `select kind, count(*)::int as holds, (count(*) filter (where due_at <= crossdock_now()))::int as due,
          (extract(epoch from crossdock_now() - min(recorded_at)) * 1000)::float8 as oldest_ms
     from order_hold where state = 'open' group by kind order by kind`,
);
// Of orders whose rule says that they are given up then. Lines with their numbers: each is cancelled by a command of its own.
export const findDueHolds = sql<{ order_id: number; kind: HoldKind; line_nos: number[]; quantities: number[] }>(
  'orders_find_due_holds',
  `select h.order_id, min(h.kind) as kind, array_agg(l.line_no order by l.line_no) as line_nos, array_agg(l.left_over order by l.line_no) as quantities
     from (select order_id, min(kind) as kind from order_hold
            where state = 'open' and due_at <= crossdock_now() and kind = any($1::text[]) group by order_id order by order_id limit $2::int) h
     join lateral (select line_no, (quantity - refused - cancelled - cancel_asked - return_expected - returned)
                          + coalesce((select sum(t.units) from (
                              select max((s.quantity - s.refused - s.cancelled - s.cancel_asked - s.return_expected - s.returned + s.per_unit - 1) / s.per_unit) as units
                                from order_line s where s.order_id = h.order_id and s.stands_for = l.line_no
                               group by coalesce(s.set_no, s.line_no)) t), 0)::bigint as left_over
                     from order_line l where l.order_id = h.order_id and l.stands_for is null) l on l.left_over > 0
    group by h.order_id`,
);
// The order's row guards its holds: what is open under it stays so until the transaction ends.
export const lockDueHolds = sql<{ order_id: number }>(
  'orders_lock_due_holds',
  `select order_id from sales_order o
    where order_id = any($1::bigint[])
      and exists (select from order_hold h where h.order_id = o.order_id and h.state = 'open' and h.kind = any($2::text[]) and h.due_at <= crossdock_now())
    order by order_id for update`,
);

// The account of an order never changes, so it may be read before the order is locked.
export const findHeldForCredit = sql<{ account_id: number }>(
  'orders_find_held_for_credit',
  `select distinct o.account_id from order_hold h join sales_order o using (order_id)
    where h.hold_id = any($1::bigint[]) and (h.kind = 'credit' or h.hold_id = any($2::bigint[]))`,
);

// Held by the rule for credit, oldest first, of these accounts, of what is merged into them, and of all below them; null: of all accounts.
export const findCreditHolds = sql<{ hold_id: number; order_id: number }>(
  'orders_find_credit_holds',
  `with recursive family as (
     select account_id, 1 as depth from account where account_id = any($1::bigint[]) or merged_into = any($1::bigint[])
     union
     select a.account_id, f.depth + 1 from family f join account a on a.parent_id = f.account_id where f.depth < 8)
   select h.hold_id, h.order_id from order_hold h join sales_order o using (order_id)
    where h.state = 'open' and h.kind = 'credit' and h.held_by is null and h.hold_id > $2::bigint
      and ($1::bigint[] is null or o.account_id in (select account_id from family))
    order by h.hold_id limit $3::int`,
);
// Of orders of which something was given up: whose limit has room now.
export const findClaimHolders = sql<{ holder_id: number }>(
  'orders_find_claim_holders',
  'select distinct holder_id from credit_claim where order_id = any($1::bigint[])',
);
export const findUnknownCredit = sql<{ account_id: number }>(
  'orders_find_unknown_credit',
  `select distinct o.account_id from order_hold h join sales_order o using (order_id)
    where h.state = 'open' and h.kind = 'credit' and h.reason = 'credit_unknown' order by o.account_id limit $1::int`,
);

export const findDegradedHolds = sql<{ hold_id: number; order_id: number }>(
  'orders_find_degraded_holds',
  `select hold_id, order_id from order_hold where state = 'open' and kind = 'degraded' and held_by is null order by hold_id limit $1::int`,
);
