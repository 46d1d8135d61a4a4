/** What a system of {@link conformance.ts} holds: tables that are written one by one or many at once, and asked by their keys. */
import type { Answer, Call, SystemModel } from '../kit/conformance/index.ts';

export type Entry = Record<string, unknown>;

export interface Table {
  kind: string;
  /** A group in it is the key. */
  writePath: string | RegExp;
  findPath: string;
  /** The parameter, or the field of a POST, that holds the keys that are asked for. */
  list: string;
  key: string;
  /** The field of what is written that holds many. */
  many?: string;
  /** Whether a second write of a key makes a second entry. */
  doubles?: boolean;
  /** Why an entry is not taken: the code that it is answered with. */
  refuses?(entry: Entry, held: Entry | undefined, sold: number): string | undefined;
  told(entry: Entry, nth: number): Entry;
}

export function tableOf(tables: readonly Table[], otherwise: (call: Call) => Answer | undefined): SystemModel {
  const held = new Map<string, Map<string, Entry[]>>(tables.map(({ kind }) => [kind, new Map()]));
  const sold = new Map<string, number>();
  const refused = new Set<string>();
  const isRefused = (key: string) => refused.has(key.slice(key.lastIndexOf('/') + 1));
  const isFind = ({ method, path }: Call, { findPath, writePath }: Table) =>
    path === findPath && (method === 'GET' || writePath !== findPath);

  function take(table: Table, entry: Entry): { entry: Entry; code: string | undefined } {
    const key = String(entry[table.key]);
    const before = held.get(table.kind)!.get(key) ?? [];
    const code = isRefused(key) ? 'bad' : table.refuses?.(entry, before.at(-1), sold.get(key) ?? 0);
    if (code !== undefined) return { entry: { [table.key]: key, code, text: 'not this one' }, code };
    sold.delete(key);
    const now = table.doubles === true ? [...before, entry] : [entry];
    held.get(table.kind)!.set(key, now);
    return { entry: table.told(entry, now.length), code };
  }

  function find(table: Table, keys: readonly string[]): Entry[] {
    return keys.flatMap((key) =>
      (held.get(table.kind)!.get(key) ?? []).map((entry, index) => ({
        ...table.told(entry, index + 1),
        ...(table.kind === 'availability' && { level: Number(entry.level) - (sold.get(key) ?? 0) }),
      })),
    );
  }

  function write(table: Table, { path, body }: Call): Answer {
    const given = (body ?? {}) as Entry;
    if (table.many !== undefined) {
      const list = Array.isArray(given[table.many]) ? (given[table.many] as Entry[]) : [];
      return { json: { results: list.map((entry) => take(table, entry).entry) } };
    }
    const [, key] = typeof table.writePath === 'string' ? [] : (table.writePath.exec(path) ?? []);
    const { entry, code } = take(table, {
      ...given,
      ...(key !== undefined && { [table.key]: decodeURIComponent(key) }),
    });
    return { status: code === undefined ? 200 : 422, json: entry };
  }

  const writeOf = ({ method, path }: Call) =>
    method === 'GET'
      ? undefined
      : tables.find(({ writePath }) => (typeof writePath === 'string' ? writePath === path : writePath.test(path)));

  return {
    answer(call) {
      for (const table of tables) {
        if (!isFind(call, table)) continue;
        const asked = call.method === 'GET' ? call.query[table.list] : (call.body as Entry | undefined)?.[table.list];
        const keys = Array.isArray(asked) ? asked.map(String) : String(asked ?? '').split(',');
        return { json: { data: find(table, keys) } };
      }
      const table = writeOf(call);
      return table === undefined ? otherwise(call) : write(table, call);
    },
    roleOf: (call) => (tables.some((table) => isFind(call, table)) || writeOf(call) === undefined ? 'read' : 'write'),
    effects: (kind, reference) => held.get(kind)?.get(reference)?.length ?? 0,
    refuse: (reference) => void refused.add(reference.slice(reference.lastIndexOf('/') + 1)),
    sell: (sku, units) => void sold.set(sku, (sold.get(sku) ?? 0) + units),
    sellable: (sku) => Number(held.get('availability')?.get(sku)?.at(-1)?.level ?? 0) - (sold.get(sku) ?? 0),
  };
}

/** Some fields of an entry. */
export function only(entry: Entry, names: readonly string[]): Entry {
  return Object.fromEntries(names.map((name) => [name, entry[name]]));
}
