import { CrossdockError, fail } from '../../canonical/index.ts';
import {
  type Asked,
  askedToWaitMs,
  CallBudget,
  type Clock,
  type ConnectorContext,
  HttpClient,
  type HttpRequest,
  later,
  systemClock,
  unlessStopped,
  type WriteAnswer,
} from '../kit/index.ts';
import { DailyAllowance } from './allowance.ts';
import { type SignedIn, signedInOf, tokenFaultOf, tokenRequest } from './auth.ts';
import { faultOf } from './errors.ts';
import type { Settings } from './settings.ts';
import { parseExact } from './values.ts';

/** The shortest time between two tries to sign in where there was no session yet. */
const SIGN_IN_PAUSE_MS = 5_000;
/** The most pages of one answer; a query that goes on beyond it is not one of ours. */
const PAGES_MAX = 1_000;

interface QueryPage {
  records: unknown[];
  done: boolean;
  nextRecordsUrl: string | undefined;
}

/**
 * One org: signed in at one address, asked at the one that the sign-in names. Both count against one budget. A session that has ended is
 * begun anew once for all calls and what it refused is repeated once (the kit's client does that); an org that has moved meanwhile is
 * asked at its new address from then on.
 */
export class Salesforce {
  readonly settings: Settings;
  readonly allowance: DailyAllowance;
  readonly clock: Clock;
  readonly #context: ConnectorContext;
  readonly #budget: CallBudget;
  readonly #login: HttpClient;
  readonly #tokenRequest: () => HttpRequest;
  /** By their address; more than one only after the org has moved. */
  readonly #clients = new Map<string, HttpClient>();
  #current: HttpClient | undefined;
  #signingIn: Promise<HttpClient> | undefined;
  #signedIn: SignedIn | undefined;
  #failed: { until: number; error: unknown } | undefined;

  constructor(context: ConnectorContext, settings: Settings, options: { clock?: Clock; nowMs?: () => number } = {}) {
    this.settings = settings;
    this.clock = options.clock ?? systemClock;
    this.allowance = new DailyAllowance(settings.dailyShare, this.clock);
    this.#context = context;
    this.#budget = new CallBudget(context.limits, this.clock);
    this.#tokenRequest = tokenRequest(settings, context.system, context.token ?? '', options.nowMs ?? Date.now);
    // The secret is no bearer token and goes into no header.
    const login = { ...context, token: null };
    this.#login = new HttpClient(login, { clock: this.clock, budget: this.#budget, faultOf: tokenFaultOf });
  }

