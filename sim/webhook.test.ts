import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { SimOptions } from './index.ts';
import { channelOrder, closeSims, openSim, until } from './lib/testing.ts';

const servers: Server[] = [];
afterEach(async () => {
  await closeSims();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

interface Delivery {
  id: string;
  signature: string;
  body: string;
  seqs: number[];
}

/** A receiver that answers with `statusOf(n)` to the n-th call, or not at all when that is 0. */
async function open(statusOf: (call: number) => number, options: Partial<SimOptions> = {}) {
  const got: Delivery[] = [];
  const server = createServer(async (req, res) => {
    let body = '';
    for await (const chunk of req) body += chunk;
    const seqs = JSON.parse(body).records.map((record: { seq: number }) => record.seq);
    const { 'x-shop-delivery': id, 'x-shop-signature': signature } = req.headers as Record<string, string>;
    got.push({ id: id!, signature: signature!, body, seqs });
    const status = statusOf(got.length);
    if (status > 0) res.writeHead(status).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const shop = await openSim('shop', { webhookUrl, webhookSecret: 'secret', unreadMax: 10_000, ...options });
  let made = 0;
  const sell = async (count: number) => {
    const orders = Array.from({ length: count }, () => channelOrder(String(++made), ['S', 1]));
    await shop.post('/_drive/orders', { orders });
  };
  const quiet = () => until('nothing to send', () => shop.stats().pending === 0);
  return { got, shop, sell, quiet };
}

test('the records of the feed are sent in order, signed, at most 50 a call', async () => {
  const { got, shop, sell, quiet } = await open(() => 200);
  for (let i = 0; i < 4; i++) await sell(40);
  await quiet();
  expect(got.flatMap((delivery) => delivery.seqs)).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
  const feed = await shop.get('/events?limit=500');
  expect(got.flatMap((delivery) => JSON.parse(delivery.body).records)).toEqual(feed.body.records);
  for (const { signature, body, seqs } of got) {
    expect(seqs.length).toBeLessThanOrEqual(50);
    expect(signature).toBe(`sha256=${createHmac('sha256', 'secret').update(body).digest('hex')}`);
  }
  expect(new Set(got.map((delivery) => delivery.id)).size).toBe(got.length);
});

test('a failed call comes again under the same id and does not hold up the next one', async () => {
  const { got, sell, quiet } = await open((call) => (call === 1 ? 500 : 204));
  await sell(1);
  await until('the first call', () => got.length === 1);
  await sell(1);
  await quiet();
  expect(got.map((delivery) => delivery.seqs)).toEqual([[1], [2], [1]]);
  expect(got[0]!.id).toBe(got[2]!.id);
});

test('five attempts and no more, while the shop goes on selling', async () => {
  const { got, shop, sell, quiet } = await open(() => 500);
  await sell(1);
  await quiet();
  expect(got).toHaveLength(5);
  expect(shop.stats()).toMatchObject({ records: 1, webhooks: { failedAttempts: 5, givenUp: 1, delivered: 0 } });
});

test('a receiver that never answers is left after two seconds, and the shop never waits for it', async () => {
  const { got, shop, sell, quiet } = await open((call) => (call === 1 ? 0 : 200));
  const started = performance.now();
  await sell(1);
  await until('the first call', () => got.length === 1);
  await sell(1);
  expect(shop.stats()).toMatchObject({ records: 2, pending: 2 });
  expect(performance.now() - started).toBeLessThan(1000);
  await quiet();
  expect(performance.now() - started).toBeGreaterThan(1900);
  expect(got.map((delivery) => delivery.seqs)).toEqual([[1], [2], [1]]);
});

test('a shop that says everything twice sends the same delivery again', async () => {
  const { got, sell, quiet } = await open(() => 200, { faults: { webhookTwice: 1 } });
  await sell(1);
  await quiet();
  expect(got.map((delivery) => delivery.seqs)).toEqual([[1], [1]]);
  expect(got[0]).toEqual(got[1]);
});

test('a shop out of order sends the later one first', async () => {
  const { got, sell, quiet } = await open(() => 200, { faults: { webhookDisordered: 1 } });
  await sell(50);
  await sell(50);
  await quiet();
  expect(got.map((delivery) => delivery.seqs[0])).toEqual([51, 1]);
});

test('a webhook that is never sent is still in the feed', async () => {
  const { got, shop, sell, quiet } = await open(() => 200, { faults: { webhookNever: 1 } });
  await sell(3);
  await quiet();
  expect(got).toEqual([]);
  expect((await shop.get('/events')).body.records).toHaveLength(3);
});
