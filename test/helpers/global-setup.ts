/** Vitest's global set-up for database tests: one server for the run, and a template with the whole schema. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate, readMigrationFiles } from '../../src/store/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
    databaseTemplate: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const own = process.env.CROSSDOCK_TEST_DATABASE_URL;
  const dir = own ? undefined : await mkdtemp(join(tmpdir(), 'crossdock-test-pg-'));
  const server = dir
    ? await startEmbeddedPostgres({ dir: join(dir, 'pg'), settings: { log_min_messages: 'fatal' } })
    : undefined;
  const url = own ?? server!.url;
  const template = await makeTemplate(url);
  project.provide('databaseUrl', url);
  project.provide('databaseTemplate', template);
  return async () => {
    await server?.stop('immediate');
    if (dir) await rm(dir, { recursive: true, force: true });
  };
}

/** The name holds a hash of the files, so a server of one's own keeps it from run to run until the schema changes. */
async function makeTemplate(url: string): Promise<string> {
  const files = await readMigrationFiles();
  const hash = createHash('sha256')
    .update(files.map((file) => file.sha256).join())
    .digest('hex')
    .slice(0, 12);
  const template = `crossdock_template_${hash}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const found = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [template]);
    if (found.rowCount === 0) {
      await client.query(`drop database if exists ${template} with (force)`);
      await client.query(`create database ${template} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`);
      const templateUrl = new URL(url);
      templateUrl.pathname = `/${template}`;
      await migrate(templateUrl.href);
      await nameWithoutEnding(templateUrl.href);
      // Only a whole one is marked, so one that a killed run left half-made is made again.
      await client.query(`alter database ${template} is_template true`);
    }
  } finally {
    await client.end();
  }
  return template;
}

/** Tests name F1 and R1; the ending, which is another in each database, has tests of its own. */
async function nameWithoutEnding(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`update hub set reference_ending = ''`);
  await client.end();
}
