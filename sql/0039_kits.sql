-- Kits: an ordered line whose units are delivered by lines that only together make one.

-- Of a line that stands for another: how many of it stand for one unit of that (a substitute: 1), and the set of lines that only together
-- do, named by the first of them (null: each of its units does by itself).
alter table order_line
  add column per_unit bigint not null default 1 check (per_unit >= 1),
  add column set_no   int,
  add check (set_no is null or stands_for is not null);

-- Whether a set can have one whole unit more than it has, by what is free at these places; limits of the channel are looked at by whoever
-- gives it. Stable, so that it sees the same moment as the statement that asks.
create function set_servable(p_order_id bigint, p_set_no int, p_location_ids int[]) returns boolean
language sql stable
as $$
  select min((l.has + least(l.waiting, l.free)) / l.per_unit) > min(l.has / l.per_unit)
    from (select per_unit, picked + allocated - cancel_asked as has, backordered - held as waiting,
                 coalesce((select sum(greatest(0, b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted))
                             from stock_balance b where b.sku_id = order_line.sku_id and b.location_id = any(p_location_ids)), 0) as free
            from order_line where order_id = p_order_id and stands_for is not null and set_no = p_set_no) l
$$;
