import { afterAll, beforeAll, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from '../store/index.ts';
import { lineAmounts } from './promises-money.sql.ts';

const database = useDatabase();
let db: Database;

beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 1 });
});
afterAll(() => db.end());

async function violations(line: {
  shipped: number;
  shippedMinor: number;
  cancelled: number;
  cancelledMinor: number;
}): Promise<number> {
  await database.pool.query('truncate order_line');
  // 22 at 5.195 are 114.29; one is 5.20, and 21 are 109.10 from the beginning, 109.09 from the end.
  await database.pool.query(
    `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, picked, shipped, shipped_minor,
                             cancelled, cancelled_minor, backordered)
     values (1, 1, 1, 22, 5.195, 11429, $1::bigint, $1::bigint, $2, $3::bigint, $4, 22 - $1::bigint - $3::bigint)`,
    [line.shipped, line.shippedMinor, line.cancelled, line.cancelledMinor],
  );
  const [row] = await db.query(lineAmounts);
  return row!.violations;
}

it('half a penny a unit is counted from the end for what was shipped, from the beginning for what was given up', async () => {
  expect(await violations({ shipped: 21, shippedMinor: 10909, cancelled: 0, cancelledMinor: 0 })).toBe(0);
  expect(await violations({ shipped: 21, shippedMinor: 10909, cancelled: 1, cancelledMinor: 520 })).toBe(0);
  expect(await violations({ shipped: 22, shippedMinor: 11429, cancelled: 0, cancelledMinor: 0 })).toBe(0);
  expect(await violations({ shipped: 0, shippedMinor: 0, cancelled: 22, cancelledMinor: 11429 })).toBe(0);
});

it('an amount that is a penny off is found', async () => {
  expect(await violations({ shipped: 21, shippedMinor: 10910, cancelled: 0, cancelledMinor: 0 })).toBe(1);
  expect(await violations({ shipped: 21, shippedMinor: 10909, cancelled: 1, cancelledMinor: 519 })).toBe(1);
});
