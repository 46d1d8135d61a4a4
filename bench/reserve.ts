/**
 * Reserving one unit: 1,024 callers, each waiting for its own answer.
 * Both sides write the same rows: the permanent key, the reservation, the fact and the balance, and answer after the commit.
 */
import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { ReservationDesk } from '../src/ingest/index.ts';
import { type ChannelEntry, Directory } from '../src/master/index.ts';
import { Database, Ids } from '../src/store/index.ts';
import {
  type BenchResult,
  type CaseResult,
  describeMachine,
  expect,
  measureCase,
  median,
  percentile,
  type Rounds,
  randomFrom,
  runCallers,
  zipf,
} from './lib/measure.ts';
import { openPool, openSetting, type Setting } from './lib/setting.ts';

const CALLERS = 1_024;
const CONNECTIONS = 16;
const SKUS = 10_000;
const ON_HAND = 1_000_000_000;
const SEED = 20_260_101;
const SECONDS_HELD = 3_600;

interface Sides {
  setting: Setting;
  pool: pg.Pool;
  desk: ReservationDesk;
  channel: ChannelEntry;
  locationId: number;
}

export async function run(rounds: Rounds): Promise<BenchResult> {
  const setting = await openSetting();
  const db = new Database({ url: setting.url });
  const pool = await openPool(setting.url, CONNECTIONS);
  try {
    const directory = await Directory.open(db, {
      companies: { ACME: { currency: 'GBP', timeZone: 'Europe/London' } },
      locations: { MAIN: { company: 'ACME', region: 'UK' } },
      systems: {},
      channels: { DIRECT: { company: 'ACME', sells: 'asks', locations: ['MAIN'] } },
    });
    const channel = directory.channels.get('DIRECT')!;
    const locationId = channel.locationIds[0]!;
    await setting.rows(
      `insert into sku (code) select 'S' || lpad(n::text, 5, '0') from generate_series(1, $1::int) as n order by n`,
      [SKUS],
    );
    await setting.rows(
      `insert into stock_balance (sku_id, location_id, on_hand) select sku_id, $1::int, $2::bigint from sku order by sku_id`,
      [locationId, ON_HAND],
    );
    const desk = new ReservationDesk({ db, ids: new Ids(), directory });
    const sides: Sides = { setting, pool, desk, channel, locationId };
    const skewed = zipf(SKUS, randomFrom(SEED));
    const cases: CaseResult[] = [
      await compare(sides, rounds, {
        case: 'hot',
        atLeast: 20,
        baselineTotal: 3_000,
        productTotal: 40_000,
        pick: () => 1,
      }),
      await compare(sides, rounds, {
        case: 'skewed-10000',
        atLeast: 8,
        baselineTotal: 5_000,
        productTotal: 40_000,
        pick: () => skewed() + 1,
      }),
    ];
    const latencies: Record<string, number>[] = [];
    for (let round = 0; round < rounds.rounds; round++) {
      await tidy(setting);
      latencies.push(await latency(sides, () => skewed() + 1));
    }
    const of = (key: string) => median(latencies.map((l) => l[key]!));
    return {
      name: 'reserve',
      machine: await describeMachine(setting),
      cases,
      figures: {
        'skewed-10000, 64 callers': {
          p50Ms: of('p50Ms'),
          p99Ms: of('p99Ms'),
          p99MsAtMost: 50,
          perSecond: of('perSecond'),
        },
        callers: CALLERS,
        baselineConnections: CONNECTIONS,
        seed: SEED,
      },
    };
  } finally {
    await db.end();
    await pool.end();
    await setting.close();
  }
}

interface CaseSettings {
  case: string;
  atLeast: number;
  baselineTotal: number;
  productTotal: number;
  /** The SKU's id: 1 … 10,000. */
  pick: () => number;
}

async function compare(sides: Sides, rounds: Rounds, settings: CaseSettings): Promise<CaseResult> {
  const { setting } = sides;
  return measureCase(
    {
      case: settings.case,
      unit: 'reservations/s',
      atLeast: settings.atLeast,
      between: () => tidy(setting),
      baseline: () =>
        round(sides, settings.baselineTotal, settings.pick, (sku, key) => reserveByRowLock(sides, sku, key)),
      product: () => round(sides, settings.productTotal, settings.pick, (sku, key) => reserveByLane(sides, sku, key)),
    },
    rounds,
  );
}

async function round(
  sides: Sides,
  total: number,
  pick: () => number,
  reserve: (skuId: number, key: string) => Promise<number>,
): Promise<number> {
  const skuIds = Array.from({ length: total }, pick);
  const keys = skuIds.map(() => randomUUID());
  const answers = new Set<number>();
  const before = await counts(sides.setting);
  const seconds = await runCallers(CALLERS, total, async (n) => {
    answers.add(await reserve(skuIds[n]!, keys[n]!));
  });
  expect(answers.size, total, 'different reservations answered');
  const after = await counts(sides.setting);
  for (const table of ['reservations', 'keys', 'facts', 'reserved', 'versions'] as const)
    expect(after[table] - before[table], total, `${table} written`);
  expect(after.unlike, 0, 'balances that differ from their reservations');
  return total / seconds;
}

