import { sql } from '../store/index.ts';

// Readers are not held up; writers are few. Two entries, each sound, could overlap together.
export const lockCrosswalk = sql('master_lock_crosswalk', 'lock table crosswalk_entry in share row exclusive mode');

export const upsertEntries = sql<{ outside_id: string }>(
  'master_upsert_crosswalk',
  `insert into crosswalk_entry as e (system, kind, outside_id, our_code, valid_from, valid_to, recorded_by)
   select system, kind, outside_id, our_code, coalesce(valid_from, '-infinity'), coalesce(valid_to, 'infinity'), $7::text
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
       as t(system, kind, outside_id, our_code, valid_from, valid_to)
    order by system, kind, outside_id, valid_from
   on conflict (system, kind, outside_id, valid_from) do update
     set our_code = excluded.our_code, valid_to = excluded.valid_to, recorded_by = excluded.recorded_by, recorded_at = crossdock_now()
   where (e.our_code, e.valid_to) is distinct from (excluded.our_code, excluded.valid_to)
   returning outside_id`,
);
// A statement of its own: it sees what the one before has written.
export const findOverlaps = sql<{ at: number; our_code: string; valid_from: string | null; valid_to: string | null }>(
  'master_find_crosswalk_overlaps',
  `select t.at::int - 1 as at, o.our_code,
          case when isfinite(o.valid_from) then o.valid_from::text end as valid_from, case when isfinite(o.valid_to) then o.valid_to::text end as valid_to
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) with ordinality as t(system, kind, outside_id, valid_from, at)
     join crosswalk_entry e on (e.system, e.kind, e.outside_id, e.valid_from) = (t.system, t.kind, t.outside_id, coalesce(t.valid_from, '-infinity'))
     join crosswalk_entry o on (o.system, o.kind, o.outside_id) = (e.system, e.kind, e.outside_id)
      and o.valid_from <> e.valid_from and o.valid_from < e.valid_to and e.valid_from < o.valid_to
    -- Of two in one set the later is the one too many.
    order by t.at desc, o.valid_from`,
);
export const findKnownCodes = sql<{ kind: string; code: string }>(
  'master_find_known_codes',
  `select 'sku' as kind, code from sku where code = any($1::text[]) and withdrawn_at is null
   union all
   select distinct 'account', code from account where code = any($2::text[]) and withdrawn_at is null
   union all
   select 'location', code from location where code = any($3::text[])`,
);
export const endEntry = sql<{ our_code: string; valid_from: Date | number }>(
  'master_end_crosswalk',
  `update crosswalk_entry
      set valid_to = coalesce($4::timestamptz, date_trunc('milliseconds', crossdock_now())), recorded_by = $5::text, recorded_at = crossdock_now()
    where system = $1::text and kind = $2::text and outside_id = $3::text
      and valid_from < coalesce($4::timestamptz, crossdock_now()) and valid_to > coalesce($4::timestamptz, crossdock_now())
   returning our_code, valid_from`,
);

export interface EntryRow {
  system: string;
  kind: 'sku' | 'account' | 'location';
  outside_id: string;
  our_code: string;
  valid_from: string | null;
  valid_to: string | null;
  recorded_at: Date;
  recorded_by: string | null;
}
const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
const columns = `e.system, e.kind, e.outside_id, e.our_code,
          case when isfinite(e.valid_from) then to_char(e.valid_from at time zone 'utc', ${ISO}) end as valid_from,
          case when isfinite(e.valid_to) then to_char(e.valid_to at time zone 'utc', ${ISO}) end as valid_to, e.recorded_at, e.recorded_by`;

export const listEntries = sql<EntryRow>(
  'master_list_crosswalk',
  `select ${columns} from crosswalk_entry e
    where ($1::text is null or e.system = $1::text) and ($2::text is null or e.kind = $2::text)
      and ($3::text is null or e.outside_id = $3::text) and ($4::text is null or e.our_code = $4::text)
      and ($5::timestamptz is null or (e.valid_from <= $5::timestamptz and e.valid_to > $5::timestamptz))
      and ($6::text is null or (e.system, e.kind, e.outside_id, e.valid_from) > ($6::text, $7::text, $8::text, coalesce($9::timestamptz, '-infinity')))
    order by e.system, e.kind, e.outside_id, e.valid_from limit $10::int`,
);
export const readEntries = sql<EntryRow & { at: number }>(
  'master_read_crosswalk_records',
  `select t.at::int - 1 as at, ${columns}
     from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) with ordinality as t(system, kind, outside_id, valid_from, at)
     join crosswalk_entry e on (e.system, e.kind, e.outside_id, e.valid_from) = (t.system, t.kind, t.outside_id, coalesce(t.valid_from, '-infinity'))`,
);
export const removeEntries = sql(
  'master_remove_crosswalk',
  `delete from crosswalk_entry e
    using unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as t(system, kind, outside_id, valid_from)
    where (e.system, e.kind, e.outside_id, e.valid_from) = (t.system, t.kind, t.outside_id, coalesce(t.valid_from, '-infinity'))`,
);
