import { askedToWaitMs, type Source } from '../connectors/kit/index.ts';
import { DATABASE_PAUSE_MS_MAX, type Database, databaseNow, isConnectionFault } from '../store/index.ts';
import type { Receiver } from './receive.ts';
import * as statements from './store.sql.ts';

const PRESSURE_PAUSE_MS = 1_000;

export interface PollerOptions {
  db: Database;
  receiver: Receiver;
  system: string;
  source: Source;
  /** Pause after a poll that found something and read it to its end. */
  pollMs: number;
  /** To which the pause grows, by half each time, while nothing is found; default: it doesn't. */
  pollMsMax?: number;
  /** Whether this process may poll now: it holds the lease. */
  mayPoll: () => boolean;
  /** Whether intake must slow down: work in flight is at its bound, or has grown old. */
  mustWait: () => boolean;
  onError: (error: unknown) => void;
  /** After each page: how many records it had, and whether the feed was read to its end. */
  onPage?: (records: number, drained: boolean) => void;
}

/**
 * Follows one feed of one system. The page is stored, decided and the cursor moved in one transaction, so a page is applied
 * once whoever dies in between. Errors are waited out with growing pauses; the feed is never skipped.
 */
export class Poller {
  readonly #options: PollerOptions;
  readonly #abort = new AbortController();
  #loop: Promise<void> | undefined;
  #failures = 0;
  #idleMs: number;
  #hinted = false;
  #wake: (() => void) | undefined;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#idleMs = options.pollMs;
  }

  get feed(): string {
    return this.#options.source.feed;
  }

  /** Something is there to be read: the pause ends. A feed that waits because it was asked to is not disturbed. */
  hint(): void {
    this.#hinted = true;
    this.#wake?.();
  }

  start(): void {
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#loop;
  }

  /** One page. @returns whether there is surely more */
  async pollOnce(): Promise<boolean> {
    const { db, receiver, system, source } = this.#options;
    const [row] = await db.query(statements.readCursor, [system, source.feed]);
    const from = row!.cursor;
    // Taken before the request: whatever the system recorded up to now is in the answer, or in a page after it.
    const began = await databaseNow(db);
    const page = await source.poll(from, this.#abort.signal);
    await receiver.receive({
      system,
      source: 'poll',
      contentType: page.contentType,
      body: page.items.length === 0 ? Buffer.alloc(0) : page.body,
      items: page.items,
      onFault: 'park',
      reread: source.reread,
      feed: { feed: source.feed, from, to: page.cursor, drainedAt: page.drained ? began : null },
    });
    this.#idleMs =
      page.items.length > 0
        ? this.#options.pollMs
        : Math.min(this.#idleMs * 1.5, Math.max(this.#options.pollMs, this.#options.pollMsMax ?? 0));
    this.#options.onPage?.(page.items.length, page.drained);
    return !page.drained;
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      let pauseMs = this.#options.pollMs;
      let mayWake = true;
      if (this.#options.mayPoll()) {
        try {
          this.#hinted = false;
          // Under pressure a page now and then: what a channel sold must be read before its number can be raised.
          if (this.#options.mustWait()) await pause(PRESSURE_PAUSE_MS, signal);
          pauseMs = (await this.pollOnce()) ? 0 : this.#idleMs;
          this.#failures = 0;
        } catch (error) {
          if (signal.aborted) return;
          mayWake = false;
          const askedMs = askedToWaitMs(error);
          if (askedMs !== undefined) pauseMs = Math.max(pauseMs, askedMs);
          else {
            this.#failures++;
            const pauseMsMax = isConnectionFault(error) ? DATABASE_PAUSE_MS_MAX : 5_000;
            pauseMs = Math.min(pauseMsMax, this.#options.pollMs * 2 ** Math.min(this.#failures, 8));
          }
          this.#options.onError(error);
        }
      }
      if (!mayWake) await pause(pauseMs, signal);
      else if (!this.#hinted) await this.#pauseOrHint(pauseMs, signal);
    }
  }

  async #pauseOrHint(ms: number, signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await pause(ms, AbortSignal.any([signal, woken.signal]));
    this.#wake = undefined;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
