import { sql } from '../store/index.ts';

export interface EventRow {
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

// Below the snapshot's xmin, as every reader of the log: a transaction that commits late is never skipped.
export const readEvents = sql<EventRow>(
  'api_read_events',
  `select position, transaction_id::text as transaction_id, type, stream, stream_version, company_id, occurred_at, recorded_at,
          correlation_id, causation_id, data
     from fact f
    where (f.transaction_id, f.position) > ($1::text::xid8, $2::bigint)
      and f.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    order by f.transaction_id, f.position limit $3::int`,
);

// Where "from now on" begins: everything below is committed or will never be.
export const endOfLog = sql<{ transaction_id: string; epoch: number }>(
  'api_end_of_log',
  `select pg_snapshot_xmin(pg_current_snapshot())::text as transaction_id, (select max(epoch) from log_epoch) as epoch`,
);
