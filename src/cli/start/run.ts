import { dirname, join, resolve } from 'node:path';
import { type Logger, pino } from 'pino';
import { createHub } from '../../app.ts';
import { CrossdockError } from '../../canonical/index.ts';
import { connectors } from '../../connectors/index.ts';
import { listUnapplied, loadEstate, secretSources } from '../../estate/index.ts';
import { listen } from '../../server.ts';
import { refuseUnsafe } from '../../store/doctor.ts';
import { DATABASE_PAUSE_MS_MAX, isConnectionFault, UnderWay } from '../../store/index.ts';
import { migrate } from '../../store/migrate.ts';
import { connectDatabase } from '../connect.ts';
import { EXIT } from '../output.ts';
import { onShutdown } from '../shutdown.ts';
import type { StartOptions } from '../start.ts';
import { stopWithin } from './stop-within.ts';

const DATABASE_WAIT_MS_MAX = 60_000;
/** Whoever told us to stop often kills after 30 s, and then nobody says what it was. */
const STOP_MS_MAX = 20_000;

/** Runs until told to stop. Logs are JSON lines on stderr: ids and codes, no payloads. */
export async function runStart(options: StartOptions & { json: boolean }): Promise<number> {
  const log = pino({ level: process.env.LOG_LEVEL ?? 'info', base: { role: options.role } }, pino.destination(2));
  const estate = await loadEstate(options.config, { connectors: connectors.keys() });
  for (const { path, meaning } of listUnapplied(estate))
    log.warn({ path, meaning }, `${path} is declared, not applied by this version`);
  const database = await connectDatabase({ dir: join(options.dir, 'pg') });
  await whenDatabaseAnswers(log, () => refuseUnsafe(database.url));
  const { applied } = await whenDatabaseAnswers(log, () => migrate(database.url));
  if (applied.length > 0) log.info({ applied }, 'schema migrated');
  const hub = await whenDatabaseAnswers(log, () =>
    createHub({
      estate,
      databaseUrl: database.url,
      connectors,
      secrets: secretSources(dirname(resolve(options.config))),
      role: options.role,
      onError: (where, error) =>
        log.warn(
          {
            where,
            code: (error as { code?: string }).code,
            message: error instanceof Error ? error.message : String(error),
          },
          'will be tried again',
        ),
    }),
  );
  let stop: (reason: string) => void = () => {};
  const stopped = new Promise<string>((resolve) => {
    stop = resolve;
  });
  const release = onShutdown((reason) => stop(reason));
  await whenDatabaseAnswers(log, () => hub.start());
  // A worker answers health and metrics too, on a port of its own choosing.
  const server = await listen(hub, {
    host: options.host,
    port: options.port ?? Number(process.env.PORT ?? (options.role === 'worker' ? 0 : 8480)),
    log,
  });
  log.info({ url: server.url, estate: estate.name }, 'ready');
  if (options.json) process.stdout.write(`${JSON.stringify({ ready: true, url: server.url, pid: process.pid })}\n`);
  else process.stdout.write(`Crossdock ready: ${server.url}\n`);
  const reason = await stopped;
  log.info({ reason }, 'stopping');
  const waits = new UnderWay();
  await stopWithin({
    msMax: STOP_MS_MAX,
    work: async () => {
      hub.beginStop();
      await waits.until('requests', server.close());
      await hub.stop();
      await waits.until('embedded database', database.close());
    },
    underWay: () => [...waits.names, ...hub.underWay()],
    onLate: (underWay) => {
      log.error({ underWay, afterMs: STOP_MS_MAX }, 'could not stop in time: ends without what is under way');
      process.exit(EXIT.failed);
    },
  });
  release();
  return EXIT.ok;
}

/**
 * Hub and database are often started together, or fail together: one that came up first waits for the other instead of ending.
 * The work must bear being done again.
 */
async function whenDatabaseAnswers<T>(log: Logger, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  for (let pauseMs = 100; ; pauseMs = Math.min(DATABASE_PAUSE_MS_MAX, pauseMs * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isConnectionFault(error) && !isConnectionFault((error as Error).cause)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      if (performance.now() - started > DATABASE_WAIT_MS_MAX)
        throw new CrossdockError(
          'XD_STORE_UNAVAILABLE',
          `the database has not answered for ${DATABASE_WAIT_MS_MAX / 1000} s: ${message}; start it, or check DATABASE_URL`,
          {},
          { cause: error },
        );
      log.warn({ code: (error as { code?: string }).code, message }, 'waiting for the database');
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
