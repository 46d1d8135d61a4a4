import { sql } from '../store/index.ts';

// Whole tables, for the moment of one batch: between what is read and what is put nobody writes, also no record that isn't there yet.
// Readers are not held up. In the order in which the other writers come to them.
export const lockProducts = sql(
  'master_lock_product_tables',
  'lock table sku, product_gtin in share row exclusive mode',
);
export const lockSubstituteTables = sql(
  'master_lock_substitute_tables',
  'lock table sku, sku_substitute in share row exclusive mode',
);
export const lockKitTables = sql('master_lock_kit_tables', 'lock table sku, kit_component in share row exclusive mode');
export const lockUnitTables = sql('master_lock_unit_tables', 'lock table sku, sku_unit in share row exclusive mode');
export const lockAddressTables = sql(
  'master_lock_address_tables',
  'lock table account, account_address in share row exclusive mode',
);
export const lockAccounts = sql('master_lock_account_tables', 'lock table account in share row exclusive mode');
export const lockPriceTable = sql('master_lock_price_table', 'lock table price in share row exclusive mode');

export const readProducts = sql<{
  at: number;
  sku_id: number;
  description: string;
  unit: string;
  gtin: string | null;
  lifecycle: string;
  weightG: number | null;
  lengthMm: number | null;
  widthMm: number | null;
  heightMm: number | null;
  orderMultiple: number;
  orderMinimum: number;
  orderRounding: string;
}>(
  'master_read_product_records',
  `select t.at::int - 1 as at, s.sku_id, s.description, s.unit, (select min(g.gtin) from product_gtin g where g.sku = s.code) as gtin,
          s.lifecycle, s.weight_g as "weightG", s.length_mm as "lengthMm", s.width_mm as "widthMm", s.height_mm as "heightMm",
          s.order_multiple as "orderMultiple", s.order_minimum as "orderMinimum", s.order_rounding as "orderRounding"
     from unnest($1::text[]) with ordinality as t(code, at) join sku s on s.code = t.code
    where s.withdrawn_at is null`,
);
export const readAccounts = sql<{
  at: number;
  account_id: number;
  channel: string | null;
  name: string;
  parent: string | null;
  paymentTerms: string | null;
  hold: string | null;
  priceList: string | null;
  priorityClass: string;
  shipComplete: boolean;
  region: string | null;
}>(
  'master_read_account_records',
  `select t.at::int - 1 as at, a.account_id, a.channel, a.name, p.code as parent, a.payment_terms as "paymentTerms", a.hold_reason as hold,
          a.price_list as "priceList", a.priority_class as "priorityClass", a.ship_complete as "shipComplete", a.region
     from unnest($1::text[], $2::text[]) with ordinality as t(company, code, at)
     join company c on c.code = t.company
     join account a on a.company_id = c.company_id and a.code = t.code
     left join account p on p.account_id = a.parent_id
    where a.withdrawn_at is null`,
);
export const listCompanyIds = sql<{ company_id: number }>(
  'master_list_company_ids',
  'select company_id from company order by company_id',
);
export const findCompanies = sql<{ company_id: number; code: string }>(
  'master_find_companies',
  'select company_id, code from company where code = any($1::text[])',
);
// By ids: joined with the tables of the codes, it was planned as if those had few rows, and took seconds.
export const readPrices = sql<{
  at: number;
  sku_id: number;
  unit_price: string;
  valid_to: string | null;
  price_per: number;
}>(
  'master_read_price_records',
  `select t.at::int - 1 as at, p.sku_id, p.unit_price::text as unit_price, p.price_per, nullif(p.valid_to, 'infinity')::text as valid_to
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::bigint[])
       with ordinality as t(company_id, sku_id, price_list, currency, valid_from, quantity_min, at)
     join price p using (company_id, sku_id, price_list, currency, valid_from, quantity_min)`,
);
export interface ListRow {
  at: number;
  subject_id: number;
  list: (string | object)[] & (string[] | object[]);
}
export const readSubstituteLists = sql<ListRow>(
  'master_read_substitute_records',
  `select t.at::int - 1 as at, s.sku_id as subject_id, array_agg(o.code order by u.rank) as list
     from unnest($1::text[]) with ordinality as t(code, at)
     join sku s on s.code = t.code
     join sku_substitute u on u.sku_id = s.sku_id
     join sku o on o.sku_id = u.substitute_id
    group by t.at, s.sku_id`,
);
export const readKitLists = sql<ListRow>(
  'master_read_kit_records',
  `select t.at::int - 1 as at, s.sku_id as subject_id, json_agg(json_build_object('sku', o.code, 'quantity', k.quantity) order by o.code) as list
     from unnest($1::text[]) with ordinality as t(code, at)
     join sku s on s.code = t.code
     join kit_component k on k.kit_sku_id = s.sku_id
     join sku o on o.sku_id = k.component_id
    group by t.at, s.sku_id`,
);
export const readUnitLists = sql<ListRow>(
  'master_read_unit_records',
  `select t.at::int - 1 as at, s.sku_id as subject_id,
          json_agg(json_strip_nulls(json_build_object('unit', u.unit, 'packLevel', u.pack_level, 'numerator', u.numerator,
                                                      'denominator', u.denominator, 'gtin', u.gtin)) order by u.unit) as list
     from unnest($1::text[]) with ordinality as t(code, at)
     join sku s on s.code = t.code
     join sku_unit u on u.sku_id = s.sku_id
    group by t.at, s.sku_id`,
);
export const readAddressLists = sql<ListRow>(
  'master_read_address_records',
  `select t.at::int - 1 as at, a.account_id as subject_id,
          json_agg(json_build_object('code', d.code, 'name', d.name, 'lines', d.lines, 'city', d.city, 'postalCode', d.postal_code,
                                     'country', d.country) order by d.code) as list
     from unnest($1::text[], $2::text[]) with ordinality as t(company, code, at)
     join company c on c.code = t.company
     join account a on a.company_id = c.company_id and a.code = t.code
     join account_address d on d.account_id = a.account_id
    group by t.at, a.account_id`,
);

