-- The ledger. Every writer locks the stock_balance rows it needs, ordered by (sku_id, location_id), before it reads or
-- writes anything else here; that lock also guards reservation sums, exposure and channel_number of the same SKU.
-- No foreign keys: they would take share locks on hot rows.
create table stock_balance (
  sku_id       bigint not null,
  location_id  int not null,
  on_hand      bigint not null default 0,
  reserved     bigint not null default 0,
  allocated    bigint not null default 0,
  exposed      bigint not null default 0,             -- sum of exposure: what self-selling channels may still believe
  safety_stock bigint not null default 0,
  version      bigint not null default 0,             -- stream version of stock/<sku>@<location>
  counted_at   timestamptz,                           -- watermark: movements that happened before it no longer count
  counted_source text collate "C",
  counted_sequence bigint,                            -- the same source's own sequence beats its clock
  primary key (sku_id, location_id)
) with (fillfactor = 50);

create sequence movement_id_seq increment by 1000;
create table stock_movement (
  movement_id  bigint not null,
  sku_id       bigint not null,
  location_id  int not null,
  kind         text collate "C" not null,             -- received | picked | adjusted | counted | returned
  quantity     bigint not null,                       -- as the source said it, signed
  effect       bigint not null,                       -- what it did to on hand: 0 when a later count already knew of it
  balance_version bigint not null,
  order_id     bigint,
  source       text collate "C" not null,
  source_id    text collate "C" not null,
  source_sequence bigint,
  occurred_at  timestamptz not null,
  recorded_at  timestamptz not null default crossdock_now()
) partition by range (recorded_at);
create table stock_movement_default partition of stock_movement default;
create index on stock_movement (sku_id, location_id, occurred_at);
insert into partitioned_table values ('stock_movement', 730);

-- Closing balances of dropped partitions, so that I1 can be read for ever.
create table stock_closing (
  sku_id bigint not null, location_id int not null, on_hand bigint not null, closed_before timestamptz not null,
  primary key (sku_id, location_id)
);

create sequence reservation_id_seq increment by 1000;
create table reservation (
  reservation_id bigint not null,
  location_id  int not null,
  sku_id       bigint not null,
  channel_id   int not null,
  quantity     bigint not null check (quantity > 0),
  open_quantity bigint not null check (open_quantity >= 0),
  state        text collate "C" not null,             -- open | claimed | released | expired
  purpose      text collate "C" not null default 'order',
  expires_at   timestamptz not null,
  recorded_at  timestamptz not null default crossdock_now(),
  primary key (reservation_id, location_id)
) with (fillfactor = 80);
create index on reservation (expires_at) where state = 'open';

-- What a channel that sells by itself may still believe, set aside per location.
create table exposure (
  channel_id  int not null,
  sku_id      bigint not null,
  location_id int not null,
  quantity    bigint not null check (quantity >= 0),
  primary key (channel_id, sku_id, location_id)
) with (fillfactor = 50);

-- The channel's number as we know it. shown: last read or confirmed, less sales read since; sending: on its way, committed
-- before the first byte; read_back: what the channel said when asked, at read_back_at; once its orders up to then are read,
-- what it may no longer believe is freed. read_back_at without read_back: it is to be read once more.
create table channel_number (
  channel_id   int not null,
  sku_id       bigint not null,
  shown        bigint,
  sending      bigint,
  read_back    bigint,
  read_back_at timestamptz,
  sold_since   bigint not null default 0,             -- units read as sold since `sending` was committed (on_hand), or while
                                                      -- `read_back_at` is set (net_available): is `shown` before or after them?
  primary key (channel_id, sku_id)
) with (fillfactor = 50);
create index on channel_number (channel_id, read_back_at) where read_back is not null;

-- Dated supply, and what of it is promised; never mixed into reserved or allocated. Under one id its source may announce several
-- SKUs and locations; each is a supply of its own. Guarded, with its commitments, by the lock of the balance of (sku_id, location_id).
create table supply (
  supply_id    bigint generated always as identity primary key,
  sku_id       bigint not null,
  location_id  int not null,
  source       text collate "C" not null,
  source_id    text collate "C" not null,
  quantity     bigint not null default 0 check (quantity >= 0), -- as last announced, with what came already; 0: withdrawn
  received     bigint not null default 0,             -- by receipts that name it, also before it was announced
  due_at       timestamptz,
  announced_at timestamptz,                           -- null: only received against so far
  version      bigint not null default 0,             -- stream version of supply/<id>
  unique (source, source_id, sku_id, location_id),
  check (quantity = 0 or due_at is not null)
);
create index on supply (sku_id, location_id);
-- Backordered units of asking channels that a supply is promised to. Never more than is still to come of it, or than the line waits for.
create table supply_commitment (
  supply_id bigint not null, order_id bigint not null, line_no int not null, quantity bigint not null check (quantity > 0),
  primary key (supply_id, order_id, line_no)
);
create index on supply_commitment (order_id, line_no);

-- A shortage is an exception with an owner: goods that were promised and are not there any more.
create table shortage (
  shortage_id bigint generated always as identity primary key,
  sku_id bigint not null, location_id int not null, quantity bigint not null,
  cause text not null, owner text not null default 'operations', state text collate "C" not null default 'open', -- open | ended
  recorded_at timestamptz not null default crossdock_now()
);
create index on shortage (state, sku_id);
