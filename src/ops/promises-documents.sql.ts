import { sql } from '../store/index.ts';

// Numbers as one text a line: half the cost of a row of columns, and nothing here is larger than a safe integer.
export const readPage = sql<{ order_id: number; lines: string | null }>(
  'verify_read_shipped_lines',
  `select o.order_id,
          (select string_agg(concat_ws(' ', l.line_no, l.shipped, l.shipped_minor, l.invoiced, l.invoiced_minor, l.credited_minor), ';')
             from order_line l
            where l.order_id = o.order_id and (l.shipped <> 0 or l.shipped_minor <> 0 or l.invoiced <> 0 or l.invoiced_minor <> 0 or l.credited_minor <> 0)) as lines
     from (select order_id from sales_order where order_id > $1::bigint order by order_id limit $2::int) o
    order by o.order_id`,
);

export interface DocumentRow {
  order_id: number;
  kind: 'shipment' | 'invoice' | 'credit_note';
  lines: { lineNo: number; quantity: number; amountMinor: number }[];
}
export const readDocuments = sql<DocumentRow>(
  'verify_read_documents',
  `select order_id, 'shipment' as kind, lines from shipment where order_id between $1::bigint and $2::bigint
   union all
   select order_id, kind, lines from invoice where order_id between $1::bigint and $2::bigint`,
);

export const findStrayDocuments = sql<{ order_id: number; kind: string; number: string }>(
  'verify_find_stray_documents',
  `select d.order_id, d.kind, d.number
     from (select order_id, 'shipment' as kind, concat_ws('/', nullif(source, ''), shipment_no) as number from shipment
           union all select order_id, kind, concat_ws('/', nullif(source, ''), invoice_no) from invoice) d
    where not exists (select from sales_order o where o.order_id = d.order_id) limit 100`,
);
