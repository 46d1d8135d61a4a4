import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { violations } from '../../test/helpers/promises.ts';
import { Database } from '../store/index.ts';
import { runTable } from './testing.ts';

const database = useDatabase();
let db: Database;
beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 4 });
});
afterAll(() => db.end());

let skuId = 0;
const table = (text: string) => runTable(db, database.pool, ++skuId, text);
const shortages = async (sku = skuId): Promise<string[]> =>
  (
    await database.pool.query(
      'select quantity, cause, owner, state from shortage where sku_id = $1 order by shortage_id',
      [sku],
    )
  ).rows.map((row) => `${row.quantity} ${row.cause.split(' ')[0]} ${row.owner} ${row.state}`);

describe('the ledger', () => {
  it('keeps on hand, reserved, allocated and exposed apart, and promises no unit twice', async () => {
    await table(`
      received 10  | 10 | 0 | 0 | 0 | 10
      reserve 3    | 10 | 3 | 0 | 0 | free 7
      allocate 4   | 10 | 3 | 4 | 0 | free 3
      expose 3     | 10 | 3 | 4 | 3 | free 0
      allocate 4   | 10 | 3 | 4 | 3 | refused
      reserve 4    | 10 | 3 | 4 | 3 | refused
      unreserve 3  | 10 | 0 | 4 | 3 | free 3
      release 1    | 10 | 0 | 3 | 3 | free 4
      expose 0     | 10 | 0 | 3 | 0 | free 7
      safety 7     | 10 | 0 | 3 | 0 |
      allocate 1   | 10 | 0 | 3 | 0 | refused
      adjusted 2   | 12 | 0 | 3 | 0 | 2
      allocate 2   | 12 | 0 | 5 | 0 | free 0
    `);
  });

  it('takes a count as of its own moment: what moved before is in it, what moved after comes on top', async () => {
    await table(`
      received 10 @09:00   | 10 | 0 | 0 | 0 | 10
      received 5 @11:00    | 15 | 0 | 0 | 0 | 5
      counted 8 @10:00     | 13 | 0 | 0 | 0 | -2
      received 4 @09:30    | 13 | 0 | 0 | 0 | 0
      received 4 @10:00    | 13 | 0 | 0 | 0 | 0
      received 4 @10:01    | 17 | 0 | 0 | 0 | 4
      adjusted -1 @12:00   | 16 | 0 | 0 | 0 | -1
      counted 3 @09:59     | 16 | 0 | 0 | 0 | superseded
      counted 20 @13:00    | 20 | 0 | 0 | 0 | 4
    `);
  });

  it('believes a source’s own sequence more than its clock, and another source’s clock', async () => {
    await table(`
      received 10 @09:00 wms#1  | 10 | 0 | 0 | 0 | 10
      received 3 @11:00 wms#3   | 13 | 0 | 0 | 0 | 3
      counted 8 @10:00 wms#4    | 8  | 0 | 0 | 0 | -5
      received 2 @12:00 wms#2   | 8  | 0 | 0 | 0 | 0
      received 2 @08:00 wms#5   | 10 | 0 | 0 | 0 | 2
      received 6 @09:59 erp#99  | 10 | 0 | 0 | 0 | 0
      received 6 @10:01 erp#1   | 16 | 0 | 0 | 0 | 6
      counted 1 @11:00 wms#3    | 16 | 0 | 0 | 0 | superseded
    `);
  });

  it('ends an allocation by a late pick even though a count knew of it already', async () => {
    await table(`
      received 10 @09:00   | 10 | 0 | 0 | 0 | 10
      allocate 6           | 10 | 0 | 6 | 0 | free 4
      counted 4 @11:00     | 4  | 0 | 6 | 0 | -6
      release 6            | 4  | 0 | 0 | 0 | free 4
      picked -6 @10:30     | 4  | 0 | 0 | 0 | 0
      picked -1 @11:30     | 3  | 0 | 0 | 0 | -1
    `);
  });

  it('calls goods that were promised and are gone a shortage, once and by how much more', async () => {
    await table(`
      received 10        | 10 | 0 | 0 | 0 | 10
      allocate 6         | 10 | 0 | 6 | 0 | free 4
      expose 4           | 10 | 0 | 6 | 4 | free 0
      adjusted -3        | 7  | 0 | 6 | 4 | -3
      adjusted -2        | 5  | 0 | 6 | 4 | -2
      allocate 1         | 5  | 0 | 6 | 4 | refused
      received 5         | 10 | 0 | 6 | 4 | 5
      counted 1 @13:00   | 1  | 0 | 6 | 4 | -9
    `);
    expect(await shortages()).toEqual([
      '3 adjusted operations open',
      '2 adjusted operations open',
      '9 counted operations open',
    ]);
  });

  it('writes nothing when it refuses, and keeps I1 in everything above', async () => {
    const { rows } = await database.pool.query('select count(*)::int as n from stock_movement where sku_id = 1');
    expect(rows[0].n).toBe(2);
    const found = await violations(database.pool, ['I2_allocated', 'I2_reserved']);
    expect(found).toEqual({});
  });
});
