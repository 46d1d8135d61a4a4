export { applications, listUnapplied, type Unapplied } from './applied.ts';
export type { EstateFault } from './faults.ts';
export { type EstateKey, estateKeys, type KeySchema } from './keys.ts';
export * from './load.ts';
export { resolveOwnModules } from './own-modules.ts';
export * from './schema.ts';
export * from './secrets.ts';
export { connectorContext, connectorFactory } from './systems.ts';
