/**
 * Deciding 100,000 open lines anew: 2,000 SKUs of each 50 lines wait for a supply that covers half of them and is promised to who came first;
 * by the classes of their accounts others should have it. The product looks at all, decides and writes it; the baseline writes the same
 * changes, already decided, line by line: a transaction each that locks the order and the balance.
 */
import type pg from 'pg';
import { Directory } from '../src/master/index.ts';
import { applyRerun, planRerun, type RerunLine } from '../src/orders/index.ts';
import { Database, Ids } from '../src/store/index.ts';
import { type BenchResult, describeMachine, expect, measureCase, median, type Rounds } from './lib/measure.ts';
import { openPool, openSetting, type Setting } from './lib/setting.ts';

const SKUS = 2_000;
const LINES_PER_SKU = 50;
const LINES_PER_ORDER = 10;
const LINES = SKUS * LINES_PER_SKU;
const ORDERS = LINES / LINES_PER_ORDER;
const ACCOUNTS = 500;
const BASELINE_LINES = 4_000;
const CONNECTIONS = 16;
const SECONDS_AT_MOST = 20;

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const db = new Database({ url: setting.url });
  const pool = await openPool(setting.url, CONNECTIONS);
  try {
    const directory = await Directory.open(db, {
      companies: { ACME: { currency: 'EUR', timeZone: 'Europe/Paris' } },
      locations: { MAIN: { company: 'ACME', region: 'EU' } },
      systems: {},
      channels: { DIRECT: { company: 'ACME', sells: 'asks', locations: ['MAIN'], horizonDays: 60 } },
    });
    await seed(setting);
    const deps = { ids: new Ids(), directory };
    const seconds: number[] = [];
    let changed = 0;
    const decided = (await planRerun(db, deps, null)).changes;
    const result = await measureCase(
      {
        ...{ case: `${LINES} open lines`, unit: 'changed lines/s', atLeast: 3 },
        between: () => promiseToTheFirst(setting),
        product: async () => {
          const started = performance.now();
          const plan = await planRerun(db, deps, null);
          expect(plan.lines, LINES, 'lines that were looked at');
          const { stale } = await applyRerun(db, deps, plan);
          const took = (performance.now() - started) / 1_000;
          expect(stale, 0, 'orders that changed meanwhile');
          expect((await planRerun(db, deps, null)).changes.length, 0, 'lines that are not as they should be');
          await checkPromised(setting);
          seconds.push(took);
          changed = plan.changes.length;
          return changed / took;
        },
        baseline: async () => {
          const some = decided.slice(0, BASELINE_LINES);
          const started = performance.now();
          await lineByLine(pool, some);
          return some.length / ((performance.now() - started) / 1_000);
        },
      },
      rounds,
    );
    return {
      name: 'repromise',
      machine: await describeMachine(setting),
      cases: [result],
      figures: {
        'seconds for all': { median: Math.round(median(seconds) * 10) / 10, atMost: SECONDS_AT_MOST },
        ...{ lines: LINES, orders: ORDERS, skus: SKUS, changed, baselineLines: BASELINE_LINES },
      },
    };
  } finally {
    await db.end();
    await pool.end();
    await setting.close();
  }
}

