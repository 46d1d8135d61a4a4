import { sql } from '../store/index.ts';

// One at a time: two systems that bring the same account at once would both find nothing.
export const lockMatching = sql('master_lock_matching', 'lock table match_case in share row exclusive mode');

export const writeIdentities = sql<{ account_id: number }>(
  'master_write_identities',
  `insert into account_identity as i (account_id, kind, system, value)
   select a.account_id, t.kind, t.system, t.value
     from unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[]) as t(company_id, code, kind, system, value)
     join account a on a.company_id = t.company_id and a.code = t.code
    order by a.account_id, t.kind, t.system
   on conflict (account_id, kind, system) do update set value = excluded.value where i.value <> excluded.value
   returning account_id`,
);
export const forgetKeys = sql(
  'master_forget_match_keys',
  `delete from match_subject where kind = 'account' and subject_id = any($1::bigint[])`,
);

export interface SubjectRow {
  subject_id: number;
  code: string;
  /** What it is called. */
  name: string;
  updated_at: string;
  /** What it is known by beside that. */
  identities: { kind: 'taxId' | 'email' | 'postalCode' | 'gtin'; value: string }[] | null;
}
const identities = `(select json_agg(json_build_object('kind', i.kind, 'value', i.value) order by i.kind, i.system)
             from account_identity i where i.account_id = a.account_id) as identities`;

const gtins = `(select json_agg(json_build_object('kind', 'gtin', 'value', g.gtin) order by g.gtin)
             from product_gtin g where g.sku = s.code) as identities`;

/** Those that have changed since their keys were made, or never had any. */
export const findUnseenAccounts = sql<SubjectRow>(
  'master_find_unseen_accounts',
  `select a.account_id as subject_id, a.code, a.name, a.updated_at::text as updated_at, ${identities}
     from account a left join match_subject m on m.kind = 'account' and m.subject_id = a.account_id
    where a.company_id = $1::int and m.seen_at is distinct from a.updated_at order by a.account_id limit $2::int`,
);
// By their codes: one that was just added is found by the next without a look at all the others.
export const findAccountsToSee = sql<SubjectRow>(
  'master_find_accounts_to_see',
  `select a.account_id as subject_id, a.code, a.name, a.updated_at::text as updated_at, ${identities}
     from account a where a.company_id = $1::int and a.code = any($2::text[])`,
);
export const findProductsToSee = sql<SubjectRow>(
  'master_find_products_to_see',
  `select s.sku_id as subject_id, s.code, s.description as name, s.updated_at::text as updated_at, ${gtins}
     from sku s where $1::int = 0 and s.code = any($2::text[])`,
);
export const findUnseenProducts = sql<SubjectRow>(
  'master_find_unseen_products',
  `select s.sku_id as subject_id, s.code, s.description as name, s.updated_at::text as updated_at, ${gtins}
     from sku s left join match_subject m on m.kind = 'product' and m.subject_id = s.sku_id
    where $1::int = 0 and m.seen_at is distinct from s.updated_at order by s.sku_id limit $2::int`,
);
export const removeKeys = sql(
  'master_remove_match_keys',
  `delete from match_key where kind = $1::text and subject_id = any($2::bigint[])`,
);
export const insertKeys = sql(
  'master_insert_match_keys',
  `insert into match_key (kind, company_id, key, subject_id)
   select $1::text, $2::int, key, subject_id from unnest($3::text[], $4::bigint[]) as t(key, subject_id) order by key, subject_id
   on conflict do nothing`,
);
export const rememberSeen = sql(
  'master_remember_seen_subjects',
  `insert into match_subject (kind, subject_id, seen_at) select $1::text, subject_id, seen_at from unnest($2::bigint[], $3::timestamptz[]) as t(subject_id, seen_at)
   on conflict (kind, subject_id) do update set seen_at = excluded.seen_at`,
);

const found = `(select k.subject_id, bool_or(k.key not like 'word:%') as is_whole, count(*) as shared
             from match_key k where k.kind = $6::text and k.company_id = $1::int and k.key = any($2::text[])
            group by k.subject_id order by 2 desc, 3 desc, 1 limit $5::int) as f`;
const apart = `(select p.our_code from match_apart p
            where p.kind = $6::text and p.system = $3::text and p.company_id = $1::int and p.outside_id = $4::text)`;
