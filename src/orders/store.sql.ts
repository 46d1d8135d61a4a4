import type { PackLevel } from '../canonical/index.ts';
import { sql } from '../store/index.ts';

export interface OrderRow {
  order_id: number;
  company_id: number;
  channel_id: number;
  account_id: number;
  external_no: string;
  state: string;
  version: number;
  currency: string;
  total_minor: number;
  charges_minor: number;
  tax_minor: number;
  is_charged: boolean;
  ordered_at: Date;
  erp_number: string | null;
  units: number;
  units_open: number;
  units_refused: number;
  units_held: number;
  units_shipped: number;
  units_invoiced: number;
  is_released: boolean;
  holds: number;
  is_told: boolean;
  is_handed: boolean;
  ship_complete: boolean;
  requested_at: Date | null;
  ship_to: { latitude: number; longitude: number } | null;
}
const orderColumns = `order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, charges_minor, tax_minor, is_charged, ordered_at, erp_number,
       units, units_open, units_refused, units_held, units_shipped, units_invoiced, is_released, holds, is_told, is_handed,
       ship_complete, requested_at, ship_to`;

// One order of locks for all: orders by id, before any balance.
export const lockOrders = sql<OrderRow>(
  'orders_lock',
  `select ${orderColumns} from sales_order where order_id = any($1::bigint[]) order by order_id for update`,
);
export const readOrders = sql<OrderRow>(
  'orders_read',
  `select ${orderColumns} from sales_order where order_id = any($1::bigint[])`,
);

// A row is read thousands of times a second: its numbers travel as one array instead of two dozen fields, which is most of
// what reading it costs. LINE_NUMBERS says which is which.
export const LINE_NUMBERS = [
  'line_no',
  'sku_id',
  'quantity',
  'amount_minor',
  'within',
  'within_short',
  'allocated',
  'backordered',
  'refused',
  'picked',
  'shipped',
  'invoiced',
  'cancel_asked',
  'cancelled',
  'return_expected',
  'returned',
  'shipped_minor',
  'invoiced_minor',
  'cancelled_minor',
  'returned_minor',
  'credited_minor',
  'changed_version',
  'held',
  'substituted',
  'coalesce(stands_for, 0)',
  'price_per',
  'coalesce(adds_to, 0)',
  'awaits_erp::int',
  'tax_minor',
  'per_unit',
  'coalesce(set_no, 0)',
] as const;
export const readLines = sql<{ order_id: number; unit_price: string; numbers: string }>(
  'orders_read_lines',
  `select order_id, unit_price, array[${LINE_NUMBERS.join(', ')}]::text as numbers
     from order_line where order_id = any($1::bigint[]) order by order_id, line_no`,
);
/**
 * lines: those that changed beyond the version that is known there, `;` between; of each, `,` between: line_no, sku_id, quantity,
 * amount_minor, cancelled, backordered, refused, shipped, invoiced, returned
 */
