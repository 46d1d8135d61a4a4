/** Kinds that are planned as lists, and those that other rooms bring: planned, applied, undone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../test/helpers/database.ts';
import { SmallHub } from '../../../test/helpers/small-hub.ts';
import { applyPlan, type LoadPlan, listPlanItems, undoPlan } from '../../master/index.ts';
import type { Opened } from '../open.ts';
import { planLoad } from './plan.ts';
import { kindOf } from './plan-kinds.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-kinds-'));
let hub: SmallHub;
let opened: Opened;
beforeAll(async () => {
  hub = await SmallHub.open({ url: database.url });
  opened = { db: hub.db, directory: hub.directory, close: async () => {} };
  await hub.seed(['KIT', 'A', 'B', 'C'], ['A1', 'A2']);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
const plan = (kind: Parameters<typeof planLoad>[1], content: string) => {
  const path = join(folder, `${++files}.csv`);
  writeFileSync(path, content);
  return planLoad(opened, kind, path, { by: 'ann' });
};
const apply = (made: LoadPlan) => applyPlan(hub.db, hub.directory, made.planId, { by: 'bob', kindOf });
const undo = (made: LoadPlan) => undoPlan(hub.db, hub.directory, made.planId, { by: 'eve', kindOf });
const items = async (made: LoadPlan) =>
  (await listPlanItems(hub.db, made, { kindOf })).map(({ line, key, action, before, after, code }) => ({
    ...{ line, key: Object.values(key).join('/'), action, before, after, code },
  }));
const rows = (text: string) => database.pool.query(text).then((result) => result.rows);
/** All of the table, as the next look finds it. */
const tables = () =>
  rows(
    `select (select json_agg(k order by k.kit_sku_id, k.component_id) from kit_component k) as kits,
            (select json_agg(json_build_array(sku_id, unit, pack_level, numerator, denominator, gtin) order by sku_id, unit) from sku_unit) as units,
            (select json_agg(json_build_array(account_id, code, lines, country) order by account_id, code) from account_address) as addresses,
            (select json_agg(json_build_array(c.code, account_id, valid_from, valid_to) order by c.code) from contract c) as contracts,
            (select json_agg(json_build_array(p.sku_id, p.quantity_min, p.unit_price, p.price_per) order by p.sku_id, p.quantity_min) from contract_price p) as prices,
            (select json_agg(json_build_array(s.code, s.order_multiple, s.order_minimum, s.order_rounding) order by s.code) from sku s) as rules`,
  );

