import { sql } from '../store/index.ts';

// Before all other locks, and so in an order of its own. Accounts without a row get one first: there must be something to lock.
export const addAccounts = sql(
  'credit_add_accounts',
  `insert into account_credit (account_id, currency)
   select a.account_id, a.currency from account a where a.account_id = any($1::bigint[]) order by a.account_id
   on conflict do nothing`,
);

export interface CreditRow {
  account_id: number;
  currency: string;
  limit_minor: number | null;
  open_orders_minor: number;
  open_invoices_minor: number;
  as_of: Date | null;
  age_ms: number | null;
  source: string;
}

export const lockAccounts = sql<CreditRow>(
  'credit_lock_accounts',
  `select account_id, currency, limit_minor, open_orders_minor, open_invoices_minor, as_of,
          case when as_of is not null then greatest(0, extract(epoch from crossdock_now() - as_of) * 1000)::bigint end as age_ms, source
     from account_credit where account_id = any($1::bigint[]) order by account_id for update`,
);

export const readAccounts = sql<CreditRow>(
  'credit_read_accounts',
  `select account_id, currency, limit_minor, open_orders_minor, open_invoices_minor, as_of,
          case when as_of is not null then greatest(0, extract(epoch from crossdock_now() - as_of) * 1000)::bigint end as age_ms, source
     from account_credit where account_id = any($1::bigint[])`,
);

export interface SumRow {
  holder_id: number;
  claimed_minor: number;
  cached_minor: number;
  below_orders_minor: number;
  below_invoices_minor: number;
  foreign_below: number;
}
const holders = `select account_id, account_id as holder_id from unnest($1::bigint[]) as t(account_id)
           union all
           select account_id, merged_into from account where merged_into = any($1::bigint[])`;
// Read after the holders are locked: nothing is added meanwhile. What an account that was merged into another has, the other has.
export const sumClaims = sql<SumRow>(
  'credit_sum_claims',
  `select h.holder_id, sum(c.amount_minor)::bigint as claimed_minor,
          coalesce(sum(c.amount_minor) filter (where c.basis = 'cached'), 0)::bigint as cached_minor,
          0::bigint as below_orders_minor, 0::bigint as below_invoices_minor, 0::int as foreign_below
     from (${holders}) h
     join credit_claim c on c.holder_id = h.account_id and c.ended_at is null
    group by h.holder_id`,
);
// With what is reported of the accounts below, down to the next one that has a limit of its own. One statement, so that a report which ends
// a claim and contains it is seen with both or with neither.
export const sumGroups = sql<SumRow>(
  'credit_sum_groups',
  `with recursive below as (
     select account_id as holder_id, account_id, 0 as depth from account_credit
      where account_id = any($1::bigint[]) and limit_minor is not null and as_of is not null
     union all
     select b.holder_id, a.account_id, b.depth + 1
       from below b join account a on a.parent_id = b.account_id and a.merged_into is null
       left join account_credit c on c.account_id = a.account_id
      where b.depth < 8 and (c.limit_minor is null or c.as_of is null)
   ), reported as (
     select b.holder_id, coalesce(sum(c.open_orders_minor) filter (where c.currency = h.currency), 0)::bigint as below_orders_minor,
            coalesce(sum(c.open_invoices_minor) filter (where c.currency = h.currency), 0)::bigint as below_invoices_minor,
            (count(*) filter (where c.currency <> h.currency))::int as foreign_below
       from below b
       join account_credit h on h.account_id = b.holder_id
       join account_credit c on c.account_id = b.account_id and c.as_of is not null and (c.open_orders_minor <> 0 or c.open_invoices_minor <> 0)
      where b.depth > 0
      group by b.holder_id
   ), claimed as (
     select h.holder_id, sum(c.amount_minor)::bigint as claimed_minor,
            coalesce(sum(c.amount_minor) filter (where c.basis = 'cached'), 0)::bigint as cached_minor
       from (${holders}) h
       join credit_claim c on c.holder_id = h.account_id and c.ended_at is null
      group by h.holder_id)
   select holder_id, coalesce(claimed_minor, 0) as claimed_minor, coalesce(cached_minor, 0) as cached_minor,
          coalesce(below_orders_minor, 0) as below_orders_minor, coalesce(below_invoices_minor, 0) as below_invoices_minor,
          coalesce(foreign_below, 0) as foreign_below
     from claimed full join reported using (holder_id)`,
);
export const countClaims = sql<{ orders: number }>(
  'credit_count_claims',
  `select count(distinct c.order_id)::int as orders from credit_claim c
    where c.holder_id in (select $1::bigint union all select account_id from account where merged_into = $1::bigint) and c.ended_at is null`,
);

