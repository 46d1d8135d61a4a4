import { sql } from '../store/index.ts';

export interface DuePublication {
  key: number;
  bucket: number;
  version: number;
  confirmed_version: number;
  state: 'n' | 'd';
  attempts: number;
  sending_version: number | null;
  changed_at: Date;
}

// Only the newest state counts, so order doesn't matter: the oldest change first. What changed within $5 ms may change again.
export const findDue = sql<DuePublication>(
  'outbound_find_due_publications',
  `select key, bucket, version, confirmed_version, state, attempts, sending_version, changed_at from publication
    where destination_id = $1::int and kind = $2::text and bucket = any($3::smallint[])
      and is_dirty and state in ('n', 'd') and next_at <= crossdock_now()
      and changed_at <= crossdock_now() - make_interval(secs => $5::float8 / 1000)
    order by next_at limit $4::int`,
);

// Rows are locked in key order, as the planner locks them, by a statement of its own: joined into the update the lock made
// it compare each row with each (900 ms for 1,500 rows instead of 10).
export const lockPublications = sql<{ key: number; changed_at: Date }>(
  'outbound_lock_publications',
  `select key, changed_at from publication
    where destination_id = $1::int and kind = $2::text and key = any($3::bigint[]) order by key for update`,
);

// What is said may be newer than what was planned: the planner, when it comes there, finds it said. Of a price: with its unit and that of
// the number beside it, which the table refuses where they differ.
export const markSending = sql<{ key: number }>(
  'outbound_mark_publications_sending',
  `update publication p set state = 's', version = greatest(p.version, t.version), sending_version = t.version, lease_epoch = t.epoch, sent_at = crossdock_now(),
          price_unit = t.price_unit, quantity_unit = t.quantity_unit
     from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) as t(key, version, epoch, price_unit, quantity_unit)
    where p.destination_id = $1::int and p.kind = $2::text and p.key = t.key and p.state = 'n' and p.lease_epoch <= t.epoch
   returning p.key`,
);

/** Outcomes of rows locked before; confirmed_version moves when `confirmed` is set. */
export const record = sql<{ key: number; confirmed_at: Date | null }>(
  'outbound_record_publications',
  `update publication p
      set state = case when p.read_again and t.state = 'n' then 'd' else t.state::"char" end, read_again = false, error = t.error, attempts = case when t.confirmed is null then p.attempts + t.attempts else 0 end,
          confirmed_version = greatest(p.confirmed_version, coalesce(t.confirmed, 0)),
          confirmed_at = case when t.confirmed is not null then crossdock_now() else p.confirmed_at end,
          -- What changed while it was on its way is late from its own change on; the sending moment is a safe bound for it. What
          -- was found not worth saying is told as of now.
          changed_at = case when t.confirmed is null then p.changed_at
                            when p.state = 'n' then crossdock_now()
                            else coalesce(p.sent_at, p.changed_at) end,
          next_at = crossdock_now() + make_interval(secs => t.pause_ms::float8 / 1000)
     from unnest($3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::int[])
       as t(key, epoch, state, error, confirmed, pause_ms, attempts)
    where p.destination_id = $1::int and p.kind = $2::text and p.key = t.key
      and p.state in ('n', 's', 'd') and p.lease_epoch <= t.epoch
   returning p.key, p.confirmed_at`,
);

export const doubtOrphans = sql<{ key: number }>(
  'outbound_doubt_orphaned_publications',
  `update publication p
      set state = 'd', lease_epoch = t.epoch, next_at = crossdock_now() + make_interval(secs => $4::float8 / 1000),
          error = 'its sender is gone'
     from unnest($2::smallint[], $3::bigint[]) as t(bucket, epoch)
    where p.destination_id = $1::int and p.bucket = t.bucket and p.is_dirty and p.state = 's'
      and (p.lease_epoch < t.epoch or p.sent_at < crossdock_now() - interval '30 seconds')
   returning p.key`,
);

// The destination holds what would be said, or what is near enough to it.
export const confirmUnsaid = sql(
  'outbound_confirm_unsaid_publications',
  // Lateness counts from here: up to the look, what it shows was near enough.
  `update publication p set confirmed_version = t.version, attempts = 0, error = null, changed_at = greatest(p.changed_at, $6::timestamptz)
     from unnest($3::bigint[], $4::bigint[], $5::bigint[]) as t(key, version, epoch)
    where p.destination_id = $1::int and p.kind = $2::text and p.key = t.key
      and p.state = 'n' and p.lease_epoch <= t.epoch and p.confirmed_version < t.version`,
);

// To be read back, not sent: what it shows is not known exactly.
export const doubtAgain = sql(
  'outbound_doubt_publications_again',
  `update publication p set state = 'd', next_at = crossdock_now(), error = 'sold while it was read back'
    where destination_id = $1::int and kind = $2::text and key = any($3::bigint[]) and state = 'n'`,
);

// To be read back: the system's own rows say that it shows something else. Only what it was told; what is on its way, or is being read, is
// read once more after that.
export const doubtNumbers = sql<{ key: number }>(
  'outbound_doubt_numbers',
  `update publication p
      set state = case p.state when 'n' then 'd' else p.state end, read_again = p.state <> 'n', version = p.version + 1,
          changed_at = case when p.is_dirty then p.changed_at else crossdock_now() end,
          next_at = case p.state when 'n' then crossdock_now() else p.next_at end, error = 'its orders say that it shows something else'
    where destination_id = $1::int and kind = $2::text and key = any($3::bigint[]) and state in ('n', 's', 'd')
   returning p.key`,
);

// A batch of ours broke off before its outcome was written, e.g. with the connection: what it had on its way is in doubt.
export const doubtStrays = sql<{ key: number }>(
  'outbound_doubt_stray_publications',
  `update publication p
      set state = 'd', next_at = crossdock_now() + make_interval(secs => $5::float8 / 1000), error = 'its outcome could not be written'
     from unnest($2::text[], $3::bigint[], $4::bigint[]) as t(kind, key, epoch)
    where p.destination_id = $1::int and p.kind = t.kind and p.key = t.key and p.state = 's' and p.lease_epoch = t.epoch
   returning p.key`,
);
