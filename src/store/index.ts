export * from './clock.ts';
export * from './database.ts';
export * from './ids.ts';
export * from './lane.ts';
export * from './leases.ts';
export * from './loop.ts';
