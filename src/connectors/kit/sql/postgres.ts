import { type SqlDriver, type SqlSession, withoutValues } from './client.ts';

export interface DriverOptions {
  url: string;
  password: string | null;
  isReadOnly: boolean;
  concurrency: number;
  timeoutMs: number;
}

/** The server ends a statement before we give it up: otherwise it would go on for nobody. */
const GIVEN_UP_AFTER_MS = 2_000;

export async function postgresDriver(options: DriverOptions): Promise<SqlDriver> {
  // Loaded only for such a system. Not the hub's own database: that one no connector knows.
  const { default: pg } = await import('pg');
  const { timeoutMs, isReadOnly, concurrency, url, password } = options;
  const pool = new pg.Pool({
    connectionString: withPassword(url, password),
    max: concurrency,
    application_name: 'crossdock',
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs + GIVEN_UP_AFTER_MS,
    statement_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
    options: `-c default_transaction_read_only=${isReadOnly ? 'on' : 'off'} -c timezone=UTC -c datestyle=ISO`,
    // Texts as they are: numeric is no float, and a time no Date.
    types: { getTypeParser: () => (value: string) => value } as never,
  });
  // Of idle connections; the next use says what matters.
  pool.on('error', () => {});
  // The pool listens to those that are idle. One that is lost in use also says so to whoever waits for its answer; unheard it would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    dialect: 'postgresql',
    async connect(): Promise<SqlSession> {
      const client = await pool.connect();
      let isHeld = true;
      const giveBack = (destroy: boolean) => {
        if (isHeld) client.release(destroy);
        isHeld = false;
      };
      return {
        // The extended protocol takes one statement at a time, whatever its text holds.
        run: async (text, values) => {
          const { rows, rowCount } = await client.query({ text, values: [...values], queryMode: 'extended' } as never);
          return { rows, changed: rowCount ?? 0 };
        },
        destroy: () => giveBack(true),
        release: () => giveBack(false),
      };
    },
    async begin(run, readOnly) {
      await run(readOnly ? 'begin isolation level repeatable read read only' : 'begin', []);
    },
    async close() {
      if (!pool.ended && !pool.ending) await pool.end();
    },
    faultOf(error) {
      const { code = '', message = '' } = error as { code?: string; message?: string };
      const text = `${code} ${withoutValues(message)}`.trim();
      // 25P03 and 25P04: the server ended a transaction that took too long, ours being the slow side; the statement is not to blame.
      if (!/^[0-9A-Z]{5}$/.test(code) || /^(08|57P|25P0[34])/.test(code)) return { kind: 'lost', text };
      // Cancelled, deadlock, out of resources, or too many connections.
      return { kind: /^(40|53|55|57)/.test(code) ? 'later' : 'refused', text };
    },
  };
}

/** What stands in the URL, also that nothing does, counts for more with the driver than what is said beside it. */
function withPassword(url: string, password: string | null): string {
  if (password === null) return url;
  const own = new URL(url);
  own.password = encodeURIComponent(password);
  return own.href;
}
