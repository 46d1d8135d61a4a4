/** Signing in, what answers mean, and writes that must not happen twice. */
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Connector, type ConnectorContext, type DeliveryItem, identityOf } from '../kit/index.ts';
import { contextFor, type FakeSystem, fakeSystem, manualClock } from '../kit/testing.ts';
import { rest } from './index.ts';
import type { RestSettings } from './settings.ts';
import { feedOf } from './testing.ts';
import { pathOf } from './values.ts';
import { nested } from './wire.ts';

const signal = new AbortController().signal;
let system: FakeSystem;
let other: FakeSystem;
let open: Connector[] = [];

beforeEach(async () => {
  [system, other] = await Promise.all([fakeSystem(), fakeSystem()]);
});
afterEach(async () => {
  for (const one of open) await one.close();
  open = [];
  await Promise.all([system.close(), other.close()]);
});

function connect(settings: Partial<RestSettings>, changes: Partial<ConnectorContext> = {}): Connector {
  const whole = { probe: { path: '/ping' }, ...settings } as never;
  const connector = rest(contextFor(system.url, { settings: whole, ...changes }));
  open.push(connector);
  return connector;
}

describe('who we are', () => {
  const token = 'token-of-a-test';

  it.each<[RestSettings['auth'], Record<string, unknown>]>([
    [{ kind: 'none' }, { authorization: undefined }],
    [{ kind: 'bearer' }, { authorization: `Bearer ${token}` }],
    [{ kind: 'basic', user: 'hub' }, { authorization: `Basic ${Buffer.from(`hub:${token}`).toString('base64')}` }],
    [
      { kind: 'apiKey', in: 'header', name: 'X-Api-Key' },
      { 'x-api-key': token, authorization: undefined },
    ],
    [{ kind: 'apiKey', in: 'header', name: 'Authorization', prefix: 'Token ' }, { authorization: `Token ${token}` }],
  ])('%j', async (auth, headers) => {
    system.answer({ json: {} });
    expect(await connect({ auth }).probe(signal)).toEqual({ ok: true, detail: 'answers and knows us' });
    for (const [name, value] of Object.entries(headers)) expect(system.calls[0]!.headers[name]).toBe(value);
  });

  it('a key in the query goes with every call and stands in no error', async () => {
    system.answer({ status: 403, json: {} });
    const connector = connect({ auth: { kind: 'apiKey', in: 'query', name: 'key' } });
    const { detail } = await connector.probe(signal);
    expect(system.calls[0]!.query).toEqual({ key: token });
    expect(detail).toBe('XD_CONNECTOR_REFUSED: system GET /ping answered 403');
  });

  it('a token that is missing is refused at start', () => {
    expect(() => connect({ auth: { kind: 'bearer' } }, { token: null })).toThrow('systems.system.token is missing');
  });

  const oauth = () => ({ kind: 'oauth2', tokenUrl: `${other.url}/token`, clientId: 'id:1' }) as const;

  it('OAuth: signs in once for all, again before the token ends, and again when it is refused', async () => {
    let given = 0;
    other.answer(() => ({ json: { access_token: `t${++given}`, token_type: 'bearer', expires_in: '100' } }));
    const clock = manualClock();
    const identity = identityOf(contextFor(system.url), { ...oauth(), parameters: { scope: 'a b' } }, signal, clock);
    const send = () => expect.fail('the token comes from another server');
    expect(await identity.auth!.signIn(send)).toEqual({ authorization: 'Bearer t1' });
    expect(other.calls[0]).toMatchObject({
      body: 'grant_type=client_credentials&scope=a+b',
      // RFC 6749, 2.3.1: a colon in the id must not end it.
      headers: { authorization: `Basic ${Buffer.from(`id%3A1:${token}`).toString('base64')}` },
    });
    await clock.advance(69_000);
    expect(identity.auth!.isOver!()).toBe(false);
    await clock.advance(1_000);
    expect(identity.auth!.isOver!()).toBe(true);
    await identity.close();

    system.answer({ json: {} });
    const connector = connect({ auth: { ...oauth(), client: 'body' } });
    await Promise.all([connector.probe(signal), connector.probe(signal)]);
    expect(system.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer t2', 'Bearer t2']);
    expect(other.calls[1]!.body).toBe(`grant_type=client_credentials&client_id=id%3A1&client_secret=${token}`);
  });

  it.each([
    ['refuses', { status: 401, json: { error: 'invalid_client' } }],
    ['gives HTML', { text: '<html>' }],
    ['gives no token', { json: { token: 'x' } }],
    ['is down', { status: 503, json: {} }],
  ])('OAuth: a server that %s leaves everything unsent and says no secret', async (_, answer) => {
    other.answer(answer);
    const connector = connect({ auth: oauth(), deliveries: { sales_order: order } });
    const { ok, detail } = await connector.probe(signal);
    expect([ok, detail.slice(0, 59)]).toEqual([false, 'XD_CONNECTOR_UNAVAILABLE: system: could not sign in: system']);
    expect(detail).not.toContain(token);
    expect(await write(connector)).toMatchObject([{ outcome: 'later' }]);
    expect(system.calls).toEqual([]);
  });
});

const order = {
  write: {
    path: '/orders',
    headers: { 'Idempotency-Key': '{key}' },
    body: {
      fields: { '/head/ref': '/reference', '/head/total': { from: '/totalMinor' } },
      lists: { '/head/rows': { from: '/lines', fields: { item: '/sku', n: '/quantity' } } },
    },
    answer: { fields: { number: { from: '/id', as: 'text' } } },
    already: [409],
  },
  locate: { path: '/orders', query: { ref: '{keys}' }, list: '/found', key: '/ref' },
  answer: { fields: { number: { from: '/id', as: 'text' } } },
} as const satisfies NonNullable<RestSettings['deliveries']>[string];
const item: DeliveryItem = { reference: 'web/1', payload: { totalMinor: 255, lines: [{ sku: 'A', quantity: 2 }] } };
const write = (connector: Connector, items = [item]) => connector.deliveries.sales_order!.write(items, signal);

describe('a delivery', () => {
  it('is looked up, written as declared, and answered as declared', async () => {
    system.answer({ json: { found: [] } }, { status: 201, json: { id: 7 } });
    expect(await write(connect({ deliveries: { sales_order: order } }))).toEqual([
      { outcome: 'confirmed', answer: { number: '7' } },
    ]);
    const [lookup, sent] = system.calls;
    expect(lookup!.query).toEqual({ ref: 'web/1' });
    expect(sent).toMatchObject({ method: 'POST', path: '/orders', headers: { 'idempotency-key': 'web/1' } });
    expect(sent!.body).toEqual({ head: { ref: 'web/1', total: 255, rows: [{ item: 'A', n: 2 }] } });
  });

  it('that is there is not written again, and one that nobody could look up neither', async () => {
    system.answer({ json: { found: [{ ref: 'web/1', id: 7 }] } });
    expect(await write(connect({ deliveries: { sales_order: order } }))).toMatchObject([{ outcome: 'confirmed' }]);
    system.answer({ text: '<html>' });
    expect(await write(connect({ deliveries: { sales_order: order } }))).toMatchObject([
      { outcome: 'later', ofSystem: true },
    ]);
    expect(system.calls.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('another order that a search finds is not ours: only the very reference counts', async () => {
    system.answer({
      json: {
        found: [
          { ref: 'web/10', id: 9 },
          { ref: 'WEB/1', id: 8 },
        ],
      },
    });
    const located = await connect({ deliveries: { sales_order: order } }).deliveries.sales_order!.locate(
      ['web/1'],
      signal,
    );
    expect([...located]).toEqual([]);
  });

  it('a lookup whose answer goes on says nothing of what is not there, and nothing is written', async () => {
    const locate = { ...order.locate, more: '/next' };
    system.answer({ json: { found: [], next: '/orders?page=2' } });
    expect(await write(connect({ deliveries: { sales_order: { ...order, locate } } }))).toMatchObject([
      { outcome: 'later', ofSystem: true },
    ]);
    expect(system.calls).toHaveLength(1);
  });

  it('said to be there already is looked up, and in doubt while it is not found', async () => {
    const native = { ...order, idempotency: 'native' as const };
    system.answer({ status: 409, json: {} }, { json: { found: [{ ref: 'web/1', id: 7 }] } });
    expect(await write(connect({ deliveries: { sales_order: native } }))).toEqual([
      { outcome: 'confirmed', answer: { number: '7' } },
    ]);
    system.answer({ status: 409, json: {} }, { json: { found: [] } });
    expect(await write(connect({ deliveries: { sales_order: native } }))).toMatchObject([{ outcome: 'in_doubt' }]);
  });

  it.each([
    ['500', { status: 500, json: {} }, 'in_doubt'],
    ['HTML with 200', { text: '<html>' }, 'in_doubt'],
    ['an answer without what was declared', { json: {} }, 'in_doubt'],
    ['a cut after the request', 'reset' as const, 'in_doubt'],
    ['429', { status: 429, json: {}, headers: { 'retry-after': '2' } }, 'later'],
    ['422', { status: 422, json: { error: 'no such item' } }, 'refused'],
    ['200 that says busy', { json: { error: { code: 'BUSY', text: 'try again' } } }, 'later'],
    ['200 that says locked', { json: { error: { code: 'LOCKED' } } }, 'refused'],
    ['200 with an error that nobody knows', { json: { error: { code: 'X' } } }, 'in_doubt'],
  ])('%s is what it means', async (_, answer, outcome) => {
    const faults: RestSettings['faults'] = [
      { where: '/error/code', is: ['BUSY'], class: 'later', message: '/error/text', retryAfterMs: 500 },
      { status: ['2xx'], where: { jsonata: 'error.code = "LOCKED"' }, class: 'operator' },
      { status: [200], where: '/error', class: 'in_doubt' },
    ];
    const native = { ...order, idempotency: 'native' as const };
    system.answer(answer);
    expect(await write(connect({ faults, deliveries: { sales_order: native } }))).toMatchObject([{ outcome }]);
  });

  it('whose body cannot be made is refused and nothing is sent', async () => {
    const native = { ...order, idempotency: 'native' as const };
    const connector = connect({ deliveries: { sales_order: native } });
    expect(await write(connector, [{ reference: 'web/2', payload: {} }])).toMatchObject([
      {
        outcome: 'refused',
        error: 'systems.system.settings.deliveries.sales_order.write.body: /totalMinor is missing (/head/total)',
      },
    ]);
    expect(system.calls).toEqual([]);
  });

  it('of a kind that nobody knows, and a lookup that would ask for everything, are refused at start', () => {
    expect(() => connect({ deliveries: { salesorder: order } })).toThrow('deliveries.salesorder is none of');
    const locate = { ...order.locate, query: {} };
    expect(() => connect({ deliveries: { sales_order: { ...order, locate } } })).toThrow('else it asks for everything');
  });
});

describe('many at once', () => {
  const batched = {
    write: {
      path: '/stock',
      body: { fields: { sku: '/sku', to: { from: '/quantity' }, was: { from: '/from', default: null } } },
      batch: {
        ...{ itemsMax: 4, list: '/items', results: '/results', key: '/sku', status: '/state', message: '/why' },
        ...{ confirmed: ['ok'], later: ['busy'], conflict: ['changed'], refused: ['unknown'] },
      },
    },
    readBack: { path: '/stock', query: { skus: '{keys}' }, list: '/items', key: '/sku' },
    quantity: '/there',
  } as const satisfies NonNullable<RestSettings['availability']>;
  const items = ['A', 'B', 'C', 'D', 'E'].map((sku) => ({ sku, from: 1, quantity: 2, ordersThrough: '' }));

  it('each has an outcome of its own, whatever the order of the results; what none speaks of is in doubt', async () => {
    system.answer(
      {
        json: {
          results: [
            { sku: 'D', state: 'changed' },
            { sku: 'C', state: 'unknown', why: 'no such item' },
            { sku: 'B', state: 'pending' },
            { sku: 'A', state: 'ok' },
          ],
        },
      },
      { json: { results: [] } },
    );
    const told = await connect({ availability: batched }).availability!.write(items, signal);
    expect(told.map(({ outcome }) => outcome)).toEqual(['confirmed', 'in_doubt', 'refused', 'conflict', 'in_doubt']);
    expect(told[2]).toMatchObject({ error: '/stock: no such item' });
    expect(system.calls.map(({ body }) => (body as { items: unknown[] }).items.length)).toEqual([4, 1]);
  });

  it('a batch refused as a whole is halved until the poison item is alone', async () => {
    system.answer(({ body }) => {
      const sent = (body as { items: { sku: string }[] }).items;
      if (sent.some(({ sku }) => sku === 'C')) return { status: 400, json: { error: 'bad item' } };
      return { json: { results: sent.map(({ sku }) => ({ sku, state: 'ok' })) } };
    });
    const told = await connect({ availability: batched }).availability!.write(items, signal);
    expect(told.map(({ outcome }) => outcome)).toEqual(['confirmed', 'confirmed', 'refused', 'confirmed', 'confirmed']);
  });

  it('numbers are read back, and a number that is none is not one', async () => {
    system.answer({ json: { items: [{ sku: 'A', there: 4 }] } });
    const { availability } = connect({ availability: batched });
    expect([...(await availability!.readBack(['A', 'B'], signal))]).toEqual([['A', 4]]);
    system.answer({ json: { items: [{ sku: 'A', there: null }] } });
    await expect(availability!.readBack(['A'], signal)).rejects.toThrow('no whole number at /there');
  });

  it('a conditional write that no longer fits is a conflict', async () => {
    const one = {
      ...batched,
      write: { method: 'PUT', path: '/stock/{key}', headers: { 'If-Match': '{key}' }, body: batched.write.body },
    } as const;
    system.answer({ status: 412, json: {} });
    expect(await connect({ availability: one }).availability!.write(items.slice(0, 1), signal)).toEqual([
      { outcome: 'conflict' },
    ]);
    expect(system.calls[0]).toMatchObject({ method: 'PUT', path: '/stock/A', body: { sku: 'A', to: 2, was: 1 } });
  });

  it('prices are there when what is found says the same, in whatever digits', async () => {
    const prices = {
      write: { path: '/prices', body: { jsonata: '{"sku": key, "price": unitPrice}' } },
      readBack: { path: '/prices/{key}', list: '', key: '/sku', notFound: [404] },
      same: { fields: { unitPrice: { from: '/price', as: 'decimal' }, currency: '/cur' } },
    } as const satisfies NonNullable<RestSettings['prices']>;
    const state = (key: string, unitPrice: string) => ({
      key,
      version: 1,
      base: 0,
      state: { unitPrice, currency: 'EUR' },
    });
    const sink = connect({ prices }).prices!;
    system.answer(({ path }) => {
      if (path.endsWith('/A')) return { json: { sku: 'A', price: 2.5, cur: 'EUR' } };
      if (path.endsWith('/B')) return { json: { sku: 'B', price: 2.5, cur: 'USD' } };
      return { status: 404, json: {} };
    });
    expect([...(await sink.holds!([state('A', '2.50'), state('B', '2.50'), state('C', '2.50')], signal))]).toEqual([
      'A',
    ]);
    expect(() => connect({ prices: { ...prices, same: { fields: {} } } })).toThrow('compares nothing');
  });
});

it('a hint is taken from the system alone, and names the feeds', () => {
  const hint = { header: 'X-Sign', encoding: 'hex', prefix: 'sha256=' } as const;
  const { feeds } = feedOf({ kind: 'page', id: '/id' }, { page: '{page}' });
  const connector = connect({ feeds: feeds!, hint }, { webhookSecret: 'secret' });
  const body = Buffer.from('{"id": 1}');
  const signed = `sha256=${createHmac('sha256', 'secret').update(body).digest('hex')}`;
  expect(connector.hint!({ 'x-sign': signed }, body)).toEqual(['things']);
  expect(() => connector.hint!({ 'x-sign': signed }, Buffer.from('{"id": 2}'))).toThrow('the signature of the webhook');
  expect(() => connector.hint!({}, Buffer.from('{}'))).toThrow('the signature of the webhook');
  expect(() => connect({ hint }, { webhookSecret: null })).toThrow('webhookSecret is missing');
});

it('nothing that a record says leaves its place in a path, or reaches a prototype', () => {
  expect(pathOf('/things/{key}', {}, { key: '../admin?x=1#' })).toBe('/things/..%2Fadmin%3Fx%3D1%23');
  expect(() => pathOf('/things/{key}', {}, { key: '..' })).toThrow("can't stand in a path");
  expect(JSON.stringify(nested({ '/__proto__/a': 1 }))).toBe('{"__proto__":{"a":1}}');
  expect(({} as { a?: unknown }).a).toBeUndefined();
});
