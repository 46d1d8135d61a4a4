/** What may be sent instead of a SKU, best first: a list of its own for each SKU, put whole. */
import { fail } from '../canonical/index.ts';
import { type Database, numbers, type Tx } from '../store/index.ts';
import type { Directory } from './directory.ts';
import * as statements from './substitutes.sql.ts';

export interface SubstitutesRecord {
  sku: string;
  /** Best first; empty: nothing is sent instead of it any more. */
  substitutes: readonly string[];
}

export const SUBSTITUTES_MAX = 10;
/** Steps from a SKU over what may be sent instead of it, what instead of that, and so on. */
export const SUBSTITUTE_CHAIN_MAX = 5;

/**
 * Puts the lists of these SKUs in place of what they had.
 * @throws XD_UNKNOWN_SKU, XD_VALUE_INVALID naming the place of the first record that is wrong, a chain that is too long or comes back to
 * where it began among them; nothing is written then
 */
export async function putSubstitutes(
  db: Database,
  directory: Directory,
  records: readonly SubstitutesRecord[],
): Promise<{ written: number }> {
  return db.transaction((tx) => writeSubstitutes(tx, directory, records));
}

/** As {@link putSubstitutes}, in the caller's transaction. */
export async function writeSubstitutes(
  tx: Tx,
  directory: Directory,
  records: readonly SubstitutesRecord[],
): Promise<{ written: number }> {
  const codes = records.flatMap(({ sku, substitutes }) => [sku, ...substitutes].map((code) => code.toUpperCase()));
  await directory.loadSkus(codes);
  const idOf = (code: string, place: string): number =>
    directory.findSkuId(code.toUpperCase()) ??
    fail('XD_UNKNOWN_SKU', `${place}: no SKU ${JSON.stringify(code.slice(0, 60))}`, { place });
  const lists = new Map<number, number[]>();
  // Two lists at once, each sound, could close a circle together.
  await tx.query(statements.lock);
  const edges = new Map<number, number[]>();
  for (const row of await tx.query(statements.readAll)) {
    const list = edges.get(row.sku_id);
    if (list === undefined) edges.set(row.sku_id, [row.substitute_id]);
    else list.push(row.substitute_id);
  }
  records.forEach(({ sku, substitutes }, i) => {
    const place = `substitutes[${i}]`;
    const skuId = idOf(sku, `${place}.sku`);
    const ids = substitutes.map((code) => idOf(code, `${place}.substitute`));
    const wrong = (what: string): never =>
      fail('XD_VALUE_INVALID', `${place}.substitute: ${what}`, { place: `${place}.substitute` });
    if (ids.length > SUBSTITUTES_MAX) wrong(`${sku} has ${ids.length} substitutes, at most ${SUBSTITUTES_MAX}`);
    if (new Set(ids).size < ids.length) wrong(`${sku} has the same substitute twice`);
    edges.set(skuId, ids);
    if (ids.some((id) => id === skuId || reaches(edges, id, skuId))) wrong(`${sku} would stand for itself in the end`);
    const steps = longest(edges, skuId) + longest(reversed(edges), skuId);
    if (steps > SUBSTITUTE_CHAIN_MAX)
      wrong(`the chain through ${sku} has ${steps} steps, at most ${SUBSTITUTE_CHAIN_MAX}`);
    lists.set(skuId, ids);
  });
  const rows = [...lists].flatMap(([skuId, ids]) => ids.map((substituteId, rank) => ({ skuId, rank, substituteId })));
  tx.write(statements.removeLists, [numbers([...lists.keys()])]);
  tx.write(statements.insertLists, [
    numbers(rows.map((row) => row.skuId)),
    numbers(rows.map((row) => row.rank + 1)),
    numbers(rows.map((row) => row.substituteId)),
  ]);
  return { written: lists.size };
}

type Edges = ReadonlyMap<number, readonly number[]>;

function reaches(edges: Edges, from: number, to: number, seen = new Set<number>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return (edges.get(from) ?? []).some((next) => reaches(edges, next, to, seen));
}

function longest(edges: Edges, from: number, known = new Map<number, number>()): number {
  let steps = known.get(from);
  if (steps !== undefined) return steps;
  steps = 0;
  for (const next of edges.get(from) ?? []) steps = Math.max(steps, 1 + longest(edges, next, known));
  known.set(from, steps);
  return steps;
}

function reversed(edges: Edges): Edges {
  const back = new Map<number, number[]>();
  for (const [from, list] of edges)
    for (const to of list) {
      const known = back.get(to);
      if (known === undefined) back.set(to, [from]);
      else known.push(from);
    }
  return back;
}
