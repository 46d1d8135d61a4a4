/** I10 of charges, tax and documents: what is invoiced against what left and was agreed, what is credited against what was invoiced. */
import { verdict } from './promises.sql.ts';

// Of what they say nothing, nothing is judged: documents of some sources have no charges, or no tax.
const saying = `(select order_id, bool_and(charges is not null) filter (where kind = 'invoice') as all_charges,
                        bool_and(tax_minor is not null) filter (where kind = 'invoice') as all_tax
                   from invoice group by order_id)`;

export const chargeParts = verdict(
  'charge_parts',
  `select c.*, o.state,
          goes_beyond(c.due_minor + c.cancelled_minor, c.amount_minor) or goes_beyond(c.due_tax_minor + c.cancelled_tax_minor, c.tax_minor)
            or (o.is_told and o.units_shipped >= o.units_open
                and (c.due_minor + c.cancelled_minor, c.due_tax_minor + c.cancelled_tax_minor) <> (c.amount_minor, c.tax_minor))
            or goes_beyond(c.refunded_minor, c.due_minor) or goes_beyond(c.refunded_tax_minor, c.due_tax_minor) as bad
     from order_charge c join sales_order o using (order_id)`,
  `format('order %s charge %s (%s %s): %s and tax %s; to be invoiced %s and %s, cancelled %s and %s, refunded %s and %s', order_id, charge_no, kind, code,
          amount_minor, tax_minor, due_minor, due_tax_minor, cancelled_minor, cancelled_tax_minor, refunded_minor, refunded_tax_minor)`,
);

// More than what left is charged, less once all is invoiced, or more given back than was charged. What a credit note gives back beyond what
// came back sets right what was invoiced too much.
export const invoicedCharges = verdict(
  'invoiced_charges',
  `select c.*,
          goes_beyond(net_invoiced(c.invoiced_minor, c.credited_minor, c.refunded_minor), c.due_minor)
            or goes_beyond(net_invoiced(c.invoiced_tax_minor, c.credited_tax_minor, c.refunded_tax_minor), c.due_tax_minor)
            or (o.state = 'closed' and s.all_charges and abs(c.invoiced_minor) < abs(c.due_minor))
            or (o.state = 'closed' and s.all_charges and s.all_tax and abs(c.invoiced_tax_minor) < abs(c.due_tax_minor))
            or over_credited(c.invoiced_minor, c.credited_minor, c.amount_minor)
            or over_credited(c.invoiced_tax_minor, c.credited_tax_minor, c.tax_minor) as bad
     from order_charge c join sales_order o using (order_id) left join ${saying} s using (order_id)`,
  `format('order %s charge %s (%s %s): invoiced %s and tax %s of %s and %s, credited %s and %s', order_id, charge_no, kind, code,
          invoiced_minor, invoiced_tax_minor, due_minor, due_tax_minor, credited_minor, credited_tax_minor)`,
);

// A document may say more of tax than this hub was told: only orders that brought taxes are judged by them.
export const invoicedTaxes = verdict(
  'invoiced_taxes',
  `select order_id, line_no, t.invoiced_minor as invoiced, t.credited_minor as credited, tax_from_end(l.tax_minor, l.quantity, l.quantity - l.refused, l.shipped) as due,
          goes_beyond(net_invoiced(t.invoiced_minor, t.credited_minor, tax_from_end(l.tax_minor, l.quantity, l.quantity - l.refused, l.returned + l.return_expected)),
                      tax_from_end(l.tax_minor, l.quantity, l.quantity - l.refused, l.shipped))
            or (l.invoiced = l.shipped and s.all_tax and abs(t.invoiced_minor) < abs(tax_from_end(l.tax_minor, l.quantity, l.quantity - l.refused, l.shipped)))
            or over_credited(t.invoiced_minor, t.credited_minor, l.tax_minor) as bad
     from order_line_tax t join order_line l using (order_id, line_no) left join ${saying} s using (order_id)
    where exists (select from order_tax x where x.order_id = t.order_id)`,
  `format('order %s line %s: tax of %s invoiced, %s of what was shipped, %s credited', order_id, line_no, invoiced, due, credited)`,
);

export const creditedLines = verdict(
  'credited_lines',
  `select order_id, line_no, invoiced_minor, credited_minor, credited_minor > invoiced_minor as bad from order_line where credited_minor <> 0`,
  `format('order %s line %s: %s credited of %s invoiced', order_id, line_no, credited_minor, invoiced_minor)`,
);

// A charge that the order has not: nobody agreed to it, until a credit note takes it back. A credit note may hold back something of itself.
export const unagreedCharges = verdict(
  'unagreed_charges',
  `select order_id, code, sum(amount) as amount, sum(amount) <> 0 as bad
     from (select i.order_id, coalesce(x.code, 'a charge') as code, case i.kind when 'invoice' then x."amountMinor" else -x."amountMinor" end as amount
             from invoice i cross join lateral json_to_recordset(i.charges) as x("chargeNo" int, code text, "amountMinor" bigint)
            where i.charges is not null and x."chargeNo" is null and (i.kind = 'invoice' or x."amountMinor" > 0)) u
    group by order_id, code`,
  `format('order %s: %s of %s is charged and was not agreed', order_id, amount, code)`,
);

// The order's own sums against its lines and documents.
export const billingSums = verdict(
  'billing_sums',
  `select b.order_id, b.shipped_minor, b.cancelled_minor, l.shipped, l.cancelled, c.invoiced, d.invoiced as said, t.invoiced as line_tax,
          d.line_tax as said_tax,
          (b.shipped_minor, b.cancelled_minor) <> (l.shipped, l.cancelled)
            or coalesce(c.invoiced, 0) <> coalesce(d.invoiced, 0) or coalesce(c.credited, 0) <> coalesce(d.credited, 0)
            or coalesce(t.invoiced, 0) <> coalesce(d.line_tax, 0) as bad
     from order_billing b
     join (select order_id, sum(shipped_minor) as shipped, sum(cancelled_minor) as cancelled from order_line
            where order_id in (select order_id from order_billing) group by order_id) l using (order_id)
     left join (select order_id, sum(invoiced_minor) as invoiced, sum(credited_minor) as credited from order_charge group by order_id) c using (order_id)
     left join (select order_id, sum(invoiced_minor) as invoiced from order_line_tax group by order_id) t using (order_id)
     left join (select i.order_id, sum(x.invoiced) as invoiced, sum(x.credited) as credited, sum(y.tax) filter (where i.kind = 'invoice') as line_tax
                  from invoice i
                  left join lateral (select sum(p."amountMinor") filter (where i.kind = 'invoice') as invoiced,
                                            sum(p."amountMinor") filter (where i.kind = 'credit_note') as credited
                                       from json_to_recordset(i.charges) as p("chargeNo" int, "amountMinor" bigint) where p."chargeNo" is not null) x on true
                  left join lateral (select sum(p."taxMinor") as tax from json_to_recordset(i.lines) as p("taxMinor" bigint)) y on true
                 where i.order_id in (select order_id from order_billing)
                 group by i.order_id) d using (order_id)`,
  `format('order %s: goods shipped %s and cancelled %s, by its lines %s and %s; charges invoiced %s, by its documents %s; tax of lines %s, by its documents %s',
          order_id, shipped_minor, cancelled_minor, shipped, cancelled, coalesce(invoiced, 0), coalesce(said, 0), coalesce(line_tax, 0), coalesce(said_tax, 0))`,
);
