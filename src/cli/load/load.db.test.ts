import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../../test/helpers/database.ts';
import { loadEstate } from '../../estate/index.ts';
import { Directory } from '../../master/index.ts';
import { checkPromises } from '../../ops/index.ts';
import { Database } from '../../store/index.ts';
import type { Opened } from '../open.ts';
import type { KindName } from './kinds.ts';
import { type LoadOptions, load } from './run.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-load-'));
let opened: Opened;
beforeAll(async () => {
  const db = new Database({ url: database.url, poolMax: 4 });
  const estate = await loadEstate(join(import.meta.dirname, '../../../examples/wholesaler/crossdock.config.ts'));
  opened = { db, directory: await Directory.open(db, estate), close: () => db.end() };
});
afterAll(async () => {
  await opened.close();
  rmSync(folder, { recursive: true, force: true });
});

let files = 0;
function fileOf(content: string | Buffer): string {
  const path = join(folder, `${++files}.csv`);
  writeFileSync(path, content);
  return path;
}
const run = (kind: KindName, content: string | Buffer, options: LoadOptions = {}) =>
  load(opened, kind, fileOf(content), { stateDir: join(folder, 'state'), ...options });
const rows = (text: string) => database.pool.query(text).then((result) => result.rows);
const rejectsOf = (path: string | null) => readFileSync(path!, 'utf8').trimEnd().split('\n');

test('products, accounts, prices, stock and orders are loaded from nothing to an allocated order', async () => {
  const products = await run('products', '\uFEFFSKU,Description\na1,"A ""nice"" lamp"\nA2,\nA3,"two\nlines"\n');
  expect(products).toMatchObject({
    rows: 3,
    applied: 3,
    repeated: 0,
    rejected: 0,
    rejects: null,
    resumedAfter: 0,
    complete: true,
  });
  expect(await rows('select code, description from sku order by code')).toEqual([
    { code: 'A1', description: 'A "nice" lamp' },
    { code: 'A2', description: '' },
    { code: 'A3', description: 'two\nlines' },
  ]);
  expect(await run('accounts', 'account,name\n17850,Smith\n')).toMatchObject({ applied: 1, rejected: 0 });
  expect(await run('prices', 'sku,unit_price,valid_from\nA1,2.55,2026-01-01\nA2,0.125,\n')).toMatchObject({
    applied: 2,
    rejected: 0,
  });
  const stock = 'sku,location,quantity\nA1,LON,10\nA1,MAN,4\nA2,LON,100\n';
  expect(await run('stock', gzipSync(stock))).toMatchObject({ applied: 3, rejected: 0 });
  const orders =
    'order,account,ordered_at,sku,quantity,unit_price\n1,17850,2026-03-02,A1,12,2.55\n1,17850,2026-03-02,A2,3,0.125\n2,17850,2026-03-02 10:30,A1,5,2.55\n';
  expect(await run('orders', orders, { channel: 'api' })).toMatchObject({ rows: 3, applied: 3, rejected: 0 });
  expect(
    await rows('select external_no, state, total_minor::int as total from sales_order order by external_no'),
  ).toEqual([
    { external_no: '1', state: 'accepted', total: 3098 },
    { external_no: '2', state: 'accepted', total: 1275 },
  ]);
  expect(
    await rows(
      'select line_no, allocated::int as allocated, backordered::int as backordered from order_line order by order_id, line_no',
    ),
  ).toEqual([
    { line_no: 1, allocated: 12, backordered: 0 },
    { line_no: 2, allocated: 3, backordered: 0 },
    { line_no: 1, allocated: 2, backordered: 3 },
  ]);
  const promises = await checkPromises(opened.db);
  expect(Object.values(promises).flatMap((promise) => promise.examples)).toEqual([]);
});

test('the same file again changes nothing', async () => {
  const stock = 'id,sku,location,quantity,movement,occurred_at\nm1,A3,LON,7,received,2026-03-01T08:00:00Z\n';
  expect(await run('stock', stock)).toMatchObject({ applied: 1, repeated: 0 });
  expect(await run('stock', stock)).toMatchObject({ applied: 0, repeated: 1 });
  const other = await run('stock', stock.replace(',7,', ',8,'));
  expect(other).toMatchObject({ applied: 0, repeated: 0, rejected: 1 });
  expect(rejectsOf(other.rejects)[1]).toMatch(/^2,XD_KEY_CONFLICT,/);
  expect(
    await rows(`select on_hand::int as on_hand from stock_balance b join sku s using (sku_id) where s.code = 'A3'`),
  ).toEqual([{ on_hand: 7 }]);
});

