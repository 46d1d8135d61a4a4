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

-- What may still be promised of a SKU's dated supply: what is to come to these places within so many days and is promised to nobody,
-- less the units that wait without a promise of their own: they came first and will be served first. What is late counts until it is
-- received or withdrawn. Stable, so that it sees the same moment as the statement that asks.
create function dated_supply(p_sku_id bigint, p_location_ids int[], p_days int) returns bigint
language sql stable
as $$
  select case when p_days <= 0 then 0 else greatest(0,
    coalesce((select sum(greatest(0, s.quantity - s.received) - coalesce(c.committed, 0))
                from supply s
                left join lateral (select sum(quantity) as committed from supply_commitment where supply_id = s.supply_id) c on true
               where s.sku_id = p_sku_id and s.location_id = any(p_location_ids) and s.quantity > s.received
                 and s.due_at <= crossdock_now() + make_interval(days => p_days)), 0)
    - greatest(0, coalesce((select sum(backordered) from order_line where sku_id = p_sku_id and backordered > 0), 0)
                - coalesce((select sum(c.quantity) from supply s join supply_commitment c using (supply_id)
                             where s.sku_id = p_sku_id), 0))) end::bigint
$$;

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
