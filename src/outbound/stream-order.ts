/** Facts of an order in the order in which they happened, whatever their place in the log. */
import { type Fact, listUnread } from '../log/index.ts';
import type { Tx } from '../store/index.ts';

/**
 * Two facts about one order may stand in the log in the wrong order: position is not causality. The stream's version is, so a
 * fact takes along those of its stream that come before it and are not read yet. They are committed: each was written under the
 * lock that its predecessor had given up. When the reader comes to them they are planned again, which changes nothing.
 */
export async function inStreamOrder(tx: Tx, consumer: string, read: readonly Fact[]): Promise<Fact[]> {
  const result: Fact[] = [];
  const byStream = new Map<string, Map<number, Fact>>();
  for (const fact of read) {
    if (!fact.stream.startsWith('order/')) {
      result.push(fact);
      continue;
    }
    const versions = byStream.get(fact.stream);
    if (versions === undefined) byStream.set(fact.stream, new Map([[fact.version, fact]]));
    else versions.set(fact.version, fact);
  }
  const since = read.at(-1)!.recordedAt;
  let before = predecessors(byStream, byStream.keys());
  while (before.length > 0) {
    const streams = new Set<string>();
    // Those before the reader are planned already, and with them all that came before them.
    for (const fact of await listUnread(tx, consumer, before, since)) {
      byStream.get(fact.stream)!.set(fact.version, fact);
      streams.add(fact.stream);
    }
    before = predecessors(byStream, streams);
  }
  for (const versions of byStream.values())
    result.push(...[...versions.values()].sort((a, b) => a.version - b.version));
  return result;
}

/** The versions that come right before those we have and are not among them. */
function predecessors(
  byStream: ReadonlyMap<string, ReadonlyMap<number, Fact>>,
  streams: Iterable<string>,
): { stream: string; version: number }[] {
  const result: { stream: string; version: number }[] = [];
  for (const stream of streams) {
    const versions = byStream.get(stream)!;
    for (const version of versions.keys())
      if (version > 1 && !versions.has(version - 1)) result.push({ stream, version: version - 1 });
  }
  return result;
}
