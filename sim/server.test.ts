import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { AT, channelOrder, closeSims, goods, openSim } from './lib/testing.ts';

afterEach(closeSims);

test('business routes want the token, the others do not', async () => {
  const crm = await openSim('crm', { token: 'right' });
  const wrong = { headers: { authorization: 'Bearer wrong' } };
  const statusOf = async (path: string, init = {}) => (await fetch(crm.url + path, init)).status;
  expect(await statusOf('/requests', wrong)).toBe(401);
  expect(await statusOf('/requests')).toBe(401);
  expect(await statusOf('/health')).toBe(200);
  expect(await statusOf('/_control/stats')).toBe(200);
  expect(await statusOf('/_drive/cancels', { method: 'POST', body: '{"cancels":[]}' })).toBe(200);
  expect(crm.stats().calls).toBe(0);
});

test('what is no JSON, no list, no route or no number is said so in JSON', async () => {
  const crm = await openSim('crm');
  const raw = await fetch(`${crm.url}/_drive/orders`, { method: 'POST', body: '{' });
  expect([raw.status, ((await raw.json()) as { error: { code: string } }).error.code]).toEqual([400, 'invalid']);
  expect((await crm.post('/orders/upsert', { orders: [] })).status).toBe(400);
  expect((await crm.get('/nothing')).body.error.code).toBe('unknown_route');
  expect((await crm.get('/requests?after=x')).status).toBe(400);
  expect((await crm.get('/_control/truth?kind=constructor')).status).toBe(404);
  const { results } = (await crm.post('/orders/upsert', { records: [null, { externalId: 'A' }] })).body;
  expect(results).toMatchObject([
    { externalId: null, status: 422, error: { code: 'invalid' } },
    { externalId: 'A', status: 422, error: { code: 'empty' } },
  ]);
});

test('a body above 16 MB is refused', async () => {
  const crm = await openSim('crm');
  const status = await new Promise((resolve, reject) => {
    const req = request(`${crm.url}/_drive/orders`, { method: 'POST' }, (res) => resolve(res.resume().statusCode));
    req.on('error', reject);
    req.end(Buffer.alloc((16 << 20) + 1, 'x'));
  });
  expect(status).toBe(413);
});

test('a feed has no gaps and keeps its order while many write and read it', async () => {
  const wms = await openSim('wms', { speed: 50 });
  await wms.post('/_drive/receipts', { receipts: [goods('R', ['S', 1000])] });
  const seen: number[] = [];
  const read = async () => {
    for (let after = 0; after < 1 + 60 * 2; ) {
      const { body } = await wms.get(`/events?after=${after}&limit=7`);
      const seqs = body.records.map((record: { seq: number }) => record.seq);
      expect(seqs).toEqual(seqs.map((_: number, i: number) => after + 1 + i));
      expect(body.next).toBe(after + seqs.length);
      seen.push(...seqs);
      after = body.next;
    }
  };
  const write = async (name: string) => {
    for (let i = 0; i < 15; i++)
      await wms.post('/fulfilments/batch', { fulfilments: [goods(`${name}${i}`, ['S', 1])] });
  };
  await Promise.all([read(), read(), write('a'), write('b'), write('c'), write('d')]);
  expect(seen.length).toBeGreaterThanOrEqual(2 * 121);
});

test('truth comes by pages in code unit order, and a key that comes later has its place', async () => {
  const shop = await openSim('shop', { unreadMax: 100 });
  const numbers = ['b', 'B', 'a', '10', '9', 'ä'];
  await shop.post('/_drive/orders', { orders: numbers.map((number) => channelOrder(number, ['S', 1])) });
  expect(Object.keys(await shop.truth('orders', 2)).sort()).toEqual([...numbers].sort());
  const page = async (after: string) => {
    const { body } = await shop.get(`/_control/truth?kind=orders&limit=3&after=${encodeURIComponent(after)}`);
    return [body.records.map((record: { key: string }) => record.key), body.next, body.more];
  };
  expect(await page('')).toEqual([['10', '9', 'B'], 'B', true]);
  expect(await page('B')).toEqual([['a', 'b', 'ä'], 'ä', false]);
  await shop.post('/_drive/orders', { orders: [channelOrder('A', ['S', 1])] });
  expect(await page('9')).toEqual([['A', 'B', 'a'], 'a', true]);
  expect(await page('ä')).toEqual([[], 'ä', false]);
});

test('reading the feed without faults reads nothing in the sense of unread', async () => {
  const crm = await openSim('crm');
  await crm.post('/_drive/cancels', {
    cancels: [{ reference: 'C', account: '1', at: AT, lines: [{ sku: 'S', quantity: 1, unitPrice: '1' }] }],
  });
  await crm.get('/_control/events?after=1');
  expect(crm.stats().unread).toBe(1);
  await crm.get('/requests?after=1');
  expect(crm.stats().unread).toBe(0);
});
