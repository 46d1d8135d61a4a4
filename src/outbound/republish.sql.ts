import { sql } from '../store/index.ts';

export const markNumbers = sql<{ key: number }>(
  'outbound_mark_numbers',
  `with held as (
     select destination_id, key from publication
      where kind = 'availability' and destination_id = any($1::int[]) and state in ('n', 's', 'd')
      order by destination_id, kind, key for update)
   update publication p set version = p.version + 1,
          changed_at = case when p.version > p.confirmed_version then p.changed_at else crossdock_now() end
     from held where p.destination_id = held.destination_id and p.kind = 'availability' and p.key = held.key
   returning p.key`,
);
