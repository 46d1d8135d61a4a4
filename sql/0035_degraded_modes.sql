-- Since when a system answers nothing, by the database's clock; whoever hears of it, in whatever process, writes it here.
create table system_contact (
  system        text collate "C" primary key,
  failing_since timestamptz,                          -- null: it answers
  last_error    text,
  recorded_at   timestamptz not null default crossdock_now()
);

-- What holds while a system is away, by declaration: entered and left by what was measured, or by a drill for so long.
create table degraded_mode (
  mode_id     bigint generated always as identity primary key,
  domain      text collate "C" not null check (domain in ('erp', 'wms', 'crm')),
  system      text collate "C" not null,
  cause       text collate "C" not null check (cause in ('away', 'drill')),
  detail      text not null,
  entered_by  text,                                   -- a drill's
  version     bigint not null default 1,
  ends_at     timestamptz,                            -- a drill ends by itself, whoever began it
  told_at     timestamptz not null default crossdock_now(),
  recorded_at timestamptz not null default crossdock_now(),
  left_at     timestamptz,
  check ((cause = 'drill') = (ends_at is not null))
);
create unique index on degraded_mode (domain) where left_at is null;

-- Orders that were accepted while the ERP was away; looked at again with fresh credit once it is back.
create table degraded_order (
  order_id      bigint primary key,
  mode_id       bigint not null,
  is_held       boolean not null,
  recorded_at   timestamptz not null default crossdock_now(),
  checked_at    timestamptz,
  over_by_minor bigint                                -- of its account by then; null: its credit is not known
);
create index on degraded_order (mode_id) where checked_at is null;
