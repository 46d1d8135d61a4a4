/**
 * Promising an order of 50 lines over 5 locations, ranked by distance, with cut-offs, from stock and dated supply: which units leave where
 * and when. Both sides give the same answer for every order: the product over all lines at once, the baseline line by line, a query each.
 */
import type pg from 'pg';
import { type ChannelEntry, Directory } from '../src/master/index.ts';
import { checkPromise, type PromiseAnswer } from '../src/orders/index.ts';
import { type PromiseSource, promiseOf, rankPlaces, splitOver } from '../src/promise/index.ts';
import { Database, Ids } from '../src/store/index.ts';
import {
  type BenchResult,
  describeMachine,
  expect,
  measureCase,
  median,
  percentile,
  type Rounds,
  randomFrom,
} from './lib/measure.ts';
import { openPool, openSetting, type Setting } from './lib/setting.ts';

const SKUS = 20_000;
const LINES = 50;
const ORDERS = 300;
const SEED = 20_260_102;
const HUB_MS_AT_MOST = 5;

const day = { workingDays: ['mon', 'tue', 'wed', 'thu', 'fri'] as const, cutOff: '14:00' };
const places = {
  LONDON: { latitude: 51.5, longitude: -0.1 },
  LEEDS: { latitude: 53.8, longitude: -1.5 },
  PARIS: { latitude: 48.9, longitude: 2.4 },
  MADRID: { latitude: 40.4, longitude: -3.7 },
  HELSINKI: { latitude: 60.2, longitude: 24.9 },
};
const zones = { LONDON: 'Europe/London', LEEDS: 'Europe/London', PARIS: 'Europe/Paris', MADRID: 'Europe/Madrid' };

interface Question {
  lines: { skuId: number; quantity: number }[];
  shipTo: { latitude: number; longitude: number };
}

interface Sides {
  db: Database;
  pool: pg.Pool;
  directory: Directory;
  channel: ChannelEntry;
  ids: Ids;
}

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const db = new Database({ url: setting.url });
  const pool = await openPool(setting.url, 1);
  try {
    const directory = await Directory.open(db, {
      companies: { ACME: { currency: 'EUR', timeZone: 'Europe/Paris' } },
      calendars: Object.fromEntries(
        Object.keys(places).map((code) => [
          code,
          { ...day, workingDays: [...day.workingDays], timeZone: { ...zones, HELSINKI: 'Europe/Helsinki' }[code]! },
        ]),
      ),
      locations: Object.fromEntries(
        Object.entries(places).map(([code, position], priority) => [
          code,
          { company: 'ACME', region: 'EU', priority, position, calendar: code, receivingDays: 1 },
        ]),
      ),
      systems: {},
      channels: {
        DIRECT: {
          ...{ company: 'ACME', sells: 'asks', locations: Object.keys(places), horizonDays: 60 },
          sourcing: { rank: ['distance', 'priority'] },
        },
      },
    });
    const channel = directory.channels.get('DIRECT')!;
    await seed(setting, channel.locationIds);
    const sides: Sides = { db, pool, directory, channel, ids: new Ids() };
    const random = randomFrom(SEED);
    const questions = Array.from({ length: ORDERS }, () => questionOf(random));
    const latencies = { product: [] as number[], baseline: [] as number[] };
    const side = async (name: 'product' | 'baseline', ask: (question: Question) => Promise<PromiseAnswer['lines']>) => {
      const started = performance.now();
      for (const question of questions) {
        const asked = performance.now();
        const lines = await ask(question);
        latencies[name].push(performance.now() - asked);
        expect(lines.length, LINES, 'lines of an answer');
      }
      return (ORDERS * 1000) / (performance.now() - started);
    };
    for (const question of questions.slice(0, 100))
      expect(
        JSON.stringify(await byLines(sides, question)),
        JSON.stringify(await bySet(sides, question)),
        'the same answer',
      );
    const result = await measureCase(
      {
        ...{ case: '50 lines, 5 locations', unit: 'orders/s', atLeast: 3 },
        product: () => side('product', (question) => bySet(sides, question)),
        baseline: () => side('baseline', (question) => byLines(sides, question)),
      },
      rounds,
    );
    const of = (list: number[]) => ({ p50Ms: round2(median(list)), p99Ms: round2(percentile(list, 0.99)) });
    return {
      name: 'promise',
      machine: await describeMachine(setting),
      cases: [result],
      figures: {
        'one order, database included': { ...of(latencies.product), p50MsAtMost: HUB_MS_AT_MOST },
        'baseline, line by line': of(latencies.baseline),
        ...{ lines: LINES, locations: channel.locationIds.length, skus: SKUS, orders: ORDERS, seed: SEED },
      },
    };
  } finally {
    await db.end();
    await pool.end();
    await setting.close();
  }
}

