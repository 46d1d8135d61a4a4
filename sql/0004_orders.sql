-- Orders: one row per order and per line; the machine is declared in src/orders/machine.ts.
create sequence order_id_seq increment by 200;
create table sales_order (
  order_id    bigint primary key,
  company_id  int not null,
  channel_id  int not null,
  account_id  bigint not null,
  external_no text collate "C" not null,
  state       text collate "C" not null,
  version     bigint not null,
  currency    text collate "C" not null,
  total_minor bigint not null,
  ordered_at  timestamptz not null,
  erp_number  text collate "C",
  -- How far the whole order has come, so that an event on one line need not read the others.
  units          bigint not null,
  units_open     bigint not null,                     -- neither cancelled nor refused
  units_refused  bigint not null,
  units_shipped  bigint not null default 0,
  units_invoiced bigint not null default 0,
  is_released    boolean not null default false,
  recorded_at timestamptz not null default crossdock_now(),
  unique (channel_id, external_no)
) with (fillfactor = 70);
create index on sales_order (account_id);
create index on sales_order (recorded_at);

-- quantity = allocated + backordered + picked + cancelled + refused, always.
create table order_line (
  order_id    bigint not null,
  line_no     int not null,
  sku_id      bigint not null,
  quantity    bigint not null,
  unit_price  numeric not null,
  amount_minor bigint not null,
  within      bigint not null default 0,              -- units the channel sold within its number before we heard of it
  within_short bigint not null default 0,             -- of these, units that could not be allocated: oversell, must stay 0
  allocated   bigint not null default 0,
  backordered bigint not null default 0,
  refused     bigint not null default 0,
  picked      bigint not null default 0,
  shipped     bigint not null default 0,
  invoiced    bigint not null default 0,
  cancel_asked bigint not null default 0,             -- asked of the WMS, not answered yet; still part of allocated
  cancelled   bigint not null default 0,
  return_expected bigint not null default 0,
  returned    bigint not null default 0,
  shipped_minor bigint not null default 0,
  invoiced_minor bigint not null default 0,
  cancelled_minor bigint not null default 0,
  returned_minor bigint not null default 0,
  credited_minor bigint not null default 0,
  changed_version bigint not null default 1,          -- the order's version at which something last changed that others are told of
  primary key (order_id, line_no),
  check (quantity = allocated + backordered + picked + cancelled + refused)
) with (fillfactor = 60);
create index on order_line (sku_id, order_id) where backordered > 0;

create sequence allocation_id_seq increment by 1000;
create table allocation (
  order_id      bigint not null,
  allocation_id bigint not null,
  line_no       int not null,
  sku_id        bigint not null,
  location_id   int not null,
  quantity      bigint not null check (quantity > 0),
  open_quantity bigint not null check (open_quantity >= 0),
  fulfilment_id bigint not null,                      -- what it will leave with; requested once the ERP knows the order
  primary key (order_id, line_no, allocation_id)
) with (fillfactor = 70);

create sequence fulfilment_id_seq increment by 200;
create table fulfilment (
  order_id      bigint not null,
  fulfilment_id bigint not null,
  location_id   int not null,
  state         text collate "C" not null,            -- requested | released
  recorded_at   timestamptz not null default crossdock_now(),
  primary key (order_id, fulfilment_id)
) with (fillfactor = 70);
create unique index on fulfilment (fulfilment_id);

create sequence return_id_seq increment by 200;
create table return_authorisation (
  order_id    bigint not null,
  return_id   bigint not null,
  reference   text collate "C" not null,
  location_id int not null,
  lines       json not null,                          -- [{lineNo, quantity}]
  state       text collate "C" not null,              -- expected | received
  recorded_at timestamptz not null default crossdock_now(),
  primary key (order_id, return_id)
);
create unique index on return_authorisation (return_id);

create table shipment (
  shipment_no   text collate "C" primary key,
  order_id      bigint not null,
  fulfilment_id bigint not null,
  tracking      text,
  lines         json not null,
  shipped_at    timestamptz not null,
  recorded_at   timestamptz not null default crossdock_now()
);
create index on shipment (order_id);
create table invoice (
  invoice_no  text collate "C" not null,
  kind        text collate "C" not null,              -- invoice | credit_note
  order_id    bigint not null,
  currency    text collate "C" not null,
  total_minor bigint not null,
  lines       json not null,
  posted_at   timestamptz not null,
  recorded_at timestamptz not null default crossdock_now(),
  primary key (kind, invoice_no)
);
create index on invoice (order_id);
