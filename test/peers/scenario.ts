/**
 * Tryton, Medusa and Vendure with Crossdock between them: buyers of both shops race for stock that covers part of what they want, some
 * cancel, the warehouse picks and ships, and then everybody's truth is compared. Shares no code with the connectors.
 *
 *   npm run -s peers:scenario -- [--orders 300] [--cover 0.6] [--seed 1] [--json]
 *
 * The peers must be up and freshly seeded (`npm run peers -- reset tryton medusa vendure`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { Shop, type ShopItem, shopUp } from './medusa-shop.ts';
import { SKUS, skuOf } from './skus.ts';
import { TrytonSession } from './tryton/client.ts';
import * as vendure from './vendure-shop.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers of systems, read by a run that fails where they are otherwise
type Any = any;

const { values: given } = parseArgs({
  options: {
    orders: { type: 'string', default: '300' },
    cover: { type: 'string', default: '0.6' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const ORDERS = Number(given.orders);
const COVER = Number(given.cover);
const CANCEL_EVERY = 20;
const BUYERS_A_SHOP = 3;
const HUB_PORT = Number(process.env.PORT ?? 8490);
const REST_MS_MAX = 20 * 60_000;
const root = join(import.meta.dirname, '../..');
const example = join(root, 'examples/tryton-medusa-vendure');
const say = (line: string) => process.stderr.write(`${line}\n`);

let state = Number(given.seed) >>> 0;
/** Mulberry32: the same orders for one seed. */
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

/** What a buyer wants: one or two SKUs of those that are raced for. */
type Wish = { sku: string; quantity: number }[];

const raced = Array.from({ length: 10 }, (_, i) => skuOf(60 + i));

function wish(): Wish {
  const first = pick(raced);
  const lines = [{ sku: first, quantity: 1 + Math.floor(random() * 3) }];
  const second = pick(raced);
  if (random() < 0.5 && second !== first) lines.push({ sku: second, quantity: 1 + Math.floor(random() * 2) });
  return lines;
}

interface Placed {
  channel: 'medusa' | 'vendure';
  number: string;
  id: string;
  lines: Wish;
  cancelled: boolean;
}

