import { afterAll, beforeAll, expect, test } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from '../store/index.ts';
import { checkPromises } from './index.ts';

const database = useDatabase();
let db: Database;
beforeAll(() => {
  db = new Database({ url: database.url, poolMax: 2 });
});
afterAll(() => db.end());

test('an empty database breaks no promise', async () => {
  const promises = await checkPromises(db);
  expect(Object.values(promises).flatMap((promise) => promise.examples)).toEqual([]);
});
