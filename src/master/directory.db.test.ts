import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from '../store/index.ts';
import { type DeclaredEstate, Directory, putAccounts, readDeclared } from './index.ts';

const database = useDatabase();
let db: Database;
beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 2 });
});
afterAll(() => db.end());

it('what a start declares is what commands read back, also when it was something else before', async () => {
  const estate = (company: string, more: object): DeclaredEstate => ({
    companies: {
      UK: { currency: 'GBP', timeZone: 'Europe/London' },
      DE: { currency: 'EUR', timeZone: 'Europe/Berlin' },
    },
    locations: { LON: { company, region: 'south', priority: 3, ...more } },
    systems: { erp: {} },
    channels: { api: { company, sells: 'asks', locations: ['LON'], horizonDays: 7, buffer: 2 } },
  });
  await Directory.open(db, estate('UK', { safetyStock: 4 }));
  const first = await readDeclared(db);
  expect(first.locations).toEqual({ LON: { company: 'UK', region: 'south', priority: 3, safetyStock: null } });
  await Directory.open(db, estate('DE', {}));
  const directory = await Directory.open(db, await readDeclared(db));
  const companyId = directory.companies.get('DE')!.companyId;
  expect(directory.locations.get('LON')).toMatchObject({ companyId, region: 'south', priority: 3 });
  expect(directory.channels.get('api')).toMatchObject({ companyId, horizonDays: 7, buffer: 2 });
});

it('a crosswalk entry holds for its time, also for who has read it', async () => {
  const directory = await Directory.open(db, { companies: {}, locations: {}, systems: {}, channels: {} });
  const at = async () => {
    await directory.loadCrosswalk('shop', new Map([['sku', new Set(['S-1', 'S-2'])]]));
    return ['S-1', 'S-2'].map((id) => directory.ourCode('shop', 'sku', id, null));
  };
  expect(await at()).toEqual(['S-1', 'S-2']);
  await database.pool.query(
    `insert into crosswalk_entry (system, kind, outside_id, our_code, valid_to)
     values ('shop', 'sku', 'S-1', 'OLD', crossdock_now() + interval '1 hour'), ('shop', 'sku', 'S-2', 'TWO', 'infinity')`,
  );
  expect(await at()).toEqual(['OLD', 'TWO']);
  await database.pool.query(`update crosswalk_entry set valid_to = crossdock_now() where outside_id = 'S-1'`);
  expect(await at()).toEqual(['S-1', 'TWO']);
});

it('a merged account is followed also while somebody else looks whether it still is', async () => {
  const companies = { UK: { currency: 'GBP', timeZone: 'Europe/London' } };
  const directory = await Directory.open(db, { companies, locations: {}, systems: {}, channels: {} });
  const { companyId } = directory.companies.get('UK')!;
  await putAccounts(
    db,
    directory,
    ['GONE', 'LEFT'].map((account) => ({ account, company: 'UK' })),
  );
  const both = ['GONE', 'LEFT'].map((code) => ({ companyId, code }));
  await directory.loadAccounts(both);
  const [gone, left] = both.map(({ code }) => directory.findAccountId(companyId, code)!);
  await database.pool.query('update account set merged_into = $1 where account_id = $2', [left, gone]);
  await directory.loadMerged(both);
  expect(directory.followAccount(gone!)).toBe(left);
  const looking = directory.loadMerged(both);
  expect(directory.followAccount(gone!)).toBe(left);
  await looking;
  await database.pool.query('update account set merged_into = null where account_id = $1', [gone]);
  await directory.loadMerged(both);
  expect(directory.followAccount(gone!)).toBe(gone);
});
