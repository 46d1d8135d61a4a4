/** Which systems answer, as this process hears of it; written to where all processes see it. */
import { type Database, texts } from '../store/index.ts';
import * as statements from './modes.sql.ts';

const ERROR_CHARS_MAX = 300;

export class Contacts {
  readonly #failed = new Map<string, string>();
  readonly #answered = new Set<string>();

  answered(system: string): void {
    this.#answered.add(system);
    this.#failed.delete(system);
  }

  /** It answered nothing at all: a refusal is an answer. */
  failed(system: string, error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    this.#failed.set(system, text.slice(0, ERROR_CHARS_MAX));
    this.#answered.delete(system);
  }

  async flush(db: Database): Promise<void> {
    const failed = [...this.#failed];
    const answered = [...this.#answered];
    this.#failed.clear();
    this.#answered.clear();
    if (answered.length > 0) await db.query(statements.noteAnswers, [texts(answered)]);
    if (failed.length > 0)
      await db.query(statements.noteFailures, [
        texts(failed.map(([system]) => system)),
        texts(failed.map(([, error]) => error)),
      ]);
  }
}
