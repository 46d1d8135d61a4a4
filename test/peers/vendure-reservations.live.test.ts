import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useApi } from '../../src/api/testing/hub.ts';
import { stateFolder } from './lib/manager.ts';
import { live, Peer, peer } from './live.ts';
import {
  type Any,
  administrator,
  arrange,
  basket,
  cancel,
  isUp,
  openAt,
  orderOf,
  pay,
  pool,
  type Session,
  updateVariants,
  variantOf,
} from './vendure-shop.ts';

/** A real Vendure with the plugin of examples/vendure-reservations, a database of its own, and the real API of the hub. */

const state = stateFolder();
const shopDir = join(state, 'vendure', 'app');
const port = Number(process.env.VENDURE_RESERVED_PORT ?? 18_210);
/** Beside the peer's own shop, in the same server. */
const found = peer('vendure');
const at = new URL(found instanceof Peer ? String(found.keys.postgres) : 'postgresql://nobody@127.0.0.1/none');
const postgres = { host: at.hostname, port: Number(at.port), user: at.username, password: at.password };
const database = 'shop_reservations';

async function query(sql: string): Promise<boolean> {
  const client = new pg.Client({ ...postgres, database: 'postgres' });
  try {
    await client.connect();
    await client.query(sql);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

const server = `
const { bootstrap } = require('@vendure/core');
const { config } = require('./config');
const { crossdockReservations } = require('./crossdock-reservations.cjs');
config.dbConnectionOptions.synchronize = true;
config.plugins.push(crossdockReservations({ url: process.env.CROSSDOCK_URL, apiKey: process.env.CROSSDOCK_API_KEY, channel: 'api' }));
bootstrap(config).catch((error) => { console.error(error); process.exit(1); });
`;

live('Vendure with the reservation plugin', ['vendure'], () => {
  const api = useApi({ skus: ['SKU-0010', 'SKU-0011'] });
  let shop: ChildProcess;
  let said = '';
  let admin: Session;

  beforeAll(async () => {
    await query(`drop database if exists ${database} with (force)`);
    expect(await query(`create database ${database} template shop_seed`)).toBe(true);
    copyFileSync(
      join(import.meta.dirname, '../../examples/vendure-reservations/plugin.cjs'),
      join(shopDir, 'crossdock-reservations.cjs'),
    );
    writeFileSync(join(shopDir, 'crossdock-reservations-server.cjs'), server);
    const { url } = { url: await api.app.listen({ port: 0, host: '127.0.0.1' }) };
    shop = spawn(process.execPath, ['crossdock-reservations-server.cjs'], {
      cwd: shopDir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_ENV: 'production',
        VENDURE_DISABLE_TELEMETRY: 'true',
        VENDURE_PORT: String(port),
        VENDURE_DATABASE_URL: `postgresql://${at.username}:${at.password}@${at.host}/${database}`,
        WEBHOOK_URL: '',
        CROSSDOCK_URL: url,
        CROSSDOCK_API_KEY: api.key,
      },
    });
    for (const stream of [shop.stdout!, shop.stderr!]) stream.on('data', (chunk) => (said += chunk));
    openAt(`http://127.0.0.1:${port}`);
    for (let tries = 0; tries < 120 && !(await isUp(`http://127.0.0.1:${port}`)); tries++) {
      if (shop.exitCode !== null) throw new Error(`the shop ended: ${said.slice(-2_000)}`);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    admin = await administrator();
  }, 180_000);
  afterAll(async () => {
    if (shop?.exitCode === null) {
      const ended = new Promise((resolve) => shop.once('exit', resolve));
      shop.kill('SIGTERM');
      await ended;
    }
    await query(`drop database if exists ${database} with (force)`);
  }, 60_000);

  const free = async (sku: string) =>
    (await api.call('GET', `/v1/availability?channel=api&sku=${sku}`)).json().items[0].atp as number;
  const tally = (results: PromiseSettledResult<Any>[]) => results.filter(({ status }) => status === 'fulfilled').length;

  it('60 buyers for 20 units: 20 pay, 40 are told that nothing is left, and none is oversold', async () => {
    await api.receive('SKU-0010', 'LON', 12);
    await api.receive('SKU-0010', 'MAN', 8);
    const { id } = await variantOf(admin, 'SKU-0010');
    // The shop itself would sell many more: the hub alone keeps it from that.
    await updateVariants(admin, [{ id, stockLevels: [{ stockLocationId: '1', stockOnHand: 5_000 }] }]);
    const baskets = (
      await pool(
        Array.from({ length: 60 }, () => () => basket([[id, 1]])),
        6,
      )
    ).map((one) => (one as PromiseFulfilledResult<Session>).value);
    const begin = performance.now();
    const results = await pool(
      baskets.map((one) => async () => {
        await arrange(one);
        return pay(one);
      }),
      30,
    );
    console.info(`60 buyers for 20 units: ${tally(results)} paid in ${Math.round(performance.now() - begin)} ms`);
    expect(tally(results)).toBe(20);
    const refusals = results.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : []));
    expect(refusals).toHaveLength(40);
    expect(
      refusals.every(
        (text) => text.includes('ORDER_STATE_TRANSITION_ERROR') && text.includes('Only 0 of SKU-0010 left'),
      ),
    ).toBe(true);
    expect(await free('SKU-0010')).toBe(0);
  });

  it('what is given back or cancelled is free again; a basket that is short of one SKU holds none of the other', async () => {
    await api.receive('SKU-0011', 'LON', 3);
    const { id } = await variantOf(admin, 'SKU-0011');
    await updateVariants(admin, [{ id, stockLevels: [{ stockLocationId: '1', stockOnHand: 5_000 }] }]);
    const both = await basket([
      [id, 2],
      [(await variantOf(admin, 'SKU-0010')).id, 1],
    ]);
    await expect(arrange(both)).rejects.toThrow('Only 0 of SKU-0010 left');
    expect(await free('SKU-0011')).toBe(3);
    const one = await basket([[id, 2]]);
    await arrange(one);
    expect(await free('SKU-0011')).toBe(1);
    await one.ask('mutation { transitionOrderToState(state: "AddingItems") { __typename } }');
    expect(await free('SKU-0011')).toBe(3);
    await arrange(one);
    const order = await pay(one);
    expect(await free('SKU-0011')).toBe(1);
    await cancel(admin, order.id);
    expect(await free('SKU-0011')).toBe(3);
  });

  it("an order that the hub reads uses its reservation up: it becomes the order's allocation", async () => {
    const { id } = await variantOf(admin, 'SKU-0011');
    const one = await basket([[id, 2]]);
    await arrange(one);
    const { id: orderId, code } = await pay(one);
    const { customFields } = await admin.ask(
      'query ($i: ID!) { order(id: $i) { customFields { crossdockReservations } } }',
      { i: orderId },
    );
    const [reservation] = customFields.crossdockReservations;
    expect((await api.call('GET', `/v1/reservations/${reservation}`)).json()).toMatchObject({
      state: 'open',
      sku: 'SKU-0011',
    });
    const answer = await api.order({
      company: 'UK',
      channel: 'api',
      externalNo: code,
      account: '17850',
      currency: 'GBP',
      orderedAt: new Date().toISOString(),
      lines: [{ lineNo: 1, sku: 'SKU-0011', quantity: 2, unitPrice: '1.00' }],
      reservations: customFields.crossdockReservations,
    } as Any);
    expect(answer.statusCode).toBeLessThan(300);
    expect((await api.call('GET', `/v1/reservations/${reservation}`)).json().state).toBe('claimed');
    expect(await free('SKU-0011')).toBe(1);
    expect((await orderOf(admin, orderId)).state).toBe('PaymentAuthorized');
  });
});