export const readToldLines = sql<{ order_id: number; lines: string; is_replaced: boolean }>(
  'orders_read_told_lines',
  `with part as (
     select order_id, line_no, stands_for as root from order_line
      where order_id = any($1::bigint[]) and stands_for is not null and adds_to is null
      union all
     select order_id, line_no, adds_to from order_line where order_id = any($1::bigint[]) and adds_to is not null)
   select l.order_id, false as is_replaced,
          string_agg(concat_ws(',', l.line_no, l.sku_id, l.quantity, l.amount_minor, l.cancelled, l.backordered, l.refused - l.substituted, l.shipped,
                               l.invoiced, l.returned), ';' order by l.line_no) as lines
     from unnest($1::bigint[], $2::bigint[]) as t(order_id, known) join order_line l using (order_id)
    where l.changed_version > t.known and l.stands_for is null and l.adds_to is null group by l.order_id
    union all
   -- Who ordered a line is told of it as one, whatever leaves in its place and whatever was added to it: what became of those lines is added
   -- up with it, and is told instead of it. Its SKU is the one that it was given last.
   select s.order_id, true,
          concat_ws(',', s.root, s.skus[1], s.quantity, s.amount_minor, s.cancelled, s.backordered, s.refused, s.shipped, s.invoiced, s.returned)
     from unnest($1::bigint[], $2::bigint[]) as t(order_id, known)
     join (select order_id, root, max(changed_version) as changed_version,
                  array_agg(sku_id order by line_no desc) filter (where stands_for is null) as skus,
                  coalesce(sum(quantity) filter (where stands_for is null), 0) as quantity,
                  coalesce(sum(amount_minor) filter (where stands_for is null), 0) as amount_minor,
                  sum(cancelled) as cancelled, sum(backordered) as backordered, sum(refused) as refused, sum(shipped) as shipped,
                  sum(invoiced) as invoiced, sum(returned) as returned
             -- What only lines together stand for is there, or gone, when all of them are.
             from (select order_id, p.root, max(changed_version) as changed_version, max(sku_id) as sku_id, min(line_no) as line_no,
                          min(stands_for) as stands_for, min(quantity / per_unit) as quantity, min(amount_minor) as amount_minor,
                          min(cancelled / per_unit) as cancelled, max((backordered + per_unit - 1) / per_unit) as backordered,
                          min(refused - substituted) as refused, min(shipped / per_unit) as shipped, min(invoiced / per_unit) as invoiced,
                          min(returned / per_unit) as returned
                     from (select order_id, line_no, root from part
                            union select order_id, root, root from part) p
                     join order_line l using (order_id, line_no)
                    group by order_id, p.root, coalesce(set_no, line_no)) t
            group by order_id, root) s using (order_id)
    where s.changed_version > t.known
    order by 2`,
);
/** As {@link readLines}: lines that stand for others or were added, and all lines of orders that the ERP is not told yet. */
export const readLinesBehind = sql<{ order_id: number; unit_price: string; numbers: string }>(
  'orders_read_lines_behind',
  `select order_id, unit_price, array[${LINE_NUMBERS.join(', ')}]::text as numbers
     from order_line where order_id = any($1::bigint[]) and stands_for is not null
   union all
   select order_id, unit_price, array[${LINE_NUMBERS.join(', ')}]::text as numbers
     from order_line where order_id = any($1::bigint[]) and adds_to is not null and stands_for is null
   union all
   select order_id, unit_price, array[${LINE_NUMBERS.join(', ')}]::text as numbers
     from order_line where stands_for is null and adds_to is null
      and order_id = any(array(select order_id from sales_order where order_id = any($1::bigint[]) and not is_told))
    order by order_id`,
);
/** As {@link readLines}: lines that were added and that the ERP has not confirmed. */
export const readAwaitingLines = sql<{ order_id: number; unit_price: string; numbers: string }>(
  'orders_read_awaiting_lines',
  `select order_id, unit_price, array[${LINE_NUMBERS.join(', ')}]::text as numbers
     from order_line where order_id = any($1::bigint[]) and awaits_erp`,
);
// An order of a thousand lines has hundreds of shipments; each touches a few lines, and only these are read.
export const readSomeLines = sql<{ order_id: number; unit_price: string; numbers: string }>(
  'orders_read_some_lines',
  `select order_id, unit_price, array[${LINE_NUMBERS.join(', ')}]::text as numbers
     from order_line join unnest($1::bigint[], $2::int[]) as t(order_id, line_no) using (order_id, line_no)`,
);
// With how far the WMS has come with each: 0 where it was not asked for it, 1 where it was, 2 where it has taken that.
const ALLOCATION_NUMBERS = `array[a.allocation_id, a.line_no, a.sku_id, a.location_id, a.quantity, a.open_quantity, a.fulfilment_id, a.from_backorder::int,
                coalesce((select case f.state when 'requested' then 1 else 2 end from fulfilment f
                           where f.order_id = a.order_id and f.fulfilment_id = a.fulfilment_id), 0)]::text`;
