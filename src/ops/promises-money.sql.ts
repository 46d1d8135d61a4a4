/** I8's quantities, I10 and I11. */
import { keptSince, verdict } from './promises.sql.ts';

export const lineQuantities = verdict(
  'line_quantities',
  `select order_id, line_no, quantity, allocated, backordered, picked, cancelled, refused,
          quantity <> allocated + backordered + picked + cancelled + refused
            or least(allocated, backordered, picked, cancelled, refused, shipped, returned, cancel_asked, return_expected) < 0
            or shipped > picked or returned + return_expected > picked or cancel_asked > allocated as bad
     from order_line`,
  `format('order %s line %s: %s ordered = %s allocated + %s backordered + %s picked + %s cancelled + %s refused', order_id, line_no,
          quantity, allocated, backordered, picked, cancelled, refused)`,
);

// What stands for a line takes the place of units that it gave up: both SKUs together never more than was ordered. Of a set of lines only all
// together stand for a unit, in their numbers, and each of them for as many.
export const substitutedLines = verdict(
  'substituted_lines',
  `select l.order_id, l.line_no, l.quantity, l.substituted, coalesce(s.quantity, 0) as instead, l.shipped + coalesce(s.shipped, 0) as shipped,
          l.substituted <> coalesce(s.quantity, 0) or l.shipped + coalesce(s.shipped, 0) > l.quantity or coalesce(s.bad, false) as bad
     from (select order_id, line_no, quantity, substituted, shipped from order_line where substituted > 0 or (order_id, line_no) in
             (select order_id, stands_for from order_line where stands_for is not null)) l
     left join (select order_id, line_no, sum(quantity) as quantity, sum(shipped) as shipped, bool_or(bad) as bad
                  from (select order_id, stands_for as line_no, min(quantity / per_unit) as quantity, min(shipped / per_unit) as shipped,
                               bool_or(substituted > 0 or quantity % per_unit <> 0) or min(quantity / per_unit) <> max(quantity / per_unit) as bad
                          from order_line where stands_for is not null group by order_id, stands_for, coalesce(set_no, line_no)) t
                 group by order_id, line_no) s using (order_id, line_no)`,
  `format('order %s line %s: %s ordered, %s substituted by %s, %s shipped in all', order_id, line_no, quantity, substituted, instead, shipped)`,
);
export const heldUnits = verdict(
  'held_units',
  `select order_id, o.units_held, coalesce(l.held, 0) as held, coalesce(e.held, 0) as excepted,
          o.units_held <> coalesce(l.held, 0) or coalesce(l.held, 0) <> coalesce(e.held, 0) or (o.units_held > coalesce(e.short, 0) and (o.is_told or o.erp_number is not null)) as bad
     from sales_order o
     left join (select order_id, sum(held) as held from order_line where held > 0 group by order_id) l using (order_id)
     left join (select order_id, sum(held) as held, sum(held) filter (where kind = 'short_picked') as short from order_exception where state = 'open' group by order_id) e using (order_id)`,
  `format('order %s: %s held, by its lines %s, by its exceptions %s', order_id, units_held, held, excepted)`,
);
export const openHolds = verdict(
  'open_holds',
  `select order_id, o.holds, coalesce(h.holds, 0) as open, o.holds <> coalesce(h.holds, 0) or (not o.is_told and o.erp_number is not null) as bad
     from sales_order o left join (select order_id, count(*) as holds from order_hold where state = 'open' group by order_id) h using (order_id)`,
  `format('order %s: %s holds, %s of them open; or the ERP knows it and it is not told', order_id, holds, open)`,
);

// A unit that came back is on hand once, scrapped, set apart, or not looked at yet; and on hand it is by movements of its order.
export const returnedLines = verdict(
  'returned_lines',
  `select order_id, line_no, l.returned, coalesce(r.received, 0) as received, l.returned <> coalesce(r.received, 0) as bad
     from (select order_id, line_no, returned from order_line where returned > 0 or return_expected > 0) l
     full join (select order_id, line_no, sum(received) as received from return_line group by order_id, line_no) r using (order_id, line_no)
    where l.returned is not null or r.received > 0`,
  `format('order %s line %s: %s returned, its returns received %s', order_id, line_no, returned, received)`,
);
const movementsKeptSince = `coalesce((select kept_since from partitioned_table where table_name = 'stock_movement'), '-infinity')`;
export const restockedUnits = verdict(
  'restocked_units',
  `select order_id, sku_id, location_id, coalesce(r.restocked, 0) as restocked, coalesce(m.moved, 0) as moved,
          coalesce(r.restocked, 0) <> coalesce(m.moved, 0) and coalesce(r.recorded_at, 'infinity') >= ${movementsKeptSince} as bad
     from (select l.order_id, l.sku_id, l.location_id, sum(l.restocked) as restocked, min(a.recorded_at) as recorded_at
             from return_line l join return_authorisation a using (order_id, return_id) where l.restocked > 0
            group by l.order_id, l.sku_id, l.location_id) r
     full join (select order_id, sku_id, location_id, sum(quantity) as moved from stock_movement
                 where kind = 'returned' and order_id is not null group by order_id, sku_id, location_id) m using (order_id, sku_id, location_id)`,
  `format('order %s SKU %s at location %s: %s restocked by its returns, %s by movements', order_id, sku_id, location_id, restocked, moved)`,
);

