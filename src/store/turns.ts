/** What a turn is for, the most pressing first. */
export const TURN_KINDS = ['numbers', 'intake', 'rest'] as const;
export type TurnKind = (typeof TURN_KINDS)[number];

const IN_A_ROW_MAX = 3;

/**
 * Turns of which one is had at a time. The most pressing go first, but after three of a kind those who wait behind it have one, so
 * that nobody waits for ever.
 */
export class Turns {
  #taken = false;
  readonly #waiting = TURN_KINDS.map(() => [] as (() => void)[]);
  readonly #inARow = TURN_KINDS.map(() => 0);

  /** @returns what ends the turn */
  async take(kind: TurnKind): Promise<() => void> {
    if (this.#taken) await new Promise<void>((resolve) => this.#waiting[TURN_KINDS.indexOf(kind)]!.push(resolve));
    this.#taken = true;
    return () => {
      const next = this.#next();
      // Handed over, not freed: nobody who comes just now goes before those who wait.
      if (next === undefined) this.#taken = false;
      else next();
    };
  }

  #next(): (() => void) | undefined {
    for (let i = 0; i < this.#waiting.length; i++) {
      if (this.#waiting[i]!.length === 0) continue;
      const othersWait = this.#waiting.some((queue, j) => j > i && queue.length > 0);
      if (othersWait && this.#inARow[i]! >= IN_A_ROW_MAX) {
        this.#inARow[i] = 0;
        continue;
      }
      this.#inARow[i]!++;
      return this.#waiting[i]!.shift();
    }
    return undefined;
  }
}
