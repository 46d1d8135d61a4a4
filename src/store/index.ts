export * from './arrays.ts';
export * from './clock.ts';
export * from './database.ts';
export { isConnectionFault, isSerializationFault } from './faults.ts';
export * from './ids.ts';
export * from './lane.ts';
export * from './leases.ts';
export * from './loop.ts';
export * from './stopping.ts';
