import { sql } from '../store/index.ts';

export const findOrders = sql<{
  order_id: number;
  channel: string;
  external_no: string;
  state: string;
  erp_number: string | null;
}>(
  'projections_find_orders',
  `select o.order_id, c.code as channel, o.external_no, o.state, o.erp_number
     from sales_order o join channel c using (channel_id)
    where o.order_id = $1::bigint or (c.code = $2::text and o.external_no = $3::text) or o.external_no = $4::text or o.erp_number = $4::text
    order by o.order_id limit 20`,
);

// Under the number of an order that there isn't: it came and could not be read or applied.
export const findParkedOrders = sql<{ parked_id: number; scope: string; key: string; class: string }>(
  'projections_find_parked_orders',
  `select p.parked_id, p.scope, p.key, p.class
     from channel c join parked_record p on p.scope = 'order/' || c.code and p.state = 'open'
    where (c.code = $1::text and p.key = $2::text) or p.key = $3::text
    order by p.parked_id limit 20`,
);

// What came for this order: its own key, and whatever its facts say they came from.
export const listInbound = sql<{
  scope: string;
  key: string;
  state: string;
  repeats: number;
  system: string | null;
  source: string | null;
  raw_id: number;
  recorded_at: Date;
}>(
  'projections_list_inbound',
  `select i.scope, i.key, i.state, i.repeats, r.system, r.source, i.raw_id, i.recorded_at
     from unnest($1::text[], $2::text[]) as t(scope, key)
     join inbound i on i.scope = t.scope and i.key = t.key
     left join raw_record r on r.raw_id = i.raw_id
    order by i.recorded_at`,
);

export const listParkedOf = sql<{
  parked_id: number;
  scope: string;
  key: string;
  class: string;
  reason: string;
  state: string;
  resolution: string | null;
  raw_id: number;
  fingerprint: string;
  recorded_at: Date;
  ended_at: Date | null;
}>(
  'projections_list_parked',
  `select parked_id, scope, key, class, reason, state, resolution, raw_id, item->>'fingerprint' as fingerprint, recorded_at, ended_at
     from parked_record cross join (select array(select name || reference_ending() from unnest($5::text[]) as name) as names) as own
    where (scope = $1::text and key = $2::text) or wait_key = $1::text || ' ' || $2::text
       or item->'command'->>'order' = $3::text
       or (scope = $4::text and item->'command'->>'order' = $2::text)
       or item->'command'->>'fulfilment' = any(own.names) or item->'command'->>'returnReference' = any(own.names)
    order by parked_id limit 200`,
);

export const readCursor = sql<{ unread: number[] | null }>(
  'projections_read_unread',
  `select array_agg(f.stream_version order by f.stream_version) as unread
     from fact f left join log_place c on c.consumer = 'outbound' and c.shard = 0
    where f.stream = $1::text
      and (c.consumer is null or f.position > c.until_position
           or (f.position > c.after_position and (f.transaction_id, f.position) > (c.transaction_id, c.position)))`,
);
