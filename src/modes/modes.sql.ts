import { sql } from '../store/index.ts';

export interface ModeRow {
  mode_id: number;
  domain: 'erp' | 'wms' | 'crm';
  system: string;
  cause: 'away' | 'drill';
  detail: string;
  entered_by: string | null;
  version: number;
  recorded_at: Date;
  ends_at: Date | null;
  left_at: Date | null;
  is_open: boolean;
  seconds: number;
  orders: number;
  held: number;
}
const columns = `m.mode_id, m.domain, m.system, m.cause, m.detail, m.entered_by, m.version, m.recorded_at, m.ends_at, m.left_at,
  m.left_at is null and (m.ends_at is null or m.ends_at > crossdock_now()) as is_open,
  extract(epoch from coalesce(m.left_at, crossdock_now()) - m.recorded_at)::int as seconds,
  (select count(*)::int from degraded_order o where o.mode_id = m.mode_id) as orders,
  (select count(*)::int from degraded_order o where o.mode_id = m.mode_id and o.is_held) as held`;

export const noteFailures = sql(
  'modes_note_failures',
  `insert into system_contact as c (system, failing_since, last_error)
   select system, crossdock_now(), error from unnest($1::text[], $2::text[]) as t(system, error) order by system
   on conflict (system) do update
     set failing_since = coalesce(c.failing_since, excluded.failing_since), last_error = excluded.last_error, recorded_at = excluded.recorded_at`,
);
export const noteAnswers = sql(
  'modes_note_answers',
  `update system_contact set failing_since = null, recorded_at = crossdock_now()
    where system = any($1::text[]) and failing_since is not null`,
);
export const readContact = sql<{ seconds: number | null; last_error: string | null }>(
  'modes_read_contact',
  `select extract(epoch from crossdock_now() - failing_since)::float8 as seconds, last_error from system_contact where system = $1::text`,
);

// What has ended by the clock holds no more, whether somebody has written that or not.
export const findOpen = sql<{ mode_id: number; domain: ModeRow['domain']; system: string; cause: ModeRow['cause'] }>(
  'modes_find_open',
  `select mode_id, domain, system, cause from degraded_mode
    where left_at is null and (ends_at is null or ends_at > crossdock_now())`,
);
export const lockOpen = sql<{
  mode_id: number;
  cause: ModeRow['cause'];
  is_over: boolean;
  is_untold: boolean;
  version: number;
}>(
  'modes_lock_open',
  `select mode_id, cause, coalesce(ends_at <= crossdock_now(), false) as is_over, version,
          told_at <= crossdock_now() - make_interval(mins => $2::int) as is_untold
     from degraded_mode where domain = $1::text and left_at is null order by mode_id for update`,
);
export const enter = sql<{ mode_id: number; ends_at: Date | null }>(
  'modes_enter',
  `insert into degraded_mode (domain, system, cause, detail, entered_by, ends_at)
   values ($1::text, $2::text, $3::text, $4::text, $5::text, crossdock_now() + make_interval(secs => $6::float8))
   on conflict do nothing
   returning mode_id, ends_at`,
);
export const stay = sql(
  'modes_stay',
  'update degraded_mode set told_at = crossdock_now(), version = version + 1 where mode_id = $1::bigint',
);
// A drill that nobody was there to end ended when it was to.
export const leave = sql(
  'modes_leave',
  `update degraded_mode set left_at = least(ends_at, crossdock_now()), version = version + 1 where mode_id = $1::bigint`,
);
export const getMode = sql<ModeRow>('modes_get', `select ${columns} from degraded_mode m where m.mode_id = $1::bigint`);
export const listModes = sql<ModeRow>(
  'modes_list',
  `select ${columns} from degraded_mode m where ($1::boolean or (m.left_at is null and (m.ends_at is null or m.ends_at > crossdock_now())))
    order by m.mode_id desc limit $2::int`,
);

export const addOrders = sql(
  'modes_add_orders',
  `insert into degraded_order (order_id, mode_id, is_held)
   select order_id, mode_id, is_held from unnest($1::bigint[], $2::bigint[], $3::boolean[]) as t(order_id, mode_id, is_held)`,
);
export const findUnchecked = sql<{ order_id: number; mode_id: number; account_id: number; seconds_since: number }>(
  'modes_find_unchecked',
  `select d.order_id, d.mode_id, o.account_id, extract(epoch from crossdock_now() - m.left_at)::float8 as seconds_since
     from degraded_order d join degraded_mode m using (mode_id) join sales_order o using (order_id)
    where d.checked_at is null and m.left_at is not null
    order by d.order_id limit $1::int`,
);
export const findUnconfirmed = sql<{ order_id: number }>(
  'modes_find_unconfirmed',
  `select order_id from degraded_order where order_id = any($1::bigint[]) and over_by_minor is distinct from 0`,
);
export const checkOrders = sql<{ order_id: number }>(
  'modes_check_orders',
  `update degraded_order d set checked_at = crossdock_now(), over_by_minor = t.over_by_minor
     from unnest($1::bigint[], $2::bigint[]) as t(order_id, over_by_minor)
    where d.order_id = t.order_id and d.checked_at is null
   returning d.order_id`,
);
export const listOrders = sql<{
  order_id: number;
  channel_id: number;
  external_no: string;
  account: string;
  currency: string;
  total_minor: number;
  is_held: boolean;
  checked_at: Date | null;
  over_by_minor: number | null;
}>(
  'modes_list_orders',
  `select d.order_id, o.channel_id, o.external_no, a.code as account, o.currency, o.total_minor, d.is_held, d.checked_at, d.over_by_minor
     from degraded_order d join sales_order o using (order_id) join account a using (account_id)
    where d.mode_id = $1::bigint order by d.order_id limit $2::int`,
);