interface Case {
  kind: Parameters<typeof planLoad>[1];
  first: string;
  second: string;
  counts: object;
  items: object[];
}
const base = { before: null, after: null, code: null };
const cases: Case[] = [
  {
    kind: 'kits',
    first: 'sku,component,quantity\nKIT,A,2\nKIT,B,1\n',
    second: 'sku,component,quantity\nKIT,A,3\nKIT,B,1\nA,KIT,1\nB,C,x\nB,A,1\nC,-,0\n',
    counts: { rows: 6, added: 0, changed: 1, unchanged: 1, refused: 2 },
    items: [
      {
        ...{ ...base, line: 2, key: 'KIT', action: 'change' },
        before: {
          kit: [
            { sku: 'A', quantity: 2 },
            { sku: 'B', quantity: 1 },
          ],
        },
        after: {
          kit: [
            { sku: 'A', quantity: 3 },
            { sku: 'B', quantity: 1 },
          ],
        },
      },
      { ...base, line: 4, key: 'A', action: 'refuse', code: 'XD_KIT_CYCLE' },
      { ...base, line: 5, key: '', action: 'refuse', code: 'XD_VALUE_INVALID' },
    ],
  },
  {
    kind: 'units',
    first: 'sku,unit,pack_level,numerator\nA,BX,case,12\n',
    second:
      'sku,unit,pack_level,numerator,gtin\nA,BX,case,12,\nA,PL,pallet,480,4006381333931\nB,BX,case,6,\nC,each,each,1,\nNONE,BX,case,1,\n',
    counts: { rows: 5, added: 1, changed: 1, unchanged: 0, refused: 2 },
    items: [
      {
        ...{ ...base, line: 2, key: 'A', action: 'change' },
        before: { units: [{ unit: 'BX', packLevel: 'case', numerator: 12, denominator: 1 }] },
        after: {
          units: [
            { unit: 'BX', packLevel: 'case', numerator: 12, denominator: 1 },
            { unit: 'PL', packLevel: 'pallet', numerator: 480, denominator: 1, gtin: '04006381333931' },
          ],
        },
      },
      {
        ...{ ...base, line: 4, key: 'B', action: 'add' },
        after: { units: [{ unit: 'BX', packLevel: 'case', numerator: 6, denominator: 1 }] },
      },
      { ...base, line: 5, key: 'C', action: 'refuse', code: 'XD_VALUE_INVALID' },
      { ...base, line: 6, key: 'NONE', action: 'refuse', code: 'XD_UNKNOWN_SKU' },
    ],
  },
  {
    kind: 'addresses',
    first: 'account,code,line1,country\nA1,main,1 High Street,GB\n',
    second:
      'account,code,line1,country,city\nA1,main,2 High Street,GB,Leeds\nA1,depot,Dock 4,GB,Hull\nA2,main,Rue 1,FR,\nNONE,main,x,GB,\n',
    counts: { rows: 4, added: 1, changed: 1, unchanged: 0, refused: 1 },
    items: [
      {
        ...{ ...base, line: 2, key: 'acme/A1', action: 'change' },
        before: { addresses: [expect.objectContaining({ code: 'main', lines: ['1 High Street'], city: '' })] },
        after: {
          addresses: [
            expect.objectContaining({ code: 'depot', city: 'Hull' }),
            expect.objectContaining({ code: 'main', lines: ['2 High Street'], city: 'Leeds' }),
          ],
        },
      },
      {
        ...base,
        line: 4,
        key: 'acme/A2',
        action: 'add',
        after: { addresses: [expect.objectContaining({ country: 'FR' })] },
      },
      { ...base, line: 5, key: 'acme/NONE', action: 'refuse', code: 'XD_UNKNOWN_ACCOUNT' },
    ],
  },
  {
    kind: 'contracts',
    first: 'contract,account,valid_to\nF1,A1,2026-12-31\n',
    second:
      'contract,account,valid_from,valid_to\nF1,A1,,2027-06-30\nF2,A1,2027-01-01,\nF3,A2,2027-01-01,\nF4,NONE,,\n',
    counts: { rows: 4, added: 1, changed: 1, unchanged: 0, refused: 2 },
    items: [
      {
        ...{ ...base, line: 2, key: 'acme/F1', action: 'change' },
        ...{ before: { validTo: '2026-12-31' }, after: { validTo: '2027-06-30' } },
      },
      { ...base, line: 3, key: 'acme/F2', action: 'refuse', code: 'price_overlap' },
      {
        ...{ ...base, line: 4, key: 'acme/F3', action: 'add' },
        after: { account: 'A2', currency: 'GBP', validFrom: '2027-01-01', validTo: null },
      },
      { ...base, line: 5, key: 'acme/F4', action: 'refuse', code: 'XD_UNKNOWN_ACCOUNT' },
    ],
  },
  {
    kind: 'contract-prices',
    first: 'contract,sku,unit_price,quantity_min\nF1,A,9.50,1\nF1,A,9.00,10\n',
    second:
      'contract,sku,unit_price,quantity_min,price_per\nF1,A,9.5,1,\nF1,A,8.00,10,\nF1,B,20.00,1,12\nF9,A,1,1,\nF1,NONE,1,1,\n',
    counts: { rows: 5, added: 1, changed: 1, unchanged: 1, refused: 2 },
    items: [
      {
        ...{ ...base, line: 3, key: 'acme/F1/A/10', action: 'change' },
        ...{ before: { unitPrice: '9.00' }, after: { unitPrice: '8.00' } },
      },
      { ...base, line: 4, key: 'acme/F1/B/1', action: 'add', after: { unitPrice: '20.00', pricePer: 12 } },
      { ...base, line: 5, key: 'acme/F9/A/1', action: 'refuse', code: 'XD_NOT_FOUND' },
      { ...base, line: 6, key: 'acme/F1/NONE/1', action: 'refuse', code: 'XD_UNKNOWN_SKU' },
    ],
  },
  {
    kind: 'products',
    first: 'sku,order_multiple,order_rounding\nA,6,up\n',
    second: 'sku,order_multiple,order_minimum\nA,12,\nB,,24\nC,0,\n',
    counts: { rows: 3, added: 0, changed: 2, unchanged: 0, refused: 1 },
    items: [
      { ...base, line: 2, key: 'A', action: 'change', before: { orderMultiple: 6 }, after: { orderMultiple: 12 } },
      { ...base, line: 3, key: 'B', action: 'change', before: { orderMinimum: 1 }, after: { orderMinimum: 24 } },
      { ...base, line: 4, key: '', action: 'refuse', code: 'XD_VALUE_INVALID' },
    ],
  },
];

