import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { appendFacts, logLag } from '../log/index.ts';
import { Database } from '../store/index.ts';
import { Pressure, pendingWork } from './index.ts';

const database = useDatabase();
let db: Database;
beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 2 });
});
afterAll(() => db.end());

test('facts that no reader has ever looked at are pending work, lag and pressure', async () => {
  expect(await pendingWork(db)).toMatchObject({ behind: 0, total: 0 });
  const fact = {
    type: 'price.changed',
    stream: 'price',
    version: 0,
    companyId: 1,
    occurredAt: '2026-03-02T09:00:00Z',
    data: {},
  };
  await db.transaction((tx) => appendFacts(tx, [fact]));
  expect(await pendingWork(db)).toMatchObject({ behind: 2, total: 2 });
  const pressure = new Pressure(db, { inFlightMax: 10, ageMaxMs: 1_000 });
  await pressure.sample();
  expect([pressure.behind, (await logLag(db, 'outbound')).behind]).toEqual([1, 1]);
  await database.pool.query(
    `insert into log_cursor (consumer, transaction_id, position) select 'outbound', transaction_id, position from fact`,
  );
  expect(await pendingWork(db)).toMatchObject({ behind: 1, total: 1 });
  await pressure.sample();
  expect([pressure.behind, (await logLag(db, 'outbound')).behind]).toEqual([0, 0]);
});

test('a line that waits is pending work only while something free could serve it', async () => {
  await db.execute(`insert into company (code, currency, time_zone) values ('P', 'GBP', 'UTC')`);
  await db.execute(
    `insert into location (code, company_id, region) select 'P-' || n, company_id, 'r' from company, generate_series(1, 2) as n where code = 'P'`,
  );
  await db.execute(
    `insert into channel (code, company_id, settings) select 'pending', company_id, '{"locations": ["P-1"]}' from company where code = 'P'`,
  );
  await db.execute(`insert into sku (code) values ('P-S')`);
  await db.execute(
    `insert into sales_order (order_id, company_id, channel_id, account_id, external_no, state, version, currency, total_minor, ordered_at,
                              units, units_open, units_refused)
     select -1, company_id, channel_id, 1, 'P', 'accepted', 1, 'GBP', 1, now(), 1, 1, 0 from channel where code = 'pending'`,
  );
  await db.execute(
    `insert into order_line (order_id, line_no, sku_id, quantity, unit_price, amount_minor, backordered)
     select -1, 1, sku_id, 1, 1, 1, 1 from sku where code = 'P-S'`,
  );
  const stock = (location: string) =>
    db.execute(
      `insert into stock_balance (sku_id, location_id, on_hand) select sku_id, location_id, 1 from sku, location
        where sku.code = 'P-S' and location.code = $1`,
      [location],
    );
  const servable = async () => (await pendingWork(db)).servable;
  expect(await servable()).toBe(0);
  // Free, but not where the channel serves.
  await stock('P-2');
  expect(await servable()).toBe(0);
  await stock('P-1');
  expect(await servable()).toBe(1);
  await db.execute(`update stock_balance set allocated = 1`);
  expect(await servable()).toBe(0);
});

test('what waits behind a delivery of its key that is in doubt does not stop intake; what could leave and does not, does', async () => {
  await db.execute(`insert into destination (code) values ('slow')`);
  const deliver = (key: number, reference: string, state: string, attempts: number) =>
    db.execute(
      `insert into delivery (destination_id, bucket, key, kind, reference, fact_position, state, attempts, payload, recorded_at)
       select destination_id, 0, $1, 'charge', $2, 0, $3::"char", $4, '{}', crossdock_now() - interval '1 hour' from destination where code = 'slow'`,
      [key, reference, state, attempts],
    );
  const pressure = new Pressure(db, { inFlightMax: 10, ageMaxMs: 5_000 });
  await deliver(1, 'doubtful', 'd', 7);
  await deliver(1, 'behind it', 'n', 0);
  await pressure.sample();
  expect([pressure.oldestMs, pressure.high]).toEqual([0, false]);
  await deliver(2, 'free to go', 'n', 0);
  await pressure.sample();
  expect(pressure.oldestMs).toBeGreaterThan(3_500_000);
  expect(pressure.high).toBe(true);
});
