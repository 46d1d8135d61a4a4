-- From where and when orders are served, and what of it they were promised.

-- What a location declares of it: calendar and its rule, position, cost, receiving days; null: nothing.
alter table location add column settings json;

-- What few orders say of from where and when they are to be served.
alter table sales_order
  add column ship_complete boolean not null default false, -- nothing of it leaves before all of it is there
  add column requested_at  timestamptz,                     -- it is not promised before
  add column ship_to       json;                            -- {latitude, longitude}: distances are measured to it

-- What of a line was promised when, from where and why; of channels that declare calendars or sourcing. Guarded by the lock of the order.
create table promise (
  order_id      bigint not null,
  line_no       int not null,
  order_version bigint not null,                      -- of the order, when it was promised
  part          int not null,
  quantity      bigint not null check (quantity > 0),
  promised_at   timestamptz,                          -- when it leaves; null: nobody knows
  location_id   int,
  supply_id     bigint,                               -- what is still to come
  due_at        timestamptz,                          -- of that, as announced when this was promised
  channel_id    int not null,
  account_id    bigint not null,
  reason        text collate "C" not null,            -- stock | supply | no_supply | held | no_calendar | ship_complete
  cause         text collate "C" not null,            -- what it was promised upon: accepted | served | cancelled | supply_changed …
  rule_version  text collate "C" not null,
  replaced_version bigint,                            -- the order's version since which something else is promised; null: it holds
  recorded_at   timestamptz not null default crossdock_now(),
  primary key (order_id, line_no, order_version, part)
) with (fillfactor = 80);
create index on promise (supply_id) where replaced_version is null and supply_id is not null;
insert into expiring_table (table_name, retention_days) values ('promise', 730);

-- Whether something of a SKU is free where a line may still be served from: its order and it itself have as many places as they may, or one of
-- these is it. null: any number. Stable, so that it sees the same moment as the statement that asks.
create function may_split(p_order_id bigint, p_line_no int, p_sku_id bigint, p_location_ids int[], p_order_max int, p_line_max int) returns boolean
language sql stable
as $$
  select exists (
    select from stock_balance b
     where b.sku_id = p_sku_id and b.location_id = any(p_location_ids)
       and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted > 0
       and (p_order_max is null or exists (select from allocation a where a.order_id = p_order_id and a.location_id = b.location_id)
            or (select count(distinct a.location_id) from allocation a where a.order_id = p_order_id) < p_order_max)
       and (p_line_max is null
            or exists (select from allocation a where a.order_id = p_order_id and a.line_no = p_line_no and a.location_id = b.location_id)
            or (select count(distinct a.location_id) from allocation a where a.order_id = p_order_id and a.line_no = p_line_no) < p_line_max))
$$;
