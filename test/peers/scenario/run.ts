/** One pass: seed, race, and what became of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SKUS, skuOf } from '../skus.ts';
import { type Race, race } from './buyers.ts';
import { chanceOf, raced, unitsBySku, wishes } from './chance.ts';
import { type Comparison, compare } from './compare.ts';
import { type Faults, goWrong } from './faults.ts';
import { Hub } from './hub.ts';
import { atWork, winOpportunities, workLeft } from './people.ts';
import { count, openWorld, type World } from './world.ts';

export interface ScenarioOptions {
  orders: number;
  /** Part of the units wanted that there is stock for. */
  cover: number;
  seed: number;
  /** Whether Crossdock is killed, the ERP stopped and a shop started anew meanwhile. */
  faults: boolean;
  port: number;
}

export interface ScenarioReport extends Comparison {
  ok: boolean;
  seconds: Record<'setUp' | 'race' | 'rest', number>;
  race: Race;
  faults: Faults | null;
  returnsAsked: number;
  calls: Record<string, { calls: number; perSecondMax: number; limit: number }>;
  lag: { flow: string; count: number; p50Ms: number; p99Ms: number; maxMs: number }[];
  promises: string;
}

/** Of ten wishes one is an opportunity of the CRM. */
const CRM_EVERY = 10;
/** Of the orders that left, one in so many sends something back. */
const RETURN_EVERY = 12;
/** What arrives when the race is over, of what was wanted. */
const ARRIVES = 0.15;
const REST_MS_MAX = 15 * 60_000;
/** Nothing may happen for so long: the example's feeds look again after 15 s at most. */
const QUIET_MS = 17_000;
const WARM_MS_MAX = 180_000;

export async function runScenario(options: ScenarioOptions, say: (line: string) => void): Promise<ScenarioReport> {
  const began = performance.now();
  const world = await openWorld(`http://127.0.0.1:${options.port}`, say);
  let hub: Hub | undefined;
  let people: ReturnType<typeof atWork> | undefined;
  try {
    hub = await Hub.open(options.port, world.settings);
    await hub.start();
    const list = wishes(options.orders, options.seed);
    const wanted = unitsBySku(list);
    const stock = new Map(
      [...wanted].map(([sku, units]) => [sku, halves(Math.max(2, Math.floor(units * options.cover)))]),
    );
    await until('Crossdock knows the products', async () => (await skuCount(hub!)) >= SKUS, WARM_MS_MAX);
    await hub.load('substitutes', ['sku,substitute', ...raced.map((sku, n) => `${sku},${skuOf(80 + n)}`)]);
    await count(world, stock);
    await until('both shops show the stock', () => isTold(hub!, stock), WARM_MS_MAX);
    const setUp = performance.now();
    say(`${Math.round((setUp - began) / 1000)} s: both shops show the stock`);

    people = atWork(world.erp, say);
    const ofCrm = list.filter((_, n) => n % CRM_EVERY === 0);
    const ofShops = list.filter((_, n) => n % CRM_EVERY !== 0);
    const [raced1, won, faults] = await Promise.all([
      race(world, ofShops, say),
      winOpportunities(world.erp, ofCrm),
      options.faults ? goWrong(world, hub, say) : null,
    ]);
    await arrives(world, wanted);
    const raceEnded = performance.now();
    say(
      `${Math.round((raceEnded - began) / 1000)} s: ${raced1.bought} bought, ${raced1.refused} refused, ${won} opportunities won`,
    );
    await untilAtRest(hub, world, say);
    const returnsAsked = await askBack(hub, options.seed);
    await untilAtRest(hub, world, say);
    await people.stop();
    const rested = performance.now();

    const comparison = await compare(world, hub, won);
    const verified = await hub.tryCli('verify', '--json');
    if (verified.code !== 0)
      comparison.problems.push(`crossdock verify ended with ${verified.code}: ${verified.out.slice(0, 2_000)}`);
    const calls = Object.fromEntries(
      Object.entries(world.meters).map(([name, meter]) => [
        name,
        {
          calls: meter.calls(),
          perSecondMax: meter.callsPerSecondMax(),
          limit: world.limits[name as keyof World['meters']],
        },
      ]),
    );
    for (const [name, { perSecondMax, limit }] of Object.entries(calls))
      if (perSecondMax > limit)
        comparison.problems.push(`${name} was called ${perSecondMax} times in a second, ${limit} are allowed`);
    return {
      ok: comparison.problems.length === 0,
      seconds: {
        setUp: seconds(setUp - began),
        race: seconds(raceEnded - setUp),
        rest: seconds(rested - raceEnded),
      },
      race: raced1,
      faults,
      returnsAsked,
      ...comparison,
      calls,
      lag: await lagOf(hub),
      promises: verified.code === 0 ? 'all hold' : 'broken',
    };
  } catch (error) {
    if (hub !== undefined) say(`${String(error)}\n${await hub.troubles().catch(String)}`);
    throw error;
  } finally {
    await people?.stop();
    await hub?.close();
    await world.close();
  }
}

const seconds = (ms: number) => Math.round(ms / 1000);
const halves = (units: number) => ({ EAST: Math.ceil(units / 2), WEST: Math.floor(units / 2) });

