/** Which database a command works on. */
import pg from 'pg';
import { findRunningEmbedded, startEmbeddedPostgres } from '../store/embedded/index.ts';

export interface Connected {
  url: string;
  /** whose it is: named by the caller, the embedded one's own, or that of the demo beside it */
  kind: 'given' | 'embedded' | 'demo';
  /** given when the embedded server is used: the folder its data lies in */
  dataDir?: string;
  /** stops what was started for this command; leaves what was running alone */
  close(): Promise<void>;
}

/**
 * DATABASE_URL when it is set; else the embedded database, running already (another terminal's `npm start`) or started for
 * as long as this command runs.
 * @param options.demo for commands that look at a hub: the demo's database while it runs, or also the last one's; see {@link demoOf}
 */
export async function connectDatabase(
  options: { url?: string; dir?: string; demo?: 'running' | 'last'; log?: (line: string) => void } = {},
): Promise<Connected> {
  const url = options.url ?? process.env.DATABASE_URL;
  if (url) return { url, kind: 'given', close: async () => {} };
  const dir = options.dir ?? '.crossdock/pg';
  const running = await findRunningEmbedded(dir);
  const server = running ?? (await startEmbeddedPostgres({ dir, ...(options.log && { log: options.log }) }));
  const close = async () => {
    if ('stop' in server) await server.stop();
  };
  try {
    const demo = options.demo ? await demoOf(server.url, options.demo) : undefined;
    if (demo !== undefined) options.log?.(`looking at the demo's database, ${demo.name}`);
    const dataDir = 'dataDir' in server ? server.dataDir : dir;
    return { url: demo?.url ?? server.url, kind: demo === undefined ? 'embedded' : 'demo', dataDir, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Each run of the demo has a database of its own beside ours. It is meant while that demo runs and no hub works on ours; the
 * last one's also after it, as long as ours holds no estate.
 */
async function demoOf(url: string, which: 'running' | 'last'): Promise<{ name: string; url: string } | undefined> {
  const client = new pg.Client({ connectionString: url, application_name: 'crossdock connect' });
  client.on('error', () => {});
  await client.connect();
  try {
    // A hub's connections bear this name; those of the other commands say which command they are.
    const { rows } = await client.query<{ name: string; busy: boolean; ours_is_busy: boolean }>(
      `select datname as name,
              exists (select from pg_stat_activity a where a.datid = d.oid and a.application_name = 'crossdock') as busy,
              exists (select from pg_stat_activity a
                       where a.datname = current_database() and a.application_name = 'crossdock') as ours_is_busy
         from pg_database d where datname like 'crossdock_demo_%' order by datname desc limit 1`,
    );
    const [demo] = rows;
    if (demo === undefined || demo.ours_is_busy) return undefined;
    if (!demo.busy && (which === 'running' || (await holdsEstate(client)))) return undefined;
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