export const readAllocations = sql<{ order_id: number; numbers: string }>(
  'orders_read_allocations',
  `select a.order_id, ${ALLOCATION_NUMBERS} as numbers
     from allocation a where a.order_id = any($1::bigint[]) order by a.order_id, a.allocation_id`,
);
export const readAllocationsBehind = sql<{ order_id: number; numbers: string }>(
  'orders_read_allocations_behind',
  `select a.order_id, ${ALLOCATION_NUMBERS} as numbers
     from (select order_id, line_no from order_line where order_id = any($1::bigint[]) and stands_for is not null
           union all
           select order_id, line_no from order_line where order_id = any($1::bigint[]) and adds_to is not null and stands_for is null) l
     join allocation a using (order_id, line_no) order by a.order_id, a.allocation_id`,
);
export const readAllocationsOfLines = sql<{ order_id: number; numbers: string }>(
  'orders_read_allocations_of_lines',
  `select a.order_id, ${ALLOCATION_NUMBERS} as numbers
     from allocation a join unnest($1::bigint[], $2::int[]) as t(order_id, line_no) using (order_id, line_no)
    order by a.order_id, a.allocation_id`,
);
export const readFulfilmentsById = sql<{
  order_id: number;
  fulfilment_id: number;
  location_id: number;
  state: 'requested' | 'released';
}>(
  'orders_read_fulfilments_by_id',
  'select order_id, fulfilment_id, location_id, state from fulfilment where fulfilment_id = any($1::bigint[])',
);
export const readFulfilments = sql<{
  order_id: number;
  fulfilment_id: number;
  location_id: number;
  state: 'requested' | 'released';
}>(
  'orders_read_fulfilments',
  `select order_id, fulfilment_id, location_id, state from fulfilment where order_id = any($1::bigint[]) order by fulfilment_id`,
);

// These never change once written, so they may be read before the order is locked.
export const findByExternal = sql<{ channel_id: number; external_no: string; order_id: number }>(
  'orders_find_by_external',
  `select channel_id, external_no, order_id from sales_order
     join unnest($1::int[], $2::text[]) as t(channel_id, external_no) using (channel_id, external_no)`,
);
export const findByFulfilment = sql<{ fulfilment_id: number; order_id: number }>(
  'orders_find_by_fulfilment',
  'select fulfilment_id, order_id from fulfilment where fulfilment_id = any($1::bigint[])',
);
export const findByReturn = sql<{ return_id: number; order_id: number }>(
  'orders_find_by_return',
  'select return_id, order_id from return_authorisation where return_id = any($1::bigint[])',
);