async function seed(setting: Setting): Promise<void> {
  await setting.rows(
    `insert into sku (code) select 'S' || lpad(n::text, 5, '0') from generate_series(1, $1::int) as n order by n`,
    [SKUS],
  );
  await setting.rows(
    `insert into account (company_id, code, currency, priority_class)
     select 1, 'A' || n, 'EUR', (array['win', 'gain', 'redistribute', 'redistribute', 'redistribute', 'fill', 'lose'])[1 + n % 7]
       from generate_series(1, $1::int) as n`,
    [ACCOUNTS],
  );
  await setting.rows(`insert into stock_balance (sku_id, location_id) select sku_id, 1 from sku order by sku_id`);
  await setting.rows(
    `insert into supply (sku_id, location_id, source, source_id, quantity, due_at, announced_at, version)
     select sku_id, 1, 'erp', 'PO' || sku_id, $1::int, crossdock_now() + interval '9 days', crossdock_now(), 1 from sku order by sku_id`,
    [LINES_PER_SKU],
  );
  await setting.rows(
    `insert into sales_order (order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, ordered_at,
                              units, units_open, units_refused, erp_number)
     select n, 1, 1, 1 + (n * 7919) % $2::int, 'O' || n, 'confirmed', 2, 'EUR', $3::int * 200, crossdock_now(), $3::int * 2, $3::int * 2, 0, 'E' || n
       from generate_series(1, $1::int) as n`,
    [ORDERS, ACCOUNTS, LINES_PER_ORDER],
  );
  // Two units a line, so that the supply of a SKU covers half of its lines.
  await setting.rows(
    `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, backordered)
     select o, l, 1 + ((o - 1) * $2::int + l - 1) % $3::int, 2, 1.00, 200, 2
       from generate_series(1, $1::int) as o cross join generate_series(1, $2::int) as l order by o, l`,
    [ORDERS, LINES_PER_ORDER, SKUS],
  );
  await promiseToTheFirst(setting);
  await setting.rows('vacuum analyze');
}

/** As it stood before: first come, first served. */
async function promiseToTheFirst(setting: Setting): Promise<void> {
  await setting.rows('truncate supply_commitment');
  await setting.rows(
    `insert into supply_commitment (supply_id, order_id, line_no, quantity)
     select s.supply_id, l.order_id, l.line_no, l.quantity
       from (select order_id, line_no, sku_id, quantity, row_number() over (partition by sku_id order by order_id, line_no) as n from order_line) l
       join supply s using (sku_id) where l.n * 2 <= s.quantity`,
  );
}

async function checkPromised(setting: Setting): Promise<void> {
  const [row] = await setting.rows<{ promised: number; over: number }>(
    `select (select sum(quantity)::int from supply_commitment) as promised,
            (select count(*)::int from supply s where s.quantity < (select sum(quantity) from supply_commitment c where c.supply_id = s.supply_id)) as over`,
  );
  expect(row!.promised, SKUS * LINES_PER_SKU, 'units that are promised');
  expect(row!.over, 0, 'supplies that are promised twice');
}

async function lineByLine(pool: pg.Pool, lines: readonly RerunLine[]): Promise<void> {
  let next = 0;
  const worker = async () => {
    const client = await pool.connect();
    try {
      for (let line = lines[next++]; line !== undefined; line = lines[next++]) {
        const { orderId, lineNo, skuId, change } = line;
        await client.query('begin');
        await client.query({
          name: 'b_order',
          text: 'select version from sales_order where order_id = $1 for update',
          values: [orderId],
        });
        await client.query({
          name: 'b_balance',
          text: 'select version from stock_balance where sku_id = $1 and location_id = 1 for update',
          values: [skuId],
        });
        for (const { supplyId, quantity } of change.commitments)
          await client.query({
            name: 'b_commit',
            text: `insert into supply_commitment (supply_id, order_id, line_no, quantity) values ($1, $2, $3, abs($4::bigint))
                   on conflict (supply_id, order_id, line_no) do update set quantity = excluded.quantity`,
            values: [supplyId, orderId, lineNo, quantity],
          });
        await client.query({
          name: 'b_version',
          text: 'update sales_order set version = version + 1 where order_id = $1',
          values: [orderId],
        });
        await client.query({
          name: 'b_fact',
          text: `insert into fact (type, stream, stream_version, company_id, occurred_at, data)
                 select 'order.lines_reassigned', 'order/' || $1::text, version, 1, crossdock_now(), $2::json from sales_order where order_id = $1::bigint`,
          values: [String(orderId), JSON.stringify(change)],
        });
        await client.query('commit');
      }
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
}
