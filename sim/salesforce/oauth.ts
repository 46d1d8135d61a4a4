/** Sign-in by JWT bearer and by client credentials; sessions live in memory, so a restart ends them all. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { MountAnswer, MountCall } from '../lib/system.ts';

/** How far ahead an assertion's end may lie. */
const ASSERTION_SECONDS_MAX = 180;

export interface App {
  clientId: string;
  secret: string;
  /** PEM; without one nobody signs in by assertion. */
  publicKey: string | null;
  username: string;
  audience: string;
  /** What is told as the address of the org; null: where it was asked. */
  instanceUrl: string | null;
}

export class Sessions {
  readonly app: App;
  readonly #now: () => number;
  #valid = new Set<string>();
  made = 0;

  constructor(app: App, now: () => number) {
    this.app = app;
    this.#now = now;
  }

  expireAll(): void {
    this.#valid.clear();
  }

  holds(authorization: unknown): boolean {
    return typeof authorization === 'string' && this.#valid.has(authorization.replace(/^(Bearer|OAuth) /, ''));
  }

  token({ headers, body }: MountCall): MountAnswer {
    const form = new URLSearchParams(body.toString('utf8'));
    const refusal = this.#refusal(form);
    if (refusal !== undefined) return { status: 400, body: { error: refusal[0], error_description: refusal[1] } };
    this.made += 1;
    const token = `00D000000000001!${createHash('sha256').update(`${this.app.secret}/${this.made}`).digest('base64url')}`;
    this.#valid.add(token);
    const instance = this.app.instanceUrl ?? `http://${headers.host}`;
    return {
      status: 200,
      body: {
        access_token: token,
        instance_url: instance,
        id: `${instance}/id/00D000000000001EAA/005000000000001AAA`,
        token_type: 'Bearer',
        scope: 'api',
      },
    };
  }

  #refusal(form: URLSearchParams): [code: string, description: string] | undefined {
    const { clientId, secret } = this.app;
    switch (form.get('grant_type')) {
      case 'client_credentials':
        if (form.get('client_id') !== clientId) return ['invalid_client_id', 'client identifier invalid'];
        return form.get('client_secret') === secret ? undefined : ['invalid_client', 'invalid client credentials'];
      case 'urn:ietf:params:oauth:grant-type:jwt-bearer':
        return this.#assertionRefusal(form.get('assertion') ?? '');
      default:
        return ['unsupported_grant_type', 'grant type not supported'];
    }
  }

  #assertionRefusal(assertion: string): [code: string, description: string] | undefined {
    const [head = '', claims = '', signature = ''] = assertion.split('.');
    const { clientId, publicKey, username, audience } = this.app;
    const invalid = (why: string): [string, string] => ['invalid_grant', why];
    try {
      const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString());
      const { iss, sub, aud, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
      if (alg !== 'RS256') return invalid('algorithm not supported');
      if (iss !== clientId) return ['invalid_client_id', 'client identifier invalid'];
      if (publicKey === null) return invalid("user hasn't approved this consumer");
      const signed = Buffer.from(`${head}.${claims}`);
      if (!verify('RSA-SHA256', signed, createPublicKey(publicKey), Buffer.from(signature, 'base64url')))
        return invalid('invalid assertion');
      if (aud !== audience) return invalid('audience is invalid');
      const seconds = this.#now() / 1000;
      if (typeof exp !== 'number' || exp < seconds || exp > seconds + ASSERTION_SECONDS_MAX)
        return invalid('expired authorization code');
      return sub === username ? undefined : invalid("user hasn't approved this consumer");
    } catch {
      return invalid('invalid assertion');
    }
  }
}
