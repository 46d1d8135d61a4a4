import { beforeAll, describe, expect, it } from 'vitest';
import type { ApiScope } from './keys.ts';
import { createApiKey, listApiKeys, revokeApiKey } from './keys.ts';
import { useApi } from './testing/hub.ts';

const api = useApi();

interface Operation {
  method: string;
  url: string;
  scope: ApiScope | 'open';
}

/** Every route of the OpenAPI document, with something in place of each parameter. */
async function operations(): Promise<Operation[]> {
  const document = (await api.call('GET', '/openapi.json')).json();
  const all: Operation[] = [];
  for (const [path, methods] of Object.entries(
    document.paths as Record<string, Record<string, { 'x-scope': Operation['scope'] }>>,
  ))
    for (const [method, operation] of Object.entries(methods))
      all.push({ method: method.toUpperCase(), url: path.replaceAll(/\{[^}]+\}/g, '1'), scope: operation['x-scope'] });
  return all;
}

describe('keys', () => {
  let all: Operation[];
  const keys = {} as Record<ApiScope, string>;
  beforeAll(async () => {
    all = await operations();
    for (const scope of ['read', 'write', 'operate'] as const)
      keys[scope] = (await api.makeKey({ scopes: [scope] })).key;
  });

  it('the document is OpenAPI 3.1 and names a scope for every route', async () => {
    const document = (await api.call('GET', '/openapi.json')).json();
    expect(document.openapi).toBe('3.1.0');
    expect(all.length).toBeGreaterThan(30);
    expect(all.filter(({ scope }) => !['open', 'read', 'write', 'operate'].includes(scope))).toEqual([]);
  });

  it('only health and ingest are open', () => {
    expect(all.filter(({ scope }) => scope === 'open').map(({ url }) => url)).toEqual([
      '/livez',
      '/readyz',
      '/startupz',
      '/ingest/1',
    ]);
  });

  it('every other route refuses a call without a key, with an unknown one and with one of another kind', async () => {
    const unknown = `xd_${'A'.repeat(40)}`;
    for (const { method, url, scope } of all) {
      if (scope === 'open') continue;
      for (const authorization of [
        '',
        'Bearer',
        `Bearer ${unknown}`,
        `Basic ${keys.read}`,
        `Bearer ${keys.read}x`,
        'Bearer xd_\u00e4',
      ]) {
        const answer = await api.call(method, url, undefined, { authorization });
        expect([method, url, authorization, answer.statusCode, answer.json().code]).toEqual([
          method,
          url,
          authorization,
          401,
          'XD_UNAUTHENTICATED',
        ]);
        expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      }
    }
  });

  it('a key opens the routes of its scope and no others', async () => {
    for (const { method, url, scope } of all) {
      if (scope === 'open' || url === '/v1/events') continue;
      for (const [given, key] of Object.entries(keys)) {
        const answer = await api.call(method, url, undefined, { authorization: `Bearer ${key}` });
        if (given === scope)
          expect([url, answer.statusCode === 401 || answer.statusCode === 403]).toEqual([url, false]);
        else
          expect([method, url, given, answer.statusCode, answer.json().code]).toEqual([
            method,
            url,
            given,
            403,
            'XD_FORBIDDEN',
          ]);
      }
    }
  });

  it('a key is stored as a hash only, and shown once', async () => {
    const { key, keyId } = await createApiKey(api.hub.db, { name: 'a partner', scopes: ['read'], channel: 'api' });
    expect(key).toMatch(/^xd_[A-Za-z0-9_-]{32,}$/);
    const rows = await api.hub.db.execute('select row_to_json(k)::text as row from api_key k');
    expect(rows.some(({ row }) => String(row).includes(key.slice(3)))).toBe(false);
    const listed = (await listApiKeys(api.hub.db)).find((entry) => entry.keyId === keyId);
    expect(listed).toMatchObject({ name: 'a partner', scopes: ['read'], channel: 'api', revokedAt: null });
    expect(JSON.stringify(listed)).not.toContain(key.slice(3));
  });

  it('a revoked key is refused', async () => {
    const { key, keyId } = await api.makeKey({ scopes: ['read'] });
    expect(await revokeApiKey(api.hub.db, keyId)).toBe(true);
    expect(await revokeApiKey(api.hub.db, keyId)).toBe(false);
    expect((await api.call('GET', '/v1/products', undefined, { authorization: `Bearer ${key}` })).statusCode).toBe(401);
  });

  it('a key of a channel sees and moves nothing of another', async () => {
    const { key } = await api.makeKey({ scopes: ['read', 'write'], channel: 'strict' });
    const as = { authorization: `Bearer ${key}`, 'idempotency-key': 'k' };
    const order = {
      company: 'UK',
      channel: 'api',
      externalNo: 'S1',
      account: '17850',
      currency: 'GBP',
      orderedAt: '2026-02-03T10:00:00Z',
      lines: [{ lineNo: 1, sku: '85123A', quantity: 1, unitPrice: '1' }],
    };
    const { orderId } = (await api.call('POST', '/v1/orders', order, { 'idempotency-key': 'k' })).json();
    const mine = { ...order, channel: 'strict', externalNo: 'S2' };
    expect((await api.call('POST', '/v1/orders', order, as)).json()).toMatchObject({
      code: 'XD_FORBIDDEN',
      place: 'channel',
    });
    expect((await api.call('POST', '/v1/orders', mine, as)).statusCode).toBe(201);
    expect((await api.call('GET', `/v1/orders/${orderId}`, undefined, as)).json().code).toBe('XD_UNKNOWN_ORDER');
    expect((await api.call('POST', `/v1/orders/${orderId}/cancel`, {}, as)).json().code).toBe('XD_UNKNOWN_ORDER');
    expect(
      (await api.call('GET', '/v1/orders', undefined, as)).json().orders.map((o: { channel: string }) => o.channel),
    ).toEqual(['strict']);
    expect((await api.call('GET', '/v1/orders?channel=api', undefined, as)).statusCode).toBe(403);
    expect((await api.call('GET', '/v1/availability?channel=api&sku=85123A', undefined, as)).statusCode).toBe(403);
    expect((await api.call('GET', '/v1/availability?channel=strict&sku=85123A', undefined, as)).statusCode).toBe(200);
    for (const url of ['/v1/status', '/v1/parked', '/v1/accounts', '/metrics', '/openapi.json'])
      expect([url, (await api.call('GET', url, undefined, as)).statusCode]).toEqual([url, 403]);
  });
});
