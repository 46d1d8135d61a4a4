import { sql } from '../store/index.ts';

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
