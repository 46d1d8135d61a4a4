import { sql } from '../store/index.ts';

export const readReferenceEnding = sql<{ reference_ending: string }>(
  'master_read_reference_ending',
  'select reference_ending from hub',
);

export const upsertCompany = sql<{ company_id: number }>(
  'master_upsert_company',
  `insert into company (code, currency, time_zone) values ($1::text, $2::text, $3::text)
   on conflict (code) do update set currency = excluded.currency, time_zone = excluded.time_zone returning company_id`,
);
export const upsertLocation = sql<{ location_id: number }>(
  'master_upsert_location',
  `insert into location as l (code, company_id, region, priority, safety_stock, settings, returns)
   values ($1::text, $2::int, $3::text, $4::int, coalesce($5::bigint, 0), $6::json, $7::json)
   on conflict (code) do update set company_id = excluded.company_id, region = excluded.region, priority = excluded.priority,
                                    safety_stock = coalesce($5::bigint, l.safety_stock), settings = excluded.settings, returns = excluded.returns
   returning location_id`,
);
export const upsertChannel = sql<{ channel_id: number }>(
  'master_upsert_channel',
  `insert into channel (code, company_id, settings) values ($1::text, $2::int, $3::json)
   on conflict (code) do update set company_id = excluded.company_id, settings = excluded.settings returning channel_id`,
);
export const upsertDestination = sql<{ destination_id: number; counts_net: boolean }>(
  'master_upsert_destination',
  `insert into destination as d (code, counts_net) values ($1::text, coalesce($2::boolean, false))
   on conflict (code) do update set counts_net = coalesce($2::boolean, d.counts_net) returning destination_id, counts_net`,
);

export const findSkus = sql<{ code: string; sku_id: number; unit: string }>(
  'master_find_skus',
  'select code, sku_id, unit from sku where code = any($1::text[]) and withdrawn_at is null',
);
export const findSkuCodes = sql<{ code: string; sku_id: number; unit: string }>(
  'master_find_sku_codes',
  'select code, sku_id, unit from sku where sku_id = any($1::bigint[])',
);
// All entries of these ids, whenever they hold: what comes in happened at times of its own.
export const findCrosswalk = sql<{
  kind: string;
  outside_id: string;
  our_code: string;
  valid_from: Date | number;
  valid_to: Date | number;
}>(
  'master_find_crosswalk',
  `select kind, outside_id, our_code, valid_from, valid_to from crosswalk_entry
    where system = $1::text and kind = any($2::text[]) and outside_id = any($3::text[])`,
);
export const findAccounts = sql<{ company_id: number; code: string; account_id: number }>(
  'master_find_accounts',
  `select a.company_id, a.code, a.account_id from account a
     join unnest($1::int[], $2::text[]) as t(company_id, code) using (company_id, code)
    where a.withdrawn_at is null`,
);
// Of the last minutes: a look at it comes every few seconds.
export const findWithdrawn = sql<{ sku_code: string | null; company_id: number | null; account_code: string | null }>(
  'master_find_withdrawn',
  `select code as sku_code, null::int as company_id, null::text as account_code
     from sku where withdrawn_at > crossdock_now() - interval '10 minutes'
   union all
   select null, company_id, code from account where withdrawn_at > crossdock_now() - interval '10 minutes'`,
);
// With what their orders are to be, which of a merged one is the other's.
export const findMerged = sql<{ account_id: number; merged_into: number | null; ship_complete: boolean }>(
  'master_find_merged',
  `select a.account_id, a.merged_into, g.ship_complete from account a
     join unnest($1::int[], $2::text[]) as t(company_id, code) using (company_id, code)
     join account g on g.account_id = coalesce(a.merged_into, a.account_id)
    where a.merged_into is not null or g.ship_complete`,
);
// Merged accounts name the last of their row, so all that are one by now name that, or are it.
export const findSameAccounts = sql<{ company_id: number; code: string; same: string }>(
  'master_find_same_accounts',
  `select t.company_id, t.code, a.code as same
     from unnest($1::int[], $2::text[]) as t(company_id, code)
     join account g using (company_id, code)
     join account a on a.account_id = coalesce(g.merged_into, g.account_id) or a.merged_into = coalesce(g.merged_into, g.account_id)
    where a.code <> t.code`,
);
export const findAccountCodes = sql<{ account_id: number; code: string }>(
  'master_find_account_codes',
  'select account_id, code from account where account_id = any($1::bigint[])',
);
// Only a change is written: every start of every process, and every command, says it again.
export const upsertRule = sql(
  'master_upsert_rule',
  `insert into declared_rule as r (name, settings) values ($1::text, $2::json)
   on conflict (name) do update set settings = excluded.settings where r.settings::text <> excluded.settings::text`,
);
