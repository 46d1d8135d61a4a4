/** A hub whose systems go away: what it accepts, marks and holds back, and what becomes of that once they are back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHub, type Hub } from '../src/app.ts';
import type { CreditReported } from '../src/canonical/index.ts';
import type { ConnectorFactory } from '../src/connectors/kit/index.ts';
import type { Estate } from '../src/estate/index.ts';
import { readAtp } from '../src/ledger/index.ts';
import { putAccounts, putProducts } from '../src/master/index.ts';
import { beginDrill, endDrill, listDegradedOrders, listModes, readOpenModes } from '../src/modes/index.ts';
import { listHolds } from '../src/orders/index.ts';
import { useDatabase } from './helpers/database.ts';
import { violations } from './helpers/promises.ts';
import { memorySystems, moved, order } from './helpers/small-hub.ts';

const database = useDatabase();
const systems = memorySystems();
let hub: Hub;
let limitMinor = 100_000;
let asked = 0;

const estate: Estate = {
  name: 'test',
  companies: { acme: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: { north: { company: 'acme', region: 'n' } },
  systems: {
    erp: { connector: 'erp', effectHorizonMs: 0 },
    wms: { connector: 'wms', effectHorizonMs: 0 },
    crm: { connector: 'crm', effectHorizonMs: 0 },
  },
  channels: { api: { company: 'acme', sells: 'asks', locations: ['north'], credit: 'check' } },
  routing: { orders: 'erp', fulfilment: 'wms', accounts: 'crm' },
  credit: { freshMs: 2_000 },
  degradedModes: {
    erp: { afterSeconds: 1, acceptOrderMinorMax: 500, byClass: { win: 900, lose: 0 } },
    wms: { afterSeconds: 3_600, marginUnits: 5, marginPercent: 10 },
    crm: { afterSeconds: 1 },
  },
};

beforeAll(async () => {
  Object.assign(systems.erp, {
    credit: {
      accountsMax: 100,
      ask: async (accounts: readonly { company: string; account: string }[]): Promise<CreditReported[]> => {
        asked++;
        return accounts.map((account) => ({
          ...{ kind: 'credit.reported', ...account, currency: 'GBP', limitMinor, openOrdersMinor: 0 },
          ...{ openInvoicesMinor: 0, asOf: new Date().toISOString() },
        }));
      },
    },
  });
  const factory =
    (name: 'erp' | 'wms' | 'crm'): ConnectorFactory =>
    () =>
      systems[name];
  const connectors = new Map((['erp', 'wms', 'crm'] as const).map((name) => [name, factory(name)]));
  hub = await createHub({ estate, databaseUrl: database.url, connectors, onError: () => {} });
  await putProducts(hub.db, [{ sku: 'A' }]);
  await putAccounts(
    hub.db,
    hub.directory,
    ['plain', 'best', 'last'].map((account) => ({ account, company: 'acme' })),
  );
  await database.pool.query(`update account set priority_class = 'win' where code = 'best'`);
  await database.pool.query(`update account set priority_class = 'lose' where code = 'last'`);
  await hub.start();
  await receive('wms', moved('stock', 'A', 'north', 1_000));
});
afterAll(async () => {
  expect(await violations(database.pool)).toEqual({});
  await hub.stop();
});

function receive(system: string, item: ReturnType<typeof order>) {
  return hub.receiver.receive({
    ...{ system, source: 'api', contentType: 'application/json', body: Buffer.from('{}'), items: [item] },
    onFault: 'refuse',
  });
}
async function submit(no: string, units: number, account = 'plain') {
  const [result] = await receive('api', order('api', no, [{ sku: 'A', quantity: units }], { account }));
  if (result!.status !== 'applied') throw new Error(result!.status);
  return result!.events[0] as { degraded?: string; orderId: number };
}
const told = (no: string) => systems.erp.countOf('sales_order', `api/${no}`);
const held = async () =>
  (await listHolds(hub.db, { state: 'open', kind: 'degraded', limit: 10 })).map((hold) => hold.externalNo).sort();
const open = async () => (await readOpenModes(hub.db)).map(({ domain, cause }) => `${domain} ${cause}`);
/** As the CRM shows it. */
const shown = (no: string) =>
  (systems.crm.states.get(`order_status api/${no}`)?.state as { degraded?: string } | undefined)?.degraded ?? 'no';
const soon = { timeout: 20_000, interval: 50 };
const away = (name: 'erp' | 'crm', isAway: boolean) => {
  systems[name].fate = () => (isAway ? 'away' : 'ok');
};

