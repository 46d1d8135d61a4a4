import { sql } from '../store/index.ts';

export interface PromiseRow {
  order_id: number;
  line_no: number;
  quantity: number;
  promised_at: Date | null;
  location_id: number | null;
  supply_id: number | null;
  due_at: Date | null;
  reason: string;
  cause: string;
  rule_version: string;
}
const columns = `order_id, line_no, quantity, promised_at, location_id, supply_id, due_at, reason, cause, rule_version`;

export const readPromises = sql<PromiseRow>(
  'orders_read_promises',
  `select ${columns} from promise where order_id = any($1::bigint[]) and replaced_version is null
    order by order_id, line_no, part`,
);
export const insertPromises = sql(
  'orders_insert_promises',
  `insert into promise (order_id, line_no, order_version, part, quantity, promised_at, location_id, supply_id, due_at, channel_id, account_id,
                        reason, cause, rule_version)
   select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::int[], $5::bigint[], $6::timestamptz[], $7::int[], $8::bigint[],
                        $9::timestamptz[], $10::int[], $11::bigint[], $12::text[], $13::text[], $14::text[])`,
);
/** What holds no more: of each line what is older than its next version. */
export const replacePromises = sql(
  'orders_replace_promises',
  `update promise p set replaced_version = t.version
     from (select p.order_id, p.line_no, p.order_version, p.part, min(v.version) as version
             from unnest($1::bigint[], $2::int[], $3::bigint[]) as v(order_id, line_no, version)
             join promise p on p.order_id = v.order_id and p.line_no = v.line_no and p.order_version < v.version
            where p.replaced_version is null group by 1, 2, 3, 4) t
    where p.order_id = t.order_id and p.line_no = t.line_no and p.order_version = t.order_version and p.part = t.part`,
);
// What rests on supply that is due at another time by now, or holds less of it. Lowest orders first.
export const findMoved = sql<{ order_id: number; line_no: number }>(
  'orders_find_moved_promises',
  `select distinct p.order_id, p.line_no
     from promise p join supply s using (supply_id)
     left join supply_commitment c on c.supply_id = p.supply_id and c.order_id = p.order_id and c.line_no = p.line_no
    where p.replaced_version is null and p.supply_id is not null and ($1::bigint[] is null or p.supply_id = any($1::bigint[]))
      and p.channel_id = any($3::int[])
      and (p.due_at is distinct from s.due_at or p.quantity is distinct from c.quantity)
    order by p.order_id, p.line_no limit $2::int`,
);
// By the lines that were ordered, whatever leaves in their place. `upon`: what its line's promise was last made upon.
export const readToldPromises = sql<{
  order_id: number;
  line_no: number;
  quantity: number;
  promised_at: Date | null;
  location_id: number | null;
  reason: string;
  upon: string;
  own_line_no: number;
  per_unit: number;
  set_no: number | null;
}>(
  'orders_read_told_promises',
  `select p.order_id, coalesce(l.stands_for, p.line_no) as line_no, sum(p.quantity)::bigint as quantity, p.promised_at, p.location_id, p.reason,
          (array_agg(p.cause order by p.order_version desc))[1] as upon, min(p.line_no) as own_line_no, min(l.per_unit) as per_unit, l.set_no
     from promise p join order_line l using (order_id, line_no)
    where p.order_id = any($1::bigint[]) and p.replaced_version is null
    group by p.order_id, coalesce(l.stands_for, p.line_no), p.promised_at, p.location_id, p.reason, l.set_no, case when l.set_no is not null then p.line_no end
    order by 1, 2, p.promised_at nulls last, p.location_id`,
);