async function main(): Promise<number> {
  const medusa = await shopUp();
  if (typeof medusa === 'string') throw new Error(medusa);
  const shop = new Shop(medusa.seed, medusa.url);
  const trytonUrl = process.env.TRYTON_URL ?? 'http://127.0.0.1:18000/erp';
  const at = new URL(trytonUrl);
  const erp = await new TrytonSession(at.origin, at.pathname.slice(1)).login();
  const admin = await vendure.administrator();
  const folder = mkdtempSync(join(tmpdir(), 'crossdock-scenario-'));
  const database = await startEmbeddedPostgres({ dir: folder });
  const env = {
    ...process.env,
    DATABASE_URL: database.url,
    PORT: String(HUB_PORT),
    TRYTON_URL: trytonUrl,
    TRYTON_TOKEN: 'crossdock-pw',
    MEDUSA_URL: medusa.url,
    MEDUSA_KEY: medusa.seed.secretKey,
    MEDUSA_WEBHOOK_SECRET: 'peer-secret',
    MEDUSA_EAST: shop.east,
    MEDUSA_WEST: shop.west,
    VENDURE_URL: vendure.vendureUrl,
    VENDURE_PASSWORD: 'superadmin-pw',
    VENDURE_WEBHOOK_SECRET: 'peer-secret',
  };
  const began = performance.now();
  let hub: ChildProcess | undefined;
  const db = new pg.Client(database.url);
  try {
    await crossdock(env, 'migrate');
    await db.connect();
    // The ERP may hold the shipments of earlier runs, whose hubs counted from one, too.
    for (const ids of ['fulfilment_id_seq', 'return_id_seq'])
      await db.query('select setval($1::regclass, $2::bigint)', [ids, Math.floor(Date.now() / 1000)]);
    hub = await startHub(env);
    await loadRecords(env, folder);
    const wishes = Array.from({ length: ORDERS }, wish);
    const wanted = new Map<string, number>();
    for (const lines of wishes)
      for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
    const stock = new Map(raced.map((sku) => [sku, Math.max(2, Math.floor((wanted.get(sku) ?? 0) * COVER))]));
    const places = await storages(erp);
    await setStock(erp, places, stock);
    say(`stock is set: ${[...stock.values()].reduce((a, b) => a + b, 0)} units of ${raced.length} SKUs`);
    await until('the shops show the stock', async () => (await numbersAreTold(db, stock)) === true);
    say('both shops show it');

    const robot = warehouse(erp);
    const placed = await race(shop, admin, wishes);
    say(`${placed.orders.length} orders placed, ${placed.refused} refused by the shops`);
    await until('everything is at rest', () => isAtRest(db, erp), REST_MS_MAX);
    robot.stop();
    await robot.ended;
    const report = {
      seconds: Math.round((performance.now() - began) / 1000),
      ...(await compare(db, erp, shop, admin, places, stock, placed)),
    };
    process.stdout.write(`${JSON.stringify(report, null, given.json ? 0 : 1)}\n`);
    return report.ok ? 0 : 1;
  } finally {
    await db.end().catch(() => {});
    if (hub !== undefined) await stopHub(hub);
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function crossdock(env: NodeJS.ProcessEnv, ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [join(root, 'bin/crossdock.mjs'), ...args], {
    cwd: example,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`crossdock ${args.join(' ')} ended with ${code}`);
}

async function startHub(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(root, 'bin/crossdock.mjs'), 'start'], {
    cwd: example,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await until('the hub is ready', async () => {
    if (child.exitCode !== null) throw new Error(`the hub ended with ${child.exitCode}`);
    return fetch(`http://127.0.0.1:${HUB_PORT}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  return child;
}

async function stopHub(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function loadRecords(env: NodeJS.ProcessEnv, folder: string): Promise<void> {
  const skus = Array.from({ length: SKUS }, (_, i) => skuOf(i + 1));
  const files: Record<string, string[]> = {
    products: ['sku,description', ...skus.map((sku) => `${sku},Item ${sku}`)],
    accounts: [
      'account,company,name',
      ...Array.from({ length: 40 }, (_, i) => `CUST-${String(i + 1).padStart(4, '0')},HW,Account ${i + 1}`),
    ],
    prices: [
      'sku,currency,unitPrice',
      ...skus.map((sku, i) => `${sku},USD,${((500 + (((i + 1) * 137) % 9500)) / 100).toFixed(2)}`),
    ],
  };
  for (const [kind, lines] of Object.entries(files)) {
    const file = join(folder, `${kind}.csv`);
    writeFileSync(file, `${lines.join('\n')}\n`);
    await crossdock(env, 'load', kind, file);
  }
}

async function until(what: string, is: () => Promise<boolean>, msMax = 300_000): Promise<void> {
  const started = performance.now();
  while (!(await is())) {
    if (performance.now() - started > msMax) throw new Error(`${what}: not within ${msMax / 1000} s`);
    await sleep(1_000);
  }
}

type Storages = Record<'EAST' | 'WEST', number>;

async function storages(erp: TrytonSession): Promise<Storages> {
  const found = (await erp.searchRead(
    'stock.location',
    [['type', '=', 'warehouse']],
    ['code', 'storage_location'],
  )) as Any[];
  const of = (code: string): number => found.find((one) => one.code === code).storage_location;
  return { EAST: of('DC-EAST'), WEST: of('DC-WEST') };
}

const today = () => {
  const now = new Date();
  return { __class__: 'date', year: now.getUTCFullYear(), month: now.getUTCMonth() + 1, day: now.getUTCDate() };
};

/** By an inventory, as people count it: half in each place. */
async function setStock(erp: TrytonSession, places: Storages, stock: ReadonlyMap<string, number>): Promise<void> {
  const products = (await erp.searchRead('product.product', [['code', 'in', [...stock.keys()]]], ['code'])) as Any[];
  const ids = new Map<string, number>(products.map(({ code, id }) => [code, id]));
  for (const [n, place] of [places.EAST, places.WEST].entries()) {
    const lines = [...stock].map(([sku, units]) => ({
      product: ids.get(sku),
      quantity: n === 0 ? Math.ceil(units / 2) : Math.floor(units / 2),
    }));
    const inventory = await erp.model('stock.inventory', 'create', [
      { location: place, date: today(), empty_quantity: 'keep', lines: [['create', lines]] },
    ]);
    await erp.model('stock.inventory', 'confirm', inventory);
  }
}

async function onHandOf(erp: TrytonSession, places: Storages): Promise<Map<string, number>> {
  const units = new Map<string, number>();
  for (const [location, id] of Object.entries(places)) {
    const context = { ...erp.context, locations: [id], stock_date_end: today(), with_childs: true };
    const found = (await erp.call('model.product.product.search_read', [
      [['code', 'in', raced]],
      0,
      null,
      null,
      ['code', 'quantity'],
      context,
    ])) as Any[];
    for (const { code, quantity } of found) units.set(`${code}@${location}`, quantity);
  }
  return units;
}

/** Whether the ledger has the stock and both shops confirmed what they are shown of it. */
async function numbersAreTold(db: pg.Client, stock: ReadonlyMap<string, number>): Promise<boolean> {
  const { rows } = await db.query<{ code: string; units: number; dirty: boolean; told: number }>(
    `select s.code, (select sum(on_hand) from stock_balance b where b.sku_id = s.sku_id)::int as units,
            exists (select from publication p where p.kind = 'availability' and p.key = s.sku_id and p.is_dirty) as dirty,
            (select count(*) from channel_number n where n.sku_id = s.sku_id and n.sending is null)::int as told
       from sku s where s.code = any($1)`,
    [raced],
  );
  return rows.every(({ code, units, dirty, told }) => units === stock.get(code) && !dirty && told === 2);
}

async function race(
  shop: Shop,
  admin: vendure.Session,
  wishes: readonly Wish[],
): Promise<{ orders: Placed[]; refused: number }> {
  const items = new Map<string, ShopItem>();
  const variants = new Map<string, string>();
  for (const sku of raced) {
    items.set(sku, await shop.item(sku));
    variants.set(sku, (await vendure.variantOf(admin, sku)).id);
  }
  const orders: Placed[] = [];
  let refused = 0;
  const buy: Record<Placed['channel'], (lines: Wish) => Promise<{ number: string; id: string }>> = {
    medusa: async (lines) => {
      const cart = await shop.readyCart(
        lines.map(({ sku, quantity }) => ({ variant: items.get(sku)!.variant, quantity })),
      );
      const order = await shop.complete(cart);
      return { number: String(order.display_id), id: order.id };
    },
    vendure: async (lines) => {
      const order = await vendure.buy(lines.map(({ sku, quantity }) => [variants.get(sku)!, quantity]));
      return { number: order.code, id: order.id };
    },
  };
  const queue = wishes.map((lines, n) => ({
    lines,
    n,
    channel: n % 2 === 0 ? ('medusa' as const) : ('vendure' as const),
  }));
  await Promise.all(
    (['medusa', 'vendure'] as const).flatMap((channel) => {
      const mine = queue.filter((one) => one.channel === channel);
      return Array.from({ length: BUYERS_A_SHOP }, async () => {
        for (let next = mine.shift(); next !== undefined; next = mine.shift())
          try {
            const { number, id } = await buy[channel](next.lines);
            const cancelled = next.n % CANCEL_EVERY === 7;
            orders.push({ channel, number, id, lines: next.lines, cancelled });
            if (!cancelled) continue;
            if (channel === 'vendure') await vendure.cancel(admin, id);
            else await shop.admin('POST', `/admin/orders/${id}/cancel`);
          } catch (error) {
            // Out of stock is an answer; so is a shop that gave up on its own locks.
            refused++;
            say(`${channel}: ${(error as Error).message.slice(0, 160)}`);
          }
      });
    }),
  );
  return { orders, refused };
}

/** People with trolleys: whatever is assigned is picked, packed and shipped. */
function warehouse(erp: TrytonSession): { stop(): void; ended: Promise<void> } {
  let isOn = true;
  const ended = (async () => {
    while (isOn) {
      const due = (await erp
        .searchRead(
          'stock.shipment.out',
          [
            ['state', 'in', ['waiting', 'assigned', 'picked', 'packed']],
            ['reference', 'like', 'F%'],
          ],
          ['state'],
          20,
        )
        .catch(() => [])) as Any[];
      for (const { id, state: at } of due)
        try {
          if (at === 'waiting' && !(await erp.model('stock.shipment.out', 'assign_try', [id]))) continue;
          for (const step of ['pick', 'pack', 'done'].slice(
            { waiting: 0, assigned: 0, picked: 1, packed: 2 }[at as string] ?? 0,
          ))
            await erp.model('stock.shipment.out', step, [id]);
        } catch (error) {
          say(`warehouse: ${(error as Error).message.slice(0, 160)}`);
        }
      await sleep(due.length === 0 ? 2_000 : 200);
    }
  })();
  return {
    stop: () => {
      isOn = false;
    },
    ended,
  };
}

async function isAtRest(db: pg.Client, erp: TrytonSession): Promise<boolean> {
  const look = async () => {
    const { rows } = await db.query<{ pending: number; facts: string }>(
      `select ((select count(*) from delivery d where is_open and not exists (select from delivery e where e.destination_id = d.destination_id and e.key = d.key and e.state = 'p')) + (select count(*) from publication where is_dirty)
               + (select count(*) from fulfilment f where not exists (select from shipment s where s.fulfilment_id = f.fulfilment_id)
                    and exists (select from allocation a where a.fulfilment_id = f.fulfilment_id and a.open_quantity > 0)))::int as pending,
              (select max(position) from fact)::text as facts`,
    );
    return rows[0]!;
  };
  const one = await look();
  const open = (await erp.searchRead(
    'stock.shipment.out',
    [
      ['state', 'in', ['assigned', 'picked', 'packed']],
      ['reference', 'like', 'F%'],
    ],
    ['state'],
  )) as Any[];
  say(`pending ${one.pending}, shipments open ${open.length}`);
  if (one.pending > 0 || open.length > 0) {
    await sleep(5_000);
    return false;
  }
  await sleep(20_000);
  const other = await look();
  return other.pending === 0 && other.facts === one.facts;
}

async function compare(
  db: pg.Client,
  erp: TrytonSession,
  shop: Shop,
  admin: vendure.Session,
  places: Storages,
  stock: ReadonlyMap<string, number>,
  placed: { orders: Placed[]; refused: number },
) {
  const problems: string[] = [];
  // Every order of the shops is one order here and one sale in Tryton.
  const references = placed.orders.map(({ channel, number }) => `${channel}/${number}`);
  const sales = (await erp.searchRead('sale.sale', [['reference', 'in', references]], ['reference', 'state'])) as Any[];
  const { rows: ours } = await db.query<{ reference: string; state: string; backordered: number; units: number }>(
    `select c.code || '/' || o.external_no as reference, o.state, o.units::int,
            (select sum(backordered)::int from order_line l where l.order_id = o.order_id) as backordered
       from sales_order o join channel c using (channel_id)`,
  );
  for (const reference of references) {
    const there = sales.filter((sale) => sale.reference === reference).length;
    const here = ours.filter((order) => order.reference === reference).length;
    if (here !== 1) problems.push(`${reference} is ${here} orders in the hub`);
    if (there !== 1) problems.push(`${reference} is ${there} sales in Tryton`);
  }
  // No unit is promised twice, and what is left agrees.
  const { rows: balances } = await db.query<{ place: string; onHand: number; promised: number }>(
    `select s.code || '@' || l.code as place, b.on_hand::int as "onHand", (b.reserved + b.allocated)::int as promised
       from stock_balance b join sku s using (sku_id) join location l using (location_id) where s.code = any($1)`,
    [raced],
  );
  const erpUnits = await onHandOf(erp, places);
  for (const { place, onHand, promised } of balances) {
    if (erpUnits.get(place) !== onHand) problems.push(`${place}: ${onHand} here, ${erpUnits.get(place)} in Tryton`);
    if (promised > onHand) problems.push(`${place}: ${promised} promised of ${onHand}`);
  }
  const { rows: shipped } = await db.query<{ sku: string; units: number }>(
    `select s.code as sku, sum(l.shipped)::int as units from order_line l join sku s using (sku_id) where s.code = any($1) group by 1`,
    [raced],
  );
  for (const { sku, units } of shipped)
    if (units > stock.get(sku)!) problems.push(`${sku}: ${units} shipped of ${stock.get(sku)}`);
  // What the shops show is what may still be sold.
  const { rows: shown } = await db.query<{ channel: string; sku: string; shown: number }>(
    `select c.code as channel, s.code as sku, n.shown::int from channel_number n join channel c using (channel_id) join sku s using (sku_id) where s.code = any($1)`,
    [raced],
  );
  for (const { channel, sku, shown: number } of shown) {
    const there = channel === 'medusa' ? await medusaShows(shop, sku) : await vendureShows(admin, sku);
    if (there !== number) problems.push(`${channel} shows ${there} of ${sku}, the hub believes ${number}`);
  }
  // Every shipment reached its shop.
  const { rows: left } = await db.query<{ reference: string; units: number }>(
    `select c.code || '/' || o.external_no as reference, sum(l.shipped)::int as units
       from sales_order o join channel c using (channel_id) join order_line l using (order_id) group by 1`,
  );
  for (const order of placed.orders) {
    const units = left.find(({ reference }) => reference === `${order.channel}/${order.number}`)?.units ?? 0;
    const there =
      order.channel === 'medusa' ? await medusaShipped(shop, order.id) : await vendureShipped(admin, order.id);
    if (there !== units) problems.push(`${order.channel}/${order.number}: ${units} units left, the shop says ${there}`);
  }
  const { rows: freshness } = await db.query(
    `select flow, sum(count)::int as count, round(sum(sum_ms) / sum(count))::int as "meanMs", max(max_ms)::int as "maxMs" from freshness group by 1 order by 1`,
  );
  const { rows: parked } = await db.query(
    'select class, count(*)::int from parked_record where state = $1 group by 1',
    ['open'],
  );
  return {
    ok: problems.length === 0,
    orders: placed.orders.length,
    refusedByShops: placed.refused,
    cancelled: placed.orders.filter(({ cancelled }) => cancelled).length,
    backorderedUnits: ours.reduce((sum, { backordered }) => sum + (backordered ?? 0), 0),
    shippedUnits: shipped.reduce((sum, { units }) => sum + units, 0),
    problems,
    parked,
    freshness,
  };
}

async function medusaShows(shop: Shop, sku: string): Promise<number> {
  const levels = await shop.levels((await shop.item(sku)).inventory);
  return Object.values(levels).reduce((sum, { stocked, reserved }) => sum + stocked - reserved, 0);
}

async function vendureShows(admin: vendure.Session, sku: string): Promise<number> {
  const { stockLevels, outOfStockThreshold } = await vendure.variantOf(admin, sku);
  return (stockLevels as Any[]).reduce(
    (sum, { stockOnHand, stockAllocated }) => sum + stockOnHand - stockAllocated,
    -outOfStockThreshold,
  );
}

async function medusaShipped(shop: Shop, id: string): Promise<number> {
  const { order } = await shop.admin('GET', `/admin/orders/${id}?fields=items.detail.shipped_quantity`);
  return (order.items as Any[]).reduce((sum, { detail }) => sum + Number(detail.shipped_quantity), 0);
}

async function vendureShipped(admin: vendure.Session, id: string): Promise<number> {
  const order = await vendure.orderOf(admin, id);
  return (order.fulfillments as Any[])
    .filter(({ state: at }) => at === 'Shipped' || at === 'Delivered')
    .flatMap(({ lines }) => lines as Any[])
    .reduce((sum, { quantity }) => sum + quantity, 0);
}

process.exitCode = await main();
