import { sql } from '../store/index.ts';

export interface QuotaRow {
  quota_id: number;
  sku_id: number;
  channel_id: number;
  region: string | null;
  account_id: number | null;
  valid_from: Date;
  valid_to: Date;
  ring_fenced: number;
  cap: number | null;
  borrow: boolean;
  lend: boolean;
  used: number;
  is_running: boolean;
}

const columns = `q.quota_id, q.sku_id, q.channel_id, coalesce(q.region, a.region) as region, q.account_id, q.valid_from, q.valid_to, q.ring_fenced, q.cap, q.borrow, q.lend,
          q.used, q.valid_from <= crossdock_now() and q.valid_to > crossdock_now() as is_running`;

// Of ended ones those alone in whose time one of these orders may lie, $2 is the earliest: they count it.
export const lockQuotas = sql<QuotaRow>(
  'ledger_lock_quotas',
  `select ${columns}
     from quota q left join account a on a.account_id = q.account_id
    where q.sku_id = any($1::bigint[]) and q.valid_to > least(crossdock_now(), $2::timestamptz)
    order by q.sku_id, q.quota_id
      for update of q`,
);

export const viewQuotas = sql<QuotaRow>(
  'ledger_view_quotas',
  `select ${columns} from quota q left join account a on a.account_id = q.account_id where q.sku_id = any($1::bigint[]) and q.valid_to > least(crossdock_now(), $2::timestamptz) order by q.sku_id, q.quota_id`,
);

export const readUses = sql<{ order_id: number; line_no: number; quota_id: number; units: number }>(
  'ledger_read_quota_uses',
  `select order_id, line_no, quota_id, units from quota_use where order_id = any($1::bigint[]) and quota_id = any($2::bigint[])`,
);

// Read behind the lock of the quotas. Supply that is announced less takes commitments back without it: then they were too many.
export const readCommitted = sql<{ quota_id: number; quantity: number }>(
  'ledger_read_quota_committed',
  `select u.quota_id, sum(c.quantity)::bigint as quantity
     from quota_use u join supply_commitment c on c.order_id = u.order_id and c.line_no = u.line_no
    where u.quota_id = any($1::bigint[])
    group by u.quota_id`,
);

export const readSetAside = sql<{ channel_id: number; sku_id: number; quantity: number }>(
  'ledger_read_quota_set_aside',
  `select channel_id, sku_id, sum(quantity)::bigint as quantity
     from exposure
    where channel_id = any($1::int[]) and sku_id = any($2::bigint[])
    group by channel_id, sku_id`,
);

// Only of SKUs that had quotas when the hold was made, or since: others pay nothing for it.
export const readHeld = sql<{ channel_id: number; sku_id: number; quantity: number }>(
  'ledger_read_quota_held',
  `select channel_id, sku_id, sum(open_quantity)::bigint as quantity
     from reservation
    where state = 'open' and is_counted and sku_id = any($1::bigint[])
    group by channel_id, sku_id`,
);

export const writeUses = sql(
  'ledger_write_quota_uses',
  `insert into quota_use (order_id, line_no, quota_id, units)
   select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[])
       on conflict (order_id, line_no, quota_id) do update set units = excluded.units`,
);

export const addUsed = sql(
  'ledger_add_quota_used',
  `update quota q set used = q.used + t.units
     from unnest($1::bigint[], $2::bigint[]) as t (quota_id, units)
    where q.quota_id = t.quota_id`,
);
