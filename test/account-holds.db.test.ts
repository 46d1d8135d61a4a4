/** Orders of accounts on hold follow the master data: the hold is taken off, put on later, taken off of a whole group. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { putAccounts } from '../src/master/index.ts';
import { checkPromises } from '../src/ops/index.ts';
import { followAccountHolds, holdOrder, listHolds, releaseHold } from '../src/orders/index.ts';
import { Database } from '../src/store/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved, order, SmallHub, smallEstate } from './helpers/small-hub.ts';

const database = useDatabase();
const hubs: SmallHub[] = [];
let hub: SmallHub;
let systems: ReturnType<typeof memorySystems>;
let n = 0;

async function open(holds: object = {}, db?: Database): Promise<SmallHub> {
  const estate = { ...smallEstate(), holds: { account: holds } };
  const opened = await SmallHub.open({ url: database.url, connectors: systems, estate, ...(db && { db }) });
  hubs.push(opened);
  return opened;
}
beforeEach(async () => {
  n++;
  systems = memorySystems();
  hub = await open();
  await hub.seed(['X'], [`TOP${n}`, `SUB${n}`, `FREE${n}`]);
  await hub.receive('wms', [moved(`in-${n}`, 'X', 'north', 100)]);
});
afterEach(async () => {
  expect(hub.errors).toEqual([]);
  expect(await violations(database.pool)).toEqual({});
  const broken = Object.entries(await checkPromises(hub.db)).filter(([, { holds }]) => !holds);
  expect(broken.map(([name, { examples }]) => `${name}: ${examples.join('; ')}`)).toEqual([]);
  // What one test leaves waiting is not the next one's.
  for (const { holdId } of await listHolds(hub.db, { state: 'open', limit: 1_000 }))
    await releaseHold(hub.db, hub.deps, holdId, { by: 'end of test' });
  await putAccounts(hub.db, hub.directory, [
    { account: `TOP${n}`, company: 'acme', hold: null },
    { account: `SUB${n}`, company: 'acme', hold: null },
  ]);
  for (const one of hubs.splice(0)) {
    await one.leases.stop();
    await one.close();
  }
});

const put = (account: string, fields: object) =>
  putAccounts(hub.db, hub.directory, [{ account: `${account}${n}`, company: 'acme', ...fields }]);
async function place(no: string, account = 'SUB'): Promise<number> {
  const [result] = await hub.receive('api', [
    order('api', `${no}-${n}`, [{ sku: 'X', quantity: 1 }], { account: `${account}${n}` }),
  ]);
  return (result as { orderId: number }).orderId;
}
const follow = (by = hub, ordersMax?: number) => followAccountHolds(by.db, by.deps, ordersMax);
const holdsOf = async (orderId: number) =>
  (await listHolds(hub.db, { orderId, limit: 10 }))
    .map(({ kind, state, releasedBy, releaseReason }) =>
      [kind, state, ...(releasedBy === null ? [] : [`${releasedBy}: ${releaseReason}`])].join(' '),
    )
    .sort();
const told = () => systems.erp.of('sales_order').map(({ reference }) => reference);

it('taken off, the orders that waited for it go on, with who said so; each once, and told to the ERP once', async () => {
  await put('SUB', { parent: `TOP${n}` });
  await put('TOP', { hold: 'insolvent' });
  const ids = [await place('o1'), await place('o2'), await place('o3', 'TOP'), await place('o4', 'FREE')];
  await hub.settle();
  expect(told()).toEqual([`api/o4-${n}`]);
  expect(await follow()).toEqual({ released: 0, held: 0 });
  await put('TOP', { hold: null });
  expect(await follow(hub, 2)).toEqual({ released: 3, held: 0 });
  expect(await follow()).toEqual({ released: 0, held: 0 });
  expect(await holdsOf(ids[0]!)).toEqual([
    `account released rule: account TOP${n} is not on hold any more: person says so`,
  ]);
  await hub.settle();
  expect(told().sort()).toEqual(['o1', 'o2', 'o3', 'o4'].map((no) => `api/${no}-${n}`));
});

it('an order that something else holds, too, waits for that', async () => {
  await put('SUB', { hold: 'late' });
  const orderId = await place('o1');
  await holdOrder(hub.db, hub.deps, orderId, { reason: 'fraud_check', detail: 'look', by: 'ann' });
  await put('SUB', { hold: null });
  expect(await follow()).toEqual({ released: 1, held: 0 });
  await hub.settle();
  expect(told()).toEqual([]);
  expect(await holdsOf(orderId)).toEqual([
    `account released rule: account SUB${n} is not on hold any more: person says so`,
    'manual open',
  ]);
});

it('where the estate leaves them to people they stay', async () => {
  const keeping = await open({ onLift: 'keep' });
  await put('SUB', { hold: 'late' });
  const orderId = await place('o1');
  await put('SUB', { hold: null });
  expect(await follow(keeping)).toEqual({ released: 0, held: 0 });
  expect(await holdsOf(orderId)).toEqual(['account open']);
});

it('what a person held for the account stays theirs', async () => {
  const orderId = await place('o1');
  await holdOrder(hub.db, hub.deps, orderId, { reason: 'account_on_hold', detail: 'by hand', by: 'ann' });
  expect(await follow()).toEqual({ released: 0, held: 0 });
  expect(await holdsOf(orderId)).toEqual(['manual open']);
});

it('put on later, orders that the ERP was not told of are held, too; those that it has go on, and so does what a person lets go', async () => {
  await put('SUB', { parent: `TOP${n}` });
  const known = await place('known');
  await hub.settle();
  const waiting = await place('waiting');
  const untold = await holdOrder(hub.db, hub.deps, waiting, { reason: 'fraud_check', detail: 'look', by: 'ann' });
  // Told at once when it was taken: only one that was held from the beginning is not.
  await put('SUB', { hold: 'first' });
  const held = await place('held');
  await hub.settle();
  expect(told()).toContain(`api/known-${n}`);
  const [first] = await listHolds(hub.db, { orderId: held, limit: 1 });
  await holdOrder(hub.db, hub.deps, held, { reason: 'fraud_check', detail: 'look', by: 'ann' });
  await put('SUB', { hold: null });
  expect(await follow()).toEqual({ released: 1, held: 0 });
  await put('TOP', { hold: 'insolvent' });
  expect(await follow()).toEqual({ released: 0, held: 1 });
  expect(await follow()).toEqual({ released: 0, held: 0 });
  const open = await listHolds(hub.db, { orderId: held, state: 'open', kind: 'account', limit: 5 });
  expect(open).toMatchObject([
    { detail: `account SUB${n} is on hold, by account TOP${n} above it: insolvent`, heldBy: null },
  ]);
  expect(open[0]!.holdId).not.toBe(first!.holdId);
  expect(await holdsOf(known)).toEqual([]);
  expect(untold.state).toBe('open');
  expect(await holdsOf(waiting)).toEqual(['manual open']);
  await releaseHold(hub.db, hub.deps, open[0]!.holdId, { by: 'ann', reason: 'paid ahead' });
  expect(await follow()).toEqual({ released: 0, held: 0 });
});

it('two processes look at once: each order is released once, and held once', async () => {
  await put('SUB', { hold: 'late' });
  const ids: number[] = [];
  for (let i = 0; i < 12; i++) ids.push(await place(`r${i}`));
  for (const orderId of ids)
    await holdOrder(hub.db, hub.deps, orderId, { reason: 'fraud_check', detail: 'x', by: 'ann' });
  await put('SUB', { hold: null });
  const dbs = [0, 1].map(() => new Database({ url: database.url, poolMax: 3 }));
  const others = [await open({}, dbs[0]), await open({}, dbs[1])];
  let arrived = 0;
  let go = () => {};
  const met = new Promise<void>((resolve) => {
    go = resolve;
  });
  for (const db of dbs)
    db.beforeCommit = async () => {
      if (++arrived === 2) go();
      await Promise.race([met, new Promise((resolve) => setTimeout(resolve, 300))]);
    };
  const released = await Promise.all(others.map((other) => follow(other, 5)));
  expect(released.reduce((sum, round) => sum + round.released, 0)).toBe(12);
  await put('SUB', { hold: 'again' });
  const held = await Promise.all(others.map((other) => follow(other, 5)));
  expect(held.reduce((sum, round) => sum + round.held, 0)).toBe(12);
  for (const orderId of ids) {
    const { rows } = await database.pool.query(
      `select count(*) filter (where type = 'order.hold_released')::int as released, count(*) filter (where type = 'order.held')::int as held
         from fact where stream = $1 and data->>'kind' = 'account'`,
      [`order/${orderId}`],
    );
    expect(rows).toEqual([{ released: 1, held: 2 }]);
  }
});
