import { sql } from '../store/index.ts';
import type { Said, SetBy } from './provenance.ts';

export const addAccounts = sql<{ company_id: number; code: string }>(
  'master_add_accounts',
  `insert into account (company_id, code, currency)
   select t.company_id, t.code, t.currency
     from unnest($1::int[], $2::text[], $3::text[]) as t(company_id, code, currency)
    where not exists (select from account a where a.company_id = t.company_id and a.code = t.code)
    order by t.company_id, t.code
   on conflict (company_id, code) do nothing returning company_id, code`,
);
export interface AccountRow {
  account_id: number;
  company_id: number;
  code: string;
  channel: string | null;
  name: string;
  parent_id: number | null;
  payment_terms: string | null;
  hold_reason: string | null;
  price_list: string | null;
  priority_class: string;
  ship_complete: boolean;
  region: string | null;
  merged_into: number | null;
  changed_at: string | null;
  said: Said;
  set_by: SetBy;
  is_withdrawn: boolean;
}
// Of the rows themselves and nothing that hangs on them: that would be as it was before we waited for the lock.
export const lockAccounts = sql<AccountRow>(
  'master_lock_accounts',
  `select a.account_id, a.company_id, a.code, a.channel, a.name, a.parent_id, a.payment_terms, a.hold_reason, a.price_list,
          a.priority_class, a.ship_complete, a.region, a.merged_into, a.said, a.set_by, a.withdrawn_at is not null as is_withdrawn,
          to_char(nullif(a.changed_at, '-infinity') at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as changed_at
     from account a
     join unnest($1::int[], $2::text[]) as t(company_id, code) using (company_id, code)
    order by a.company_id, a.code for no key update of a`,
);
export const updateAccounts = sql(
  'master_update_accounts',
  `update account a
      set channel = t.channel, name = t.name, parent_id = t.parent_id, payment_terms = t.payment_terms, hold_reason = t.hold_reason,
          price_list = t.price_list, priority_class = t.priority_class, ship_complete = t.ship_complete, region = t.region,
          said = t.said::json, set_by = t.set_by::json, changed_at = greatest(a.changed_at, t.changed_at), updated_at = crossdock_now(),
          withdrawn_at = null,
          merged_into = case when t.parts then null else a.merged_into end
     from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::text[],
                 $11::text[], $12::text[], $13::timestamptz[], $14::boolean[])
       as t(account_id, channel, name, parent_id, payment_terms, hold_reason, price_list, priority_class, ship_complete, region,
            said, set_by, changed_at, parts)
    where a.account_id = t.account_id`,
);
// Of this very transaction: nobody has seen them.
export const removeAccounts = sql('master_remove_accounts', 'delete from account where account_id = any($1::bigint[])');

// One writer of parents at a time: two, each sound, could close a circle together. The bytes of "xdparent".
export const lockParents = sql('master_lock_parents', 'select pg_advisory_xact_lock(8675182346055806580)');
// All accounts above and below these, by what is above them; one that was merged stands for the other. It ends whatever is in the table.
export const readParentsAround = sql<{ company_id: number; code: string; parent: string }>(
  'master_read_parents_around',
  `with recursive start as (
     select a.account_id, a.parent_id from account a join unnest($1::int[], $2::text[]) as t(company_id, code) using (company_id, code)),
   up as (select account_id, parent_id from start
          union select a.account_id, a.parent_id from up u join account a on a.account_id = u.parent_id),
   down as (select account_id, parent_id from start
            union select a.account_id, a.parent_id from down d join account a on a.parent_id = d.account_id)
   select a.company_id, a.code, p.code as parent
     from (select account_id, parent_id from up union select account_id, parent_id from down) e
     join account a on a.account_id = e.account_id
     join account p on p.account_id = e.parent_id`,
);
// What an account is known by as a parent: the one that it was merged into.
export const findParents = sql<{ company_id: number; code: string; parent_id: number; parent: string }>(
  'master_find_parents',
  `select t.company_id, t.code, p.account_id as parent_id, p.code as parent
     from unnest($1::int[], $2::text[]) as t(company_id, code)
     join account a using (company_id, code)
     join account p on p.account_id = coalesce(a.merged_into, a.account_id)
    where p.withdrawn_at is null`,
);

export interface AddressRow {
  account_id: number;
  code: string;
  name: string;
  lines: string[];
  city: string;
  postal_code: string;
  country: string;
}
export const readAddresses = sql<AddressRow>(
  'master_read_addresses',
  `select account_id, code, name, lines, city, postal_code, country from account_address where account_id = any($1::bigint[]) order by account_id, code`,
);
export const removeAddresses = sql(
  'master_remove_addresses',
  'delete from account_address where account_id = any($1::bigint[])',
);
export const insertAddresses = sql(
  'master_insert_addresses',
  `insert into account_address (account_id, code, name, lines, city, postal_code, country)
   select account_id, code, name, array(select json_array_elements_text(lines::json)), city, postal_code, country
     from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as t(account_id, code, name, lines, city, postal_code, country)`,
);
