/** What a system did not take, after a person has decided: sent again once, or given up, and what waited goes on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkPromises } from '../src/ops/index.ts';
import {
  getDelivery,
  getPublication,
  listParkedDeliveries,
  listParkedPublications,
  replayDelivery,
  replayPublication,
  resolveDelivery,
  resolvePublication,
} from '../src/outbound/index.ts';
import { createTestDatabase, type TestDatabase } from './helpers/database.ts';
import { cancel, dueNow, memorySystems, moved, order, SmallHub } from './helpers/small-hub.ts';

let database: TestDatabase;
let systems: ReturnType<typeof memorySystems>;
let hub: SmallHub;
let keys = 0;

beforeEach(async () => {
  database = await createTestDatabase();
  systems = memorySystems();
});
afterEach(async () => {
  await hub.plan();
  expect(hub.errors).toEqual([]);
  const promises = await checkPromises(hub.db);
  expect([promises.I6, promises.I7, promises.I9].flatMap(({ examples }) => examples)).toEqual([]);
  await hub.close();
  await database.drop();
});

async function open(options: Partial<Parameters<typeof SmallHub.open>[0]> = {}): Promise<void> {
  hub = await SmallHub.open({ url: database.url, connectors: systems, ...options });
  await hub.seed(['X']);
}
/** An order, and a cancel of one of its two units. */
async function submit(): Promise<string> {
  const no = `P${++keys}`;
  await hub.receive('wms', [moved(`p${keys}`, 'X', 'north', 2)]);
  await hub.receive('api', [order('api', no, [{ sku: 'X', quantity: 2 }])]);
  await hub.receive('api', [cancel('api', no, 1, 1, `C${no}`)]);
  await hub.plan();
  return no;
}
const round = async () => {
  await database.pool.query(dueNow());
  await hub.dispatchers.get('erp')!.round();
};
const tell = async () => {
  await hub.plan();
  await database.pool.query(dueNow());
  await hub.publishers.get('crm')!.stateRound();
};
const states = async () =>
  (
    await database.pool.query(`select kind, state from delivery where kind like '%order%' order by delivery_id`)
  ).rows.map((row) => `${row.kind} ${row.state}`);

