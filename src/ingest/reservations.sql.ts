import { sql } from '../store/index.ts';

export interface HeldRow {
  scope: string;
  key: string;
  fingerprint: string;
  reservation_id: number;
  location_id: number | null;
  quantity: number | null;
  expires_at: Date | null;
}

// A key that is known, with what it got.
export const readHolds = sql<HeldRow>(
  'ingest_read_holds',
  `select i.scope, i.key, i.fingerprint, i.subject as reservation_id, r.location_id, r.quantity, r.expires_at
     from unnest($1::text[], $2::text[]) as t(scope, key)
     join inbound i on i.scope = t.scope and i.key = t.key
     left join reservation r on r.reservation_id = i.subject`,
);

// Only what was granted leaves a key, after its rows: no row back for a key means that another process was first.
export const insertHoldKeys = sql<{ reservation_id: number; expires_at: Date }>(
  'ingest_insert_hold_keys',
  `with written as (
     insert into inbound (scope, key, state, fingerprint, subject, raw_id, item_no)
     select scope, key, 'a', fingerprint, subject, 0, 0
       from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as t(scope, key, fingerprint, subject)
      order by scope, key
     on conflict do nothing
     returning subject)
   select w.subject as reservation_id, min(r.expires_at) as expires_at
     from written w join reservation r on r.reservation_id = w.subject group by w.subject`,
);
