/** Parts of systems that are alike: feeds by sequence, batches with a result for each item. */
import type { Answer, Call, FeedRow, Role, SystemModel } from './describe.ts';

export interface SequencePages {
  path: string;
  /** Names in the question and in the answer. */
  after?: string;
  limit?: string;
}

/** `GET path?after=&limit=` → `{records, next, more}`. */
export function sequencePages(rows: () => readonly FeedRow[], call: Call, options: SequencePages): Answer | undefined {
  const { path, after = 'after', limit = 'limit' } = options;
  if (call.method !== 'GET' || call.path !== path) return undefined;
  const from = Number(call.query[after] ?? 0);
  const size = Number(call.query[limit] ?? 100);
  const rest = [...rows()].sort((a, b) => a.seq - b.seq).filter(({ seq }) => seq > from);
  const page = rest.slice(0, size);
  const next = page.at(-1)?.seq ?? from;
  return { json: { records: page.map(({ raw }) => raw ?? null), next, more: rest.length > page.length } };
}

type Entry = Record<string, unknown>;

export interface BatchTable {
  kind: string;
  write: string;
  list: string;
  lookup: string;
  lookupList: string;
  key: string;
  /** Whether a second write of a key makes a second thing. */
  doubles?: boolean;
  /** Refuses an item, with what is there; undefined: it is taken. */
  refuse?(entry: Entry, held: Entry | undefined): Entry | undefined;
  /** What is answered to a write that was taken. */
  taken(entry: Entry, nth: number): Entry;
  found(entry: Entry, nth: number): Entry;
}

/**
 * `POST write {<list>: [...]}` → `{results: [{<key>, status, …}]}`, `POST lookup {<lookupList>: [...]}` → `{found: [...]}`: the routes of
 * the kit's `deliveryKind`, `priceSink` and their like.
 */
export function batchTables(
  tables: readonly BatchTable[],
  feeds: (call: Call) => Answer | undefined = () => undefined,
) {
  const held = new Map<string, Map<string, Entry[]>>(tables.map(({ kind }) => [kind, new Map()]));
  const refused = new Set<string>();
  const model = {
    answer(call: Call): Answer | undefined {
      for (const table of tables) {
        if (call.path === table.write)
          return { json: { results: listOf(call, table.list).map((e) => take(table, e)) } };
        if (call.path === table.lookup)
          return { json: { found: listOf(call, table.lookupList).flatMap(findIn(table)) } };
      }
      return feeds(call);
    },
    roleOf: (call: Call) => (tables.some(({ write }) => write === call.path) ? 'write' : 'read'),
    effects: (kind: string, reference: string) => held.get(kind)?.get(reference)?.length ?? 0,
    refuse: (reference: string) => void refused.add(reference.slice(reference.lastIndexOf('/') + 1)),
    /** The newest entry of a key. */
    entry: (kind: string, key: string): Entry | undefined => held.get(kind)?.get(key)?.at(-1),
  } satisfies SystemModel & { entry: unknown };
  return model;

  function take(table: BatchTable, entry: Entry): Entry {
    const key = String(entry[table.key]);
    const there = held.get(table.kind)!;
    const before = there.get(key) ?? [];
    if (refused.has(key.slice(key.lastIndexOf('/') + 1)))
      return { [table.key]: key, status: 422, error: { code: 'invalid', message: 'not this one' } };
    const no = table.refuse?.(entry, before.at(-1));
    if (no !== undefined) return { [table.key]: key, ...no };
    const now = table.doubles ? [...before, entry] : before.length > 0 && table.doubles === false ? before : [entry];
    there.set(key, now);
    return { [table.key]: key, status: 200, ...table.taken(entry, now.length) };
  }

  function findIn(table: BatchTable): (key: unknown) => Entry[] {
    return (key) =>
      (held.get(table.kind)!.get(String(key)) ?? []).map((entry, index) => ({
        [table.key]: String(key),
        ...table.found(entry, index + 1),
      }));
  }
}

function listOf<T = Entry>(call: Call, name: string): T[] {
  const list = (call.body as Record<string, unknown> | undefined)?.[name];
  return Array.isArray(list) ? (list as T[]) : [];
}

/** A call and what is answered to it: as it was recorded, or made from the call. */
export interface Route {
  method: string;
  path: string | RegExp;
  role?: Role;
  answer: Answer | ((call: Call) => Answer | undefined);
}

/** A system of routes, the first that fits answers. What is recorded keeps no state, so nothing is said about effects. */
export function routes(list: readonly Route[]): SystemModel {
  const find = (call: Call) =>
    list.find(
      ({ method, path }) =>
        method === call.method && (typeof path === 'string' ? path === call.path : path.test(call.path)),
    );
  return {
    answer(call) {
      const answer = find(call)?.answer;
      return typeof answer === 'function' ? answer(call) : answer;
    },
    roleOf: (call) => find(call)?.role ?? (call.method === 'GET' ? 'read' : 'write'),
  };
}
