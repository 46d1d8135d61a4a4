import { sql } from '../store/index.ts';

export interface AccountTermsRow {
  account_id: number;
  company_id: number;
  parent_id: number | null;
  path: number[];
  hold_account_id: number | null;
  hold_reason: string | null;
  payment_terms: string | null;
  price_list: string | null;
  priority_class: string;
  ship_complete: boolean;
  region: string | null;
}
// A bound of its own on the depth: whatever is in the table, this ends.
export const readTerms = sql<AccountTermsRow>(
  'master_read_account_terms',
  `with recursive line as (
     select a.account_id as of, a.account_id, a.parent_id, 1 as depth from account a where a.account_id = any($1::bigint[])
     union all
     select l.of, p.account_id, p.parent_id, l.depth + 1
       from line l join account p on p.account_id = l.parent_id
      where l.depth < $2::int)
   select a.account_id, a.company_id, a.parent_id, array_agg(l.account_id order by l.depth) as path,
          (array_agg(p.account_id order by l.depth) filter (where p.hold_reason is not null))[1] as hold_account_id,
          (array_agg(p.hold_reason order by l.depth) filter (where p.hold_reason is not null))[1] as hold_reason,
          (array_agg(p.payment_terms order by l.depth) filter (where p.payment_terms is not null))[1] as payment_terms,
          (array_agg(p.price_list order by l.depth) filter (where p.price_list is not null))[1] as price_list,
          a.priority_class, a.ship_complete, a.region
     from account a
     join line l on l.of = a.account_id
     join account p on p.account_id = l.account_id
    group by a.account_id`,
);
