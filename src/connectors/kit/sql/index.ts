import { fail } from '../../../canonical/index.ts';
import type { ConnectorContext } from '../types.ts';
import { type SqlClient, type SqlDriver, sqlClient } from './client.ts';
import { mysqlDriver } from './mysql.ts';
import { postgresDriver } from './postgres.ts';

export * from './client.ts';
export * from './snapshot.ts';

/** A client by the URL's scheme: `postgresql://`, `postgres://`, `mysql://` or `mariadb://`. Connects at its first use. */
export function sqlClientFor({ system, url, token, limits }: ConnectorContext, isReadOnly: boolean): SqlClient {
  const wrong = (): never =>
    fail('XD_ESTATE_INVALID', `systems.${system}.url must be postgresql://… or mysql://… with a database`, {
      place: `systems.${system}.url`,
    });
  const scheme = URL.canParse(url) ? new URL(url).protocol : wrong();
  const { timeoutMs, concurrency } = limits;
  const options = { url, password: token, isReadOnly, concurrency, timeoutMs };
  const isPostgres = scheme === 'postgresql:' || scheme === 'postgres:';
  if (!isPostgres && scheme !== 'mysql:' && scheme !== 'mariadb:') return wrong();
  let loaded: Promise<SqlDriver> | undefined;
  const load = () => (loaded ??= isPostgres ? postgresDriver(options) : mysqlDriver(options));
  let driver: SqlDriver | undefined;
  return sqlClient(
    {
      dialect: isPostgres ? 'postgresql' : 'mysql',
      async connect() {
        driver = await load();
        return driver.connect();
      },
      begin: (run, readOnly) => driver!.begin(run, readOnly),
      faultOf: (error) => driver?.faultOf(error) ?? { kind: 'lost', text: 'no driver' },
      close: async () => (await loaded)?.close(),
    },
    limits,
  );
}
