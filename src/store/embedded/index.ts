export { claim, release } from './claim.ts';
export {
  type EmbeddedOptions,
  type EmbeddedPostgres,
  findRunningEmbedded,
  startEmbeddedPostgres,
} from './server.ts';
export { DURABLE, type Settings } from './settings.ts';