export const orderTotals = verdict(
  'order_totals',
  `select order_id, o.total_minor, o.charges_minor, coalesce(l.amount, 0) as amount, o.total_minor <> coalesce(l.amount, 0) + o.charges_minor as bad
     from sales_order o
     left join (select order_id, sum(amount_minor) as amount from order_line where stands_for is null group by order_id) l using (order_id)`,
  `format('order %s: total %s, its lines %s, its charges %s', order_id, total_minor, amount, charges_minor)`,
);
// Parts of a tax, by line and by charge, are the tax; what leaves of a line is taxed as a part of it.
export const orderTaxes = verdict(
  'order_taxes',
  `select order_id, o.charges_minor, o.tax_minor, coalesce(c.amount, 0) as charges, coalesce(l.tax, 0) + coalesce(c.tax, 0) as parts, coalesce(t.tax, 0) as said,
          o.charges_minor <> coalesce(c.amount, 0) or o.tax_minor <> coalesce(l.tax, 0) + coalesce(c.tax, 0) or o.tax_minor <> coalesce(t.tax, 0) as bad
     from sales_order o
     left join (select order_id, sum(tax_minor) as tax from order_line where tax_minor <> 0 and stands_for is null group by order_id) l using (order_id)
     left join (select order_id, sum(amount_minor) as amount, sum(tax_minor) as tax from order_charge group by order_id) c using (order_id)
     left join (select order_id, sum(tax_minor) as tax from order_tax group by order_id) t using (order_id)
    where o.is_charged or c.order_id is not null or t.order_id is not null or l.order_id is not null`,
  `format('order %s: charges %s, by its rows %s; tax %s, its parts %s, as it was said %s', order_id, charges_minor, charges, tax_minor, parts, said)`,
);

// Amounts of parts are differences of cumulative amounts (round half away from zero): what was cancelled is counted from the line's
// beginning, what was shipped and what came back from the end of what was accepted. A refund may come before its goods, never without a
// return, unless it takes back what was invoiced too much. Lines from before 0043 may have counted both that were given up from the beginning, as one.
export const lineAmounts = verdict(
  'line_amounts',
  `select order_id, line_no, unit_price, price_per, currency, quantity, refused, amount_minor, shipped, shipped_minor, cancelled, cancelled_minor, returned,
          returned_minor, invoiced, invoiced_minor, credited_minor,
          amount_minor <> amount_minor(unit_price, quantity, coalesce(currency, ''), price_per)
            or shipped_minor <> amount_from_end(unit_price, quantity - refused, shipped, coalesce(currency, ''), price_per)
            or ((cancelled_minor <> amount_minor(unit_price, cancelled, coalesce(currency, ''), price_per) or returned_minor <> amount_from_end(unit_price, quantity - refused, returned, coalesce(currency, ''), price_per))
                and (returned = 0 or cancelled_minor + returned_minor <> amount_minor(unit_price, cancelled + returned, coalesce(currency, ''), price_per)))
            or greatest(invoiced_minor - shipped_minor, 0)
               <> greatest(credited_minor - greatest(amount_from_end(unit_price, quantity - refused, returned + return_expected, coalesce(currency, ''), price_per),
                                                     amount_minor(unit_price, cancelled + returned + return_expected, coalesce(currency, ''), price_per) - cancelled_minor), 0)
            or (invoiced > shipped and invoiced_minor <= shipped_minor and credited_minor = 0)
            or (invoiced = shipped and invoiced_minor < shipped_minor) as bad
     from order_line left join sales_order using (order_id)`,
  `format('order %s line %s: %s × %s for %s = %s %s; shipped %s = %s; cancelled %s = %s; returned %s = %s; invoiced %s = %s; credited %s',
          order_id, line_no, quantity, unit_price, price_per, amount_minor, currency, shipped, shipped_minor, cancelled, cancelled_minor, returned,
          returned_minor, invoiced, invoiced_minor, credited_minor)`,
);

