import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type FaultRates, type Sim, type SimKind, startSim } from '../sim/index.ts';
import type { InboundCommand } from '../src/canonical/index.ts';
import type { Connector, ConnectorFactory, DeliveryKindName, OrderStatusState } from '../src/connectors/kit/index.ts';
import { simCrm } from '../src/connectors/sim-crm/index.ts';
import { simErp } from '../src/connectors/sim-erp/index.ts';
import { simMarketplace } from '../src/connectors/sim-marketplace/index.ts';
import { simShop } from '../src/connectors/sim-shop/index.ts';
import { simWms } from '../src/connectors/sim-wms/index.ts';

const factories: Record<SimKind, ConnectorFactory> = {
  erp: simErp,
  crm: simCrm,
  wms: simWms,
  shop: simShop,
  marketplace: simMarketplace,
};

const signal = new AbortController().signal;
const running: { close(): Promise<void> }[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const one of running.splice(0).reverse()) await one.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function started(kind: SimKind, faults: Partial<FaultRates> = {}, timeoutMs = 1_000) {
  const data = mkdtempSync(join(tmpdir(), 'crossdock-sim-'));
  folders.push(data);
  const sim = await startSim(kind, { data, faults, speed: 10 });
  running.push(sim);
  const connector = factories[kind]({
    system: kind,
    channel: kind === 'erp' || kind === 'wms' ? null : kind,
    url: sim.url,
    token: sim.token,
    webhookSecret: null,
    settings: {},
    limits: { callsPerSecond: 1_000, concurrency: 4, timeoutMs, batchMax: null },
  });
  running.push(connector);
  return { sim, connector };
}

