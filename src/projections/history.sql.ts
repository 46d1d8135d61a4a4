import { sql } from '../store/index.ts';

type StateLetter = 'n' | 's' | 'd' | 'c' | 'r' | 'p' | 'x';

export const listDeliveries = sql<{
  destination: string;
  kind: string;
  reference: string;
  fact_position: number;
  state: StateLetter;
  attempts: number;
  recorded_at: Date;
  sent_at: Date | null;
  ended_at: Date | null;
  error: string | null;
  resolution: string | null;
  answer: unknown;
}>(
  'projections_list_deliveries',
  `select d.code as destination, l.kind, l.reference, l.fact_position, l.state, l.attempts, l.recorded_at, l.sent_at,
          l.ended_at, l.error, l.resolution, l.answer
     from delivery l join destination d using (destination_id)
    where l.order_id = $1::bigint order by l.delivery_id limit $2::int`,
);

export const listPublications = sql<{
  destination: string;
  kind: string;
  version: number;
  confirmed_version: number;
  state: StateLetter;
  attempts: number;
  changed_at: Date;
  sent_at: Date | null;
  confirmed_at: Date | null;
  error: string | null;
}>(
  'projections_list_publications',
  `select d.code as destination, p.kind, p.version, p.confirmed_version, p.state, p.attempts, p.changed_at, p.sent_at,
          p.confirmed_at, p.error
     from publication p join destination d using (destination_id)
    where p.kind = 'order_status' and p.key = $1::bigint order by d.code`,
);