// What counts against a limit is what its order stands for: accepted, less what was cancelled.
export const creditClaims = verdict(
  'credit_claims',
  `select c.order_id, c.line_no, c.amount_minor, l.open_minor, c.amount_minor <> coalesce(l.open_minor, 0) as bad
     from credit_claim c
     left join lateral (select sum(amount_minor(unit_price, quantity - refused, coalesce(o.currency, ''), price_per) - cancelled_minor) as open_minor
                          from order_line x join sales_order o using (order_id)
                         where order_id = c.order_id
                           and case when c.line_no > 0 then coalesce(x.stands_for, x.line_no) = c.line_no
                                    else not exists (select from credit_claim own where own.order_id = c.order_id and own.line_no > 0
                                                                                  and own.line_no = coalesce(x.stands_for, x.line_no)) end) l on true
    where c.ended_at is null`,
  `format('order %s line %s counts %s against its account, its lines stand for %s', order_id, line_no, amount_minor, coalesce(open_minor, 0))`,
);

export const documentTotals = verdict(
  'document_totals',
  `select i.kind, i.source, i.invoice_no, i.total_minor, l.amount + coalesce(c.amount, 0) as amount, i.currency, o.currency as order_currency, i.tax_minor,
          i.total_minor <> coalesce(l.amount, 0) + coalesce(c.amount, 0) or i.currency is distinct from o.currency
            or (l.taxed + coalesce(c.taxed, 0) = l.parts + coalesce(c.parts, 0) and i.tax_minor <> coalesce(l.tax, 0) + coalesce(c.tax, 0)) as bad
     from invoice i left join sales_order o using (order_id)
     left join lateral (select sum(x."amountMinor") as amount, sum(x."taxMinor") as tax, count(x."taxMinor") as taxed, count(*) as parts
                          from json_to_recordset(i.lines) as x("amountMinor" bigint, "taxMinor" bigint)) l on true
     left join lateral (select sum(x."amountMinor") as amount, sum(x."taxMinor") as tax, count(x."taxMinor") as taxed, count(*) as parts
                          from json_to_recordset(i.charges) as x("amountMinor" bigint, "taxMinor" bigint) where i.charges is not null) c on true`,
  `format('%s %s/%s: total %s %s, its lines and charges %s %s, its tax %s', kind, source, invoice_no, total_minor, currency, amount, order_currency,
          coalesce(tax_minor::text, 'unsaid'))`,
);

// These two unpack JSON, which takes the server ten times as long as us: they judge only orders that looked wrong.
export const documentLines = verdict(
  'document_lines',
  `select order_id, line_no, coalesce(l.invoiced, 0) as invoiced, coalesce(l.invoiced_minor, 0) as invoiced_minor,
          coalesce(l.credited_minor, 0) as credited_minor, coalesce(d.quantity, 0) as quantity, coalesce(d.amount, 0) as amount,
          coalesce(d.credited, 0) as credited,
          (coalesce(l.invoiced, 0), coalesce(l.invoiced_minor, 0), coalesce(l.credited_minor, 0))
            is distinct from (coalesce(d.quantity, 0), coalesce(d.amount, 0), coalesce(d.credited, 0)) as bad
     from (select order_id, line_no, invoiced, invoiced_minor, credited_minor from order_line
            where order_id = any($1::bigint[]) and (invoiced <> 0 or invoiced_minor <> 0 or credited_minor <> 0)) l
     full join (select i.order_id, x."lineNo" as line_no,
                       (sum(x.quantity) filter (where i.kind = 'invoice'))::bigint as quantity,
                       (sum(x."amountMinor") filter (where i.kind = 'invoice'))::bigint as amount,
                       (sum(x."amountMinor") filter (where i.kind = 'credit_note'))::bigint as credited
                  from invoice i
                 cross join lateral json_to_recordset(i.lines) as x("lineNo" int, quantity bigint, "amountMinor" bigint)
                 where i.order_id = any($1::bigint[])
                 group by i.order_id, x."lineNo") d using (order_id, line_no)`,
  `format('order %s line %s: invoiced %s = %s, credited %s; its documents say %s = %s, credited %s', order_id, line_no, invoiced,
          invoiced_minor, credited_minor, quantity, amount, credited)`,
);

