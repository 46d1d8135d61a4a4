import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { startSim } from '../index.ts';
import { orderBody } from './bodies.ts';
import { type Plan, planFeed } from './plan.ts';
import { readOrders } from './reader.ts';
import { sampleCsv } from './sample.ts';
import { type FakeHub, startFakeHub } from './testing/fake-hub.ts';
import { csvLine, fileOf, gzipped, tempDir } from './testing/files.ts';

type Sim = Awaited<ReturnType<typeof startSim>>;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Estate {
  sims: Record<'shop' | 'marketplace' | 'crm' | 'wms', Sim>;
  hub: FakeHub;
  state: string;
}

async function startEstate(): Promise<Estate> {
  const data = tempDir();
  const sims = {} as Estate['sims'];
  for (const kind of ['shop', 'marketplace', 'crm', 'wms'] as const) {
    const sim = await startSim(kind, {
      data,
      port: 0,
      token: 't',
      seed: '1',
      faults: 'none',
      speed: 50,
      unreadMax: 40,
    });
    sims[kind] = sim;
    closing.push(() => sim.close());
  }
  const hub = await startFakeHub([
    { url: sims.shop.url, path: '/events', token: 't' },
    { url: sims.marketplace.url, path: '/orders', token: 't' },
    { url: sims.crm.url, path: '/requests', token: 't' },
  ]);
  closing.push(() => hub.close());
  return { sims, hub, state: tempDir() };
}

interface Run {
  child: ChildProcess;
  ended: Promise<{ code: number | null; said: Record<string, unknown>[]; errors: string }>;
}

function feed(estate: Estate, file: string, ...more: string[]): Run {
  const { sims, hub, state } = estate;
  const urls = Object.entries({ ...sims, hub }).flatMap(([name, { url }]) => [`--${name}`, url]);
  const args = ['--orders', file, '--seed', '1', ...urls, '--hub-key', 'key', '--state', state, '--json', ...more];
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args, '--no-listing-wait']);
  let out = '';
  let errors = '';
  child.stdout.on('data', (piece) => {
    out += piece;
  });
  child.stderr.on('data', (piece) => {
    errors += piece;
  });
  closing.push(async () => child.kill('SIGKILL'));
  const ended = new Promise<Awaited<Run['ended']>>((resolve) => {
    child.on('close', (code) => {
      const said = out.split('\n').filter((line) => line !== '');
      resolve({ code, said: said.map((line) => JSON.parse(line) as Record<string, unknown>), errors });
    });
  });
  return { child, ended };
}

async function truth(url: string, kind: string): Promise<Record<string, unknown>[]> {
  const response = await fetch(`${url}/_control/truth?kind=${kind}&limit=2000`);
  return ((await response.json()) as { records: Record<string, unknown>[] }).records;
}

/** Every order and cancel of the plan is where it belongs, once. */
async function expectAllThere({ sims, hub }: Estate, plan: Plan): Promise<void> {
  const orders = plan.events.flatMap((event) => (event.type === 'order' ? [event] : []));
  for (const channel of ['shop', 'marketplace'] as const) {
    const wanted = orders.filter((event) => event.channel === channel).map((event) => orderBody(plan, event));
    const found = await truth(sims[channel].url, 'orders');
    expect(found.map((order) => order.key).sort()).toEqual(wanted.map((order) => order.number).sort());
    const units = (list: { lines: { quantity: number }[] }[]): number =>
      list.flatMap((order) => order.lines).reduce((sum, line) => sum + line.quantity, 0);
    expect(units(found as never)).toBe(units(wanted));
  }
  const numbers = (hub.taken.get('orders') ?? []).map((body) => (body as { externalNo: string }).externalNo);
  const wanted = orders.filter((event) => event.channel === 'api').map((event) => event.number);
  expect(numbers.toSorted()).toEqual(wanted.toSorted());
  // One buyer's orders come in the order of the file, whatever happened on the way.
  for (const account of new Set(orders.map((event) => event.account))) {
    const taken = (hub.taken.get('orders') ?? []) as { account: string; externalNo: string }[];
    const ofOne = taken.filter((body) => body.account === account).map((body) => body.externalNo);
    expect(ofOne).toEqual(ofOne.toSorted());
  }
  const charges = (hub.taken.get('charges') ?? []) as { charges: { reference: string }[] }[];
  const references = charges.flatMap((body) => body.charges).map((charge) => charge.reference);
  const { charge, charge_credit, ledger_entry } = plan.table.byKind();
  expect(new Set(references).size).toBe(charge + charge_credit + ledger_entry);
}

async function planOf(file: string): Promise<Plan> {
  return planFeed((await readOrders(file)).table, 1);
}

