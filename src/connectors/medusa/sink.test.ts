import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, OrderStatusState } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem, manualClock } from '../kit/testing.ts';
import levelsRecorded from './fixtures/levels.json' with { type: 'json' };
import statusRecorded from './fixtures/order-status.json' with { type: 'json' };
import variantsRecorded from './fixtures/variants.json' with { type: 'json' };
import { medusa } from './index.ts';
import { planNumber } from './levels.ts';
import { asks, withPrice } from './prices.ts';
import { isSure } from './reservations.ts';
import { missing, orderThere } from './status-plan.ts';
import { faultsOfMedusa, REVOKED_AFTER_MS } from './transport.ts';

const signal = new AbortController().signal;
const [east, west] = levelsRecorded.inventory_items[0]!.location_levels.map(({ location_id }) => location_id) as [
  string,
  string,
];
const settings = { company: 'main', account: 'WALK-IN', locations: { EAST: east, WEST: west } };
let system: FakeSystem;
let shop: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  shop = medusa(contextFor(system.url, { settings, webhookSecret: 'peer-secret' }));
});
afterEach(async () => {
  await shop.close();
  await system.close();
});

const levels = (...pairs: [string, number, number][]) =>
  new Map(pairs.map(([at, stocked, reserved]) => [at, { stocked, reserved }]));

describe('a number', () => {
  const plan = (from: number | null, quantity: number, ...pairs: [string, number, number][]) => {
    const changes = planNumber({ from, quantity }, 'i', levels(...pairs), ['E', 'W']);
    return changes === 'conflict' ? changes : changes.map(({ locationId, stocked }) => [locationId, stocked]);
  };
  it.each<[string, ReturnType<typeof plan>, unknown]>([
    [
      'first told stands at the first location, the others are emptied',
      plan(null, 30, ['E', 7, 2], ['W', 9, 1]),
      [
        ['E', 32],
        ['W', 1],
      ],
    ],
    ['keeps a sale that was not read yet', plan(30, 40, ['E', 30, 4], ['W', 0, 0]), [['E', 40]]],
    ['over what the shop shows more of is a conflict', plan(10, 12, ['E', 11, 0], ['W', 0, 0]), 'conflict'],
    ['that is there already is not written', plan(9, 9, ['E', 9, 0], ['W', 0, 0]), []],
    ['never falls below what was promised', plan(20, 2, ['E', 20, 15], ['W', 0, 0]), [['E', 15]]],
    [
      'is taken from the other locations first',
      plan(12, 4, ['E', 5, 0], ['W', 7, 0]),
      [
        ['E', 4],
        ['W', 0],
      ],
    ],
  ])('%s', (_name, is, expected) => {
    expect(is).toEqual(expected);
  });

  it('goes out in one batch, is halved to the one to blame, and creates a level that is absent', async () => {
    const [one, two] = levelsRecorded.inventory_items;
    system.answer((call) => {
      if (call.path === '/admin/product-variants') return { json: variantsRecorded };
      if (call.method === 'GET') return { json: { inventory_items: [one, { ...two, location_levels: [] }] } };
      const { create, update } = call.body as { create: unknown[]; update: unknown[] };
      return create.length > 0
        ? { status: 404, json: { type: 'not_found', message: 'Item is gone' } }
        : { json: { created: [], updated: update } };
    });
    const skuOf = (id: string) =>
      variantsRecorded.variants.find(({ inventory_items: [item] }) => item!.inventory_item_id === id)!.sku;
    const items = [one!, two!].map(({ id }) => ({ sku: skuOf(id), from: null, quantity: 5, ordersThrough: '' }));
    const outcomes = await shop.availability!.write([...items, { ...items[0]!, sku: 'NOWHERE' }], signal);
    expect(outcomes).toMatchObject([
      { outcome: 'confirmed' },
      { outcome: 'refused', error: expect.stringContaining('Item is gone') },
      { outcome: 'refused', error: expect.stringContaining('lists no SKU NOWHERE') },
    ]);
    expect(system.calls.filter(({ method }) => method === 'POST')).toHaveLength(3);
  });

  it('of which nothing was written yet is put off when the shop can’t be read, and in doubt when it hangs after', async () => {
    const item = { sku: 'SKU-0040', from: null, quantity: 5, ordersThrough: '' };
    system.answer({ status: 500, json: {} });
    expect(await shop.availability!.write([item], signal)).toMatchObject([{ outcome: 'later' }]);
    system.answer((call) =>
      call.method === 'POST'
        ? 'silence'
        : { json: call.path === '/admin/product-variants' ? variantsRecorded : levelsRecorded },
    );
    expect(await shop.availability!.write([item], signal)).toMatchObject([{ outcome: 'in_doubt' }]);
  });
});

