/** The hub's own side of a comparison, by keyset pages in the order in which the systems give theirs. */
import { sql } from '../store/index.ts';

// 'shop/' before 'shop-b/': '/' and every other character stand where the concatenated keys have them.
export const readChannels = sql<{ channel_id: number; code: string; system: string | null }>(
  'reconcile_read_channels',
  `select channel_id, code, settings->>'system' as system from channel order by (code || '/') collate "C"`,
);

export interface HubOrderRow {
  order_id: number;
  external_no: string;
  account: string;
  state: string;
  currency: string;
  total_minor: number;
  charges_minor: number;
  /** Until then no system but channel and CRM knows of the order. */
  is_told: boolean;
}
export const readOrders = sql<HubOrderRow>(
  'reconcile_read_orders',
  `select o.order_id, o.external_no, a.code as account, o.state, o.currency, o.total_minor, o.charges_minor, o.is_told
     from sales_order o join account a using (account_id)
    where o.channel_id = $1::int and o.external_no > $2::text
    order by o.external_no limit $3::int`,
);

export interface HubLineRow {
  order_id: number;
  line_no: number;
  sku: string;
  quantity: number;
  refused: number;
  substituted: number;
  stands_for: number | null;
  adds_to: number | null;
  per_unit: number;
  set_no: number | null;
  unit_price: string;
  price_per: number;
  amount_minor: number;
  within: number;
  within_short: number;
  backordered: number;
  cancelled: number;
  cancelled_minor: number;
  shipped: number;
  invoiced: number;
  invoiced_minor: number;
  returned: number;
  credited_minor: number;
}
export const readLines = sql<HubLineRow>(
  'reconcile_read_lines',
  `select l.order_id, l.line_no, s.code as sku, l.quantity, l.refused, l.substituted, l.stands_for, l.adds_to, l.per_unit, l.set_no, l.unit_price, l.price_per, l.amount_minor, l.within, l.within_short, l.backordered,
          l.cancelled, l.cancelled_minor, l.shipped, l.invoiced, l.invoiced_minor, l.returned, l.credited_minor
     from order_line l join sku s using (sku_id)
    where l.order_id = any($1::bigint[]) order by l.order_id, l.line_no`,
);

export const readCharges = sql<{ stream: string; stream_version: number; company_id: number; data: unknown }>(
  'reconcile_read_charges',
  `select stream, stream_version, company_id, data from fact
    where (stream, stream_version) > ($1::text, $2::bigint) and stream < 'charge0' and type = 'charge.recorded'
    order by stream, stream_version limit $3::int`,
);

export interface HubFulfilmentRow {
  key: string;
  order_key: string;
  location: string;
  told: { lineNo: number; sku: string; quantity: number }[] | null;
  /** What the WMS was told may be no longer kept; what left still is. */
  is_forgettable: boolean;
  shipped: { lineNo: number; quantity: number }[] | null;
}
// What the WMS was told is the delivery's payload; what of it left are the shipments.
export const readFulfilments = sql<HubFulfilmentRow>(
  'reconcile_read_fulfilments',
  `with page as (
     select fulfilment_reference(fulfilment_id) as key, fulfilment_id, order_id, location_id from fulfilment
      where fulfilment_reference(fulfilment_id) collate "C" > $1::text
      order by fulfilment_reference(fulfilment_id) collate "C" limit $2::int)
   select p.key, c.code || '/' || o.external_no as order_key, w.code as location,
          (select d.payload->'lines' from delivery d where d.order_id = p.order_id and d.kind = 'fulfilment' and d.reference = p.key limit 1) as told,
          o.recorded_at < coalesce((select kept_since from expiring_table where table_name = 'delivery'), '-infinity') as is_forgettable,
          (select json_agg(json_build_object('lineNo', x."lineNo", 'quantity', x.quantity))
             from shipment s cross join lateral json_to_recordset(s.lines) as x("lineNo" int, quantity bigint)
            where s.order_id = p.order_id and s.fulfilment_id = p.fulfilment_id) as shipped
     from page p
     join sales_order o on o.order_id = p.order_id
     join channel c on c.channel_id = o.channel_id
     join location w on w.location_id = p.location_id
    order by p.key collate "C"`,
);

export interface HubReturnRow {
  key: string;
  order_key: string;
  location: string;
  state: string;
  lines: { lineNo: number; quantity: number }[];
}
export const readReturns = sql<HubReturnRow>(
  'reconcile_read_returns',
  `with page as (
     select return_reference(return_id) as key, order_id, location_id, state, lines from return_authorisation
      where return_reference(return_id) collate "C" > $1::text
      order by return_reference(return_id) collate "C" limit $2::int)
   select p.key, c.code || '/' || o.external_no as order_key, w.code as location, p.state, p.lines
     from page p
     join sales_order o on o.order_id = p.order_id
     join channel c on c.channel_id = o.channel_id
     join location w on w.location_id = p.location_id
    order by p.key collate "C"`,
);

export const readLocations = sql<{ location_id: number; code: string }>(
  'reconcile_read_locations',
  `select location_id, code from location order by (code || '/') collate "C"`,
);
export const readShelf = sql<{ sku: string; on_hand: number }>(
  'reconcile_read_shelf',
  `select s.code as sku, b.on_hand from sku s join stock_balance b on b.sku_id = s.sku_id and b.location_id = $1::int
    where s.code > $2::text order by s.code limit $3::int`,
);