export const insertClaims = sql(
  'credit_insert_claims',
  `insert into credit_claim (order_id, line_no, holder_id, account_id, amount_minor, taken_minor, basis, over_by_minor)
   select order_id, line_no, holder_id, account_id, amount_minor, amount_minor, basis, over_by_minor
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::int[])
          as t(order_id, holder_id, account_id, amount_minor, basis, over_by_minor, line_no)`,
);

// The caller holds the locks of the orders. Locked in their order all the same: a report ends claims without those. A line that has a claim
// of its own is counted there, open or not; all others with their order.
export const changeClaims = sql(
  'credit_change_claims',
  `with wanted as (
     select t.order_id, coalesce(own.line_no, 0) as line_no, sum(t.change)::bigint as change, bool_or(t.is_cached) as is_cached
       from unnest($1::bigint[], $2::int[], $3::bigint[], $4::boolean[]) as t(order_id, line_no, change, is_cached)
       left join credit_claim own on own.order_id = t.order_id and own.line_no = t.line_no and t.line_no > 0
      group by t.order_id, coalesce(own.line_no, 0)
   ), held as (
     select c.order_id, c.line_no, c.amount_minor + t.change as amount_minor, t.is_cached
       from wanted t
       join credit_claim c on c.order_id = t.order_id and c.line_no = t.line_no and c.ended_at is null
      order by c.order_id, c.line_no for update of c)
   update credit_claim c
      set amount_minor = greatest(0, held.amount_minor),
          basis = case when held.is_cached then 'cached' else c.basis end,
          ended_at = case when held.amount_minor <= 0 then crossdock_now() end,
          ended_by = case when held.amount_minor <= 0 then 'order' end
     from held where c.order_id = held.order_id and c.line_no = held.line_no`,
);

// A report from before the one that is there says nothing new. One from the future would keep all others out: it counts as of now.
export const writeReports = sql<{ account_id: number; version: number; as_of: Date }>(
  'credit_write_reports',
  `update account_credit c
      set currency = t.currency, limit_minor = t.limit_minor, open_orders_minor = t.open_orders_minor,
          open_invoices_minor = t.open_invoices_minor, as_of = least(t.as_of, crossdock_now()), source = t.source,
          version = c.version + 1, recorded_at = crossdock_now()
     from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::text[])
          as t(account_id, currency, limit_minor, open_orders_minor, open_invoices_minor, as_of, source)
    where c.account_id = t.account_id and (c.as_of is null or c.as_of < least(t.as_of, crossdock_now()))
   returning c.account_id, c.version, c.as_of`,
);

// Contained: an order that the report lists, and one of which the same source had posted an invoice by then: it can't have lacked it. The same,
// line by line, of lines that were added: an order of which the report says no more may be from before them.
const reports = `with recursive report as (
       select t.account_id as report_id, t.source, t.as_of, h.owner_id
         from unnest($1::bigint[], $2::text[], $3::timestamptz[]) as t(account_id, source, as_of)
        cross join lateral (select t.account_id as owner_id
                            union all
                            select a.account_id from account a where a.merged_into = t.account_id) h
     )`;
