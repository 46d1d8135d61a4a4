import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cycleThrough, longestFrom, longestThrough } from './graph.ts';

const edgesOf = (pairs: readonly [string, string][]) => {
  const edges = new Map<string, string[]>();
  for (const [from, to] of pairs) edges.set(from, [...(edges.get(from) ?? []), to]);
  return edges;
};
const node = fc.integer({ min: 0, max: 7 }).map((n) => `n${n}`);
const graphs = fc.array(fc.tuple(node, node), { maxLength: 20 }).map(edgesOf);
/** Only from a smaller number to a larger one: no way leads back. */
const acyclic = fc
  .array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 25 })
  .map((pairs) => edgesOf(pairs.filter(([a, b]) => a < b).map(([a, b]) => [`n${a}`, `n${b}`])));

/** By trying every way. */
function waysFrom(edges: ReadonlyMap<string, readonly string[]>, from: string): string[][] {
  const ways: string[][] = [];
  const walk = (way: string[]) => {
    ways.push(way);
    for (const next of edges.get(way.at(-1)!) ?? []) if (!way.slice(1).includes(next)) walk([...way, next]);
  };
  walk([from]);
  return ways;
}

it('a way back to the beginning is found where there is one, and it is one', () => {
  fc.assert(
    fc.property(graphs, node, (edges, from) => {
      const found = cycleThrough(edges, from);
      const exists = waysFrom(edges, from).some((way) => way.length > 1 && way.at(-1) === from);
      expect(found !== undefined).toBe(exists);
      if (found === undefined) return;
      expect([found[0], found.at(-1)]).toEqual([from, from]);
      found.slice(1).forEach((to, i) => {
        expect(edges.get(found[i]!)).toContain(to);
      });
    }),
  );
});

it('the longest way is as long as the longest of all ways', () => {
  fc.assert(
    fc.property(acyclic, fc.nat(9), (edges, n) => {
      const from = `n${n}`;
      const longest = (at: string) => Math.max(...waysFrom(edges, at).map((way) => way.length - 1));
      expect(longestFrom(edges, from)).toBe(longest(from));
      const through = [...Array(10).keys()].flatMap((start) =>
        waysFrom(edges, `n${start}`)
          .filter((way) => way.at(-1) === from)
          .map((way) => way.length - 1 + longest(from)),
      );
      expect(longestThrough(edges, from)).toBe(Math.max(...through));
    }),
  );
});

it('a chain of 100,000 is walked', () => {
  const edges = edgesOf(Array.from({ length: 100_000 }, (_, n): [string, string] => [`c${n}`, `c${n + 1}`]));
  expect(longestFrom(edges, 'c0')).toBe(100_000);
  expect(cycleThrough(edges, 'c0')).toBeUndefined();
});
