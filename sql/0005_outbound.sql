-- Outbound: what each destination must hold (publications) and receive (deliveries).
create table destination (
  destination_id int generated always as identity primary key,
  code           text collate "C" not null unique,
  paused         boolean not null default false
);

-- state: n = new, s = sending (committed before the first byte), d = in doubt, c = confirmed, r = refused, p = parked, x = cancelled
-- is_open and needs_person stand in the predicates of the partial indexes instead of state: an update that changes neither, such
-- as from new to sending, stays on its page and touches no index.
create table delivery (
  delivery_id    bigint generated always as identity primary key,
  destination_id int not null,
  bucket         smallint not null,
  key            bigint not null,                     -- in order per key
  kind           text collate "C" not null,
  reference      text collate "C" not null,           -- the locator: what the destination can be asked for
  fact_position  bigint not null,
  order_id       bigint,
  state          "char" not null default 'n',
  attempts       int not null default 0,
  lease_epoch    bigint not null default 0,
  next_at        timestamptz not null default crossdock_now(),
  sent_at        timestamptz,
  ended_at       timestamptz,
  error          text,
  resolution     text,                                -- why a person gave it up
  payload        json not null,
  answer         json,
  recorded_at    timestamptz not null default crossdock_now(),
  is_open        boolean not null generated always as (state in ('n', 's', 'd', 'p')) stored,
  needs_person   boolean not null generated always as (state in ('p', 'r')) stored,
  unique (destination_id, kind, reference)
) with (fillfactor = 60);
create index on delivery (destination_id, delivery_id) where is_open;
-- In order per key: is there an earlier one that has not ended?
create index on delivery (destination_id, key, delivery_id) where is_open;
create index on delivery (destination_id, delivery_id) where needs_person;
create index on delivery (order_id);

-- Dirty means version > confirmed_version. key: a sku_id or an order_id by kind.
create table publication (
  destination_id    int not null,
  kind              text collate "C" not null,        -- availability | price | order_status
  key               bigint not null,
  bucket            smallint not null,
  version           bigint not null default 1,
  confirmed_version bigint not null default 0,
  sending_version   bigint,
  state             "char" not null default 'n',      -- n | s | d | p as above; 'n' and not dirty is at rest; x = given up until it changes
  attempts          int not null default 0,
  lease_epoch       bigint not null default 0,
  changed_at        timestamptz not null default crossdock_now(),
  sent_at           timestamptz,
  confirmed_at      timestamptz,
  next_at           timestamptz not null default crossdock_now(),
  error             text,
  resolution        text,
  -- In the predicate instead of what it is made of: most changes of a row change neither it nor when it is due.
  is_dirty          boolean not null generated always as (version > confirmed_version and state not in ('p', 'x')) stored,
  primary key (destination_id, kind, key)
) with (fillfactor = 50);
create index on publication (destination_id, kind, next_at) where is_dirty;

-- Lateness per flow, one row a minute and bucket: the histogram that freshness is read from.
create table freshness (
  flow        text collate "C" not null,
  minute      timestamptz not null,
  le_ms       int not null,
  count       bigint not null,
  sum_ms      bigint not null,
  max_ms      bigint not null,
  primary key (flow, minute, le_ms)
) with (fillfactor = 50);

select crossdock_ensure_partitions(crossdock_now(), 2);
