import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connector, OrderStatusState } from '../kit/index.ts';
import { contextFor, type FakeAnswer, type FakeCall, type FakeSystem, fakeSystem } from '../kit/testing.ts';
import expired from './fixtures/expired.json' with { type: 'json' };
import refusedLogin from './fixtures/login-refused.json' with { type: 'json' };
import notUnderstood from './fixtures/not-understood.json' with { type: 'json' };
import recordedOrders from './fixtures/orders.json' with { type: 'json' };
import recordedStatus from './fixtures/status.json' with { type: 'json' };
import recordedStock from './fixtures/stock.json' with { type: 'json' };
import transition from './fixtures/transition.json' with { type: 'json' };
import unknownVariant from './fixtures/unknown-variant.json' with { type: 'json' };
import { vendure } from './index.ts';
import { minorOf } from './prices.ts';

const signal = new AbortController().signal;
const settings = { user: 'crossdock', company: 'US', account: 'WALK-IN', locations: ['DC-EAST', 'DC-WEST'] };
let system: FakeSystem;
let shop: Connector;

beforeEach(async () => {
  system = await fakeSystem();
  shop = connect();
});
afterEach(async () => {
  await shop.close();
  await system.close();
});

function connect(more: object = {}, changes: object = {}): Connector {
  return vendure(
    contextFor(system.url, { system: 'vendure', channel: 'shop', settings: { ...settings, ...more }, ...changes }),
  );
}

const session = { json: { data: { login: { __typename: 'CurrentUser' } } }, headers: { 'vendure-auth-token': 's1' } };
const queryOf = (call: FakeCall) => (call.body as { query: string }).query;
const variablesOf = (call: FakeCall) => (call.body as { variables: Record<string, unknown> }).variables;
const calls = (word: string) => system.calls.filter((call) => queryOf(call).includes(word));
const list = (name: string, items: unknown[]) => ({ json: { data: { [name]: { totalItems: items.length, items } } } });

/** A shop of recorded answers; what a test says goes first. */
function answering(...own: [word: string, answer: FakeAnswer | ((call: FakeCall) => FakeAnswer)][]): void {
  const usual: typeof own = [
    ['login(', session],
    [
      'stockLocations',
      list('stockLocations', [
        { id: '1', name: 'DC-EAST' },
        { id: '2', name: 'DC-WEST' },
      ]),
    ],
    [
      'updateProductVariants',
      (call) => ({
        json: {
          data: { updateProductVariants: (variablesOf(call).input as { id: string }[]).map(({ id }) => ({ id })) },
        },
      }),
    ],
    ['stockLevels', { json: recordedStock }],
    [
      'productVariants',
      list('productVariants', [
        { id: '3', sku: 'SKU-0003' },
        { id: '4', sku: 'sku-0004' },
      ]),
    ],
    ['fulfillments {', { json: recordedStatus }],
    ['orders(', list('orders', [])],
  ];
  system.answer((call) => {
    const [, found] = [...own, ...usual].find(([word]) => queryOf(call).includes(word)) ?? [];
    return typeof found === 'function' ? found(call) : (found ?? { status: 500, json: {} });
  });
}

const telling = (sku: string, from: number | null, quantity: number) => ({ sku, from, quantity, ordersThrough: '' });
/** What the recorded stock shows. */
const shown = { 'SKU-0003': 508 - 8 + 7010, 'SKU-0004': 501 - 1 + 7010 };

describe('a session', () => {
  it('is begun once, its token is the header of the answer, and the channel is said with each call', async () => {
    answering();
    const market = connect({ shopChannel: 'marketplace', shopChannelToken: 'm-token' });
    await Promise.all([
      market.availability!.readBack(['SKU-0003'], signal),
      market.availability!.readBack(['SKU-0004'], signal),
    ]);
    await market.close();
    expect(calls('login(')).toHaveLength(1);
    expect(variablesOf(calls('login(')[0]!)).toEqual({ user: 'crossdock', password: 'token-of-a-test' });
    const { headers } = calls('stockLevels')[0]!;
    expect([headers.authorization, headers['vendure-token']]).toEqual(['Bearer s1', 'm-token']);
  });

  it('that is refused says so without the password', async () => {
    answering(['login(', { json: refusedLogin }]);
    expect(await shop.probe(signal)).toEqual({
      ok: false,
      detail: expect.stringMatching(/^(?!.*token-of-a-test).*INVALID_CREDENTIALS/),
    });
  });

  it('that has ended makes a write wait: it had no effect', async () => {
    answering(['updateProductVariants', { json: expired }]);
    expect(await shop.availability!.write([telling('SKU-0003', null, 5)], signal)).toMatchObject([
      { outcome: 'later', ofSystem: true },
    ]);
  });

  it('needs both of a channel, its code and its token', () => {
    expect(() => connect({ shopChannel: 'marketplace' })).toThrow('shopChannelToken');
    expect(() => connect({ shopChannelToken: 'm' })).toThrow('shopChannelToken');
    expect(() => connect({ nonsense: 1 })).toThrow('nonsense');
  });
});

