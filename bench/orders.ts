/**
 * Orders of five lines through the whole hub: accepted, allocated, confirmed by the ERP, by the WMS and by the CRM.
 * The product is the hub as `createHub` wires it. The baseline does the same five steps as one transaction each per order, on
 * 16 connections, with the same rows, keys and facts; it keeps the rows that make each step safe to repeat, but neither a
 * plan of its own for late facts nor a commit of its own before each send. The systems answer at once in this process. The clock stops
 * when every step of every order is confirmed; that the hub then also looks for backorders to serve is no step.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createHub, type Hub } from '../src/app.ts';
import { amountMinor, fingerprint, type InboundItem, type OrderSubmitted } from '../src/canonical/index.ts';
import { defineEstate } from '../src/estate/index.ts';
import type { Directory } from '../src/master/index.ts';
import { pendingWork } from '../src/ops/index.ts';
import { InstantSystems } from './lib/instant-systems.ts';
import {
  type BenchResult,
  describeMachine,
  expect,
  measureCase,
  type Rounds,
  randomFrom,
  runCallers,
} from './lib/measure.ts';
import { OrderBaseline } from './lib/order-baseline.ts';
import { openPool, openSetting, type Setting } from './lib/setting.ts';

const LINES = 5;
const SKUS = 5_000;
const ACCOUNTS = 500;
const ON_HAND = 1_000_000_000;
const PRODUCT_ORDERS = 12_000;
const BASELINE_ORDERS = 2_400;
const DRAIN_MS_MAX = 60_000;
const CALLERS = 512;
const CONNECTIONS = 16;
const SEED = 20_260_103;

const estate = defineEstate({
  name: 'bench',
  companies: { ACME: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: { MAIN: { company: 'ACME', region: 'UK' } },
  systems: {
    erp: { connector: 'erp' },
    wms: { connector: 'wms' },
    crm: { connector: 'crm' },
  },
  channels: { DIRECT: { company: 'ACME', sells: 'asks', locations: ['MAIN'] } },
  routing: { orders: 'erp', fulfilment: 'wms', accounts: 'crm' },
});

export interface BenchOrder {
  item: InboundItem;
  command: OrderSubmitted;
  body: Buffer;
}

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const systems = new InstantSystems();
  const connectors = new Map([...systems.connectors()].map(([code, connector]) => [code, () => connector]));
  const faults: string[] = [];
  // Only while the product is measured: its loops would also serve the baseline's facts.
  const withHub = async <T>(work: (hub: Hub) => Promise<T>): Promise<T> => {
    const hub = await createHub({
      estate,
      databaseUrl: setting.url,
      connectors,
      onError: (where, error) => faults.push(`${where}: ${String(error)}`),
    });
    try {
      return await work(hub);
    } finally {
      await hub.stop();
    }
  };
  const pool = await openPool(setting.url, CONNECTIONS);
  try {
    const baseline = await withHub(async ({ directory }) => {
      await fill(setting, directory);
      return OrderBaseline.open(pool, setting, directory, systems);
    });
    const random = randomFrom(SEED);
    let orderNo = 0;
    const makeOrders = (total: number) => Array.from({ length: total }, () => orderOf(++orderNo, random));
    const result = await measureCase(
      {
        case: `${LINES}-lines`,
        unit: 'orders/s',
        atLeast: 5,
        between: () => tidy(setting),
        product: async () => {
          const orders = makeOrders(PRODUCT_ORDERS);
          return withHub(async (hub) => {
            await skipFacts(setting);
            await hub.start();
            return checked(setting, systems, orders, async () => {
              const before = systems.told;
              const until = performance.now() + DRAIN_MS_MAX;
              await runCallers(CALLERS, orders.length, (n) => submit(hub, orders[n]!));
              while (systems.told - before < orders.length || (await isOnTheWay(setting))) {
                if (faults.length > 0) throw new Error(faults.join('\n'));
                if (performance.now() > until)
                  throw new Error(
                    `not drained: ${JSON.stringify(await pendingWork(hub.db))}, ${systems.told - before} told`,
                  );
                await sleep(20);
              }
            });
          });
        },
        baseline: async () => {
          const orders = makeOrders(BASELINE_ORDERS);
          return checked(setting, systems, orders, async () => {
            await runCallers(CONNECTIONS, orders.length, (n) => baseline.run(orders[n]!));
          });
        },
      },
      rounds,
    );
    return {
      name: 'orders',
      machine: await describeMachine(setting),
      cases: [result],
      figures: { lines: LINES, skus: SKUS, callers: CALLERS, baselineConnections: CONNECTIONS, stretch: 8, seed: SEED },
    };
  } finally {
    await pool.end();
    await setting.close();
  }
}

async function fill(setting: Setting, directory: Directory): Promise<void> {
  await setting.rows(
    `insert into sku (code) select 'S' || lpad(n::text, 5, '0') from generate_series(1, $1::int) as n order by n`,
    [SKUS],
  );
  await setting.rows(
    `insert into stock_balance (sku_id, location_id, on_hand) select sku_id, $1::int, $2::bigint from sku order by sku_id`,
    [directory.locations.get('MAIN')!.locationId, ON_HAND],
  );
  await setting.rows(
    `insert into account (company_id, code, currency) select $1::int, 'A' || n, 'GBP' from generate_series(1, $2::int) as n order by n`,
    [directory.companies.get('ACME')!.companyId, ACCOUNTS],
  );
}

async function submit(hub: Hub, order: BenchOrder): Promise<void> {
  // As the pollers of selling systems do: demand waits while outbound work is at its bound.
  while (hub.mustWait()) await sleep(20);
  const [result] = await hub.receiver.receive({
    system: 'api',
    source: 'api',
    contentType: 'application/json',
    body: order.body,
    items: [order.item],
    onFault: 'refuse',
  });
  if (result?.status !== 'applied') throw new Error(`order ${order.item.key} was ${JSON.stringify(result)}`);
}

function orderOf(n: number, random: () => number): BenchOrder {
  const externalNo = `B-${n}`;
  const command: OrderSubmitted = {
    kind: 'order.submitted',
    channel: 'DIRECT',
    externalNo,
    company: 'ACME',
    account: `A${1 + Math.floor(random() * ACCOUNTS)}`,
    currency: 'GBP',
    orderedAt: new Date().toISOString(),
    lines: Array.from({ length: LINES }, (_, i) => ({
      lineNo: i + 1,
      sku: `S${String(1 + Math.floor(random() * SKUS)).padStart(5, '0')}`,
      quantity: 1 + Math.floor(random() * 20),
      unitPrice: (1 + Math.floor(random() * 2_000) / 100).toFixed(2),
    })),
  };
  const item = { scope: 'order/DIRECT', key: externalNo, fingerprint: fingerprint('o1', command), itemNo: 0, command };
  return { item, command, body: Buffer.from(JSON.stringify(command)) };
}

const KINDS = ['order.accepted', 'order.confirmed', 'fulfilment.requested', 'fulfilment.released'];

/** Runs `work` and asserts that every order went all the way, once, in the database and in all three systems. */
async function checked(
  setting: Setting,
  systems: InstantSystems,
  orders: BenchOrder[],
  work: () => Promise<void>,
): Promise<number> {
  const before = await totals(setting);
  const held = [systems.salesOrders.size, systems.fulfilments.size, systems.told];
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const after = await totals(setting);
  const n = orders.length;
  const lines = orders.flatMap((order) => order.command.lines);
  const quantity = lines.reduce((sum, line) => sum + Number(line.quantity), 0);
  const amount = lines.reduce((sum, line) => sum + amountMinor(line.unitPrice, Number(line.quantity), 'GBP'), 0);
  const wanted: Record<keyof typeof after, number> = {
    raws: n,
    keys: n,
    orders: n,
    amount,
    lines: lines.length,
    allocations: lines.length,
    allocated: quantity,
    facts: n * KINDS.length,
    fulfilments: n,
    deliveries: n * 2,
    publications: n,
    unlike: 0,
  };
  for (const [name, value] of Object.entries(wanted))
    expect(after[name as keyof typeof after] - before[name as keyof typeof before], value, name);
  expect(systems.salesOrders.size - held[0]!, n, 'sales orders in the ERP');
  expect(systems.fulfilments.size - held[1]!, n, 'fulfilments in the WMS');
  expect(systems.told - held[2]!, n, 'confirmed orders in the CRM');
  return n / seconds;
}

