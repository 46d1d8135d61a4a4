/** Connections, and transactions whose outcome is always known. */
import { Socket } from 'node:net';
import pg from 'pg';
import { CrossdockError, fail } from '../canonical/index.ts';
import { GIVEN_UP, isAnswer, isConnectionFault, isSerializationFault } from './faults.ts';
import { type TurnKind, Turns } from './turns.ts';

// bigint columns are ids, versions and base units: all safe integers by construction (checked here once).
pg.types.setTypeParser(20, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) fail('XD_INTERNAL', `bigint ${text} is beyond exact range`);
  return value;
});

// timestamptz as PostgreSQL writes it in UTC with ISO dates, which is what every connection of ours asks for. Read thousands of
// times a second: the general parser takes five times as long.
const ISO = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00$/;
const parseAnyTimestamp = pg.types.getTypeParser(1184);
pg.types.setTypeParser(1184, (text) => {
  if (!ISO.test(text)) return parseAnyTimestamp(text);
  const part = (from: number, to: number) => {
    let value = 0;
    for (let i = from; i < to; i++) value = value * 10 + text.charCodeAt(i) - 48;
    return value;
  };
  let micros = 0;
  const digits = text.length - 3 - 20;
  if (digits > 0) micros = part(20, 20 + digits) * 10 ** (6 - digits);
  return new Date(
    Date.UTC(
      part(0, 4),
      part(5, 7) - 1,
      part(8, 10),
      part(11, 13),
      part(14, 16),
      part(17, 19),
      Math.floor(micros / 1000),
    ),
  );
});

/** A statement written by hand: prepared once per connection under its name. Values are always bound. */
export interface Statement<Row = Record<string, unknown>> {
  readonly name: string;
  readonly text: string;
  readonly __row?: Row;
}

const statementNames = new Map<string, string>();

/** Declares a named statement. Names are unique in the process: a second text under one name is a programming error. */
export function sql<Row = Record<string, unknown>>(name: string, text: string): Statement<Row> {
  const known = statementNames.get(name);
  if (known !== undefined && known !== text) fail('XD_INTERNAL', `two statements are called ${name}`);
  statementNames.set(name, text);
  return { name, text };
}

export interface Queryable {
  query<Row>(statement: Statement<Row>, values?: readonly unknown[]): Promise<Row[]>;
}

/** An open transaction. Lives only inside {@link Database.transaction}. */
export interface Tx extends Queryable {
  readonly xid: string;
  /**
   * Sends a statement of which only success matters and does not wait: statements run in the order in which they are sent, and what
   * comes next is made ready meanwhile. Its failure is thrown by the next {@link query}, at the latest by the commit.
   */
  write<Row>(statement: Statement<Row>, values?: readonly unknown[]): void;
}

const RACES_MAX = 5;

/**
 * Differs after each restart of the server, also the one that a killed backend brings about: what was not on disk then is gone, and the
 * ids of such transactions are given to others. (Who may not see the checkpointer's start sees only restarts of the whole server.)
 */
const INCARNATION = `concat_ws(' ', pg_postmaster_start_time(), (select backend_start from pg_stat_activity where backend_type = 'checkpointer'))`;

const TRANSACTION_MS_MAX = 90_000;
const BOUND_TRANSACTIONS = `select set_config(name, $1::text, false) from pg_settings where name = 'transaction_timeout'`;

export interface DatabaseOptions {
  url: string;
  poolMax?: number;
  applicationName?: string;
  /** The longest a transaction may take, where the server knows such a bound (PostgreSQL 17 and later). */
  transactionMsMax?: number;
  /** Called with a connection's fault while it idles; the pool replaces it. */
  onIdleFault?: (error: Error) => void;
}

export class Database implements Queryable {
  readonly #pool: pg.Pool;
  readonly #turns = new Turns();
  readonly #url: string;
  /** Also those of connections that are being made. */
  readonly #sockets = new Set<Socket>();
  #isGivenUp = false;
  /** Which life of the server a connection belongs to. */
  readonly #incarnations = new WeakMap<object, string>();
  /** Test seam: runs between the last statement and COMMIT, and may cut the connection. */
  beforeCommit: ((client: pg.PoolClient) => Promise<void> | void) | undefined;

