-- The log, what arrived, and the small tables that hold work together.

-- One clock for expiry, leases and freshness: the database's. Tests shift it per session or per database with
-- `set crossdock.clock_shift = '1 hour'`; production leaves it unset.
create function crossdock_now() returns timestamptz
language sql volatile parallel safe
as $$ select clock_timestamp() + coalesce(nullif(current_setting('crossdock.clock_shift', true), ''), '0')::interval $$;

-- Parents partitioned by recorded_at. A row written while its month has no partition yet goes to the default one,
-- so that a late maintenance run never refuses work.
create table partitioned_table (
  table_name     text collate "C" primary key,
  retention_days int not null check (retention_days > 0)
);

create function crossdock_ensure_partitions(p_from timestamptz, p_months int) returns int
language plpgsql
as $$
declare
  parent text;
  month_start timestamptz;
  part text;
  made int := 0;
begin
  perform pg_advisory_xact_lock(7302001);
  for parent in select table_name from partitioned_table order by table_name loop
    for i in 0 .. p_months loop
      month_start := date_trunc('month', p_from at time zone 'UTC') at time zone 'UTC' + make_interval(months => i);
      part := parent || '_p' || to_char(month_start at time zone 'UTC', 'YYYYMM');
      if to_regclass(part) is null then
        execute format('create table %I partition of %I for values from (%L) to (%L)',
          part, parent, month_start, month_start + interval '1 month');
        made := made + 1;
      end if;
    end loop;
  end loop;
  return made;
end
$$;

-- A message as it came, byte for byte: one row per webhook call, polled page, API body or file chunk.
create sequence raw_id_seq increment by 500;
create table raw_record (
  raw_id       bigint not null,
  system       text collate "C" not null,
  source       text collate "C" not null,            -- webhook | poll | api | file
  content_type text collate "C" not null,
  items        int not null,
  body         bytea not null,
  recorded_at  timestamptz not null default crossdock_now()
) partition by range (recorded_at);
create table raw_record_default partition of raw_record default;
create index on raw_record (raw_id);
insert into partitioned_table values ('raw_record', 90);

-- Business keys, unique for ever and never dropped. One row is also the state of the message item that brought it (I5).
-- state: a = applied, w = waiting, p = parked, s = superseded
create table inbound (
  scope       text collate "C" not null,
  key         text collate "C" not null,
  state       "char" not null,
  fingerprint text collate "C" not null,
  subject     bigint,                                 -- what it became: an order, a reservation
  raw_id      bigint not null,
  item_no     int not null,
  repeats     int not null default 0,
  recorded_at timestamptz not null default crossdock_now(),
  primary key (scope, key)
) with (fillfactor = 95);
create index on inbound (scope) where state in ('w', 'p');

-- What was set aside, with class, reason and place; wait_key names the thing whose arrival lets it run by itself.
create table parked_record (
  parked_id    bigint generated always as identity primary key,
  scope        text collate "C" not null,
  key          text collate "C" not null,
  system       text collate "C" not null,
  class        text collate "C" not null,
  reason       text not null,
  place        text,
  wait_key     text collate "C",
  item         json not null,
  raw_id       bigint not null,
  item_no      int not null,
  state        text collate "C" not null default 'open' check (state in ('open', 'replayed', 'resolved')),
  attempts     int not null default 0,
  resolution   text,
  recorded_at  timestamptz not null default crossdock_now(),
  ended_at     timestamptz
);
create index on parked_record (wait_key) where state = 'open' and wait_key is not null;
create index on parked_record (class) where state = 'open';
create index on parked_record (scope, key);

-- Facts: appended, never edited. Readers follow (transaction_id, position) below the snapshot's xmin; within a stream the
-- order is stream_version, which is assigned under the row lock of the thing the stream is about.
create table fact (
  position       bigint generated always as identity,
  transaction_id xid8 not null default pg_current_xact_id(),
  type           text collate "C" not null,
  stream         text collate "C" not null,
  stream_version bigint not null,
  company_id     int not null,
  occurred_at    timestamptz not null,
  recorded_at    timestamptz not null default crossdock_now(),
  correlation_id text collate "C",
  causation_id   text collate "C",
  data           json not null
) partition by range (recorded_at);
create table fact_default partition of fact default;
create index on fact (transaction_id, position);
create index on fact (stream, stream_version);
insert into partitioned_table values ('fact', 730);

-- In another cluster transaction ids start again, so they order facts within an epoch only. A fact's position is an identity that
-- a dump brings along, and says which epoch it belongs to: the last one that begins after a smaller position.
create table log_epoch (
  epoch          int primary key,
  after_position bigint not null,
  started_at     timestamptz not null default crossdock_now()
);
insert into log_epoch (epoch, after_position) values (1, 0);

-- Who has read how far. A cursor of an older epoch reads that to its end and then begins the next.
create table log_cursor (
  consumer       text collate "C" not null,
  shard          int not null default 0,
  epoch          int not null default 1,
  transaction_id xid8 not null default '0',
  position       bigint not null default 0,
  updated_at     timestamptz not null default crossdock_now(),
  primary key (consumer, shard)
);

-- Each consumer's place with the positions between which its epoch's facts lie.
create view log_place as
select c.consumer, c.shard, c.epoch, c.transaction_id, c.position, e.after_position,
       coalesce((select min(n.after_position) from log_epoch n where n.epoch > c.epoch), 9223372036854775807) as until_position
  from log_cursor c join log_epoch e using (epoch);

-- Facts that a consumer has not read; one without a cursor has read none.
create function crossdock_unread(p_consumer text) returns setof fact
language sql stable
as $$
  with place as (
    select transaction_id, position, after_position, until_position from log_place where consumer = p_consumer and shard = 0
    union all
    select '0', 0, 0, 9223372036854775807 where not exists (select from log_cursor where consumer = p_consumer and shard = 0))
  select f.* from place p join fact f
      on (f.transaction_id, f.position) > (p.transaction_id, p.position) and f.position > p.after_position and f.position <= p.until_position
  union all
  select f.* from place p join fact f on f.position > p.until_position where p.until_position < 9223372036854775807
$$;

-- Where we are in each system's feed. drained_at: the database's time at which the last poll that reached the end began;
-- everything the system had recorded before that moment is in the ledger.
create table feed_cursor (
  system     text collate "C" not null,
  feed       text collate "C" not null,
  cursor     text collate "C" not null default '',
  drained_at timestamptz,
  updated_at timestamptz not null default crossdock_now(),
  primary key (system, feed)
);

-- Work is held by leases; epoch is the fencing token and only ever grows.
create table lease (
  name       text collate "C" primary key,
  holder     text collate "C" not null,
  epoch      bigint not null default 1,
  expires_at timestamptz not null
);

-- API keys: only the hash is kept.
create table api_key (
  key_id     text collate "C" primary key,
  key_hash   bytea not null unique,
  name       text not null,
  scopes     text[] not null,
  channel    text collate "C",
  created_at timestamptz not null default crossdock_now(),
  revoked_at timestamptz
);
