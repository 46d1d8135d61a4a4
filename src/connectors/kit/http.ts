import { type Dispatcher, Pool } from 'undici';
import { CrossdockError, type ErrorCode, fail } from '../../canonical/index.ts';
import { CallBudget, type Refused } from './budget.ts';
import { type Clock, systemClock } from './clock.ts';
import {
  askedToWaitMs,
  bounded,
  hushed,
  inDoubt,
  later,
  parsed,
  retryAfterMsOf,
  saidBy,
  shortError,
} from './http-answers.ts';
import type { Asked, Fault, HttpAnswer, HttpOptions, HttpRequest, Method, WriteAnswer } from './http-contract.ts';
import { mayStart } from './permit.ts';
import { type Credentials, type Session, SignIn } from './sign-in.ts';
import type { ConnectorContext } from './types.ts';

/** An answer larger than this is not read to its end. */
export const ANSWER_BYTES_MAX = 16 << 20;
/** How long a 429 without Retry-After holds us back. */
export const RATE_LIMITED_PAUSE_MS = 1_000;
/** Shorter than what servers keep an idle connection (Node: 5 s), so that we don't write into one that is just closing. */
const KEEP_ALIVE_MS = 4_000;

/** Whole-request answers of an access or a routing that is wrong: no effect, and the items are not to blame. */
const NOT_THE_ITEMS = new Set([401, 403, 404, 405, 407, 425]);

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
  /** Under which calls go where nobody signs in. */
  readonly #token: Session;
  readonly #signIn: SignIn | undefined;
  readonly #faultOf: NonNullable<HttpOptions['faultOf']>;
  #closing: Promise<void> | undefined;
  readonly #system: string;
  readonly #timeoutMs: number;
  readonly #answerBytesMax: number;

  constructor(
    context: Pick<ConnectorContext, 'system' | 'url' | 'token' | 'limits' | 'clock'>,
    options: HttpOptions = {},
  ) {
    const { system, limits, token } = context;
    const url = URL.parse(context.url);
    if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
      fail('XD_ESTATE_INVALID', `systems.${system}.url must be an http(s) URL without user and password`);
    if (token !== null && !/^[\x21-\x7e]+$/.test(token))
      fail('XD_ESTATE_INVALID', `systems.${system}.token is empty or holds a character that no header can carry`);
    this.#system = system;
    this.#clock = options.clock ?? context.clock ?? systemClock;
    this.#timeoutMs = limits.timeoutMs;
    this.#answerBytesMax = options.answerBytesMax ?? ANSWER_BYTES_MAX;
    this.#basePath = url.pathname.replace(/\/$/, '');
    const bearer: Credentials = token === null ? {} : { authorization: `Bearer ${token}` };
    this.#token = { at: 0, headers: Promise.resolve(bearer) };
    const { auth } = options;
    // For all calls, so none of their signals ends it.
    if (auth !== undefined)
      this.#signIn = new SignIn(
        system,
        this.#clock,
        () =>
          auth.signIn(async (request) => {
            const answer = await this.#call(request, {}, new AbortController().signal);
            // Asked to wait while signing in, we wait with everything.
            this.#noteRetryAfter(answer);
            return answer;
          }),
        () => auth.isOver?.() ?? false,
      );
    this.#faultOf = options.faultOf ?? (() => undefined);
    this.#budget = options.budget ?? new CallBudget(limits, this.#clock);
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
      // Nothing had an effect, whatever it was: all but what a person must change may be asked again.
      const isOurs = fault.class === 'refused' || fault.class === 'operator';
      fail(isOurs ? 'XD_CONNECTOR_REFUSED' : 'XD_CONNECTOR_UNAVAILABLE', said, details);
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
    if (answer.value === undefined && request.answers !== 'any') this.malformed(method, path, 'not JSON');
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
      // A fault of ours, also in reading the answer of what was sent.
      if (!(error instanceof CallFailure)) return inDoubt(`${what}: ${shortError(error)}`);
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
        status,
      };
    }
    if (status >= 200 && status < 300) {
      const { headers, body } = answer;
      if (status === 204) return { answered: true, value: null, status, headers, body };
      if (answer.value === undefined && request.answers !== 'any') return inDoubt(`${said}, not JSON`);
      return { answered: true, value: answer.value, status, headers, body };
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
      status,
    };
  }

  malformed(method: string, path: string, what: string, details: Record<string, unknown> = {}): never {
    fail('XD_CONNECTOR_MALFORMED', `${this.#what(method, path)} answered what is not its contract: ${what}`, {
      system: this.#system,
      ...details,
    });
  }

  /** Lets calls under way end, at most `timeoutMs`; refuses everything else at once. */
  close(): Promise<void> {
    this.#budget.stop();
    this.#closing ??= this.#pool.close();
    return this.#closing;
  }

  /** An answer with what the system means by it. Signed out, it is asked once more under a new session: a refusal had no effect. */
  async #answered(
    request: HttpRequest,
    signal: AbortSignal,
  ): Promise<{ answer: HttpAnswer; fault: Fault | undefined }> {
    for (let mayRepeat = this.#signIn !== undefined; ; mayRepeat = false) {
      const session = this.#signIn?.session() ?? this.#token;
      const who = await this.#credentials(session, request, signal);
      const answer = await this.#call(request, who, signal);
      const fault = this.#faultOf(answer);
      if (fault?.retryAfterMs !== undefined) this.#budget.pause(fault.retryAfterMs);
      const isSignedOut = fault === undefined ? answer.status === 401 : fault.class === 'signed_out';
      if (!isSignedOut || this.#signIn === undefined) return { answer, fault };
      if (this.#signIn.refused(session) && mayRepeat) continue;
      return { answer, fault: fault ?? { class: 'signed_out', message: 'it did not take our session' } };
    }
  }

  /** Waits for a sign-in, and no longer than its caller: the sign-in goes on for the others. */
  async #credentials(session: Session, { method, path }: HttpRequest, signal: AbortSignal): Promise<Credentials> {
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(this.#notSent(method, path, 'stopped'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([session.headers, stopped.promise]);
    } catch (error) {
      if (error instanceof CallFailure || !(error instanceof CrossdockError)) throw error;
      // Nobody could be signed in, so nothing of the call itself was sent.
      const retryAfterMs = Math.ceil(Math.max(askedToWaitMs(error) ?? 0, this.#budget.pausedMs));
      throw new CallFailure(false, error.code, error.message, { ...error.details, retryAfterMs }, error);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  async #call(request: HttpRequest, who: Readonly<Record<string, string>>, signal: AbortSignal): Promise<HttpAnswer> {
    const { method, path, json, raw, answers } = request;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (json !== undefined) headers['content-type'] = 'application/json';
    if (raw !== undefined) headers['content-type'] = raw.contentType;
    Object.assign(headers, who, request.headers);
    const payload = json === undefined ? raw?.body : JSON.stringify(json);
    const turn = await this.#budget.acquire(this.#timeoutMs, signal);
    if (typeof turn === 'string') throw this.#notSent(method, path, turn);
    try {
      const answer = await this.#dispatch(method, path, headers, payload, signal);
      const isText = answers === 'text' && answer.status >= 200 && answer.status <= 299;
      const said = request.headers?.authorization;
      const credentials = [...Object.values(who), ...(said === undefined ? [] : [said]), ...(request.secrets ?? [])];
      const body = hushed(answer.body, credentials);
      return { ...answer, body, value: isText ? body.toString('utf8') : parsed(body) };
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
