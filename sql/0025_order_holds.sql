-- Why an order may not go on: each with a reason, an owner, a time by which somebody should have looked, and who released it and why.
create sequence order_hold_id_seq increment by 200;
create table order_hold (
  order_id    bigint not null,
  hold_id     bigint not null,
  channel_id  int not null,
  kind        text collate "C" not null,               -- credit | price | account | quantity | manual | degraded
  reason      text collate "C" not null,               -- a code, from the rule that held it
  detail      text not null,
  owner       text not null,
  due_at      timestamptz,
  state       text collate "C" not null,               -- open | released
  held_by     text,                                    -- a person; null: a rule
  released_by text,
  release_reason text,
  recorded_at timestamptz not null default crossdock_now(),
  ended_at    timestamptz,
  primary key (order_id, hold_id),
  check ((state = 'released') = (released_by is not null))
);
create unique index on order_hold (hold_id);
create index on order_hold (hold_id) where state = 'open';
create index on order_hold (due_at) where state = 'open';

-- holds: open ones. is_told: the ERP is told of it, or may be at once; is_handed: the WMS was asked for what is allocated.
alter table sales_order
  add column holds     int not null default 0,
  add column is_told   boolean not null default true,
  add column is_handed boolean not null default false;
update sales_order set is_told = false where units_held > 0;
update sales_order o set is_handed = true where exists (select from fulfilment f where f.order_id = o.order_id);

-- As before, but for orders that are on hold.
create or replace function kept_backorders() returns table (order_id bigint, line_no int, sku_id bigint, location_id int, channel_id int)
language sql stable
as $$
  select d.order_id, d.line_no, d.sku_id, d.location_id, d.channel_id
    from outside_line() d
    join order_line l on l.order_id = d.order_id and l.line_no = d.line_no and l.sku_id = d.sku_id
    join sales_order o on o.order_id = d.order_id
    join stock_balance b on b.sku_id = d.sku_id and b.location_id = d.location_id
   where d.deducted > 0 and l.backordered > l.held and o.holds = 0
     and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted + d.deducted > 0
$$;

-- Rules of the estate that are no channel's, location's or system's own, as last declared: commands apply them without the estate file.
create table declared_rule (
  name     text collate "C" primary key,
  settings json not null
);
