import { sql } from '../store/index.ts';

export interface PendingRow {
  deliveries: number;
  publications: number;
  /** On their way, or read back and not settled; one that is to be read again has a dirty publication. */
  numbers: number;
  waiting: number;
  behind: number;
  /** Lines that wait although something free where their channel serves could be theirs, counted up to 1,000. */
  servable: number;
}

/**
 * What the hub itself still has to do; a consumer that has never read is behind by everything.
 * A backorder without stock is a state, not pending work; one that could be served is.
 */
export const readPending = sql<PendingRow>(
  'hub_read_pending',
  `select (select count(*)::int from delivery where is_open and state in ('n', 's', 'd')) as deliveries,
          (select count(*)::int from publication where is_dirty) as publications,
          (select count(*)::int from channel_number where sending is not null or read_back is not null) as numbers,
          (select count(*)::int from parked_record p
            where p.state = 'open' and p.wait_key is not null
              and exists (select from inbound i
                           where i.scope = split_part(p.wait_key, ' ', 1) and i.key = substr(p.wait_key, strpos(p.wait_key, ' ') + 1)
                             and i.state = 'a')) as waiting,
          (select count(*)::int
             from ((select from crossdock_unread('outbound') limit 1000)
                   union all (select from crossdock_unread('backorders') limit 1000)) as t) as behind,
          (select count(*)::int
             from (select from order_line l join sales_order o using (order_id) join channel h using (channel_id)
                    where l.backordered > 0
                      and exists (select from stock_balance b join location p using (location_id)
                                   where b.sku_id = l.sku_id and b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock > 0
                                     and p.code in (select json_array_elements_text(h.settings->'locations')))
                    limit 1000) as t) as servable`,
);
