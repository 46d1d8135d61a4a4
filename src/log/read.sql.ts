import { sql } from '../store/index.ts';

export interface FactRow {
  position: number;
  transaction_id: string;
  type: string;
  stream: string;
  stream_version: number;
  company_id: number;
  occurred_at: Date;
  recorded_at: Date;
  correlation_id: string | null;
  causation_id: string | null;
  data: unknown;
}

const columns = `position, transaction_id::text as transaction_id, type, stream, stream_version, company_id, occurred_at,
       recorded_at, correlation_id, causation_id, data`;

export const ensureCursor = sql(
  'log_ensure_cursor',
  `insert into log_cursor (consumer, shard) values ($1::text, $2::int) on conflict do nothing`,
);

// The row lock makes one reader of many processes the only one: the others wait and then see the moved cursor.
// is_ahead: what was read is below the snapshot's xmin, so only a restore into another cluster brings a cursor there.
export const lockCursor = sql<{
  transaction_id: string;
  position: number;
  epoch: number;
  is_ahead: boolean;
}>(
  'log_lock_cursor',
  `select transaction_id::text as transaction_id, position, epoch,
          transaction_id >= pg_snapshot_xmax(pg_current_snapshot()) and epoch = (select max(epoch) from log_epoch) as is_ahead
     from log_cursor where consumer = $1::text and shard = $2::int for update`,
);

export const endOfLog = sql<{ transaction_id: string; epoch: number }>(
  'log_end',
  `select pg_snapshot_xmin(pg_current_snapshot())::text as transaction_id, (select max(epoch) from log_epoch) as epoch`,
);

// Read with every page: null for the newest epoch.
export const findNextEpoch = sql<{ epoch: number | null }>(
  'log_find_next_epoch',
  'select min(epoch) as epoch from log_epoch where epoch > $1::int',
);

// A sequence alone would skip a transaction that commits late; a transaction below the snapshot's xmin can't. A closed epoch has no
// open transaction, and its ids mean nothing here.
// Ordered by the columns of the table: a bare transaction_id would be the text of the output, and 10000 come before 9999.
const ofEpoch = `f.position > (select after_position from log_epoch where epoch = $4::int)
      and f.position <= coalesce((select min(after_position) from log_epoch where epoch > $4::int), 9223372036854775807)
      and f.transaction_id < coalesce((select '18446744073709551615'::xid8 from log_epoch where epoch > $4::int limit 1), pg_snapshot_xmin(pg_current_snapshot()))`;
export const readFacts = sql<FactRow>(
  'log_read_facts',
  `select f.position, f.transaction_id::text as transaction_id, f.type, f.stream, f.stream_version, f.company_id, f.occurred_at,
          f.recorded_at, f.correlation_id, f.causation_id, f.data
     from fact f
    where (f.transaction_id, f.position) > ($1::text::xid8, $2::bigint)
      and ${ofEpoch}
    order by f.transaction_id, f.position
    limit $3::int`,
);

// The same for a consumer that wants few types: only they travel, and the last row whatever it is, since the cursor moves over all.
export const readFactsOf = sql<FactRow & { read: number }>(
  'log_read_facts_of',
  `with page as (
     select f.position, f.transaction_id, f.type, f.stream, f.stream_version, f.company_id, f.occurred_at, f.recorded_at,
            f.correlation_id, f.causation_id, case when f.type = any($5::text[]) then f.data end as data
       from fact f
      where (f.transaction_id, f.position) > ($1::text::xid8, $2::bigint)
        and ${ofEpoch}
      order by f.transaction_id, f.position
      limit $3::int)
   select p.position, p.transaction_id::text as transaction_id, p.type, p.stream, p.stream_version, p.company_id, p.occurred_at,
          p.recorded_at, p.correlation_id, p.causation_id, p.data, p.read
     from (select page.*, count(*) over ()::int as read, row_number() over (order by transaction_id desc, position desc) as from_end
             from page) as p
    where p.type = any($5::text[]) or p.from_end = 1
    order by p.from_end desc`,
);

export const moveCursor = sql(
  'log_move_cursor',
  `update log_cursor set epoch = $3::int, transaction_id = $4::text::xid8, position = $5::bigint, updated_at = crossdock_now()
    where consumer = $1::text and shard = $2::int`,
);

export const readStream = sql<FactRow>(
  'log_read_stream',
  `select ${columns} from fact where stream = $1::text order by stream_version limit $2::int`,
);

export const readPositions = sql<FactRow>(
  'log_read_positions',
  `select ${columns} from fact f
     join unnest($1::text[], $2::bigint[]) as t(s, v) on f.stream = t.s and f.stream_version = t.v`,
);

// A fact beyond the cursor was written after the last read one's transaction began, and transactions are far shorter than a
// day: older partitions need not be looked at.
export const readUnread = sql<FactRow>(
  'log_read_unread',
  `select ${columns} from fact f
     join unnest($2::text[], $3::bigint[]) as t(s, v) on f.stream = t.s and f.stream_version = t.v
     join (select transaction_id as xid, position as at, after_position, until_position
             from log_place where consumer = $1::text and shard = 0) as c
       on f.position > c.until_position or (f.position > c.after_position and (f.transaction_id, f.position) > (c.xid, c.at))
    where f.recorded_at > $4::timestamptz - interval '1 day'`,
);

export const lagRow = sql<{ behind: number; oldest_ms: number | null }>(
  'log_lag',
  `select count(*)::int as behind, (extract(epoch from crossdock_now() - min(recorded_at)) * 1000)::float8 as oldest_ms
     from (select recorded_at from crossdock_unread($1::text) limit 5000) as t`,
);

// Writers wait outside, so no position is under way: what is there is of older epochs, or, where a restored log was written to
// before anybody noticed, what is not newer than the newest fact of the cluster it came from.
export const lockLog = sql('log_lock', 'lock table fact in share mode');
export const insertEpoch = sql<{ epoch: number; after_position: number }>(
  'log_insert_epoch',
  `insert into log_epoch (epoch, after_position)
   select (select max(epoch) + 1 from log_epoch),
          coalesce((select max(position) from fact
                     where transaction_id >= pg_snapshot_xmax(pg_current_snapshot())
                       and position > (select max(after_position) from log_epoch)),
                   (select max(position) from fact), 0)
   returning epoch, after_position`,
);

export const removeCursor = sql('log_remove_cursor', 'delete from log_cursor where consumer = $1::text');
