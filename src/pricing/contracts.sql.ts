import { sql } from '../store/index.ts';

export const findContracts = sql<{
  company_id: number;
  code: string;
  contract_id: number;
  account_id: number;
  currency: string;
  changed_at: Date | null;
}>(
  'pricing_find_contracts',
  `select company_id, code, contract_id, account_id, currency, nullif(changed_at, '-infinity') as changed_at from contract
     join unnest($1::int[], $2::text[]) as t(company_id, code) using (company_id, code)`,
);
// Other contracts of the same accounts and currencies, however they are dated: those of $5 are put anew.
export const findContractsOf = sql<{
  account_id: number;
  currency: string;
  code: string;
  valid_from: string;
  valid_to: string;
}>(
  'pricing_find_contracts_of',
  `select distinct c.account_id, c.currency, c.code, c.valid_from::text as valid_from, c.valid_to::text as valid_to
     from unnest($1::bigint[], $2::text[], $3::date[], $4::date[]) as t(account_id, currency, valid_from, valid_to)
     join contract c on c.account_id = t.account_id and c.currency = t.currency and c.valid_from <= t.valid_to and c.valid_to >= t.valid_from
    where c.contract_id <> all($5::bigint[])`,
);
// Returned is what really changed.
export const upsertContracts = sql<{ contract_id: number; code: string }>(
  'pricing_upsert_contracts',
  `insert into contract as c (company_id, account_id, code, currency, valid_from, valid_to, changed_at)
   select company_id, account_id, code, currency, valid_from, valid_to, coalesce(changed_at, '-infinity')
     from unnest($1::int[], $2::bigint[], $3::text[], $4::text[], $5::date[], $6::date[], $7::timestamptz[])
       as t(company_id, account_id, code, currency, valid_from, valid_to, changed_at)
    order by company_id, code
   on conflict (company_id, code) do update
     set valid_from = excluded.valid_from, valid_to = excluded.valid_to, changed_at = greatest(c.changed_at, excluded.changed_at), updated_at = crossdock_now()
   where excluded.changed_at in ('-infinity', greatest(c.changed_at, excluded.changed_at))
     and ((c.valid_from, c.valid_to) is distinct from (excluded.valid_from, excluded.valid_to) or excluded.changed_at > c.changed_at)
   returning contract_id, code`,
);
// Of these contracts everything but what is named. Locked in the order in which they are written.
export const endOtherPrices = sql<{ contract_id: number }>(
  'pricing_end_other_prices',
  `with gone as (
     select p.contract_id, p.sku_id, p.quantity_min
       from contract c join contract_price p using (contract_id)
      where (c.company_id, c.code) in (select company_id, code from unnest($1::int[], $2::text[]) as t(company_id, code))
        and (c.company_id, c.code, p.sku_id, p.quantity_min)
              not in (select company_id, code, sku_id, quantity_min from unnest($3::int[], $4::text[], $5::bigint[], $6::bigint[]) as k(company_id, code, sku_id, quantity_min))
      order by p.contract_id, p.sku_id, p.quantity_min for update of p)
   delete from contract_price p using gone
    where p.contract_id = gone.contract_id and p.sku_id = gone.sku_id and p.quantity_min = gone.quantity_min
   returning p.contract_id`,
);
export const upsertContractPrices = sql<{ contract_id: number }>(
  'pricing_upsert_contract_prices',
  `insert into contract_price as p (contract_id, sku_id, quantity_min, unit_price, price_per)
   select contract_id, sku_id, quantity_min, unit_price, price_per
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::numeric[], $5::bigint[]) as t(contract_id, sku_id, quantity_min, unit_price, price_per)
    order by contract_id, sku_id, quantity_min
   on conflict (contract_id, sku_id, quantity_min) do update
     set unit_price = excluded.unit_price, price_per = excluded.price_per, updated_at = crossdock_now()
   where (p.unit_price, p.price_per) is distinct from (excluded.unit_price, excluded.price_per)
   returning contract_id`,
);
