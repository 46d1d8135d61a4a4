import { sql } from '../store/index.ts';

export interface DeliveryRow {
  delivery_id: number;
  destination: string;
  kind: string;
  reference: string;
  state: string;
  attempts: number;
  error: string | null;
  resolution: string | null;
  order_id: number | null;
  holds_up: number;
  recorded_at: Date;
  sent_at: Date | null;
  ended_at: Date | null;
}
const deliveryColumns = `l.delivery_id, d.code as destination, l.kind, l.reference, l.state, l.attempts, l.error, l.resolution, l.order_id,
       l.recorded_at, l.sent_at, l.ended_at,
       case when l.is_open then (select count(*)::int from delivery f
                                  where f.destination_id = l.destination_id and f.key = l.key and f.is_open and f.delivery_id > l.delivery_id)
            else 0 end as holds_up`;

export const listParkedDeliveries = sql<DeliveryRow>(
  'outbound_list_parked_deliveries',
  `select ${deliveryColumns}
     from delivery l join destination d on d.destination_id = l.destination_id
    where l.needs_person and l.delivery_id > $1::bigint and ($2::text is null or d.code = $2::text)
      and ($3::text is null or l.state = $3::text::"char")
    order by l.delivery_id limit $4::int`,
);
export const findDelivery = sql<DeliveryRow & { payload: unknown; answer: unknown }>(
  'outbound_find_delivery',
  `select ${deliveryColumns}, l.payload, l.answer
     from delivery l join destination d on d.destination_id = l.destination_id where l.delivery_id = $1::bigint`,
);

// What was ever sent is looked up before it is sent again. A refused one has ended, and what follows under its key may have left:
// then it would come too late.
export const replayDelivery = sql<{ delivery_id: number }>(
  'outbound_replay_delivery',
  `update delivery d
      set state = case when d.sent_at is null then 'n' else 'd' end::"char", attempts = 0, next_at = crossdock_now(), ended_at = null
    where d.delivery_id = $1::bigint
      and (d.state = 'p'
           or d.state = 'r' and not exists (select from delivery f
                                             where f.destination_id = d.destination_id and f.key = d.key
                                               and f.delivery_id > d.delivery_id and f.sent_at is not null))
   returning d.delivery_id`,
);
export const resolveDelivery = sql<{ delivery_id: number }>(
  'outbound_resolve_delivery',
  `update delivery set state = 'x', resolution = $2::text, ended_at = crossdock_now()
    where delivery_id = $1::bigint and state in ('p', 'r')
   returning delivery_id`,
);

export interface PublicationRow {
  destination: string;
  kind: string;
  key: number;
  what: string | null;
  state: string;
  version: number;
  confirmed_version: number;
  attempts: number;
  error: string | null;
  resolution: string | null;
  changed_at: Date;
  sent_at: Date | null;
  confirmed_at: Date | null;
}
const publicationColumns = `d.code as destination, p.kind, p.key, coalesce(k.code, c.code || '/' || o.external_no) as what, p.state, p.version,
       p.confirmed_version, p.attempts, p.error, p.resolution, p.changed_at, p.sent_at, p.confirmed_at`;
const publicationTables = `publication p
     join destination d on d.destination_id = p.destination_id
     left join sku k on p.kind in ('availability', 'price') and k.sku_id = p.key
     left join sales_order o on p.kind = 'order_status' and o.order_id = p.key
     left join channel c on c.channel_id = o.channel_id`;

export const listParkedPublications = sql<PublicationRow>(
  'outbound_list_parked_publications',
  `select ${publicationColumns}
     from ${publicationTables}
    where p.state = 'p' and ($1::text is null or d.code = $1::text)
      and ($2::text is null or (d.code, p.kind, p.key) > ($2::text collate "C", $3::text collate "C", $4::bigint))
    order by d.code, p.kind, p.key limit $5::int`,
);
export const findPublication = sql<PublicationRow>(
  'outbound_find_publication',
  `select ${publicationColumns}
     from ${publicationTables}
    where d.code = $1::text and p.kind = $2::text and p.key = $3::bigint`,
);
export const replayPublication = sql<{ key: number }>(
  'outbound_replay_publication',
  `update publication p
      set state = case when p.sent_at is null then 'n' else 'd' end::"char", attempts = 0, next_at = crossdock_now()
     from destination d
    where d.code = $1::text and p.destination_id = d.destination_id and p.kind = $2::text and p.key = $3::bigint and p.state = 'p'
   returning p.key`,
);
// Given up until it changes again: see markDirty.
export const resolvePublication = sql<{ key: number }>(
  'outbound_resolve_publication',
  `update publication p set state = 'x', attempts = 0, resolution = $4::text
     from destination d
    where d.code = $1::text and p.destination_id = d.destination_id and p.kind = $2::text and p.key = $3::bigint and p.state = 'p'
   returning p.key`,
);