describe('numbers', () => {
  it('are read back as what the shop would sell, over our locations', async () => {
    answering();
    expect(await shop.availability!.readBack(['SKU-0003', 'SKU-0004', 'NONE'], signal)).toEqual(
      new Map(Object.entries({ ...shown })),
    );
  });

  it('that are there already are not written, nor read back as anything else', async () => {
    answering();
    const items = [telling('SKU-0003', shown['SKU-0003'], shown['SKU-0003'])];
    // The recorded levels know of 8 sold units, as the rows must.
    answering(['orders(', list('orders', [openOrder('3', 8)])]);
    expect(await shop.availability!.write(items, signal)).toEqual([{ outcome: 'confirmed' }]);
    expect(calls('updateProductVariants')).toEqual([]);
  });

  it('go out in one batch, by difference at the first location, with what the level lies', async () => {
    answering(['orders(', list('orders', [openOrder('3', 10), openOrder('4', 1)])]);
    const outcomes = await shop.availability!.write(
      [telling('SKU-0003', shown['SKU-0003'], shown['SKU-0003'] + 7), telling('SKU-0004', 1, 1)],
      signal,
    );
    expect(outcomes).toEqual([{ outcome: 'confirmed' }, { outcome: 'conflict' }]);
    const [only, ...others] = calls('updateProductVariants');
    expect(others).toEqual([]);
    expect(variablesOf(only!).input).toEqual([
      {
        id: '3',
        stockLevels: [{ stockLocationId: '1', stockOnHand: 508 + 7 }],
        outOfStockThreshold: 2,
        useGlobalOutOfStockThreshold: false,
      },
    ]);
  });

  it('of a SKU that nobody lists, that two variants carry, or that the shop does not count are refused; neighbours are not', async () => {
    const two = [
      { id: '3', sku: 'SKU-0003' },
      { id: '4', sku: 'SKU-0003' },
      { id: '5', sku: 'FREE' },
      { id: '6', sku: 'FINE' },
    ];
    const stock = (id: string, trackInventory: string) => ({
      ...recordedStock.data.productVariants.items[0]!,
      id,
      trackInventory,
    });
    const items = [stock('5', 'FALSE'), stock('6', 'INHERIT')];
    answering(
      ['stockLevels', { json: { data: { ...recordedStock.data, productVariants: { totalItems: 2, items } } } }],
      ['productVariants(options: { filter', list('productVariants', two)],
    );
    const outcomes = await shop.availability!.write(
      ['NONE', 'SKU-0003', 'FREE', 'FINE'].map((sku) => telling(sku, null, 5)),
      signal,
    );
    expect(outcomes).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('no variant') },
      { outcome: 'refused', error: expect.stringContaining('2 variants') },
      { outcome: 'refused', error: expect.stringContaining("doesn't track") },
      { outcome: 'confirmed' },
    ]);
  });

  it('a batch that one variant fails is halved until that one is alone', async () => {
    answering([
      'updateProductVariants',
      (call) => {
        const input = variablesOf(call).input as { id: string }[];
        return input.some(({ id }) => id === '3')
          ? { json: unknownVariant }
          : { json: { data: { updateProductVariants: input } } };
      },
    ]);
    expect(
      await shop.availability!.write([telling('SKU-0003', null, 5), telling('SKU-0004', null, 5)], signal),
    ).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('ENTITY_NOT_FOUND') },
      { outcome: 'confirmed' },
    ]);
  });

  it.each<[string, FakeAnswer, string]>([
    ['a question it does not understand', { status: 400, json: notUnderstood }, 'refused'],
    [
      'a failure of its own under 200',
      { json: { errors: [{ message: 'boom', extensions: { code: 'INTERNAL_SERVER_ERROR' } }], data: null } },
      'in_doubt',
    ],
    ['a page of HTML with status 200', { text: '<html>maintenance</html>' }, 'in_doubt'],
    ['an answer without data', { json: { data: null } }, 'in_doubt'],
    ['an answer that leaves one out', { json: { data: { updateProductVariants: [] } } }, 'in_doubt'],
    ['a cut', 'reset', 'in_doubt'],
  ])('after %s are an outcome that says so', async (_, answer, outcome) => {
    answering(['updateProductVariants', answer]);
    expect(await shop.availability!.write([telling('SKU-0003', null, 5)], signal)).toMatchObject([{ outcome }]);
  });

  it('wait when nothing could be read: nothing was sent', async () => {
    answering(['stockLevels', { status: 503, json: {}, headers: { 'retry-after': '2' } }]);
    expect(await shop.availability!.write([telling('SKU-0003', null, 5)], signal)).toMatchObject([
      { outcome: 'later', retryAfterMs: 2_000 },
    ]);
    expect(calls('updateProductVariants')).toEqual([]);
  });
});

