/** Tryton's JSON-RPC: one URL, the method in the body, errors with status 200. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import {
  type ConnectorContext,
  type Fault,
  type HttpAnswer,
  HttpClient,
  type Outcome,
  RATE_LIMITED_PAUSE_MS,
} from '../kit/index.ts';

const ROOT = '/';
/** Locks are held for the length of a transaction of somebody else's; Tryton itself has tried five times before it says so. */
const LOCKED_PAUSE_MS = 500;
const LOCKED =
  /could not obtain lock|could not serialize access|deadlock detected|canceling statement due to lock timeout/;
/**
 * What the database or the way to it may say, also while committing: whether the work is done is not known then. Whatever else is raised
 * was raised before the commit, for what is in the request. Tryton sends no class and, as installed, no traceback: the text must do.
 */
const OF_THE_DATABASE =
  /connection|server closed|cursor|canceling statement|terminating|database|relation|SSL|disk|space left|memory|time ?out|psycopg|OperationalError|InterfaceError/i;

export type Written = { done: true; value: unknown } | { done: false; outcome: Outcome; itemsToBlame: boolean };
export type Domain = readonly unknown[];
export type Row = Readonly<Record<string, unknown>> & { id: number };

/** What Tryton means by an error it answers with. All work of a call is one transaction: what it refuses had no effect. */
export function faultOf({ value }: Pick<HttpAnswer, 'value'>): Fault | undefined {
  const error = (value as { error?: unknown } | null | undefined)?.error;
  if (!Array.isArray(error)) return undefined;
  const [kind, said] = error as unknown[];
  const name = typeof kind === 'string' ? kind.trim() : 'error';
  const message = `${name}: ${flat(said)}`;
  switch (name) {
    case 'UserError':
      return { class: 'refused', message };
    // Somebody must look at it and say that it may go on (`res.user.warning`): a person, not we.
    case 'UserWarning':
      return { class: 'refused', message };
    case 'ConcurrencyException':
      return { class: 'later', message, retryAfterMs: LOCKED_PAUSE_MS };
    case 'RateLimitException':
      return { class: 'later', message, retryAfterMs: RATE_LIMITED_PAUSE_MS };
    case 'LoginException':
      return { class: 'signed_out', message };
  }
  // An exception of Python's or the database's: its message.
  if (LOCKED.test(name)) return { class: 'later', message: name, retryAfterMs: LOCKED_PAUSE_MS };
  if (OF_THE_DATABASE.test(name)) return { class: 'in_doubt', message: name };
  return { class: 'refused', message: name };
}

/** Texts of an error's nested arguments. */
function flat(said: unknown): string {
  if (typeof said === 'string') return said;
  return Array.isArray(said)
    ? said
        .map(flat)
        .filter((text) => text !== '')
        .join(' ')
    : '';
}

export class Tryton {
  readonly client: HttpClient;
  readonly #user: string;
  readonly #password: string;
  readonly #company: number | undefined;
  #context: Promise<Readonly<Record<string, unknown>>> | undefined;
  #id = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(context: ConnectorContext, { user, company }: { user: string; company?: number | undefined }) {
    this.#user = user;
    this.#password = context.token ?? '';
    this.#company = company;
    this.client = new HttpClient(context, {
      faultOf,
      auth: {
        signIn: async (send) => {
          const answer = await send(this.#request('common.db.login', [this.#user, { password: this.#password }]));
          const { result } = (answer.value ?? {}) as { result?: unknown };
          if (Array.isArray(result) && typeof result[0] === 'number' && typeof result[1] === 'string') {
            const session = `${this.#user}:${result[0]}:${result[1]}`;
            return { authorization: `Session ${Buffer.from(session).toString('base64')}` };
          }
          const details = { system: context.system, status: answer.status };
          if (answer.status === 429 || faultOf(answer)?.class === 'later')
            fail('XD_CONNECTOR_RATE_LIMITED', `${context.system} takes no more sign-ins for a while`, {
              ...details,
              retryAfterMs: RATE_LIMITED_PAUSE_MS,
            });
          if (answer.status >= 500)
            fail('XD_CONNECTOR_UNAVAILABLE', `${context.system} answered ${answer.status} to our sign-in`, details);
          fail('XD_CONNECTOR_REFUSED', `${context.system} doesn't take user and token for a sign-in`, details);
        },
      },
    });
  }

