/** One connection whose changes are rolled back: each lie meets the same honest database. */
import pg from 'pg';
import { expect } from 'vitest';
import type { Queryable } from '../../src/store/index.ts';

export class RolledBack {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(url: string): Promise<RolledBack> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return new RolledBack(client);
  }

  /** Runs `statements`, then `look` in the same transaction, then rolls back. @throws when a statement changes nothing */
  async after<T>(statements: readonly string[], look: (db: Queryable) => Promise<T>): Promise<T> {
    const client = this.#client;
    let last: Promise<unknown> = Promise.resolve();
    const db: Queryable = {
      query: <Row>(statement: { name: string; text: string }, values: readonly unknown[] = []) => {
        const asked = last.then(async () => (await client.query({ ...statement, values: [...values] })).rows as Row[]);
        last = asked.catch(() => {});
        return asked;
      },
    };
    await client.query('begin');
    try {
      for (const statement of statements) {
        const { rowCount, command } = await client.query(statement);
        // A corruption that hits nothing would prove nothing.
        if (['UPDATE', 'DELETE', 'INSERT'].includes(command)) expect(rowCount, statement).toBeGreaterThan(0);
      }
      return await look(db);
    } finally {
      await client.query('rollback');
    }
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
