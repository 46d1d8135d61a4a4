import { sql } from '../store/index.ts';

export interface BalanceRow {
  sku_id: number;
  location_id: number;
  on_hand: number;
  reserved: number;
  allocated: number;
  exposed: number;
  safety_stock: number;
  outside_open: number;
  outside_deducted: number;
  version: number;
  counted_at: Date | null;
  counted_source: string | null;
  counted_sequence: number | null;
}

// One order of locks for all: (sku_id, location_id) ascending. What depends on the rows is read in a later statement.
export const lockBalances = sql<BalanceRow>(
  'ledger_lock_balances',
  `select b.sku_id, b.location_id, b.on_hand, b.reserved, b.allocated, b.exposed, b.safety_stock, b.outside_open,
          b.outside_deducted, b.version, b.counted_at, b.counted_source, b.counted_sequence
     from stock_balance b
     join unnest($1::bigint[], $2::int[]) as t(sku_id, location_id) using (sku_id, location_id)
    order by b.sku_id, b.location_id
      for update of b`,
);

export const readBalances = sql<BalanceRow>(
  'ledger_read_balances',
  `select b.sku_id, b.location_id, b.on_hand, b.reserved, b.allocated, b.exposed, b.safety_stock, b.outside_open,
          b.outside_deducted, b.version, b.counted_at, b.counted_source, b.counted_sequence
     from stock_balance b
     join unnest($1::bigint[], $2::int[]) as t(sku_id, location_id) using (sku_id, location_id)`,
);

// Under a share lock of the location: a start that declares another safety stock waits for this, and then finds the new rows.
export const createBalances = sql(
  'ledger_create_balances',
  `with declared as materialized (
     select location_id, safety_stock from location where location_id = any($2::int[]) order by location_id for share)
   insert into stock_balance (sku_id, location_id, safety_stock)
   select t.sku_id, t.location_id, coalesce(d.safety_stock, 0)
     from unnest($1::bigint[], $2::int[]) as t(sku_id, location_id)
     left join declared d using (location_id)
    order by t.sku_id, t.location_id
   on conflict do nothing`,
);

export const writeBalances = sql(
  'ledger_write_balances',
  `update stock_balance b
      set on_hand = t.on_hand, reserved = t.reserved, allocated = t.allocated, exposed = t.exposed, version = t.version
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
       as t(sku_id, location_id, on_hand, reserved, allocated, exposed, version)
    where b.sku_id = t.sku_id and b.location_id = t.location_id`,
);

export const writeWatermarks = sql(
  'ledger_write_watermarks',
  `update stock_balance b
      set counted_at = t.counted_at, counted_source = t.counted_source, counted_sequence = t.counted_sequence
     from unnest($1::bigint[], $2::int[], $3::timestamptz[], $4::text[], $5::bigint[])
       as t(sku_id, location_id, counted_at, counted_source, counted_sequence)
    where b.sku_id = t.sku_id and b.location_id = t.location_id`,
);

export const writeSafetyStock = sql(
  'ledger_write_safety_stock',
  `update stock_balance b set safety_stock = t.safety_stock
     from unnest($1::bigint[], $2::int[], $3::bigint[]) as t(sku_id, location_id, safety_stock)
    where b.sku_id = t.sku_id and b.location_id = t.location_id`,
);

export const insertMovements = sql(
  'ledger_insert_movements',
  `insert into stock_movement (movement_id, sku_id, location_id, kind, quantity, effect, balance_version, order_id,
                               source, source_id, source_sequence, occurred_at, line_no)
   select * from unnest($1::bigint[], $2::bigint[], $3::int[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                        $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::timestamptz[], $13::int[])`,
);

// What moved after a count's own moment and is already booked; a source's sequence beats its clock.
export const sumAfter = sql<{ n: number; effect: number }>(
  'ledger_sum_after_count',
  `select t.n, coalesce(sum(m.effect), 0)::bigint as effect
     from unnest($1::int[], $2::bigint[], $3::int[], $4::timestamptz[], $5::text[], $6::bigint[])
       as t(n, sku_id, location_id, counted_at, source, sequence)
     left join stock_movement m
       on m.sku_id = t.sku_id and m.location_id = t.location_id
      and case when m.source = t.source and m.source_sequence is not null and t.sequence is not null
               then m.source_sequence > t.sequence else m.occurred_at > t.counted_at end
    group by t.n`,
);

// Since something was not found at a place: whether it was counted there, and how much was written off or found again.
export const sumCorrected = sql<{ n: number; counted: boolean; units: number }>(
  'ledger_sum_corrected',
  `select t.n, coalesce(bool_or(m.kind = 'counted'), false) as counted,
          coalesce(sum(abs(m.quantity)) filter (where m.kind = 'adjusted'), 0)::bigint as units
     from unnest($1::int[], $2::bigint[], $3::int[], $4::timestamptz[]) as t(n, sku_id, location_id, since)
     left join stock_movement m
       on m.sku_id = t.sku_id and m.location_id = t.location_id and m.occurred_at >= t.since and m.kind in ('counted', 'adjusted')
    group by t.n`,
);

