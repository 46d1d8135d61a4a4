/** Other people's databases: sessions that can only read unless said otherwise, values as texts, bounded in time and rows. */
import { CrossdockError, fail } from '../../../canonical/index.ts';
import { type BudgetLimits, CallBudget } from '../budget.ts';
import { systemClock } from '../clock.ts';
import { mayStart } from '../permit.ts';

/** Values as the database writes them, so that no decimal is ever a float; null stays null. */
export type SqlRow = Record<string, string | null>;

export interface SqlAnswer {
  rows: SqlRow[];
  /** Rows that a change touched. */
  changed: number;
}

/** One statement with bound values; `$1` or `?` as the dialect has it. */
export type SqlRun = (text: string, values: readonly unknown[]) => Promise<SqlAnswer>;

/** One connection of a driver. */
export interface SqlSession {
  run: SqlRun;
  /** Ends the connection: whatever is open in it is rolled back by the server. */
  destroy(): void;
  release(): void;
}

export interface SqlDriver {
  readonly dialect: Dialect;
  connect(): Promise<SqlSession>;
  begin(run: SqlRun, isReadOnly: boolean): Promise<void>;
  close(): Promise<void>;
  /** What an error means. Its text holds no values. */
  faultOf(error: unknown): { kind: 'lost' | 'later' | 'refused'; text: string };
}
export type Dialect = 'postgresql' | 'mysql';

export interface SqlClient {
  readonly dialect: Dialect;
  readonly pausedMs: number;
  /** Statements of one read-only transaction: all see one moment. */
  reading<T>(signal: AbortSignal, use: (run: SqlRun) => Promise<T>): Promise<T>;
  /** Statements of one transaction: all of them or none. */
  writing<T>(signal: AbortSignal, use: (run: SqlRun) => Promise<T>): Promise<Written<T>>;
  close(): Promise<void>;
}

/** `in_doubt`: the commit was sent, and nobody said what became of it. */
export type Written<T> =
  | { done: true; value: T }
  | { done: false; outcome: 'later' | 'refused' | 'in_doubt'; error: string };

/** Thrown inside `writing` to end it without an effect. */
export class SqlRefused extends Error {}

export function sqlClient(driver: SqlDriver, limits: BudgetLimits & { timeoutMs: number }): SqlClient {
  const budget = new CallBudget(limits, systemClock);

  async function turn(signal: AbortSignal): Promise<() => void> {
    const release = await budget.acquire(limits.timeoutMs, signal);
    if (typeof release === 'string')
      fail('XD_CONNECTOR_RATE_LIMITED', `no turn within the system's budget: ${release}`);
    if (mayStart(signal)) return release;
    release();
    return fail('XD_CONNECTOR_UNAVAILABLE', 'may not start any more');
  }

  /** Each statement is a call of the system's budget. */
  const counted =
    (session: SqlSession, signal: AbortSignal): SqlRun =>
    async (text, values) => {
      const release = await turn(signal);
      try {
        return await session.run(text, values);
      } finally {
        release();
      }
    };

  function told(error: unknown): never {
    if (error instanceof CrossdockError) throw error;
    const { kind, text } = driver.faultOf(error);
    return fail(kind === 'refused' ? 'XD_CONNECTOR_REFUSED' : 'XD_CONNECTOR_UNAVAILABLE', text, {}, { cause: error });
  }

  return {
    dialect: driver.dialect,
    get pausedMs() {
      return budget.pausedMs;
    },
    async reading(signal, use) {
      let session: SqlSession | undefined;
      try {
        session = await driver.connect();
        await driver.begin(session.run, true);
        const value = await use(counted(session, signal));
        await session.run('rollback', []);
        session.release();
        return value;
      } catch (error) {
        session?.destroy();
        return told(error);
      }
    },
    async writing(signal, use) {
      let session: SqlSession | undefined;
      let committing = false;
      try {
        session = await driver.connect();
        await driver.begin(session.run, false);
        const value = await use(counted(session, signal));
        if (!mayStart(signal)) throw new CrossdockError('XD_CONNECTOR_UNAVAILABLE', 'may not start any more');
        committing = true;
        await session.run('commit', []);
        session.release();
        return { done: true, value };
      } catch (error) {
        session?.destroy();
        if (error instanceof SqlRefused) return { done: false, outcome: 'refused', error: error.message };
        if (error instanceof CrossdockError) return { done: false, outcome: 'later', error: error.message };
        const { kind, text } = driver.faultOf(error);
        // Before the commit was sent a lost connection is a rollback. An answer to it that says no is one, too.
        const outcome = kind === 'lost' ? (committing ? 'in_doubt' : 'later') : kind;
        return { done: false, outcome, error: text };
      }
    },
    close() {
      budget.stop();
      return driver.close();
    },
  };
}

/** What a server says, without the values it says it about. A value may hold quotes itself, so all from the first to the last goes. */
export function withoutValues(text: string): string {
  return text.replace(/["'].*["']/s, '"…"').slice(0, 200);
}
