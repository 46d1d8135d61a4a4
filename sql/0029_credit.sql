-- What an account owes and may owe, as its ERP said it last. Its row is what accepted orders of the account are guarded by: exposure
-- grows only under its lock. One that was never reported is there to be locked and says nothing.
create table account_credit (
  account_id          bigint primary key,
  currency            text collate "C" not null,
  limit_minor         bigint check (limit_minor >= 0),  -- null: none of its own
  open_orders_minor   bigint not null default 0,
  open_invoices_minor bigint not null default 0,        -- below 0: paid ahead
  as_of               timestamptz,                      -- the source's time; null: never reported
  source              text collate "C" not null default '',
  version             bigint not null default 0,
  recorded_at         timestamptz not null default crossdock_now()
) with (fillfactor = 80);

-- What the hub accepted and no report contains yet, by order. It grows under the holder's row of account_credit and falls under the
-- order's alone: what was cancelled, and all of it when a report shows that very order.
create table credit_claim (
  order_id      bigint primary key,
  holder_id     bigint not null,                        -- whose limit: the account, or the nearest one above it that has any
  account_id    bigint not null,
  amount_minor  bigint not null check (amount_minor >= 0),  -- what counts now; as it was when it ended
  taken_minor   bigint not null check (taken_minor > 0),
  basis         text collate "C" not null check (basis in ('live', 'cached')),
  over_by_minor bigint not null default 0 check (over_by_minor >= 0),  -- a person let it go beyond the limit
  recorded_at   timestamptz not null default crossdock_now(),
  ended_at      timestamptz,
  ended_by      text collate "C" check (ended_by in ('report', 'order')),
  check ((ended_at is null) = (ended_by is null)),
  check (amount_minor > 0 or ended_by = 'order')
) with (fillfactor = 80);
create index on credit_claim (holder_id) include (amount_minor, basis) where ended_at is null;
create index on credit_claim (ended_at) where ended_at is not null;
insert into expiring_table (table_name, retention_days) values ('credit_claim', 730);
