/** How records were read, told to people: by the command line and by the API, from the messages that were kept. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { createApiKey } from '../api/index.ts';
import { createHub, type Hub } from '../app.ts';
import { connectors } from '../connectors/index.ts';
import { loadEstate } from '../estate/index.ts';
import { putAccounts, putProducts } from '../master/index.ts';
import { listen, type Server } from '../server.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-mapping-'));
const config = join(folder, 'estate.config.ts');

const fields = `
  number: '/no', company: { value: 'UK' }, account: { from: '/buyer', default: 'K1' },
  currency: { from: '/cur', table: 'currency' }, orderedAt: { from: '/at', as: 'time' }`;
const line = `
  sku: { from: '/item', as: 'sku' }, quantity: { from: '/n', unit: '/uom', as: 'quantity' },
  unitPrice: { jsonata: 'slow ? ($f := function($n) { $f($n + 1) }; $f(0)) : $string(net / 100)', as: 'decimal' }`;
const estateText = (codes: string) => `
const feed = (feed) => ({ kind: 'order', path: '/' + feed, list: '/orders', pageMax: 100,
  paging: { kind: 'page', id: '/no' },
  map: { fields: {${fields}}, lists: { lines: { from: '/rows', fields: {${line}} } },
    tables: { currency: { codes: ${codes} } }, units: { PCE: '1' }, packs: { A1: { CASE: '12' } } } });
export default {
  name: 'told', routing: {},
  companies: { UK: { currency: 'GBP', timeZone: 'Europe/London' } },
  locations: { LON: { company: 'UK', region: 'south', priority: 1 } },
  systems: {
    web: { connector: 'rest', url: { secret: 'env', name: 'TOLD_URL' }, token: { secret: 'env', name: 'TOLD_TOKEN' },
      settings: { auth: { kind: 'bearer' }, probe: { path: '/' }, feeds: { orders: feed('orders') } } },
    crm: { connector: 'sim-crm', url: 'http://127.0.0.1:9', token: { secret: 'env', name: 'TOLD_TOKEN' } },
    legacy: { connector: 'files', url: ${JSON.stringify(`file://${folder}`)}, settings: { inbound: [{
      feed: 'stock', folder: 'in', match: '*.csv', format: { kind: 'csv' }, settle: { by: 'rename' },
      map: { as: 'received', fields: { id: 'Id', sku: 'Item', location: { from: 'Loc', codes: { L: 'LON' } },
        quantity: { from: 'Qty', packs: { by: 'Unit', units: { ea: 1 } } }, occurredAt: 'At' } } }] } },
  },
  channels: {
    web: { company: 'UK', system: 'web', sells: 'asks', locations: ['LON'] },
    crm: { company: 'UK', system: 'crm', sells: 'asks', locations: ['LON'] },
  },
};`;

let hub: Hub;
let server: Server;
let key: string;
const env = { TOLD_URL: 'http://127.0.0.1:9', TOLD_TOKEN: 'a-secret-of-the-tests' };
beforeAll(async () => {
  writeFileSync(config, estateText(`{ '826': 'GBP' }`));
  const estate = await loadEstate(config, { connectors: connectors.keys() });
  hub = await createHub({ estate, databaseUrl: database.url, connectors, secrets: { env, readFile: () => '' } });
  await putProducts(hub.db, [{ sku: 'A1' }]);
  await putAccounts(hub.db, hub.directory, [{ account: 'K1', company: 'UK', channel: 'web' }]);
  server = await listen(hub, { port: 0 });
  ({ key } = await createApiKey(hub.db, { name: 'told', scopes: ['read', 'write', 'operate'] }));
});
afterAll(async () => {
  await server?.close();
  await hub?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Without the estate's secrets: nothing is sent. */
// biome-ignore lint/suspicious/noExplicitAny: documents are asserted, not typed
function crossdock(...args: string[]): Promise<{ code: number; json: any; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'main.ts'), ...args],
      { cwd: folder, env: { ...process.env, DATABASE_URL: database.url, NODE_OPTIONS: '', NO_COLOR: '1' } },
      (error, stdout, stderr) => {
        const json = args.includes('--json') && stdout !== '' ? JSON.parse(stdout) : undefined;
        resolve({ code: error === null ? 0 : Number(error.code), json, stdout, stderr });
      },
    );
  });
}

