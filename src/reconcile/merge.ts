import type { Truth } from './sim-truth.ts';

export interface Parity {
  /** Things the system holds: orders; for the WMS fulfilments. */
  orders: number;
  lines: number;
  /** The hub has it, the system has not. */
  missing: number;
  /** The system has it, the hub has not; also what it holds more than once. */
  extra: number;
  /** Both have it, and something differs. */
  different: number;
  /** Sums in minor units; for the WMS, which holds no money, units shipped. */
  amount: { hub: number; system: number; equal: boolean };
  /** The first few differences, in words. */
  examples: string[];
}

const EXAMPLES_MAX = 10;

export function newParity(): Parity {
  return {
    orders: 0,
    lines: 0,
    missing: 0,
    extra: 0,
    different: 0,
    amount: { hub: 0, system: 0, equal: true },
    examples: [],
  };
}

export function note(parity: Parity, kind: 'missing' | 'extra' | 'different', text: string): void {
  parity[kind]++;
  if (parity.examples.length < EXAMPLES_MAX) parity.examples.push(`${kind} ${text}`);
}

/**
 * One side of a merge join: the system's records in key order against the hub's, which are offered in the same order.
 * Code units and the database's bytes order alike as long as keys stay in the basic plane.
 */
export class Merge<T extends { key: string }> {
  readonly #truth: Truth<T>;
  readonly #onExtra: (record: T) => void;

  constructor(truth: Truth<T>, onExtra: (record: T) => void) {
    this.#truth = truth;
    this.#onExtra = onExtra;
  }

  /** The system's record of this key, or undefined; everything before it that nobody asked for is extra. */
  async find(key: string): Promise<T | undefined> {
    for (;;) {
      const record = await this.#truth.peek();
      if (record === undefined || record.key > key) return undefined;
      this.#truth.take();
      if (record.key === key) return record;
      this.#onExtra(record);
    }
  }

  /** What is left is extra. */
  async finish(): Promise<void> {
    for (;;) {
      const record = await this.#truth.peek();
      if (record === undefined) return;
      this.#truth.take();
      this.#onExtra(record);
    }
  }
}
