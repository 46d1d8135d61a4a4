/** Things that lead to others of their kind: accounts to the one above them, kits to their components, SKUs to their substitutes. Pure. */

export type Edges = ReadonlyMap<string, readonly string[]>;

/** The way from one back to itself, itself first and last; undefined: there is none. */
export function cycleThrough(edges: Edges, from: string): string[] | undefined {
  const seen = new Set<string>();
  // Without recursion: what is in a table may be as long as it likes.
  const open: { node: string; next: number }[] = [{ node: from, next: 0 }];
  while (open.length > 0) {
    const top = open.at(-1)!;
    const node = edges.get(top.node)?.[top.next++];
    if (node === undefined) open.pop();
    else if (node === from) return [...open.map((step) => step.node), from];
    else if (!seen.has(node)) {
      seen.add(node);
      open.push({ node, next: 0 });
    }
  }
  return undefined;
}

/** The most steps that lead away from one. Only where {@link cycleThrough} finds none. */
export function longestFrom(edges: Edges, from: string): number {
  const known = new Map<string, number>();
  const open = [from];
  const under = new Set<string>();
  while (open.length > 0) {
    const node = open.at(-1)!;
    const next = edges.get(node) ?? [];
    const left = under.has(node) ? [] : next.filter((one) => !known.has(one) && !under.has(one));
    under.add(node);
    if (left.length > 0) {
      open.push(...left);
      continue;
    }
    open.pop();
    known.set(
      node,
      next.reduce((most, one) => Math.max(most, 1 + (known.get(one) ?? 0)), 0),
    );
  }
  return known.get(from)!;
}

export function reversed(edges: Edges): Map<string, string[]> {
  const back = new Map<string, string[]>();
  for (const [from, list] of edges)
    for (const to of list) {
      const known = back.get(to);
      if (known === undefined) back.set(to, [from]);
      else known.push(from);
    }
  return back;
}

/** Of all ways that lead through one: the steps of the longest. */
export function longestThrough(edges: Edges, node: string): number {
  return longestFrom(edges, node) + longestFrom(reversed(edges), node);
}