/** A page as the poller hands it in. */
async function came(system: string, page: unknown): Promise<void> {
  const body = Buffer.from(JSON.stringify(page));
  const reads = hub.rereads(system);
  if (typeof reads === 'string') throw new Error(reads);
  const items = reads.flatMap((reread) => reread(body));
  await hub.receiver.receive({
    ...{ system, source: 'poll', contentType: 'application/json', body, items, onFault: 'park' },
  });
}

const order = (no: string, changed: object = {}, row: object = {}) => ({
  ...{ no, cur: 826, at: '2026-03-01T09:30:00Z', buyer: 'K1' },
  rows: [{ item: 'a1', n: 2, uom: 'CASE', net: 255, ...row }],
  ...changed,
});
const parkedId = async (name: string): Promise<string> => {
  const { rows } = await database.pool.query('select parked_id from parked_record where key = $1', [name]);
  return String(rows[0].parked_id);
};
const get = async (path: string, token = key) => {
  const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  // biome-ignore lint/suspicious/noExplicitAny: documents are asserted, not typed
  return { status: answer.status, json: (await answer.json()) as any };
};

test('trace tells each step of the mapping that an order came through', async () => {
  await came('web', { orders: [order('W0'), order('W1')] });
  const { json, stderr } = await crossdock('trace', 'web/W1', '--mapping', '--config', config, '--json');
  expect(json?.mappings, stderr).toHaveLength(1);
  const [told] = json.mappings;
  expect(told).toMatchObject({
    ...{ scope: 'order/web', key: 'W1', system: 'web', source: 'poll', untold: null, isAsItCame: true, next: null },
    record: order('W1'),
    command: { kind: 'order.submitted', externalNo: 'W1', lines: [{ sku: 'A1', quantity: 24, unitPrice: '2.55' }] },
  });
  expect(told.steps).toContainEqual({ field: 'currency', step: 'table', by: 'currency', input: 826, output: 'GBP' });
  expect(told.steps).toContainEqual({
    ...{ field: 'lines/0/quantity', step: 'unit', by: '"CASE"', input: 2, output: '24' },
  });

  const { stdout } = await crossdock('trace', 'web/W1', '--mapping', '--config', config);
  expect(stdout).toMatch(/read {3}order\/web W1, of message \d+ \(poll, web\)/);
  expect(stdout).toMatch(/lines\/0\/quantity +unit "CASE" +2 → "24"/);
  expect(stdout).not.toContain('a-secret-of-the-tests');

  const { rows } = await database.pool.query(`select order_id from sales_order where external_no = 'W1'`);
  const answer = await get(`/v1/orders/${rows[0].order_id}/mapping`);
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({ order: 'web/W1', truncated: false });
  expect(answer.json.mappings[0].steps).toEqual(told.steps);
});

test('without the flag nothing of a message is shown, and a key that may only read is refused', async () => {
  const { stdout, json } = await crossdock('trace', 'web/W1', '--json');
  expect(json.mappings).toBeUndefined();
  expect(stdout).not.toContain('"buyer"');
  const { key: reader } = await createApiKey(hub.db, { name: 'reader', scopes: ['read'] });
  const id = json.orderId;
  expect((await get(`/v1/orders/${id}/timeline`, reader)).status).toBe(200);
  expect((await get(`/v1/orders/${id}/mapping`, reader)).status).toBe(403);
  expect((await get('/v1/parked/1/mapping', reader)).status).toBe(403);
});

