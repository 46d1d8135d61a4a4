// A real OAuth2 / OIDC provider (oidc-provider) with client credentials, code + PKCE, refresh
// tokens and introspection. Clients: 'crossdock' (secret 'crossdock-secret') and the public 'spa'.
// Access tokens for the resource 'urn:crossdock:api' are RS256 JWTs that live TTL seconds
// (OIDC_TTL, default 60) so that a client meets expiry within a test.

import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';

const port = Number(process.env.OIDC_PORT ?? 18600),
  issuer = `http://127.0.0.1:${port}`;
const ttl = Number(process.env.OIDC_TTL ?? 60);
const jwk = {
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
  kid: `k${Date.now()}`,
  use: 'sig',
  alg: 'RS256',
};
const provider = new Provider(issuer, {
  jwks: { keys: [jwk] },
  clients: [
    {
      client_id: 'crossdock',
      client_secret: 'crossdock-secret',
      grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1:18999/callback'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      client_id: 'spa',
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: ['http://127.0.0.1:18999/callback'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
    },
  ],
  findAccount: (_ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, roles: id === 'admin' ? ['admin'] : ['viewer'] }),
  }),
  claims: { openid: ['sub'], email: ['email'], roles: ['roles'] },
  scopes: ['openid', 'offline_access', 'email', 'roles', 'sync:read', 'sync:write'],
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'urn:crossdock:api',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'sync:read sync:write',
        accessTokenFormat: 'jwt',
        accessTokenTTL: ttl,
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  ttl: { ClientCredentials: ttl, AccessToken: ttl },
});
http.createServer(provider.callback()).listen(port, '127.0.0.1', () => console.log('listening', issuer));
