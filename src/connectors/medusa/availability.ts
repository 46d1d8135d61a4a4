import { CrossdockError } from '../../canonical/index.ts';
import {
  type AvailabilityItem,
  type AvailabilitySink,
  askedToWaitMs,
  batchMaxOf,
  type ConnectorContext,
  type HttpClient,
  type Outcome,
} from '../kit/index.ts';
import type { Catalog, CatalogEntry } from './catalog.ts';
import { type LevelChange, planNumber, readLevels, sellable, writeLevels } from './levels.ts';
import { hiddenUnits } from './reservations.ts';

/** Of one batch the shop does about as many levels a second from 60 up; larger ones only hold its locks longer. */
export const NUMBERS_MAX = 120;

type NumberOutcome = Outcome | { outcome: 'conflict' };

export function availability(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  catalog: Catalog,
  locationIds: readonly string[],
): AvailabilitySink {
  const writing = new Map<string, Promise<unknown>>();

  const write = async (items: readonly AvailabilityItem[], signal: AbortSignal): Promise<NumberOutcome[]> => {
    let listed: Map<string, CatalogEntry>;
    let levels: Awaited<ReturnType<typeof readLevels>>;
    try {
      listed = await catalog.find(skusOf(items), signal);
      levels = await readLevels(client, itemIds(listed), signal);
    } catch (error) {
      // Only reads have left.
      if (error instanceof CrossdockError) return items.map(() => notYet(error));
      throw error;
    }
    const outcomes: (NumberOutcome | undefined)[] = [];
    const groups: { index: number; changes: LevelChange[] }[] = [];
    for (const [index, item] of items.entries()) {
      const entry = listed.get(item.sku);
      const itemId = entry?.inventoryItemId;
      const there = itemId == null ? undefined : levels.get(itemId);
      if (itemId == null || there === undefined) {
        if (itemId != null) catalog.forget();
        outcomes[index] = { outcome: 'refused', error: whyNot(item.sku, entry, catalog) };
        continue;
      }
      const plan = planNumber(item, itemId, there, locationIds);
      if (plan === 'conflict') outcomes[index] = { outcome: 'conflict' };
      else if (plan.length === 0) outcomes[index] = { outcome: 'confirmed' };
      else groups.push({ index, changes: plan });
    }
    const written = await writeLevels(
      client,
      groups.map(({ changes }) => changes),
      signal,
    );
    for (const [n, { index }] of groups.entries()) {
      const outcome = written[n]!;
      outcomes[index] = outcome;
      if (outcome.outcome === 'refused') catalog.forget();
    }
    return outcomes as NumberOutcome[];
  };

  return {
    batchMax: batchMaxOf(limits, NUMBERS_MAX),
    /** Reading, then setting what was read plus a difference: two at once for one SKU would lose one. */
    async write(items, signal) {
      const before = items.map(({ sku }) => writing.get(sku));
      const done = Promise.allSettled(before).then(() => write(items, signal));
      const settledThen = done.catch(() => undefined);
      for (const { sku } of items) writing.set(sku, settledThen);
      try {
        return await done;
      } finally {
        for (const { sku } of items) if (writing.get(sku) === settledThen) writing.delete(sku);
      }
    },
    async readBack(skus, signal) {
      const listed = await catalog.find(skus, signal);
      const levels = await readLevels(client, itemIds(listed), signal);
      const numbers = new Map<string, number>();
      for (const [sku, { inventoryItemId }] of listed) {
        const there = inventoryItemId === null ? undefined : levels.get(inventoryItemId);
        if (there !== undefined) numbers.set(sku, sellable(there, locationIds));
      }
      return numbers;
    },
    doubtful: hiddenUnits(client, catalog, locationIds),
  };
}

function skusOf(items: readonly { sku: string }[]): string[] {
  return items.map(({ sku }) => sku);
}

function itemIds(listed: ReadonlyMap<string, CatalogEntry>): string[] {
  return [...listed.values()].flatMap(({ inventoryItemId }) => (inventoryItemId === null ? [] : [inventoryItemId]));
}

function whyNot(sku: string, entry: CatalogEntry | undefined, catalog: Catalog): string {
  if (entry === undefined) return catalog.whyNot(sku);
  if (entry.inventoryItemId === null)
    return `${sku} has no stock number of its own in the shop: its inventory is not managed, or made of several items`;
  return `the shop has no inventory item of ${sku} any more`;
}

/** Nothing but reading was done. */
export function notYet(error: CrossdockError): Outcome {
  const retryAfterMs = askedToWaitMs(error);
  return {
    outcome: 'later',
    error: error.message,
    ofSystem: true,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
