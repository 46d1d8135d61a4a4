import type { Clock } from '../kit/index.ts';
import type { Inbound } from './settings.ts';
import { type FileEntry, identityOf } from './store.ts';

/** A file that was just made is often empty for a while: it waits longer than one that has something in it. */
const EMPTY_TIMES = 10;
/** What uploads in progress are called by those who rename. */
const UNFINISHED = /^\.|\.(tmp|temp|part|partial|filepart|crdownload|swp|writing)$|~$/i;

/**
 * Which files are whole. By our own monotonic clock: neither the server's clock nor a change of ours makes a file older than we have seen
 * it unchanged. After a restart each is looked at for the whole time again.
 */
export class Settle {
  readonly #rule: Inbound['settle'];
  readonly #clock: Clock;
  #seen = new Map<string, { identity: string; since: number }>();

  constructor({ settle }: Inbound, clock: Clock) {
    this.#rule = settle;
    this.#clock = clock;
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }

  /** @param all of the folder, where markers are looked for */
  settled(files: readonly FileEntry[], all: readonly FileEntry[]): FileEntry[] {
    const rule = this.#rule;
    const finished = files.filter(({ name }) => !UNFINISHED.test(name));
    if (rule.by === 'rename') return finished;
    if (rule.by === 'marker') {
      const names = new Set(all.map(({ name }) => name));
      return finished.filter(({ name }) => !name.endsWith(rule.suffix) && names.has(name + rule.suffix));
    }
    const now = this.#clock.now();
    const seen = new Map<string, { identity: string; since: number }>();
    const ready: FileEntry[] = [];
    for (const file of finished) {
      const identity = identityOf(file);
      const before = this.#seen.get(file.name);
      const here = before?.identity === identity ? before : { identity, since: now };
      seen.set(file.name, here);
      const waitMs = rule.seconds * 1000 * (file.size === 0 ? EMPTY_TIMES : 1);
      if (now - here.since >= waitMs) ready.push(file);
    }
    this.#seen = seen;
    return ready;
  }
}
