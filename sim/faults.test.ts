import { afterEach, expect, test } from 'vitest';
import { type FaultRates, manualTime, STORM } from './index.ts';
import { Faults } from './lib/faults.ts';
import { closeSims, openSim, salesOrder, until } from './lib/testing.ts';

afterEach(closeSims);

/** An ERP with one fault for every call, and what became of one order written to it. */
async function underFault(faults: Partial<FaultRates>) {
  const erp = await openSim('erp', { faults });
  const started = performance.now();
  const answer = await erp
    .post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 1, 255])] })
    .catch(() => undefined);
  const kept = () => Number(erp.stats().orders);
  return { erp, answer, kept, tookMs: performance.now() - started };
}

test('429 says when to come back, and nothing happened', async () => {
  const { erp, answer, kept } = await underFault({ tooMany: 1 });
  expect([answer?.status, answer?.headers.get('retry-after'), answer?.body.error.code]).toEqual([
    429,
    '1',
    'rate_limited',
  ]);
  expect([kept(), erp.stats().faults]).toEqual([0, { tooMany: 1 }]);
});

test('500 comes before the effect', async () => {
  const { answer, kept } = await underFault({ errorBefore: 1 });
  expect([answer?.status, kept()]).toEqual([500, 0]);
});

test('503 comes after the effect', async () => {
  const { answer, kept } = await underFault({ errorAfter: 1 });
  expect([answer?.status, kept()]).toEqual([503, 1]);
});

test('silence after the effect holds the socket and then closes it', async () => {
  const { answer, kept, tookMs } = await underFault({ silentAfter: 1, silentMs: 60 });
  expect([answer, kept()]).toEqual([undefined, 1]);
  expect(tookMs).toBeGreaterThan(55);
});

test('a late effect is not there when the call is cut, counts as pending and comes by itself', async () => {
  const time = manualTime();
  const erp = await openSim('erp', { time, faults: { lateEffect: 1 } });
  await expect(erp.post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 1, 255])] })).rejects.toThrow();
  expect(erp.stats()).toMatchObject({ orders: 0, pending: 1 });
  time.advance(800);
  expect(erp.stats()).toMatchObject({ orders: 1, pending: 0 });
});

test('a reset comes before the effect or after it', async () => {
  const erp = await openSim('erp', { faults: { reset: 1 } });
  for (let i = 0; i < 20; i++) {
    await expect(erp.post('/sales-orders/batch', { orders: [salesOrder(`SO${i}`, ['A', 1, 255])] })).rejects.toThrow();
  }
  expect(erp.stats().orders).toBeGreaterThan(2);
  expect(erp.stats().orders).toBeLessThan(18);
});

test('a lost write is answered like a kept one, in every system', async () => {
  const faults = { lostWrite: 1 };
  const { erp, answer, kept } = await underFault(faults);
  expect(answer?.body.results).toEqual([{ reference: 'SO1', status: 201, number: 'SO-1' }]);
  expect([kept(), erp.stats().faults]).toEqual([0, { lostWrite: 1 }]);
  const shop = await openSim('shop', { faults });
  expect((await shop.post('/inventory/set', { items: [{ sku: 'S', from: null, to: 5 }] })).body.results).toEqual([
    { sku: 'S', status: 200, available: 5 },
  ]);
  expect((await shop.post('/inventory/lookup', { skus: ['S'] })).body.found).toEqual([]);
  const wms = await openSim('wms', { faults });
  const fulfilments = [{ reference: 'F1', order: 'O', location: 'A', lines: [{ lineNo: 1, sku: 'S', quantity: 1 }] }];
  expect((await wms.post('/fulfilments/batch', { fulfilments })).body.results).toEqual([
    { reference: 'F1', status: 201 },
  ]);
  expect(wms.stats()).toMatchObject({ fulfilments: 0, pending: 0 });
  const receipts = [{ reference: 'R1', location: 'A', at: '2010-12-01T00:00:00Z', lines: [{ sku: 'S', quantity: 1 }] }];
  await wms.post('/_drive/receipts', { receipts });
  expect(wms.stats().onHand).toBe(1);
});

test('latency only takes time', async () => {
  const { answer, kept, tookMs } = await underFault({ latency: 1, latencyMsMin: 50, latencyMsMax: 60 });
  expect([answer?.status, kept()]).toEqual([200, 1]);
  expect(tookMs).toBeGreaterThan(45);
});

