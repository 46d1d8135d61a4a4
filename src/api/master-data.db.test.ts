import { beforeAll, describe, expect, it } from 'vitest';
import { recordItem } from '../connectors/kit/index.ts';
import { Directory } from '../master/index.ts';
import { testEstate, useApi } from './testing/hub.ts';

const owners = { 'account.paymentTerms': 'erp', 'product.description': 'erp' };
const api = useApi({ skus: ['BOX', 'LAMP', 'BULB'] });
beforeAll(async () => {
  await Directory.open(api.hub.db, { ...testEstate, owners, ownership: { account: 'steward' } });
});
const post = (url: string, body: object, headers = {}) => api.call('POST', url, body, headers);

describe('products and accounts', () => {
  it('say all that is known of them, field by field with who set it', async () => {
    const kit = [{ sku: 'bulb', quantity: 2 }, { sku: 'box', quantity: 1 }]; // biome-ignore format: two of one
    expect(
      (await post('/v1/products', { products: [{ sku: 'lamp', weightG: 450, kit, substitutes: ['BULB'] }] })).json(),
    ).toEqual({
      written: 1,
    });
    expect((await api.call('GET', '/v1/products/lamp')).json()).toMatchObject({
      ...{ sku: 'LAMP', lifecycle: 'active', weightG: 450, lengthMm: null, substitutes: ['BULB'], gtin: null },
      kit: [{ sku: 'BOX', quantity: 1 }, { sku: 'BULB', quantity: 2 }], // biome-ignore format: two of one
      setBy: { weightG: 'person', kit: 'person', substitutes: 'person' },
    });
    const address = { code: 'MAIN', lines: ['1 High Street'], city: 'Leeds', country: 'GB' };
    const accounts = [
      { account: 'TOP', company: 'UK', name: 'Top' },
      {
        account: 'SUB',
        company: 'UK',
        parent: 'TOP',
        hold: 'owes',
        priorityClass: 'win',
        shipComplete: true,
        addresses: [address],
      },
    ];
    expect((await post('/v1/accounts', { accounts })).json()).toEqual({ written: 2 });
    const shown = {
      ...{ account: 'SUB', company: 'UK', parent: 'TOP', hold: 'owes', priorityClass: 'win', shipComplete: true },
      addresses: [{ ...address, name: '', postalCode: '' }],
    };
    expect((await api.call('GET', '/v1/accounts/SUB')).json()).toMatchObject(shown);
    expect((await api.call('GET', '/v1/accounts?limit=1&company=UK')).json()).toMatchObject({
      accounts: [{ account: '17850', parent: null }],
      nextCursor: expect.any(String),
    });
    // The same again writes nothing; null clears, what is absent stays.
    expect((await post('/v1/accounts', { accounts })).json()).toEqual({ written: 0 });
    await post('/v1/accounts', { accounts: [{ account: 'SUB', company: 'UK', hold: null }] });
    expect((await api.call('GET', '/v1/accounts/SUB')).json()).toMatchObject({ ...shown, hold: null });
  });

  it.each<[string, object, number, string, string]>([
    [
      '/v1/products',
      { products: [{ sku: 'LAMP', lifecycle: 'gone' }] },
      422,
      'XD_VALUE_INVALID',
      'products[0].lifecycle',
    ],
    ['/v1/products', { products: [{ sku: 'LAMP', weightG: -1 }] }, 422, 'XD_VALUE_INVALID', 'products[0].weightG'],
    [
      '/v1/products',
      { products: [{ sku: 'BOX', kit: [{ sku: 'BOX', quantity: 1 }] }] },
      422,
      'XD_KIT_CYCLE',
      'products[0].kit',
    ],
    [
      '/v1/products',
      { products: [{ sku: 'BOX' }, { sku: 'BULB', kit: [{ sku: 'LAMP', quantity: 1 }] }] },
      422,
      'XD_KIT_CYCLE',
      'products[1].kit',
    ],
    [
      '/v1/products',
      { products: [{ sku: 'BOX', kit: [{ sku: 'NOPE', quantity: 1 }] }] },
      422,
      'XD_UNKNOWN_SKU',
      'products[0].kit',
    ],
    [
      '/v1/products',
      { products: [{ sku: 'BOX', kit: [{ sku: 'LAMP', quantity: 1.5 }] }] },
      400,
      'XD_BODY_INVALID',
      'products[0].kit[0].quantity',
    ],
    [
      '/v1/products',
      { products: [{ sku: 'BULB', substitutes: ['LAMP'] }] },
      422,
      'XD_SUBSTITUTE_CYCLE',
      'products[0].substitutes',
    ],
    [
      '/v1/products',
      { products: [{ sku: 'BOX', description: 'mine' }] },
      409,
      'XD_NOT_OWNER',
      'products[0].description',
    ],
    ['/v1/products', { as: 'nobody', products: [{ sku: 'BOX' }] }, 422, 'XD_VALUE_INVALID', 'as'],
    [
      '/v1/accounts',
      { accounts: [{ account: 'TOP', company: 'UK', parent: 'SUB' }] },
      422,
      'XD_ACCOUNT_CYCLE',
      'accounts[0].parent',
    ],
    [
      '/v1/accounts',
      { accounts: [{ account: 'TOP', company: 'UK', parent: 'NOPE' }] },
      422,
      'XD_UNKNOWN_ACCOUNT',
      'accounts[0].parent',
    ],
    [
      '/v1/accounts',
      { accounts: [{ account: 'TOP', company: 'UK', priorityClass: 'first' }] },
      422,
      'XD_VALUE_INVALID',
      'accounts[0].priorityClass',
    ],
  ])('%s %j: %i %s at %s, and nothing is written', async (url, body, status, code, place) => {
    // biome-ignore format: a table
    const before = (await api.call('GET', url)).json();
    const answer = await post(url, body);
    expect([answer.statusCode, answer.json().code]).toEqual([status, code]);
    expect(JSON.stringify(answer.json())).toContain(place);
    expect((await api.call('GET', url)).json()).toEqual(before);
  });

  it('what a system owns is put in its name with scope operate only', async () => {
    const body = { as: 'erp', products: [{ sku: 'BOX', description: 'of the ERP' }] };
    const { key } = await api.makeKey({ scopes: ['read', 'write'] });
    expect((await post('/v1/products', body, { authorization: `Bearer ${key}` })).json()).toMatchObject({
      code: 'XD_FORBIDDEN',
    });
    expect((await post('/v1/products', body)).json()).toEqual({ written: 1 });
    expect((await api.call('GET', '/v1/products/BOX')).json()).toMatchObject({
      description: 'of the ERP',
      setBy: { description: 'erp' },
    });
  });

  it('that nobody knows are not found', async () => {
    for (const url of ['/v1/products/NOPE', '/v1/accounts/NOPE', '/v1/stewardship/999'])
      expect((await api.call('GET', url)).json()).toMatchObject({ code: 'XD_NOT_FOUND' });
  });
});

