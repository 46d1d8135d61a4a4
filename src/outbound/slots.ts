/** Jobs of which at most `limit` run at once. A failed one is reported and stops no other. */
export class Slots {
  readonly #limit: number;
  readonly #onError: (error: unknown) => void;
  #taken = 0;
  readonly #running = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number, onError: (error: unknown) => void) {
    this.#limit = limit;
    this.#onError = onError;
  }

  /** Resolves when the job has begun. */
  async begin(job: () => Promise<void>): Promise<void> {
    if (this.#taken < this.#limit) this.#taken++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const running = job()
      .catch(this.#onError)
      .finally(() => {
        this.#running.delete(running);
        // Handed over, not freed: nobody who comes just now goes before those who wait.
        const next = this.#waiting.shift();
        if (next === undefined) this.#taken--;
        else next();
      });
    this.#running.add(running);
  }

  get anyWaits(): boolean {
    return this.#waiting.length > 0;
  }

  /** Resolves when nothing runs or waits. */
  async settled(): Promise<void> {
    while (this.#taken > 0) await Promise.all(this.#running);
  }
}

/** Runs jobs, at most `limit` at once, and waits for all of them. */
export async function runAll(
  jobs: readonly (() => Promise<void>)[],
  limit: number,
  onError: (error: unknown) => void,
): Promise<void> {
  const slots = new Slots(limit, onError);
  await Promise.all(jobs.map((job) => slots.begin(job)));
  await slots.settled();
}
