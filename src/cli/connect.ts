/** Which database a command works on. */
import pg from 'pg';
import { findRunningEmbedded, startEmbeddedPostgres } from '../store/embedded/index.ts';

export interface Connected {
  url: string;
  /** given when the embedded server is used: the folder its data lies in */
  dataDir?: string;
  /** stops what was started for this command; leaves what was running alone */
  close(): Promise<void>;
}

/**
 * DATABASE_URL when it is set; else the embedded database, running already (another terminal's `npm start`) or started for
 * as long as this command runs.
 * @param options.orDemo for commands on what a hub has written: see {@link demoOf}
 */
export async function connectDatabase(
  options: { url?: string; dir?: string; orDemo?: boolean; log?: (line: string) => void } = {},
): Promise<Connected> {
  const url = options.url ?? process.env.DATABASE_URL;
  if (url) return { url, close: async () => {} };
  const dir = options.dir ?? '.crossdock/pg';
  const running = await findRunningEmbedded(dir);
  const server = running ?? (await startEmbeddedPostgres({ dir, ...(options.log && { log: options.log }) }));
  const close = async () => {
    if ('stop' in server) await server.stop();
  };
  try {
    const demo = options.orDemo ? await demoOf(server.url) : undefined;
    if (demo !== undefined) options.log?.(`looking at the demo's database, ${demo.name}`);
    return { url: demo?.url ?? server.url, dataDir: 'dataDir' in server ? server.dataDir : dir, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Each run of the demo has a database of its own beside ours. It is meant while that demo runs, and after it as long as
 * ours holds no estate.
 */
async function demoOf(url: string): Promise<{ name: string; url: string } | undefined> {
  const client = new pg.Client({ connectionString: url, application_name: 'crossdock connect' });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; busy: boolean }>(
      `select datname as name, exists (select from pg_stat_activity a where a.datid = d.oid and a.backend_type = 'client backend') as busy
         from pg_database d where datname like 'crossdock_demo_%' order by datname desc limit 1`,
    );
    const [demo] = rows;
    if (demo === undefined || (!demo.busy && (await holdsEstate(client)))) return undefined;
    const demoUrl = new URL(url);
    demoUrl.pathname = `/${demo.name}`;
    return { name: demo.name, url: demoUrl.href };
  } finally {
    await client.end();
  }
}

async function holdsEstate(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query(`select to_regclass('company') is not null as migrated`);
  if (!rows[0].migrated) return false;
  return (await client.query('select exists (select from company) as declared')).rows[0].declared;
}