  get pausedMs(): number {
    return Math.max(this.#login.pausedMs, this.allowance.waitMs);
  }

  /** Where the day's calls run low, work begins later. @throws XD_CONNECTOR_RATE_LIMITED */
  mayBegin(): void {
    const retryAfterMs = this.allowance.waitMs;
    if (retryAfterMs === 0) return;
    const { used, max } = this.allowance.usage!;
    const { system } = this.#context;
    const said = `${system}: ${used} of ${max} calls of the day are used, ${retryAfterMs} ms until the next work begins`;
    fail('XD_CONNECTOR_RATE_LIMITED', said, { system, retryAfterMs });
  }

  /** Asks without effect. @throws XD_CONNECTOR_* */
  async ask(request: HttpRequest, signal: AbortSignal): Promise<Asked> {
    return await (await this.#client(signal)).ask(request, signal);
  }

  /** Sends with effect; never throws. */
  async send(request: HttpRequest, signal: AbortSignal): Promise<WriteAnswer> {
    let client: HttpClient;
    try {
      client = await this.#client(signal);
    } catch (error) {
      // Nobody is signed in, so nothing was sent.
      if (error instanceof CrossdockError) return later(error.message, askedToWaitMs(error));
      throw error;
    }
    return await client.send(request, signal);
  }

  /** All pages of a query as they came, the first one first. */
  async query(soql: string, signal: AbortSignal, withDeleted = false): Promise<Buffer[]> {
    const route = withDeleted ? 'queryAll' : 'query';
    return await this.pages(`${this.settings.data}/${route}?q=${encodeURIComponent(soql)}`, signal);
  }

  /** The page at this address and those that follow it. */
  async pages(path: string, signal: AbortSignal): Promise<Buffer[]> {
    const bodies: Buffer[] = [];
    for (let next: string | undefined = path; next !== undefined; ) {
      if (bodies.length >= PAGES_MAX) this.malformed('GET', path, `more than ${PAGES_MAX} pages`);
      const { body } = await this.ask({ method: 'GET', path: next }, signal);
      bodies.push(body);
      const page = queryPageOf(parseExact(body.toString('utf8')));
      if (page === undefined) this.malformed('GET', path, 'no page of records');
      next = page.done ? undefined : page.nextRecordsUrl;
    }
    return bodies;
  }

  malformed(method: string, path: string, what: string): never {
    return this.#login.malformed(method, path, what);
  }

  async close(): Promise<void> {
    await this.#login.close();
    for (const client of this.#clients.values()) await client.close();
  }

  async #client(signal: AbortSignal): Promise<HttpClient> {
    if (this.#current !== undefined) return this.#current;
    if (this.#failed !== undefined && this.clock.now() < this.#failed.until) throw this.#failed.error;
    this.#signingIn ??= this.#firstSignIn();
    return await unlessStopped(this.#signingIn, signal);
  }

  async #firstSignIn(): Promise<HttpClient> {
    try {
      const signedIn = await this.#signIn();
      this.#signedIn = signedIn;
      this.#current = this.#clientAt(signedIn.instanceUrl);
      return this.#current;
    } catch (error) {
      // Who tries too often is locked out.
      this.#failed = { until: this.clock.now() + SIGN_IN_PAUSE_MS, error };
      throw error;
    } finally {
      this.#signingIn = undefined;
    }
  }

  /** For all that wait for it, so no signal of one of them ends it. */
  async #signIn(): Promise<SignedIn> {
    const { value } = await this.#login.ask(this.#tokenRequest(), new AbortController().signal);
    const signedIn = signedInOf(value);
    if (signedIn === undefined)
      this.malformed('POST', '/services/oauth2/token', 'no token with the address of the org');
    return signedIn;
  }

  #clientAt(instanceUrl: string): HttpClient {
    const known = this.#clients.get(instanceUrl);
    if (known !== undefined) return known;
    const signIn = async () => {
      const signedIn = this.#signedIn ?? (await this.#signIn());
      this.#signedIn = undefined;
      if (signedIn.instanceUrl !== instanceUrl) {
        this.#signedIn = signedIn;
        this.#current = this.#clientAt(signedIn.instanceUrl);
        fail('XD_CONNECTOR_UNAVAILABLE', `${this.#context.system}: the org has moved to ${signedIn.instanceUrl}`);
      }
      return { authorization: `Bearer ${signedIn.token}` };
    };
    const client = new HttpClient(
      { ...this.#context, url: instanceUrl, token: null },
      {
        clock: this.clock,
        budget: this.#budget,
        auth: { signIn },
        faultOf: (answer) => {
          this.allowance.note(answer.headers);
          return faultOf(answer);
        },
      },
    );
    this.#clients.set(instanceUrl, client);
    return client;
  }
}

export function queryPageOf(value: unknown): QueryPage | undefined {
  const { records, done, nextRecordsUrl } = (value ?? {}) as Record<string, unknown>;
  if (!Array.isArray(records) || typeof done !== 'boolean') return undefined;
  if (done) return { records, done, nextRecordsUrl: undefined };
  if (typeof nextRecordsUrl !== 'string' || !nextRecordsUrl.startsWith('/services/data/')) return undefined;
  return { records, done, nextRecordsUrl };
}
