/**
 * Channels whose level may lie: they say themselves which of their numbers can't be right. Those are put in doubt, so that they are read
 * back and said again like any other, by whoever holds them. Asking writes nothing to the channel.
 */
import { type AvailabilitySink, prioritised } from '../connectors/kit/index.ts';
import { numbers } from '../store/index.ts';
import type { Publications, PublisherOptions } from './publications.ts';
import * as statements from './publish.sql.ts';
import { isPaused } from './retry.ts';

export class NumberDoubts {
  readonly #options: PublisherOptions;
  readonly #publications: Publications;
  /** SKUs that were named, until their publications say so. */
  readonly #named = new Set<string>();

  constructor(options: PublisherOptions, publications: Publications) {
    this.#options = options;
    this.#publications = publications;
  }

  /** @returns how many were put in doubt */
  async round(sink: AvailabilitySink): Promise<number> {
    const { db, deps, destination, connector, signal } = this.#options;
    if (sink.doubtful === undefined || isPaused(connector)) return 0;
    const held = await this.#publications.held();
    // One process asks, for the numbers that all of them hold.
    if (!held.has(0)) return 0;
    for (const sku of await sink.doubtful(prioritised(signal, 'normal'))) this.#named.add(sku);
    if (this.#named.size === 0) return 0;
    await deps.directory.loadSkus(this.#named);
    // What the hub doesn't know it never told a number of.
    const keys = [...this.#named].flatMap((sku) => deps.directory.findSkuId(sku) ?? []).sort((a, b) => a - b);
    const which = [destination.destinationId, 'availability', numbers(keys)];
    const marked = await db.transaction(async (tx) => {
      tx.write(statements.lockPublications, which);
      return await tx.query(statements.doubtNumbers, which);
    });
    this.#named.clear();
    return marked.length;
  }
}
