import { sql } from '../store/index.ts';

// What is still to come of these SKUs, soonest first. Read after the balances of the places that matter are locked.
export const readSupplies = sql<{
  supply_id: number;
  sku_id: number;
  location_id: number;
  open: number;
  committed: number;
  due_at: Date;
  due_in_days: number;
}>(
  'ledger_read_supplies',
  `select s.supply_id, s.sku_id, s.location_id, s.quantity - s.received as open, coalesce(c.committed, 0)::bigint as committed, s.due_at,
          (extract(epoch from s.due_at - crossdock_now()) / 86400)::float8 as due_in_days
     from supply s
     left join lateral (select sum(quantity) as committed from supply_commitment where supply_id = s.supply_id) c on true
    where s.sku_id = any($1::bigint[]) and s.quantity > s.received
    order by s.due_at, s.supply_id`,
);

export interface CommitmentRow {
  supply_id: number;
  order_id: number;
  line_no: number;
  quantity: number;
  sku_id: number;
  location_id: number;
}

// Soonest first: what a line no longer waits for, it gives back from the end.
export const readLineCommitments = sql<CommitmentRow>(
  'ledger_read_line_commitments',
  `select c.supply_id, c.order_id, c.line_no, c.quantity, s.sku_id, s.location_id
     from unnest($1::bigint[], $2::int[]) as t(order_id, line_no)
     join supply_commitment c using (order_id, line_no)
     join supply s using (supply_id)
    order by s.due_at, c.supply_id`,
);

export const readSupplyCommitments = sql<{ supply_id: number; order_id: number; line_no: number; quantity: number }>(
  'ledger_read_supply_commitments',
  `select supply_id, order_id, line_no, quantity from supply_commitment
    where supply_id = any($1::bigint[]) order by order_id desc, line_no desc`,
);

export const writeCommitments = sql(
  'ledger_write_commitments',
  `insert into supply_commitment (supply_id, order_id, line_no, quantity)
   select supply_id, order_id, line_no, quantity
     from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[]) as t(supply_id, order_id, line_no, quantity)
    where quantity > 0
   on conflict (supply_id, order_id, line_no) do update set quantity = excluded.quantity`,
);

export const endCommitments = sql(
  'ledger_end_commitments',
  `delete from supply_commitment c
    using unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[]) as t(supply_id, order_id, line_no, quantity)
    where c.supply_id = t.supply_id and c.order_id = t.order_id and c.line_no = t.line_no and t.quantity = 0`,
);

export const createSupplies = sql(
  'ledger_create_supplies',
  `insert into supply (source, source_id, sku_id, location_id)
   select source, source_id, sku_id, location_id
     from unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) as t(source, source_id, sku_id, location_id)
    order by sku_id, location_id, source, source_id
   on conflict do nothing`,
);

export interface SupplyRow {
  supply_id: number;
  source: string;
  source_id: string;
  sku_id: number;
  location_id: number;
  quantity: number;
  received: number;
  due_at: Date | null;
  announced_at: Date | null;
  version: number;
}

export const readNamedSupplies = sql<SupplyRow>(
  'ledger_read_named_supplies',
  `select s.supply_id, s.source, s.source_id, s.sku_id, s.location_id, s.quantity, s.received, s.due_at, s.announced_at, s.version
     from supply s
     join (select distinct source, source_id, sku_id, location_id
             from unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) as u(source, source_id, sku_id, location_id)) t
          using (source, source_id, sku_id, location_id)`,
);

export const writeSupplies = sql(
  'ledger_write_supplies',
  `update supply s
      set quantity = t.quantity, received = t.received, due_at = t.due_at, announced_at = t.announced_at, version = t.version
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
       as t(supply_id, quantity, received, due_at, announced_at, version)
    where s.supply_id = t.supply_id`,
);
