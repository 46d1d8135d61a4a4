import { sql } from '../store/index.ts';
import type { Inspection } from './return-types.ts';

export interface ReturnRow {
  order_id: number;
  return_id: number;
  reference: string;
  reason: string | null;
  location_id: number;
  inspection: Inspection | null;
  state: 'expected' | 'received' | 'inspected';
  /** Of each line, `,` between and `;` behind: line_no, sku_id, quantity, received, restocked, scrapped, quarantined, received, decided and credited minor, and the tax beside each */
  lines: string | null;
}
// Together with their lines, in one statement: both are of one moment also where nothing is locked.
export const readReturns = sql<ReturnRow>(
  'orders_read_returns',
  `select r.order_id, r.return_id, r.reference, r.reason, r.location_id, r.inspection, r.state,
          (select string_agg(concat_ws(',', l.line_no, l.sku_id, l.quantity, l.received, l.restocked, l.scrapped, l.quarantined, l.received_minor,
                                       l.decided_minor, l.credit_minor, l.received_tax_minor, l.decided_tax_minor, l.credit_tax_minor), ';' order by l.line_no)
             from return_line l where l.order_id = r.order_id and l.return_id = r.return_id) as lines
     from return_authorisation r where r.order_id = any($1::bigint[]) order by r.return_id`,
);
export const writeReturns = sql(
  'orders_write_returns',
  `insert into return_authorisation (order_id, return_id, reference, location_id, lines, state, reason, inspection)
   select order_id, return_id, reference, location_id, lines::json, state, reason, inspection
     from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[])
       as t(order_id, return_id, reference, location_id, lines, state, reason, inspection)
   on conflict (order_id, return_id) do update set state = excluded.state`,
);
export const writeReturnLines = sql(
  'orders_write_return_lines',
  `insert into return_line (order_id, return_id, line_no, sku_id, location_id, quantity, received, restocked, scrapped, quarantined,
                            received_minor, decided_minor, credit_minor, received_tax_minor, decided_tax_minor, credit_tax_minor)
   select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
                        $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[])
   on conflict (order_id, return_id, line_no) do update
     set received = excluded.received, restocked = excluded.restocked, scrapped = excluded.scrapped, quarantined = excluded.quarantined,
         received_minor = excluded.received_minor, decided_minor = excluded.decided_minor, credit_minor = excluded.credit_minor,
         received_tax_minor = excluded.received_tax_minor, decided_tax_minor = excluded.decided_tax_minor, credit_tax_minor = excluded.credit_tax_minor`,
);
export const insertReceipts = sql(
  'orders_insert_receipts',
  `insert into return_receipt (order_id, order_version, return_id, lines, received_at)
   select order_id, order_version, return_id, lines::json, received_at
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[])
       as t(order_id, order_version, return_id, lines, received_at)`,
);
export const insertInspections = sql(
  'orders_insert_inspections',
  `insert into return_inspection (order_id, order_version, return_id, lines, inspected_by, reason, inspected_at)
   select order_id, order_version, return_id, lines::json, inspected_by, reason, inspected_at
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
       as t(order_id, order_version, return_id, lines, inspected_by, reason, inspected_at)`,
);

export interface ListedReturn extends Omit<ReturnRow, 'lines'> {
  channel_id: number;
  external_no: string;
  account: string;
  currency: string;
  recorded_at: Date;
  lines: {
    lineNo: number;
    sku: string;
    quantity: number;
    received: number;
    inInspection: number;
    restocked: number;
    scrapped: number;
    quarantined: number;
    receivedMinor: number;
    creditMinor: number;
    creditTaxMinor: number;
  }[];
  inspections: { at: string; by: string; reason: string | null; lines: unknown[] }[] | null;
}
/** $2: expected, received, inspected, or `open`: something of it is still to come, to be inspected or to be decided. */
export const listReturns = sql<ListedReturn>(
  'orders_list_returns',
  `select r.order_id, r.return_id, r.reference, r.reason, r.location_id, r.inspection, r.state, r.recorded_at, o.channel_id, o.external_no, o.currency,
          a.code as account,
          coalesce((select json_agg(json_build_object('lineNo', l.line_no, 'sku', s.code, 'quantity', l.quantity, 'received', l.received,
                    'inInspection', l.received - l.restocked - l.scrapped - l.quarantined, 'restocked', l.restocked, 'scrapped', l.scrapped,
                    'quarantined', l.quarantined, 'receivedMinor', l.received_minor, 'creditMinor', l.credit_minor,
                    'creditTaxMinor', l.credit_tax_minor) order by l.line_no)
             from return_line l join sku s using (sku_id) where l.order_id = r.order_id and l.return_id = r.return_id), '[]') as lines,
          (select json_agg(json_build_object('at', i.inspected_at, 'by', i.inspected_by, 'reason', i.reason, 'lines', i.lines) order by i.order_version)
             from return_inspection i where i.order_id = r.order_id and i.return_id = r.return_id) as inspections
     from return_authorisation r join sales_order o using (order_id) join account a using (account_id)
    where ($1::bigint is null or r.return_id < $1::bigint)
      and ($2::text is null or r.state = $2::text
           or ($2::text = 'open' and exists (select from return_line l where l.order_id = r.order_id and l.return_id = r.return_id
                                                and (l.received < l.quantity or l.received > l.restocked + l.scrapped))))
      and ($3::int is null or o.channel_id = $3::int) and ($4::bigint is null or r.order_id = $4::bigint)
      and ($5::bigint is null or r.return_id = $5::bigint)
    order by r.return_id desc limit $6::int`,
);
/** What came back and is not on hand, by SKU and place. */
export const sumReturned = sql<{ sku: string; location_id: number; in_inspection: number; quarantined: number }>(
  'orders_sum_returned',
  `select s.code as sku, l.location_id, sum(l.received - l.restocked - l.scrapped - l.quarantined)::bigint as in_inspection,
          sum(l.quarantined)::bigint as quarantined
     from return_line l join sku s using (sku_id)
    where l.received > l.restocked + l.scrapped group by s.code, l.location_id order by s.code, l.location_id limit $1::int`,
);
/** Lines of these accounts whose units left and did not come back, newest first: what goods without a return may be of. */
export const findCandidates = sql<{
  channel_id: number;
  external_no: string;
  order_id: number;
  line_no: number;
  sku: string;
  quantity: number;
}>(
  'orders_find_return_candidates',
  `select o.channel_id, o.external_no, o.order_id, l.line_no, s.code as sku, l.shipped - l.returned - l.return_expected as quantity
     from sku s
     join order_line l on l.sku_id = s.sku_id and l.shipped > l.returned + l.return_expected
     join sales_order o using (order_id)
    where s.code = any($1::text[]) and o.account_id in (select account_id from account where code = $2::text)
    order by o.order_id desc, l.line_no limit $3::int`,
);
