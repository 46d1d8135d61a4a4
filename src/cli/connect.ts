/** Which database a command works on. */
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
 */
export async function connectDatabase(
  options: { url?: string; dir?: string; log?: (line: string) => void } = {},
): Promise<Connected> {
  const url = options.url ?? process.env.DATABASE_URL;
  if (url) return { url, close: async () => {} };
  const dir = options.dir ?? '.crossdock/pg';
  const running = await findRunningEmbedded(dir);
  if (running) return { url: running.url, dataDir: dir, close: async () => {} };
  const server = await startEmbeddedPostgres({ dir, ...(options.log && { log: options.log }) });
  return { url: server.url, dataDir: server.dataDir, close: () => server.stop() };
}