describe('a parked delivery', () => {
  it('whose write took effect after all is found and not sent a second time', async () => {
    await open({ attemptsMax: 1 });
    const no = await submit();
    systems.erp.fate = () => 'late';
    await round();
    await round();
    const [parked, ...others] = await listParkedDeliveries(hub.db);
    expect(others).toEqual([]);
    expect(parked).toMatchObject({
      destination: 'erp',
      kind: 'sales_order',
      reference: `api/${no}`,
      state: 'parked',
      error: '1 attempts and not found',
      holdsUp: 1,
    });
    systems.erp.settleLate();
    systems.erp.fate = () => 'ok';
    expect(await replayDelivery(hub.db, parked!.deliveryId)).toMatchObject({
      state: 'in doubt',
      reference: `api/${no}`,
    });
    await round();
    await round();
    expect(await states()).toEqual(['sales_order c', 'order_cancellation c']);
    expect(systems.erp.countOf('sales_order', `api/${no}`)).toBe(1);
    await expect(replayDelivery(hub.db, parked!.deliveryId)).rejects.toMatchObject({ code: 'XD_REFUSED' });
  });

  it('that is not there is sent again, with all its tries', async () => {
    await open({ attemptsMax: 2 });
    const no = await submit();
    systems.erp.fate = () => 'again';
    await round();
    await round();
    const [parked] = await listParkedDeliveries(hub.db, { system: 'erp', state: 'parked' });
    expect(parked).toMatchObject({ attempts: 2, error: '2 attempts; the last: 429' });
    await replayDelivery(hub.db, parked!.deliveryId);
    await round();
    await round();
    expect(await states()).toEqual(['sales_order n', 'order_cancellation n']);
    systems.erp.fate = () => 'ok';
    await round();
    expect(systems.erp.countOf('sales_order', `api/${no}`)).toBe(1);
    expect(systems.erp.lookups).toBe(1);
  });

  it('that was never sent goes out without a lookup', async () => {
    await open();
    await submit();
    await database.pool.query(`update delivery set state = 'p', error = 'by hand' where kind = 'sales_order'`);
    const [parked] = await listParkedDeliveries(hub.db);
    expect(await replayDelivery(hub.db, parked!.deliveryId)).toMatchObject({ state: 'pending' });
    await round();
    expect(await states()).toEqual(['sales_order c', 'order_cancellation n']);
    expect(systems.erp.lookups).toBe(0);
  });

  it('that is given up is cancelled with the reason, and what waited for it goes on', async () => {
    await open();
    await submit();
    systems.erp.fate = (kind) => (kind === 'sales_order' ? 'refused' : 'ok');
    await round();
    await round();
    expect(await states()).toEqual(['sales_order p', 'order_cancellation n']);
    const [parked] = await listParkedDeliveries(hub.db);
    await resolveDelivery(hub.db, parked!.deliveryId, 'entered there by hand (me)');
    await round();
    expect(await states()).toEqual(['sales_order x', 'order_cancellation c']);
    expect(await getDelivery(hub.db, parked!.deliveryId)).toMatchObject({
      state: 'cancelled',
      resolution: 'entered there by hand (me)',
      error: '409 no',
      payload: { lines: [{ lineNo: 1 }] },
    });
    expect(await listParkedDeliveries(hub.db)).toEqual([]);
    await expect(resolveDelivery(hub.db, parked!.deliveryId, 'again')).rejects.toMatchObject({ code: 'XD_REFUSED' });
    await expect(replayDelivery(hub.db, 999_999)).rejects.toMatchObject({ code: 'XD_NOT_FOUND' });
  });

  it('of a kind that its system does not serve waits for a person, without a try', async () => {
    const { sales_order, ...others } = systems.erp.deliveries;
    Object.assign(systems.erp, { deliveries: others });
    await open();
    await submit();
    await round();
    expect(await states()).toEqual(['sales_order p', 'order_cancellation n']);
    const [parked] = await listParkedDeliveries(hub.db);
    expect(parked).toMatchObject({ error: 'erp does not serve sales_order', attempts: 0, sentAt: null });
    Object.assign(systems.erp, { deliveries: { ...others, sales_order } });
    await replayDelivery(hub.db, parked!.deliveryId);
    await round();
    expect(await states()).toEqual(['sales_order c', 'order_cancellation n']);
  });

  it('that was refused and has ended is not sent after what followed it', async () => {
    await open();
    await submit();
    await database.pool.query(
      `update delivery set state = 'r', ended_at = now(), attempts = 1, sent_at = now() where kind = 'sales_order'`,
    );
    const [refused] = await listParkedDeliveries(hub.db, { state: 'refused' });
    await round();
    await expect(replayDelivery(hub.db, refused!.deliveryId)).rejects.toMatchObject({
      code: 'XD_REFUSED',
      message: expect.stringContaining('what follows under its key has left'),
    });
    expect(await states()).toEqual(['sales_order r', 'order_cancellation c']);
  });
});

describe('a parked publication', () => {
  const told = (no: string) => systems.crm.states.get(`order_status api/${no}`)?.version;
  async function park(): Promise<{ no: string; name: { destination: string; kind: string; key: number } }> {
    await open();
    const no = await submit();
    systems.crm.fate = () => 'refused';
    await tell();
    const [parked, ...others] = await listParkedPublications(hub.db, { system: 'crm' });
    expect(others).toEqual([]);
    expect(parked).toMatchObject({ destination: 'crm', kind: 'order_status', what: `api/${no}`, error: '409 no' });
    systems.crm.fate = () => 'ok';
    const { destination, kind, key } = parked!;
    return { no, name: { destination, kind, key } };
  }

  it('is told again, the newest state once', async () => {
    const { no, name } = await park();
    await round();
    await tell();
    expect(told(no), 'a later change does not wake it').toBeUndefined();
    expect(await replayPublication(hub.db, name)).toMatchObject({ state: 'in doubt' });
    await tell();
    await tell();
    expect(await getPublication(hub.db, name)).toMatchObject({ state: 'confirmed', error: null });
    expect(told(no)).toBe((await getPublication(hub.db, name)).version);
    await expect(replayPublication(hub.db, name)).rejects.toMatchObject({ code: 'XD_REFUSED' });
  });

  it('that is given up stays as it is until the next change, which is told', async () => {
    const { no, name } = await park();
    await resolvePublication(hub.db, name, 'they know (me)');
    await tell();
    expect(told(no)).toBeUndefined();
    expect(await getPublication(hub.db, name)).toMatchObject({ state: 'cancelled', resolution: 'they know (me)' });
    expect(await listParkedPublications(hub.db)).toEqual([]);
    await round();
    await tell();
    expect(told(no)).toBe((await getPublication(hub.db, name)).version);
    expect(await getPublication(hub.db, name)).toMatchObject({ state: 'confirmed', resolution: null });
    await expect(resolvePublication(hub.db, { ...name, key: 999_999 }, 'x')).rejects.toMatchObject({
      code: 'XD_NOT_FOUND',
    });
  });
});
