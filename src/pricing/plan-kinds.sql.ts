import { sql } from '../store/index.ts';

export const lockContracts = sql('pricing_lock_contract_table', 'lock table contract in share row exclusive mode');
export const lockContractPrices = sql(
  'pricing_lock_contract_tables',
  'lock table contract, contract_price in share row exclusive mode',
);
export const listCompanies = sql<{ company_id: number }>(
  'pricing_list_companies',
  'select company_id from company order by company_id',
);
export const readContractRecords = sql<{
  at: number;
  account_id: number;
  account: string;
  currency: string;
  valid_from: string | null;
  valid_to: string | null;
}>(
  'pricing_read_contract_records',
  `select t.at::int - 1 as at, c.account_id, a.code as account, c.currency, nullif(c.valid_from, '-infinity')::text as valid_from,
          nullif(c.valid_to, 'infinity')::text as valid_to
     from unnest($1::text[], $2::text[]) with ordinality as t(company, code, at)
     join company o on o.code = t.company
     join contract c on c.company_id = o.company_id and c.code = t.code
     join account a on a.account_id = c.account_id`,
);
export const readContractPriceRecords = sql<{ at: number; sku_id: number; unit_price: string; price_per: number }>(
  'pricing_read_contract_price_records',
  `select t.at::int - 1 as at, p.sku_id, p.unit_price::text as unit_price, p.price_per
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) with ordinality as t(company, code, sku, quantity_min, at)
     join company o on o.code = t.company
     join contract c on c.company_id = o.company_id and c.code = t.code
     join sku s on s.code = t.sku
     join contract_price p on p.contract_id = c.contract_id and p.sku_id = s.sku_id and p.quantity_min = t.quantity_min`,
);
// Those that no price names.
export const removeContracts = sql<{ at: number }>(
  'pricing_remove_contracts',
  `with named as (select t.at::int - 1 as at, c.contract_id from unnest($1::text[], $2::text[]) with ordinality as t(company, code, at)
                    join company o on o.code = t.company join contract c on c.company_id = o.company_id and c.code = t.code),
        gone as (delete from contract c using named n where c.contract_id = n.contract_id
                    and not exists (select from contract_price p where p.contract_id = c.contract_id) returning c.contract_id)
   select at from named where contract_id in (select contract_id from gone)`,
);
export const removeContractPrices = sql(
  'pricing_remove_contract_prices',
  `delete from contract_price p
    using unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as t(company, code, sku, quantity_min)
     join company o on o.code = t.company
     join contract c on c.company_id = o.company_id and c.code = t.code
     join sku s on s.code = t.sku
    where p.contract_id = c.contract_id and p.sku_id = s.sku_id and p.quantity_min = t.quantity_min`,
);
