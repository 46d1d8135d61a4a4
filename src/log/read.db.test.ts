import { describe, expect, it } from 'vitest';
import { useDatabase } from '../../test/helpers/database.ts';
import { Database } from '../store/index.ts';
import { readNext } from './read.ts';

const database = useDatabase();

describe('reading the log', () => {
  it('goes by the number of the transaction, not by its text, also when a batch is full', async () => {
    // Transactions 9, 10 and 100, written long ago; as texts they would come as 10, 100, 9, and a full batch would skip 9.
    await database.pool.query(
      `insert into fact (transaction_id, type, stream, stream_version, company_id, occurred_at, data)
       select id::xid8, 'stock.received', 'stock/1@1', n, 1, now(), '{}' from unnest($1::text[]) with ordinality as t(id, n)`,
      [['9', '10', '100']],
    );
    const db = new Database({ url: database.url, poolMax: 2 });
    try {
      const read: string[] = [];
      for (let i = 0; i < 4; i++)
        for (const fact of (await db.transaction((tx) => readNext(tx, 'test', 1))).facts) read.push(fact.transactionId);
      expect(read).toEqual(['9', '10', '100']);
    } finally {
      await db.end();
    }
  });
});