describe('prices', () => {
  const price = (key: string, unitPrice: string) => ({
    key,
    version: 1,
    base: 0,
    state: { unitPrice, currency: 'USD' },
  });
  const there = (prices: Record<string, number>, pricesIncludeTax = false): FakeAnswer => ({
    json: {
      data: {
        activeChannel: { code: 'c', pricesIncludeTax },
        productVariants: {
          items: Object.entries(prices).map(([id, cents]) => ({ id, prices: [{ price: cents, currencyCode: 'USD' }] })),
        },
      },
    },
  });

  it('are whole cents; only those that differ are written', async () => {
    answering(['pricesIncludeTax', there({ 3: 911, 4: 1048 })]);
    const items = [price('SKU-0003', '9.11'), price('SKU-0004', '10.5'), price('NONE', '1')];
    expect(await shop.prices!.write(items, signal)).toMatchObject([
      { outcome: 'confirmed' },
      { outcome: 'confirmed' },
      { outcome: 'refused' },
    ]);
    expect(calls('updateProductVariants').map((call) => variablesOf(call).input)).toEqual([
      [{ id: '4', prices: [{ currencyCode: 'USD', price: 1050 }] }],
    ]);
    expect([...(await shop.prices!.holds!(items, signal))]).toEqual(['SKU-0003']);
  });

  it('that the shop can not hold are refused, and so are ours where its own include tax', async () => {
    answering(['pricesIncludeTax', there({ 3: 911 })]);
    expect(await shop.prices!.write([price('SKU-0003', '9.115')], signal)).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('9.115') },
    ]);
    answering(['pricesIncludeTax', there({ 3: 911 }, true)]);
    expect(await shop.prices!.write([price('SKU-0003', '9.12')], signal)).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('tax') },
    ]);
    expect(['1.005', '0.10', '12', '1.2300', '-1', '', '90071992547409.93'].map(minorOf)).toEqual([
      undefined,
      10,
      1200,
      123,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('order states', () => {
  /** Recorded: of line 1 all 5 are cancelled; of line 2 one is shipped and two are cancelled, of 3. */
  const state = (first: object, second: object): OrderStatusState => {
    const none = { amountMinor: 0, cancelled: 0, refused: 0, shipped: 0, backordered: 0, invoiced: 0, returned: 0 };
    return {
      channel: 'shop',
      externalNo: 'NRAHYD1U3WNWDSE8',
      status: 'shipped',
      account: 'A1',
      currency: 'USD',
      totalMinor: 0,
      lines: [
        { ...none, lineNo: 1, sku: 'SKU-0003', quantity: 5, ...first },
        { ...none, lineNo: 2, sku: 'SKU-0004', quantity: 3, ...second },
      ],
    };
  };
  const item = (of: OrderStatusState) => ({ key: `shop/${of.externalNo}`, version: 3, base: 0, state: of });

  it('that are there are not written again, also where the shop has cancelled more', async () => {
    answering();
    for (const of of [state({ cancelled: 4, refused: 1 }, { cancelled: 2, shipped: 1 }), state({ cancelled: 1 }, {})]) {
      expect([...(await shop.orderStatus!.holds!([item(of)], signal))]).toEqual(['shop/NRAHYD1U3WNWDSE8']);
      expect(await shop.orderStatus!.write([item(of)], signal)).toEqual([{ outcome: 'confirmed' }]);
    }
    expect(system.calls.filter((call) => /mutation/.test(queryOf(call)) && !queryOf(call).includes('login('))).toEqual(
      [],
    );
  });

  it('that can not be are refused, naming the line, and nothing is done', async () => {
    answering();
    expect(
      await shop.orderStatus!.write([item(state({ cancelled: 5 }, { cancelled: 2, shipped: 2 }))], signal),
    ).toMatchObject([{ outcome: 'refused', error: expect.stringContaining('line 2 (SKU-0004)') }]);
    expect(calls('addFulfillmentToOrder')).toEqual([]);
  });

  it('of an order that is not there, or not of this channel, are refused', async () => {
    answering();
    const lost = { ...state({}, {}), externalNo: 'NONE' };
    expect(await shop.orderStatus!.write([item(lost)], signal)).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('NONE') },
    ]);
    const other = { ...state({}, {}), channel: 'other' };
    expect([...(await shop.orderStatus!.holds!([item(other)], signal))]).toEqual([]);
  });

  it('cancel first, then fulfil, then ship; a member of a union that failed is refused with what it says', async () => {
    const [open, order] = recordedStatus.data.orders.items;
    const done = (value: object) => ({ json: { data: { done: value } } });
    answering(
      ['cancelOrder', done({ __typename: 'Order', id: open!.id })],
      ['addFulfillmentToOrder', done({ __typename: 'Fulfillment', id: '77', state: 'Pending' })],
      ['transitionFulfillmentToState', { json: transition }],
    );
    expect(order!.code).toBe('NRAHYD1U3WNWDSE8');
    const of = { ...state({ cancelled: 1, shipped: 2 }, {}), externalNo: open!.code };
    of.lines = of.lines.slice(0, 1);
    expect(await shop.orderStatus!.write([item(of)], signal)).toMatchObject([
      { outcome: 'refused', error: expect.stringContaining('Cannot transition Fulfillment') },
    ]);
    const did = system.calls
      .map((call) => /(cancelOrder|addFulfillmentToOrder|transitionFulfillmentToState)\(/.exec(queryOf(call))?.[1])
      .filter(Boolean);
    expect(did).toEqual(['cancelOrder', 'addFulfillmentToOrder', 'transitionFulfillmentToState']);
    const [cancelled] = calls('cancelOrder(');
    expect(variablesOf(cancelled!).input).toMatchObject({
      lines: [{ quantity: 1 }],
      reason: expect.stringMatching(/^crossdock /),
      cancelShipping: false,
    });
  });
});

