import { sql } from '../store/index.ts';

// Two looks into small indexes: where no account is held and no product ends, that is all that an order pays.
export const readWhether = sql<{ held: boolean; ending: boolean }>(
  'master_read_order_stops',
  `select exists (select from account where hold_reason is not null) as held, exists (select from sku where lifecycle <> 'active') as ending`,
);
export const readEnding = sql<{ sku_id: number; code: string; lifecycle: 'phase_out' | 'discontinued' }>(
  'master_read_ending_skus',
  `select sku_id, code, lifecycle from sku where sku_id = any($1::bigint[]) and lifecycle <> 'active'`,
);
