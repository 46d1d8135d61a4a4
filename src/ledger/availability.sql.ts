import { sql } from '../store/index.ts';

export const readAvailability = sql<{
  sku_id: number;
  location_id: number;
  on_hand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  safety_stock: number;
  own: number;
}>(
  'ledger_read_availability',
  `select b.sku_id, b.location_id, b.on_hand, b.reserved, b.allocated, b.exposed, b.safety_stock, coalesce(e.quantity, 0) as own
     from stock_balance b
     left join exposure e on e.channel_id = $2::int and e.sku_id = b.sku_id and e.location_id = b.location_id
    where b.sku_id = any($1::bigint[])`,
);
export const readSupply = sql<{ sku_id: number; quantity: number }>(
  'ledger_read_supply',
  `select s.sku_id, (sum(s.quantity) - coalesce(sum(c.committed), 0))::bigint as quantity
     from supply s
     left join lateral (select sum(quantity) as committed from supply_commitment where supply_id = s.supply_id) c on true
    where s.sku_id = any($1::bigint[]) and s.location_id = any($2::int[])
      and s.due_at <= crossdock_now() + make_interval(days => $3::int)
    group by s.sku_id`,
);