test.each([
  ['W2', { cur: 999 }, {}, { field: 'currency', step: 'table', input: 999 }, 'Add 999 to tables.currency.codes'],
  [
    'W3',
    {},
    { uom: 'PAL' },
    { field: 'lines/0/quantity', step: 'unit', by: '"PAL"', input: 2 },
    'how many base units "PAL" is',
  ],
  [
    'W4',
    {},
    { slow: true },
    { field: 'lines/0/unitPrice', step: 'jsonata' },
    'Correct the expression of lines/0/unitPrice',
  ],
])('%s, parked, is told up to the step that failed, with what to do', async (no, changed, row, last, next) => {
  await came('web', { orders: [order(no, changed, row)] });
  const id = await parkedId(no);
  const { json } = await crossdock('parked', 'show', id, '--config', config, '--json');
  expect(json.mapping).toMatchObject({ untold: null, command: null, isAsItCame: true });
  expect(json.mapping.steps.at(-1)).toMatchObject(last);
  expect(json.mapping.steps.at(-1).refused).toBeTypeOf('string');
  expect(json.mapping.refused.reason).toContain(json.mapping.steps.at(-1).refused);
  expect(json.mapping.next).toContain(next);
  const { stdout } = await crossdock('parked', 'show', id, '--config', config);
  expect(stdout).toMatch(new RegExp(`✗ ${last.field} .*✗ `));
  expect(stdout).toContain(`next: ${json.mapping.next}`);
  expect(stdout).toContain(`then: crossdock parked edit ${id} --reread --replay`);
  const answer = await get(`/v1/parked/${id}/mapping`);
  expect(answer.json.steps).toEqual(json.mapping.steps);
});

test('trace of an order that could not be read says where it is', async () => {
  const { code, json } = await crossdock('trace', 'web/W3', '--json');
  expect([code, json.error.code]).toEqual([1, 'XD_NOT_FOUND']);
  expect(json.error.details.parked).toEqual([Number(await parkedId('W3'))]);
  expect(json.error.message).toContain(`crossdock parked show ${await parkedId('W3')} (unreadable)`);
});

test('a mapping that was mended reads what it could not read before', async () => {
  const id = await parkedId('W2');
  const refused = await crossdock('parked', 'edit', id, '--reread', '--config', config, '--json');
  expect([refused.code, refused.json.error.code]).toEqual([1, 'XD_REFUSED']);
  const mended = join(folder, 'mended.config.ts');
  writeFileSync(mended, estateText(`{ '826': 'GBP', '999': 'GBP' }`));
  const { stdout } = await crossdock('parked', 'show', id, '--config', mended);
  expect(stdout).toContain(`it can be read now: crossdock parked edit ${id} --reread --replay`);
  expect(stdout).toContain('the mapping has changed since');
  const replayed = await crossdock('parked', 'edit', id, '--reread', '--replay', '--config', mended, '--json');
  expect(replayed.json).toMatchObject({ applied: 1, still: 0 });
  const { rows } = await database.pool.query(`select currency from sales_order where external_no = 'W2'`);
  expect(rows).toEqual([{ currency: 'GBP' }]);
});

test('rows of files are told by their columns', async () => {
  const values = { Id: 'M1', Item: 'A1', Loc: 'L', Qty: '5', Unit: 'crate', At: '2026-03-01T09:30:00Z' };
  await came('legacy', {
    ...{ file: 'a.csv', changedAt: '2026-03-01T09:30:00.000Z', digest: 'd', notes: [] },
    records: [{ line: 2, values }],
  });
  const { json } = await crossdock('parked', 'show', await parkedId('M1'), '--config', config, '--json');
  expect(json.mapping.steps).toContainEqual({
    field: 'location',
    step: 'table',
    by: 'codes',
    input: 'L',
    output: 'LON',
  });
  expect(json.mapping.steps.at(-1)).toEqual({
    ...{ field: 'quantity', step: 'unit', by: '"crate"', input: 5, refused: 'is a unit that nobody mapped' },
  });
});

test('what code maps is one step, from the record to the command', async () => {
  const record = {
    ...{ seq: 1, type: 'order', number: 'C1', account: 'K1', company: 'UK', currency: 'GBP' },
    orderedAt: '2026-03-01T09:30:00Z',
    lines: [{ lineNo: 1, sku: 'A1', quantity: 6, unitPrice: '2.55' }],
  };
  await came('crm', { records: [record], next: 1, more: false });
  const { json } = await crossdock('trace', 'crm/C1', '--mapping', '--config', config, '--json');
  expect(json.mappings[0].steps).toEqual([
    { field: '', step: 'command', by: 'order.submitted', input: record, output: json.mappings[0].command },
  ]);
});

test('why there is nothing to tell is said', async () => {
  const bare = await crossdock('trace', 'web/W1', '--mapping', '--json');
  expect(bare.json.mappings[0].untold).toContain('name the estate file with --config');
  await database.pool.query(`delete from raw_record`);
  const gone = await crossdock('trace', 'web/W1', '--mapping', '--config', config);
  expect(gone.stdout).toContain('the message is older than what is kept');
});
