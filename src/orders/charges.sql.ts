import { sql } from '../store/index.ts';
import type { ChargeProgress } from './billing-types.ts';

// What few orders have; with the order itself.
export const markCharged = sql(
  'orders_mark_charged',
  `update sales_order o set is_charged = true, charges_minor = t.charges_minor, tax_minor = t.tax_minor
     from unnest($1::bigint[], $2::bigint[], $3::bigint[]) as t(order_id, charges_minor, tax_minor) where o.order_id = t.order_id`,
);
export const insertCharges = sql(
  'orders_insert_charges',
  `insert into order_charge (order_id, charge_no, kind, code, amount_minor, tax_minor)
   select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])`,
);
export const insertTaxes = sql(
  'orders_insert_taxes',
  `insert into order_tax (order_id, tax_no, line_no, charge_no, code, rate, base_minor, tax_minor, own_minor)
   select * from unnest($1::bigint[], $2::int[], $3::int[], $4::int[], $5::text[], $6::numeric[], $7::bigint[], $8::bigint[], $9::bigint[])`,
);

/** How far each charge has come. */
export interface BillingRow {
  order_id: number;
  accepted_minor: number;
  cancelled_minor: number;
  shipped_minor: number;
  returned_minor: number;
  charges: ChargeProgress[] | null;
  lines: { lineNo: number; invoicedTaxMinor: number; creditedTaxMinor: number }[] | null;
}
export const readBilling = sql<BillingRow>(
  'orders_read_billing',
  `select b.order_id, b.accepted_minor, b.cancelled_minor, b.shipped_minor, b.returned_minor,
          (select json_agg(json_build_object('chargeNo', c.charge_no, 'kind', c.kind, 'code', c.code, 'amountMinor', c.amount_minor, 'taxMinor', c.tax_minor,
                  'due', json_build_object('amountMinor', c.due_minor, 'taxMinor', c.due_tax_minor),
                  'cancelled', json_build_object('amountMinor', c.cancelled_minor, 'taxMinor', c.cancelled_tax_minor),
                  'refunded', json_build_object('amountMinor', c.refunded_minor, 'taxMinor', c.refunded_tax_minor),
                  'invoiced', json_build_object('amountMinor', c.invoiced_minor, 'taxMinor', c.invoiced_tax_minor),
                  'credited', json_build_object('amountMinor', c.credited_minor, 'taxMinor', c.credited_tax_minor))
                  order by c.charge_no)
             from order_charge c where c.order_id = b.order_id) as charges,
          (select json_agg(json_build_object('lineNo', t.line_no, 'invoicedTaxMinor', t.invoiced_minor, 'creditedTaxMinor', t.credited_minor))
             from order_line_tax t where t.order_id = b.order_id) as lines
     from order_billing b where b.order_id = any($1::bigint[])`,
);
export const writeBilling = sql(
  'orders_write_billing',
  `insert into order_billing (order_id, accepted_minor, cancelled_minor, shipped_minor, returned_minor)
   select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
   on conflict (order_id) do update
     set accepted_minor = excluded.accepted_minor, cancelled_minor = excluded.cancelled_minor, shipped_minor = excluded.shipped_minor,
         returned_minor = excluded.returned_minor`,
);
export const moveCharges = sql(
  'orders_move_charges',
  `update order_charge c
      set due_minor = t.due_minor, due_tax_minor = t.due_tax_minor, cancelled_minor = t.cancelled_minor, cancelled_tax_minor = t.cancelled_tax_minor,
          refunded_minor = t.refunded_minor, refunded_tax_minor = t.refunded_tax_minor, invoiced_minor = t.invoiced_minor,
          invoiced_tax_minor = t.invoiced_tax_minor, credited_minor = t.credited_minor, credited_tax_minor = t.credited_tax_minor
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                 $10::bigint[], $11::bigint[], $12::bigint[])
       as t(order_id, charge_no, due_minor, due_tax_minor, cancelled_minor, cancelled_tax_minor, refunded_minor, refunded_tax_minor,
            invoiced_minor, invoiced_tax_minor, credited_minor, credited_tax_minor)
    where c.order_id = t.order_id and c.charge_no = t.charge_no`,
);
export const writeLineTaxes = sql(
  'orders_write_line_taxes',
  `insert into order_line_tax (order_id, line_no, invoiced_minor, credited_minor)
   select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[])
   on conflict (order_id, line_no) do update set invoiced_minor = excluded.invoiced_minor, credited_minor = excluded.credited_minor`,
);
