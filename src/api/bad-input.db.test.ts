import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { useApi } from './testing/hub.ts';

const api = useApi();
const keyed = { 'idempotency-key': 'k', 'content-type': 'application/json' };
const order = {
  company: 'UK',
  channel: 'api',
  externalNo: 'B1',
  account: '17850',
  currency: 'GBP',
  orderedAt: '2026-02-03T10:00:00Z',
  lines: [{ lineNo: 1, sku: '85123A', quantity: 3, unitPrice: '2.55' }],
};
const line = order.lines[0];

/** Posts over a real socket without waiting for the answer before the body is out. */
function post(
  path: string,
  body: Iterable<Buffer>,
  length: number,
): Promise<{ status: number; body: string; ms: number }> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const { port } = api.app.server.address() as AddressInfo;
    const sent = request({
      port,
      host: '127.0.0.1',
      path,
      method: 'POST',
      headers: { ...keyed, authorization: `Bearer ${api.key}`, 'content-length': length },
    });
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (piece) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode!, body: text, ms: performance.now() - began }));
    });
    sent.on('error', (error) => reject(error));
    void (async () => {
      for (const piece of body)
        if (!sent.write(piece)) await new Promise((go) => sent.once('drain', go).once('error', go).once('close', go));
      sent.end();
    })();
  });
}

