-- Of a SKU, what a channel, its accounts of a region or one account may be promised at most, and what is kept for them, from when to when.
-- The quotas of a SKU are locked together, in the order of quota_id, after its balances.
create table quota (
  quota_id    bigint generated always as identity primary key,
  sku_id      bigint not null,
  channel_id  int not null,
  region      text collate "C",                       -- of the accounts; null: all of them
  account_id  bigint,                                 -- null: all of them; one lies in the region that it is in by then
  valid_from  timestamptz not null,
  valid_to    timestamptz not null check (valid_to > valid_from),
  ring_fenced bigint not null default 0 check (ring_fenced >= 0), -- promised to nobody else
  cap         bigint check (cap >= 0),                -- null: any number
  borrow      boolean not null default false,         -- may take what is kept beside it, where that lends, and above it
  lend        boolean not null default false,         -- those beside it may take what is kept for it
  used        bigint not null default 0 check (used >= 0), -- allocated and picked of the orders that it counts
  told        text collate "C" not null default 'to_come' check (told in ('to_come', 'running', 'ended')), -- what of its period the log knows
  recorded_at timestamptz not null default crossdock_now(),
  recorded_by text not null,
  check (region is null or account_id is null),
  check (cap is null or cap >= ring_fenced),
  unique nulls not distinct (sku_id, channel_id, region, account_id, valid_from)
) with (fillfactor = 80);
create index on quota (sku_id, valid_to);
create index on quota (valid_from) where told = 'to_come';
create index on quota (valid_to) where told <> 'ended';

-- Which lines a quota counts, and with how many units. What they hold of dated supply counts too, and stands in supply_commitment.
create table quota_use (
  order_id bigint not null,
  line_no  int not null,
  quota_id bigint not null references quota on delete cascade,
  units    bigint not null check (units >= 0),
  primary key (order_id, line_no, quota_id)
) with (fillfactor = 80);
create index on quota_use (quota_id);

-- Holds of SKUs with quotas count towards what their channel is kept and may have. The others stay out of this index.
alter table reservation add column is_counted boolean not null default false;
create index on reservation (sku_id) where state = 'open' and is_counted;
