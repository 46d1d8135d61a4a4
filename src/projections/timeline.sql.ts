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

export const listDeliveries = sql<{
  delivery_id: number;
  destination: string;
  kind: string;
  reference: string;
  fact_position: number;
  state: string;
  attempts: number;
  recorded_at: Date;
  sent_at: Date | null;
  ended_at: Date | null;
  next_at: Date;
  error: string | null;
  resolution: string | null;
  answer: unknown;
}>(
  'projections_list_deliveries',
  `select l.delivery_id, d.code as destination, l.kind, l.reference, l.fact_position, l.state, l.attempts, l.recorded_at, l.sent_at,
          l.ended_at, l.next_at, l.error, l.resolution, l.answer
     from delivery l join destination d using (destination_id)
    where l.order_id = $1::bigint order by l.delivery_id limit $2::int`,
);

export const listPublications = sql<{
  destination: string;
  version: number;
  confirmed_version: number;
  state: string;
  attempts: number;
  changed_at: Date;
  sent_at: Date | null;
  confirmed_at: Date | null;
  error: string | null;
}>(
  'projections_list_publications',
  `select d.code as destination, p.version, p.confirmed_version, p.state, p.attempts, p.changed_at, p.sent_at, p.confirmed_at, p.error
     from publication p join destination d using (destination_id)
    where p.kind = 'order_status' and p.key = $1::bigint order by d.code`,
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
  recorded_at: Date;
  ended_at: Date | null;
}>(
  'projections_list_parked',
  `select parked_id, scope, key, class, reason, state, resolution, recorded_at, ended_at from parked_record
    where (scope = $1::text and key = $2::text) or wait_key = $1::text || ' ' || $2::text
       or item->'command'->>'order' = $3::text
       or (scope = $4::text and item->'command'->>'order' = $2::text)
       or item->'command'->>'fulfilment' = any($5::text[]) or item->'command'->>'returnReference' = any($5::text[])
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
