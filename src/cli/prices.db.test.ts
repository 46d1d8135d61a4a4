/** `crossdock prices` over the simulated estate: one price with its reasons, and a proof against ERP, CRM, shop and marketplace. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { startEstate, stockEstate, type TestEstate } from '../../test/helpers/estate.ts';
import { putPrices } from '../master/index.ts';
import { putContractPrices, putContracts } from '../pricing/index.ts';

const database = useDatabase();
const folder = mkdtempSync(join(tmpdir(), 'crossdock-prices-'));
let estate: TestEstate;
beforeAll(async () => {
  estate = await startEstate(database.url);
  await stockEstate(estate);
  const { hub, drained } = estate;
  await putPrices(hub.db, hub.directory, [
    { company: 'UK', sku: 'A1', currency: 'GBP', unitPrice: '10.00' },
    { company: 'UK', sku: 'A2', currency: 'GBP', unitPrice: '4.00' },
  ]);
  await putContracts(hub.db, hub.directory, [
    { company: 'UK', contract: 'OLD', account: 'K1', validTo: '2025-12-31' },
    { company: 'UK', contract: 'NEW', account: 'K1', validFrom: '2026-01-01' },
  ]);
  const prices = ['OLD', 'NEW'].map((contract) => ({ company: 'UK', contract, sku: 'A1', unitPrice: '9.00' }));
  await putContractPrices(hub.db, hub.directory, [...prices, { ...prices[1]!, unitPrice: '8.00', quantityMin: 10 }]);
  await drained();
});
afterAll(async () => {
  await estate?.stop();
  rmSync(folder, { recursive: true, force: true });
});

// biome-ignore lint/suspicious/noExplicitAny: documents are asserted, not typed
function crossdock(...args: string[]): Promise<{ code: number; json: any; stdout: string; stderr: string }> {
  const urls = Object.entries(estate.urls).map(([kind, url]) => [`${kind.toUpperCase()}_URL`, url]);
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(import.meta.dirname, 'main.ts'), 'prices', ...args],
      {
        env: {
          ...process.env,
          ...Object.fromEntries(urls),
          ...{ SIM_TOKEN: 'sim-token', SHOP_WEBHOOK_SECRET: 'a-secret-of-the-tests' },
          ...{ DATABASE_URL: database.url, NODE_OPTIONS: '', NODE_COMPILE_CACHE: join(folder, 'cache') },
        },
      },
      (error, stdout, stderr) => {
        const json = args.includes('--json') && stdout !== '' ? JSON.parse(stdout) : undefined;
        resolve({ code: error === null ? 0 : Number(error.code), json, stdout, stderr });
      },
    );
  });
}

test('show says the price, the next tier, and why nothing else was used', async () => {
  const { code, stdout } = await crossdock('show', 'K1', 'a1', '--quantity', '3', '--date', '2026-06-01');
  expect([code, stdout]).toEqual([
    0,
    `3 × A1 for K1 on 2026-06-01: 9.00 GBP, 27.00 GBP in all
  → contract NEW of K1: used (9.00 GBP, from 2026-01-01)
    contract OLD of K1: has expired (9.00 GBP, to 2025-12-31)
    list base: has one, too; a stronger source has it already (10.00 GBP)
  from 10 on: 8.00 GBP
`,
  ]);
  const none = await crossdock('show', 'K1', 'A3', '--json');
  expect(none.json).toMatchObject({ unitPrice: null, reasons: [{}, { source: 'base', why: 'not_named' }] });
  expect((await crossdock('show', 'NOBODY', 'A1', '--json')).json.error.code).toBe('XD_UNKNOWN_ACCOUNT');
  expect((await crossdock('show', 'K1', 'A1', '--date', '2026-02-30')).code).toBe(2);
});

test('prove asks the ERP, the CRM and the shops, and names what differs by how much', async () => {
  const agreed = [
    { sku: 'A1', unitPrice: '10.00', currency: 'GBP' },
    { sku: 'A2', unitPrice: '4.00', currency: 'GBP' },
    { account: 'K1', sku: 'A1', unitPrice: '9.00', currency: 'GBP' },
    { account: 'K1', sku: 'A1', unitPrice: '96.00', pricePer: 12, quantityMin: 10, currency: 'GBP' },
  ];
  await estate.drive('erp', 'quotes', { quotes: agreed });
  const config = join(import.meta.dirname, '../../examples/wholesaler/crossdock.config.ts');
  const prove = (...more: string[]) => crossdock('prove', '--config', config, '--json', ...more);
  const fine = await prove();
  expect(fine.json.differences).toEqual([]);
  expect(fine.code).toBe(0);
  expect(fine.json.compared).toMatchObject({
    erp: { compared: 4, differences: 0 },
    shop: { compared: 2, differences: 0 },
    marketplace: { compared: 2, differences: 0 },
    crm: { compared: 0 },
  });
  expect(fine.json.notLookedAt).toEqual([{ where: 'wms', why: 'its connector can not be asked for prices' }]);
  await estate.drive('erp', 'quotes', { quotes: [{ account: 'K1', sku: 'A1', unitPrice: '9.50', currency: 'GBP' }] });
  await estate.drive('crm', 'quotes', { quotes: [{ account: 'K1', sku: 'A1', unitPrice: '9.00', currency: 'EUR' }] });
  const found = await prove('--account', 'K1', '--sku', 'A1');
  expect(found.code).toBe(3);
  const named = (found.json.differences as Record<string, unknown>[]).map(
    ({ where, kind, quantity, differenceMinor, percent }) =>
      [where, kind, quantity, differenceMinor, percent].join(' '),
  );
  expect(named.sort()).toEqual(['crm other_currency 1  ', 'crm other_currency 10  ', 'erp differs 1 50 5.56']);
  const text = await crossdock('prove', '--config', config, '--account', 'K1', '--sku', 'A1');
  expect(text.stdout).toMatch(/^erp +differs +K1 +A1 +1 .* 9\.00 GBP +9\.50 GBP +0\.50 GBP +5\.56 % +contract NEW$/m);
});
