/** GraphQL over the kit's client: a session of an administrator, one channel, failures under HTTP 200. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import { type ConnectorContext, type Fault, HttpClient, type HttpOptions, type WriteAnswer } from '../kit/index.ts';

/** Vendure answers list queries with at most this many rows. */
export const TAKE_MAX = 100;

/** What an expected failure is: a member of the answer's union, under HTTP 200. */
const FAILED = '__typename ... on ErrorResult { errorCode message }';

const LOGIN = `mutation ($user: String!, $password: String!) {
  login(username: $user, password: $password) { ${FAILED} }
}`;

/** Of the whole request, which had no effect: what is in it is to blame. */
const ITEMS = new Set(['ENTITY_NOT_FOUND', 'USER_INPUT_ERROR', 'ILLEGAL_OPERATION']);
/** The question itself is not understood: another release, a channel that is gone. */
const OPERATOR = new Set(['GRAPHQL_VALIDATION_FAILED', 'GRAPHQL_PARSE_FAILED', 'BAD_USER_INPUT', 'CHANNEL_NOT_FOUND']);
/** Vendure says both to a session that has ended. */
const SIGNED_OUT = new Set(['FORBIDDEN', 'UNAUTHORIZED', 'UNAUTHENTICATED']);

interface GraphqlError {
  message?: unknown;
  extensions?: { code?: unknown } | null;
}

/** What Vendure means by `errors`; those beside some data are failures as well, since no query of ours can do with a half. */
export function faultOf(value: unknown): Fault | undefined {
  const errors = (value as { errors?: unknown } | null | undefined)?.errors;
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  const [first] = errors as GraphqlError[];
  const code = typeof first?.extensions?.code === 'string' ? first.extensions.code : 'ERROR';
  const message = `${code}: ${typeof first?.message === 'string' ? first.message : 'no message'}`;
  if (SIGNED_OUT.has(code)) return { class: 'signed_out', message };
  if (ITEMS.has(code)) return { class: 'refused', message };
  if (OPERATOR.has(code)) return { class: 'operator', message };
  return { class: 'in_doubt', message };
}

/** An expected failure in the field of a mutation that says it by its type; undefined where it went well. */
export function errorResultOf(result: unknown): { code: string; message: string } | undefined {
  const { errorCode, message, transitionError } = (result ?? {}) as Record<string, unknown>;
  if (typeof errorCode !== 'string') return undefined;
  const said = typeof transitionError === 'string' ? transitionError : message;
  return { code: errorCode, message: typeof said === 'string' ? said : '' };
}

export class Shop {
  readonly http: HttpClient;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param channelToken which of the shop's channels is meant; absent: its default channel */
  constructor(context: ConnectorContext, user: string, channelToken: string | undefined, options: HttpOptions = {}) {
    this.#headers = channelToken === undefined ? {} : { 'vendure-token': channelToken };
    const { system, token: password } = context;
    this.http = new HttpClient(
      { ...context, token: null },
      {
        ...options,
        faultOf: ({ value }) => faultOf(value),
        auth: {
          async signIn(send) {
            const json = { query: LOGIN, variables: { user, password } };
            const { status, headers, value } = await send({ method: 'POST', path: '/admin-api', json });
            const login = (value as { data?: { login?: unknown } } | undefined)?.data?.login;
            const failure = errorResultOf(login);
            if (failure !== undefined)
              fail('XD_CONNECTOR_REFUSED', `${system} did not let us in: ${failure.code}: ${failure.message}`, {
                system,
              });
            const session = headers['vendure-auth-token'];
            if (login == null || typeof session !== 'string' || session === '')
              fail('XD_CONNECTOR_UNAVAILABLE', `${system} answered ${status} to a login, without a session`, {
                system,
              });
            return { authorization: `Bearer ${session}` };
          },
        },
      },
    );
  }

  /** The data of a query, with the answer's bytes. @throws XD_CONNECTOR_* */
  async ask(query: string, variables: unknown, signal: AbortSignal): Promise<{ data: Answered; body: Buffer }> {
    const { value, body } = await this.http.ask(this.#request(query, variables), signal);
    return { data: dataOf(value) ?? this.malformed('no data'), body };
  }

  /** Sends with effect; never throws. What was answered is the data of its fields. */
  async send(query: string, variables: unknown, signal: AbortSignal): Promise<WriteAnswer> {
    const answer = await this.http.send(this.#request(query, variables), signal);
    if (!answer.answered) return answer;
    const data = dataOf(answer.value);
    if (data === undefined)
      return { answered: false, outcome: { outcome: 'in_doubt', error: 'it answered no data' }, itemsToBlame: false };
    return { ...answer, value: data };
  }

  /** Rows of a list query `name`, all pages of it: at most a hundred come at once. */
  async all(query: string, name: string, variables: object, signal: AbortSignal): Promise<Answered[]> {
    const rows: Answered[] = [];
    for (;;) {
      const { data } = await this.ask(query, { ...variables, skip: rows.length, take: TAKE_MAX }, signal);
      const { items, totalItems } = listOf(data, name) ?? this.malformed(`${name} is not a list`);
      rows.push(...items);
      if (items.length === 0 || rows.length >= totalItems) return rows;
    }
  }

  malformed(what: string): never {
    return this.http.malformed('POST', '/admin-api', what);
  }

  #request(query: string, variables: unknown) {
    return { method: 'POST' as const, path: '/admin-api', json: { query, variables }, headers: this.#headers };
  }
}

/** Fields as they came; who reads one checks it. */
export type Answered = Readonly<Record<string, unknown>>;

export function listOf(data: Answered, name: string): { items: Answered[]; totalItems: number } | undefined {
  const list = data[name] as { items?: unknown; totalItems?: unknown } | null | undefined;
  if (!Array.isArray(list?.items) || typeof list.totalItems !== 'number') return undefined;
  return { items: list.items as Answered[], totalItems: list.totalItems };
}

function dataOf(value: unknown): Answered | undefined {
  const data = (value as { data?: unknown } | null | undefined)?.data;
  return typeof data === 'object' && data !== null ? (data as Answered) : undefined;
}

/** Whether it answers, lets us in and knows the channel. Never throws: an operator wants the reason, not a stack. */
export async function probe(shop: Shop, signal: AbortSignal): Promise<{ ok: boolean; detail: string }> {
  try {
    const { data } = await shop.ask('{ activeChannel { code defaultCurrencyCode } }', {}, signal);
    const code = (data.activeChannel as Answered | null | undefined)?.code;
    if (typeof code !== 'string') shop.malformed('activeChannel has no code');
    return { ok: true, detail: `answers, lets us in, channel ${code}` };
  } catch (error) {
    if (error instanceof CrossdockError) return { ok: false, detail: `${error.code}: ${error.message}` };
    throw error;
  }
}
