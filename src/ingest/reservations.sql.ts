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

// Only what was granted leaves a key: no row back means that the key was known already.
export const insertHoldKeys = sql<{ subject: number }>(
  'ingest_insert_hold_keys',
  `insert into inbound (scope, key, state, fingerprint, subject, raw_id, item_no)
   select scope, key, 'a', fingerprint, subject, 0, 0
     from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as t(scope, key, fingerprint, subject)
    order by scope, key
   on conflict do nothing
   returning subject`,
);
