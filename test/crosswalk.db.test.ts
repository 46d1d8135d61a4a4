/** Outside codes over time: from the message that names one to the order, the stock and the exposure that follow. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { planLoad } from '../src/cli/load/plan.ts';
import { applyPlan, endCrosswalk, listCrosswalk, listPlanItems, putCrosswalk, undoPlan } from '../src/master/index.ts';
import { useDatabase } from './helpers/database.ts';
import { item, moved, order, SmallHub } from './helpers/small-hub.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-crosswalk-'));
let hub: SmallHub;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  await hub.seed(['OLD', 'NEW', 'OTHER'], ['A1', 'A2']);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const rows = (text: string, values: unknown[] = []) => database.pool.query(text, values).then((result) => result.rows);
const MARCH = '2026-03-01T00:00:00.000Z';
const put = (outsideId: string, code: string, more: object = {}) =>
  putCrosswalk(hub.db, [{ system: 'shop', kind: 'sku', outsideId, code, ...more }], 'ann');
const skuOfOrder = async (externalNo: string) =>
  (
    await rows(
      `select s.code, a.code as account from sales_order o join order_line l using (order_id) join sku s using (sku_id)
       join account a using (account_id) where external_no = $1`,
      [externalNo],
    )
  )[0];

test('an order is read by the entry that held when it was ordered, whenever it arrives', async () => {
  await put('4711', 'OLD', { validTo: MARCH });
  await put('4711', 'NEW', { validFrom: MARCH });
  const at = (externalNo: string, orderedAt: string) =>
    order('shop', externalNo, [{ sku: '4711', quantity: 1 }], { orderedAt });
  await hub.receive('shop', [
    at('T1', '2026-02-28T23:59:59.999Z'),
    at('T2', MARCH),
    at('T3', '2026-03-01T00:30:00+01:00'),
  ]);
  expect([await skuOfOrder('T1'), await skuOfOrder('T2'), await skuOfOrder('T3')].map((row) => row.code)).toEqual([
    'OLD',
    'NEW',
    'OLD',
  ]);
  // Another system's id, and one of ours, stand for themselves.
  const results = await hub.receive('marketplace', [order('marketplace', 'T4', [{ sku: '4711', quantity: 1 }])]);
  expect(results[0]).toMatchObject({ status: 'parked', class: 'unknown_sku' });
});

test('accounts and locations go through it, too', async () => {
  await putCrosswalk(
    hub.db,
    [
      { system: 'shop', kind: 'account', outsideId: 'C-7', code: 'A2' },
      { system: 'wms', kind: 'location', outsideId: 'HALL 3', code: 'south' },
    ],
    'ann',
  );
  await hub.receive('shop', [order('shop', 'AC1', [{ sku: 'OLD', quantity: 1 }], { account: 'C-7' })]);
  expect(await skuOfOrder('AC1')).toEqual({ code: 'OLD', account: 'A2' });
  await hub.receive('shop', [
    item('account/shop', 'C-7/1', {
      kind: 'account.changed',
      ...{ account: 'C-7', company: 'acme', name: 'Smith', changedAt: '2026-05-01T00:00:00Z' },
    }),
  ]);
  expect(await rows(`select code, name from account where code in ('A2', 'C-7')`)).toEqual([
    { code: 'A2', name: 'Smith' },
  ]);
  const [result] = await hub.receive('wms', [moved('L1', 'OTHER', 'HALL 3', 5)]);
  expect(result!.status).toBe('applied');
  expect(
    await rows(`select l.code, b.on_hand from stock_balance b join location l using (location_id) join sku s using (sku_id)
      where s.code = 'OTHER' and on_hand > 0`),
  ).toEqual([{ code: 'south', on_hand: 5 }]);
});

describe('what was set aside', () => {
  test('runs by itself when an entry for its time arrives, and not for another time', async () => {
    await hub.receive('shop', [order('shop', 'W1', [{ sku: 'S-1', quantity: 1 }])]);
    await hub.receive('shop', [order('shop', 'W2', [{ sku: 'OLD', quantity: 1 }], { account: 'C-8' })]);
    await hub.receive('wms', [moved('W3', 'OTHER', 'HALL 4', 2)]);
    expect(await hub.receiver.replayAwaited()).toBe(0);
    // It was ordered on the 2nd of March.
    await put('S-1', 'NEW', { validFrom: '2026-03-05T00:00:00Z' });
    expect(await rows('select 1 from awaited_record')).toEqual([]);
    await put('S-1', 'OLD', { validTo: '2026-03-05T00:00:00Z' });
    expect(await hub.receiver.replayAwaited()).toBe(1);
    expect((await skuOfOrder('W1')).code).toBe('OLD');
    await putCrosswalk(
      hub.db,
      [
        { system: 'shop', kind: 'account', outsideId: 'C-8', code: 'A1' },
        { system: 'wms', kind: 'location', outsideId: 'HALL 4', code: 'west' },
      ],
      'ann',
    );
    expect(await hub.receiver.replayAwaited()).toBe(2);
    expect((await skuOfOrder('W2')).account).toBe('A1');
    expect(await rows(`select state from parked_record where key in ('W1', 'W2', 'W3')`)).toEqual(
      Array.from({ length: 3 }, () => ({ state: 'replayed' })),
    );
    expect(await rows('select 1 from awaited_record')).toEqual([]);
  });

  test('keeps in the exposure what its codes mean', async () => {
    await put('S-9', 'NEW');
    // The account is what is unknown; the line is known through the crosswalk only.
    await hub.receive('shop', [order('shop', 'E1', [{ sku: 'S-9', quantity: 1 }], { account: 'NOBODY' })]);
    const { readParkedSales } = await import('../src/ledger/numbers.sql.ts');
    expect(await hub.db.query(readParkedSales, ['order/shop'])).toEqual([{ sku_id: hub.sku('NEW') }]);
  });
});

describe('an entry', () => {
  test('that would hold at once with another of the same id is refused, and nothing of its set is written', async () => {
    await put('O-1', 'OLD', { validFrom: '2026-01-01T00:00:00Z', validTo: '2026-02-01T00:00:00Z' });
    const overlap = (more: object) =>
      putCrosswalk(
        hub.db,
        [
          { system: 'shop', kind: 'sku', outsideId: 'O-2', code: 'OLD' },
          { system: 'shop', kind: 'sku', outsideId: 'O-1', code: 'NEW', ...more },
        ],
        'ann',
      );
    await expect(overlap({})).rejects.toThrow(/crosswalk\[1\].outsideId: sku "O-1" of shop means OLD from 2026-01-01/);
    await expect(overlap({ validFrom: '2026-01-31T23:59:59.999Z' })).rejects.toMatchObject({
      details: { refused: 'overlap' },
    });
    expect(await listCrosswalk(hub.db, { outsideId: 'O-2' })).toEqual([]);
    expect(await overlap({ validFrom: '2026-02-01T00:00:00Z' })).toEqual({ written: 2 });
    // The same again changes nothing; from the same moment on it is changed.
    expect(await overlap({ validFrom: '2026-02-01T00:00:00Z' })).toEqual({ written: 0 });
    await expect(put('O-1', 'OLD', { validFrom: '2026-01-01T00:00:00Z' })).rejects.toThrow(/end that first/);
  });

  test('of two at once that overlap one is written', async () => {
    const both = await Promise.allSettled([
      put('R-1', 'OLD', { validFrom: '2026-01-01T00:00:00Z' }),
      put('R-1', 'NEW', { validFrom: '2026-06-01T00:00:00Z' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await listCrosswalk(hub.db, { outsideId: 'R-1' })).toHaveLength(1);
  });

  test('names what is there, and ends after it begins', async () => {
    const bad = [
      [{ code: 'NONE' }, /XD_UNKNOWN_SKU|no SKU "NONE"/],
      [{ kind: 'account', code: 'NONE' }, /no account "NONE"/],
      [{ kind: 'location', code: 'NONE' }, /no location "NONE"/],
      [{ system: 'api' }, /is the API, whose callers use our codes/],
      [{ outsideId: '' }, /must have 1 to 200 characters/],
      [{ validFrom: 'soon' }, /must be a time, not "soon"/],
      [{ validFrom: MARCH, validTo: MARCH }, /must be after validFrom/],
    ] as const;
    for (const [wrong, reason] of bad)
      await expect(put('B-1', 'OLD', wrong), JSON.stringify(wrong)).rejects.toThrow(reason);
    expect(await listCrosswalk(hub.db, { outsideId: 'B-1' })).toEqual([]);
  });

  test('is ended, and another may begin', async () => {
    await put('N-1', 'OLD');
    expect(await endCrosswalk(hub.db, { system: 'shop', kind: 'sku', outsideId: 'N-1', at: MARCH }, 'bob')).toEqual({
      code: 'OLD',
    });
    await put('N-1', 'NEW', { validFrom: MARCH });
    expect(
      (await listCrosswalk(hub.db, { outsideId: 'N-1', at: '2026-02-01T00:00:00Z' })).map(({ code }) => code),
    ).toEqual(['OLD']);
    expect((await listCrosswalk(hub.db, { outsideId: 'N-1' })).map(({ code, validTo }) => [code, validTo])).toEqual([
      ['OLD', MARCH],
      ['NEW', null],
    ]);
    await expect(endCrosswalk(hub.db, { system: 'shop', kind: 'sku', outsideId: 'N-2' }, 'bob')).rejects.toThrow(
      /no entry of sku "N-2"/,
    );
  });
});

test('files of entries are planned, applied and undone', async () => {
  const file = join(folder, 'crosswalk.csv');
  writeFileSync(
    file,
    'system,kind,outside_id,code,valid_from,valid_to\nerp,sku,P-1,old,,2026-03-01\nerp,sku,P-1,NEW,2026-03-01,\nerp,sku,P-1,OTHER,2026-04-01,\nerp,sku,P-2,NONE,,\nerp,shelf,P-3,OLD,,\n',
  );
  const opened = { db: hub.db, directory: hub.directory, close: async () => {} };
  const made = await planLoad(opened, 'crosswalk', file, { by: 'ann' });
  const items = await listPlanItems(hub.db, made);
  expect(items.map(({ line, action, after, code }) => [line, action, after, code])).toEqual([
    [2, 'add', { code: 'OLD', validTo: MARCH }, null],
    [3, 'add', { code: 'NEW', validTo: null }, null],
    [4, 'refuse', null, 'overlap'],
    [5, 'refuse', null, 'XD_UNKNOWN_SKU'],
    [6, 'refuse', null, 'XD_VALUE_INVALID'],
  ]);
  await applyPlan(hub.db, hub.directory, made.planId, { by: 'ann' });
  expect((await listCrosswalk(hub.db, { system: 'erp' })).map(({ code }) => code)).toEqual(['OLD', 'NEW']);
  await undoPlan(hub.db, hub.directory, made.planId, { by: 'ann' });
  expect(await listCrosswalk(hub.db, { system: 'erp' })).toEqual([]);
});

test('on the command line', async () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = {
        ...process.env,
        DATABASE_URL: database.url,
        NODE_OPTIONS: '',
        NODE_COMPILE_CACHE: join(folder, 'cache'),
      };
      const main = join(import.meta.dirname, '../src/cli/main.ts');
      execFile(process.execPath, [main, 'crosswalk', ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  const named = ['--system', 'crm', '--kind', 'sku', '--outside', 'X-1'];
  expect(await run('put', ...named, '--code', 'OLD')).toMatchObject({ code: 0, stdout: 'written\n' });
  expect(await run('put', ...named, '--code', 'NEW', '--from', '2026-03-01')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('means OLD from ever to ever: end that first'),
  });
  expect((await run('end', ...named, '--at', '2026-03-01')).code).toBe(0);
  expect((await run('put', ...named, '--code', 'NEW', '--from', '2026-03-01')).code).toBe(0);
  const { stdout } = await run('ls', '--system', 'crm', '--json');
  expect(JSON.parse(stdout).entries.map((entry: { code: string }) => entry.code)).toEqual(['OLD', 'NEW']);
  expect((await run('put', ...named, '--code', 'NEW', '--from', 'soon')).code).toBe(2);
});
