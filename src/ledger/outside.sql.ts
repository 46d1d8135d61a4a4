import { sql } from '../store/index.ts';

export interface OutsideRow {
  source: string;
  source_id: string;
  sku_id: number;
  location_id: number;
  channel_id: number | null;
  external_no: string | null;
  line_no: number | null;
  quantity: number;
  open_quantity: number;
  occurred_at: Date;
  source_sequence: number | null;
  earlier: [occurredAt: string, sequence: number | null, quantity: number][];
}
const columns = `x.source, x.source_id, x.sku_id, x.location_id, x.channel_id, x.external_no, x.line_no, x.quantity, x.open_quantity,
          x.occurred_at, x.source_sequence, x.earlier`;

// What holds at these balances, and what ended so lately that a count which comes now may still have left it out.
export const readOutside = sql<OutsideRow>(
  'ledger_read_outside_allocations',
  `select ${columns}
     from unnest($1::bigint[], $2::int[], $3::timestamptz[]) as t(sku_id, location_id, since)
     join outside_allocation x using (sku_id, location_id)
    where x.quantity > 0 or x.occurred_at >= t.since - interval '1 day'`,
);
// Those that are reported on again, ended ones too: a report may be older than the one that holds.
export const readReported = sql<OutsideRow>(
  'ledger_read_reported_outside_allocations',
  `select ${columns}
     from unnest($1::text[], $2::text[], $3::bigint[], $4::int[]) as t(source, source_id, sku_id, location_id)
     join outside_allocation x using (source, source_id, sku_id, location_id)`,
);

// Ours of the lines that others name. Their balances are locked, and every allocation is made and ended under that lock.
export const readOwn = sql<{ n: number; quantity: number }>(
  'ledger_read_own_allocations',
  `select t.n, sum(a.open_quantity)::bigint as quantity
     from unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::bigint[], $6::int[])
       as t(n, channel_id, external_no, line_no, sku_id, location_id)
     join sales_order o on o.channel_id = t.channel_id and o.external_no = t.external_no
     join allocation a on a.order_id = o.order_id and a.line_no = t.line_no and a.sku_id = t.sku_id and a.location_id = t.location_id
    group by t.n`,
);

// A day more than asked: a source's sequence beats its clock.
export const readPicks = sql<{
  n: number;
  quantity: number;
  source: string;
  source_sequence: number | null;
  occurred_at: Date;
}>(
  'ledger_read_picks_of_lines',
  `select t.n, -m.quantity as quantity, m.source, m.source_sequence, m.occurred_at
     from unnest($1::int[], $2::int[], $3::text[], $4::int[], $5::bigint[], $6::int[], $7::timestamptz[])
       as t(n, channel_id, external_no, line_no, sku_id, location_id, since)
     join sales_order o on o.channel_id = t.channel_id and o.external_no = t.external_no
     join stock_movement m on m.sku_id = t.sku_id and m.location_id = t.location_id and m.occurred_at > t.since - interval '1 day'
      and m.kind = 'picked' and m.order_id = o.order_id and m.line_no = t.line_no`,
);

export const writeOutside = sql(
  'ledger_write_outside_allocations',
  `insert into outside_allocation (source, source_id, sku_id, location_id, channel_id, external_no, line_no, quantity, open_quantity,
                                   occurred_at, source_sequence, earlier)
   select t.source, t.source_id, t.sku_id, t.location_id, t.channel_id, t.external_no, t.line_no, t.quantity, t.open_quantity,
          t.occurred_at, t.source_sequence, t.earlier::json
     from unnest($1::text[], $2::text[], $3::bigint[], $4::int[], $5::int[], $6::text[], $7::int[], $8::bigint[], $9::bigint[],
                 $10::timestamptz[], $11::bigint[], $12::text[])
       as t(source, source_id, sku_id, location_id, channel_id, external_no, line_no, quantity, open_quantity, occurred_at,
            source_sequence, earlier)
   on conflict (source, source_id, sku_id, location_id) do update
     set channel_id = excluded.channel_id, external_no = excluded.external_no, line_no = excluded.line_no,
         quantity = excluded.quantity, open_quantity = excluded.open_quantity, occurred_at = excluded.occurred_at,
         source_sequence = excluded.source_sequence, earlier = excluded.earlier`,
);

export const writeOutsideSums = sql(
  'ledger_write_outside_sums',
  `update stock_balance b set outside_open = t.outside_open, outside_deducted = t.outside_deducted
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[]) as t(sku_id, location_id, outside_open, outside_deducted)
    where b.sku_id = t.sku_id and b.location_id = t.location_id`,
);
