export type { EstateFault } from './faults.ts';
export * from './load.ts';
export * from './schema.ts';
export * from './secrets.ts';