/** A third of the SKUs lie in too few places for most quantities; a tenth has supply to come. */
async function seed(setting: Setting, locationIds: readonly number[]): Promise<void> {
  await setting.rows(
    `insert into sku (code) select 'S' || lpad(n::text, 5, '0') from generate_series(1, $1::int) as n order by n`,
    [SKUS],
  );
  await setting.rows(
    `insert into stock_balance (sku_id, location_id, on_hand)
     select sku_id, location_id, (sku_id * 7 + location_id * 13) % 12 from sku cross join unnest($1::int[]) as l(location_id)
      order by sku_id, location_id`,
    [locationIds],
  );
  await setting.rows(
    `insert into supply (sku_id, location_id, source, source_id, quantity, due_at, announced_at, version)
     select sku_id, $1::int, 'erp', 'PO' || sku_id, 40, crossdock_now() + make_interval(days => (sku_id % 40)::int + 1), crossdock_now(), 1
       from sku where sku_id % 10 = 0`,
    [locationIds[0]],
  );
  await setting.rows('vacuum analyze');
}

function questionOf(random: () => number): Question {
  return {
    lines: Array.from({ length: LINES }, () => ({
      skuId: 1 + Math.floor(random() * SKUS),
      quantity: 1 + Math.floor(random() * 30),
    })),
    shipTo: { latitude: 40 + random() * 20, longitude: -5 + random() * 25 },
  };
}

async function bySet({ db, directory, channel, ids }: Sides, question: Question): Promise<PromiseAnswer['lines']> {
  const { lines, shipTo } = question;
  return (await checkPromise(db, { ids, directory }, { channel, lines, terms: { shipTo } })).lines;
}

const LINE_QUERY = {
  name: 'bench_promise_line',
  text: `select crossdock_now() as now, (select coalesce(sum(backordered), 0)::bigint from order_line where sku_id = $1::bigint and backordered > 0) as waiting,
                (select coalesce(json_agg(json_build_array(b.location_id, b.on_hand - b.reserved - b.allocated - b.exposed - b.safety_stock - b.outside_deducted)), '[]')
                   from stock_balance b where b.sku_id = $1::bigint and b.location_id = any($2::int[])) as stock,
                (select coalesce(json_agg(json_build_array(s.supply_id, s.location_id, s.quantity - s.received - coalesce(c.committed, 0), s.due_at) order by s.due_at, s.supply_id), '[]')
                   from supply s left join lateral (select sum(quantity) as committed from supply_commitment where supply_id = s.supply_id) c on true
                  where s.sku_id = $1::bigint and s.quantity > s.received and s.due_at <= crossdock_now() + interval '60 days') as supplies`,
};

/** What is taken by an earlier line of the same SKU is kept in mind; everything else is read for each line. */
async function byLines({ pool, directory, channel }: Sides, question: Question): Promise<PromiseAnswer['lines']> {
  const taken = new Map<string, number>();
  const answers: PromiseAnswer['lines'] = [];
  const ranked = rankPlaces(
    channel.locationIds.map((id) => directory.locationById.get(id)!),
    channel.sourcing!.rank,
    question.shipTo,
  );
  for (const { skuId, quantity } of question.lines) {
    const { rows } = await pool.query({ ...LINE_QUERY, values: [skuId, ranked] });
    const { now, stock, supplies } = rows[0] as {
      now: Date;
      stock: [number, number][];
      supplies: [number, number, number, string][];
    };
    const there = new Map(stock);
    const left = ranked.map((id) => Math.max(0, (there.get(id) ?? 0) - (taken.get(`${skuId}/${id}`) ?? 0)));
    const sources: PromiseSource[] = [];
    let missing = quantity;
    for (const { at, quantity: units } of splitOver(left, quantity, 'ranked')) {
      const key = `${skuId}/${ranked[at]}`;
      taken.set(key, (taken.get(key) ?? 0) + units);
      sources.push({ kind: 'stock', locationId: ranked[at]!, quantity: units });
      missing -= units;
    }
    for (const [supplyId, locationId, open, dueAt] of supplies) {
      const key = `supply ${supplyId}`;
      const units = Math.min(missing, open - (taken.get(key) ?? 0));
      if (units <= 0) continue;
      taken.set(key, (taken.get(key) ?? 0) + units);
      sources.push({ kind: 'supply', locationId, supplyId, dueAt: new Date(dueAt).toISOString(), quantity: units });
      missing -= units;
    }
    if (missing > 0) sources.push({ kind: 'none', reason: 'no_supply', quantity: missing });
    const time = {
      now: now.getTime(),
      requestedAt: null,
      placeOf: (locationId: number) => directory.locationById.get(locationId),
    };
    answers.push({ skuId, quantity, refused: 0, parts: promiseOf(sources, time) });
  }
  return answers;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