// Whole values before words, many words before few. Not those that are another's by now, and none that was kept apart.
export const findAccountCandidates = sql<SubjectRow>(
  'master_find_account_candidates',
  `select a.account_id as subject_id, a.code, a.name, a.updated_at::text as updated_at, ${identities}
     from ${found} join account a on a.account_id = f.subject_id
    where a.merged_into is null and a.withdrawn_at is null and a.code not in ${apart} order by a.code`,
);
export const findProductCandidates = sql<SubjectRow>(
  'master_find_product_candidates',
  `select s.sku_id as subject_id, s.code, s.description as name, s.updated_at::text as updated_at, ${gtins}
     from ${found} join sku s on s.sku_id = f.subject_id
    where s.withdrawn_at is null and s.code not in ${apart} order by s.code`,
);

export const findMapped = sql<{ our_code: string }>(
  'master_find_mapped_code',
  `select our_code from crosswalk_entry
    where system = $1::text and kind = $3::text and outside_id = $2::text and valid_from <= crossdock_now() and valid_to > crossdock_now()`,
);
// From the end of what it meant before, if it meant anything; up to what it will mean.
export const mapCode = sql(
  'master_map_code',
  `insert into crosswalk_entry (system, kind, outside_id, our_code, valid_from, valid_to, recorded_by)
   select $1::text, $5::text, $2::text, $3::text, coalesce(max(valid_to) filter (where valid_to <= crossdock_now()), '-infinity'),
          coalesce(min(valid_from) filter (where valid_from > crossdock_now()), 'infinity'), $4::text
     from crosswalk_entry where system = $1::text and kind = $5::text and outside_id = $2::text`,
);
export const endMapping = sql(
  'master_end_mapping',
  `update crosswalk_entry set valid_to = date_trunc('milliseconds', crossdock_now()), recorded_by = $4::text, recorded_at = crossdock_now()
    where system = $1::text and kind = $5::text and outside_id = $2::text and our_code = $3::text
      and valid_from < date_trunc('milliseconds', crossdock_now()) and valid_to > crossdock_now()
   returning our_code`,
);
export const findTakenAccountCodes = sql<{ code: string }>(
  'master_find_taken_account_codes',
  'select code from account where company_id = $1::int and code = any($2::text[])',
);
export const findTakenProductCodes = sql<{ code: string }>(
  'master_find_taken_product_codes',
  'select code from sku where $1::int = 0 and code = any($2::text[])',
);

export interface CaseRow {
  match_id: number;
  kind: 'account' | 'product';
  system: string;
  company_id: number;
  outside_id: string;
  record: Record<string, string>;
  state: 'open' | 'merged' | 'apart' | 'undone';
  our_code: string | null;
  decided_by: string | null;
  reason: string | null;
  recorded_at: Date;
  decided_at: Date | null;
}
const columns = `match_id, kind, system, company_id, outside_id, record, state, our_code, decided_by, reason, recorded_at, decided_at`;

export const openCase = sql<{ match_id: number }>(
  'master_open_match',
  `insert into match_case (kind, system, company_id, outside_id, record, state) values ($5::text, $1::text, $2::int, $3::text, $4::json, 'open')
   on conflict (kind, system, company_id, outside_id) where state = 'open' do update set record = excluded.record
   returning match_id`,
);
export const removeCandidates = sql(
  'master_remove_match_candidates',
  'delete from match_candidate where match_id = $1::bigint',
);
export const insertCandidates = sql(
  'master_insert_match_candidates',
  `insert into match_candidate (match_id, our_code, rule, score, record)
   select $1::bigint, our_code, rule, score, record::json from unnest($2::text[], $3::text[], $4::numeric[], $5::text[]) as t(our_code, rule, score, record)`,
);
export const decideCase = sql(
  'master_decide_match',
  `update match_case set state = $2::text, our_code = $3::text, decided_by = $4::text, reason = $5::text, decided_at = crossdock_now()
    where match_id = $1::bigint`,
);
export const keepApart = sql(
  'master_keep_apart',
  `insert into match_apart (kind, system, company_id, outside_id, our_code)
   select $5::text, $1::text, $2::int, $3::text, our_code from unnest($4::text[]) as t(our_code) on conflict do nothing`,
);
export const findCase = sql<CaseRow>(
  'master_find_match',
  `select ${columns} from match_case where match_id = $1::bigint`,
);
export const listCases = sql<CaseRow>(
  'master_list_matches',
  `select ${columns} from match_case
    where ($1::text is null or state = $1::text) and ($2::text is null or system = $2::text) and ($3::bigint is null or match_id < $3::bigint)
      and ($5::text is null or kind = $5::text)
    order by match_id desc limit $4::int`,
);
export const listCandidates = sql<{
  match_id: number;
  our_code: string;
  rule: string;
  score: string;
  record: Record<string, string>;
}>(
  'master_list_match_candidates',
  `select match_id, our_code, rule, score::text as score, record from match_candidate where match_id = any($1::bigint[])
    order by match_id, score desc, our_code`,
);