export const insertOrders = sql(
  'orders_insert',
  `insert into sales_order (order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, ordered_at,
                            units, units_open, units_refused, units_held, holds, is_told, is_handed)
   select * from unnest($1::bigint[], $2::int[], $3::int[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[],
                        $9::bigint[], $10::timestamptz[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                        $15::int[], $16::boolean[], $17::boolean[])`,
);
export const updateOrders = sql(
  'orders_update',
  `update sales_order o
      set state = t.state, version = t.version, erp_number = t.erp_number, units_open = t.units_open,
          units_shipped = t.units_shipped, units_invoiced = t.units_invoiced, is_released = t.is_released,
          holds = t.holds, is_told = t.is_told, is_handed = t.is_handed,
          state_since = case when o.state = t.state then o.state_since else crossdock_now() end
     from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::boolean[], $9::int[],
                 $10::boolean[], $11::boolean[])
       as t(order_id, state, version, erp_number, units_open, units_shipped, units_invoiced, is_released, holds, is_told, is_handed)
    where o.order_id = t.order_id`,
);
// What few orders say; with the order itself.
export const writeTerms = sql(
  'orders_write_terms',
  `update sales_order o set ship_complete = t.ship_complete, requested_at = t.requested_at, ship_to = t.ship_to::json
     from unnest($1::bigint[], $2::boolean[], $3::timestamptz[], $4::text[]) as t(order_id, ship_complete, requested_at, ship_to)
    where o.order_id = t.order_id`,
);
// What only the end of a hold and added units change, apart from what every event may.
export const repriceLines = sql(
  'orders_reprice_lines',
  `update order_line l set unit_price = t.unit_price, price_per = t.price_per, amount_minor = t.amount_minor, cancelled_minor = t.cancelled_minor
     from unnest($1::bigint[], $2::int[], $3::numeric[], $4::bigint[], $5::bigint[], $6::bigint[])
       as t(order_id, line_no, unit_price, price_per, amount_minor, cancelled_minor)
    where l.order_id = t.order_id and l.line_no = t.line_no`,
);
export const updateHeldOrders = sql(
  'orders_update_held',
  `update sales_order o set units = t.units, units_refused = t.units_refused, units_held = t.units_held, total_minor = t.total_minor
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[]) as t(order_id, units, units_refused, units_held, total_minor)
    where o.order_id = t.order_id`,
);
export const updateHeldLines = sql(
  'orders_update_held_lines',
  `update order_line l set allocated = t.allocated, backordered = t.backordered, refused = t.refused, cancelled = t.cancelled,
                           cancelled_minor = t.cancelled_minor, held = t.held, substituted = t.substituted, changed_version = t.changed_version
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
       as t(order_id, line_no, allocated, backordered, refused, cancelled, cancelled_minor, held, substituted, changed_version)
    where l.order_id = t.order_id and l.line_no = t.line_no`,
);
// An order may be cancelled in the very batch that brings it.
export const insertLines = sql(
  'orders_insert_lines',
  `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, within, within_short, allocated,
                           backordered, refused, cancelled, cancelled_minor, changed_version)
   select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bigint[], $7::bigint[],
                        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])`,
);
export const insertAsked = sql(
  'orders_insert_asked',
  `insert into order_line_asked (order_id, line_no, quantity, unit, pack_level, base, unit_price, price_unit, price_count, rounding)
   select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::text[])`,
);
export const readAsked = sql<{
  order_id: number;
  line_no: number;
  quantity: string;
  unit: string;
  pack_level: PackLevel;
  base: number;
  unit_price: string;
  price_unit: string;
  price_count: number;
  rounding: 'up' | 'nearest' | 'down' | null;
}>(
  'orders_read_asked',
  `select order_id, line_no, quantity, unit, pack_level, base, unit_price, price_unit, price_count, rounding
     from order_line_asked where order_id = any($1::bigint[])`,
);
/** With what few lines have: of an order with an exception, at a price for several units, or added. */
export const insertExceptionLines = sql(
  'orders_insert_exception_lines',
  `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, within, within_short, allocated,
                           backordered, refused, cancelled, cancelled_minor, changed_version, held, substituted, stands_for, price_per,
                           adds_to, awaits_erp, tax_minor, per_unit, set_no)
   select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::numeric[], $6::bigint[], $7::bigint[],
                        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
                        $16::bigint[], $17::int[], $18::bigint[], $19::int[], $20::boolean[], $21::bigint[], $22::bigint[], $23::int[])`,
);
export const updateLines = sql(
  'orders_update_lines',
  `update order_line l
      set allocated = t.allocated, backordered = t.backordered, picked = t.picked, shipped = t.shipped, invoiced = t.invoiced,
          cancel_asked = t.cancel_asked, cancelled = t.cancelled, return_expected = t.return_expected, returned = t.returned,
          shipped_minor = t.shipped_minor, invoiced_minor = t.invoiced_minor, cancelled_minor = t.cancelled_minor,
          returned_minor = t.returned_minor, credited_minor = t.credited_minor, changed_version = t.changed_version
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                 $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
       as t(order_id, line_no, allocated, backordered, picked, shipped, invoiced, cancel_asked, cancelled, return_expected,
            returned, shipped_minor, invoiced_minor, cancelled_minor, returned_minor, credited_minor, changed_version)
    where l.order_id = t.order_id and l.line_no = t.line_no`,
);
export const insertAllocations = sql(
  'orders_insert_allocations',
  `insert into allocation (order_id, allocation_id, line_no, sku_id, location_id, quantity, open_quantity, fulfilment_id, from_backorder)
   select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[], $9::boolean[])`,
);
export const updateAllocations = sql(
  'orders_update_allocations',
  `update allocation a set open_quantity = t.open_quantity
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[])
       as t(order_id, line_no, allocation_id, open_quantity)
    where a.order_id = t.order_id and a.line_no = t.line_no and a.allocation_id = t.allocation_id`,
);
export const writeFulfilments = sql(
  'orders_write_fulfilments',
  `insert into fulfilment (order_id, fulfilment_id, location_id, state)
   select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[])
   on conflict (order_id, fulfilment_id) do update set state = excluded.state`,
);
// A number that its own system gives out a second time is an error: the record is set aside with it, and neither the order nor the ERP
// is told of goods that no document shows.
export const insertShipments = sql(
  'orders_insert_shipments',
  `insert into shipment (shipment_no, source, order_id, fulfilment_id, tracking, carrier, parcels, lines, charges, shipped_at, order_version)
   select shipment_no, source, order_id, fulfilment_id, tracking, carrier, parcels::json, lines::json, charges::json, shipped_at, order_version
     from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::timestamptz[],
                 $11::bigint[])
       as t(shipment_no, source, order_id, fulfilment_id, tracking, carrier, parcels, lines, charges, shipped_at, order_version)`,
);
export const insertInvoices = sql(
  'orders_insert_invoices',
  `insert into invoice (invoice_no, kind, source, order_id, currency, total_minor, lines, charges, tax_minor, posted_at, order_version)
   select invoice_no, kind, source, order_id, currency, total_minor, lines::json, charges::json, tax_minor, posted_at, order_version
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::timestamptz[],
                 $11::bigint[])
       as t(invoice_no, kind, source, order_id, currency, total_minor, lines, charges, tax_minor, posted_at, order_version)`,
);