export const readExposures = sql<{ channel_id: number; sku_id: number; location_id: number; quantity: number }>(
  'ledger_read_exposures',
  `select channel_id, sku_id, location_id, quantity from exposure
    where channel_id = any($1::int[]) and sku_id = any($2::bigint[])`,
);

export const writeExposures = sql(
  'ledger_write_exposures',
  `insert into exposure (channel_id, sku_id, location_id, quantity)
   select * from unnest($1::int[], $2::bigint[], $3::int[], $4::bigint[])
   on conflict (channel_id, sku_id, location_id) do update set quantity = excluded.quantity`,
);

export interface ChannelNumberRow {
  channel_id: number;
  sku_id: number;
  shown: number | null;
  sending: number | null;
  read_back: number | null;
  read_back_at: Date | null;
  sold_since: number;
}

export const readChannelNumbers = sql<ChannelNumberRow>(
  'ledger_read_channel_numbers',
  `select channel_id, sku_id, shown, sending, read_back, read_back_at, sold_since from channel_number
    where channel_id = any($1::int[]) and sku_id = any($2::bigint[])`,
);

export const writeChannelNumbers = sql(
  'ledger_write_channel_numbers',
  `insert into channel_number (channel_id, sku_id, shown, sending, read_back, read_back_at, sold_since)
   select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::bigint[])
   on conflict (channel_id, sku_id) do update
     set shown = excluded.shown, sending = excluded.sending, read_back = excluded.read_back,
         read_back_at = excluded.read_back_at, sold_since = excluded.sold_since`,
);

export const insertShortages = sql(
  'ledger_insert_shortages',
  `insert into shortage (sku_id, location_id, quantity, cause)
   select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[])`,
);

export const endShortages = sql(
  'ledger_end_shortages',
  `update shortage s set state = 'ended', ended_at = crossdock_now()
     from unnest($1::bigint[], $2::int[]) as t(sku_id, location_id)
    where s.sku_id = t.sku_id and s.location_id = t.location_id and s.cause = $3::text and s.state = 'open'`,
);

// Never grows here: what a loss takes is recorded as that loss.
export const easeShortages = sql(
  'ledger_ease_shortages',
  `update shortage s
      set quantity = case when t.quantity > 0 then t.quantity else s.quantity end,
          state = case when t.quantity > 0 then s.state else 'ended' end
     from unnest($1::bigint[], $2::int[], $4::bigint[]) as t(sku_id, location_id, quantity)
    where s.sku_id = t.sku_id and s.location_id = t.location_id and s.cause = $3::text and s.state = 'open' and s.quantity > t.quantity`,
);

export interface ReservationRow {
  reservation_id: number;
  location_id: number;
  sku_id: number;
  channel_id: number;
  quantity: number;
  open_quantity: number;
  state: string;
  purpose: string;
  expires_at: Date;
}

const reservationColumns =
  'reservation_id, location_id, sku_id, channel_id, quantity, open_quantity, state, purpose, expires_at';

export const lockReservations = sql<ReservationRow>(
  'ledger_lock_reservations',
  `select ${reservationColumns} from reservation where reservation_id = any($1::bigint[])
    order by reservation_id, location_id for update`,
);

// Expiry is judged by the database's clock; rows that a claim holds right now are left to it.
export const lockExpired = sql<ReservationRow>(
  'ledger_lock_expired_reservations',
  `select ${reservationColumns} from reservation
    where state = 'open' and expires_at <= crossdock_now()
    order by reservation_id, location_id limit $1::int for update skip locked`,
);

export const writeReservations = sql(
  'ledger_write_reservations',
  `update reservation r set open_quantity = t.open_quantity, state = t.state
     from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[]) as t(reservation_id, location_id, open_quantity, state)
    where r.reservation_id = t.reservation_id and r.location_id = t.location_id`,
);

// One moment for all: what they expire by is computed from what this returns, to the millisecond that callers are told.
export const insertReservations = sql<{ now: Date }>(
  'ledger_insert_reservations',
  `with clock as materialized (select date_trunc('milliseconds', crossdock_now()) as now),
   written as (
     insert into reservation (reservation_id, location_id, sku_id, channel_id, quantity, open_quantity, state, purpose, expires_at, is_counted)
     select id, location_id, sku_id, channel_id, quantity, quantity, 'open', purpose,
            clock.now + make_interval(secs => expires_seconds), sku_id = any($8::bigint[])
       from clock, unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::bigint[], $6::text[], $7::float8[])
         as t(id, location_id, sku_id, channel_id, quantity, purpose, expires_seconds))
   select now from clock`,
);
