import { sql } from '../store/index.ts';

export interface ProductRow {
  code: string;
  description: string;
  unit: string;
  lifecycle: string;
  weight_g: number | null;
  length_mm: number | null;
  width_mm: number | null;
  height_mm: number | null;
  gtin: string | null;
  kit: { sku: string; quantity: number }[];
  substitutes: string[];
  set_by: Record<string, string>;
  updated_at: Date;
}
export const listProducts = sql<ProductRow>(
  'api_list_products',
  `select s.code, s.description, s.unit, s.lifecycle, s.weight_g, s.length_mm, s.width_mm, s.height_mm, s.set_by, s.updated_at,
          (select min(g.gtin) from product_gtin g where g.sku = s.code) as gtin,
          (select coalesce(json_agg(json_build_object('sku', c.code, 'quantity', k.quantity) order by c.code), '[]')
             from kit_component k join sku c on c.sku_id = k.component_id where k.kit_sku_id = s.sku_id) as kit,
          (select coalesce(json_agg(o.code order by u.rank), '[]')
             from sku_substitute u join sku o on o.sku_id = u.substitute_id where u.sku_id = s.sku_id) as substitutes
     from sku s
    where s.withdrawn_at is null and ($1::text is null or s.code > $1::text) and ($2::text is null or s.code = $2::text)
    order by s.code limit $3::int`,
);

export interface AccountRow {
  account_id: number;
  company_id: number;
  code: string;
  channel: string | null;
  name: string;
  currency: string;
  credit_limit_minor: number | null;
  parent: string | null;
  payment_terms: string | null;
  hold_reason: string | null;
  price_list: string | null;
  priority_class: string;
  ship_complete: boolean;
  region: string | null;
  merged_into: string | null;
  addresses: { code: string; name: string; lines: string[]; city: string; postalCode: string; country: string }[];
  set_by: Record<string, string>;
  updated_at: Date;
}
export const listAccounts = sql<AccountRow>(
  'api_list_accounts',
  `select a.account_id, a.company_id, a.code, a.channel, a.name, a.currency, a.credit_limit_minor, p.code as parent, a.payment_terms,
          a.hold_reason, a.price_list, a.priority_class, a.ship_complete, a.region, m.code as merged_into, a.set_by, a.updated_at,
          (select coalesce(json_agg(json_build_object('code', d.code, 'name', d.name, 'lines', d.lines, 'city', d.city,
                                                      'postalCode', d.postal_code, 'country', d.country) order by d.code), '[]')
             from account_address d where d.account_id = a.account_id) as addresses
     from account a
     left join account p on p.account_id = a.parent_id
     left join account m on m.account_id = a.merged_into
    where a.withdrawn_at is null and ($1::int is null or (a.company_id, a.code) > ($1::int, $2::text))
      and ($3::text is null or a.code = $3::text) and ($4::int is null or a.company_id = $4::int)
    order by a.company_id, a.code limit $5::int`,
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