async function drive(sim: Sim, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${sim.url}/_drive/${path}`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status, await answer.text()).toBe(200);
}

async function truth(sim: Sim, kind: string): Promise<Record<string, unknown>[]> {
  const answer = await fetch(`${sim.url}/_control/truth?kind=${kind}`);
  return ((await answer.json()) as { records: Record<string, unknown>[] }).records;
}

/** Reads the feed until it has given `count` commands; bounded by the test's own time limit. */
async function commands(connector: Connector, count: number): Promise<InboundCommand[]> {
  const found: InboundCommand[] = [];
  let cursor = '';
  while (found.length < count) {
    const page = await connector.sources[0]!.poll(cursor, signal);
    cursor = page.cursor;
    found.push(...page.items.map((item) => item.command!));
    if (page.drained) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return found;
}

const delivery = (connector: Connector, kind: DeliveryKindName) => connector.deliveries[kind]!;
const at = '2026-03-01T09:00:00Z';
const line = { lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55' };
const order = { number: '536365', account: '17850', company: 'UK', currency: 'GBP', orderedAt: at, lines: [line] };
const salesOrder = {
  reference: 'shop/536365',
  payload: {
    company: 'UK',
    account: '17850',
    currency: 'GBP',
    orderedAt: at,
    totalMinor: 1530,
    lines: [{ ...line, amountMinor: 1530 }],
  },
};
const status = (channel: string, version: number) => ({
  key: `${channel}/536365`,
  version,
  base: 0,
  state: {
    channel,
    externalNo: '536365',
    status: 'accepted',
    account: '17850',
    currency: 'GBP',
    totalMinor: 1530,
    lines: [{ lineNo: 1, sku: '85123A', quantity: 6, amountMinor: 1530 }].map((one) => ({
      ...one,
      cancelled: 0,
      backordered: 2,
      refused: 0,
      shipped: 0,
      invoiced: 0,
      returned: 0,
    })),
  } satisfies OrderStatusState,
});

describe('without faults', () => {
  it('the ERP takes an order and its shipment once and posts the invoice that we read', async () => {
    const { sim, connector } = await started('erp');
    const orders = delivery(connector, 'sales_order');
    const broken = { ...salesOrder, reference: 'shop/2', payload: { ...salesOrder.payload, totalMinor: 1 } };
    const written = await orders.write([salesOrder, broken], signal);
    expect(written).toMatchObject([
      { outcome: 'confirmed', answer: { number: expect.any(String) } },
      { outcome: 'refused', error: expect.stringContaining('total_mismatch') },
    ]);
    expect(await orders.locate(['shop/536365', 'shop/2'], signal)).toEqual(
      new Map([['shop/536365', { number: (written[0] as { answer: { number: string } }).answer.number }]]),
    );
    const lines = [{ lineNo: 1, quantity: 6, amountMinor: 1530 }];
    const shipment = { order: 'shop/536365', location: 'LON', shippedAt: at, lines };
    const posted = await delivery(connector, 'shipment_posting').write(
      [{ reference: 'S1', payload: shipment }],
      signal,
    );
    expect(posted).toMatchObject([{ outcome: 'confirmed' }]);
    expect(await commands(connector, 1)).toMatchObject([
      { kind: 'document.posted', document: 'invoice', order: 'shop/536365', currency: 'GBP', totalMinor: 1530, lines },
    ]);
    const charge = {
      kind: 'postage',
      account: '17850',
      code: 'POST',
      quantity: -1,
      amountMinor: -1800,
      currency: 'GBP',
      at,
    };
    const charged = await delivery(connector, 'charge').write([{ reference: 'C1', payload: charge }], signal);
    expect(charged).toMatchObject([{ outcome: 'confirmed' }]);
    expect(await truth(sim, 'orders')).toMatchObject([{ key: 'shop/536365', count: 1, totalMinor: 1530 }]);
    expect(await truth(sim, 'charges')).toMatchObject([{ key: 'C1', count: 1, amountMinor: -1800 }]);
  });

  it('a document that the ERP made twice is found with both its numbers', async () => {
    const { connector } = await started('erp');
    const orders = delivery(connector, 'sales_order');
    await orders.write([salesOrder], signal);
    await orders.write([salesOrder], signal);
    const held = (await orders.locate(['shop/536365'], signal)).get('shop/536365') as { numbers: string[] };
    expect(held.numbers).toHaveLength(2);
  });

  it('the WMS takes a pallet, picks, ships and takes goods back', async () => {
    const { sim, connector } = await started('wms');
    await drive(sim, 'receipts', {
      receipts: [{ reference: 'PO1', location: 'LON', at, lines: [{ sku: '85123a', quantity: 10 }] }],
    });
    const goods = [{ lineNo: 1, sku: '85123a', quantity: 6 }];
    const work = { order: 'shop/536365', location: 'LON', lines: goods };
    const asked = await delivery(connector, 'fulfilment').write([{ reference: 'F7', payload: work }], signal);
    expect(asked).toMatchObject([{ outcome: 'confirmed' }]);
    const found = await commands(connector, 3);
    expect(found.slice(0, 2)).toMatchObject([
      { kind: 'stock.moved', movement: 'received', sku: '85123A', location: 'LON', quantity: 10, sequence: 1 },
      { kind: 'fulfilment.picked', fulfilment: 'F7', lines: [{ lineNo: 1, sku: '85123A', quantity: 6 }] },
    ]);
    expect(found[2]).toMatchObject({ kind: 'fulfilment.shipped', fulfilment: 'F7', shipment: expect.any(String) });
    const cancel = { fulfilment: 'F7', lines: [{ lineNo: 1, quantity: 2 }] };
    const answer = { lines: [{ lineNo: 1, cancelled: 0, tooLate: 2 }] };
    const cancels = delivery(connector, 'fulfilment_cancel');
    expect(await cancels.write([{ reference: 'X1', payload: cancel }], signal)).toEqual([
      { outcome: 'confirmed', answer },
    ]);
    expect(await cancels.locate(['X1', 'X2'], signal)).toEqual(new Map([['X1', answer]]));
    const announced = await delivery(connector, 'return_announcement').write(
      [{ reference: 'R3', payload: work }],
      signal,
    );
    expect(announced).toMatchObject([{ outcome: 'confirmed' }]);
    const all = await commands(connector, 4);
    expect(all.at(-1)).toMatchObject({ kind: 'return.received', returnReference: 'R3' });
  });

  it.each(['shop', 'marketplace'] as const)('the %s lists, sells, shows prices and states', async (kind) => {
    const { sim, connector } = await started(kind);
    const number = { sku: '85123A', from: null, quantity: 4, ordersThrough: '' };
    expect(await connector.availability!.write([number], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(await connector.availability!.readBack(['85123A', 'NONE'], signal)).toEqual(new Map([['85123A', 4]]));
    await drive(sim, 'orders', { orders: [order] });
    const cancel = { reference: 'C536379/1', account: '17850', at };
    await drive(sim, 'cancels', {
      cancels: [
        {
          ...cancel,
          lines: [
            { ...line, order: '536365', quantity: 1 },
            { ...line, order: null, lineNo: null },
          ],
        },
      ],
    });
    expect(await commands(connector, 3)).toMatchObject([
      { kind: 'order.submitted', channel: kind, externalNo: '536365', lines: [{ ...line, within: 4 }] },
      { kind: 'order.cancel_requested', channel: kind, order: '536365', lineNo: 1, quantity: 1 },
      { kind: 'order.cancel_requested', channel: kind, order: null, lineNo: null, quantity: 6 },
    ]);
    const price = { key: '85123A', version: 3, base: 0, state: { unitPrice: '2.55', currency: 'GBP' } };
    expect(await connector.prices!.write([price], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(await connector.prices!.readBack(['85123A'], signal)).toEqual(new Map([['85123A', 3]]));
    expect(await connector.orderStatus!.write([status(kind, 2)], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    const versions = await connector.orderStatus!.readBack([`${kind}/536365`, `${kind}/1`, 'api/536365'], signal);
    expect(versions).toEqual(new Map([[`${kind}/536365`, 2]]));
  });

  it('the shop answers a number that has moved since with a conflict, the marketplace subtracts', async () => {
    const shop = await started('shop');
    const market = await started('marketplace');
    for (const { sim, connector } of [shop, market]) {
      await connector.availability!.write([{ sku: '85123A', from: null, quantity: 10, ordersThrough: '' }], signal);
      await drive(sim, 'orders', { orders: [order] });
    }
    const next = { sku: '85123A', from: 10, quantity: 9, ordersThrough: '' };
    expect(await shop.connector.availability!.write([next], signal)).toEqual([{ outcome: 'conflict' }]);
    expect(await shop.connector.availability!.readBack(['85123A'], signal)).toEqual(new Map([['85123A', 4]]));
    expect(await market.connector.availability!.write([next], signal)).toMatchObject([
      { outcome: 'confirmed', answer: { available: 3 } },
    ]);
    expect(await market.connector.availability!.readBack(['85123A'], signal)).toEqual(new Map([['85123A', 9]]));
  });

  it('the CRM takes states under channel and number, and gives orders that ask', async () => {
    const { sim, connector } = await started('crm');
    expect(await connector.orderStatus!.write([status('api', 5)], signal)).toMatchObject([{ outcome: 'confirmed' }]);
    expect(await connector.orderStatus!.readBack(['api/536365', 'api/1'], signal)).toEqual(
      new Map([['api/536365', 5]]),
    );
    await drive(sim, 'orders', { orders: [order] });
    const [found] = await commands(connector, 1);
    expect(found).toMatchObject({ kind: 'order.submitted', channel: 'crm', lines: [line] });
    expect((found as { lines: object[] }).lines[0]).not.toHaveProperty('within');
  });

  it('each system is probed with the token, and a wrong token is told apart', async () => {
    for (const kind of ['erp', 'crm', 'wms', 'shop', 'marketplace'] as const) {
      const { sim, connector } = await started(kind);
      expect(await connector.probe(signal)).toEqual({ ok: true, detail: 'answers and takes our token' });
      const limits = { callsPerSecond: 10, concurrency: 1, timeoutMs: 500, batchMax: null };
      const none = { system: kind, channel: null, url: sim.url, webhookSecret: null, settings: {}, limits };
      const wrong = factories[kind]({ ...none, token: 'secret-wrong-token' });
      const probed = await wrong.probe(signal);
      expect(probed).toMatchObject({ ok: false, detail: expect.stringContaining('XD_CONNECTOR_REFUSED') });
      expect(probed.detail).not.toContain('secret-wrong-token');
      await wrong.close();
    }
  });
});

describe('the webhook of the shop', () => {
  it('is taken as the shop signs it, and gives what its feed gives', async () => {
    const secret = 'shared-secret';
    const data = mkdtempSync(join(tmpdir(), 'crossdock-sim-'));
    folders.push(data);
    const { promise, resolve } = Promise.withResolvers<{ headers: Record<string, string | undefined>; body: Buffer }>();
    const hub = createServer(async (req, res) => {
      const chunks: Buffer[] = [];
      for await (const chunk of req) chunks.push(chunk as Buffer);
      resolve({ headers: req.headers as Record<string, string>, body: Buffer.concat(chunks) });
      res.end();
    });
    hub.listen(0, '127.0.0.1');
    await once(hub, 'listening');
    running.push({
      async close() {
        hub.closeAllConnections();
        hub.close();
      },
    });
    const webhookUrl = `http://127.0.0.1:${(hub.address() as AddressInfo).port}/ingest/shop`;
    const sim = await startSim('shop', { data, webhookUrl, webhookSecret: secret });
    running.push(sim);
    const limits = { callsPerSecond: 100, concurrency: 1, timeoutMs: 1_000, batchMax: null };
    const { url, token } = sim;
    const shop = simShop({ system: 'shop', channel: 'shop', url, token, webhookSecret: secret, settings: {}, limits });
    running.push(shop);
    await drive(sim, 'orders', { orders: [order] });
    const { headers, body } = await promise;
    expect(shop.webhook!(headers, body)).toEqual((await shop.sources[0]!.poll('', signal)).items);
    expect(() => shop.webhook!({ ...headers, 'x-shop-signature': `sha256=${'0'.repeat(64)}` }, body)).toThrow();
  });
});

