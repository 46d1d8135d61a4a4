/** Who we are to the system. The secret is always `systems.<code>.token`; the settings hold none. */

import { type Static, Type } from 'typebox';
import { fail } from '../../canonical/index.ts';
import type { CallBudget } from './budget.ts';
import { type Clock, systemClock } from './clock.ts';
import { HttpClient } from './http.ts';
import type { Auth } from './http-contract.ts';
import type { ConnectorContext } from './types.ts';

const strict = { additionalProperties: false };

export const IdentitySettings = Type.Union(
  [
    Type.Object({ kind: Type.Literal('none') }, strict),
    Type.Object({ kind: Type.Literal('bearer') }, strict),
    Type.Object(
      {
        kind: Type.Literal('basic'),
        user: Type.String({ description: "the user; the system's token is its password" }),
      },
      strict,
    ),
    Type.Object(
      {
        kind: Type.Literal('apiKey'),
        in: Type.Enum(['header', 'query']),
        name: Type.String({ description: 'of the header or the parameter' }),
        prefix: Type.Optional(Type.String({ description: 'before the key, e.g. "Token "' })),
      },
      strict,
    ),
    Type.Object(
      {
        kind: Type.Literal('oauth2'),
        tokenUrl: Type.String({ description: "whole; the system's token is the client's secret" }),
        clientId: Type.String(),
        client: Type.Optional(Type.Enum(['basic', 'body'], { description: 'where the secret is said; default basic' })),
        parameters: Type.Optional(
          Type.Record(Type.String(), Type.String(), { description: 'scope, audience, resource' }),
        ),
      },
      strict,
    ),
  ],
  { description: 'who we are; the secret is always systems.<code>.token' },
);

export type IdentitySettings = Static<typeof IdentitySettings>;
type Oauth = Extract<IdentitySettings, { kind: 'oauth2' }>;

/** A token is renewed so long before its end: calls that begin with it must arrive with it. */
const EARLY_MS = 30_000;
/** Of tokens that don't say how long they live. */
const LIFE_SECONDS_DEFAULT = 3_600;

export interface Identity {
  /** The token that goes as `Bearer` with each call, if that is all. */
  token: string | null;
  auth?: Auth;
  /** Parameters of each call. */
  query: Readonly<Record<string, string>>;
  /** How long the server that signs us in asked to be left alone, in ms, if it is another one. */
  pausedMs?(): number;
  close(): Promise<void>;
}

/**
 * @param stop ends a sign-in that is under way when the connector closes
 * @param budget the system's: it counts our signing in where it signs us in itself
 */
export function identityOf(
  context: ConnectorContext,
  settings: IdentitySettings,
  stop: AbortSignal,
  clock: Clock = systemClock,
  budget?: CallBudget,
): Identity {
  const { system, token } = context;
  const close = async () => {};
  if (settings.kind === 'none') return { token: null, query: {}, close };
  if (token === null)
    fail('XD_ESTATE_INVALID', `systems.${system}.token is missing: ${settings.kind} needs one`, {
      place: `systems.${system}.token`,
    });
  if (settings.kind === 'bearer') return { token, query: {}, close };
  if (settings.kind === 'oauth2') return clientCredentials(context, token, settings, stop, clock, budget);
  if (settings.kind === 'apiKey' && settings.in === 'query')
    return { token: null, query: { [settings.name]: (settings.prefix ?? '') + token }, close };
  const headers =
    settings.kind === 'basic'
      ? { authorization: basic(settings.user, token) }
      : { [settings.name.toLowerCase()]: (settings.prefix ?? '') + token };
  return { token: null, auth: { signIn: async () => headers }, query: {}, close };
}

/**
 * OAuth 2 client credentials (RFC 6749, 4.4). A token is renewed before it ends, and once more when it is refused before that. The server
 * that gives it is often another one: then it has a budget of its own.
 */
function clientCredentials(
  context: ConnectorContext,
  secret: string,
  settings: Oauth,
  stop: AbortSignal,
  clock: Clock,
  budget: CallBudget | undefined,
): Identity {
  const { system, limits } = context;
  const url = URL.parse(settings.tokenUrl);
  if (url === null) fail('XD_ESTATE_INVALID', `systems.${system}.settings.auth.tokenUrl must be a URL`);
  const isOwn = url.origin === URL.parse(context.url)?.origin;
  const server = new HttpClient(
    { system, url: url.origin, token: null, limits },
    { clock, ...(isOwn && budget && { budget }) },
  );
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...settings.parameters });
  const headers: Record<string, string> = {};
  if (settings.client === 'body') {
    form.set('client_id', settings.clientId);
    form.set('client_secret', secret);
  } else {
    // RFC 6749, 2.3.1: both are encoded as in forms before they are joined.
    headers.authorization = basic(formEncoded(settings.clientId), formEncoded(secret));
  }
  let endsAt = Number.POSITIVE_INFINITY;
  return {
    token: null,
    query: {},
    auth: {
      async signIn() {
        endsAt = Number.POSITIVE_INFINITY;
        const raw = { body: form.toString(), contentType: 'application/x-www-form-urlencoded' };
        const path = url.pathname + url.search;
        const { value } = await server.ask({ method: 'POST', path, raw, headers, secrets: [secret] }, stop);
        const given = (value ?? {}) as { access_token?: unknown; token_type?: unknown; expires_in?: unknown };
        const { access_token: token, token_type: type = 'Bearer' } = given;
        if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
          server.malformed('POST', path, 'access_token is no token');
        if (typeof type !== 'string' || type.toLowerCase() !== 'bearer')
          server.malformed('POST', path, 'token_type is not Bearer');
        // Some servers write the number as a text.
        const seconds = Number(given.expires_in ?? LIFE_SECONDS_DEFAULT);
        const lifeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : LIFE_SECONDS_DEFAULT * 1000;
        // Of a short life at least a half is used: else each call would sign in.
        endsAt = clock.now() + Math.max(lifeMs - EARLY_MS, lifeMs / 2);
        return { authorization: `Bearer ${token}` };
      },
      isOver: () => clock.now() >= endsAt,
    },
    pausedMs: () => server.pausedMs,
    close: () => server.close(),
  };
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function formEncoded(text: string): string {
  return new URLSearchParams({ _: text }).toString().slice(2);
}
