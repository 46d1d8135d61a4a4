import { type Dispatcher, Pool } from 'undici';
import { CrossdockError, type ErrorCode, fail } from '../../canonical/index.ts';
import { CallBudget, type Refused } from './budget.ts';
import { type Clock, systemClock } from './clock.ts';
import { mayStart } from './permit.ts';
import type { ConnectorContext, Outcome } from './types.ts';

/** An answer larger than this is not read to its end. */
export const ANSWER_BYTES_MAX = 16 << 20;
/** The longest pause we believe a system that it wants; whoever means more will say so again. */
export const RETRY_AFTER_MS_MAX = 300_000;
/** How long a 429 without Retry-After holds us back. */
export const RATE_LIMITED_PAUSE_MS = 1_000;
/** Shorter than what servers keep an idle connection (Node: 5 s), so that we don't write into one that is just closing. */
const KEEP_ALIVE_MS = 4_000;
const ERROR_CHARS_MAX = 200;

/** How soon after it began a sign-in may be tried again; an answer of 401 to a credential that is fine must not become a storm. */
const SIGN_IN_PAUSE_MS = 5_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A call. `json` is sent as JSON; `raw` as it is, under the content type given. */
export interface HttpRequest {
  method: Method;
  /** Below the system's URL, with its query. */
  path: string;
  json?: unknown;
  raw?: { body: string | Buffer; contentType: string };
  headers?: Readonly<Record<string, string>>;
}

/** What a system means by an answer that carries a failure, e.g. `200 {"error": …}`. */
export interface Fault {
  /**
   * later: the whole request surely had no effect · refused: never, for what is in it · operator: never, until a person has changed
   * something · in_doubt: nobody knows · signed_out: who we are is not known any more
   */
  class: 'later' | 'refused' | 'operator' | 'in_doubt' | 'signed_out';
  message: string;
  retryAfterMs?: number;
}

/** Who we are, for systems that want more than one token for ever. */
export interface Auth {
  /** Signs in by `send`, which counts against the system's budget. @returns the headers of calls until they are refused */
  signIn(send: (request: HttpRequest) => Promise<HttpAnswer>): Promise<Readonly<Record<string, string>>>;
}

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** The body as JSON; undefined where it is none. */
  value: unknown;
}

/** Whole-request answers of an access or a routing that is wrong: no effect, and the items are not to blame. */
const NOT_THE_ITEMS = new Set([401, 403, 404, 405, 407, 425]);

export interface HttpOptions {
  clock?: Clock;
  answerBytesMax?: number;
  /** Instead of the context's token. */
  auth?: Auth;
  /** Asked of every answer first; undefined: it is as HTTP says. */
  faultOf?: (answer: HttpAnswer) => Fault | undefined;
}

/** A whole-request answer to a write: the other side's JSON, or what became of every item in it. */
export type WriteAnswer =
  | { answered: true; value: unknown }
  /** `itemsToBlame`: the request was refused for what is in it, so that a half of it may pass. */
  | { answered: false; outcome: Outcome; itemsToBlame: boolean };

/** What was asked for: the answer as it came, and as JSON. */
export interface Asked {
  body: Buffer;
  contentType: string;
  value: unknown;
  headers: HttpAnswer['headers'];
}

/** A call that brought no answer. `sent` false is proof that no byte of it left. */
class CallFailure extends CrossdockError {
  readonly sent: boolean;
  constructor(sent: boolean, code: ErrorCode, message: string, details: Record<string, unknown>, cause?: unknown) {
    super(code, message, details, cause === undefined ? undefined : { cause });
    this.sent = sent;
  }
}

/**
 * HTTP to one system: one pool, one budget for reads and writes, one deadline a call.
 *
 * A call takes at most twice `timeoutMs`: once for its turn in the budget, once from then to the last byte of the answer.
 * Whether a write may be sent again hangs on whether its bytes could have left. That is not guessed from error codes: undici
 * calls `onRequestStart` right before it writes, and what failed before that (refused connection, name, TLS) is `later`.
 * Everything after it that is not a clear answer is `in_doubt`, also each 5xx: servers fail after the effect, too.
 */
