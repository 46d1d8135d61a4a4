/** Closed by default: a route that names no scope can't be registered, and one that is open says so. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { CrossdockError, fail } from '../canonical/index.ts';
import type { Database } from '../store/index.ts';
import { type ApiKey, type ApiScope, KeyRing } from './keys.ts';

declare module 'fastify' {
  interface FastifyRequest {
    apiKey: ApiKey | undefined;
  }
  interface FastifyContextConfig {
    /** `open`: no key is asked for. */
    scope?: ApiScope | 'open';
    /** A key that is bound to a channel may call it: it shows and changes nothing of other channels. */
    perChannel?: boolean;
  }
}

const BEARER = /^Bearer +([^\s]+)$/i;

export function useKeys(app: FastifyInstance, db: Database): void {
  const ring = new KeyRing(db);
  app.decorateRequest('apiKey');
  app.addHook('onRoute', (route) => {
    if (route.config?.scope === undefined) throw new Error(`route ${String(route.method)} ${route.url} names no scope`);
  });
  // With callbacks: a key that was seen lately costs no turn of the event loop.
  app.addHook('onRequest', (request, _, done) => {
    // Unknown routes answer 404 to everyone: the list of routes is public anyway.
    if (request.routeOptions.config.scope === 'open' || request.is404) return done();
    const given = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const known = given === undefined ? undefined : ring.peek(given);
    if (known !== null || given === undefined) return done(refusalOf(request, known ?? undefined, given !== undefined));
    ring.find(given).then((key) => done(refusalOf(request, key, true)), done);
  });
}

function refusalOf(request: FastifyRequest, key: ApiKey | undefined, given: boolean): CrossdockError | undefined {
  if (!given) return new CrossdockError('XD_UNAUTHENTICATED', 'send Authorization: Bearer <API key>');
  if (key === undefined) return new CrossdockError('XD_UNAUTHENTICATED', 'this API key is not known or was revoked');
  request.apiKey = key;
  const { scope, perChannel } = request.routeOptions.config;
  if (scope === undefined || scope === 'open' || !key.scopes.includes(scope))
    return new CrossdockError(
      'XD_FORBIDDEN',
      `this needs scope ${scope}; the key has ${key.scopes.join(', ') || 'none'}`,
      { scope },
    );
  if (key.channel !== null && perChannel !== true)
    return new CrossdockError(
      'XD_FORBIDDEN',
      `this key speaks for channel ${key.channel} only; this route is about all of them`,
    );
  return undefined;
}

/** The key of a request that passed; every route but the open ones has one. */
export function keyOf(request: FastifyRequest): ApiKey {
  return request.apiKey ?? fail('XD_UNAUTHENTICATED', 'send Authorization: Bearer <API key>');
}

/** A key that is bound to a channel speaks for no other. */
export function checkChannel(request: FastifyRequest, channel: string, place = 'channel'): void {
  const bound = keyOf(request).channel;
  if (bound !== null && bound !== channel) fail('XD_FORBIDDEN', `this key speaks for channel ${bound} only`, { place });
}

const KEY_CHARACTERS_MAX = 200;

/** The caller's own key for this request: what makes a retry safe. */
export function idempotencyKeyOf(request: FastifyRequest): string {
  const value = request.headers['idempotency-key'];
  if (typeof value !== 'string' || value.length === 0)
    fail('XD_KEY_MISSING', 'send an Idempotency-Key header, so that a retry is safe', { place: 'idempotency-key' });
  if (value.length > KEY_CHARACTERS_MAX || !/^[\x20-\x7e]+$/.test(value))
    fail('XD_VALUE_INVALID', `Idempotency-Key must be 1 to ${KEY_CHARACTERS_MAX} printable ASCII characters`, {
      place: 'idempotency-key',
    });
  return value;
}