// First come, first served: order ids grow with acceptance. Only lines for which something is free where their channel serves, or that
// another system has allocated there: others would fill the page again and again, and what stands behind them would never be read.
// channel_id, location_id: which channel serves which place, as the estate declares it; then the channels with a share, a cap or a
// buffer: their orders wait also beside what is free, until the rule gives them some of it.
// So with the channels that have split limits, $7 to $9: one whose order, or line, has as many places as it may waits for these.
const MAY_SPLIT = `(o.channel_id <> all($7::int[]) or exists (
        select from unnest($7::int[], $8::int[], $9::int[]) as m(channel_id, order_max, line_max)
         where m.channel_id = o.channel_id
           and may_split(l.order_id, l.line_no, l.sku_id, array(select c.location_id from unnest($1::int[], $2::int[]) as c(channel_id, location_id)
                                                                 where c.channel_id = m.channel_id), m.order_max, m.line_max)))`;
const SERVABLE = `(o.channel_id <> all($3::int[]) or exists (
        select from unnest($3::int[], $4::float8[], $5::bigint[], $6::bigint[]) as m(channel_id, share, cap, buffer)
         where m.channel_id = o.channel_id
           and servable_units(l.order_id, l.sku_id, array(select c.location_id from unnest($1::int[], $2::int[]) as c(channel_id, location_id)
                                                           where c.channel_id = m.channel_id), m.share, m.cap, m.buffer) > 0))
      and ${MAY_SPLIT}
      and (l.set_no is null or set_servable(l.order_id, l.set_no, array(select c.location_id from unnest($1::int[], $2::int[]) as c(channel_id, location_id)
                                                                         where c.channel_id = o.channel_id)))`;