it('what waits for a steward is listed, taken or not, once', async () => {
  const say = (system: string, paymentTerms: string, day: number) =>
    api.hub.receiver.receive({
      ...{ system, source: 'webhook', contentType: 'application/json', body: Buffer.from('{}'), onFault: 'park' },
      items: [
        {
          ...recordItem(system, {
            ...{ kind: 'account.changed', account: '17850', company: 'UK', paymentTerms },
            changedAt: `2026-03-0${day}T10:00:00Z`,
          }),
          itemNo: 0,
        },
      ],
    });
  await say('erp', 'net30', 1);
  await say('shop', 'net14', 2);
  const { items } = (await api.call('GET', '/v1/stewardship?state=open&domain=account')).json();
  expect(items).toMatchObject([
    {
      company: 'UK',
      record: '17850',
      field: 'paymentTerms',
      held: 'net30',
      said: 'net14',
      system: 'shop',
      owner: 'erp',
      state: 'open',
    },
  ]);
  const url = `/v1/stewardship/${items[0].itemId}`;
  const accepted = { state: 'accepted', decidedBy: `key ${api.keyId}`, reason: 'agreed' };
  expect((await post(`${url}/accept`, { reason: 'agreed' })).json()).toMatchObject(accepted);
  expect((await post(`${url}/accept`, {})).json()).toMatchObject(accepted);
  expect((await post(`${url}/reject`, {})).json()).toMatchObject({ code: 'XD_REFUSED' });
  expect((await api.call('GET', url)).json()).toMatchObject(accepted);
  expect((await api.call('GET', '/v1/accounts/17850')).json()).toMatchObject({
    paymentTerms: 'net14',
    setBy: { paymentTerms: 'shop' },
  });
  const { key } = await api.makeKey({ scopes: ['read', 'write'] });
  expect((await post(`${url}/accept`, {}, { authorization: `Bearer ${key}` })).statusCode).toBe(403);
});
