/** Real connectors of shops that sell by themselves, over models of their systems whose level hides what was sold: the hub sets it right. */
import { afterEach, expect, it } from 'vitest';
import { connectors } from '../src/connectors/index.ts';
import {
  type FaultServer,
  type FeedRow,
  faultServer,
  type SystemModel,
} from '../src/connectors/kit/conformance/index.ts';
import type { Connector } from '../src/connectors/kit/index.ts';
import { contextFor } from '../src/connectors/kit/testing.ts';
import medusa from '../src/connectors/medusa/conformance.ts';
import vendure from '../src/connectors/vendure/conformance.ts';
import { Poller } from '../src/ingest/index.ts';
import { useDatabase } from './helpers/database.ts';
import { balances, violations } from './helpers/promises.ts';
import { dueNow, moved, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const skus = { medusa: 'SKU77110', vendure: 'SKU77210' };
const descriptions = { medusa, vendure };
type Name = keyof typeof descriptions;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
  await database.pool.query(
    `update lease set expires_at = '-infinity'; delete from publication; delete from feed_cursor`,
  );
});

interface Opened {
  hub: SmallHub;
  shop: Connector;
  model: SystemModel;
  server: FaultServer;
  rows: Record<string, FeedRow[]>;
}

async function opened(name: Name): Promise<Opened> {
  const rows: Record<string, FeedRow[]> = { orders: [] };
  const { system, context } = descriptions[name];
  const model = system!(rows);
  const server = await faultServer(model);
  const settings = {
    ...context!.settings,
    company: 'acme',
    account: 'A1',
    ...(name === 'vendure' && { lookEveryMs: 1_000 }),
  };
  const shop = connectors.get(name)!(
    contextFor(server.url, { system: 'shop', channel: 'shop', token: context!.token ?? 'token-of-a-test', settings }),
  );
  const estate = smallEstate();
  const hub = await SmallHub.open({
    url: database.url,
    connectors: { shop },
    estate: { ...estate, companies: { acme: { ...estate.companies.acme!, currency: 'USD' } } },
  });
  open.push(server, shop, hub);
  await hub.seed([skus[name]]);
  return { hub, shop, model, server, rows };
}

async function tell({ hub }: Opened, rounds = 1): Promise<void> {
  await hub.plan();
  for (let i = 0; i < rounds; i++) {
    await database.pool.query(dueNow());
    await hub.publishers.get('shop')!.availabilityRound();
  }
}

async function read({ hub, shop }: Opened): Promise<void> {
  const poller = new Poller({
    ...{ db: hub.db, receiver: hub.receiver, system: 'shop', source: shop.sources[0]!, pollMs: 1 },
    ...{ mayPoll: () => true, mustWait: () => false, onError: () => {} },
  });
  while (await poller.pollOnce());
}

/** Eight are sold, and the level keeps six of them. */
function sell({ model, rows }: Opened, name: Name): void {
  const sku = skus[name];
  model.sell!(sku, 6);
  model.hide!(sku, 2);
  // The model of Vendure lists its sales by itself.
  if (name === 'vendure') return;
  const order = medusa.feeds!.orders!.record(1, '2026-11-23T17:51:45Z', 1) as { items: Record<string, unknown>[] };
  const line = { ...order.items[0]!, variant_sku: sku, quantity: 8, raw_quantity: { value: '8' } };
  rows.orders!.push({ n: 1, at: '2026-11-23T17:51:45Z', seq: 1, raw: { ...order, items: [line] } });
}

const writes = ({ server }: Opened) => server.calls.filter(({ role }) => role === 'write').length;

it.each<Name>(['medusa', 'vendure'])(
  '%s: what the level hides is found without a write, and the hub takes it off the number',
  async (name) => {
    const all = await opened(name);
    const { hub, model } = all;
    const doubt = () => hub.publishers.get('shop')!.doubtNumbers();
    const sku = skus[name];
    const number = () => model.sellable!(sku);
    await hub.receive('wms', [moved(name, sku, 'north', 20)]);
    await tell(all);
    await read(all);
    await tell(all, 2);
    expect(number()).toBe(20);
    expect([await doubt(), await doubt()]).toEqual([0, 0]);

    sell(all, name);
    const before = writes(all);
    for (let i = 0; i < 4; i++) await read(all);
    expect([number(), writes(all) - before]).toEqual([14, 0]);
    await tell(all, 3);
    const told = writes(all);
    expect([await doubt(), await doubt()]).toEqual([0, 1]);
    expect(writes(all)).toBe(told);
    for (let i = 0; i < 4; i++) {
      await tell(all, 2);
      await read(all);
    }
    expect(number()).toBe(12);
    expect(await balances(database.pool, sku)).toEqual(['north 20/0/8/12']);

    // Named or not, a number that is right is not written again.
    const rest = writes(all);
    for (let i = 0; i < 3; i++) {
      await doubt();
      await tell(all, 2);
      await read(all);
    }
    expect([number(), writes(all)]).toEqual([12, rest]);
    expect(await violations(database.pool)).toEqual({});
    expect(hub.errors).toEqual([]);
  },
  60_000,
);