describe('while the ERP is away', () => {
  it('orders are accepted up to what is declared for their class, marked, and told once it is back', {
    timeout: 60_000,
  }, async () => {
    expect((await submit('before', 90)).degraded).toBeUndefined();
    // So that something was reported of each account.
    await submit('before best', 1, 'best');
    await submit('before last', 1, 'last');
    await expect.poll(() => told('before'), soon).toBe(1);
    away('erp', true);
    await submit('trigger', 1);
    await expect.poll(open, soon).toEqual(['erp away']);
    expect((await submit('small', 5)).degraded).toBe('erp');
    await submit('large', 6);
    await submit('best', 9, 'best');
    await submit('worst', 1, 'last');
    expect(await held()).toEqual(['large', 'worst']);
    expect([told('small'), told('large'), told('best')]).toEqual([0, 0, 0]);
    await expect
      .poll(() => ['before', 'small', 'large', 'worst'].map(shown), soon)
      .toEqual(['no', 'erp', 'erp', 'erp']);
    // Meanwhile the limit fell below what was accepted.
    limitMinor = 800;
    asked = 0;
    away('erp', false);
    await expect.poll(open, soon).toEqual([]);
    await expect.poll(() => [told('small'), told('large'), told('best'), told('worst')], soon).toEqual([1, 1, 1, 1]);
    expect(await held()).toEqual([]);
    const [mode] = await listModes(hub.db, { all: true, limit: 1 });
    expect(mode).toMatchObject({ domain: 'erp', state: 'left', orders: 4, held: 2 });
    const checked = async () =>
      (await listDegradedOrders(hub.db, mode!.modeId, 10)).map((one) => `${one.externalNo} ${one.overByMinor}`);
    await expect.poll(checked, soon).toEqual(['small 9400', 'large 9400', 'best 200', 'worst 0']);
    expect(asked).toBeGreaterThan(0);
    // Marked is what fresh credit has not confirmed: those of the account that is over stay so.
    await expect.poll(() => ['small', 'large', 'best', 'worst'].map(shown), soon).toEqual(['erp', 'erp', 'erp', 'no']);
    const ended = await database.pool.query(
      `select o.external_no from fact f join sales_order o on f.stream = 'order/' || o.order_id where f.type = 'order.degraded_ended'`,
    );
    expect(ended.rows).toEqual([{ external_no: 'worst' }]);
    const { rows } = await database.pool.query(`select type from fact where stream = $1 order by position`, [
      `mode/${mode!.modeId}`,
    ]);
    expect([...new Set(rows.map((row) => row.type))]).toEqual(['mode.entered', 'mode.left', 'mode.checked']);
    limitMinor = 1_000_000;
  });

  it('a drill acts as if it were: nothing is sent to it, and all is once the drill ends', {
    timeout: 60_000,
  }, async () => {
    const drill = await beginDrill(hub.db, { domain: 'erp', system: 'erp', minutes: 10, by: 'eve' });
    await expect.poll(() => hub.connectors.get('erp')!.pausedMs!(), soon).toBeGreaterThan(0);
    const written = systems.erp.writes;
    expect((await submit('drilled', 5)).degraded).toBe('erp');
    await submit('drilled large', 6);
    expect(await held()).toEqual(['drilled large']);
    await expect.poll(() => shown('drilled'), soon).toBe('erp');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect([systems.erp.writes - written, told('drilled')]).toEqual([0, 0]);
    // Its time runs out; who began it is long gone.
    await database.pool.query(`update degraded_mode set ends_at = crossdock_now() where mode_id = $1`, [drill.modeId]);
    await expect.poll(() => told('drilled'), soon).toBe(1);
    await expect
      .poll(async () => (await listModes(hub.db, { all: true, limit: 1 }))[0], soon)
      .toMatchObject({ state: 'left', cause: 'drill', by: 'eve', orders: 2, held: 1 });
    await expect
      .poll(() => [told('drilled large'), shown('drilled'), shown('drilled large')], soon)
      .toEqual([1, 'no', 'no']);
    const facts = async () =>
      (
        await database.pool.query(
          `select type, data->>'cause' as cause from fact where stream = $1 order by position`,
          [`mode/${drill.modeId}`],
        )
      ).rows.map(({ type, cause }) => `${type}${cause === null ? '' : ` ${cause}`}`);
    await expect.poll(facts, soon).toEqual(['mode.entered drill', 'mode.left drill', 'mode.checked']);
  });
});

describe('while the WMS is away', () => {
  it('what was counted last is sold, less the margin, and all of it again afterwards', {
    timeout: 60_000,
  }, async () => {
    const sku = hub.directory.findSkuId('A')!;
    const atp = async () =>
      (await readAtp(hub.db, hub.directory.channels.get('api')!, [sku], hub.directory)).get(sku)!.atp;
    const free = await atp();
    await beginDrill(hub.db, { domain: 'wms', system: 'wms', minutes: 10, by: 'eve' });
    const less = Math.floor(free * 0.9) - 5;
    await expect.poll(atp, soon).toBe(less);
    await submit('much', free, 'plain');
    const { rows } = await database.pool.query(
      `select l.allocated::int, l.backordered::int from order_line l join sales_order o using (order_id) where o.external_no = 'much'`,
    );
    expect(rows).toEqual([{ allocated: less, backordered: free - less }]);
    await endDrill(hub.db, 'wms');
    await expect.poll(() => hub.directory.channels.get('api')!.buffer, soon).toBe(0);
    expect(hub.directory.channels.get('api')!.share).toBe(1);
  });
});

describe('while the CRM is away', () => {
  it('nothing waits: orders are accepted, told and fulfilled; its states come when it is back', {
    timeout: 60_000,
  }, async () => {
    systems.crm.fate = () => 'away';
    await submit('no-crm', 1);
    await expect.poll(() => told('no-crm'), soon).toBe(1);
    await expect
      .poll(
        () =>
          systems.wms.of('fulfilment').filter(({ payload }) => (payload as { order: string }).order === 'api/no-crm')
            .length,
        soon,
      )
      .toBe(1);
    expect(await held()).toEqual([]);
    systems.crm.fate = () => 'ok';
    const { rows } = await database.pool.query(`select order_id from sales_order where external_no = 'no-crm'`);
    await expect
      .poll(async () => {
        const { rows: dirty } = await database.pool.query(
          `select 1 from publication where kind = 'order_status' and key = $1 and is_dirty`,
          [rows[0].order_id],
        );
        return dirty.length;
      }, soon)
      .toBe(0);
  });
});