test('each bad row is set aside with its line and reason, and holds up nothing', async () => {
  const stock = await run(
    'stock',
    Buffer.concat([
      Buffer.from('sku,location,quantity,movement,occurred_at\n'),
      Buffer.from('A1,LON,1,received,2026-03-01\n'),
      Buffer.from('NONE,LON,1,received,2026-03-01\n'),
      Buffer.from('A1,NOWHERE,1,received,2026-03-01\n'),
      Buffer.from('A1,LON,1.5,received,2026-03-01\n'),
      Buffer.from('A1,LON,99999999999,received,2026-03-01\n'),
      Buffer.from('A1,LON,1,stolen,2026-03-01\n'),
      Buffer.from('A1,LON,1,received,2026-02-30\n'),
      Buffer.from('A1,LON,1\n'),
      Buffer.from([0x41, 0xff, 0xfe]),
      Buffer.from(',LON,1,received,2026-03-01\n'),
      Buffer.from(`${'x'.repeat(1_000_000)},LON,1,received,2026-03-01\n`),
      Buffer.from('"two\nlines",LON,1,received,2026-03-01\n'),
      Buffer.from('A2,LON,2,received,2026-03-01\n'),
    ]),
  );
  expect(stock).toMatchObject({ rows: 12, applied: 2, repeated: 0, rejected: 10, complete: true });
  const lines = rejectsOf(stock.rejects);
  expect(lines[0]).toBe('line,code,reason,sku,location,quantity,movement,occurred_at');
  const text = lines.join('\n');
  expect(text).toContain('3,XD_UNKNOWN_SKU,"sku: no SKU ""NONE""",NONE,LON,1,received,2026-03-01');
  expect(text).toContain('4,XD_UNKNOWN_LOCATION,');
  expect(text).toContain('5,XD_VALUE_INVALID,"quantity must be a whole number from 1 to 1000000000, not ""1.5"""');
  expect(text).toMatch(/^6,XD_VALUE_INVALID,/m);
  expect(text).toContain('7,XD_VALUE_INVALID,"movement must be one of counted, received, adjusted, not ""stolen"""');
  expect(text).toContain('8,XD_VALUE_INVALID,"occurred_at must be a time such as');
  expect(text).toContain('9,XD_VALUE_INVALID,"3 fields, the heading has 5"');
  expect(text).toContain('10,XD_VALUE_INVALID,"sku is not valid UTF-8"');
  expect(text).toContain('11,XD_VALUE_INVALID,"sku has 1000000 characters; at most 200"');
  expect(text).toContain('12,XD_UNKNOWN_SKU,');
});

test('a bad row of master data is found in its set and the others are written', async () => {
  const products = await run('products', 'sku,unit\nB1,each\nB2,f/l\nB3,each\n');
  expect(products).toMatchObject({ applied: 2, rejected: 1 });
  expect(rejectsOf(products.rejects)[1]).toMatch(/^3,XD_VALUE_INVALID,/);
  const prices = await run('prices', 'sku,unit_price\nB1,1.00\nB1,-2\nNONE,3\nB3,4.00\n');
  expect(prices).toMatchObject({ applied: 2, rejected: 2 });
  expect(
    rejectsOf(prices.rejects)
      .slice(1)
      .map((line) => line.split(',').slice(0, 2).join()),
  ).toEqual(['4,XD_UNKNOWN_SKU', '3,XD_VALUE_INVALID'].sort());
  expect(
    await rows(
      `select s.code, p.unit_price::text as price from price p join sku s using (sku_id) where s.code like 'B%' order by 1`,
    ),
  ).toEqual([
    { code: 'B1', price: '1.00' },
    { code: 'B3', price: '4.00' },
  ]);
});

