import { isConnectionFault, isGivenUp, isSerializationFault } from './faults.ts';

export interface LaneOptions<Item, Result> {
  name: string;
  /** The most items that are decided in one transaction. */
  itemsMax: number;
  /** How much work an item is, and the most of it in one transaction (an item heavier than that goes alone); default: items count alike. */
  weigh?: (item: Item) => number;
  weightMax?: number;
  /** The most items that may wait; one more is refused at once with `overflow`. */
  waitingMax: number;
  /** Waits until a batch may begin; what is returned is called when it has ended. What comes meanwhile goes with it. */
  enter?: () => Promise<() => void>;
  /** How many batches may be under way at once. */
  concurrency?: number;
  /** Decides all items in one transaction and returns one result per item, in order. */
  run: (items: Item[]) => Promise<Result[]>;
  overflow: (waiting: number) => Error;
  sleep?: (ms: number) => Promise<void>;
  random?: () => number;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

const ATTEMPTS_MAX = 8;

/**
 * Requests that arrive together are decided together: one transaction, one commit, and only then each its own answer.
 *
 * Idle: the first item starts a batch at the end of the tick. Busy: items gather while the batch before them commits, so the
 * batch grows with the load and nobody waits for a timer. A lost race decides the batch again. A connection fault
 * is retried (the keys inside make that safe) and then given to every caller. Any other fault halves the batch until the one bad
 * item is alone and fails alone.
 */
export class Lane<Item, Result> {
  readonly #options: LaneOptions<Item, Result>;
  #queue: Waiting<Item, Result>[] = [];
  #running = 0;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(options: LaneOptions<Item, Result>) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  submit(item: Item): Promise<Result> {
    if (this.#queue.length >= this.#options.waitingMax)
      return Promise.reject(this.#options.overflow(this.#queue.length));
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits or runs. */
  drained(): Promise<void> {
    if (this.#queue.length === 0 && this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #schedule(): void {
    if (this.#scheduled || this.#running >= (this.#options.concurrency ?? 1)) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#start();
    });
  }

  #start(): void {
    if (this.#queue.length === 0 || this.#running >= (this.#options.concurrency ?? 1)) return;
    this.#running++;
    void this.#next().finally(() => {
      this.#running--;
      if (this.#queue.length > 0) this.#schedule();
      else if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  async #next(): Promise<void> {
    const leave = await this.#options.enter?.();
    try {
      const batch = this.#queue.splice(0, this.#batchSize());
      // Those who may run beside us look for what is left.
      if (this.#queue.length > 0) this.#schedule();
      await this.#decide(batch);
    } finally {
      leave?.();
    }
  }

  #batchSize(): number {
    const { itemsMax, weigh, weightMax = Number.POSITIVE_INFINITY } = this.#options;
    const most = Math.min(itemsMax, this.#queue.length);
    if (weigh === undefined) return most;
    let weight = 0;
    for (let i = 0; i < most; i++) {
      weight += weigh(this.#queue[i]!.item);
      if (weight > weightMax) return Math.max(1, i);
    }
    return most;
  }

  async #decide(batch: Waiting<Item, Result>[]): Promise<void> {
    let error: unknown;
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      try {
        const results = await this.#options.run(batch.map((waiting) => waiting.item));
        for (let i = 0; i < batch.length; i++) batch[i]!.resolve(results[i]!);
        return;
      } catch (caught) {
        error = caught;
        if (isGivenUp(caught) || (!isSerializationFault(caught) && !isConnectionFault(caught))) break;
        const wait = Math.min(2_000, 5 * 2 ** attempt) * (0.5 + (this.#options.random ?? Math.random)() / 2);
        await (this.#options.sleep ?? sleep)(wait);
      }
    }
    if (batch.length === 1 || isSerializationFault(error) || isConnectionFault(error)) {
      for (const waiting of batch) waiting.reject(error);
      return;
    }
    const half = batch.length >> 1;
    await this.#decide(batch.slice(0, half));
    await this.#decide(batch.slice(half));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
