/** The database that a command works on, with what the hub last declared in it. */
import { CrossdockError, fail } from '../canonical/index.ts';
import { Directory, readDeclared } from '../master/index.ts';
import { Database } from '../store/index.ts';
import { connectDatabase } from './connect.ts';
import { say } from './output.ts';

export interface Opened {
  db: Database;
  directory: Directory;
  close(): Promise<void>;
}

/** @throws XD_ESTATE_INVALID when nothing was ever declared there */
export async function openDatabase(options: { databaseUrl?: string }, name: string): Promise<Opened> {
  const connected = await connectDatabase({
    ...(options.databaseUrl && { url: options.databaseUrl }),
    demo: 'last',
    log: say,
  });
  const db = new Database({ url: connected.url, poolMax: 4, applicationName: `crossdock ${name}` });
  const close = async () => {
    await db.end();
    await connected.close();
  };
  try {
    const declared = await readDeclared(db);
    if (Object.keys(declared.companies).length === 0)
      fail(
        'XD_ESTATE_INVALID',
        'the database holds no estate yet: run crossdock start once with your crossdock.config.ts',
      );
    return { db, directory: await Directory.open(db, declared), close };
  } catch (error) {
    await close();
    throw withoutTables(error);
  }
}

/** Opens, works, closes, whatever happens. */
export async function withDatabase<T>(
  options: { databaseUrl?: string },
  name: string,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = await openDatabase(options, name);
  try {
    return await work(opened);
  } finally {
    await opened.close();
  }
}

/** A database without our tables was never migrated; anything else is what it is. */
export function withoutTables(error: unknown): unknown {
  if ((error as { code?: string }).code !== '42P01') return error;
  return new CrossdockError(
    'XD_STORE_MIGRATION',
    'the database has no Crossdock tables, or old ones: run crossdock migrate',
    {},
    { cause: error },
  );
}