const endOpen = `listed as (
       select account_id, channel_id, external_no, line_no
         from unnest($4::bigint[], $5::int[], $6::text[], $7::int[]) as l(account_id, channel_id, external_no, line_no)
     ), shown as (
       select c.order_id, c.line_no, c.report_id
         from open_claim c
         join sales_order o on o.order_id = c.order_id
        where c.line_no = 0
          and ((c.report_id, o.channel_id, o.external_no) in (select account_id, channel_id, external_no from listed where line_no = 0)
               or exists (select 1 from invoice i
                           where i.order_id = c.order_id and i.kind = 'invoice' and i.source = c.source and i.posted_at <= c.as_of))
       union all
       select c.order_id, c.line_no, c.report_id
         from open_claim c
         join sales_order o on o.order_id = c.order_id
        where c.line_no > 0
          and exists (select 1
                        from (select l.line_no from listed l
                               where l.account_id = c.report_id and l.channel_id = o.channel_id and l.external_no = o.external_no and l.line_no > 0
                              union all
                              select x."lineNo" from invoice i cross join lateral json_to_recordset(i.lines) as x("lineNo" int)
                               where i.order_id = c.order_id and i.kind = 'invoice' and i.source = c.source and i.posted_at <= c.as_of) s
                        join order_line ol on ol.order_id = c.order_id and ol.line_no = s.line_no
                       where coalesce(ol.stands_for, ol.line_no) = c.line_no)
     ), held as (
       select c.order_id, c.line_no, s.report_id from shown s join credit_claim c using (order_id, line_no)
        where c.ended_at is null
        order by c.order_id, c.line_no for update of c)
     update credit_claim c set ended_at = crossdock_now(), ended_by = 'report'
       from held where c.order_id = held.order_id and c.line_no = held.line_no
     returning c.order_id, c.line_no, held.report_id as account_id, c.amount_minor`;
interface ShownRow {
  order_id: number;
  line_no: number;
  account_id: number;
  amount_minor: number;
}
export const endShown = sql<ShownRow>(
  'credit_end_shown',
  `${reports}, open_claim as (
   select c.order_id, c.line_no, r.report_id, r.source, r.as_of
     from report r join credit_claim c on c.holder_id = r.owner_id and c.ended_at is null)
   , ${endOpen}`,
);
// Where a group's amounts are its reports' and those of the accounts below: an order is shown by the report of its own account, whoever's limit it takes from.
export const endShownOfOwn = sql<ShownRow>(
  'credit_end_shown_of_own',
  `${reports}, open_claim as (
   select c.order_id, c.line_no, u.report_id, u.source, u.as_of
     from (with recursive up as (
             select r.report_id, r.owner_id, r.source, r.as_of, r.owner_id as holder_id, 0 as depth from report r
             union all
             select u.report_id, u.owner_id, u.source, u.as_of, coalesce(a.merged_into, a.parent_id), u.depth + 1
               from up u join account a on a.account_id = u.holder_id
              where u.depth < 9 and coalesce(a.merged_into, a.parent_id) is not null)
           select distinct report_id, owner_id, source, as_of, holder_id from up) u
     join credit_claim c on c.holder_id = u.holder_id and c.account_id = u.owner_id and c.ended_at is null)
   , ${endOpen}`,
);

// Of channels that check no more: nobody asks for them, and nobody counts them down.
export const endUnchecked = sql<{ order_id: number }>(
  'credit_end_unchecked',
  `with held as (
     select c.order_id, c.line_no from credit_claim c join sales_order o using (order_id)
      where c.ended_at is null and o.channel_id <> all($1::int[])
      order by c.order_id, c.line_no for update of c)
   update credit_claim c set ended_at = crossdock_now(), ended_by = 'order'
     from held where c.order_id = held.order_id and c.line_no = held.line_no
   returning c.order_id`,
);

export const readClaims = sql<{
  order_id: number;
  line_no: number;
  channel_id: number;
  external_no: string;
  amount_minor: number;
  basis: string;
  over_by_minor: number;
  recorded_at: Date;
}>(
  'credit_read_claims',
  `select c.order_id, c.line_no, o.channel_id, o.external_no, c.amount_minor, c.basis, c.over_by_minor, c.recorded_at
     from credit_claim c join sales_order o using (order_id)
    where c.holder_id in (select $1::bigint union all select account_id from account where merged_into = $1::bigint)
      and c.ended_at is null
    order by c.order_id, c.line_no limit $2::int`,
);

export const readAges = sql<{ account_id: number; age_ms: number }>(
  'credit_read_ages',
  `select account_id, greatest(0, extract(epoch from crossdock_now() - as_of) * 1000)::bigint as age_ms
     from account_credit where account_id = any($1::bigint[]) and as_of is not null`,
);

export const readCompanies = sql<{ account_id: number; company_id: number }>(
  'credit_read_companies',
  'select account_id, company_id from account where account_id = any($1::bigint[])',
);
