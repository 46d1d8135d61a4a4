export { buildApi } from './app.ts';
export type { ApiHub, ApiLog } from './hub.ts';
export {
  type ApiKey,
  type ApiKeyEntry,
  type ApiScope,
  apiScopes,
  createApiKey,
  listApiKeys,
  type NewApiKey,
  revokeApiKey,
} from './keys.ts';