describe('the feed', () => {
  it('gives a page with its bytes, from which the same items come again, and is quiet when nothing is new', async () => {
    const all = recordedOrders.data.orders.items;
    const open = [{ ...openOrder('3', 5), id: '3' }];
    answering(
      ['orderPlacedAt: DESC', { json: { data: {} } }],
      ['fulfillmentLines', list('orders', open)],
      ['orders(', list('orders', all)],
    );
    const [source] = shop.sources;
    const page = await source!.poll('', signal);
    expect(page.drained).toBe(true);
    expect(page.items.filter((item) => item.command?.kind === 'order.submitted').map((item) => item.key)).toEqual(
      all.filter((order) => order.channels.length === 1).map((order) => order.code),
    );
    expect(source!.reread!(page.body)).toEqual(page.items);
    expect(page.items.map((item) => item.itemNo)).toEqual(page.items.map((_, index) => index));
    expect((await source!.poll(page.cursor, signal)).items).toEqual([]);
    const filters = calls('orders(').map(
      (call) => (variablesOf(call).filter as { _and?: object[] } | undefined)?._and?.[1],
    );
    expect(filters).toContainEqual({});
    expect(filters).toContainEqual({ orderPlacedAt: { after: '2026-11-23T17:30:11.300Z' } });
  });

  it('tells a cancel once that is met by its time and by the look at everything open', async () => {
    const cut = recordedOrders.data.orders.items[0]!;
    const open = { ...openOrder('3', 3), id: cut.id };
    open.lines[0]!.orderPlacedQuantity = 5;
    answering(
      ['orderPlacedAt: DESC', { json: { data: {} } }],
      ['fulfillmentLines', list('orders', [open])],
      ['orders(', list('orders', [cut])],
    );
    const page = await shop.sources[0]!.poll('', signal);
    expect(calls('id: { in: $ids }').length).toBeGreaterThan(0);
    expect(page.items.map((item) => item.key)).toEqual([cut.code, `H12/${cut.code}/1`, `H12/${cut.code}/2`]);
    expect(shop.sources[0]!.reread!(page.body)).toEqual(page.items);
  });

  it('refuses a cursor that is not its own', async () => {
    answering();
    for (const cursor of ['17', '{"placed":1}', 'x'])
      await expect(shop.sources[0]!.poll(cursor, signal)).rejects.toMatchObject({ code: 'XD_VALUE_INVALID' });
  });
});

