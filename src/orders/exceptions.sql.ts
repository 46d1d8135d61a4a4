import { sql } from '../store/index.ts';
import type { ExceptionKind } from './exception-types.ts';

export interface ExceptionRow {
  order_id: number;
  exception_id: number;
  line_no: number;
  sku_id: number;
  kind: ExceptionKind;
  policy: 'resource' | 'backorder' | 'cancel' | 'substitute' | 'hold';
  units: number;
  held: number;
  backordered: number;
  cancelled: number;
  substituted: number;
  resourced: number;
  resolved_by: string | null;
  reason: string | null;
}
export const readExceptions = sql<ExceptionRow>(
  'orders_read_exceptions',
  `select order_id, exception_id, line_no, sku_id, kind, policy, units, held, backordered, cancelled, substituted, resourced, resolved_by, reason
     from order_exception where order_id = any($1::bigint[]) order by exception_id`,
);
export const writeExceptions = sql(
  'orders_write_exceptions',
  `insert into order_exception as e (order_id, exception_id, line_no, sku_id, channel_id, kind, policy, units, held, backordered, cancelled,
                                     substituted, resolved_by, reason, resourced, state, ended_at)
   select t.*, case when held > 0 then 'open' else 'resolved' end, case when held > 0 then null else crossdock_now() end
     from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::int[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[],
                 $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::bigint[])
       as t(order_id, exception_id, line_no, sku_id, channel_id, kind, policy, units, held, backordered, cancelled, substituted, resolved_by, reason, resourced)
   on conflict (order_id, exception_id) do update
     set held = excluded.held, backordered = excluded.backordered, cancelled = excluded.cancelled, substituted = excluded.substituted,
         resolved_by = excluded.resolved_by, reason = excluded.reason, state = excluded.state, ended_at = excluded.ended_at`,
);
export const readSubstitutes = sql<{ sku_id: number; substitute_id: number }>(
  'orders_read_substitutes',
  'select sku_id, substitute_id from sku_substitute where sku_id = any($1::bigint[]) order by sku_id, rank',
);

export interface ListedException extends Omit<ExceptionRow, 'sku_id'> {
  state: 'open' | 'resolved';
  channel_id: number;
  external_no: string;
  sku: string;
  unit: string;
  recorded_at: Date;
  ended_at: Date | null;
  stand_ins: { lineNo: number; sku: string; quantity: number }[] | null;
}
export const listExceptions = sql<ListedException>(
  'orders_list_exceptions',
  `select e.order_id, e.exception_id, e.line_no, e.kind, e.policy, e.units, e.held, e.backordered, e.cancelled, e.substituted, e.resourced, e.resolved_by,
          e.reason, e.state, e.channel_id, o.external_no, s.code as sku, s.unit, e.recorded_at, e.ended_at,
          (select json_agg(json_build_object('lineNo', l.line_no, 'sku', i.code, 'quantity', l.quantity) order by l.line_no)
             from order_line l join sku i using (sku_id) where l.order_id = e.order_id and l.stands_for = e.line_no) as stand_ins
     from order_exception e join sales_order o using (order_id) join sku s on s.sku_id = e.sku_id
    where ($1::bigint is null or e.exception_id < $1::bigint) and ($2::text is null or e.state = $2::text)
      and ($3::text is null or e.kind = $3::text) and ($4::int is null or e.channel_id = $4::int)
      and ($5::bigint is null or e.order_id = $5::bigint) and ($6::bigint is null or e.exception_id = $6::bigint)
    order by e.exception_id desc limit $7::int`,
);
export const countOpenExceptions = sql<{ kind: ExceptionKind; exceptions: number; units: number; oldest_ms: number }>(
  'orders_count_open_exceptions',
  `select kind, count(*)::int as exceptions, sum(held)::bigint as units,
          (extract(epoch from crossdock_now() - min(recorded_at)) * 1000)::float8 as oldest_ms
     from order_exception where state = 'open' group by kind order by kind`,
);
