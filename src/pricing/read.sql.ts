import { sql } from '../store/index.ts';

export interface CandidateRow {
  kind: 'contract' | 'list';
  at: number;
  /** Of a contract. */
  contract_id: number | null;
  code: string | null;
  contract_currency: string | null;
  contract_from: string | null;
  contract_to: string | null;
  /** Null: it has no price of the SKU. */
  quantity_min: number | null;
  unit_price: string | null;
  price_per: number | null;
  currency: string | null;
  valid_from: string | null;
  valid_to: string | null;
  whole: boolean | null;
}

// What many decisions need, in one statement: $1 to $3 ask for contracts by account, SKU and day, $4 to $8 for lists by company, SKU, list,
// currency and day; `at` is the place in either. Of a list that has prices for years only what may count comes back: of each quantity the
// newest that is valid, none from before the day on which all were said; and what stands nearest otherwise, so that a decision without a
// price can say why. So with contracts: what is valid, and the last that ended and the next that begins where they name the SKU.
export const readCandidates = sql<CandidateRow>(
  'pricing_read_candidates',
  `select 'contract' as kind, t.ordinality::int - 1 as at, c.contract_id, c.code, c.currency as contract_currency,
          c.valid_from::text as contract_from, c.valid_to::text as contract_to,
          p.quantity_min, p.unit_price::text as unit_price, p.price_per, c.currency, c.valid_from::text as valid_from, c.valid_to::text as valid_to, true as whole
     from unnest($1::bigint[], $2::bigint[], $3::date[]) with ordinality as t(account_id, sku_id, day, ordinality)
    cross join lateral (
      (select k.contract_id, k.code, k.currency, k.valid_from, k.valid_to from contract k
        where k.account_id = t.account_id and k.valid_from <= t.day and k.valid_to >= t.day)
      union all
      (select k.contract_id, k.code, k.currency, k.valid_from, k.valid_to from contract k
        where k.account_id = t.account_id and k.valid_to < t.day
          and exists (select from contract_price n where n.contract_id = k.contract_id and n.sku_id = t.sku_id)
        order by k.valid_to desc, k.contract_id limit 1)
      union all
      (select k.contract_id, k.code, k.currency, k.valid_from, k.valid_to from contract k
        where k.account_id = t.account_id and k.valid_from > t.day
          and exists (select from contract_price n where n.contract_id = k.contract_id and n.sku_id = t.sku_id)
        order by k.valid_from, k.contract_id limit 1)
    ) c
     left join contract_price p on p.contract_id = c.contract_id and p.sku_id = t.sku_id
   union all
   select 'list', t.ordinality::int - 1, null, null, null, null, null,
          l.quantity_min, l.unit_price::text, l.price_per, l.currency, l.valid_from::text, l.valid_to::text, l.whole
     from unnest($4::int[], $5::bigint[], $6::text[], $7::text[], $8::date[]) with ordinality as t(company_id, sku_id, price_list, currency, day, ordinality)
    cross join lateral (
      (select distinct on (v.quantity_min) v.quantity_min, v.unit_price, v.price_per, t.currency, v.valid_from, v.valid_to, v.whole or v.valid_from = v.since as whole
         from (select p.quantity_min, p.unit_price, p.price_per, p.valid_from, p.valid_to, p.whole, max(p.valid_from) filter (where p.whole) over () as since
                 from price p
                where (p.company_id, p.sku_id, p.price_list, p.currency) = (t.company_id, t.sku_id, t.price_list, t.currency)
                  and p.valid_from <= t.day and p.valid_to >= t.day) v
        where v.since is null or v.valid_from >= v.since
        order by v.quantity_min, v.valid_from desc)
      union all
      (select p.quantity_min, p.unit_price, p.price_per, p.currency, p.valid_from, p.valid_to, p.whole from price p
        where (p.company_id, p.sku_id, p.price_list, p.currency) = (t.company_id, t.sku_id, t.price_list, t.currency) and p.valid_to < t.day
        order by p.valid_to desc, p.quantity_min limit 1)
      union all
      (select p.quantity_min, p.unit_price, p.price_per, p.currency, p.valid_from, p.valid_to, p.whole from price p
        where (p.company_id, p.sku_id, p.price_list, p.currency) = (t.company_id, t.sku_id, t.price_list, t.currency) and p.valid_from > t.day
        order by p.valid_from, p.quantity_min limit 1)
      union all
      (select p.quantity_min, p.unit_price, p.price_per, p.currency, p.valid_from, p.valid_to, p.whole from price p
        where (p.company_id, p.sku_id, p.price_list) = (t.company_id, t.sku_id, t.price_list) and p.currency <> t.currency
        order by p.currency, p.quantity_min limit 1)
    ) l`,
);
