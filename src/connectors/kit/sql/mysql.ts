import { type SqlDriver, type SqlRow, type SqlSession, withoutValues } from './client.ts';
import type { DriverOptions } from './postgres.ts';

/** By number, as the two servers name them differently: too many connections, lock wait, deadlock, interrupted, out of time. */
const LATER = new Set([1040, 1203, 1205, 1213, 1226, 1317, 1969, 3024]);

/** MySQL and MariaDB. Times are read in UTC: `timestamp` is converted by the server, `datetime` has no zone and is taken as it is. */
export async function mysqlDriver(options: DriverOptions): Promise<SqlDriver> {
  const { default: mysql } = await import('mysql2/promise');
  const { timeoutMs, isReadOnly, concurrency, password } = options;
  const url = new URL(options.url);
  const pool = mysql.createPool({
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: password ?? decodeURIComponent(url.password),
    database: decodeURIComponent(url.pathname.slice(1)),
    connectionLimit: concurrency,
    connectTimeout: timeoutMs,
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: false,
  });
  return {
    dialect: 'mysql',
    async connect(): Promise<SqlSession> {
      const connection = await pool.getConnection();
      let isHeld = true;
      const run: SqlSession['run'] = async (text, values) => {
        // Prepared: the server binds the values, and takes one statement.
        const [found] = await connection.execute({ sql: text, timeout: timeoutMs + 2_000 }, values as never);
        if (!Array.isArray(found)) return { rows: [], changed: (found as { affectedRows: number }).affectedRows };
        return { rows: (found as Record<string, unknown>[]).map(asTexts), changed: 0 };
      };
      const plain = (text: string) => connection.query(text);
      try {
        await plain(`set session time_zone = '+00:00', sql_mode = 'TRADITIONAL,NO_BACKSLASH_ESCAPES'`);
        await plain(`set session transaction ${isReadOnly ? 'read only' : 'read write'}`);
        // The two servers call it differently, and one counts seconds.
        await plain(`set session max_statement_time = ${timeoutMs / 1000}`).catch(() =>
          plain(`set session max_execution_time = ${timeoutMs}`),
        );
      } catch (error) {
        connection.destroy();
        throw error;
      }
      return {
        run,
        destroy() {
          if (isHeld) connection.destroy();
          isHeld = false;
        },
        release() {
          if (isHeld) connection.release();
          isHeld = false;
        },
      };
    },
    async begin(run, readOnly) {
      await run(
        readOnly ? 'start transaction with consistent snapshot, read only' : 'start transaction read write',
        [],
      );
    },
    close: () => pool.end(),
    faultOf(error) {
      const {
        code = '',
        message = '',
        errno,
        sqlState,
      } = error as { code?: string; message?: string; errno?: number; sqlState?: string };
      const text = `${code} ${withoutValues(message)}`.trim();
      if (errno === undefined || sqlState === undefined) return { kind: 'lost', text };
      return { kind: LATER.has(errno) ? 'later' : 'refused', text };
    },
  };
}

function asTexts(row: Record<string, unknown>): SqlRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, textOf(value)]));
}

function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Buffer.isBuffer(value)) return value.toString('utf8');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
