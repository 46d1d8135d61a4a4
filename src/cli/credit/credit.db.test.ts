import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../test/helpers/database.ts';
import { order, SmallHub, smallEstate } from '../../../test/helpers/small-hub.ts';
import { load } from '../load/run.ts';
import { begin, end, list, listed, orders, ordersShown } from '../modes/run.ts';
import type { Opened } from '../open.ts';
import { show, shown } from './run.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-credit-'));
let hub: SmallHub;
let opened: Opened;
beforeAll(async () => {
  const api = { company: 'acme', sells: 'asks' as const, locations: ['north'], credit: 'check' as const };
  const degradedModes = { erp: { acceptOrderMinorMax: 500 } };
  const routing = { orders: 'erp', fulfilment: 'wms', accounts: 'crm' };
  hub = await SmallHub.open({ url: database.url, estate: { ...smallEstate({ api }), degradedModes, routing } });
  await hub.seed(['A'], ['A1', 'A2']);
  opened = { db: hub.db, directory: hub.directory, close: () => hub.close() };
});
afterAll(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});
let files = 0;
async function run(content: string) {
  const path = join(folder, `${++files}.csv`);
  writeFileSync(path, content);
  return load(opened, 'credit', path, { stateDir: join(folder, 'state') });
}
const submit = (no: string, units: number) => hub.receive('api', [order('api', no, [{ sku: 'A', quantity: units }])]);

test('what accounts owe is loaded from a file and shown with each part; bad rows say what is wrong', async () => {
  const now = new Date().toISOString();
  const result = await run(
    `account,limit,open_orders,open_invoices,as_of,orders\nA1,100.50,10,-2.5,${now},\nA2,,0,0,${now},api/x api/y\nnobody,1,0,0,${now},\nA1,1,0.001,0,${now},\nA1,1,-1,0,${now},\n`,
  );
  expect(result).toMatchObject({ rows: 5, applied: 2, rejected: 3 });
  const rejects = readFileSync(result.rejects!, 'utf8');
  expect(rejects).toMatch(/no account/);
  expect(rejects).toMatch(/open_orders must be an amount with at most 2 places/);
  await submit('o1', 20);
  const found = await show(opened, 'A1', { claims: true });
  expect(found).toMatchObject({
    ...{ account: 'A1', company: 'acme', limitOf: 'A1', currency: 'GBP', limitMinor: 10_050 },
    ...{ openOrdersMinor: 1_000, openInvoicesMinor: -250, acceptedMinor: 2_000, acceptedOrders: 1 },
    ...{ exposureMinor: 2_750, availableMinor: 7_300, basis: 'live', source: 'file' },
    claims: [{ order: 'api/o1', amountMinor: 2_000, basis: 'live', overByMinor: 0 }],
  });
  expect(shown(found)).toMatch(/available +73\.00 GBP/);
  expect((await show(opened, 'A2', { claims: false })).availableMinor).toBeNull();
  await expect(show(opened, 'none', { claims: false })).rejects.toThrow(/no account none/);
});

test('a drill is begun and ended by hand, and its orders are listed', async () => {
  expect(listed(await list(opened, false))).toBe('no degraded mode holds');
  await expect(begin(opened, 'wms', 10)).rejects.toThrow(/degradedModes.wms is not declared/);
  const drill = await begin(opened, 'erp', 10);
  expect(drill).toMatchObject({ domain: 'erp', system: 'erp' });
  await submit('small', 5);
  await submit('large', 6);
  const [mode] = await list(opened, false);
  expect(listed([mode!])).toMatch(/erp \(erp\) drill .* 2 orders, 1 held/);
  await end(opened, 'erp');
  expect(await list(opened, false)).toEqual([]);
  const found = await orders(opened, mode!.modeId);
  expect(found.map(({ order: no, isHeld }) => [no, isHeld])).toEqual([
    ['api/small', false],
    ['api/large', true],
  ]);
  expect(ordersShown(found)).toMatch(/api\/large .* was held {2}not looked at again yet/);
});