  constructor(options: DatabaseOptions) {
    this.#url = options.url;
    this.#pool = new pg.Pool({
      connectionString: options.url,
      stream: () => this.#socket(),
      max: options.poolMax ?? 12,
      connectionTimeoutMillis: 5_000,
      // Statements leave when they are asked for, not when the one before is answered; they run in their order.
      pipeline: true,
      idleTimeoutMillis: 60_000,
      application_name: options.applicationName ?? 'crossdock',
      // Bounded on purpose: one open transaction with an id holds every log reader back. The isolation is said, because a server, a
      // role or a database may be set to another, under which rows are locked but what depends on them is read as it was before.
      options:
        '-c default_transaction_isolation=read\\ committed -c idle_in_transaction_session_timeout=15000 -c lock_timeout=10000 -c statement_timeout=60000 -c jit=off -c timezone=UTC -c datestyle=ISO',
      // Not among the options above: a server that doesn't know a setting refuses the connection.
      onConnect: async (client) => {
        await client.query(BOUND_TRANSACTIONS, [String(options.transactionMsMax ?? TRANSACTION_MS_MAX)]);
        const { rows } = await client.query(`select ${INCARNATION} as incarnation`);
        this.#incarnations.set(client, rows[0].incarnation);
      },
    });
    // Ended or given up, a connection may still hear of its own end before it is closed: nobody needs to know.
    this.#pool.on('error', (error) => {
      if (!this.#pool.ending && !this.#isGivenUp) options.onIdleFault?.(error);
    });
  }

  get waiting(): number {
    return this.#pool.waitingCount;
  }

  async query<Row>(statement: Statement<Row>, values: readonly unknown[] = []): Promise<Row[]> {
    this.#checkNotGivenUp();
    const result = await this.#pool.query({ name: statement.name, text: statement.text, values: values as unknown[] });
    return result.rows as Row[];
  }

  /** Runs text that is not worth preparing (administration); never with values from outside in the text. */
  async execute(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    this.#checkNotGivenUp();
    return (await this.#pool.query(text, values as unknown[])).rows;
  }

  /**
   * Runs `work` in one READ COMMITTED transaction and commits. Returns only after the commit is known to be on disk.
   * When the connection breaks at COMMIT, the transaction's id is looked up on a new connection (`pg_xact_status`), so a
   * caller never has to guess. Work that lost a race (deadlock, lock timeout) runs again, so it must keep nothing of a
   * failed run outside the transaction.
   * @throws XD_STORE_IN_DOUBT when the server could not be asked in time; the caller's key makes a retry safe
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work);
      } catch (error) {
        // Nothing of a lost race remains: the same work is decided again on fresh rows.
        if (!isSerializationFault(error) || attempt === RACES_MAX) throw error;
        await new Promise((resolve) => setTimeout(resolve, attempt * 5));
      }
    }
  }

  /**
   * A transaction that locks orders or balances. They take turns in this process, because they would otherwise wait for each
   * other inside the database, each holding a connection, its locks and everybody behind it. Other processes are met at the row locks.
   * @param kind `numbers` that channels sell against go before `intake`, and that before the `rest`; see {@link Turns}
   */
  async inTurn<T>(work: (tx: Tx) => Promise<T>, kind: TurnKind = 'rest'): Promise<T> {
    const leave = await this.turn(kind);
    try {
      return await this.transaction(work);
    } finally {
      leave();
    }
  }

  /** Waits for a turn; see {@link inTurn}. A lane takes what has gathered only then. @returns what ends the turn */
  turn(kind: TurnKind = 'rest'): Promise<() => void> {
    return this.#turns.take(kind);
  }

  async #attempt<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    this.#checkNotGivenUp();
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    let committing = false;
    let xid = '';
    let result: T;
    try {
      const begun = (await client.query(
        'begin; select pg_current_xact_id()::text as xid',
      )) as unknown as pg.QueryResult[];
      xid = begun[1]!.rows[0].xid as string;
      const send = <Row>(statement: Statement<Row>, values: readonly unknown[]) =>
        client.query({ name: statement.name, text: statement.text, values: values as unknown[] });
      // The first that failed says why; those after it only that the transaction has failed.
      let failed: { error: unknown } | undefined;
      const keep = (error: unknown) => {
        failed ??= { error };
      };
      let written: Promise<unknown> = Promise.resolve();
      const tx: Tx = {
        xid,
        query: async (statement, values = []) => {
          try {
            return (await send(statement, values)).rows;
          } catch (error) {
            keep(error);
            throw failed!.error;
          }
        },
        write: (statement, values = []) => {
          const before = written;
          written = send(statement, values)
            .catch(keep)
            .then(() => before);
        },
      };
      result = await work(tx);
      await written;
      if (failed !== undefined) throw (failed as { error: unknown }).error;
      if (this.beforeCommit) await this.beforeCommit(client);
      committing = true;
      const { command } = await client.query('commit');
      // COMMIT of a transaction in which a statement failed rolls back, and calls that a success.
      if (command !== 'COMMIT')
        fail('XD_INTERNAL', `transaction ${xid} ended with ${command} instead of a commit`, { xid });
    } catch (error) {
      const gone = broken !== undefined || isConnectionFault(error);
      if (!gone) {
        try {
          await client.query('rollback');
        } catch (rollbackError) {
          broken = rollbackError as Error;
        }
      }
      client.off('error', onError);
      const isLost = gone || broken !== undefined;
      // A connection that is thrown away may fail once more while it closes; one that goes back to the pool is listened to there.
      if (isLost) client.on('error', () => {});
      client.release(isLost);
      if (gone && committing) {
        if (await this.#committed(xid, this.#incarnations.get(client) ?? '')) return result!;
      }
      throw error;
    }
    client.off('error', onError);
    client.release(broken !== undefined);
    return result;
  }

  /**
   * Asks what became of a transaction whose COMMIT got no answer. After a restart its id may be somebody else's and says nothing: then
   * it counts as not committed, and whoever tries again finds by the key whether it was.
   */
  async #committed(xid: string, incarnation: string): Promise<boolean> {
    const started = performance.now();
    for (;;) {
      try {
        const asked = `select case when ${INCARNATION} = $2::text then pg_xact_status($1::text::xid8) end as status, ${INCARNATION} = $2::text as same`;
        const [row] = (await this.#pool.query(asked, [xid, incarnation])).rows;
        if (!row.same) return false;
        if (row.status === 'committed') return true;
        if (row.status === 'aborted') return false;
      } catch (error) {
        if (!isConnectionFault(error))
          throw new CrossdockError('XD_STORE_IN_DOUBT', `asking for transaction ${xid}`, { xid }, { cause: error });
      }
      if (performance.now() - started > 20_000 || this.#isGivenUp)
        fail('XD_STORE_IN_DOUBT', `transaction ${xid} could not be asked for in time`, { xid });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // Asked for before it was given up, made after it.
    if (this.#isGivenUp) setImmediate(() => socket.destroy());
    return socket;
  }

  /** Whether the server answers, asked on a connection of its own: the pool's may all be busy. */
  async answers(msMax: number): Promise<boolean> {
    const socket = this.#socket();
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'crossdock asks',
      connectionTimeoutMillis: msMax,
      query_timeout: msMax,
      stream: () => socket,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      await client.query('select 1');
      client.end().catch(() => {});
      return true;
    } catch (error) {
      // Not asked to end: who does not answer would not answer that.
      socket.destroy();
      return isAnswer(error);
    }
  }

  /**
   * For whoever stops and has no more time: what waits for the database fails now, and what asks for it later at once. Its server does
   * with what was under way as when a client is killed.
   */
  giveUp(): void {
    this.#isGivenUp = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #checkNotGivenUp(): void {
    if (this.#isGivenUp)
      fail('XD_STORE_UNAVAILABLE', 'the database did not answer, and this process ends', { reason: GIVEN_UP });
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }
}
