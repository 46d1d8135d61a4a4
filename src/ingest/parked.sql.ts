import { sql } from '../store/index.ts';

export interface ParkedRecordRow {
  parked_id: number;
  scope: string;
  key: string;
  system: string;
  class: string;
  reason: string;
  place: string | null;
  wait_key: string | null;
  item: unknown;
  raw_id: number;
  item_no: number;
  state: 'open' | 'replayed' | 'resolved';
  attempts: number;
  resolution: string | null;
  recorded_at: Date;
  ended_at: Date | null;
}

const columns = `parked_id, scope, key, system, class, reason, place, wait_key, item, raw_id, item_no, state, attempts, resolution,
       recorded_at, ended_at`;

export const listParked = sql<ParkedRecordRow>(
  'ingest_list_parked',
  `select ${columns} from parked_record
    where state = $1::text and ($2::text is null or class = $2::text) and ($3::text is null or system = $3::text)
      and parked_id > $4::bigint
    order by parked_id limit $5::int`,
);
export const findParked = sql<ParkedRecordRow>(
  'ingest_find_parked',
  `select ${columns} from parked_record where parked_id = $1::bigint`,
);
// Keys come before everything else, as what arrives claims them: parked records, orders and balances are locked after them.
export const lockKeysOfParked = sql(
  'ingest_lock_keys_of_parked',
  `with wanted as materialized (select distinct scope, key from parked_record where parked_id = any($1::bigint[]))
   select from inbound join wanted using (scope, key) order by scope, key for update of inbound`,
);
export const lockParked = sql<ParkedRecordRow>(
  'ingest_lock_parked',
  `select ${columns} from parked_record where parked_id = $1::bigint for update`,
);
export const editParked = sql(
  'ingest_edit_parked',
  `update parked_record set item = $2::json, place = null where parked_id = $1::bigint`,
);
export const resolveParked = sql(
  'ingest_resolve_parked',
  `update parked_record set state = 'resolved', resolution = $2::text, ended_at = crossdock_now() where parked_id = $1::bigint`,
);
// The first content of a conflict stays applied; anything else that a person gave up is superseded.
export const supersedeKey = sql(
  'ingest_supersede_key',
  `update inbound set state = 's' where scope = $1::text and key = $2::text and state in ('w', 'p')`,
);
export const readBody = sql<{ content_type: string; body: Buffer; recorded_at: Date }>(
  'ingest_read_body',
  'select content_type, body, recorded_at from raw_record where raw_id = $1::bigint',
);

export interface CameRow {
  nth: number;
  scope: string;
  key: string;
  fingerprint: string;
  raw_id: number;
  system: string | null;
  source: string | null;
  recorded_at: Date;
}
export const findCame = sql<CameRow>(
  'ingest_find_came',
  `select t.nth::int as nth, i.scope, i.key, i.fingerprint, coalesce(t.raw_id, i.raw_id) as raw_id, r.system, r.source,
          coalesce(r.recorded_at, i.recorded_at) as recorded_at
     from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as t(scope, key, raw_id, nth)
     join inbound i on i.scope = t.scope and i.key = t.key
     left join raw_record r on r.raw_id = coalesce(t.raw_id, i.raw_id)
    order by t.nth`,
);
export const readKept = sql<{ body: Buffer | null }>(
  'ingest_read_kept',
  'select case when octet_length(body) <= $2::int then body end as body from raw_record where raw_id = $1::bigint',
);
