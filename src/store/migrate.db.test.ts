import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/helpers/database.ts';
import { migrate } from './migrate.ts';

let dir: string;
let database: TestDatabase;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'crossdock-sql-'));
  database = await createTestDatabase({ empty: true });
});
afterEach(async () => {
  await database.drop();
  await rm(dir, { recursive: true });
});

const write = (name: string, text: string) => writeFile(join(dir, name), text);
const refusal = (reason: string) =>
  expect.objectContaining({ code: 'XD_STORE_MIGRATION', details: expect.objectContaining({ reason }) });

describe('migrate', () => {
  it('applies files in order, once', async () => {
    await write('0002_b.sql', 'insert into t values (2);');
    await write('0001_a.sql', 'create table t (n int); insert into t values (1);');
    expect(await migrate(database.url, { dir })).toEqual({ applied: ['0001_a.sql', '0002_b.sql'], already: 0 });
    expect(await migrate(database.url, { dir })).toEqual({ applied: [], already: 2 });
    expect((await database.pool.query('select n from t order by n')).rows).toEqual([{ n: 1 }, { n: 2 }]);
  });

  it('lets one of twenty clients do the work and the others find it done', async () => {
    // Each step fails when it is run twice, and is slow enough to be met by all.
    await write('0001_a.sql', 'create table t (n int primary key); select pg_sleep(0.05);');
    await write('0002_b.sql', 'insert into t values (2); select pg_sleep(0.05);');
    const results = await Promise.all(Array.from({ length: 20 }, () => migrate(database.url, { dir })));
    expect(results.filter((result) => result.applied.length === 2)).toHaveLength(1);
    expect(results.filter((result) => result.applied.length === 0 && result.already === 2)).toHaveLength(19);
  });

  it('refuses a released file that was edited, but not other line ends', async () => {
    await write('0001_a.sql', 'create table t (n int);\nselect 1;\n');
    await migrate(database.url, { dir });
    await write('0001_a.sql', 'create table t (n int);\r\nselect 1;\r\n');
    expect((await migrate(database.url, { dir })).already).toBe(1);
    await write('0001_a.sql', 'create table t (n bigint);\nselect 1;\n');
    await expect(migrate(database.url, { dir })).rejects.toEqual(refusal('edited'));
  });

  it('refuses a database that is ahead of the code', async () => {
    await write('0001_a.sql', 'select 1;');
    await write('0002_b.sql', 'select 1;');
    await migrate(database.url, { dir });
    await rm(join(dir, '0002_b.sql'));
    await expect(migrate(database.url, { dir })).rejects.toEqual(refusal('ahead'));
  });

  it('refuses a file numbered before the last one applied', async () => {
    await write('0002_b.sql', 'select 1;');
    await migrate(database.url, { dir });
    await write('0001_a.sql', 'create table t (n int);');
    await expect(migrate(database.url, { dir })).rejects.toEqual(refusal('order'));
  });

  it('refuses two files with one number, and a name of another form', async () => {
    await write('0001_a.sql', 'select 1;');
    await write('0001_b.sql', 'select 1;');
    await expect(migrate(database.url, { dir })).rejects.toEqual(refusal('files'));
    await rm(join(dir, '0001_b.sql'));
    await write('2.sql', 'select 1;');
    await expect(migrate(database.url, { dir })).rejects.toEqual(refusal('files'));
  });

  it('leaves nothing of a file that fails, and keeps those before it', async () => {
    await write('0001_a.sql', 'create table t (n int);');
    await write('0002_b.sql', 'create table u (n int);\ninsert into nowhere values (1);');
    await expect(migrate(database.url, { dir })).rejects.toThrow('0002_b.sql line 2');
    const { rows } = await database.pool.query(
      `select to_regclass('t') is not null as t, to_regclass('u') is not null as u`,
    );
    expect(rows).toEqual([{ t: true, u: false }]);
    await write('0002_b.sql', 'create table u (n int);');
    expect(await migrate(database.url, { dir })).toEqual({ applied: ['0002_b.sql'], already: 1 });
  });
});
