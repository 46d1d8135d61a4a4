import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlDriver } from './client.ts';
import { postgresDriver } from './postgres.ts';

let driver: SqlDriver;
beforeAll(async () => {
  const url = 'postgresql://user@127.0.0.1:9/nobody';
  driver = await postgresDriver({ url, password: null, isReadOnly: true, concurrency: 1, timeoutMs: 1_000 });
});
afterAll(() => driver.close());

it.each([
  ['08006', 'lost'],
  ['57P01', 'lost'],
  // A transaction that the server ended because we were slow: refused, the order would never be written.
  ['25P03', 'lost'],
  ['25P04', 'lost'],
  ['ECONNRESET', 'lost'],
  ['40001', 'later'],
  ['55P03', 'later'],
  ['57014', 'later'],
  ['53300', 'later'],
  ['25006', 'refused'],
  ['23505', 'refused'],
  ['42P01', 'refused'],
] as const)('%s is %s', (code, kind) => {
  expect(driver.faultOf({ code, message: 'as the server says it' }).kind).toBe(kind);
});