describe('levels that lie', () => {
  // The recorded levels know of 8 units of variant 3.
  const rowsOf = (units: number) =>
    answering(
      ['placed: orders', { json: { data: { placed: { items: [{ id: `${units}` }] }, changed: { items: [] } } } }],
      ['orders(', list('orders', [openOrder('3', units), openOrder('4', 1)])],
    );
  const look = (of: Connector = shop) => of.availability!.doubtful!(signal);
  const mutations = () =>
    system.calls.filter((call) => /^mutation/.test(queryOf(call)) && !/login/.test(queryOf(call)));

  it('are named once they were seen twice, by reading only; then when they lie otherwise', async () => {
    rowsOf(10);
    expect([await look(), await look(), await look()]).toEqual([[], ['SKU-0003'], []]);
    rowsOf(11);
    expect([await look(), await look()]).toEqual([[], ['SKU-0003']]);
    expect(mutations()).toEqual([]);
  });

  it('are named, too, where the level says more than the rows; not while an order can’t be read', async () => {
    rowsOf(5);
    expect([await look(), await look()]).toEqual([[], ['SKU-0003']]);
    const other = connect();
    answering(
      ['placed: orders', { json: { data: { placed: { items: [] }, changed: { items: [] } } } }],
      [
        'orders(',
        list('orders', [openOrder('3', 5), openOrder('4', 1), { ...openOrder('3', 5), id: 'x', lines: null }]),
      ],
    );
    expect([await look(other), await look(other)]).toEqual([[], []]);
    await other.close();
  });

  it('that are right cost one call while nothing is sold, and are not looked for where the estate says so', async () => {
    rowsOf(8);
    expect([await look(), await look()]).toEqual([[], []]);
    const before = system.calls.length;
    await look();
    expect(system.calls.length - before).toBe(1);
    const left = connect({ correctLevels: false });
    expect(left.availability!.doubtful).toBeUndefined();
    await left.close();
  });

  it('change nothing in a poll', async () => {
    const [whole] = recordedOrders.data.orders.items.slice(2);
    const line = {
      ...openOrder('3', 60).lines[0]!,
      ...whole!.lines[0]!,
      quantity: 60,
      productVariant: { id: '3', sku: 'SKU-0003' },
    };
    answering(
      ['placed: orders', { json: { data: { placed: { items: [] }, changed: { items: [] } } } }],
      ['orders(', list('orders', [{ ...whole, lines: [line] }])],
    );
    let { cursor } = await shop.sources[0]!.poll('', signal);
    for (let i = 0; i < 3; i++) ({ cursor } = await shop.sources[0]!.poll(cursor, signal));
    expect(mutations()).toEqual([]);
  });

  it('a number that was doubted is told anew with what it hid, and shows what is left', async () => {
    rowsOf(10);
    await shop.availability!.write([telling('SKU-0003', shown['SKU-0003'], shown['SKU-0003'] - 2)], signal);
    const [only] = calls('updateProductVariants');
    const { id, outOfStockThreshold } = (variablesOf(only!).input as Record<string, unknown>[])[0]!;
    expect({ id, outOfStockThreshold }).toEqual({ id: '3', outOfStockThreshold: 2 });
  });
});

describe('an order that can’t be read', () => {
  it('holds up no number and no other order', async () => {
    const good = recordedOrders.data.orders.items[2]!;
    const bad = { ...good, id: '99', code: 'BAD', lines: null };
    answering(
      ['placed: orders', { json: { data: { placed: { items: [] }, changed: { items: [] } } } }],
      ['orders(', list('orders', [bad, { ...openOrder('3', 8), ...good }])],
    );
    const page = await shop.sources[0]!.poll('', signal);
    const told = page.items.map(({ scope, key, unreadable }) => [scope, key, unreadable?.place]);
    // Under its own number, so that a corrected one meets it.
    expect(told.filter(([scope]) => scope === 'order/shop').sort()).toEqual([
      ['order/shop', 'BAD', '/placed/1/lines'],
      ['order/shop', good.code, undefined],
    ]);
    expect(await shop.availability!.write([telling('SKU-0003', null, 5)], signal)).toEqual([{ outcome: 'confirmed' }]);
  });
});

