/** Whose limit may count for an account: its own, then those of the accounts above it. */
import { readAccountTerms } from '../master/index.ts';
import type { Queryable } from '../store/index.ts';
import type { AccountPath } from './session.ts';

export async function readPaths(db: Queryable, accountIds: readonly number[]): Promise<Map<number, AccountPath>> {
  const terms = await readAccountTerms(db, accountIds);
  return new Map([...terms.values()].map(({ accountId, path }) => [accountId, path]));
}
