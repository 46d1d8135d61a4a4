/** While the WMS is away the numbers of shops shrink by the margin, and come back afterwards: exactly, whichever process tells them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHub, type Hub } from '../src/app.ts';
import type { InboundItem } from '../src/canonical/index.ts';
import type { ConnectorFactory } from '../src/connectors/kit/index.ts';
import type { Estate } from '../src/estate/index.ts';
import { putProducts } from '../src/master/index.ts';
import { beginDrill, endDrill } from '../src/modes/index.ts';
import { useDatabase } from './helpers/database.ts';
import { ModelChannel } from './helpers/model-channel.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved } from './helpers/small-hub.ts';

const SKUS = Array.from({ length: 24 }, (_, i) => `M${i}`);
const database = useDatabase();
const systems = memorySystems();
const shop = new ModelChannel('shop', 'net_available');
const hubs: Hub[] = [];
const names = ['erp', 'wms', 'crm', 'shop'] as const;

const estate: Estate = {
  name: 'test',
  companies: { acme: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: { north: { company: 'acme', region: 'n' } },
  systems: Object.fromEntries(names.map((connector) => [connector, { connector, effectHorizonMs: 0 }])),
  channels: {
    shop: { company: 'acme', system: 'shop', sells: 'by_itself', numberMeans: 'net_available', locations: ['north'] },
  },
  routing: { orders: 'erp', fulfilment: 'wms', accounts: 'crm' },
  degradedModes: { wms: { afterSeconds: 3_600, marginUnits: 5, marginPercent: 10 } },
};

beforeAll(async () => {
  // A number is raised again once what the shop sold by the last one is read.
  Object.assign(systems.shop, { availability: shop.sink, sources: [shop.source] });
  const factory =
    (name: (typeof names)[number]): ConnectorFactory =>
    () =>
      systems[name];
  const connectors = new Map(names.map((name) => [name, factory(name)]));
  for (let i = 0; i < 2; i++)
    hubs.push(await createHub({ estate, databaseUrl: database.url, connectors, onError: () => {} }));
  await putProducts(
    hubs[0]!.db,
    SKUS.map((sku) => ({ sku })),
  );
  for (const one of hubs) await one.start();
  await receive(...SKUS.map((sku, i) => moved(`in-${sku}`, sku, 'north', Math.max(1, i * 7))));
}, 120_000);
afterAll(async () => {
  expect(await violations(database.pool)).toEqual({});
  for (const hub of hubs) await hub.stop();
});

function receive(...items: InboundItem[]) {
  return hubs[0]!.receiver.receive({
    ...{ system: 'wms', source: 'api', contentType: 'application/json', body: Buffer.from('{}') },
    items: items.map((item, itemNo) => ({ ...item, itemNo })),
    onFault: 'refuse',
  });
}
const soon = { timeout: 40_000, interval: 100 };
const numbers = () => SKUS.map((sku) => shop.available(sku));
const counted = SKUS.map((_, i) => Math.max(1, i * 7));
/** The share of what is free first, then the units. */
const lessMargin = (units: number) => Math.max(0, Math.floor((units * 90) / 100) - 5);
const margins = () => hubs.map(({ directory }) => directory.channels.get('shop')!.buffer);

it('numbers shrink by share and units on entering, follow what is counted meanwhile, and are whole again on leaving', {
  timeout: 300_000,
}, async () => {
  await expect.poll(numbers, soon).toEqual(counted);
  await beginDrill(hubs[0]!.db, { domain: 'wms', system: 'wms', minutes: 10, by: 'eve' });
  await expect.poll(numbers, soon).toEqual(counted.map(lessMargin));
  // Both processes go by it, whichever of them tells the shop.
  await expect.poll(margins, soon).toEqual([5, 5]);
  await receive(moved('more', 'M20', 'north', 13));
  const more = counted.map((units, i) => (i === 20 ? units + 13 : units));
  await expect.poll(numbers, soon).toEqual(more.map(lessMargin));
  await endDrill(hubs[1]!.db, 'wms');
  await expect.poll(numbers, soon).toEqual(more);
  await expect.poll(margins, soon).toEqual([0, 0]);
  expect(numbers()).toEqual(more);
});

it('entered and left again at once, in the other process, it leaves no number behind', {
  timeout: 300_000,
}, async () => {
  const before = numbers();
  for (const hub of [hubs[1]!, hubs[0]!]) {
    await beginDrill(hub.db, { domain: 'wms', system: 'wms', minutes: 10, by: 'eve' });
    await expect.poll(() => margins().some((units) => units === 5), soon).toBe(true);
    await endDrill(hub.db, 'wms');
  }
  await expect.poll(margins, soon).toEqual([0, 0]);
  await expect.poll(numbers, soon).toEqual(before);
});
