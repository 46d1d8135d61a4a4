-- A document's number is its system's own: a second WMS or ERP, or the one that follows, begins at 1 again.
-- Rows from before have no source: who gave them their number was not kept.
alter table shipment add column source text collate "C" not null default '';
alter table shipment alter column source drop default;
alter table shipment drop constraint shipment_pkey;
alter table shipment add primary key (shipment_no, source);
alter table invoice add column source text collate "C" not null default '';
alter table invoice alter column source drop default;
alter table invoice drop constraint invoice_pkey;
alter table invoice add primary key (kind, invoice_no, source);

-- What a waiting order of a channel that asks may be given of a SKU now, when its channel has a share, a cap or a buffer: what it
-- would be given if it came now, less what is allocated to it already. The same rule as the orders room's `offersOf`. Stable, so that
-- it sees the same moment as the statement that asks.
create function servable_units(p_order_id bigint, p_sku_id bigint, p_location_ids int[], p_share float8, p_cap bigint, p_buffer bigint)
returns bigint
language sql stable
as $$
  select (greatest(sum(t.own), least(coalesce(p_cap, 9223372036854775807),
                                     sum(greatest(t.own, floor(p_share * greatest(0, t.free + t.own)))) - p_buffer)) - sum(t.own))::bigint
    from (select b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock as free, coalesce(a.quantity, 0)::float8 as own
            from stock_balance b
            left join lateral (select sum(open_quantity) as quantity from allocation
                                where order_id = p_order_id and sku_id = b.sku_id and location_id = b.location_id) a on true
           where b.sku_id = p_sku_id and b.location_id = any(p_location_ids)) t
$$;

-- Whether it was made for units that had waited: what was not is part of the order's first answer, which outlives its facts.
alter table allocation add column from_backorder boolean not null default false;
