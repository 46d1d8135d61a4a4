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
