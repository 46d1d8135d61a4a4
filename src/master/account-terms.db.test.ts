import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from '../store/index.ts';
import { Directory, putAccounts, readAccountTerms } from './index.ts';

const database = useDatabase();
let db: Database;
let directory: Directory;
beforeAll(async () => {
  db = new Database({ url: database.url, poolMax: 2 });
  const companies = { UK: { currency: 'GBP', timeZone: 'Europe/London' } };
  directory = await Directory.open(db, { companies, locations: {}, systems: {}, channels: {} });
});
afterAll(() => db.end());

it('what holds for an account is its own, else what the nearest above it has', async () => {
  const codes = ['TOP', 'MID', 'LOW', 'ALONE'];
  await putAccounts(
    db,
    directory,
    codes.map((account) => ({ account, company: 'UK' })),
  );
  const { companyId } = directory.companies.get('UK')!;
  await directory.loadAccounts(codes.map((code) => ({ companyId, code })));
  const [top, mid, low, alone] = codes.map((code) => directory.findAccountId(companyId, code)!);
  const { pool } = database;
  await pool.query(`update account set parent_id = $1, price_list = 'mid', ship_complete = true where code = 'MID'`, [
    top,
  ]);
  await pool.query(`update account set parent_id = $1, region = 'south' where code = 'LOW'`, [mid]);
  await pool.query(
    `update account set hold_reason = 'owes', payment_terms = 'net30', price_list = 'top', priority_class = 'win' where code = 'TOP'`,
  );
  const terms = await readAccountTerms(db, [low!, alone!, low!, 999_999]);
  expect([...terms.keys()].sort()).toEqual([low, alone].sort());
  expect(terms.get(low!)).toEqual({
    ...{ accountId: low, companyId, parentId: mid, path: [low, mid, top] },
    ...{ holdReason: 'owes', holdAccountId: top, paymentTerms: 'net30', priceList: 'mid' },
    ...{ priorityClass: 'redistribute', shipComplete: false, region: 'south' },
  });
  expect(terms.get(alone!)).toMatchObject({ parentId: null, path: [alone], holdReason: null, priceList: null });
  // Whatever is in the table, it ends.
  await pool.query(`update account set parent_id = $1 where code = 'TOP'`, [low]);
  expect((await readAccountTerms(db, [low!])).get(low!)!.path).toHaveLength(8);
  await pool.query(`update account set parent_id = null where code = 'TOP'`);
});
