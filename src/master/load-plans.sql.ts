import { sql } from '../store/index.ts';

export interface PlanRow {
  plan_id: number;
  kind: string;
  system: string;
  file: string;
  digest: string;
  state: 'planning' | 'planned' | 'applying' | 'applied' | 'undoing' | 'undone' | 'stale';
  counts: object;
  impact: object | null;
  planned_by: string;
  applied_by: string | null;
  undone_by: string | null;
  recorded_at: Date;
  planned_at: Date | null;
  applied_at: Date | null;
  undone_at: Date | null;
}
const columns = `plan_id, kind, system, file, digest, state, counts, impact, planned_by, applied_by, undone_by, recorded_at, planned_at,
       applied_at, undone_at`;

export const insertPlan = sql<{ plan_id: number }>(
  'master_insert_load_plan',
  `insert into load_plan (kind, system, file, digest, planned_by) values ($1::text, $2::text, $3::text, $4::text, $5::text) returning plan_id`,
);
// A record that an earlier row names has its item already: this row gets none, and is looked at again.
export const insertItems = sql<{ item_no: number }>(
  'master_insert_load_plan_items',
  `insert into load_plan_item (plan_id, item_no, line, key, action, before, after, subject_id, state, code, reason)
   select $1::bigint, item_no, line, key, action, before::json, after::json, subject_id, state, code, reason
     from unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[])
       as t(item_no, line, key, action, before, after, subject_id, state, code, reason)
    order by item_no
   on conflict do nothing
   returning item_no`,
);
export const findFirstLines = sql<{ key: string; line: number }>(
  'master_find_load_plan_lines',
  `select key, line from load_plan_item where plan_id = $1::bigint and key = any($2::text[]) and action <> 'refuse'`,
);
export const removeSame = sql(
  'master_remove_same_load_plan_items',
  `delete from load_plan_item where plan_id = $1::bigint and action = 'same'`,
);
export const finishPlan = sql(
  'master_finish_load_plan',
  `update load_plan set state = 'planned', counts = $2::json, impact = $3::json, planned_at = crossdock_now()
    where plan_id = $1::bigint and state = 'planning'`,
);
export const removePlan = sql('master_remove_load_plan', 'delete from load_plan where plan_id = $1::bigint');

// While batches follow one another nobody else comes to analyze the tables that they fill.
export const analyzeStale = sql<{ table: string }>(
  'master_analyze_stale',
  'select crossdock_analyze_stale() as "table"',
);

export const findPlan = sql<PlanRow>(
  'master_find_load_plan',
  `select ${columns} from load_plan where plan_id = $1::bigint`,
);
export const listPlans = sql<PlanRow>(
  'master_list_load_plans',
  `select ${columns} from load_plan where ($1::bigint is null or plan_id < $1::bigint) and ($2::text is null or state = $2::text)
    order by plan_id desc limit $3::int`,
);
// Who applies and who undoes meet here; a batch at a time.
export const lockPlan = sql<PlanRow>(
  'master_lock_load_plan',
  `select ${columns} from load_plan where plan_id = $1::bigint for update`,
);
export const setPlanState = sql(
  'master_set_load_plan_state',
  `update load_plan
      set state = $2::text,
          applied_by = case when $2::text = 'applying' then coalesce(applied_by, $3::text) else applied_by end,
          applied_at = case when $2::text in ('applied', 'stale') then crossdock_now() else applied_at end,
          undone_by = case when $2::text = 'undoing' then coalesce(undone_by, $3::text) else undone_by end,
          undone_at = case when $2::text = 'undone' then crossdock_now() else undone_at end
    where plan_id = $1::bigint`,
);

export interface ItemRow {
  item_no: number;
  line: number;
  key: string;
  action: 'add' | 'change' | 'same' | 'refuse';
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
  subject_id: number | null;
  state: 'planned' | 'applied' | 'stale' | 'refused' | 'undone' | 'kept';
  code: string | null;
  reason: string | null;
}
const itemColumns = 'item_no, line, key, action, before, after, subject_id, state, code, reason';

export const listItems = sql<ItemRow>(
  'master_list_load_plan_items',
  `select ${itemColumns} from load_plan_item
    where plan_id = $1::bigint and item_no > $2::int and ($3::text is null or state = $3::text) order by item_no limit $4::int`,
);
// What is next to do, behind what this process did last: from the beginning it would pass all that is done already, each time.
export const takeItems = sql<ItemRow>(
  'master_take_load_plan_items',
  `select ${itemColumns} from load_plan_item
    where plan_id = $1::bigint and state = $2::text and item_no > $3::int order by item_no limit $4::int`,
);
export const takeItemsBackwards = sql<ItemRow>(
  'master_take_load_plan_items_backwards',
  `select ${itemColumns} from load_plan_item
    where plan_id = $1::bigint and state = $2::text and item_no < $3::int order by item_no desc limit $4::int`,
);
export const findItemsIn = sql<{ item_no: number }>(
  'master_find_load_plan_items_in',
  `select item_no from load_plan_item where plan_id = $1::bigint and item_no = any($2::int[]) and state = $3::text`,
);
export const setItemStates = sql(
  'master_set_load_plan_item_states',
  `update load_plan_item i set state = t.state, code = coalesce(t.code, i.code), reason = coalesce(t.reason, i.reason)
     from unnest($2::int[], $3::text[], $4::text[], $5::text[]) as t(item_no, state, code, reason)
    where i.plan_id = $1::bigint and i.item_no = t.item_no`,
);
export const countItems = sql<{ state: string; count: number }>(
  'master_count_load_plan_items',
  'select state, count(*)::int as count from load_plan_item where plan_id = $1::bigint group by state order by state',
);