export const shipmentLines = verdict(
  'shipment_lines',
  `select order_id, line_no, coalesce(l.shipped, 0) as shipped, coalesce(l.shipped_minor, 0) as shipped_minor,
          coalesce(s.quantity, 0) as quantity, coalesce(s.amount, 0) as amount,
          (coalesce(l.shipped, 0), coalesce(l.shipped_minor, 0)) is distinct from (coalesce(s.quantity, 0), coalesce(s.amount, 0)) as bad
     from (select order_id, line_no, shipped, shipped_minor from order_line
            where order_id = any($1::bigint[]) and (shipped <> 0 or shipped_minor <> 0)) l
     full join (select s.order_id, x."lineNo" as line_no, sum(x.quantity)::bigint as quantity, sum(x."amountMinor")::bigint as amount
                  from shipment s
                 cross join lateral json_to_recordset(s.lines) as x("lineNo" int, quantity bigint, "amountMinor" bigint)
                 where s.order_id = any($1::bigint[])
                 group by s.order_id, x."lineNo") s using (order_id, line_no)`,
  `format('order %s line %s: shipped %s = %s; its shipments say %s = %s', order_id, line_no, shipped, shipped_minor, quantity, amount)`,
);

// I11. Raw records are kept for a time only: what is older than that may be gone.
const rawKeptSince = `coalesce((select kept_since from partitioned_table where table_name = 'raw_record'), '-infinity')`;
export const rawRecords = verdict(
  'raw_records',
  `select i.scope, i.key, i.raw_id, i.item_no, r.items, r.raw_id is null or i.item_no < 0 or i.item_no >= r.items as bad
     from (select scope, key, raw_id, item_no, recorded_at from inbound
           union all select scope, key, raw_id, item_no, recorded_at from parked_record) i
     left join raw_record r on r.raw_id = i.raw_id
    where i.raw_id > 0 and i.recorded_at >= ${rawKeptSince}`,
  `format('%s %s came as item %s of message %s, which %s', scope, key, item_no, raw_id,
          case when items is null then 'is not there' else 'has ' || items || ' items' end)`,
);
export const claimedItems = verdict(
  'claimed_items',
  `select raw_id, item_no, count(*) as times, count(*) > 1 as bad from inbound where raw_id > 0 group by raw_id, item_no`,
  `format('item %s of message %s became %s keys', item_no, raw_id, times)`,
);
// A key whose message was a first one is the order's, and the order is its; neither without the other.
export const acceptedOrders = verdict(
  'accepted_orders',
  `select o.order_id, c.code, o.external_no, i.subject, i.subject is distinct from o.order_id as bad
     from sales_order o
     join channel c using (channel_id)
     left join inbound i on i.scope = 'order/' || c.code and i.key = o.external_no`,
  `format('order %s (%s/%s) has no key that brought it (the key names %s)', order_id, code, external_no, coalesce(subject::text, 'none'))`,
);
// Repeats have no row of their own, so a message may have fewer rows than items, never more.
export const acknowledgedItems = verdict(
  'acknowledged_items',
  `select r.raw_id, r.system, r.items, coalesce(n.rows, 0) as rows, coalesce(n.rows, 0) > r.items as bad
     from raw_record r
     left join (select raw_id, count(*) as rows
                  from (select raw_id, item_no from inbound union select raw_id, item_no from parked_record) u group by raw_id) n
          using (raw_id)`,
  `format('message %s of %s had %s items, %s rows say what became of them', raw_id, system, items, rows)`,
);
const reservationsKeptSince = keptSince('reservation');
export const heldKeys = verdict(
  'held_keys',
  // Reservations that ended are kept for a time only; their keys for ever.
  `select i.scope, i.key, i.subject, r.reservation_id is null and i.recorded_at >= ${reservationsKeptSince} as bad
     from inbound i
     left join (select distinct reservation_id from reservation) r on r.reservation_id = i.subject
    where i.scope >= 'reservation/' and i.scope < 'reservation0' and i.state = 'a'`,
  `format('%s %s was answered with reservation %s, which is not there', scope, key, coalesce(subject::text, '-'))`,
);
// What a system's message did to stock was brought by a key of that system.
export const broughtMovements = verdict(
  'brought_movements',
  `select m.source, m.source_id, i.key is null as bad
     from (select distinct source, source_id from stock_movement) m
     left join (select distinct key from inbound where state = 'a') i on i.key = m.source_id`,
  `format('movement %s/%s was brought by no applied message', source, source_id)`,
);