describe('a product', () => {
  it('that exists in the hub only is refused by its SKU; its neighbour arrives, and it is read back as absent', async () => {
    answering();
    expect(
      await shop.availability!.write([telling('HUB-ONLY', null, 5), telling('SKU-0003', null, 5)], signal),
    ).toEqual([{ outcome: 'refused', error: 'the shop lists no variant with SKU HUB-ONLY' }, { outcome: 'confirmed' }]);
    expect([...(await shop.availability!.readBack(['HUB-ONLY', 'SKU-0003'], signal)).keys()]).toEqual(['SKU-0003']);
  });

  it('that exists in the shop only is never written', async () => {
    answering();
    await shop.availability!.write([telling('SKU-0003', null, 5)], signal);
    const written = calls('updateProductVariants').flatMap((call) => variablesOf(call).input as { id: string }[]);
    expect(written.map(({ id }) => id)).toEqual(['3']);
  });
});

describe('a page of HTML with status 200', () => {
  const html = { text: '<!doctype html><title>Welcome</title>', headers: { 'content-type': 'text/html' } };
  const price = { key: 'SKU-0003', version: 1, base: 0, state: { unitPrice: '9.11', currency: 'USD' } };

  it.each([
    ['to everything, also to the sign-in', () => system.answer(html)],
    [
      'to what is asked',
      () => answering(['stockLevels', html], ['productVariants', html], ['orders', html], ['active', html]),
    ],
  ])('%s is no page, no probe and no lookup; nothing of a write was sent', async (_name, answer) => {
    answer();
    await expect(shop.sources[0]!.poll('', signal)).rejects.toMatchObject({
      code: expect.stringContaining('CONNECTOR'),
    });
    expect(await shop.probe(signal)).toMatchObject({ ok: false });
    await expect(shop.availability!.readBack(['SKU-0003'], signal)).rejects.toThrow();
    await expect(shop.prices!.holds!([price], signal)).rejects.toThrow();
    expect(await shop.availability!.write([telling('SKU-0003', null, 5)], signal)).toMatchObject([
      { outcome: 'later' },
    ]);
    expect(await shop.prices!.write([price], signal)).toMatchObject([{ outcome: 'later', ofSystem: true }]);
    expect(calls('updateProductVariants')).toEqual([]);
  });
});

describe('a webhook', () => {
  const body = Buffer.from('{"event":"order.placed","id":"unknown"}');
  const sign = (of: Buffer, key = 'secret') => createHmac('sha256', key).update(of).digest('hex');
  let hooked: Connector;
  beforeEach(() => {
    hooked = connect({}, { webhookSecret: 'secret' });
  });
  afterEach(() => hooked.close());
  const told = (given: string | undefined, of = body) => hooked.hint!({ 'x-peer-signature': given }, of);

  it('with a wrong signature is refused: none, an empty one, a stranger’s, of another body, too long', () => {
    for (const given of [undefined, '', sign(body, 'other'), sign(Buffer.from('{}')), `${sign(body)}00`])
      expect(() => told(given)).toThrow(expect.objectContaining({ code: 'XD_UNAUTHENTICATED' }));
    expect(() => told(sign(body), Buffer.concat([body, Buffer.from(' ')]))).toThrow('x-peer-signature');
    // Without a secret anybody could sign.
    expect(shop.hint).toBeUndefined();
  });

  it('that is replayed says again which feed to read, and nothing more', () => {
    for (let n = 0; n < 3; n++) expect(told(sign(body))).toEqual(['orders']);
    expect(system.calls).toEqual([]);
  });

  it('for an unknown order leads to reading, and reading finds nothing', async () => {
    answering(['placed: orders', { json: { data: { placed: { items: [] }, changed: { items: [] } } } }]);
    expect(told(sign(body))).toEqual(['orders']);
    const page = await hooked.sources[0]!.poll('', signal);
    expect([page.items, page.drained]).toEqual([[], true]);
  });
});

function openOrder(variant: string, quantity: number) {
  const line = { quantity, orderPlacedQuantity: quantity, productVariant: { id: variant }, fulfillmentLines: [] };
  return { id: `o${variant}`, orderPlacedAt: '2026-11-23T17:00:00.000Z', modifications: [], lines: [line] };
}
