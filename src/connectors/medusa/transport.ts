/** HTTP to the shop's admin API, and what the shop means by its answers. */
import { Buffer } from 'node:buffer';
import {
  type Clock,
  type ConnectorContext,
  type Fault,
  type HttpAnswer,
  HttpClient,
  systemClock,
} from '../kit/index.ts';

/**
 * For so long an answer of 401 is taken for a shop in trouble: starved of database connections it answers so to a key that is good.
 * Only when nothing else was heard meanwhile is the key taken for revoked.
 */
export const REVOKED_AFTER_MS = 120_000;
const UNAUTHORIZED_PAUSE_MS = 5_000;

export function medusaClient(context: ConnectorContext, clock: Clock = systemClock): HttpClient {
  const basic = `Basic ${Buffer.from(`${context.token ?? ''}:`).toString('base64')}`;
  return new HttpClient(
    { ...context, token: context.token },
    {
      clock,
      // The header is the same for ever; a 401 is judged by faultOf and never leads to another sign-in.
      auth: { signIn: () => Promise.resolve({ authorization: basic }) },
      faultOf: faultsOfMedusa(clock),
    },
  );
}

export function faultsOfMedusa(clock: Clock): (answer: HttpAnswer) => Fault | undefined {
  let refusedSince: number | undefined;
  return (answer) => {
    if (answer.status !== 401) {
      // A 5xx says nothing about the key.
      if (answer.status < 500) refusedSince = undefined;
      return answer.status === 404 || answer.status === 400 ? contentFault(answer) : undefined;
    }
    refusedSince ??= clock.now();
    if (clock.now() - refusedSince < REVOKED_AFTER_MS)
      return {
        class: 'later',
        message: 'Unauthorized; a shop in trouble says so to a good key, too',
        retryAfterMs: UNAUTHORIZED_PAUSE_MS,
      };
    return {
      class: 'operator',
      message: `Unauthorized for ${REVOKED_AFTER_MS / 1000} s: is the secret key revoked? Make a new one in Settings, Secret API keys`,
    };
  };
}

/** A 404 with the shop's own error names a thing in the request; one without is a route that isn't there. */
function contentFault(answer: HttpAnswer): Fault | undefined {
  const said = answer.value as { type?: unknown; message?: unknown } | null | undefined;
  if (typeof said?.message !== 'string' || typeof said.type !== 'string') return undefined;
  // Two first orders of one e-mail address at once: the second is refused though nothing is wrong with it.
  if (answer.status === 400 && /already exists/.test(said.message) && /[Cc]ustomer/.test(said.message))
    return { class: 'later', message: said.message };
  if (/existing active order change/.test(said.message)) return { class: 'later', message: said.message };
  return { class: 'refused', message: said.message };
}