export async function until(what: string, is: () => Promise<boolean>, msMax: number): Promise<void> {
  const started = performance.now();
  while (!(await is())) {
    if (performance.now() - started > msMax) throw new Error(`${what}: not within ${msMax / 1000} s`);
    await sleep(1_000);
  }
}

async function skuCount(hub: Hub): Promise<number> {
  return (await hub.rows<{ n: number }>('select count(*)::int as n from sku'))[0]!.n;
}

/** Whether the ledger has the stock and both shops confirmed what they are shown of it. */
async function isTold(hub: Hub, stock: ReadonlyMap<string, { EAST: number; WEST: number }>): Promise<boolean> {
  const rows = await hub.rows<{ code: string; units: number | null; dirty: boolean; told: number }>(
    `select s.code, (select sum(on_hand) from stock_balance b where b.sku_id = s.sku_id)::int as units,
            exists (select from publication p where p.kind = 'availability' and p.key = s.sku_id and p.is_dirty) as dirty,
            (select count(*) from channel_number n where n.sku_id = s.sku_id and n.sending is null)::int as told
       from sku s where s.code = any($1)`,
    [raced],
  );
  return (
    rows.length === stock.size &&
    rows.every(({ code, units, dirty, told }) => {
      const { EAST, WEST } = stock.get(code)!;
      return units === EAST + WEST && !dirty && told === 2;
    })
  );
}

/** A truck: goods that lines wait for, and that leave as second shipments of their orders. */
async function arrives(world: World, wanted: ReadonlyMap<string, number>): Promise<void> {
  const there = await world.onHand();
  const units = new Map(
    [...wanted].map(([sku, all]) => {
      const more = halves(Math.ceil(all * ARRIVES));
      return [
        sku,
        { EAST: (there.get(`${sku}@EAST`) ?? 0) + more.EAST, WEST: (there.get(`${sku}@WEST`) ?? 0) + more.WEST },
      ];
    }),
  );
  await count(world, units);
}

/** Buyers who send something back ask at Crossdock. @returns how many */
async function askBack(hub: Hub, seed: number): Promise<number> {
  const chance = chanceOf(seed + 1);
  const lines = await hub.rows<{ channel: string; order: string; account: string; lineNo: number; sku: string }>(
    `select c.code as channel, o.external_no as order, a.code as account, l.line_no as "lineNo", s.code as sku
       from order_line l join sales_order o using (order_id) join channel c using (channel_id) join account a using (account_id)
       join sku s using (sku_id) where l.shipped > 0 and l.cancelled + l.returned + l.return_expected = 0 and l.line_no = 1 order by 1, 2`,
  );
  const back = lines.filter(() => chance() < 1 / RETURN_EVERY);
  const at = new Date().toISOString();
  const cancellations = back.map(({ channel, account, ...line }) => ({
    channel,
    reference: `RMA-${channel}-${line.order}`,
    account,
    at,
    lines: [{ ...line, quantity: 1 }],
  }));
  if (back.length > 0) await hub.post('/v1/cancellations', { cancellations }, `returns-${seed}`);
  return back.length;
}

/** Nothing is open here or at people's desks, and nothing happens for a while. */
async function untilAtRest(hub: Hub, world: World, say: (line: string) => void): Promise<void> {
  const look = async () => {
    const [row] = await hub.rows<{ pending: number; facts: string }>(
      `select ((select count(*) from delivery d where is_open and not exists (select from delivery e where e.destination_id = d.destination_id and e.key = d.key and e.state = 'p'))
               + (select count(*) from publication where is_dirty)
               + (select count(*) from fulfilment f where not exists (select from shipment s where s.fulfilment_id = f.fulfilment_id)
                    and exists (select from allocation a where a.fulfilment_id = f.fulfilment_id and a.open_quantity > 0)))::int as pending,
              (select max(position) from fact)::text as facts`,
    );
    return { ...row!, left: await workLeft(world.erp) };
  };
  const started = performance.now();
  for (;;) {
    const one = await look();
    say(`pending ${one.pending}, people have ${one.left} to do`);
    if (one.pending === 0 && one.left === 0) {
      await sleep(QUIET_MS);
      const other = await look();
      if (other.pending === 0 && other.left === 0 && other.facts === one.facts) return;
    } else await sleep(4_000);
    if (performance.now() - started > REST_MS_MAX)
      throw new Error(`not at rest within ${REST_MS_MAX / 60_000} minutes`);
  }
}

async function lagOf(hub: Hub): Promise<ScenarioReport['lag']> {
  return hub.rows(
    `with f as (select flow, le_ms, sum(count)::bigint as count, max(max_ms) as max_ms from freshness group by 1, 2),
          g as (select *, sum(count) over (partition by flow order by le_ms) as until, sum(count) over (partition by flow) as all from f)
     select flow, max("all")::int as count, min(le_ms) filter (where until >= 0.5 * "all")::int as "p50Ms",
            min(le_ms) filter (where until >= 0.99 * "all")::int as "p99Ms", max(max_ms)::int as "maxMs"
       from g group by 1 order by 1`,
  );
}
