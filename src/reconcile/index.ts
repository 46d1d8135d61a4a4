export type { Parity } from './merge.ts';
export { type Comparison, compareWithSystems } from './parity.ts';
export type { PriceFinding, PriceFindingKind } from './price-findings.ts';
export { PRICE_SAMPLE_MAX, type PriceProof, type ProofOptions, provePrices } from './price-proof.ts';
export { type SimSystem, simSystems } from './sim-truth.ts';