test('an order with one bad line is not taken in part', async () => {
  const heading = 'channel,order,account,ordered_at,sku,quantity,unit_price,line_no\n';
  const result = await run(
    'orders',
    `${heading}api,10,17850,2026-03-02,A2,1,1.00,1\napi,10,17850,2026-03-02,A2,0,1.00,2\napi,11,17850,2026-03-02,A2,1,1.00,1\napi,12,17850,2026-03-02,A2,1,1.00,1\napi,12,17850,2026-03-02,A2,1,1.00,1\napi,13,17850,2026-03-02,NONE,1,1.00,1\napi,11,17850,2026-03-02,A2,9,1.00,1\n`,
  );
  expect(result).toMatchObject({ rows: 7, applied: 1, rejected: 6 });
  const lines = rejectsOf(result.rejects)
    .slice(1)
    .map((line) => line.split(',').slice(0, 2).join());
  expect(lines).toEqual([
    '2,XD_VALUE_INVALID',
    '3,XD_VALUE_INVALID',
    '5,XD_VALUE_INVALID',
    '6,XD_VALUE_INVALID',
    '7,XD_UNKNOWN_SKU',
    '8,XD_KEY_CONFLICT',
  ]);
  expect(await rows(`select external_no from sales_order where external_no like '1_' order by 1`)).toEqual([
    { external_no: '11' },
  ]);
});

test('a run that was ended goes on where it stood, and its rejects are there once', async () => {
  const heading = 'id,sku,location,quantity,movement,occurred_at\n';
  const line = (i: number) => `r${i},${i % 400 === 7 ? 'NONE' : 'A2'},LON,1,received,2026-03-01\n`;
  const content = heading + Array.from({ length: 1_700 }, (_, i) => line(i)).join('');
  const file = fileOf(content);
  const abort = new AbortController();
  const options = { stateDir: join(folder, 'resume') };
  const first = await load(opened, 'stock', file, {
    ...options,
    signal: abort.signal,
    onProgress: (_bytes, _total, done) => done >= 500 && abort.abort(),
  });
  expect(first.complete).toBe(false);
  expect(first.rows).toBeGreaterThanOrEqual(500);
  expect(first.rows).toBeLessThan(1_700);
  const second = await load(opened, 'stock', file, options);
  expect(second).toMatchObject({
    rows: 1_700,
    applied: 1_695,
    repeated: 0,
    rejected: 5,
    resumedAfter: first.rows,
    complete: true,
  });
  expect(rejectsOf(second.rejects).map((text) => text.split(',')[0])).toEqual([
    'line',
    '9',
    '409',
    '809',
    '1209',
    '1609',
  ]);
  expect(await rows(`select count(*)::int as n from stock_movement where source_id ~ '^r[0-9]+$'`)).toEqual([
    { n: 1_695 },
  ]);
});

test('a file that breaks off keeps what came before, names the place, and goes on once it is whole', async () => {
  const heading = 'order,account,ordered_at,sku,quantity,unit_price\n';
  const content =
    heading + Array.from({ length: 3_000 }, (_, i) => `T${i >> 1},17850,2026-03-02,A2,1,1.0${i % 10}\n`).join('');
  const packed = gzipSync(content);
  const cut = run('orders', packed.subarray(0, packed.length - 2_000), { channel: 'api' });
  await expect(cut).rejects.toMatchObject({
    code: 'XD_BODY_INVALID',
    message: expect.stringMatching(/after line \d+: the gzip data is broken or cut off/),
  });
  const [before] = await rows(`select count(*)::int as n from sales_order where external_no like 'T%'`);
  expect(before.n).toBeGreaterThan(0);
  const whole = await run('orders', packed, { channel: 'api' });
  expect(whole.applied + whole.repeated).toBe(3_000);
  expect(whole.repeated).toBe(before.n * 2);
  expect(whole.rejected).toBe(0);
});

