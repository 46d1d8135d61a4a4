/** Orders of accounts on hold are held; products that end are sold as far as their rule says. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { putAccounts, putProducts } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { getHold, listHolds, releaseHold } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;
let sku = '';

beforeEach(async () => {
  sku = `L${++n}`;
  systems = memorySystems();
  const holds = { account: { owner: 'credit control', dueMinutes: 60 } };
  hub = await SmallHub.open({ url: database.url, connectors: systems, estate: { ...smallEstate(), holds } });
  await hub.seed([sku], [`TOP${n}`, `SUB${n}`, `FREE${n}`]);
  await hub.receive('wms', [moved(`in-${n}`, sku, 'north', 5)]);
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  await hub.leases.stop();
  await hub.close();
});

const put = (account: string, fields: object) =>
  putAccounts(hub.db, hub.directory, [{ account: `${account}${n}`, company: 'acme', ...fields }]);
const placed = async (channel: 'api' | 'shop', no: string, quantity: number, account = `FREE${n}`) => {
  const [result] = await hub.receive(channel, [order(channel, `${no}${n}`, [{ sku, quantity }], { account })]);
  return result!;
};
const told = () => systems.erp.of('sales_order').map(({ reference }) => reference);

it('an account on hold, or one above it: the order is taken with its stock and told to nobody until it is released', async () => {
  await put('SUB', { parent: `TOP${n}` });
  await put('TOP', { hold: 'insolvent' });
  const held = (await placed('api', 'H', 2, `SUB${n}`)) as { orderId: number };
  await placed('api', 'F', 1);
  await hub.settle();
  expect(told()).toEqual([`api/F${n}`]);
  const holds = await listHolds(hub.db, { state: 'open', orderId: held.orderId, limit: 10 });
  expect(holds).toMatchObject([
    {
      ...{ kind: 'account', reason: 'account_on_hold', owner: 'credit control' },
      detail: `account SUB${n} is on hold, by account TOP${n} above it: insolvent`,
    },
  ]);
  await releaseHold(hub.db, hub.deps, holds[0]!.holdId, { by: 'ann', reason: 'paid in advance' });
  expect((await getHold(hub.db, holds[0]!.holdId)).state).toBe('released');
  await hub.settle();
  expect(told()).toEqual([`api/F${n}`, `api/H${n}`]);
  // Lifted, it holds no new order.
  await put('TOP', { hold: null });
  await placed('api', 'N', 1, `SUB${n}`);
  await hub.settle();
  expect(told()).toHaveLength(3);
});

it('a discontinued product is sold to nobody who asks, and nothing of the order is taken', async () => {
  await putProducts(hub.db, [{ sku, lifecycle: 'discontinued' }]);
  expect(await placed('api', 'D', 1)).toMatchObject({
    ...{ status: 'refused', class: 'product_discontinued' },
    reason: expect.stringContaining(`line 1: ${sku} is discontinued`),
  });
  expect(await placed('shop', 'S', 2)).toMatchObject({ status: 'applied' });
  await putProducts(hub.db, [{ sku, lifecycle: 'active' }]);
  expect(await placed('api', 'E', 3)).toMatchObject({ status: 'applied' });
  await hub.settle();
});

it('of a product that is phased out what is left is sold, and nothing waits for more', async () => {
  await putProducts(hub.db, [{ sku, lifecycle: 'phase_out' }]);
  expect(await placed('api', 'P', 6)).toMatchObject({
    ...{ status: 'refused', class: 'product_phase_out' },
    reason: expect.stringContaining(`line 1: 6 of ${sku} asked, 5 left`),
  });
  expect(await placed('api', 'Q', 5)).toMatchObject({ status: 'applied' });
  expect(await placed('api', 'R', 1)).toMatchObject({ status: 'refused', reason: expect.stringContaining('0 left') });
  await hub.settle();
});
