/** What a process that stops waits for, by name, and a database that it doesn't wait for. */
import type { Database } from './database.ts';
import { Wake } from './loop.ts';

const ASK_EVERY_MS = 250;

/** Work that is waited for, by name: who waits too long can say for what. */
export class UnderWay {
  readonly #names = new Set<string>();

  get names(): string[] {
    return [...this.#names];
  }

  /** Waits for the work, however it ends. */
  async until(name: string, work: Promise<unknown>): Promise<void> {
    this.#names.add(name);
    try {
      await work;
    } catch {
      // It has ended, and has said why to whoever asked for it.
    }
    this.#names.delete(name);
  }
}

export interface GiveUpOptions {
  /** The longest that it may leave us without an answer. */
  msMax: number;
  /** Ends the watch. */
  signal: AbortSignal;
  onGivenUp: () => void;
}

/**
 * Watches whether the database answers, and gives it up when it hasn't for long. A server that is gone refuses at once and would be tried
 * again; one whose host is gone says nothing, and what asked it waits for ever.
 */
export async function giveUpWhenSilent(
  db: Pick<Database, 'answers' | 'giveUp'>,
  { msMax, signal, onGivenUp }: GiveUpOptions,
): Promise<void> {
  const never = new Wake();
  let answeredAt = performance.now();
  while (!signal.aborted) {
    const leftMs = answeredAt + msMax - performance.now();
    const askedAt = performance.now();
    if (leftMs > 0 && (await db.answers(leftMs))) answeredAt = askedAt;
    else if (performance.now() - answeredAt >= msMax) {
      if (signal.aborted) return;
      db.giveUp();
      onGivenUp();
      return;
    }
    await never.wait(ASK_EVERY_MS, signal);
  }
}
