import { sql } from '../store/index.ts';

// No row where one of the feeds was never read to its end: then nothing is free.
export const findSettleable = sql<{ sku_id: number; drained_at: Date }>(
  'ledger_find_settleable',
  `select n.sku_id, f.drained_at
     from channel_number n, (select min(drained_at) as drained_at from feed_cursor
        where system = $2::text and feed = any($4::text[]) having count(drained_at) = cardinality($4::text[])) as f
    where n.channel_id = $1::int and n.read_back is not null and n.sending is null and n.read_back_at < f.drained_at
    order by n.sku_id limit $3::int`,
);

// Orders of a channel that were set aside: what they sold has left the channel's number but not yet its exposure. sku_id is null
// where the lines could not be read: it may be any SKU. Codes mean what they meant when it was ordered. Ingest owns the table; this is its only reader here.
export const readParkedSales = sql<{ sku_id: number | null }>(
  'ledger_read_parked_sales',
  `select distinct s.sku_id
     from parked_record p
     left join lateral json_array_elements(p.item -> 'command' -> 'lines') l on true
     left join crosswalk_entry c on c.system = p.system and c.kind = 'sku' and c.outside_id = l.value ->> 'sku'
      and c.valid_from <= coalesce(p.business_at, crossdock_now()) and c.valid_to > coalesce(p.business_at, crossdock_now())
     left join sku s on s.code = coalesce(c.our_code, upper(l.value ->> 'sku'))
    where p.scope = $1::text and p.state = 'open' and p.class <> 'key_conflict'
      and (l.value is null or s.sku_id is not null)`,
);

// Read after the balances are locked: every order that is in the cursor and concerns these SKUs is in the balances too.
export const readOrdersThrough = sql<{ cursor: string }>(
  'ledger_read_orders_through',
  `select cursor from feed_cursor where system = $1::text and feed = $2::text`,
);