export class HttpClient {
  readonly #pool: Pool;
  readonly #budget: CallBudget;
  readonly #clock: Clock;
  readonly #basePath: string;
  readonly #authorization: Readonly<Record<string, string>>;
  readonly #auth: Auth | undefined;
  readonly #faultOf: NonNullable<HttpOptions['faultOf']>;
  /** What calls say of who we are; signed in once for all that wait for it. */
  #signedIn: { at: number; headers: Promise<Readonly<Record<string, string>>> } | undefined;
  readonly #system: string;
  readonly #timeoutMs: number;
  readonly #answerBytesMax: number;

  constructor(context: Pick<ConnectorContext, 'system' | 'url' | 'token' | 'limits'>, options: HttpOptions = {}) {
    const { system, limits, token } = context;
    const url = URL.parse(context.url);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      fail('XD_ESTATE_INVALID', `systems.${system}.url must be an http(s) URL without user and password`);
    if (token !== null && !/^[\x21-\x7e]+$/.test(token))
      fail('XD_ESTATE_INVALID', `systems.${system}.token is empty or holds a character that no header can carry`);
    this.#system = system;
    this.#clock = options.clock ?? systemClock;
    this.#timeoutMs = limits.timeoutMs;
    this.#answerBytesMax = options.answerBytesMax ?? ANSWER_BYTES_MAX;
    this.#basePath = url.pathname.replace(/\/$/, '');
    this.#authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    this.#auth = options.auth;
    this.#faultOf = options.faultOf ?? (() => undefined);
    this.#budget = new CallBudget(limits, this.#clock);
    this.#pool = new Pool(url.origin, {
      connections: limits.concurrency,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectTimeout: limits.timeoutMs,
      // One deadline of our own covers the whole call; undici's begin anew with each chunk of a slow answer.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    });
  }

  /** Milliseconds until the system may be asked again, as it asked us; 0 when it may. */
  get pausedMs(): number {
    return this.#budget.pausedMs;
  }

  /** {@link ask} by GET, or by POST where the question is a body. */
  read(path: string, signal: AbortSignal, json?: unknown): Promise<Asked> {
    return this.ask(json === undefined ? { method: 'GET', path } : { method: 'POST', path, json }, signal);
  }

