import { sql } from '../store/index.ts';

export const readReservation = sql<{
  location_id: number;
  channel_id: number;
  sku: string;
  unit: string;
  quantity: number;
  open_quantity: number;
  state: string;
  purpose: string;
  expires_at: Date;
}>(
  'api_read_reservation',
  `select r.location_id, r.channel_id, s.code as sku, s.unit, r.quantity, r.open_quantity, r.state, r.purpose, r.expires_at
     from reservation r join sku s on s.sku_id = r.sku_id
    where r.reservation_id = $1::bigint order by r.location_id`,
);
