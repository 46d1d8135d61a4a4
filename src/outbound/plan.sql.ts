import type { OrderCharge, OrderTax } from '../orders/index.ts';
import { sql } from '../store/index.ts';

export const readHeaders = sql<{
  order_id: number;
  company_id: number;
  channel_id: number;
  account_id: number;
  external_no: string;
  currency: string;
  ordered_at: Date;
  is_charged: boolean;
  charges: OrderCharge[] | null;
  taxes: OrderTax[] | null;
}>(
  'outbound_read_headers',
  `select order_id, company_id, channel_id, account_id, external_no, currency, ordered_at, is_charged,
          case when is_charged then (select json_agg(json_build_object('chargeNo', c.charge_no, 'kind', c.kind, 'code', c.code,
                                                     'amountMinor', c.amount_minor, 'taxMinor', c.tax_minor) order by c.charge_no)
                                       from order_charge c where c.order_id = o.order_id) end as charges,
          case when is_charged then (select json_agg(json_build_object('taxNo', t.tax_no, 'lineNo', t.line_no, 'chargeNo', t.charge_no, 'code', t.code,
                                                     'rate', t.rate::text, 'baseMinor', t.base_minor, 'taxMinor', t.tax_minor, 'ownMinor', t.own_minor)
                                                     order by t.tax_no)
                                       from order_tax t where t.order_id = o.order_id) end as taxes
     from sales_order o where order_id = any($1::bigint[])`,
);

export interface PlannedDelivery {
  destination_id: number;
  delivery_id: number;
  kind: string;
  reference: string;
  recorded_at: Date;
  leaves: boolean;
}

// With an epoch a delivery may leave at once: it is written as on its way under it, unless its key has an earlier one that has not
// ended. A scalar subquery, for the reason that the search for due ones has. Returned is what was not there before.
export const insertDeliveries = sql<PlannedDelivery>(
  'outbound_insert_deliveries',
  `insert into delivery (destination_id, bucket, key, kind, reference, fact_position, order_id, payload, state, attempts, lease_epoch, sent_at)
   select destination_id, bucket, key, kind, reference, fact_position, order_id, payload::json,
          case when leaves then 's' else 'n' end::"char", leaves::int, case when leaves then epoch else 0 end,
          case when leaves then crossdock_now() end
     from (select *, epoch is not null and (select min(e.delivery_id) from delivery e
                                             where e.destination_id = t.destination_id and e.key = t.key and e.is_open) is null as leaves
             from unnest($1::int[], $2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[], $9::bigint[])
               with ordinality as t(destination_id, bucket, key, kind, reference, fact_position, order_id, payload, epoch, n)
               -- Worked out once a row, not once where it is named.
              offset 0) as t
    order by n
   on conflict (destination_id, kind, reference) do nothing
   returning destination_id, delivery_id, kind, reference, recorded_at, state = 's' as leaves`,
);

// What is said of an order carries the order's own version; other things count their changes.
// changed_at is when the oldest change happened that the destination was not told yet: freshness counts from there.
export const markDirty = sql(
  'outbound_mark_dirty',
  `insert into publication as p (destination_id, kind, key, bucket, changed_at, version)
   select destination_id, kind, key, bucket, changed_at, coalesce(version, 1)
     from unnest($1::int[], $2::text[], $3::bigint[], $4::smallint[], $5::timestamptz[], $6::bigint[])
       as t(destination_id, kind, key, bucket, changed_at, version)
    order by destination_id, kind, key
   on conflict (destination_id, kind, key) do update
     set version = case when p.kind = 'order_status' then greatest(p.version, excluded.version) else p.version + 1 end,
         -- Given up was the state before; a fact that is planned once more brings no other.
         state = case when p.state = 'x' and (p.kind <> 'order_status' or excluded.version > p.version) then 'n' else p.state end,
         changed_at = case when p.version > p.confirmed_version and p.state <> 'x' then p.changed_at else excluded.changed_at end
   -- Said already: of an order what it is now is told, not what was planned.
   where p.kind <> 'order_status' or excluded.version > p.version`,
);

// The numbers of an order's SKUs, to be read back. One that is on its way, or is being read, is read once more after that. Dirty as of
// now, for only what is dirty is looked at.
export const doubtNumbersOfOrders = sql(
  'outbound_doubt_numbers_of_orders',
  `with locked as (
     select p.destination_id, p.key from publication p
      where p.kind = 'availability' and p.state in ('n', 's', 'd')
        and (p.destination_id, p.key) in (select t.destination_id, l.sku_id from unnest($1::int[], $2::bigint[]) as t(destination_id, order_id)
                                            join order_line l using (order_id))
      order by p.destination_id, p.key for update)
   update publication p
      set state = case p.state when 'n' then 'd' else p.state end, read_again = p.state <> 'n',
          version = p.version + 1, changed_at = case when p.is_dirty then p.changed_at else crossdock_now() end,
          next_at = case p.state when 'n' then crossdock_now() else p.next_at end, error = 'units of an order were taken back'
     from locked k where p.destination_id = k.destination_id and p.kind = 'availability' and p.key = k.key`,
);