  /** Asks without effect; the answer as it came and as JSON. @throws XD_CONNECTOR_*; `details.retryAfterMs` where known */
  async ask(request: HttpRequest, signal: AbortSignal): Promise<Asked> {
    const { method, path } = request;
    const what = this.#what(method, path);
    const { answer, fault } = await this.#answered(request, signal);
    const { status } = answer;
    if (fault !== undefined) {
      const details = {
        system: this.#system,
        status,
        ...(fault.retryAfterMs !== undefined && { retryAfterMs: fault.retryAfterMs }),
      };
      const said = `${what} answered ${status}: ${bounded(fault.message)}`;
      if (fault.class === 'later') fail('XD_CONNECTOR_UNAVAILABLE', said, details);
      if (fault.class === 'in_doubt') fail('XD_CONNECTOR_UNAVAILABLE', said, details);
      fail('XD_CONNECTOR_REFUSED', said, details);
    }
    if (status < 200 || status > 299) {
      const retryAfterMs = this.#noteRetryAfter(answer);
      const details = { system: this.#system, status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
      if (status === 429) fail('XD_CONNECTOR_RATE_LIMITED', `${what} asked us to wait ${retryAfterMs} ms`, details);
      if (status >= 500 || status === 408 || status === 425)
        fail('XD_CONNECTOR_UNAVAILABLE', `${what} answered ${status}`, details);
      if (status < 400) fail('XD_CONNECTOR_MALFORMED', `${what} answered ${status}`, details);
      fail('XD_CONNECTOR_REFUSED', `${what} answered ${status}${saidBy(answer.value)}`, details);
    }
    if (answer.value === undefined) this.malformed(method, path, 'not JSON');
    const contentType = answer.headers['content-type'];
    return {
      body: answer.body,
      contentType: typeof contentType === 'string' ? contentType : 'application/json',
      value: answer.value,
      headers: answer.headers,
    };
  }

  /** {@link send} of JSON by POST. */
  write(path: string, json: unknown, signal: AbortSignal): Promise<WriteAnswer> {
    return this.send({ method: 'POST', path, json }, signal);
  }

  /** Sends with effect. Never throws: whatever happens is an outcome. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<WriteAnswer> {
    const what = this.#what(request.method, request.path);
    let answer: HttpAnswer;
    let fault: Fault | undefined;
    try {
      ({ answer, fault } = await this.#answered(request, signal));
    } catch (error) {
      if (!(error instanceof CallFailure)) {
        // Nobody could be signed in, so nothing was sent.
        if (error instanceof CrossdockError) return later(error.message, askedToWaitMs(error));
        return inDoubt(`${what}: ${shortError(error)}`);
      }
      if (error.sent) return inDoubt(error.message);
      return later(error.message, askedToWaitMs(error));
    }
    const { status } = answer;
    const said = `${what} answered ${status}`;
    if (fault !== undefined) {
      const told = `${said}: ${bounded(fault.message)}`;
      if (fault.class === 'later' || fault.class === 'signed_out') return later(told, fault.retryAfterMs);
      if (fault.class === 'in_doubt') return inDoubt(told);
      return {
        answered: false,
        outcome: { outcome: 'refused', error: told },
        itemsToBlame: fault.class === 'refused',
      };
    }
    if (status >= 200 && status < 300) {
      if (status === 204) return { answered: true, value: null };
      return answer.value === undefined ? inDoubt(`${said}, not JSON`) : { answered: true, value: answer.value };
    }
    const retryAfterMs = this.#noteRetryAfter(answer);
    if (status === 429) return later(said, retryAfterMs);
    if (NOT_THE_ITEMS.has(status)) return later(said);
    // 408 says that the server gave up on us half-way; a redirect may come after the effect (post, redirect, get).
    if (status >= 500 || status === 408 || status < 400) return inDoubt(said);
    return {
      answered: false,
      outcome: { outcome: 'refused', error: said + saidBy(answer.value) },
      itemsToBlame: true,
    };
  }

  malformed(method: string, path: string, what: string, details: Record<string, unknown> = {}): never {
    fail('XD_CONNECTOR_MALFORMED', `${this.#what(method, path)} answered what is not its contract: ${what}`, {
      system: this.#system,
      ...details,
    });
  }

  /** Lets calls under way end, at most `timeoutMs`; refuses everything else at once. */
  async close(): Promise<void> {
    this.#budget.stop();
    await this.#pool.close();
  }

  /** An answer with what the system means by it. Signed out, it is asked once more after signing in: a refusal had no effect. */
  async #answered(
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<{ answer: HttpAnswer; fault: Fault | undefined }> {
    for (let again = this.#auth !== undefined; ; again = false) {
      const signedIn = this.#signIn(signal);
      const answer = await this.#call(request, await signedIn.headers, signal);
      const fault = this.#faultOf(answer);
      const isSignedOut = fault === undefined ? answer.status === 401 : fault.class === 'signed_out';
      if (!isSignedOut) return { answer, fault };
      // A system under load answers 401 to credentials that are good: it is asked again later, not every time.
      const mayForget = this.#clock.now() - signedIn.at >= SIGN_IN_PAUSE_MS;
      if (this.#signedIn === signedIn && mayForget) this.#signedIn = undefined;
      if (!again || (this.#signedIn === signedIn && !mayForget)) return { answer, fault };
    }
  }

  #signIn(signal: AbortSignal): { at: number; headers: Promise<Readonly<Record<string, string>>> } {
    const auth = this.#auth;
    if (auth === undefined) return { at: 0, headers: Promise.resolve(this.#authorization) };
    if (this.#signedIn === undefined) {
      const signingIn = {
        at: this.#clock.now(),
        headers: auth.signIn((request) => this.#call(request, {}, signal)),
      };
      signingIn.headers.catch(() => {
        if (this.#signedIn === signingIn) this.#signedIn = undefined;
      });
      this.#signedIn = signingIn;
    }
    return this.#signedIn;
  }

  async #call(request: HttpRequest, who: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, path, json, raw } = request;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (json !== undefined) headers['content-type'] = 'application/json';
    if (raw !== undefined) headers['content-type'] = raw.contentType;
    Object.assign(headers, who, request.headers);
    const payload = json === undefined ? raw?.body : JSON.stringify(json);
    const turn = await this.#budget.acquire(this.#timeoutMs, signal);
    if (typeof turn === 'string') throw this.#notSent(method, path, turn);
    try {
      const answer = await this.#dispatch(method, path, headers, payload, signal);
      return { ...answer, value: parsed(answer.body) };
    } finally {
      turn();
    }
  }

  #dispatch(
    method: Method,
    path: string,
    requestHeaders: Record<string, string>,
    body: string | Buffer | undefined,
    signal: AbortSignal,
  ): Promise<Omit<HttpAnswer, 'value'>> {
    return new Promise((resolve, reject) => {
      let controller: Dispatcher.DispatchController | undefined;
      let settled = false;
      let status = 0;
      let headers: HttpAnswer['headers'] = {};
      const chunks: Buffer[] = [];
      let bytes = 0;

      const settle = (): boolean => {
        if (settled) return false;
        settled = true;
        cancelDeadline();
        signal.removeEventListener('abort', onAbort);
        return true;
      };
      const lose = (code: ErrorCode, message: string, cause?: unknown, details?: Record<string, unknown>): void => {
        if (!settle()) return;
        const failure = new CallFailure(
          controller !== undefined,
          code,
          `${this.#what(method, path)} ${message}`,
          { system: this.#system, ...details },
          cause,
        );
        controller?.abort(failure);
        reject(failure);
      };
      const onAbort = (): void => lose('XD_CONNECTOR_UNAVAILABLE', 'was stopped by us');
      const cancelDeadline = this.#clock.after(this.#timeoutMs, () =>
        lose('XD_CONNECTOR_UNAVAILABLE', `did not answer within ${this.#timeoutMs} ms`),
      );
      signal.addEventListener('abort', onAbort, { once: true });

      try {
        this.#pool.dispatch(
          { method, path: this.#basePath + path, headers: requestHeaders, body: body ?? null, idempotent: false },
          {
            onRequestStart(started) {
              // Given up, or no longer permitted, while it waited: stopped here, right before its first byte.
              if (settled || !mayStart(signal)) started.abort(new Error('given up before it was sent'));
              else controller = started;
            },
            onResponseStart(_controller, statusCode, responseHeaders) {
              status = statusCode;
              headers = responseHeaders;
            },
            onResponseData: (_controller, chunk) => {
              bytes += chunk.length;
              if (bytes <= this.#answerBytesMax) chunks.push(chunk);
              else {
                const what = `answered more than ${this.#answerBytesMax} bytes`;
                lose('XD_CONNECTOR_MALFORMED', what, undefined, { reason: 'answer_too_large' });
              }
            },
            onResponseEnd() {
              if (settle()) resolve({ status, headers, body: Buffer.concat(chunks, bytes) });
            },
            onResponseError(_controller, error) {
              const what = controller === undefined ? 'could not be reached' : 'broke off';
              lose('XD_CONNECTOR_UNAVAILABLE', `${what}: ${shortError(error)}`, error);
            },
          },
        );
      } catch (error) {
        lose('XD_CONNECTOR_UNAVAILABLE', `could not be called: ${shortError(error)}`, error);
      }
    });
  }

  #notSent(method: string, path: string, why: Refused): CallFailure {
    const what = this.#what(method, path);
    const system = this.#system;
    if (why === 'paused') {
      const retryAfterMs = Math.ceil(this.#budget.pausedMs);
      const message = `${what} waits: the system asked us to, ${retryAfterMs} ms to go`;
      return new CallFailure(false, 'XD_CONNECTOR_RATE_LIMITED', message, { system, retryAfterMs });
    }
    const message =
      why === 'stopped' ? `${what} was not sent: stopped` : `${what} got no turn within ${this.#timeoutMs} ms`;
    return new CallFailure(false, 'XD_CONNECTOR_UNAVAILABLE', message, { system });
  }

  /** Pauses the budget as the answer asks. A 429 always does, a 503 when it says how long. */
  #noteRetryAfter({ status, headers }: HttpAnswer): number | undefined {
    let ms = retryAfterMsOf(headers);
    if (status === 429) ms ??= RATE_LIMITED_PAUSE_MS;
    else if (status !== 503) return undefined;
    if (ms !== undefined) this.#budget.pause(ms);
    return ms;
  }

  #what(method: string, path: string): string {
    // The query holds cursors and nothing a reader of a log needs.
    return `${this.#system} ${method} ${path.split('?')[0]}`;
  }
}

/** Seconds, or a date that is read against the answer's own Date, so that a clock that is off doesn't matter. */
export function retryAfterMsOf(headers: Readonly<Record<string, string | string[] | undefined>>): number | undefined {
  const text = headers['retry-after'];
  if (typeof text !== 'string') return undefined;
  if (/^\d{1,9}$/.test(text)) return Math.min(Number(text) * 1000, RETRY_AFTER_MS_MAX);
  const at = Date.parse(text);
  const { date } = headers;
  const now = typeof date === 'string' ? Date.parse(date) : Date.now();
  if (Number.isNaN(at) || Number.isNaN(now)) return undefined;
  return Math.min(Math.max(0, at - now), RETRY_AFTER_MS_MAX);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** What the other side says about its refusal, if it says it in one of the usual shapes; bounded, since it is theirs. */
function saidBy(answer: unknown): string {
  const value = answer as { error?: unknown; message?: unknown; detail?: unknown } | null | undefined;
  return errorText(value?.error ?? value?.detail ?? value?.message);
}

/** `: code: message` of an error object, or nothing. */
export function errorText(error: unknown): string {
  const parts = typeof error === 'string' ? [error] : [(error as Item)?.code, (error as Item)?.message];
  const text = parts.filter((part) => typeof part === 'string' && part !== '').join(': ');
  return text === '' ? '' : `: ${bounded(text)}`;
}

function bounded(text: string): string {
  return text.toWellFormed().replaceAll('\0', '').slice(0, ERROR_CHARS_MAX);
}

type Item = { code?: unknown; message?: unknown } | null | undefined;

function shortError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = (error as { code?: unknown }).code;
  // An AggregateError (several addresses tried) has an empty message.
  return typeof code === 'string' ? code : error.message.slice(0, ERROR_CHARS_MAX);
}

/** How long the system asked us to wait, where the error of a call says so. */
export function askedToWaitMs(error: unknown): number | undefined {
  const asked = error instanceof CrossdockError ? error.details.retryAfterMs : undefined;
  return typeof asked === 'number' ? asked : undefined;
}

function later(error: string, retryAfterMs?: number): WriteAnswer {
  const outcome: Outcome = {
    outcome: 'later',
    error,
    ofSystem: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  return { answered: false, outcome, itemsToBlame: false };
}

function inDoubt(error: string): WriteAnswer {
  return { answered: false, outcome: { outcome: 'in_doubt', error }, itemsToBlame: false };
}
