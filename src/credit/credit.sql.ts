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

// Read after the holders are locked: nothing is added meanwhile. What an account that was merged into another has, the other has.
export const sumClaims = sql<{ holder_id: number; orders: number; claimed_minor: number; cached_minor: number }>(
  'credit_sum_claims',
  `select h.holder_id, count(*) as orders, sum(c.amount_minor)::bigint as claimed_minor,
          coalesce(sum(c.amount_minor) filter (where c.basis = 'cached'), 0)::bigint as cached_minor
     from (select account_id, account_id as holder_id from unnest($1::bigint[]) as t(account_id)
           union all
           select account_id, merged_into from account where merged_into = any($1::bigint[])) h
     join credit_claim c on c.holder_id = h.account_id and c.ended_at is null
    group by h.holder_id`,
);

export const insertClaims = sql(
  'credit_insert_claims',
  `insert into credit_claim (order_id, holder_id, account_id, amount_minor, taken_minor, basis, over_by_minor)
   select order_id, holder_id, account_id, amount_minor, amount_minor, basis, over_by_minor
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[])
          as t(order_id, holder_id, account_id, amount_minor, basis, over_by_minor)`,
);

// The caller holds the locks of the orders. Locked in their order all the same: a report ends claims without those.
export const changeClaims = sql(
  'credit_change_claims',
  `with held as (
     select c.order_id, c.amount_minor + t.change as amount_minor
       from unnest($1::bigint[], $2::bigint[]) as t(order_id, change)
       join credit_claim c on c.order_id = t.order_id and c.ended_at is null
      order by c.order_id for update of c)
   update credit_claim c
      set amount_minor = greatest(0, held.amount_minor),
          ended_at = case when held.amount_minor <= 0 then crossdock_now() end,
          ended_by = case when held.amount_minor <= 0 then 'order' end
     from held where c.order_id = held.order_id`,
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

// Contained: an order that the report lists, and one of which the same source had posted an invoice by then: it can't have lacked it.
export const endShown = sql<{ order_id: number; account_id: number; amount_minor: number }>(
  'credit_end_shown',
  `with report as (
     select t.account_id as report_id, t.source, t.as_of, h.holder_id
       from unnest($1::bigint[], $2::text[], $3::timestamptz[]) as t(account_id, source, as_of)
      cross join lateral (select t.account_id as holder_id
                          union all
                          select a.account_id from account a where a.merged_into = t.account_id) h
   ), shown as (
     select c.order_id, r.report_id
       from report r
       join credit_claim c on c.holder_id = r.holder_id and c.ended_at is null
       join sales_order o on o.order_id = c.order_id
      where (r.report_id, o.channel_id, o.external_no) in
              (select account_id, channel_id, external_no
                 from unnest($4::bigint[], $5::int[], $6::text[]) as l(account_id, channel_id, external_no))
         or exists (select 1 from invoice i
                     where i.order_id = c.order_id and i.kind = 'invoice' and i.source = r.source and i.posted_at <= r.as_of)
   ), held as (
     select c.order_id, s.report_id from shown s join credit_claim c on c.order_id = s.order_id and c.ended_at is null
      order by c.order_id for update of c)
   update credit_claim c set ended_at = crossdock_now(), ended_by = 'report'
     from held where c.order_id = held.order_id
   returning c.order_id, held.report_id as account_id, c.amount_minor`,
);

// Of channels that check no more: nobody asks for them, and nobody counts them down.
export const endUnchecked = sql<{ order_id: number }>(
  'credit_end_unchecked',
  `with held as (
     select c.order_id from credit_claim c join sales_order o using (order_id)
      where c.ended_at is null and o.channel_id <> all($1::int[])
      order by c.order_id for update of c)
   update credit_claim c set ended_at = crossdock_now(), ended_by = 'order'
     from held where c.order_id = held.order_id
   returning c.order_id`,
);

export const readClaims = sql<{
  order_id: number;
  channel_id: number;
  external_no: string;
  amount_minor: number;
  basis: string;
  over_by_minor: number;
  recorded_at: Date;
}>(
  'credit_read_claims',
  `select c.order_id, o.channel_id, o.external_no, c.amount_minor, c.basis, c.over_by_minor, c.recorded_at
     from credit_claim c join sales_order o using (order_id)
    where c.holder_id in (select $1::bigint union all select account_id from account where merged_into = $1::bigint)
      and c.ended_at is null
    order by c.order_id limit $2::int`,
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