describe('what rows say beyond the level', () => {
  const found = (hidden: number, stocked: number, reserved: number) => ({ hidden, stocked, reserved });
  it('counts when it was seen twice over one level, whatever is on hand', () => {
    expect(isSure(found(1, 20, 6), undefined)).toBe(false);
    expect(isSure(found(1, 20, 6), found(1, 20, 6))).toBe(true);
    expect(isSure(found(1, 25, 6), found(1, 20, 6))).toBe(true);
    expect(isSure(found(2, 20, 6), found(1, 20, 6))).toBe(false);
    expect(isSure(found(1, 20, 7), found(1, 20, 6))).toBe(false);
  });

  /** Two recorded items; the rows of the first hold `units` more than its level says. */
  function shopThatHides(units: number, changedAt = '2026-11-23T18:00:00.000Z') {
    const [one, two] = levelsRecorded.inventory_items;
    const row = (id: string, item: string, quantity: number) => ({
      ...{ id, quantity, updated_at: changedAt, location_id: east, inventory_item_id: item },
    });
    const rows = [row('r1', one!.id, 14 + units), row('r2', two!.id, 4)];
    system.answer((call) => {
      if (call.path === '/admin/product-variants') return { json: variantsRecorded };
      if (call.path === '/admin/inventory-items') return { json: levelsRecorded };
      const since = call.query['updated_at[$gte]'] ?? '';
      return { json: { reservations: rows.filter((r) => r.updated_at >= since) } };
    });
  }
  const doubtful = () => shop.availability!.doubtful!(signal);

  it('is named once it is sure, by reading only; then only when something is sold again', async () => {
    shopThatHides(3);
    expect(await doubtful()).toEqual([]);
    expect(await doubtful()).toEqual(['SKU-0040']);
    const quiet = system.calls.length;
    expect(await doubtful()).toEqual([]);
    expect(system.calls.length - quiet).toBe(1);
    shopThatHides(3, '2026-11-23T18:00:05.000Z');
    expect([await doubtful(), await doubtful()]).toEqual([[], ['SKU-0040']]);
    expect(system.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('is not lost when the shop fails in between, and a level without hidden units is never named', async () => {
    shopThatHides(3);
    await doubtful();
    system.answer({ text: '<html>busy</html>' });
    await expect(doubtful()).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
    shopThatHides(3);
    expect(await doubtful()).toEqual(['SKU-0040']);
    const other = medusa(contextFor(system.url, { settings }));
    shopThatHides(0);
    const look = () => other.availability!.doubtful!(signal);
    expect([await look(), await look(), await look()]).toEqual([[], [], []]);
    await other.close();
  });
});

describe('a price', () => {
  const price = (id: string, currency_code: string, amount: number, more = {}) => ({
    id,
    currency_code,
    amount,
    ...more,
  });
  it('is asked only where one plain price says so; a list keeps what is not ours', () => {
    const held = [price('p1', 'usd', 9.11), price('p2', 'eur', 8), price('p3', 'usd', 7, { min_quantity: 10 })];
    expect(asks(held, { unitPrice: '9.110', currency: 'USD' })).toBe(true);
    expect(asks(held, { unitPrice: '9.12', currency: 'USD' })).toBe(false);
    expect(withPrice(held, 9.12, 'USD')).toEqual([
      { id: 'p2', currency_code: 'eur', amount: 8 },
      { id: 'p3', currency_code: 'usd', amount: 7, min_quantity: 10 },
      { id: 'p1', currency_code: 'usd', amount: 9.12 },
    ]);
  });
});

describe('an order’s state', () => {
  const there = orderThere(statusRecorded.order, statusRecorded.original);
  const noOf = (sku: string) =>
    1 +
    [...statusRecorded.original.items].sort((a, b) => (a.id < b.id ? -1 : 1)).findIndex((i) => i.variant_sku === sku);
  const state = (lines: Record<string, { shipped?: number; cancelled?: number }>): OrderStatusState => ({
    ...{ channel: 'channel', externalNo: '1', status: 'x', account: 'a', currency: 'USD', totalMinor: 0 },
    lines: Object.entries(lines).map(([sku, said]) => ({
      ...{ lineNo: noOf(sku), sku, quantity: 0, amountMinor: 0, backordered: 0, refused: 0, invoiced: 0, returned: 0 },
      ...{ shipped: 0, cancelled: 0, ...said },
    })),
  });
  const idOf = (sku: string) => statusRecorded.original.items.find((i) => i.variant_sku === sku)!.id;

  it('that the shop holds asks for nothing', () => {
    expect(missing(there, state({ 'SKU-0040': { shipped: 2 } }))).toEqual({
      cancelOrder: false,
      lower: [],
      ship: [],
      fulfil: [],
      takeBack: [],
      invoices: null,
    });
  });
  it('is told as the difference: what was packed is shipped, the rest fulfilled, what is gone taken off', () => {
    const packed = there.fulfilments.find(({ isShipped }) => !isShipped)!;
    const todo = missing(there, state({ 'SKU-0040': { shipped: 3, cancelled: 1 }, 'SKU-0041': { shipped: 1 } }));
    expect(todo).toEqual({
      cancelOrder: false,
      lower: [{ itemId: idOf('SKU-0040'), quantity: 3 }],
      ship: [{ id: packed.id, items: packed.items, labels: [] }],
      fulfil: [{ shipment: null, items: [{ itemId: idOf('SKU-0040'), quantity: 1 }], labels: [] }],
      takeBack: [],
      invoices: null,
    });
  });
  it('never takes back what was fulfilled, and an order of which nothing was is cancelled whole', () => {
    const all = state({ 'SKU-0040': { cancelled: 4 }, 'SKU-0041': { cancelled: 1 } });
    expect(missing(there, all)).toMatchObject({ cancelOrder: false, lower: [{ quantity: 2 }] });
    const untouched = {
      ...there,
      fulfilments: [],
      lines: there.lines.map((line) => ({ ...line, fulfilled: 0, shipped: 0 })),
    };
    expect(missing(untouched, all)).toMatchObject({ cancelOrder: true });
    expect(missing({ ...untouched, isCancelled: true }, all)).toMatchObject({ cancelOrder: false, lower: [] });
  });
});

describe('a webhook', () => {
  const sign = (body: Buffer, key = 'peer-secret') => createHmac('sha256', key).update(body).digest('hex');
  const body = Buffer.from('{"event":"order.placed","data":{"id":"order_unknown"}}');
  const told = (given: string | undefined, of = body) => shop.hint!({ 'x-peer-signature': given }, of);

  it('with a wrong signature is refused: none, an empty one, a stranger’s, of another body, too long', () => {
    for (const given of [undefined, '', sign(body, 'other'), sign(Buffer.from('x')), `${sign(body)}00`])
      expect(() => told(given)).toThrow(expect.objectContaining({ code: 'XD_UNAUTHENTICATED' }));
    expect(() => told(sign(body), Buffer.concat([body, Buffer.from(' ')]))).toThrow('x-peer-signature');
  });

  it('that is replayed says again which feed to read, and nothing more', () => {
    for (let n = 0; n < 3; n++) expect(told(sign(body))).toEqual(['orders']);
    expect(system.calls).toEqual([]);
  });

  it('for an unknown order leads to reading, and reading finds nothing', async () => {
    system.answer({ json: { orders: [] } });
    const [feed] = told(sign(body));
    const page = await shop.sources.find((source) => source.feed === feed)!.poll('', signal);
    expect([page.items, page.drained]).toEqual([[], true]);
  });

  it('that is no JSON, or of something else, reads nothing', () => {
    for (const text of ['not json', '{"event":"product.updated"}', '{"event":7}', 'null']) {
      const other = Buffer.from(text);
      expect(told(sign(other), other)).toEqual([]);
    }
  });
});

describe('a page of HTML with status 200', () => {
  const html = { text: '<!doctype html><title>Welcome</title>', headers: { 'content-type': 'text/html' } };
  const item = { sku: 'SKU-0040', from: null, quantity: 5, ordersThrough: '' };
  const price = { key: 'SKU-0040', version: 1, base: 0, state: { unitPrice: '9.11', currency: 'USD' } };

  it('is no page, no probe and no lookup; nothing of a number or a price was sent', async () => {
    system.answer(html);
    await expect(shop.sources[0]!.poll('', signal)).rejects.toMatchObject({ code: 'XD_CONNECTOR_MALFORMED' });
    expect(await shop.probe(signal)).toMatchObject({ ok: false });
    await expect(shop.availability!.readBack(['SKU-0040'], signal)).rejects.toThrow('not JSON');
    await expect(shop.prices!.holds!([price], signal)).rejects.toThrow('not JSON');
    expect(await shop.availability!.write([item], signal)).toMatchObject([{ outcome: 'later' }]);
    expect(await shop.prices!.write([price], signal)).toMatchObject([{ outcome: 'later', ofSystem: true }]);
    expect(system.calls.filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it.each([
    ['a page of HTML', html],
    ['an answer that lists nothing', { json: { created: [], updated: [], deleted: [] } }],
    ['an answer of another shape', { json: { ok: true } }],
    [
      'an answer about another item',
      { json: { created: [], updated: [{ inventory_item_id: 'x', location_id: east }] } },
    ],
  ])('%s to a write leaves the number in doubt', async (_name, answer) => {
    system.answer((call) => {
      if (call.method === 'POST') return answer;
      return { json: call.path === '/admin/product-variants' ? variantsRecorded : levelsRecorded };
    });
    expect(await shop.availability!.write([item], signal)).toMatchObject([{ outcome: 'in_doubt' }]);
  });
});

describe('a product', () => {
  beforeEach(() => {
    system.answer((call) => {
      if (call.path === '/admin/product-variants') return { json: variantsRecorded };
      if (call.method === 'GET') return { json: levelsRecorded };
      const { update } = call.body as { update: object[] };
      return { json: { created: [], updated: update, deleted: [] } };
    });
  });
  const telling = (sku: string) => ({ sku, from: null, quantity: 5, ordersThrough: '' });

  it('that exists in the hub only is refused with what to do; its neighbour arrives, and it is read back as absent', async () => {
    const outcomes = await shop.availability!.write([telling('HUB-ONLY'), telling('SKU-0040')], signal);
    expect(outcomes).toEqual([
      { outcome: 'refused', error: 'the shop lists no SKU HUB-ONLY' },
      { outcome: 'confirmed' },
    ]);
    const numbers = await shop.availability!.readBack(['HUB-ONLY', 'SKU-0040'], signal);
    expect([...numbers.keys()]).toEqual(['SKU-0040']);
  });

  it('that exists in the shop only is never written: its number and price stay what they are', async () => {
    await shop.availability!.write([telling('SKU-0040')], signal);
    const written = system.calls.filter(({ method }) => method === 'POST');
    const other = variantsRecorded.variants.find(({ sku }) => sku !== 'SKU-0040')!.inventory_items[0]!;
    expect(written).toHaveLength(1);
    expect(JSON.stringify(written[0]!.body)).not.toContain(other.inventory_item_id);
  });
});

describe('a 401', () => {
  const answer = (status: number) => ({
    status,
    headers: {},
    body: Buffer.from(''),
    value: { message: 'Unauthorized' },
  });
  it('is a shop in trouble until it has said nothing else for two minutes', async () => {
    const clock = manualClock();
    const faultOf = faultsOfMedusa(clock);
    expect(faultOf(answer(401))?.class).toBe('later');
    await clock.advance(REVOKED_AFTER_MS - 1);
    expect(faultOf(answer(401))?.class).toBe('later');
    faultOf(answer(503));
    await clock.advance(1);
    expect(faultOf(answer(401))).toMatchObject({ class: 'operator', message: expect.stringContaining('revoked') });
    faultOf(answer(200));
    expect(faultOf(answer(401))?.class).toBe('later');
  });
  it('to a write is later, and the key goes out as the name of a basic sign-in', async () => {
    system.answer({ status: 401, json: { message: 'Unauthorized' } });
    expect(await shop.probe(signal)).toMatchObject({ ok: false });
    const sent = String(system.calls[0]!.headers.authorization);
    expect(Buffer.from(sent.replace('Basic ', ''), 'base64').toString()).toBe('token-of-a-test:');
    expect(system.calls).toHaveLength(1);
  });
});