/** Every number that one reservation moves by one, and the balances that differ from their reservations or are beyond stock. */
async function counts(setting: Setting) {
  const [row] = await setting.rows<
    Record<'reservations' | 'keys' | 'facts' | 'reserved' | 'versions' | 'unlike', string>
  >(
    `select (select count(*) from reservation) as reservations,
            (select count(*) from inbound where state = 'a') as keys,
            (select count(*) from (select distinct stream, stream_version from fact where type = 'stock.reserved') as f) as facts,
            (select sum(reserved) from stock_balance) as reserved,
            (select sum(version) from stock_balance) as versions,
            (select count(*) from stock_balance b
               left join (select sku_id, location_id, sum(open_quantity) as open from reservation where state = 'open' group by 1, 2) as r
                 using (sku_id, location_id)
              where b.reserved <> coalesce(r.open, 0) or b.reserved + b.allocated > b.on_hand - b.safety_stock) as unlike`,
  );
  return Object.fromEntries(Object.entries(row!).map(([key, value]) => [key, Number(value)])) as Record<
    'reservations' | 'keys' | 'facts' | 'reserved' | 'versions' | 'unlike',
    number
  >;
}

async function tidy(setting: Setting): Promise<void> {
  await setting.rows('vacuum (analyze) stock_balance');
}

async function reserveByLane({ desk, channel }: Sides, skuId: number, key: string): Promise<number> {
  const result = await desk.reserve({
    scope: 'reservation/bench',
    key,
    channel,
    sku: skuCode(skuId),
    skuId,
    quantity: 1,
    location: null,
    locationId: null,
    partial: false,
    purpose: 'order',
    expiresSeconds: SECONDS_HELD,
  });
  if (result.status !== 'held') throw new Error(`the reservation was ${result.status}`);
  return result.reservationId;
}

function skuCode(skuId: number): string {
  return `S${String(skuId).padStart(5, '0')}`;
}

const lockBalance = {
  name: 'bench_lock_balance',
  text: `select on_hand - reserved - allocated - exposed - safety_stock as free, version
           from stock_balance where sku_id = $1::bigint and location_id = $2::int for update`,
};
const insertReservation = {
  name: 'bench_insert_reservation',
  text: `insert into reservation (reservation_id, location_id, sku_id, channel_id, quantity, open_quantity, state, purpose, expires_at)
         values (nextval('reservation_id_seq'), $1::int, $2::bigint, $3::int, $4::bigint, $4::bigint, 'open', 'order',
                 crossdock_now() + make_interval(secs => $5::float8))
         returning reservation_id, expires_at`,
};
const insertKey = {
  name: 'bench_insert_key',
  text: `insert into inbound (scope, key, state, fingerprint, subject, raw_id, item_no)
         values ($1::text, $2::text, 'a', $3::text, $4::bigint, 0, 0)`,
};
const insertFact = {
  name: 'bench_insert_fact',
  text: `insert into fact (type, stream, stream_version, company_id, occurred_at, data)
         values ('stock.reserved', $1::text, $2::bigint, $3::int, $4::timestamptz, $5::json)`,
};
const updateBalance = {
  name: 'bench_update_balance',
  text: `update stock_balance set reserved = reserved + $3::bigint, version = version + 1
          where sku_id = $1::bigint and location_id = $2::int`,
};

/** The baseline: what shop platforms do, each statement prepared. */
async function reserveByRowLock({ pool, channel, locationId }: Sides, skuId: number, key: string): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const quantity = 1;
    const [balance] = (await client.query(lockBalance, [skuId, locationId])).rows;
    if (balance.free < quantity) throw new Error('short');
    const [reservation] = (
      await client.query(insertReservation, [locationId, skuId, channel.channelId, quantity, SECONDS_HELD])
    ).rows;
    const reservationId = reservation.reservation_id as number;
    await client.query(insertKey, [
      'reservation/bench',
      key,
      `r1:${JSON.stringify([channel.code, skuCode(skuId), quantity, null, false, 'order', SECONDS_HELD])}`,
      reservationId,
    ]);
    await client.query(insertFact, [
      `stock/${skuId}@${locationId}`,
      balance.version + 1,
      channel.companyId,
      new Date().toISOString(),
      JSON.stringify({ skuId, locationId, quantity, reservationId }),
    ]);
    await client.query(updateBalance, [skuId, locationId, quantity]);
    await client.query('commit');
    return reservationId;
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}

/** The lane with few callers: how long each of them waits. */
async function latency(sides: Sides, pick: () => number): Promise<{ p50Ms: number; p99Ms: number; perSecond: number }> {
  const total = 20_000;
  const taken: number[] = [];
  const seconds = await runCallers(64, total, async () => {
    const started = performance.now();
    await reserveByLane(sides, pick(), randomUUID());
    taken.push(performance.now() - started);
  });
  const tenths = (value: number) => Math.round(value * 10) / 10;
  return {
    p50Ms: tenths(percentile(taken, 0.5)),
    p99Ms: tenths(percentile(taken, 0.99)),
    perSecond: Math.round(total / seconds),
  };
}
