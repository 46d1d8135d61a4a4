import { sql } from '../store/index.ts';

export const readAvailability = sql<{
  sku_id: number;
  location_id: number;
  on_hand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  safety_stock: number;
  outside_deducted: number;
  own: number;
  supply: number;
}>(
  'ledger_read_availability',
  `select b.sku_id, b.location_id, b.on_hand, b.reserved, b.allocated, b.exposed, b.safety_stock, b.outside_deducted,
          coalesce(e.quantity, 0) as own,
          dated_supply(b.sku_id, $3::int[], $4::int) as supply
     from stock_balance b
     left join exposure e on e.channel_id = $2::int and e.sku_id = b.sku_id and e.location_id = b.location_id
    where b.sku_id = any($1::bigint[])`,
);
