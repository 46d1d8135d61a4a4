/** Signing in: OAuth 2.0 by JWT bearer assertion or by client credentials. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { fail } from '../../canonical/index.ts';
import type { Fault, HttpAnswer, HttpRequest } from '../kit/index.ts';
import type { Settings } from './settings.ts';

/** The most that the system takes is three minutes ahead of its own clock; the rest is for a clock that differs. */
const ASSERTION_SECONDS = 120;

export interface SignedIn {
  /** Where this org's records are; not always where one signs in. */
  instanceUrl: string;
  token: string;
}

/** What is asked to sign in. `secret` is the private key or the consumer secret. @throws XD_ESTATE_INVALID on a key that is none */
export function tokenRequest(
  settings: Settings,
  system: string,
  secret: string,
  nowMs: () => number,
): () => HttpRequest {
  const { auth, clientId } = settings;
  if (auth === 'client_credentials')
    return () => request({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret }, secret);
  const key = privateKeyOf(system, secret);
  return () => {
    const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    const assertion = assertionOf(settings, key, nowMs());
    return request({ grant_type, assertion }, assertion);
  };
}

function request(form: Record<string, string>, secret: string): HttpRequest {
  const body = new URLSearchParams(form).toString();
  return {
    method: 'POST',
    path: '/services/oauth2/token',
    raw: { body, contentType: 'application/x-www-form-urlencoded' },
    secrets: [secret],
  };
}

/** A line of an environment holds no line breaks: there they are written as `\n`. */
function privateKeyOf(system: string, secret: string): KeyObject {
  try {
    const key = createPrivateKey(secret.replaceAll('\\n', '\n'));
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Told below, without what was found: it is a secret.
  }
  return fail('XD_ESTATE_INVALID', `systems.${system}.token is no RSA private key in PEM`, {
    place: `systems.${system}.token`,
  });
}

/** RFC 7523, signed with RS256, the one algorithm that is taken. */
export function assertionOf({ clientId, username, audience }: Settings, key: KeyObject, nowMs: number): string {
  const exp = Math.floor(nowMs / 1000) + ASSERTION_SECONDS;
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iss: clientId, sub: username, aud: audience, exp },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
  const signed = parts.join('.');
  return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`;
}

/** Sign-in answers its refusals in OAuth's shape; all of them are for a person. */
export function tokenFaultOf({ status, value }: HttpAnswer): Fault | undefined {
  if (status < 400 || status >= 500 || status === 429) return undefined;
  const { error, error_description } = (value ?? {}) as Record<string, unknown>;
  if (typeof error !== 'string') return undefined;
  const why = typeof error_description === 'string' ? `: ${error_description}` : '';
  return { class: 'operator', message: `sign-in refused: ${error}${why}` };
}

/** @returns undefined where the answer is not the contract */
export function signedInOf(value: unknown): SignedIn | undefined {
  const { access_token, instance_url } = (value ?? {}) as Record<string, unknown>;
  if (typeof access_token !== 'string' || !/^[\x21-\x7e]+$/.test(access_token)) return undefined;
  const url = typeof instance_url === 'string' ? URL.parse(instance_url) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') return undefined;
  return { instanceUrl: url.origin, token: access_token };
}
