import { sql } from '../store/index.ts';

export interface ClaimedDelivery {
  delivery_id: number;
  kind: string;
  reference: string;
  bucket: number;
  state: 'n' | 'd';
  attempts: number;
  order_id: number | null;
  payload: unknown;
  recorded_at: Date;
}

// In order per key: only the first that has not ended. One that is parked blocks its key until a person has decided.
// A scalar subquery, not `not exists`: planned while nothing is pending, an anti join compares all pending rows with each other.
export const findDue = sql<ClaimedDelivery>(
  'outbound_find_due_deliveries',
  `select delivery_id, kind, reference, bucket, state, attempts, order_id, payload, recorded_at
     from delivery d
    where destination_id = $1::int and bucket = any($2::smallint[]) and is_open and state in ('n', 'd') and next_at <= crossdock_now()
      and delivery_id = (select min(e.delivery_id) from delivery e
                          where e.destination_id = $1::int and e.key = d.key and e.is_open)
    order by delivery_id limit $3::int`,
);

export const markSending = sql<{ delivery_id: number }>(
  'outbound_mark_sending',
  `update delivery d set state = 's', attempts = d.attempts + 1, lease_epoch = t.epoch, sent_at = crossdock_now()
     from unnest($1::bigint[], $2::bigint[]) as t(delivery_id, epoch)
    where d.delivery_id = t.delivery_id and d.state = 'n' and d.lease_epoch <= t.epoch
   returning d.delivery_id`,
);

// Fenced: an outcome of an older holder finds another epoch, or another state, and changes nothing. What its system does not serve is
// parked without having been on its way.
export const recordOutcomes = sql<{ delivery_id: number; ended_at: Date | null }>(
  'outbound_record_outcomes',
  `update delivery d
      set state = t.state::"char", error = t.error, answer = t.answer::json, attempts = d.attempts - t.uncounted,
          next_at = crossdock_now() + make_interval(secs => t.pause_ms::float8 / 1000),
          ended_at = case when t.state in ('c', 'r', 'x') then crossdock_now() end
     from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::boolean[])
       as t(delivery_id, epoch, state, error, answer, pause_ms, uncounted, is_lookup)
    where d.delivery_id = t.delivery_id and (d.state = 'd' or d.state = 's' and not t.is_lookup or d.state = 'n' and t.state = 'p' and not t.is_lookup) and d.lease_epoch <= t.epoch
   returning d.delivery_id, d.ended_at`,
);

// What a holder that is gone had on its way is in doubt from the moment we took over; so is what never got its outcome written.
export const doubtOrphans = sql<{ delivery_id: number }>(
  'outbound_doubt_orphaned_deliveries',
  `update delivery d
      set state = 'd', lease_epoch = t.epoch, next_at = crossdock_now() + make_interval(secs => $4::float8 / 1000),
          error = 'its sender is gone'
     from unnest($2::smallint[], $3::bigint[]) as t(bucket, epoch)
    where d.destination_id = $1::int and d.bucket = t.bucket and d.is_open and d.state = 's'
      and (d.lease_epoch < t.epoch or d.sent_at < crossdock_now() - interval '30 seconds')
   returning d.delivery_id`,
);

// A batch of ours broke off before its outcome was written, e.g. with the connection: what it had on its way is in doubt.
export const doubtStrays = sql<{ delivery_id: number }>(
  'outbound_doubt_stray_deliveries',
  `update delivery d
      set state = 'd', next_at = crossdock_now() + make_interval(secs => $3::float8 / 1000), error = 'its outcome could not be written'
     from unnest($1::bigint[], $2::bigint[]) as t(delivery_id, epoch)
    where d.delivery_id = t.delivery_id and d.state = 's' and d.lease_epoch = t.epoch
   returning d.delivery_id`,
);
