/** What is known of one promise: how much was looked at, and what breaks it, by name. */
export const PROMISES = ['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9', 'I10', 'I11'] as const;
export type PromiseName = (typeof PROMISES)[number];

export interface Verdict {
  /** Nothing breaks it, and there was something of everything that could have. */
  holds: boolean;
  compares: string;
  /** How many of what were looked at. */
  looked: Record<string, number>;
  /** What should have been there to be looked at and was not: of nothing, everything is true. */
  unseen: string[];
  violations: number;
  named: string[];
}

const NAMED_MAX = 12;

export class Promised {
  readonly compares: string;
  readonly #looked: Record<string, number> = {};
  readonly #named: string[] = [];
  #violations = 0;

  /** @param needed without any of these the promise is not shown to hold */
  constructor(compares: string, needed: readonly string[]) {
    this.compares = compares;
    for (const what of needed) this.#looked[what] = 0;
    this.needed = needed;
  }
  readonly needed: readonly string[];

  look(what: string, count = 1): void {
    this.#looked[what] = (this.#looked[what] ?? 0) + count;
  }

  wrong(name: string): void {
    this.#violations += 1;
    if (this.#named.length < NAMED_MAX) this.#named.push(name);
  }

  /** Looks at one thing of which two tell. @returns whether they say the same */
  same(what: string, name: string, expected: unknown, found: unknown): boolean {
    this.look(what);
    if (expected === found) return true;
    this.wrong(`${name}: ${String(found ?? 'nothing')} instead of ${String(expected ?? 'nothing')}`);
    return false;
  }

  get verdict(): Verdict {
    const unseen = this.needed.filter((what) => this.#looked[what] === 0);
    return {
      holds: this.#violations === 0 && unseen.length === 0,
      compares: this.compares,
      looked: this.#looked,
      unseen,
      violations: this.#violations,
      named: this.#named,
    };
  }
}
