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

interface Line {
  shipped: number;
  shippedMinor: number;
  cancelled: number;
  cancelledMinor: number;
  amountMinor?: number;
}

async function violations(line: Line, currency = 'GBP', per = 1): Promise<number> {
  await database.pool.query('truncate order_line, sales_order');
  await database.pool.query(
    `insert into sales_order (order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, ordered_at,
                              units, units_open, units_refused)
     values (1, 1, 1, 1, 'X', 'accepted', 1, $1, 0, now(), 0, 0, 0)`,
    [currency],
  );
  // 22 at 5.195 are 114.29; one is 5.20, and 21 are 109.10 from the beginning, 109.09 from the end.
  await database.pool.query(
    `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, picked, shipped, shipped_minor,
                             cancelled, cancelled_minor, backordered, price_per)
     values (1, 1, 1, 22, 5.195, $6, $1::bigint, $1::bigint, $2, $3::bigint, $4, 22 - $1::bigint - $3::bigint, $5)`,
    [line.shipped, line.shippedMinor, line.cancelled, line.cancelledMinor, per, line.amountMinor ?? 11429],
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

it('a price for several units, and a currency without cents or with thousandths, are counted as such', async () => {
  const nothing = { shipped: 0, shippedMinor: 0, cancelled: 0, cancelledMinor: 0 };
  // 22 at 5.195 for 12 are 9.524…; in yen 114.
  expect(await violations({ ...nothing, amountMinor: 952 }, 'GBP', 12)).toBe(0);
  expect(await violations({ ...nothing, amountMinor: 11429 }, 'GBP', 12)).toBe(1);
  expect(await violations({ ...nothing, amountMinor: 114 }, 'JPY')).toBe(0);
  expect(await violations({ ...nothing, amountMinor: 11429 }, 'JPY')).toBe(1);
  expect(await violations({ ...nothing, amountMinor: 114_290 }, 'BHD')).toBe(0);
  // 7 at 5.195 for 12 are 3.03; 15 of them 6.49, and 9.52 less 3.03 are 6.49.
  expect(await violations({ ...nothing, cancelled: 7, cancelledMinor: 303, amountMinor: 952 }, 'GBP', 12)).toBe(0);
  expect(await violations({ ...nothing, cancelled: 7, cancelledMinor: 304, amountMinor: 952 }, 'GBP', 12)).toBe(1);
});
