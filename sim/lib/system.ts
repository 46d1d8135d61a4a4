import type { Faults } from './faults.ts';
import type { Feed } from './feed.ts';
import { type Item, Refusal } from './items.ts';
import type { Random } from './prng.ts';
import type { Time } from './time.ts';

/** What one request brings to a route. */
export interface Call {
  body: unknown;
  query: URLSearchParams;
  /** Asked once per item of a write, after it was found good: true means answer as if, and keep nothing. */
  lost(): boolean;
}

export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** Business routes need the token and have faults; the others are what people and tests do. */
  business: boolean;
  /** @returns the body of a 200; a text is JSON already. Synchronous: a call is never between two states. */
  run(call: Call): object | string;
}

/** What a mounted protocol is asked, and what it answers. */
export interface MountCall {
  method: string;
  url: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Buffer;
}
export interface MountAnswer {
  status: number;
  /** A text is sent as it is. */
  body: object | string;
  headers?: Readonly<Record<string, string>>;
}
export type MountFault = 'outage' | 'tooMany' | 'errorBefore' | 'errorAfter';

/** Paths below a prefix that speak a protocol of their own: methods, path parameters, headers, who may. */
export interface Mount {
  prefix: string;
  run(call: MountCall): MountAnswer;
  /** A fault in the words of the protocol. */
  faultOf(fault: MountFault): MountAnswer;
}

export const business = (method: 'GET' | 'POST', path: string, run: Route['run']): Route => {
  return { method, path, business: true, run };
};

export const drive = (path: string, run: Route['run']): Route => {
  return { method: 'POST', path: `/_drive/${path}`, business: false, run };
};

/** What the shared parts give to a system. */
export interface Kit {
  feed: Feed;
  time: Time;
  random: Random;
  /** What depends on the seed and on a name alone, and not on when it is asked. */
  named(name: string): Random;
  faults: Faults;
  speed: number;
  unreadMax: number;
  /** Keeps an entry that is not a feed record; it comes back through {@link System.restore} at the next start. */
  keep(entry: Entry): void;
}

/** A line of the journal that is not a feed record. */
export type Entry = { do: string } & Record<string, unknown>;

export interface Truth {
  keys(): Iterable<string>;
  size(): number;
  read(key: string): object;
}

export interface System {
  routes: Route[];
  mount?: Mount;
  /** Absent of a system that has no feed. */
  feedPath?: string;
  /** Applies one kept entry or feed record. The same code applies it when it happens. */
  restore(entry: Entry): void;
  restoreRecord(record: Item): void;
  /** After the journal was read: takes up the work that was under way. */
  resume(): void;
  /** Work that the system itself still has to do. */
  pending(): number;
  stats(): Record<string, unknown>;
  truths: Record<string, Truth>;
}

export function truthOf<V>(map: Map<string, V>, render: (value: V, key: string) => object): Truth {
  return {
    keys: () => map.keys(),
    size: () => map.size,
    read: (key) => ({ key, ...render(map.get(key)!, key) }),
  };
}

/** Truth in key order, by pages. The order is made once per size: keys are only ever added. */
export class TruthPages {
  #truths: Record<string, Truth>;
  #sorted = new Map<string, string[]>();

  constructor(truths: Record<string, Truth>) {
    this.#truths = truths;
  }

  page(kind: string, after: string | null, limit: number): object {
    const truth = Object.hasOwn(this.#truths, kind) ? this.#truths[kind] : undefined;
    if (truth === undefined) {
      throw new Refusal(
        404,
        'unknown_kind',
        `no truth of kind ${kind}; known: ${Object.keys(this.#truths).join(', ')}`,
      );
    }
    let keys = this.#sorted.get(kind);
    if (keys === undefined || keys.length !== truth.size()) {
      keys = [...truth.keys()].sort();
      this.#sorted.set(kind, keys);
    }
    const start = after === null ? 0 : firstAfter(keys, after);
    const page = keys.slice(start, start + limit);
    const more = start + page.length < keys.length;
    return { records: page.map((key) => truth.read(key)), next: page.at(-1) ?? after, more };
  }
}

function firstAfter(keys: string[], after: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! > after) high = middle;
    else low = middle + 1;
  }
  return low;
}
