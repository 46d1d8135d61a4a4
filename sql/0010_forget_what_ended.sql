-- Tables that grow and whose rows are changed, or are unique for ever while they matter, can't be dropped by month: what of them has
-- ended goes row by row. Since when a kind is surely there, kept_since says, as for partitions.
create table expiring_table (
  table_name     text collate "C" primary key,
  retention_days int not null check (retention_days > 0),
  kept_since     timestamptz
);
insert into expiring_table (table_name, retention_days) values
  ('delivery', 730), ('parked_record', 90), ('publication', 730), ('reservation', 90), ('shortage', 730);

-- When it ended, so that one that was open for years is still there for a while. Those that ended before count from their beginning.
alter table shortage add column ended_at timestamptz;

-- Lateness is counted by minute and needed for weeks: it goes by month. Its minute is its recorded_at, and lies in its key.
alter table freshness rename to freshness_before;
alter table freshness_before rename constraint freshness_pkey to freshness_before_pkey;
create table freshness (
  flow        text collate "C" not null,
  recorded_at timestamptz not null,                   -- the minute
  le_ms       int not null,
  count       bigint not null,
  sum_ms      bigint not null,
  max_ms      bigint not null,
  primary key (flow, recorded_at, le_ms)
) partition by range (recorded_at);
create table freshness_default partition of freshness default;
insert into partitioned_table (table_name, retention_days) values ('freshness', 30);
select crossdock_ensure_partitions(crossdock_now(), 2);
insert into freshness (flow, recorded_at, le_ms, count, sum_ms, max_ms)
select flow, minute, le_ms, count, sum_ms, max_ms from freshness_before;
drop table freshness_before;