async function totals(setting: Setting) {
  const [row] = await setting.rows<Record<string, string>>(
    `select (select count(*) from raw_record) as raws,
            (select count(*) from inbound where state = 'a') as keys,
            (select count(*) from sales_order where state = 'released' and erp_number is not null) as orders,
            (select sum(total_minor) from sales_order) as amount,
            (select count(*) from order_line where allocated = quantity) as lines,
            (select count(*) from allocation where open_quantity = quantity and fulfilment_id in (select fulfilment_id from fulfilment)) as allocations,
            (select sum(allocated) from stock_balance) as allocated,
            (select count(*) from (select distinct stream, stream_version from fact where type = any($1::text[])) as f) as facts,
            (select count(*) from fulfilment where state = 'released') as fulfilments,
            (select count(*) from delivery where state = 'c') as deliveries,
            (select count(*) from publication where kind = 'order_status' and version = confirmed_version and state = 'n') as publications,
            (select count(*) from stock_balance b
               left join (select sku_id, location_id, sum(open_quantity) as open from allocation group by 1, 2) as a using (sku_id, location_id)
              where b.allocated <> coalesce(a.open, 0) or b.reserved + b.allocated > b.on_hand - b.safety_stock) as unlike`,
    [KINDS],
  );
  const {
    raws,
    keys,
    orders,
    amount,
    lines,
    allocations,
    allocated,
    facts,
    fulfilments,
    deliveries,
    publications,
    unlike,
  } = row!;
  return {
    raws: Number(raws),
    keys: Number(keys),
    orders: Number(orders),
    amount: Number(amount),
    lines: Number(lines),
    allocations: Number(allocations),
    allocated: Number(allocated),
    facts: Number(facts),
    fulfilments: Number(fulfilments),
    deliveries: Number(deliveries),
    publications: Number(publications),
    unlike: Number(unlike),
  };
}

/** Whether a delivery or an order's state is not confirmed yet. That none is missing is asserted from the totals. */
async function isOnTheWay(setting: Setting): Promise<boolean> {
  const [row] = await setting.rows<{ open: boolean }>(
    `select exists (select from delivery where is_open)
         or exists (select from publication where is_dirty)
         or exists (select from crossdock_unread('outbound')) as open`,
  );
  return row!.open;
}

/** The baseline's orders are delivered already: the hub's readers begin behind their facts. */
async function skipFacts(setting: Setting): Promise<void> {
  await setting.rows(`insert into log_cursor (consumer) values ('outbound'), ('backorders') on conflict do nothing`);
  await setting.rows(
    `update log_cursor c set transaction_id = f.transaction_id, position = f.position
       from (select transaction_id, position from fact order by transaction_id desc, position desc limit 1) as f`,
  );
}

async function tidy(setting: Setting): Promise<void> {
  for (const table of [
    'stock_balance',
    'log_cursor',
    'delivery',
    'publication',
    'sales_order',
    'order_line',
    'allocation',
  ])
    await setting.rows(`vacuum (analyze) ${table}`);
}