// A quota whose cap is used up keeps its lines waiting, whatever is free.
const CAPPED = `exists (select from quota_use u join quota q using (quota_id) where u.order_id = l.order_id and u.line_no = l.line_no and q.used >= q.cap)`;
// Dearest class of account first, of those in $15; within one, first come, first served.
const CLASS_RANK = 'array_position($15::text[], a.priority_class)';
// $12 to $14: behind which line, for those that are tried in vain.
export const findBackorders = sql<{ rank: number; order_id: number; line_no: number; channel_id: number }>(
  'orders_find_backorders',
  `with free as materialized (
     select distinct b.sku_id, c.channel_id
       from stock_balance b join unnest($1::int[], $2::int[]) as c(channel_id, location_id) using (location_id)
      where b.sku_id = any($10::bigint[]) and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted > 0)
   (select ${CLASS_RANK} as rank, l.order_id, l.line_no, o.channel_id from order_line l join sales_order o using (order_id) join account a using (account_id)
     where l.sku_id = any(array(select sku_id from free)) and l.backordered > 0 and l.backordered > l.held and o.holds = 0 and (l.sku_id, o.channel_id) in (select sku_id, channel_id from free)
       and ${SERVABLE} and not ${CAPPED}
       and (${CLASS_RANK}, l.order_id, l.line_no) > ($12::int, $13::bigint, $14::int)
     order by rank, l.order_id, l.line_no limit $11::int)
    union
   select ${CLASS_RANK}, k.order_id, k.line_no, k.channel_id from kept_backorders() k join sales_order o using (order_id) join account a using (account_id)
     join unnest($1::int[], $2::int[]) as c(channel_id, location_id) on c.channel_id = k.channel_id and c.location_id = k.location_id
    where k.sku_id = any($10::bigint[]) and (${CLASS_RANK}, k.order_id, k.line_no) > ($12::int, $13::bigint, $14::int)
    order by rank, order_id, line_no limit $11::int`,
);
// The log tells of these quickly; this finds what was left behind when a process ended, or what nobody told.
export const findServableSkus = sql<{ sku_id: number }>(
  'orders_find_servable_skus',
  `with free as materialized (
     select distinct b.sku_id, c.channel_id
       from stock_balance b join unnest($1::int[], $2::int[]) as c(channel_id, location_id) using (location_id)
      where b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted > 0
        and b.sku_id in (select sku_id from order_line where backordered > 0))
   select distinct sku_id from free f
    where not exists (select from quota q where q.sku_id = f.sku_id) and exists (select from order_line l join sales_order o using (order_id)
                   where l.sku_id = f.sku_id and l.backordered > 0 and l.backordered > l.held and o.holds = 0 and o.channel_id = f.channel_id and ${SERVABLE})
    union
   select k.sku_id from kept_backorders() k
     join unnest($1::int[], $2::int[]) as c(channel_id, location_id) using (channel_id, location_id)
    limit $10::int`,
);
// Whether a quota lets them have something, only a decision tells: they are tried.
export const findWaitingQuotaSkus = sql<{ sku_id: number }>(
  'orders_find_waiting_quota_skus',
  `select distinct q.sku_id from quota q
    where exists (select from order_line l where l.sku_id = q.sku_id and l.backordered > 0 and l.backordered > l.held)
      and exists (select from stock_balance b
                   where b.sku_id = q.sku_id and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted > 0)
    order by q.sku_id limit $1::int`,
);
export const sumBackorders = sql<{ sku_id: number; quantity: number }>(
  'orders_sum_backorders',
  `select sku_id, sum(backordered)::bigint as quantity from order_line
    where sku_id = any($1::bigint[]) and backordered > 0 group by sku_id`,
);
export const findWaitingSkus = sql<{ sku_id: number }>(
  'orders_find_waiting_skus',
  'select distinct sku_id from order_line where order_id = any($1::bigint[]) and backordered > held',
);
export const findAccountsOf = sql<{ account_id: number; channel_id: number }>(
  'orders_find_accounts_of',
  'select distinct account_id, channel_id from sales_order where order_id = any($1::bigint[])',
);
