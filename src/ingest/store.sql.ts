import { sql } from '../store/index.ts';

export const insertRaw = sql(
  'ingest_insert_raw',
  // The bodies come as one binary value, cut apart here: an array of bytea would travel as hexadecimal text.
  `insert into raw_record (raw_id, system, source, content_type, items, body)
   select raw_id, system, source, content_type, items, substring($6::bytea from start_at + 1 for length)
     from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::int[], $7::int[], $8::int[])
       as t(raw_id, system, source, content_type, items, start_at, length)`,
);

// Keys in order, so that two processes that bring the same keys wait for each other and never in a circle.
export const insertKeys = sql<{ scope: string; key: string }>(
  'ingest_insert_keys',
  `insert into inbound (scope, key, state, fingerprint, subject, raw_id, item_no)
   select scope, key, 'a', fingerprint, subject, raw_id, item_no
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::int[])
       as t(scope, key, fingerprint, subject, raw_id, item_no)
    order by scope, key
   on conflict do nothing
   returning scope, key`,
);

export interface KnownKey {
  scope: string;
  key: string;
  state: 'a' | 'w' | 'p' | 's';
  fingerprint: string;
  subject: number | null;
}
// Locked in key order, as keys are inserted: two processes that bring the same repeats never wait in a circle.
export const countRepeats = sql<KnownKey>(
  'ingest_count_repeats',
  `with locked as materialized (
     select scope, key, times from inbound join unnest($1::text[], $2::text[], $3::int[]) as t(scope, key, times) using (scope, key)
      order by scope, key for update of inbound)
   update inbound i set repeats = i.repeats + t.times
     from locked t
    where i.scope = t.scope and i.key = t.key
   returning i.scope, i.key, i.state, i.fingerprint, i.subject`,
);

export const findFirst = sql<{ scope: string; key: string; raw_id: number }>(
  'ingest_find_first',
  `select scope, key, i.raw_id from inbound i join unnest($1::text[], $2::text[]) as t(scope, key) using (scope, key)`,
);
export const readFirst = sql<{ raw_id: number; body: Buffer }>(
  'ingest_read_first',
  'select raw_id, body from raw_record where raw_id = any($1::bigint[]) and octet_length(body) <= $2::int',
);

export const setStates = sql(
  'ingest_set_states',
  `update inbound i set state = t.state::"char", subject = coalesce(t.subject, i.subject)
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as t(scope, key, state, subject)
    where i.scope = t.scope and i.key = t.key`,
);

export const removeKeys = sql(
  'ingest_remove_keys',
  `delete from inbound i using unnest($1::text[], $2::text[]) as t(scope, key) where i.scope = t.scope and i.key = t.key`,
);

export const insertParked = sql(
  'ingest_insert_parked',
  `insert into parked_record (scope, key, system, class, reason, place, wait_key, item, raw_id, item_no, business_at)
   select scope, key, system, class, reason, place, wait_key, item::json, raw_id, item_no, to_timestamp(business_ms / 1000.0)
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::int[], $11::bigint[])
       as t(scope, key, system, class, reason, place, wait_key, item, raw_id, item_no, business_ms)`,
);

export const endParked = sql(
  'ingest_end_parked',
  `update parked_record set state = 'replayed', ended_at = crossdock_now(), attempts = attempts + 1 where parked_id = any($1::bigint[])`,
);
export const failParked = sql(
  'ingest_fail_parked',
  `update parked_record p set attempts = attempts + 1, class = t.class, reason = t.reason, wait_key = t.wait_key,
          business_at = to_timestamp(t.business_ms / 1000.0)
     from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as t(parked_id, class, reason, wait_key, business_ms)
    where p.parked_id = t.parked_id`,
);
export interface ParkedRow {
  parked_id: number;
  scope: string;
  key: string;
  system: string;
  class: string;
  reason: string;
  place: string | null;
  item: unknown;
  raw_id: number;
  item_no: number;
}
const parkedColumns = 'p.parked_id, p.scope, p.key, p.system, p.class, p.reason, p.place, p.item, p.raw_id, p.item_no';

// What waits for something that has come meanwhile.
export const findAwaited = sql<ParkedRow>(
  'ingest_find_awaited',
  `select ${parkedColumns} from (select parked_id from awaited_record union select parked_id from awaited_return) a
     join parked_record p using (parked_id) order by p.parked_id limit $1::int`,
);
export const readParked = sql<ParkedRow>(
  'ingest_read_parked',
  `select ${parkedColumns} from parked_record p where p.parked_id = any($1::bigint[]) and p.state = 'open' order by p.parked_id for update`,
);

export const readCursor = sql<{ cursor: string }>(
  'ingest_read_cursor',
  `insert into feed_cursor as f (system, feed) values ($1::text, $2::text)
   on conflict (system, feed) do update set feed = f.feed returning cursor`,
);
// Moves only from where it was read: a second poller of the same page changes nothing and is told so.
export const moveCursor = sql<{ cursor: string }>(
  'ingest_move_cursor',
  `update feed_cursor set cursor = $4::text, drained_at = coalesce($5::timestamptz, drained_at), updated_at = crossdock_now()
    where system = $1::text and feed = $2::text and cursor = $3::text returning cursor`,
);

// Of orders and cancels that came again under one of these accounts. What somebody else has in hand is left to them.
export const findConflictsOf = sql<{ parked_id: number; item: unknown; fingerprint: string }>(
  'ingest_find_conflicts_of_accounts',
  `select p.parked_id, p.item, i.fingerprint
     from parked_record p join inbound i using (scope, key)
    where p.state = 'open' and p.class = 'key_conflict' and p.item -> 'command' ->> 'account' = any($1::text[])
    order by p.parked_id limit $2::int for update of p skip locked`,
);
export const endConflicts = sql(
  'ingest_end_conflicts',
  `update parked_record set state = 'resolved', resolution = 'its account was merged: it is what was taken', ended_at = crossdock_now()
    where parked_id = any($1::bigint[])`,
);