  /** One after the other: Tryton takes whole tables with NOWAIT to confirm and to assign, and fails whoever comes second. */
  serial<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#last.then(run, run);
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Asks without effect. @throws XD_CONNECTOR_* */
  async ask(method: string, params: readonly unknown[], signal: AbortSignal, extra: object = {}): Promise<unknown> {
    return (await this.askRaw(method, params, signal, extra)).value;
  }

  /** As {@link ask}, with the result's bytes as they came (whole answer). */
  async askRaw(
    method: string,
    params: readonly unknown[],
    signal: AbortSignal,
    extra: object = {},
  ): Promise<{ value: unknown; body: Buffer }> {
    const context = { ...(await this.#contextOf(signal)), ...extra };
    const { value, body } = await this.client.ask(this.#request(method, [...params, context]), signal);
    return { value: this.#result(value, method), body };
  }

  /** Changes something. Never throws for what the system says. */
  async write(method: string, params: readonly unknown[], signal: AbortSignal): Promise<Written> {
    let context: Readonly<Record<string, unknown>>;
    try {
      context = await this.#contextOf(signal);
    } catch (error) {
      if (!(error instanceof CrossdockError)) throw error;
      return { done: false, outcome: laterBy(error), itemsToBlame: false };
    }
    const answer = await this.client.send(this.#request(method, [...params, context]), signal);
    if (!answer.answered) return { done: false, outcome: answer.outcome, itemsToBlame: answer.itemsToBlame };
    const value = answer.value as { result?: unknown } | null;
    if (typeof value !== 'object' || value === null || !('result' in value))
      return {
        done: false,
        outcome: { outcome: 'in_doubt', error: `${method} answered no result` },
        itemsToBlame: false,
      };
    return { done: true, value: value.result };
  }

  async search(
    model: string,
    domain: Domain,
    fields: readonly string[],
    signal: AbortSignal,
    { limit = null, order = null }: { limit?: number | null; order?: unknown } = {},
  ): Promise<Row[]> {
    const method = `model.${model}.search_read`;
    return this.rowsOf(await this.ask(method, [domain, 0, limit, order, fields], signal), method);
  }

  rowsOf(value: unknown, method: string): Row[] {
    if (!Array.isArray(value) || !value.every((row) => typeof (row as Row | null)?.id === 'number'))
      return this.client.malformed('POST', ROOT, `${method} gave no rows`);
    return value as Row[];
  }

  #result(value: unknown, method: string): unknown {
    if (typeof value !== 'object' || value === null || !('result' in value))
      return this.client.malformed('POST', ROOT, `${method} gave no result`);
    return (value as { result: unknown }).result;
  }

  /** Company, language and the rest of the user's preferences: nearly everything depends on them. */
  #contextOf(signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
    this.#context ??= this.client
      .ask(this.#request('model.res.user.get_preferences', [true, {}]), signal)
      .then(({ value }) => ({
        ...(this.#result(value, 'get_preferences') as object),
        ...(this.#company !== undefined && { company: this.#company }),
      }))
      .catch((error: unknown) => {
        this.#context = undefined;
        throw error;
      });
    return this.#context;
  }

  async company(signal: AbortSignal): Promise<number> {
    const { company } = await this.#contextOf(signal);
    if (typeof company === 'number') return company;
    fail('XD_CONNECTOR_REFUSED', 'the user has no company in Tryton; give them one, or set settings.company');
  }

  #request(method: string, params: readonly unknown[]) {
    this.#id += 1;
    return { method: 'POST' as const, path: ROOT, json: { id: this.#id, method, params } };
  }
}

/** Nothing was written yet when this happened. */
export function laterBy(error: CrossdockError): Outcome {
  const { retryAfterMs } = error.details as { retryAfterMs?: number };
  return {
    outcome: 'later',
    error: error.message,
    ofSystem: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
