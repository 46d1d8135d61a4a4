import { sql } from '../store/index.ts';

export const listProducts = sql<{ code: string; description: string; unit: string; updated_at: Date }>(
  'api_list_products',
  `select code, description, unit, updated_at from sku
    where ($1::text is null or code > $1::text) and ($2::text is null or code = $2::text) order by code limit $3::int`,
);

export const listAccounts = sql<{
  account_id: number;
  company_id: number;
  code: string;
  channel: string | null;
  name: string;
  currency: string;
  credit_limit_minor: number | null;
  updated_at: Date;
}>(
  'api_list_accounts',
  `select account_id, company_id, code, channel, name, currency, credit_limit_minor, updated_at from account
    where ($1::int is null or (company_id, code) > ($1::int, $2::text))
      and ($3::text is null or code = $3::text) and ($4::int is null or company_id = $4::int)
    order by company_id, code limit $5::int`,
);

export const listShipments = sql<{
  shipment_no: string;
  source: string;
  order_id: number;
  channel_id: number;
  external_no: string;
  fulfilment_id: number;
  location_id: number;
  tracking: string | null;
  carrier: string | null;
  parcels: { tracking: string; url?: string }[] | null;
  lines: { lineNo: number; quantity: number; amountMinor?: number }[];
  shipped_at: Date;
}>(
  'api_list_shipments',
  `select s.shipment_no, s.source, s.order_id, o.channel_id, o.external_no, s.fulfilment_id, f.location_id, s.tracking, s.carrier, s.parcels, s.lines, s.shipped_at
     from shipment s
     join sales_order o on o.order_id = s.order_id
     left join fulfilment f on f.fulfilment_id = s.fulfilment_id
    where ($1::text is null or (s.shipment_no, s.source) > ($1::text, $2::text))
      and ($3::bigint is null or s.order_id = $3::bigint) and ($4::int is null or o.channel_id = $4::int)
    order by s.shipment_no, s.source limit $5::int`,
);

export const listInvoices = sql<{
  invoice_no: string;
  source: string;
  kind: string;
  order_id: number;
  channel_id: number;
  external_no: string;
  currency: string;
  total_minor: number;
  lines: { lineNo: number; quantity: number; amountMinor: number }[];
  posted_at: Date;
}>(
  'api_list_invoices',
  `select i.invoice_no, i.source, i.kind, i.order_id, o.channel_id, o.external_no, i.currency, i.total_minor, i.lines, i.posted_at
     from invoice i join sales_order o on o.order_id = i.order_id
    where ($1::text is null or (i.kind, i.invoice_no, i.source) > ($1::text, $2::text, $3::text))
      and ($4::bigint is null or i.order_id = $4::bigint) and ($5::int is null or o.channel_id = $5::int)
    order by i.kind, i.invoice_no, i.source limit $6::int`,
);

// Units neither cancelled nor refused nor invoiced, at the order's own prices.
export const readExposure = sql<{ orders: number; open_minor: number; oldest_at: Date | null }>(
  'api_read_credit_exposure',
  `select count(distinct o.order_id)::int as orders, min(o.ordered_at) as oldest_at,
          coalesce(sum(greatest(0, l.amount_minor - l.cancelled_minor - l.invoiced_minor - amount_minor(l.unit_price, l.refused, o.currency, l.price_per))), 0)::bigint as open_minor
     from sales_order o join order_line l on l.order_id = o.order_id
    where o.account_id in (select a.account_id from account a where $1::bigint in (a.account_id, a.merged_into)) and o.state not in ('closed', 'cancelled', 'refused')`,
);
