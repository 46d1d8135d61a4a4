/** The promises that one snapshot of the database can prove. Written from the tables alone, without the code under test. */
import type pg from 'pg';

const checks: Record<string, string> = {
  I1: `select b.sku_id, b.location_id, b.on_hand, coalesce(m.effect, 0) as expected
         from stock_balance b
         left join (select sku_id, location_id, sum(effect) as effect from stock_movement group by 1, 2) m using (sku_id, location_id)
        where b.on_hand <> coalesce(m.effect, 0)`,
  I1_unbooked: `select m.* from stock_movement m left join stock_balance b using (sku_id, location_id) where b.sku_id is null`,
  I2_reserved: `select b.sku_id, b.location_id, b.reserved, coalesce(r.q, 0) as expected
         from stock_balance b
         left join (select sku_id, location_id, sum(open_quantity) as q from reservation where state = 'open' group by 1, 2) r using (sku_id, location_id)
        where b.reserved <> coalesce(r.q, 0)`,
  I2_allocated: `select b.sku_id, b.location_id, b.allocated, coalesce(a.q, 0) as expected
         from stock_balance b
         left join (select sku_id, location_id, sum(open_quantity) as q from allocation group by 1, 2) a using (sku_id, location_id)
        where b.allocated <> coalesce(a.q, 0)`,
  I2_exposed: `select b.sku_id, b.location_id, b.exposed, coalesce(e.q, 0) as expected
         from stock_balance b
         left join (select sku_id, location_id, sum(quantity) as q from exposure group by 1, 2) e using (sku_id, location_id)
        where b.exposed <> coalesce(e.q, 0)`,
  // Per line and source the sum of what is open, of the sources the largest, of that what is beyond ours.
  I2_outside: `with theirs as (
         select sku_id, location_id, channel_id, external_no, line_no, source, sum(open_quantity) as q from outside_allocation
          where line_no is not null group by 1, 2, 3, 4, 5, 6),
       lines as (select sku_id, location_id, channel_id, external_no, line_no, max(q) as q from theirs group by 1, 2, 3, 4, 5),
       beyond as (
         select l.sku_id, l.location_id, greatest(0, l.q - coalesce((
                  select sum(a.open_quantity) from allocation a join sales_order o using (order_id)
                   where o.channel_id = l.channel_id and o.external_no = l.external_no and a.line_no = l.line_no
                     and a.sku_id = l.sku_id and a.location_id = l.location_id), 0)) as q from lines l
         union all select sku_id, location_id, open_quantity from outside_allocation where line_no is null)
       select b.sku_id, b.location_id, b.outside_open, b.outside_deducted, coalesce(x.q, 0) as open, coalesce(d.q, 0) as deducted
         from stock_balance b
         left join (select sku_id, location_id, sum(open_quantity) as q from outside_allocation group by 1, 2) x using (sku_id, location_id)
         left join (select sku_id, location_id, sum(q) as q from beyond group by 1, 2) d using (sku_id, location_id)
        where b.outside_open <> coalesce(x.q, 0) or b.outside_deducted <> coalesce(d.q, 0)`,
  // A loss or a raised safety stock is allowed to break these two, and then it is a shortage with an owner.
  I3: `select b.* from stock_balance b
        where b.reserved < 0 or b.allocated < 0 or b.exposed < 0
           or b.outside_deducted < 0
           or (b.reserved + b.allocated + b.outside_deducted > least(b.on_hand, greatest(0, b.on_hand - b.safety_stock))
               and not exists (select from shortage s where s.sku_id = b.sku_id and s.location_id = b.location_id))`,
  I4: `select b.* from stock_balance b
        where b.exposed + b.reserved + b.allocated + b.outside_deducted > b.on_hand - b.safety_stock
          and (b.exposed > 0 or b.reserved + b.allocated + b.outside_deducted > 0)
          and not exists (select from shortage s where s.sku_id = b.sku_id and s.location_id = b.location_id)`,
  lines: `select * from order_line
        where least(allocated, backordered, refused, picked, shipped, cancel_asked, cancelled, return_expected, returned) < 0
           or quantity <> allocated + backordered + picked + cancelled + refused or shipped > quantity - cancelled - refused`,
  line_allocations: `select l.order_id, l.line_no, l.allocated, coalesce(a.q, 0) as expected
         from order_line l
         left join (select order_id, line_no, sum(open_quantity) as q from allocation group by 1, 2) a using (order_id, line_no)
        where l.allocated <> coalesce(a.q, 0)`,
  I5: `select i.scope, i.key, i.state::text, count(p.parked_id) as open
         from inbound i
         left join parked_record p on p.scope = i.scope and p.key = i.key and p.state = 'open' and p.class <> 'key_conflict'
        group by i.scope, i.key, i.state
       having (i.state in ('w', 'p')) <> (count(p.parked_id) = 1)`,
  streams: `select stream, count(*), max(stream_version) from fact where stream like 'order/%'
        group by stream having count(*) <> max(stream_version) or count(distinct stream_version) <> count(*)`,
  oversell: `select order_id, line_no, within, within_short from order_line where within_short > 0`,
};

export type PromiseName = keyof typeof checks;

/** @returns every violation found, by promise; an empty object is what one hopes for */
export async function violations(
  db: pg.Pool | pg.PoolClient,
  except: readonly string[] = [],
): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const [name, text] of Object.entries(checks)) {
    if (except.includes(name)) continue;
    const { rows } = await db.query(text);
    if (rows.length > 0) found[name] = rows;
  }
  return found;
}

/** `on hand / reserved / allocated / exposed` per location, e.g. `north 10/0/3/7`. Locations that hold nothing are left out. */
export async function balances(db: pg.Pool, sku: string): Promise<string[]> {
  const { rows } = await db.query(
    `select l.code, b.on_hand, b.reserved, b.allocated, b.exposed
       from stock_balance b join sku s using (sku_id) join location l using (location_id)
      where s.code = $1 and (b.on_hand <> 0 or b.reserved <> 0 or b.allocated <> 0 or b.exposed <> 0)
      order by l.priority`,
    [sku],
  );
  return rows.map((row) => `${row.code} ${row.on_hand}/${row.reserved}/${row.allocated}/${row.exposed}`);
}

/** The state of an order and, per line, the quantities that are not zero. */
export async function orderState(db: pg.Pool, channel: string, externalNo: string): Promise<string[]> {
  const { rows: orders } = await db.query(
    `select o.order_id, o.state from sales_order o join channel c using (channel_id) where c.code = $1 and o.external_no = $2`,
    [channel, externalNo],
  );
  if (orders.length === 0) return ['absent'];
  const { rows } = await db.query(
    `select line_no, quantity, allocated, backordered, refused, picked, shipped, invoiced, cancel_asked, cancelled,
            return_expected, returned
       from order_line where order_id = $1 order by line_no`,
    [orders[0].order_id],
  );
  return [
    orders[0].state,
    ...rows.map(({ line_no, quantity, ...parts }) =>
      [
        `${line_no}: ${quantity}`,
        ...Object.entries(parts)
          .filter(([, value]) => Number(value) !== 0)
          .map(([name, value]) => `${name} ${value}`),
      ].join(' '),
    ),
  ];
}
