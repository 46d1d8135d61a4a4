/** Tests of the model runs: each seeded bug is found by them within a few runs, and without any there is nothing to find. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { useDatabase } from './helpers/database.ts';
import { PatchedDatabase } from './helpers/patched-database.ts';
import { Stage } from './model/play.ts';
import { runsOf } from './model/steps.ts';

const bug = vi.hoisted(() => ({ now: '' }));
type Changes = typeof import('../src/orders/changes.ts');
type Fulfilments = typeof import('../src/orders/fulfilments.ts');
type Stock = typeof import('../src/orders/stock-effects.ts');
type Holds = typeof import('../src/orders/holds.ts');

vi.mock('../src/orders/changes.ts', async (original) => {
  const real = await original<Changes>();
  const change: Changes['change'] = (...args) => {
    const decision = real.change(...args);
    const isTaken = bug.now === 'a change after the pick is taken' && !decision.ok && decision.refused === 'too_late';
    return isTaken ? { ok: true, events: [] } : decision;
  };
  return { ...real, change };
});
vi.mock('../src/orders/fulfilments.ts', async (original) => {
  const real = await original<Fulfilments>();
  const requestFulfilments: Fulfilments['requestFulfilments'] = (order, allocations) =>
    bug.now === 'added units are asked for twice'
      ? real.requestFulfilments(order, real.openAllocations(order))
      : real.requestFulfilments(order, allocations);
  return { ...real, requestFulfilments };
});
vi.mock('../src/orders/stock-effects.ts', async (original) => {
  const real = await original<Stock>();
  const applyToStock: Stock['applyToStock'] = (stock, channel, order, event, at) => {
    if (bug.now === 'restocked twice' && event.type === 'return.inspected')
      real.applyToStock(stock, channel, order, { ...event, sourceId: `${event.sourceId} again` }, at);
    if (bug.now === 'given back twice' && event.type === 'order.lines_cancelled') {
      const isThere = (part: (typeof event.released)[number]) =>
        stock.balance(part.skuId, part.locationId).allocated >= 2 * part.quantity;
      real.applyToStock(stock, channel, order, { ...event, released: event.released.filter(isThere) }, at);
    }
    return real.applyToStock(stock, channel, order, event, at);
  };
  return { ...real, applyToStock };
});
vi.mock('../src/orders/holds.ts', async (original) => {
  const real = await original<Holds>();
  const isHeld: Holds['isHeld'] = (order) => bug.now !== 'a hold holds nothing' && real.isHeld(order);
  return { ...real, isHeld };
});

/** Statements that do otherwise while the bug is there. */
const patches = {
  get credit_change_claims() {
    return bug.now === 'a claim stays after a cancel'
      ? (text: string) => text.replace('c.ended_at is null', 'false')
      : undefined;
  },
  get ingest_insert_keys() {
    return bug.now === 'what comes twice is done twice'
      ? (text: string) =>
          `with kept as (${text}) select scope, key from unnest($1::text[], $2::text[]) as t(scope, key)`
      : undefined;
  },
  get orders_update_lines() {
    return bug.now === 'amounts of shipments are forgotten'
      ? (text: string) => text.replace('shipped_minor = t.shipped_minor', 'shipped_minor = 0 * t.shipped_minor')
      : undefined;
  },
} as Record<string, (text: string) => string>;
const RUNS_MAX = 100;
const TOGETHER = 20;
const database = useDatabase();
let stage: Stage;
beforeAll(async () => {
  const db = new PatchedDatabase({ url: database.url, poolMax: 6 }, patches);
  stage = await Stage.open(database.url, database.pool, db);
});
afterAll(() => stage.hub.close());

/** @returns all that differs where the first of the runs does */
async function found(name: string, runsMax = RUNS_MAX): Promise<string | undefined> {
  for (const group of runsOf(4711, runsMax, TOGETHER)) {
    bug.now = name;
    const differences = await stage.play(group).finally(() => {
      bug.now = '';
    });
    if (differences.length > 0) return differences.map(({ message }) => message).join('\n');
  }
  return undefined;
}

it('without a bug nothing differs', async () => {
  expect(await found('none', TOGETHER)).toBeUndefined();
}, 300_000);

it.each([
  ['given back twice', /process: stock/],
  ['restocked twice', /process: stock/],
  ['a claim stays after a cancel', /process: credit/],
  ['added units are asked for twice', /WMS/],
  ['a change after the pick is taken', /too_late/],
  ['a hold holds nothing', /WMS|order_held|holds|is_told/],
  ['what comes twice is done twice', /duplicate/],
  ['amounts of shipments are forgotten', /shipped_minor/],
])(
  '%s: is found',
  async (name, shown) => {
    expect(await found(name)).toMatch(shown);
  },
  600_000,
);
