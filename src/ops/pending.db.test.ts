import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { appendFacts } from '../log/index.ts';
import { Database } from '../store/index.ts';
import { pendingWork } from './index.ts';

const database = useDatabase();
let db: Database;
beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 2 });
});
afterAll(() => db.end());

test('facts that no reader has ever looked at are pending work', async () => {
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
  await database.pool.query(
    `insert into log_cursor (consumer, transaction_id, position) select 'outbound', transaction_id, position from fact`,
  );
  expect(await pendingWork(db)).toMatchObject({ behind: 1, total: 1 });
});