const refusals: [string, KindName, string | Buffer, string, RegExp][] = [
  [
    'an unknown column',
    'products',
    'sku,descripton\nA1,x\n',
    'XD_VALUE_INVALID',
    /unknown column "descripton"; is it description\?/,
  ],
  ['a missing column', 'stock', 'sku,quantity\nA1,1\n', 'XD_VALUE_INVALID', /missing column location/],
  ['a column twice', 'products', 'sku,SKU\nA1,x\n', 'XD_VALUE_INVALID', /appears twice/],
  ['an empty file', 'products', '', 'XD_VALUE_INVALID', /is empty/],
  [
    'something that is no CSV',
    'products',
    Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0xff, 0x41]),
    'XD_VALUE_INVALID',
    /unknown column/,
  ],
  [
    'a quote that is never closed',
    'products',
    `sku\nQ1\n"Q2\n${'x\n'.repeat(100)}`,
    'XD_BODY_INVALID',
    /after line 2: a quote is opened and never closed/,
  ],
];
test.each(refusals)('%s is refused with its place', async (_what, kind, content, code, message) => {
  await expect(run(kind, content)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('what stands before a quote that is never closed is loaded, and a missing file is named', async () => {
  expect(await rows(`select code from sku where code like 'Q%'`)).toEqual([{ code: 'Q1' }]);
  await expect(load(opened, 'products', join(folder, 'nothing.csv'))).rejects.toMatchObject({
    message: expect.stringMatching(/there is no file/),
  });
});

test('supplies are loaded, replaced and used up by receipts that name them', async () => {
  await run('products', 'sku\nSUP1\n');
  const due = new Date(Date.now() + 5 * 86_400_000).toISOString();
  const file = `id,sku,location,quantity,due_at\nPO1,sup1,LON,10,${due}\nPO2,SUP1,MAN,5,${due}\nPO3,NOPE,LON,1,${due}\nPO4,SUP1,LON,-1,${due}\n`;
  const first = await run('supplies', file);
  expect(first).toMatchObject({ rows: 4, applied: 2, repeated: 0, rejected: 2 });
  expect(
    rejectsOf(first.rejects)
      .slice(1)
      .map((row) => /XD_\w+/.exec(row)?.[0]),
  ).toEqual(['XD_UNKNOWN_SKU', 'XD_VALUE_INVALID']);
  expect(await run('supplies', file, { restart: true })).toMatchObject({ applied: 0, repeated: 2, rejected: 2 });
  const later = 'id,sku,location,quantity,due_at,announced_at\n';
  expect(await run('supplies', `${later}PO2,SUP1,MAN,0,${due},2199-01-01\n`)).toMatchObject({ applied: 1 });
  const receipts = 'movement,sku,location,quantity,supply,supply_source\n';
  await run('stock', `${receipts}received,SUP1,LON,4,PO1,\n`);
  await run('stock', `${receipts}received,SUP1,LON,2,PO1,file\n`, { system: 'wms' });
  expect(
    await rows(
      `select source_id, s.quantity::int, received::int from supply s join sku using (sku_id) where code = 'SUP1' order by source_id`,
    ),
  ).toEqual([
    { source_id: 'PO1', quantity: 10, received: 6 },
    { source_id: 'PO2', quantity: 0, received: 0 },
  ]);
});

test('substitutes take the place of all a SKU had; a chain that comes back is rejected alone', async () => {
  await run('products', 'sku\nT1\nT2\nT3\n');
  expect(await run('substitutes', 'sku,substitute\nT1,T3\nT1,T2\nT2,T3\n')).toMatchObject({ applied: 3, rejected: 0 });
  const again = await run('substitutes', 'sku,substitute\nT1,t2\nT3,T1\nT2,NOPE\n');
  expect(again).toMatchObject({ applied: 1, rejected: 2 });
  expect(
    rejectsOf(again.rejects)
      .slice(1)
      .map((row) => row.split(',').slice(0, 2)),
  ).toHaveLength(2);
  expect(readFileSync(again.rejects!, 'utf8')).toMatch(/T3 would stand for itself in the end[\s\S]*no SKU ""NOPE""/);
  const lists = `select s.code || ' ' || i.code as list from sku_substitute t join sku s using (sku_id) join sku i on i.sku_id = t.substitute_id
                  where s.code like 'T%' order by s.code, t.rank`;
  expect((await rows(lists)).map(({ list }) => list)).toEqual(['T1 T2', 'T2 T3']);
});

test('products may have a GTIN; of two that name one, both are loaded and the second is told', async () => {
  const file =
    'sku,description,gtin\nGA,first,4006381333931\nGB,second,04006381333931\nGC,none,\nGD,wrong,4006381333930\n';
  const loaded = await run('products', file);
  expect(loaded).toMatchObject({ rows: 4, applied: 2, rejected: 2 });
  expect(rejectsOf(loaded.rejects).slice(1).sort()).toEqual([
    expect.stringMatching(/^3,gtin_taken,.*GTIN 04006381333931 of GB is that of GA already/),
    expect.stringMatching(/^5,XD_VALUE_INVALID,.*gtin.*no GTIN/),
  ]);
  const holders = 'select gtin, sku from product_gtin order by gtin';
  expect(await rows(`select code from sku where code like 'G_' order by code`)).toEqual(
    ['GA', 'GB', 'GC'].map((code) => ({ code })),
  );
  expect(await rows(holders)).toEqual([{ gtin: '04006381333931', sku: 'GA' }]);
  // The same again changes nothing; a file without the column says nothing of it; another number takes the place of the first.
  expect(await run('products', file, { restart: true })).toMatchObject({ applied: 2, rejected: 2 });
  await run('products', 'sku,description\nGA,first\n');
  expect(await rows(holders)).toEqual([{ gtin: '04006381333931', sku: 'GA' }]);
  await run('products', 'sku,gtin\nGA,73513537\n');
  await run('products', 'sku,gtin\nGB,4006381333931\n');
  expect(await rows(holders)).toEqual([
    { gtin: '00000073513537', sku: 'GA' },
    { gtin: '04006381333931', sku: 'GB' },
  ]);
});

test('prices and contracts that stand in the days of others are rejected with code and reason', async () => {
  await run('products', 'sku\nV1\n');
  await run('accounts', 'account\nV-1\n');
  const prices = await run(
    'prices',
    'sku,unit_price,price_list,valid_from,valid_to\nV1,5,spring,2026-03-01,2026-05-31\nV1,6,spring,2026-05-31,2026-06-30\nV1,7,spring,2026-06-01,\n',
  );
  expect(prices).toMatchObject({ applied: 2, rejected: 1 });
  expect(rejectsOf(prices.rejects)[1]).toContain('price_overlap');
  expect(rejectsOf(prices.rejects)[1]).toContain('overlaps the one from 2026-03-01 to 2026-05-31');
  const contracts = await run(
    'contracts',
    'contract,account,valid_from,valid_to\nV-A,V-1,2026-01-01,2026-12-31\nV-B,V-1,2026-12-31,\nV-C,NOBODY,,\n',
  );
  expect(contracts).toMatchObject({ applied: 1, rejected: 2 });
  expect(rejectsOf(contracts.rejects)[1]).toContain('overlaps contract V-A from 2026-01-01 to 2026-12-31');
  expect(rejectsOf(contracts.rejects)[2]).toContain('XD_UNKNOWN_ACCOUNT');
  const agreed = await run(
    'contract-prices',
    'contract,sku,unit_price,price_per,quantity_min\nV-A,v1,40,10,\nV-X,V1,1,,\n',
  );
  expect(agreed).toMatchObject({ applied: 1, rejected: 1 });
  expect(rejectsOf(agreed.rejects)[1]).toContain('no contract');
  expect(await rows('select unit_price::text, price_per, quantity_min from contract_price')).toEqual([
    { unit_price: '40', price_per: 10, quantity_min: 1 },
  ]);
});

test('kits, addresses and terms are loaded; a - says that there is none, and what is empty is not said', async () => {
  await run('products', 'sku,description,lifecycle,weight_g\nK1,a kit,phase_out,900\nK2,,,\nK3,part,,\n');
  expect(await run('kits', 'sku,component,quantity\nK1,K2,2\nK1,k3,1\nK2,K1,1\nK3,NOPE,1\n')).toMatchObject({
    applied: 2,
    rejected: 2,
  });
  const kit = `select c.code, quantity::int from kit_component join sku c on c.sku_id = component_id order by 1`;
  expect(await rows(kit)).toEqual([{ code: 'K2', quantity: 2 }, { code: 'K3', quantity: 1 }]); // biome-ignore format: a table
  const products = `select description, lifecycle, weight_g::int as weight from sku where code = 'K1'`;
  await run('products', 'sku,description,lifecycle,weight_g\nK1,,,-\n');
  expect(await rows(products)).toEqual([{ description: 'a kit', lifecycle: 'phase_out', weight: null }]);
  await run('kits', 'sku,component,quantity\nK1,-,\n');
  expect(await rows(kit)).toEqual([]);

  const head = 'account,parent,payment_terms,hold,priority_class,ship_complete\n';
  const loaded = await run('accounts', `${head}T1,,net30,owes,win,true\nT2,T1,,,,\nT3,,,,first,\nT4,T4,,,,\n`);
  expect(loaded).toMatchObject({ applied: 2, rejected: 2 });
  expect(readFileSync(loaded.rejects!, 'utf8')).toMatch(
    /priority_class must be one of[\s\S]*XD_ACCOUNT_CYCLE.*T4 would stand above itself: T4 > T4/,
  );
  await run('accounts', `${head}T1,,-,-,,false\n`);
  const accounts = `select a.code, p.code as parent, a.payment_terms, a.hold_reason, a.priority_class, a.ship_complete
                      from account a left join account p on p.account_id = a.parent_id where a.code like 'T_' order by 1`;
  expect(await rows(accounts)).toEqual([
    { code: 'T1', parent: null, payment_terms: null, hold_reason: null, priority_class: 'win', ship_complete: false },
    {
      code: 'T2',
      parent: 'T1',
      payment_terms: null,
      hold_reason: null,
      priority_class: 'redistribute',
      ship_complete: false,
    },
  ]);
  const addresses = await run(
    'addresses',
    'account,code,line1,line2,country\nT1,HQ,1 High Street,Leeds,GB\nT1,DOCK,Dock 2,,GB\nNOBODY,HQ,x,,GB\nT2,HQ,x,,England\n',
  );
  expect(addresses).toMatchObject({ applied: 2, rejected: 2 });
  expect(
    await rows(
      `select d.code, lines from account_address d join account a using (account_id) where a.code = 'T1' order by 1`,
    ),
  ).toEqual([
    { code: 'DOCK', lines: ['Dock 2'] },
    { code: 'HQ', lines: ['1 High Street', 'Leeds'] },
  ]);
});

test('what a system owns is rejected, the whole row, unless it is loaded in its name', async () => {
  const estate = await loadEstate(join(import.meta.dirname, '../../../examples/wholesaler/crossdock.config.ts'));
  const [system] = Object.keys(estate.systems) as [string];
  await Directory.open(opened.db, { ...estate, owners: { 'product.description': system, price: system } });
  const file = 'sku,description,weight_g\nK1,of a person,5\nK2,,7\n';
  const loaded = await run('products', file);
  expect(loaded).toMatchObject({ applied: 1, rejected: 1 });
  expect(rejectsOf(loaded.rejects)[1]).toMatch(
    new RegExp(`^2,XD_NOT_OWNER,.*description is owned by ${system}; person says`),
  );
  const weights = `select code, weight_g::int as weight, description from sku where code in ('K1', 'K2') order by 1`;
  expect(await rows(weights)).toMatchObject([{ weight: null, description: 'a kit' }, { weight: 7 }]);
  expect(await run('prices', 'sku,unit_price\nK1,1.00\n')).toMatchObject({ applied: 0, rejected: 1 });
  expect(await run('products', file, { as: system })).toMatchObject({ applied: 2, rejected: 0 });
  expect(await run('prices', 'sku,unit_price\nK1,1.00\n', { as: system, restart: true })).toMatchObject({ applied: 1 });
  expect(await rows(weights)).toMatchObject([{ weight: 5, description: 'of a person' }, { weight: 7 }]);
  await expect(run('products', file, { as: 'nobody' })).rejects.toThrow('no system nobody');
  await Directory.open(opened.db, estate);
});

test('quotas are loaded, again without a change, and bad ones are named', async () => {
  await run('products', 'sku\nQ1\nQ2\n');
  const good = 'Q1,api,2026-01-01,2027-01-01,5,9,true\nQ2,api,2026-01-01,2027-01-01,,9,\n';
  const head = 'sku,channel,from,to,ring_fenced,cap,lend\n';
  expect(await run('quotas', head + good)).toMatchObject({ rows: 2, applied: 2, rejected: 0 });
  expect(await run('quotas', `${head}${good}\n`)).toMatchObject({ applied: 2, rejected: 0 });
  const bad =
    'Q1,nope,2026-01-01,2027-01-01,5,9,\nQ1,api,2026-02-01,2027-01-01,5,9,\nQ1,api,2028-01-01,2027-01-01,5,9,\n';
  const { rejects, ...result } = await run('quotas', `${head}${bad}Q2,api,2027-01-01,2028-01-01,1,,\n`);
  expect(result).toMatchObject({ rows: 4, applied: 1, rejected: 3 });
  expect(rejectsOf(rejects).join('\n')).toMatch(/XD_UNKNOWN_CHANNEL[\s\S]*XD_QUOTA_OVERLAP[\s\S]*XD_VALUE_INVALID/);
  expect(
    await rows(
      'select s.code, ring_fenced::int as kept, cap::int as cap, lend from quota join sku s using (sku_id) order by quota_id',
    ),
  ).toEqual([
    { code: 'Q1', kept: 5, cap: 9, lend: true },
    { code: 'Q2', kept: 0, cap: 9, lend: false },
    { code: 'Q2', kept: 1, cap: null, lend: false },
  ]);
});
