export { buildApi } from './app.ts';
export { type ExplainDeps, explainAvailability } from './explain.ts';
export { explainPast } from './explain-past.ts';
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