describe('the feeder as a process', { timeout: 60_000 }, () => {
  test('drives every line to where it belongs and says what it did', async () => {
    const estate = await startEstate();
    const file = gzipped(sampleCsv(4, 250));
    const plan = await planOf(file);
    const { code, said, errors } = await feed(estate, file).ended;
    expect([code, errors]).toEqual([0, '']);
    await expectAllThere(estate, plan);
    const done = said.at(-1)!;
    expect(done).toMatchObject({
      type: 'done',
      lines: { read: plan.table.read, byKind: plan.table.byKind() },
      orders: 250,
      rejected: 0,
      refused: 0,
      fed: { lines: plan.table.read, orders: 250, cancels: plan.table.byKind().cancellation },
    });
    const { opening, weekly, zeroPrice, writeOffAsked, writeOffGranted, notGranted, grantedInVain } =
      done.units as Record<string, number>;
    expect(writeOffGranted! + notGranted!).toBe(writeOffAsked);
    expect(writeOffGranted).toBeGreaterThan(0);
    expect(notGranted).toBeGreaterThan(0);
    // The fake hub grants without looking; the WMS takes what is there.
    expect(grantedInVain).toBeGreaterThan(0);
    const onHand = (await truth(estate.sims.wms.url, 'stock')).reduce(
      (sum, stock) => sum + (stock.onHand as number),
      0,
    );
    expect(onHand).toBe(opening! + weekly! + zeroPrice! - (writeOffGranted! - grantedInVain!));
    expect(existsSync(join(estate.state, 'refused.ndjson'))).toBe(false);
  });

  test('a hub that cuts, fails and asks to wait gets everything once', async () => {
    const estate = await startEstate();
    const failures = [{ status: 500 }, 'cut', { status: 429, retryAfter: '0.05' }, { status: 503 }, 'cut'] as const;
    estate.hub.fail = (request) => (request % 4 === 0 ? failures[(request / 4) % failures.length] : undefined);
    const file = gzipped(sampleCsv(8, 120));
    const answered = join(estate.state, 'answered.ndjson');
    const { code, said } = await feed(estate, file, '--answered', answered).ended;
    expect(code).toBe(0);
    expect(estate.hub.repeats).toBeGreaterThan(0);
    // What was answered 2xx is kept once, however often it was asked; a refusal is not.
    const kept = readFileSync(answered, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const [route, bodies] of estate.hub.taken) {
      if (route === 'reservations') continue;
      const own = kept.filter((call) => call.route === route).map((call) => JSON.stringify(call.body));
      expect(own.sort()).toEqual(bodies.map((body) => JSON.stringify(body)).sort());
    }
    const granted = kept.filter((call) => call.route === 'reservations');
    expect(granted.length).toBeLessThan(estate.hub.taken.get('reservations')!.length);
    expect(granted.every((call) => call.answer.reservationId !== undefined)).toBe(true);
    await expectAllThere(estate, await planOf(file));
    expect(said.at(-1)).toMatchObject({ refused: 0, fed: { orders: 120 } });
  });

  test('killed at any moment and started again, it goes on and counts nothing twice', async () => {
    const estate = await startEstate();
    const file = gzipped(sampleCsv(6, 400));
    for (const after of [40, 90, 150]) {
      const run = feed(estate, file);
      while (estate.hub.requests < after) await new Promise((resolve) => setTimeout(resolve, 2));
      run.child.kill('SIGKILL');
      await run.ended;
    }
    const { code, said } = await feed(estate, file).ended;
    expect(code).toBe(0);
    const plan = await planOf(file);
    await expectAllThere(estate, plan);
    expect(said.at(-1)).toMatchObject({
      refused: 0,
      fed: { lines: plan.table.read, orders: 400, cancels: plan.table.byKind().cancellation },
    });
  });

  test('ends by itself when its parent is gone', async () => {
    const estate = await startEstate();
    estate.hub.fail = () => ({ status: 503, retryAfter: '30' });
    const run = feed(estate, gzipped(sampleCsv(1, 20)));
    while (estate.hub.requests === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    run.child.stdin!.destroy();
    expect((await run.ended).code).toBe(1);
  });

  test('bad lines are set aside with their place, the rest is fed', async () => {
    const estate = await startEstate();
    const file = fileOf(csvLine({ invoice: '1' }), csvLine({ invoice: '1', price: '-2' }), csvLine({ invoice: '3' }));
    const { code, said } = await feed(estate, file).ended;
    expect(code).toBe(0);
    expect(said.at(-1)).toMatchObject({ rejected: 1, orders: 2, lines: { read: 3 } });
    expect(JSON.parse(readFileSync(join(estate.state, 'rejects.ndjson'), 'utf8'))).toEqual({
      line: 3,
      column: 'UnitPrice',
      code: 'FEED_NEGATIVE_PRICE',
      value: '-2',
    });
  });

  test('a wrong key ends the run and says which call was refused', async () => {
    const estate = await startEstate();
    const { code, said, errors } = await feed(estate, gzipped(sampleCsv(1, 5)), '--hub-key', 'other').ended;
    expect(code).toBe(1);
    expect(said.at(-1)).toMatchObject({ type: 'error', code: 'FEED_ENDED' });
    expect(errors).toMatch(/\/v1\/products answered 401/);
  });

  test('a missing file ends the run before anything is sent; a missing option is a usage error', async () => {
    const estate = await startEstate();
    const missing = await feed(estate, '/nowhere/orders.csv.gz').ended;
    expect([missing.code, missing.said.at(-1)!.code]).toEqual([1, 'FEED_FILE_MISSING']);
    expect(estate.hub.requests).toBe(0);
    const usage = await feed(estate, '').ended;
    expect([usage.code, usage.errors.split('\n')[0]]).toEqual([2, '--orders is missing']);
  });
});