test('people, control and health go on while the business routes are out', async () => {
  const shop = await openSim('shop', { faults: { outageMs: 10, outageEveryMs: 10 } });
  const refused = await shop.get('/events');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  const order = {
    number: '1',
    account: '1',
    company: 'g',
    currency: 'GBP',
    orderedAt: 'x',
    lines: [{ lineNo: 1, sku: 'S', quantity: 1, unitPrice: '1' }],
  };
  expect((await shop.post('/_drive/orders', { orders: [order] })).status).toBe(200);
  expect((await shop.get('/health')).body).toEqual({ status: 'ok', system: 'shop' });
  expect((await shop.get('/_control/events')).body.records).toHaveLength(1);
  expect((await shop.post('/_control/faults', { profile: 'none' })).status).toBe(200);
  expect((await shop.get('/events')).body.records).toHaveLength(1);
});

test('each minute of a storm has one outage of four seconds, at its own place', () => {
  const time = manualTime(1_000_000);
  const faults = new Faults(time.now, { outageMs: STORM.outageMs }, 'seed');
  const starts: number[] = [];
  for (let minute = 0; minute < 5; minute++) {
    const out: number[] = [];
    for (let ms = 0; ms < 60_000; ms += 100) {
      if (faults.plan().act === 'outage') out.push(ms);
      time.advance(100);
    }
    expect(out).toHaveLength(40);
    expect(out.at(-1)! - out[0]!).toBe(3900);
    starts.push(out[0]!);
  }
  expect(new Set(starts).size).toBe(5);
});

test('a storm gives each fault at its rate, and the same ones for the same seed', () => {
  const run = (seed: string) => {
    const faults = new Faults(() => 0, { ...STORM, outageMs: 0 }, seed);
    for (let i = 0; i < 100_000; i++) {
      faults.plan();
      faults.losesItem();
    }
    return faults.given;
  };
  const given = run('7');
  for (const name of [
    'latency',
    'tooMany',
    'errorBefore',
    'errorAfter',
    'silentAfter',
    'lateEffect',
    'reset',
    'lostWrite',
  ] as const) {
    const expected = STORM[name] * 100_000;
    expect(given[name], name).toBeGreaterThan(expected * 0.8);
    expect(given[name], name).toBeLessThan(expected * 1.2);
  }
  expect(run('7')).toEqual(given);
  expect(run('8')).not.toEqual(given);
});

test('calls above the rate limit are turned away until the next second', async () => {
  const time = manualTime(5000);
  const erp = await openSim('erp', { time, faults: { callsPerSecondMax: 2 } });
  const statuses = async () =>
    [await erp.get('/documents'), await erp.get('/documents'), await erp.get('/documents')].map((a) => a.status);
  expect(await statuses()).toEqual([200, 200, 429]);
  time.advance(1000);
  expect(await statuses()).toEqual([200, 200, 429]);
});

test('an unknown rate is refused and the rates stay', async () => {
  const erp = await openSim('erp');
  const answer = await erp.post('/_control/faults', { profile: { tooMuch: 1 } });
  expect([answer.status, answer.body.error.message]).toEqual([422, expect.stringContaining('unknown fault tooMuch')]);
  expect((await erp.get('/documents')).status).toBe(200);
});

test('a storm over many callers loses nothing that was kept: every number is answered from one truth', async () => {
  const erp = await openSim('erp', {
    faults: { ...STORM, outageMs: 0, silentMs: 20, latencyMsMax: 20, lateMsMax: 20 },
  });
  const wanted = Array.from({ length: 400 }, (_, i) => `SO${i}`);
  let answered = 0;
  await Promise.all(
    wanted.map(async (reference) => {
      const answer = await erp
        .post('/sales-orders/batch', { orders: [salesOrder(reference, ['A', 1, 1])] })
        .catch(() => undefined);
      if (answer?.status === 200) answered += 1;
    }),
  );
  await until('late effects', () => erp.stats().pending === 0);
  const faults = erp.stats().faults as Record<string, number>;
  const without = (faults.tooMany ?? 0) + (faults.errorBefore ?? 0) + (faults.lostWrite ?? 0);
  expect(answered).toBeLessThan(400);
  expect(erp.stats().orders).toBeGreaterThanOrEqual(400 - without - (faults.reset ?? 0));
  expect(erp.stats().orders).toBeLessThanOrEqual(400 - without);
});