test.each(cases)('$kind are planned, applied as planned, and undone to what they were', async (one) => {
  expect((await apply(await plan(one.kind, one.first))).state).toBe('applied');
  const before = await tables();
  const made = await plan(one.kind, one.second);
  expect([made.counts, (await items(made)).sort((a, b) => a.line - b.line)]).toEqual([one.counts, one.items]);
  expect(await tables()).toEqual(before);
  const done = await apply(made);
  expect(done.items).toMatchObject({ applied: made.counts.added + made.counts.changed });
  expect(await tables()).not.toEqual(before);
  // Planned again there is nothing left to do.
  expect((await plan(one.kind, one.second)).counts).toMatchObject({ added: 0, changed: 0 });
  expect((await undo(made)).items).toMatchObject({ undone: made.counts.added + made.counts.changed });
  expect(await tables()).toEqual(before);
});

test('a price of a larger unit is planned as that of its base units', async () => {
  await apply(await plan('units', 'sku,unit,pack_level,numerator\nC,BX,case,12\n'));
  const made = await plan('prices', 'sku,unit_price,unit\nC,10.00,BX\nB,1.00,BX\n');
  expect(await items(made)).toEqual([
    {
      ...{ ...base, line: 2, key: 'acme/C/base/GBP//1', action: 'add' },
      after: { unitPrice: '10.00', pricePer: 12, validTo: null },
    },
    { ...base, line: 3, key: 'acme/B/base/GBP//1', action: 'refuse', code: 'XD_UNKNOWN_UNIT' },
  ]);
  await apply(made);
  const price = 'select unit_price::text as price, price_per::int as per from price';
  expect(await rows(price)).toEqual([{ price: '10.00', per: 12 }]);
  expect((await plan('prices', 'sku,unit_price,unit\nC,10.0,BX\n')).counts).toMatchObject({ unchanged: 1 });
  // Said without a unit it is another price.
  const each = await plan('prices', 'sku,unit_price\nC,10.00\n');
  expect(await items(each)).toMatchObject([{ before: { pricePer: 12 }, after: { pricePer: 1 } }]);
  await undo(made);
  expect(await rows(price)).toEqual([]);
});

test('a contract that has prices by then stays, and says so', async () => {
  const made = await plan('contracts', 'contract,account\nF8,A2\n');
  await apply(made);
  await apply(await plan('contract-prices', 'contract,sku,unit_price\nF8,A,1.00\n'));
  expect((await undo(made)).items).toEqual({ kept: 1 });
  expect((await listPlanItems(hub.db, made, { kindOf }))[0]).toMatchObject({
    code: 'in_use',
    reason: 'named by prices of it',
  });
});

test('the guide: each of its files can be planned and applied in its order, and the file with mistakes says what it says there', async () => {
  const root = join(import.meta.dirname, '../../..');
  const guide = readFileSync(join(root, 'docs/guides/bring-your-master-data.md'), 'utf8');
  const named = [...guide.matchAll(/^ {4}npm run -s crossdock -- load (\S+) (examples\/\S+) --plan/gm)];
  expect(named.map(([, kind]) => kind)).toEqual([
    ...['products', 'units', 'kits', 'substitutes', 'accounts', 'addresses', 'prices', 'contracts', 'contract-prices'],
    'prices',
  ]);
  for (const [i, [, kind, file]] of named.entries()) {
    const made = await planLoad(opened, kind as 'products', join(root, file!), { by: 'ann' });
    if (i === named.length - 1) {
      expect(made.counts).toEqual({ rows: 4, added: 0, changed: 2, unchanged: 0, refused: 2 });
      expect(made.impact).toMatchObject({ prices: { rise: { before: '39.00', after: '390.0', percent: '900.00' } } });
    } else {
      expect(made.counts).toMatchObject({ changed: 0, unchanged: 0, refused: 0 });
      expect((await apply(made)).items).toEqual({ applied: made.counts.added });
    }
  }
});
