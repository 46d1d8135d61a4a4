export type { Parity } from './merge.ts';
export { type Comparison, compareWithSystems } from './parity.ts';
export { type SimSystem, simSystems } from './sim-truth.ts';
