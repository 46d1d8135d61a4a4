-- What other systems have allocated, each in its own name for it. A source's newest report of one (source_id, SKU, location) holds.
-- Guarded by the lock of the balance of (sku_id, location_id).
create table outside_allocation (
  source       text collate "C" not null,
  source_id    text collate "C" not null,
  sku_id       bigint not null,
  location_id  int not null,
  channel_id   int,                                   -- the line it is for, known to us or not; all three or none
  external_no  text collate "C",
  line_no      int,
  quantity     bigint not null check (quantity >= 0), -- as last reported; 0: ended
  open_quantity bigint not null check (open_quantity >= 0), -- less what was picked for that line after the report
  occurred_at  timestamptz not null,
  source_sequence bigint,
  earlier      json not null default '[]',            -- [[occurred_at, sequence, quantity]], newest first: what a net count knew of
  primary key (source, source_id, sku_id, location_id),
  check ((channel_id is null) = (external_no is null) and (channel_id is null) = (line_no is null)),
  check (open_quantity <= quantity)
) with (fillfactor = 70);
create index on outside_allocation (sku_id, location_id) where quantity > 0;
create index on outside_allocation (sku_id, location_id, occurred_at);

alter table stock_balance
  add column outside_open bigint not null default 0,      -- what other systems have allocated and nobody has picked
  add column outside_deducted bigint not null default 0;  -- of that, beyond our own open allocations of the same lines
-- Which line was picked, so that another system's report from before the pick is known to be less by as much.
alter table stock_movement add column line_no int;
-- Whether a system's counts leave out what it has allocated itself, as the last start declared.
alter table destination add column counts_net boolean not null default false;

-- Other systems' allocations against ours, per line and place. Two systems that name one line mean the same units: the larger holds.
-- What names no line is nobody's but theirs.
create function outside_line() returns table (
  sku_id bigint, location_id int, channel_id int, external_no text, line_no int, order_id bigint, theirs bigint, ours bigint, deducted bigint)
language sql stable
as $$
  select t.sku_id, t.location_id, t.channel_id, t.external_no, t.line_no, o.order_id, t.theirs, a.ours, greatest(0, t.theirs - a.ours)
    from (select s.sku_id, s.location_id, s.channel_id, s.external_no, s.line_no, max(s.open)::bigint as theirs
            from (select x.source, x.sku_id, x.location_id, x.channel_id, x.external_no, x.line_no, sum(x.open_quantity) as open
                    from outside_allocation x where x.quantity > 0 and x.open_quantity > 0 and x.line_no is not null
                   group by x.source, x.sku_id, x.location_id, x.channel_id, x.external_no, x.line_no) s
           group by s.sku_id, s.location_id, s.channel_id, s.external_no, s.line_no) t
    left join sales_order o on o.channel_id = t.channel_id and o.external_no = t.external_no
    left join lateral (select coalesce(sum(a.open_quantity), 0)::bigint as ours from allocation a
                        where a.order_id = o.order_id and a.line_no = t.line_no and a.sku_id = t.sku_id
                          and a.location_id = t.location_id) a on true
  union all
  select x.sku_id, x.location_id, null, null, null, null, x.open_quantity, 0, x.open_quantity
    from outside_allocation x where x.quantity > 0 and x.open_quantity > 0 and x.line_no is null
$$;

-- Lines that wait although another system has allocated to them what is there: theirs to take, whatever is free for others.
create function kept_backorders() returns table (order_id bigint, line_no int, sku_id bigint, location_id int, channel_id int)
language sql stable
as $$
  select d.order_id, d.line_no, d.sku_id, d.location_id, d.channel_id
    from outside_line() d
    join order_line l on l.order_id = d.order_id and l.line_no = d.line_no and l.sku_id = d.sku_id
    join stock_balance b on b.sku_id = d.sku_id and b.location_id = d.location_id
   where d.deducted > 0 and l.backordered > 0
     and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted + d.deducted > 0
$$;

-- As before, of what other systems have left.
create or replace function servable_units(p_order_id bigint, p_sku_id bigint, p_location_ids int[], p_share float8, p_cap bigint, p_buffer bigint)
returns bigint
language sql stable
as $$
  select (greatest(sum(t.own), least(coalesce(p_cap, 9223372036854775807),
                                     sum(greatest(t.own, floor(p_share * greatest(0, t.free + t.own)))) - p_buffer)) - sum(t.own))::bigint
    from (select b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted as free,
                 coalesce(a.quantity, 0)::float8 as own
            from stock_balance b
            left join lateral (select sum(open_quantity) as quantity from allocation
                                where order_id = p_order_id and sku_id = b.sku_id and location_id = b.location_id) a on true
           where b.sku_id = p_sku_id and b.location_id = any(p_location_ids)) t
$$;