// What names a SKU. Whoever has a balance may have movements, orders and promises.
export const findProductUses = sql<{ code: string; used_by: string }>(
  'master_find_product_uses',
  `with named as materialized (select sku_id, code from sku where code = any($1::text[]))
   select n.code,
          case when exists (select from stock_balance b where b.sku_id = n.sku_id) then 'stock'
               when exists (select from price p where p.sku_id = n.sku_id) then 'a price'
               when exists (select from sku_substitute u where u.sku_id = n.sku_id or u.substitute_id = n.sku_id) then 'substitutes'
               when exists (select from kit_component k where k.kit_sku_id = n.sku_id or k.component_id = n.sku_id) then 'a kit'
               when exists (select from crosswalk_entry c where c.kind = 'sku' and c.our_code = n.code) then 'the crosswalk'
               when n.sku_id in (select l.sku_id from order_line l where l.sku_id = any(array(select sku_id from named))) then 'an order'
          end as used_by
     from named n`,
);
export const withdrawProducts = sql<{ code: string }>(
  'master_withdraw_products',
  `with gone as (delete from product_gtin where sku = any($1::text[])),
        uncounted as (delete from sku_unit where sku_id in (select sku_id from sku where code = any($1::text[])))
   update sku set withdrawn_at = crossdock_now(), updated_at = crossdock_now() where code = any($1::text[]) and withdrawn_at is null returning code`,
);
export const findAccountUses = sql<{ at: number; used_by: string | null }>(
  'master_find_account_uses',
  `select t.at::int - 1 as at,
          case when exists (select from sales_order o where o.account_id = a.account_id) then 'an order'
               when exists (select from account m where m.merged_into = a.account_id) then 'a merged account'
               when exists (select from account b where b.parent_id = a.account_id) then 'an account below it'
               when exists (select from crosswalk_entry c where c.kind = 'account' and c.our_code = a.code) then 'the crosswalk'
          end as used_by
     from unnest($1::text[], $2::text[]) with ordinality as t(company, code, at)
     join company c on c.code = t.company
     join account a on a.company_id = c.company_id and a.code = t.code`,
);
export const withdrawAccounts = sql<{ account_id: number }>(
  'master_withdraw_accounts',
  `update account a set withdrawn_at = crossdock_now(), updated_at = crossdock_now()
     from unnest($1::text[], $2::text[]) as t(company, code) join company c on c.code = t.company
    where a.company_id = c.company_id and a.code = t.code and a.withdrawn_at is null
   returning a.account_id`,
);
export const withdrawPrices = sql<{ company_id: number; sku_id: number }>(
  'master_withdraw_prices',
  `delete from price p
    using unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::bigint[])
            as t(company_id, sku_id, price_list, currency, valid_from, quantity_min)
    where (p.company_id, p.sku_id, p.price_list, p.currency, p.valid_from, p.quantity_min)
        = (t.company_id, t.sku_id, t.price_list, t.currency, t.valid_from, t.quantity_min)
   returning p.company_id, p.sku_id`,
);
