/**
 * The replay of real orders while something is killed all the time: the hub, PostgreSQL, both under a storm of faults. Nothing
 * may be lost and nothing may happen twice; the judge is `verify`, the parity of all systems, and the observer.
 * CROSSDOCK_CHAOS=full replays 3,000 orders (`npm run chaos`); SEED=… repeats a run.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seeded } from '../sim/feeder/random.ts';
import { ChaosDatabase, ChaosEstate, type ChaosOptions } from './chaos/estate.ts';
import { type Moment, planMoments, reach } from './chaos/moments.ts';

const full = process.env.CROSSDOCK_CHAOS === 'full';
const seed = Number(process.env.SEED ?? 20_101_201);
const MOMENT_MS_MAX = full ? 180_000 : 60_000;
const TEST_MS_MAX = full ? 900_000 : 150_000;

const POLL = { timeout: 30_000, interval: 50 };

const database = new ChaosDatabase();
beforeAll(() => database.start(), 120_000);
afterAll(() => database.stop());

const say = (line: string) => process.stderr.write(`chaos: ${line}\n`);

/** Replays, kills at each moment, waits for rest, judges. */
async function replay(
  name: string,
  options: Pick<ChaosOptions, 'hubs' | 'faults'> & {
    orders: number;
    moments: Moment[];
    kill: (estate: ChaosEstate, i: number) => Promise<string>;
  },
): Promise<void> {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
  say(`${name}: seed ${seed}, ${options.orders} orders`);
  const estate = new ChaosEstate({ ...options, seed: 7, databaseUrl: await database.create(), say });
  try {
    await estate.start();
    say(`${name}: started after ${seconds()} s`);
    let busy = 0;
    for (const [i, moment] of options.moments.entries()) {
      const left = options.moments.length - i;
      const reached = await reach(estate, moment, { orders: options.orders, left, msMax: MOMENT_MS_MAX });
      if (reached.busy) busy++;
      const at = JSON.stringify(await estate.progress());
      const what = await options.kill(estate, i);
      say(`${name}: ${seconds()} s, ${reached.what}: killed ${what} at ${at}${reached.busy ? '' : ', at rest'}`);
    }
    await Promise.all(estate.hubs.map((hub) => hub.ready));
    await estate.drained();
    say(`${name}: at rest after ${seconds()} s`);
    const { broken, figures } = await estate.judge();
    const { counts, unforgivable } = estate.complaints();
    say(`${name}: judged after ${seconds()} s; ${JSON.stringify(figures)}; complaints ${JSON.stringify(counts)}`);
    expect(broken).toEqual([]);
    expect(unforgivable).toEqual([]);
    // Killing what is at rest proves nothing.
    expect(busy).toBeGreaterThanOrEqual(Math.ceil(options.moments.length * 0.8));
  } finally {
    await estate.stop();
  }
}

/** Killed, gone, and started again at once. */
async function killHub(estate: ChaosEstate, i: number): Promise<string> {
  const hub = estate.hubs[seeded(seed, `hub/${i}`, estate.hubs.length)]!;
  await hub.kill();
  hub.start();
  return hub.name;
}

async function killDatabase(): Promise<string> {
  const from = performance.now();
  await database.server!.kill();
  await database.server!.restart();
  return `PostgreSQL, away for ${((performance.now() - from) / 1000).toFixed(1)} s,`;
}

/** The hub comes back while the database is still away. */
async function killTogether(estate: ChaosEstate, i: number): Promise<string> {
  await database.server!.kill();
  const hub = await killHub(estate, i);
  await expect.poll(() => estate.hubs.some((each) => each.hasComplained('waiting for the database')), POLL).toBe(true);
  await database.server!.restart();
  return `PostgreSQL and ${hub}`;
}

/** Every fifth kill is PostgreSQL's. */
const killBoth = (estate: ChaosEstate, i: number) => {
  if (i === 3) return killTogether(estate, i);
  return i % 5 === 3 ? killDatabase() : killHub(estate, i);
};

describe.runIf(full)('the replay of 3,000 orders', () => {
  it('survives kill -9 of the hub at 20 moments', { timeout: TEST_MS_MAX }, async () => {
    await replay('one hub', { hubs: 1, faults: 'none', orders: 3_000, moments: planMoments(seed, 20), kill: killHub });
  });

  it('survives kill -9 of one of two hubs, whose leases the other takes over', { timeout: TEST_MS_MAX }, async () => {
    const moments = planMoments(seed + 1, 20);
    await replay('two hubs', { hubs: 2, faults: 'none', orders: 3_000, moments, kill: killHub });
  });

  it('survives kill -9 of PostgreSQL at 5 moments, with the same hub', { timeout: TEST_MS_MAX }, async () => {
    const moments = planMoments(seed + 2, 5);
    await replay('PostgreSQL', { hubs: 1, faults: 'none', orders: 3_000, moments, kill: killDatabase });
  });

  it('survives a storm in every system, with kills of both', { timeout: TEST_MS_MAX }, async () => {
    const moments = planMoments(seed + 3, 10);
    await replay('storm', { hubs: 2, faults: 'storm', orders: 3_000, moments, kill: killBoth });
  });
});

describe.runIf(!full)('the replay of few orders', () => {
  it('survives kill -9 of two hubs and of PostgreSQL at 10 moments', { timeout: TEST_MS_MAX }, async () => {
    const moments = planMoments(seed, 10);
    await replay('kills', { hubs: 2, faults: 'none', orders: 120, moments, kill: killBoth });
  });

  it('survives a storm in every system, with kills of both', { timeout: TEST_MS_MAX }, async () => {
    await replay('storm', { hubs: 2, faults: 'storm', orders: 40, moments: planMoments(seed + 3, 4), kill: killBoth });
  });
});
