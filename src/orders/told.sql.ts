import { sql } from '../store/index.ts';

type Lines = { lineNo: number; quantity: number; amountMinor: number }[];

// order_id, known: what came after the order's version that is known there; 0: all of it.
export const readToldShipments = sql<{
  order_id: number;
  order_version: number;
  shipment_no: string;
  source: string;
  location_id: number;
  tracking: string | null;
  carrier: string | null;
  parcels: { tracking: string; url?: string }[] | null;
  lines: Lines;
  shipped_at: Date;
}>(
  'orders_read_told_shipments',
  `select s.order_id, s.order_version, s.shipment_no, s.source, f.location_id, s.tracking, s.carrier, s.parcels, s.lines, s.shipped_at
     from unnest($1::bigint[], $2::bigint[]) as t(order_id, known) join shipment s using (order_id)
     join fulfilment f on f.order_id = s.order_id and f.fulfilment_id = s.fulfilment_id
    where s.order_version > t.known order by s.order_id, s.order_version, s.shipment_no, s.source`,
);
export const readToldInvoices = sql<{
  order_id: number;
  invoice_no: string;
  source: string;
  kind: 'invoice' | 'credit_note';
  currency: string;
  total_minor: number;
  tax_minor: number | null;
  posted_at: Date;
}>(
  'orders_read_told_invoices',
  `select i.order_id, i.invoice_no, i.source, i.kind, i.currency, i.total_minor, i.tax_minor, i.posted_at
     from unnest($1::bigint[], $2::bigint[]) as t(order_id, known) join invoice i using (order_id)
    where i.order_version > t.known order by i.order_id, i.order_version, i.kind, i.invoice_no, i.source`,
);
export const readToldReceipts = sql<{
  order_id: number;
  order_version: number;
  return_id: number;
  lines: Lines;
  received_at: Date;
}>(
  'orders_read_told_receipts',
  `select r.order_id, r.order_version, r.return_id, r.lines, r.received_at
     from unnest($1::bigint[], $2::bigint[]) as t(order_id, known) join return_receipt r using (order_id)
    where r.order_version > t.known order by r.order_id, r.order_version`,
);
/** Which lines stand for which, or were added to which: whoever ordered knows only the ordered ones. */
export const readStandIns = sql<{
  order_id: number;
  line_no: number;
  root: number;
  per_unit: number;
  set_no: number | null;
}>(
  'orders_read_stand_ins',
  `select order_id, line_no, stands_for as root, per_unit, set_no from order_line where order_id = any($1::bigint[]) and stands_for is not null and adds_to is null
    union all
   select order_id, line_no, adds_to, per_unit, set_no from order_line where order_id = any($1::bigint[]) and adds_to is not null`,
);
/** What became of units that came back of ordered lines, of returns that are inspected. */
export const readToldInspections = sql<{
  order_id: number;
  line_no: number;
  received: number;
  restocked: number;
  scrapped: number;
  quarantined: number;
}>(
  'orders_read_told_inspections',
  // A kit came back when all of its parts did. It is on hand when they all are; else what some of them still are, it is.
  `with line as (
     select r.order_id, r.line_no, sum(r.received) as received, sum(r.restocked) as restocked, sum(r.quarantined) as quarantined,
            sum(r.received - r.restocked - r.scrapped - r.quarantined) as open
       from return_line r join return_authorisation a using (order_id, return_id)
      where r.order_id = any($1::bigint[]) and a.inspection is not null and r.received > 0 group by r.order_id, r.line_no),
        unit as (
     select l.order_id, coalesce(l.adds_to, l.stands_for, l.line_no) as line_no, min(div(coalesce(n.received, 0), l.per_unit))::bigint as received,
            min(div(coalesce(n.restocked, 0), l.per_unit))::bigint as restocked, max(ceil(coalesce(n.quarantined, 0) / l.per_unit))::bigint as quarantined,
            max(ceil(coalesce(n.open, 0) / l.per_unit))::bigint as open
       from order_line l left join line n using (order_id, line_no)
      where l.order_id in (select order_id from line)
        and (n.line_no is not null or (l.order_id, l.set_no) in (select order_id, s.set_no from order_line s join line using (order_id, line_no)))
      group by l.order_id, coalesce(l.adds_to, l.stands_for, l.line_no), coalesce(l.set_no, l.line_no)),
        part as (
     select order_id, line_no, received, least(open, received) as open, least(quarantined, received - least(open, received)) as quarantined, restocked
       from unit)
   select order_id, line_no, sum(received)::bigint as received, sum(least(restocked, received - open - quarantined))::bigint as restocked,
          sum(received - open - quarantined - least(restocked, received - open - quarantined))::bigint as scrapped, sum(quarantined)::bigint as quarantined
     from part where received > 0 group by order_id, line_no`,
);
