/** Who we are, for systems that want more than one token for ever: signed in once for all calls, and again when it ends. */
import { CrossdockError, fail } from '../../canonical/index.ts';
import type { Clock } from './clock.ts';
import { askedToWaitMs } from './http-answers.ts';

export type Credentials = Readonly<Record<string, string>>;

/**
 * How soon after it began a sign-in may be tried again. A system under load answers 401 to credentials that are good, and one that
 * counts failed sign-ins locks out who tries too often.
 */
export const SIGN_IN_PAUSE_MS = 5_000;

/** Waits for what others wait for, too, and only as long as it is wanted. @throws XD_CONNECTOR_UNAVAILABLE once it is not */
export async function unlessStopped<T>(shared: Promise<T>, signal: AbortSignal): Promise<T> {
  // Whoever stops waiting leaves it to the others.
  shared.catch(() => {});
  if (signal.aborted) stopped();
  let onAbort: (() => void) | undefined;
  const ended = new Promise<'ended'>((resolve) => {
    onAbort = () => resolve('ended');
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    const first = await Promise.race([shared.then((value) => ({ value })), ended]);
    return first === 'ended' ? stopped() : first.value;
  } finally {
    signal.removeEventListener('abort', onAbort!);
  }
}

function stopped(): never {
  fail('XD_CONNECTOR_UNAVAILABLE', 'was not sent: stopped');
}

export interface Session {
  readonly at: number;
  readonly headers: Promise<Credentials>;
}

export class SignIn {
  readonly #system: string;
  readonly #clock: Clock;
  readonly #begin: () => Promise<Credentials>;
  readonly #isOver: () => boolean;
  #session: Session | undefined;

  /** @param isOver whether the last session has ended by itself; asked only of one that was begun */
  constructor(system: string, clock: Clock, begin: () => Promise<Credentials>, isOver: () => boolean = () => false) {
    this.#system = system;
    this.#clock = clock;
    this.#begin = begin;
    this.#isOver = isOver;
  }

  /** The session that calls go under; one that could not be begun is tried again only after a pause. */
  session(): Session {
    if (this.#session !== undefined && this.#isOver()) this.#session = undefined;
    this.#session ??= { at: this.#clock.now(), headers: this.#signIn() };
    return this.#session;
  }

  /** The system did not take the session. @returns whether another may be taken now */
  refused(session: Session): boolean {
    // Another call has signed in again meanwhile.
    if (this.#session !== session) return true;
    if (this.#clock.now() - session.at < SIGN_IN_PAUSE_MS) return false;
    this.#session = undefined;
    return true;
  }

  async #signIn(): Promise<Credentials> {
    const began = this.#clock.now();
    try {
      return await this.#begin();
    } catch (error) {
      const pauseMs = Math.max(0, SIGN_IN_PAUSE_MS - (this.#clock.now() - began));
      const waitMs = Math.max(pauseMs, askedToWaitMs(error) ?? 0);
      this.#clock.after(waitMs, () => {
        this.#session = undefined;
      });
      const why = error instanceof CrossdockError ? error.message : 'of a fault of the connector';
      const details = { system: this.#system, retryAfterMs: waitMs };
      return fail('XD_CONNECTOR_UNAVAILABLE', `${this.#system}: could not sign in: ${why}`, details);
    }
  }
}
