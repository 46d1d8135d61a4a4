import { sql } from '../store/index.ts';

export interface StewardshipRow {
  item_id: number;
  domain: string;
  company_id: number | null;
  record_key: string;
  field: string;
  value_held: unknown;
  value_said: unknown;
  system: string;
  owner: string;
  changed_at: Date;
  state: 'open' | 'accepted' | 'rejected';
  decided_by: string | null;
  reason: string | null;
  recorded_at: Date;
  ended_at: Date | null;
}
const columns = `item_id, domain, company_id, record_key, field, value_held, value_said, system, owner, changed_at, state, decided_by, reason,
       recorded_at, ended_at`;

// What was rejected last is not asked again. Of two at once the later one stands.
export const queueItems = sql<{ item_id: number }>(
  'master_queue_stewardship',
  `insert into stewardship_item as i (domain, company_id, record_key, field, value_held, value_said, system, owner, changed_at)
   select t.domain, t.company_id, t.record_key, t.field, t.value_held::json, t.value_said::json, t.system, t.owner, coalesce(t.changed_at, crossdock_now())
     from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[])
       as t(domain, company_id, record_key, field, value_held, value_said, system, owner, changed_at)
    where not exists (
      select from (select r.state, r.value_said from stewardship_item r
                    where (r.domain, r.record_key, r.field, r.system) = (t.domain, t.record_key, t.field, t.system)
                      and r.company_id is not distinct from t.company_id and r.state <> 'open'
                    order by r.item_id desc limit 1) last
       where last.state = 'rejected' and last.value_said::jsonb = t.value_said::jsonb)
    order by t.domain, t.record_key, t.field, t.system, t.company_id
   on conflict (domain, record_key, field, system, company_id) where state = 'open' do update
     set value_held = excluded.value_held, value_said = excluded.value_said, owner = excluded.owner, changed_at = excluded.changed_at
   where excluded.changed_at > i.changed_at
      or excluded.changed_at = i.changed_at and excluded.value_said::jsonb is distinct from i.value_said::jsonb
   returning item_id`,
);
// The system says by now what is held: there is nothing left to decide.
export const endMoot = sql(
  'master_end_moot_stewardship',
  `update stewardship_item i set state = 'rejected', decided_by = 'crossdock', reason = 'its system says what is held by now', ended_at = crossdock_now()
     from unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       as t(domain, company_id, record_key, field, system, changed_at)
    where i.state = 'open' and (i.domain, i.record_key, i.field, i.system) = (t.domain, t.record_key, t.field, t.system)
      and i.company_id is not distinct from t.company_id and i.changed_at <= t.changed_at`,
);
export const listItems = sql<StewardshipRow>(
  'master_list_stewardship',
  `select ${columns} from stewardship_item
    where ($1::text is null or state = $1::text) and ($2::text is null or domain = $2::text) and ($3::text is null or system = $3::text)
      and ($4::text is null or record_key = $4::text) and ($5::bigint is null or item_id < $5::bigint)
    order by item_id desc limit $6::int`,
);
export const findItem = sql<StewardshipRow>(
  'master_find_stewardship',
  `select ${columns} from stewardship_item where item_id = $1::bigint`,
);
export const lockItem = sql<StewardshipRow>(
  'master_lock_stewardship',
  `select ${columns} from stewardship_item where item_id = $1::bigint for update`,
);
export const endItem = sql<StewardshipRow>(
  'master_end_stewardship',
  `update stewardship_item set state = $2::text, decided_by = $3::text, reason = $4::text, ended_at = crossdock_now()
    where item_id = $1::bigint returning ${columns}`,
);
