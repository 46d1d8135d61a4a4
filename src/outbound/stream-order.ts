/** Facts of an order in the order in which they happened, whatever their place in the log. */
import { type Fact, listUnread } from '../log/index.ts';
import type { Tx } from '../store/index.ts';

/** Streams of which a younger half is kept when there are more. */
const STREAMS_MAX = 20_000;

/** How far this process has planned streams lately: what is known need not be asked for. Grows only by what is committed. */
export class PlannedStreams {
  #epoch: number | undefined;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  /** A restored log goes on from an earlier moment: what was planned before says nothing of it. */
  enter(epoch: number): void {
    if (this.#epoch === epoch) return;
    this.#epoch = epoch;
    this.#young = new Map();
    this.#old = new Map();
  }

  /** With a fact all that came before it in its stream are planned. */
  add(facts: readonly Fact[]): void {
    for (const { stream, version } of facts) {
      // Others have no order to keep.
      if (!stream.startsWith('order/')) continue;
      if (!this.has(stream, version)) this.#young.set(stream, version);
      if (this.#young.size < STREAMS_MAX / 2) continue;
      this.#old = this.#young;
      this.#young = new Map();
    }
  }

  has(stream: string, version: number): boolean {
    return Math.max(this.#young.get(stream) ?? 0, this.#old.get(stream) ?? 0) >= version;
  }
}

/**
 * Two facts about one order may stand in the log in the wrong order: position is not causality. The stream's version is, so a
 * fact takes along those of its stream that come before it and are not read yet. They are committed: each was written under the
 * lock that its predecessor had given up. When the reader comes to them they are planned again, which changes nothing.
 */
export async function inStreamOrder(
  tx: Tx,
  consumer: string,
  read: readonly Fact[],
  planned?: PlannedStreams,
): Promise<Fact[]> {
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
  const isUnknown = ({ stream, version }: { stream: string; version: number }) =>
    planned?.has(stream, version) !== true;
  let before = predecessors(byStream, byStream.keys()).filter(isUnknown);
  while (before.length > 0) {
    const streams = new Set<string>();
    // Those before the reader are planned already, and with them all that came before them.
    for (const fact of await listUnread(tx, consumer, before, since)) {
      byStream.get(fact.stream)!.set(fact.version, fact);
      streams.add(fact.stream);
    }
    before = predecessors(byStream, streams).filter(isUnknown);
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
