import { sql } from '../store/index.ts';

// Where "from now on" begins: everything below is committed or will never be.
export const endOfLog = sql<{ transaction_id: string; epoch: number }>(
  'api_end_of_log',
  `select pg_snapshot_xmin(pg_current_snapshot())::text as transaction_id, (select max(epoch) from log_epoch) as epoch`,
);