describe('bad input', () => {
  beforeAll(async () => {
    await api.app.listen({ host: '127.0.0.1', port: 0 });
  });

  it.each([
    ['not JSON', '{"company": "UK", }', 400, 'XD_BODY_INVALID', 'position 18'],
    ['empty', '', 400, 'XD_BODY_INVALID', 'position 0'],
    ['not UTF-8', Buffer.from([0x22, 0x61, 0xff, 0x22]), 400, 'XD_BODY_INVALID', 'position 2'],
    ['not an object', '[]', 400, 'XD_BODY_INVALID', 'body'],
    ['nested 33 deep', `${'['.repeat(33)}${']'.repeat(33)}`, 400, 'XD_BODY_TOO_DEEP', 'position 32'],
    ['nested 10,000 deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400, 'XD_BODY_TOO_DEEP', 'position 160'],
    ['nested 1,000,000 deep and never closed', '['.repeat(1_000_000), 400, 'XD_BODY_TOO_DEEP', 'position 32'],
    ['brackets inside a text are no depth', `{"a":"${'[{'.repeat(100)}\\""}`, 400, 'XD_BODY_INVALID', 'company'],
  ])('a body that is %s', async (_, body, status, code, place) => {
    const answer = await api.call('POST', '/v1/orders', body, keyed);
    expect([answer.statusCode, answer.json().code, answer.json().place]).toEqual([status, code, place]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  });

  it.each([
    ['a key it does not know', { ...order, colour: 'red' }, 'XD_BODY_INVALID', 'colour'],
    [
      'a prototype',
      JSON.parse(`{"__proto__": {"a": 1}, ${JSON.stringify(order).slice(1)}`),
      'XD_BODY_INVALID',
      '__proto__',
    ],
    ['no account', { ...order, account: undefined }, 'XD_BODY_INVALID', 'account'],
    [
      'a text for a quantity',
      { ...order, lines: [{ ...line, quantity: '3' }] },
      'XD_BODY_INVALID',
      'lines[0].quantity',
    ],
    [
      'a fraction for a quantity',
      { ...order, lines: [{ ...line, quantity: 1.5 }] },
      'XD_BODY_INVALID',
      'lines[0].quantity',
    ],
    ['quantity 0', { ...order, lines: [{ ...line, quantity: 0 }] }, 'XD_VALUE_INVALID', 'lines[0].quantity'],
    ['a huge quantity', { ...order, lines: [{ ...line, quantity: 1e15 }] }, 'XD_VALUE_INVALID', 'lines[0].quantity'],
    ['a negative price', { ...order, lines: [{ ...line, unitPrice: '-1' }] }, 'XD_VALUE_INVALID', 'lines[0].unitPrice'],
    ['no lines', { ...order, lines: [] }, 'XD_BODY_INVALID', 'lines'],
    ['a day that is not', { ...order, orderedAt: '2026-02-30T10:00:00Z' }, 'XD_VALUE_INVALID', 'orderedAt'],
    ['a year that is not', { ...order, orderedAt: '0000-01-01T10:00:00Z' }, 'XD_VALUE_INVALID', 'orderedAt'],
    ['a NUL', { ...order, externalNo: 'B\u0000' }, 'XD_VALUE_INVALID', 'externalNo'],
    ['half a surrogate pair', { ...order, externalNo: 'B\ud800' }, 'XD_VALUE_INVALID', 'externalNo'],
    ['1 MB in one field', { ...order, externalNo: 'B'.repeat(1_000_000) }, 'XD_BODY_INVALID', 'externalNo'],
    [
      'an unknown SKU',
      { ...order, lines: [line, { ...line, lineNo: 2, sku: 'NOPE' }] },
      'XD_UNKNOWN_SKU',
      'lines[1].sku',
    ],
    ['an unknown channel', { ...order, channel: 'nope' }, 'XD_UNKNOWN_CHANNEL', 'channel'],
    ['an unknown company', { ...order, company: 'FR' }, 'XD_UNKNOWN_COMPANY', 'company'],
    ['an unknown account', { ...order, account: 'nobody' }, 'XD_UNKNOWN_ACCOUNT', 'account'],
    ['a currency the company does not sell in', { ...order, currency: 'EUR' }, 'XD_VALUE_INVALID', 'currency'],
    ['a line number twice', { ...order, lines: [line, line] }, 'XD_REFUSED', undefined],
  ])('an order with %s, and its key stays free', async (_, body, code, place) => {
    const answer = await api.call('POST', '/v1/orders', JSON.stringify(body), keyed);
    const problem = answer.json();
    expect([problem.code, problem.place, problem.status]).toEqual([code, place, answer.statusCode]);
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
    expect(answer.statusCode).toBeLessThan(500);
    expect(answer.body.length).toBeLessThan(2_000);
    expect(await api.hub.db.execute("select key from inbound where scope like 'order/%'")).toEqual([]);
    expect(api.errors).toEqual([]);
  });

  it.each([
    ['POST', '/v1/orders', order],
    ['POST', '/v1/reservations', { channel: 'api', sku: '85123A', quantity: 1 }],
    [
      'POST',
      '/v1/cancellations',
      {
        cancellations: [
          {
            channel: 'api',
            reference: 'r',
            account: 'a',
            at: '2026-01-01T00:00:00Z',
            lines: [{ order: null, lineNo: null, sku: 'x', quantity: 1 }],
          },
        ],
      },
    ],
    ['POST', '/v1/orders/1/cancel', {}],
  ])('%s %s without an Idempotency-Key', async (method, url, body) => {
    const answer = await api.call(method, url, body);
    if (url.endsWith('cancel')) expect(answer.json().code).toBe('XD_UNKNOWN_ORDER');
    else expect([answer.statusCode, answer.json().code]).toEqual([400, 'XD_KEY_MISSING']);
  });

  it.each([
    ['/v1/availability?channel=nope&sku=85123A', 422, 'XD_UNKNOWN_CHANNEL', 'channel'],
    ['/v1/availability?channel=api&sku=85123A&sku=nope', 422, 'XD_UNKNOWN_SKU', 'sku[1]'],
    ['/v1/availability?channel=api', 422, 'XD_VALUE_INVALID', 'sku'],
    ['/v1/availability?channel=api&sku=a%00b', 422, 'XD_VALUE_INVALID', 'sku[0]'],
    ['/v1/availability/nope/explain?channel=api', 422, 'XD_UNKNOWN_SKU', 'sku'],
    ['/v1/availability/85123A/explain?channel=api&at=2199-01-01T00:00:00Z', 422, 'XD_VALUE_INVALID', 'at'],
    ['/v1/orders/0', 422, 'XD_VALUE_INVALID', 'id'],
    ['/v1/orders/99999999999999999999', 422, 'XD_VALUE_INVALID', 'id'],
    ['/v1/orders/12', 404, 'XD_UNKNOWN_ORDER', 'id'],
    ['/v1/orders?state=lost', 422, 'XD_VALUE_INVALID', 'state'],
    ['/v1/orders?cursor=abc', 422, 'XD_VALUE_INVALID', 'cursor'],
    [`/v1/accounts?cursor=${Buffer.from('[1,"a\\u0000"]').toString('base64url')}`, 422, 'XD_VALUE_INVALID', 'cursor'],
    ['/v1/orders?limit=501', 422, 'XD_VALUE_INVALID', 'limit'],
    ['/v1/reservations/77', 404, 'XD_NOT_FOUND', 'id'],
    ['/v1/prices?sku=85123A&date=0000-01-01', 422, 'XD_VALUE_INVALID', 'date'],
    ['/v1/prices?sku=85123A&account=nobody', 422, 'XD_UNKNOWN_ACCOUNT', 'account'],
    ['/v1/accounts/nobody/credit', 422, 'XD_UNKNOWN_ACCOUNT', 'id'],
    ['/v1/nothing', 404, 'XD_NOT_FOUND', undefined],
    ['/v1/events?after=x', 422, 'XD_VALUE_INVALID', 'after'],
    ['/v1/parked/9', 404, 'XD_NOT_FOUND', 'id'],
  ])('GET %s', async (url, status, code, place) => {
    const answer = await api.call('GET', url);
    expect([answer.statusCode, answer.json().code, answer.json().place]).toEqual([status, code, place]);
    expect(api.errors).toEqual([]);
  });

  it('more SKUs than one call may name', async () => {
    const answer = await api.call('GET', `/v1/availability?channel=api${'&sku=1'.repeat(501)}`);
    expect([answer.statusCode, answer.json()]).toMatchObject([422, { code: 'XD_VALUE_INVALID', place: 'sku' }]);
  });

  it('a reservation at a location the channel is not served from, or for longer than it allows', async () => {
    const body = { channel: 'strict', sku: '85123A', quantity: 1 };
    expect((await api.call('POST', '/v1/reservations', { ...body, location: 'nowhere' }, keyed)).json()).toMatchObject({
      code: 'XD_UNKNOWN_LOCATION',
      place: 'location',
    });
    expect((await api.call('POST', '/v1/reservations', { ...body, location: 'MAN' }, keyed)).json()).toMatchObject({
      code: 'XD_VALUE_INVALID',
      place: 'location',
    });
    expect(
      (await api.call('POST', '/v1/reservations', { ...body, expiresInSeconds: 3601 }, keyed)).json(),
    ).toMatchObject({ code: 'XD_VALUE_INVALID', place: 'expiresInSeconds' });
  });

  it('a unit that is no code and an unknown SKU of a price name their place and write nothing', async () => {
    const products = { products: [{ sku: 'N1' }, { sku: 'N2', unit: 'do zen' }] };
    expect((await api.call('POST', '/v1/products', products)).json()).toMatchObject({
      code: 'XD_VALUE_INVALID',
      place: 'products[1].unit',
    });
    expect(await api.hub.db.execute("select code from sku where code like 'N%'")).toEqual([]);
    const prices = { prices: [{ sku: 'N1', currency: 'GBP', unitPrice: '1.00' }] };
    expect((await api.call('POST', '/v1/prices', prices)).json()).toMatchObject({
      code: 'XD_UNKNOWN_SKU',
      place: 'prices[0].sku',
    });
  });

  it('half a surrogate pair in a description names its place and writes nothing', async () => {
    const products = { products: [{ sku: 'N3', description: 'a\ud800' }] };
    expect((await api.call('POST', '/v1/products', products)).json()).toMatchObject({
      code: 'XD_VALUE_INVALID',
      place: 'products[0].description',
    });
    expect(await api.hub.db.execute("select code from sku where code like 'N%'")).toEqual([]);
  });

  it('100 MB are refused at once, said or unsaid, and the server lives', async () => {
    const piece = Buffer.alloc(1024 * 1024, 0x20);
    const pieces = function* () {
      for (let i = 0; i < 100; i++) yield piece;
    };
    const rss = process.memoryUsage().rss;
    const said = await post('/v1/orders', pieces(), 100 * piece.length).catch((error: NodeJS.ErrnoException) => ({
      status: 0,
      body: error.code ?? '',
      ms: 0,
    }));
    // A client that only writes may see the closed connection before the answer.
    if (said.status !== 0) expect([said.status, JSON.parse(said.body).code]).toEqual([413, 'XD_BODY_TOO_LARGE']);
    expect(said.ms).toBeLessThan(2_000);
    const large = await api.call('POST', '/v1/products', Buffer.alloc(5 * 1024 * 1024, 0x20), keyed);
    expect([large.statusCode, large.json().code]).toEqual([413, 'XD_BODY_TOO_LARGE']);
    expect(process.memoryUsage().rss - rss).toBeLessThan(80 * 1024 * 1024);
    expect((await api.call('GET', '/livez')).statusCode).toBe(200);
  });

  it('another content type is told what to send', async () => {
    const answer = await api.call('POST', '/v1/orders', 'a,b', { ...keyed, 'content-type': 'text/csv' });
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'XD_BODY_INVALID', place: 'content-type' }]);
  });
});
