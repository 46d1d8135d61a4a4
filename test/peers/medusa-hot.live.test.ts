import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createApiKey } from '../../src/api/index.ts';
import { createHub, type Hub } from '../../src/app.ts';
import { medusa } from '../../src/connectors/medusa/index.ts';
import { listen, type Server } from '../../src/server.ts';
import { useDatabase } from '../helpers/database.ts';
import { stateFolder } from './lib/manager.ts';
import { live } from './live.ts';
import { answers, type Json, Shop, shopUp } from './medusa-shop.ts';

/**
 * The hot hour over two processes of one Medusa shop, which share a database and no lock: once with the example's hook, which asks a
 * Crossdock hub (a real one, over HTTP, in this process), and the lie that they leave behind without it.
 */
const up = await shopUp();
const appDir = join(stateFolder(), process.env.MEDUSA_NAME ?? 'medusa', 'app');

const database = useDatabase();
const PORTS = [18_106, 18_107];
const STOCK = 20;
const BUYERS = 60;
const signal = new AbortController().signal;

live('medusa in two processes', ['medusa'], (peers) => {
  const { seed, url } = up as Exclude<typeof up, string>;
  const shop = new Shop(seed, url);
  const urls = PORTS.map((port) => `http://127.0.0.1:${port}`);
  const dir = mkdtempSync(join(tmpdir(), 'medusa-hot-'));
  let processes: ChildProcess[] = [];
  let hub: Hub;
  let server: Server;

  beforeAll(async () => {
    hub = await createHub({
      databaseUrl: database.url,
      connectors: new Map(),
      estate: {
        name: 'hot hour',
        companies: { US: { currency: 'USD', timeZone: 'America/Chicago' } },
        locations: { EAST: { company: 'US', region: 'east' } },
        systems: {},
        channels: { web: { company: 'US', sells: 'asks', locations: ['EAST'], reservationMaxSeconds: 900 } },
        routing: {},
      },
    });
    server = await listen(hub, { port: 0 });
    hub.start();
    const { key } = await createApiKey(hub.db, { name: 'shop', scopes: ['read', 'write'] });
    await crossdock(key, 'POST', '/v1/products', { products: [{ sku: 'SKU-0030' }] });
    const counts = [
      { id: 'c1', sku: 'SKU-0030', location: 'EAST', quantity: STOCK, countedAt: new Date().toISOString() },
    ];
    await crossdock(key, 'POST', '/v1/stock-counts', { counts });
    await vi.waitFor(async () => expect(await atp(key)).toBe(STOCK), { timeout: 30_000, interval: 200 });

    cpSync(appDir, dir, { recursive: true, filter: (from) => !from.includes('node_modules') });
    symlinkSync(join(appDir, 'node_modules'), join(dir, 'node_modules'));
    mkdirSync(join(dir, 'src/workflows'), { recursive: true });
    cpSync(join(import.meta.dirname, '../../examples/medusa-reservations/src'), join(dir, 'src'), { recursive: true });
    const log = openSync(join(dir, 'shop.log'), 'a');
    processes = PORTS.map((port) =>
      spawn('node', ['node_modules/@medusajs/cli/cli.js', 'start', '--host', '127.0.0.1', '--port', String(port)], {
        cwd: dir,
        stdio: ['ignore', log, log],
        env: {
          ...process.env,
          DATABASE_URL: `${String(peers.medusa.keys.postgres)}?sslmode=disable`,
          NODE_ENV: 'production',
          MEDUSA_DISABLE_TELEMETRY: '1',
          LOG_LEVEL: 'warn',
          CROSSDOCK_URL: server.url,
          CROSSDOCK_KEY: key,
          CROSSDOCK_CHANNEL: 'web',
          CROSSDOCK_TIMEOUT_MS: '30000',
        },
      }),
    );
    apiKey = key;
    for (const at of urls)
      await vi.waitFor(async () => expect(await answers(at)).toBe(true), { timeout: 120_000, interval: 500 });
  }, 200_000);

  afterAll(async () => {
    for (const child of processes) child.kill('SIGTERM');
    await Promise.all(
      processes.map(
        (child) => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(null))),
      ),
    );
    await server?.close();
    await hub?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  let apiKey = '';
  const crossdock = async (key: string, method: string, path: string, body?: unknown) => {
    const res = await fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { 'content-type': 'application/json', 'idempotency-key': `${method} ${path}` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const value = (await res.json()) as Json;
    if (!res.ok) throw new Error(`${path} answered ${res.status} ${JSON.stringify(value).slice(0, 300)}`);
    return value;
  };
  const atp = async (key: string) =>
    (await crossdock(key, 'GET', '/v1/availability?channel=web&sku=SKU-0030')).items[0].atp as number;

  it(`${BUYERS} buyers for ${STOCK} units that ask Crossdock first: none oversold, and the orders carry their holds`, async () => {
    const item = await shop.item('SKU-0030');
    // The shop's own number would let all of them buy: what keeps them is Crossdock's answer alone.
    await shop.setStock(item.inventory, 1000, 0);
    const carts: string[] = [];
    for (let n = 0; n < BUYERS; n += 6)
      carts.push(
        ...(await Promise.all(
          Array.from({ length: 6 }, () => shop.readyCart([{ variant: item.variant, quantity: 1 }])),
        )),
      );
    const placed: Json[] = [];
    const refusals: string[] = [];
    /** In a rush the shop uses up its own database connections and gives checkouts up; their buyers press the button again. */
    const gaveUp: string[] = [];
    const complete = async (cart: string, n: number) => {
      try {
        placed.push(await shop.complete(cart, urls[n % 2]));
      } catch (error) {
        if (/answered 500/.test(String(error))) gaveUp.push(cart);
        else refusals.push(String(error));
      }
    };
    await Promise.all(carts.map(complete));
    expect(placed.length).toBeLessThanOrEqual(STOCK);
    const first = `${placed.length} orders, ${gaveUp.length} given up by the shop`;
    for (let round = 0; round < 5 && gaveUp.length > 0; round++)
      for (const [n, cart] of gaveUp.splice(0).entries()) await complete(cart, n);
    console.log(`medusa, two processes: ${BUYERS} buyers for ${STOCK} units: ${first}; ${placed.length} in the end`);
    expect(gaveUp).toEqual([]);
    expect(refusals.filter((reason) => !reason.includes('Not enough stock of SKU-0030'))).toEqual([]);
    expect(placed).toHaveLength(STOCK);
    expect(await atp(apiKey)).toBe(0);
    const holds = new Set<string>();
    for (const { id } of placed) {
      const { order } = await shop.admin('GET', `/admin/orders/${id}?fields=id,metadata`);
      for (const hold of order.metadata.crossdock_reservations) holds.add(hold);
    }
    expect(holds.size).toBe(STOCK);
  });

  it('what two processes hide from the level is named; told anew, the shop sells what the rows leave', async () => {
    const item = await shop.item('SKU-0031');
    await shop.setStock(item.inventory, 200, 0);
    const connector = medusa({
      ...{ system: 'shop-m', channel: 'web', url, token: seed.secretKey, webhookSecret: null },
      settings: { company: 'US', account: 'WALK-IN', locations: { EAST: shop.east } },
      limits: { callsPerSecond: 50, concurrency: 4, timeoutMs: 60_000, batchMax: null },
    });
    const sink = connector.availability!;
    const looks = async (count: number) => {
      const named: string[] = [];
      for (let n = 0; n < count; n++) named.push(...(await sink.doubtful!(signal)));
      return named;
    };
    try {
      await looks(3);
      const body = { inventory_item_id: item.inventory, location_id: shop.east, quantity: 1 };
      const basic = Buffer.from(`${seed.secretKey}:`).toString('base64');
      const headers = { authorization: `Basic ${basic}`, 'content-type': 'application/json' };
      await Promise.all(
        Array.from({ length: 60 }, (_, n) =>
          fetch(`${urls[n % 2]}/admin/reservations`, { method: 'POST', headers, body: JSON.stringify(body) }),
        ),
      );
      const query = `inventory_item_id[]=${item.inventory}&limit=1000&fields=id,quantity,location_id`;
      const { reservations } = await shop.admin('GET', `/admin/reservations?${query}`);
      const promised = (reservations as { quantity: number }[]).reduce((sum, { quantity }) => sum + quantity, 0);
      const lied = (await shop.levels(item.inventory))[shop.east]!;
      if (promised > lied.reserved) expect(await looks(6)).toContain('SKU-0031');
      const shown = (await sink.readBack(['SKU-0031'], signal)).get('SKU-0031')!;
      await sink.write([{ sku: 'SKU-0031', from: shown, quantity: 200 - promised, ordersThrough: '' }], signal);
      const now = (await shop.levels(item.inventory))[shop.east]!;
      console.log(
        `medusa, two processes: ${promised} units in rows, level said ${lied.reserved}; now shows ${now.stocked - now.reserved}`,
      );
      expect(now.stocked - now.reserved).toBe(200 - promised);
    } finally {
      await connector.close();
    }
  });
});
