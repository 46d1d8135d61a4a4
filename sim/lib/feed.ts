import type { Journal } from './journal.ts';

/** How many records one read of a feed gives at most. */
export const FEED_LIMIT_MAX = 500;

/**
 * The numbered records that others read. Each record is kept as the JSON text that it is served as, and that same text is
 * its journal line: it is made once, and what a reader saw is what is on disk.
 */
export class Feed {
  #records: string[] = [];
  #readThrough = 0;
  #journal: () => Journal;
  onAppended: (seq: number) => void = () => {};

  constructor(journal: () => Journal) {
    this.#journal = journal;
  }

  get last(): number {
    return this.#records.length;
  }

  get unread(): number {
    return this.#records.length - this.#readThrough;
  }

  append<R extends object>(record: R): R & { seq: number } {
    const numbered = { seq: this.#records.length + 1, ...record };
    const text = JSON.stringify(numbered);
    this.#records.push(text);
    this.#journal().append(text);
    this.onAppended(numbered.seq);
    return numbered;
  }

  restore(seq: number, text: string): void {
    if (seq !== this.#records.length + 1) throw new Error(`feed record ${seq} follows ${this.#records.length}`);
    this.#records.push(text);
  }

  /** Records with seq in (after, after + limit], as JSON text. */
  slice(after: number, limit: number): string[] {
    return this.#records.slice(after, after + limit);
  }

  /** A reader that asks for what comes after `seq` has everything up to it. */
  markRead(seq: number): void {
    if (seq > this.#readThrough) this.#readThrough = Math.min(seq, this.#records.length);
  }

  page(after: number, limit: number): string {
    const records = this.slice(after, limit);
    const next = after + records.length;
    return `{"records":[${records.join(',')}],"next":${next},"more":${next < this.#records.length}}`;
  }
}
