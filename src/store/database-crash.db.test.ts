/** A server that crashes at a COMMIT: what was not on disk is gone, and its transaction's id is given to somebody else. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, it } from 'vitest';
import { Database } from './database.ts';
import { startEmbeddedPostgres } from './embedded/index.ts';
import { isConnectionFault } from './faults.ts';
import { sql } from './index.ts';

const insert = sql('test_insert_kept', 'insert into kept values (1)');

it('is not told for committed because another transaction has its id now', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'crossdock-crash-'));
  const server = await startEmbeddedPostgres({ dir: join(dir, 'pg'), settings: { log_min_messages: 'panic' } });
  const others = async (work: (client: pg.Client) => Promise<void>) => {
    const client = new pg.Client(server.url);
    await client.connect();
    await work(client);
    await client.end();
  };
  const db = new Database({ url: server.url, poolMax: 2, onIdleFault: () => {} });
  try {
    await others(async (client) => {
      await client.query('create table kept (n int); create table other (n int); checkpoint');
    });
    let id = '';
    db.beforeCommit = async () => {
      db.beforeCommit = undefined;
      await server.kill();
      await server.restart();
      // Others work on, until one of them has the id of ours and committed.
      await others(async (client) => {
        for (let given = 0n; given < BigInt(id); ) {
          const { rows } = await client.query(
            'insert into other values (1) returning pg_current_xact_id()::text as id',
          );
          given = BigInt(rows[0].id);
        }
      });
    };
    const told = await db
      .transaction(async (tx) => {
        id = tx.xid;
        await tx.query(insert);
        return 'committed';
      })
      .catch((error: unknown) => {
        expect(isConnectionFault(error)).toBe(true);
        return 'not known';
      });
    expect(await db.execute('select n from kept')).toEqual([]);
    expect(told).toBe('not known');
  } finally {
    await db.end();
    await server.stop('immediate');
    await rm(dir, { recursive: true });
  }
}, 60_000);
