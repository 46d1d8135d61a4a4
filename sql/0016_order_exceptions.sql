-- What an order can't have as it was ordered, by line: what a shop sold by itself beyond its number is the first kind. Each is
-- raised and resolved by facts of its order; this is how it stands.
create sequence exception_id_seq increment by 200;
create table order_exception (
  order_id     bigint not null,
  exception_id bigint not null,
  line_no      int not null,
  sku_id       bigint not null,                       -- as ordered
  channel_id   int not null,
  kind         text collate "C" not null,             -- oversold
  policy       text collate "C" not null,             -- the rule it was decided by: backorder | cancel | substitute | hold
  units        bigint not null check (units > 0),
  held         bigint not null,                       -- wait for a person
  backordered  bigint not null,                       -- wait for stock, by the rule or by a person
  cancelled    bigint not null,
  substituted  bigint not null,
  state        text collate "C" not null,             -- open | resolved
  resolved_by  text,                                  -- a person, the channel, or null: the rule
  reason       text,
  recorded_at  timestamptz not null default crossdock_now(),
  ended_at     timestamptz,
  primary key (order_id, exception_id),
  check (units = held + backordered + cancelled + substituted and least(held, backordered, cancelled, substituted) >= 0),
  check ((state = 'open') = (held > 0))
) with (fillfactor = 80);
create unique index on order_exception (exception_id);
create index on order_exception (exception_id) where state = 'open';

-- Units that wait for a person are waiting units that no stock is given to. While an order has any, no other system is told to act on it.
alter table sales_order add column units_held bigint not null default 0;
alter table order_line
  add column held        bigint not null default 0,    -- part of backordered
  add column substituted bigint not null default 0,    -- part of refused: another line stands for them
  add column stands_for  int,                          -- the ordered line whose units this one delivers
  add check (held >= 0 and held <= backordered and substituted >= 0 and substituted <= refused);
create index on order_line (order_id, stands_for) where stands_for is not null;

-- What may be sent instead of a SKU, best first.
create table sku_substitute (
  sku_id        bigint not null,
  rank          int not null check (rank > 0),
  substitute_id bigint not null check (substitute_id <> sku_id),
  primary key (sku_id, rank),
  unique (sku_id, substitute_id)
);

-- As before, but for units that wait for a person.
create or replace function kept_backorders() returns table (order_id bigint, line_no int, sku_id bigint, location_id int, channel_id int)
language sql stable
as $$
  select d.order_id, d.line_no, d.sku_id, d.location_id, d.channel_id
    from outside_line() d
    join order_line l on l.order_id = d.order_id and l.line_no = d.line_no and l.sku_id = d.sku_id
    join stock_balance b on b.sku_id = d.sku_id and b.location_id = d.location_id
   where d.deducted > 0 and l.backordered > l.held
     and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted + d.deducted > 0
$$;