describe('one fault at a time', () => {
  const cases: [name: string, faults: Partial<FaultRates>, outcome: string, held: boolean][] = [
    ['429', { tooMany: 1 }, 'later', false],
    ['500 before the effect', { errorBefore: 1 }, 'in_doubt', false],
    ['503 after the effect', { errorAfter: 1 }, 'in_doubt', true],
    ['silence after the effect', { silentAfter: 1 }, 'in_doubt', true],
    ['a cut before an effect that comes later', { lateEffect: 1, lateMsMax: 1 }, 'in_doubt', true],
    ['an outage', { outageMs: 60_000 }, 'in_doubt', false],
    ['a lost write', { lostWrite: 1 }, 'confirmed', false],
  ];

  it.each(cases)('%s', async (_name, faults, outcome, held) => {
    const { sim, connector } = await started('erp', faults, 150);
    const orders = delivery(connector, 'sales_order');
    expect(await orders.write([salesOrder], signal)).toMatchObject([{ outcome }]);
    await setFaults(sim, 'none');
    await new Promise((resolve) => setTimeout(resolve, 30));
    // A pause that the fault asked for still holds; a second connector of the same system has none.
    const { url, token } = sim;
    const limits = { callsPerSecond: 100, concurrency: 1, timeoutMs: 500, batchMax: null };
    const fresh = simErp({ system: 'erp', channel: null, url, token, webhookSecret: null, settings: {}, limits });
    running.push(fresh);
    expect((await delivery(fresh, 'sales_order').locate(['shop/536365'], signal)).has('shop/536365')).toBe(held);
  });

  it('a refused connection is later: no byte left', async () => {
    const { sim, connector } = await started('erp');
    await sim.close();
    running.splice(running.indexOf(sim), 1);
    expect(await delivery(connector, 'sales_order').write([salesOrder], signal)).toMatchObject([{ outcome: 'later' }]);
  });

  it('a system that resets every call loses and doubles nothing when each doubt is looked up', async () => {
    const { sim, connector } = await started('erp', { reset: 0.5, errorAfter: 0.2, errorBefore: 0.2 }, 300);
    const orders = delivery(connector, 'sales_order');
    const open = new Map(Array.from({ length: 40 }, (_, i) => [`shop/${i}`, salesOrder.payload]));
    while (open.size > 0) {
      const items = [...open].slice(0, 10).map(([reference, payload]) => ({ reference, payload }));
      const outcomes = await orders.write(items, signal);
      const doubtful = items.filter((_, i) => outcomes[i]!.outcome === 'in_doubt').map((item) => item.reference);
      for (const [i, item] of items.entries()) if (outcomes[i]!.outcome === 'confirmed') open.delete(item.reference);
      const found = await untilAnswered(() => orders.locate(doubtful, signal));
      for (const reference of found.keys()) open.delete(reference);
    }
    await setFaults(sim, 'none');
    const held = await truth(sim, 'orders');
    expect(held).toHaveLength(40);
    expect(held.every((one) => one.count === 1)).toBe(true);
  });
});

async function setFaults(sim: Sim, profile: string): Promise<void> {
  const answer = await fetch(`${sim.url}/_control/faults`, {
    method: 'POST',
    body: JSON.stringify({ profile, seed: 1 }),
  });
  expect(answer.status).toBe(200);
}

async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}
