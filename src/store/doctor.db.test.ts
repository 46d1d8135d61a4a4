import { createServer } from 'node:net';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createTestDatabase, useDatabase } from '../../test/helpers/database.ts';
import { type DoctorOptions, refuseUnsafe, runDoctor } from './doctor.ts';

const database = useDatabase();

const find = async (code: string, options?: DoctorOptions, url = database.url) =>
  (await runDoctor(url, options)).findings.filter((finding) => finding.code === code);

describe('doctor', () => {
  it('finds nothing wrong with the embedded server and a migrated database', async () => {
    const { findings } = await runDoctor(database.url, { dataDir: '/' });
    expect(findings.filter((finding) => finding.level === 'error')).toEqual([]);
    expect(findings.map((finding) => finding.code)).toEqual(
      expect.arrayContaining(['store.fsync', 'store.full_page_writes', 'store.synchronous_commit', 'store.migrations']),
    );
  });

  it.each(['off', 'local'])('refuses synchronous_commit = %s set for the database', async (value) => {
    const name = new URL(database.url).pathname.slice(1);
    await database.pool.query(`alter database ${name} set synchronous_commit = ${value}`);
    try {
      expect(await find('store.synchronous_commit')).toEqual([
        expect.objectContaining({ level: 'error', what: `synchronous_commit = ${value} (from database)` }),
      ]);
      expect(await find('store.synchronous_commit_override')).toHaveLength(1);
      await expect(refuseUnsafe(database.url)).rejects.toMatchObject({
        code: 'XD_STORE_UNSAFE',
        details: { settings: ['synchronous_commit'] },
        message: expect.stringMatching(/\(from database\): .+\n {4}fix: alter database … reset synchronous_commit$/),
      });
    } finally {
      await database.pool.query(`alter database ${name} reset synchronous_commit`);
    }
    expect(await find('store.synchronous_commit')).toEqual([expect.objectContaining({ level: 'ok' })]);
    await refuseUnsafe(database.url);
  });

  it('refuses a server that writes pages without their full image', async () => {
    await database.pool.query('alter system set full_page_writes = off');
    await database.pool.query('select pg_reload_conf()');
    try {
      await expect
        .poll(async () => (await find('store.full_page_writes'))[0]?.level, { timeout: 5000, interval: 20 })
        .toBe('error');
      await expect(refuseUnsafe(database.url)).rejects.toThrow(
        /full_page_writes = off.+\n {4}fix: alter system set full_page_writes = on; select pg_reload_conf\(\)$/,
      );
    } finally {
      await database.pool.query('alter system reset full_page_writes');
      await database.pool.query('select pg_reload_conf()');
    }
  });

  it('names the process that keeps a transaction open', async () => {
    const client = new pg.Client({ connectionString: database.url, application_name: 'forgetful' });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select pg_current_xact_id()');
      expect(await find('store.open_transactions')).toEqual([expect.objectContaining({ level: 'ok' })]);
      const named = expect.objectContaining({ level: 'warning', what: expect.stringContaining('(forgetful,') });
      expect(await find('store.open_transactions', { transactionSecondsMax: 0 })).toContainEqual(named);
    } finally {
      await client.end();
    }
  });

  it('names migrations that are missing', async () => {
    const empty = await createTestDatabase({ empty: true });
    try {
      const [finding] = await find('store.migrations', {}, empty.url);
      expect(finding).toMatchObject({ level: 'error', what: expect.stringContaining('0001_') });
    } finally {
      await empty.drop();
    }
  });

  it('reports a taken port, and a server that is not there', async () => {
    const other = createServer();
    const port = await new Promise<number>((done) =>
      other.listen(0, '127.0.0.1', () => done((other.address() as { port: number }).port)),
    );
    expect(await find('setup.port', { ports: [port] })).toEqual([expect.objectContaining({ level: 'warning' })]);
    await new Promise((done) => other.close(done));
    expect(await find('setup.port', { ports: [port] })).toEqual([expect.objectContaining({ level: 'ok' })]);
    const away = `postgres://nobody@127.0.0.1:${port}/nowhere`;
    expect((await runDoctor(away)).findings).toEqual([
      expect.objectContaining({ code: 'store.reachable', level: 'error' }),
    ]);
  });
});
