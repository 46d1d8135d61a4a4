/** The numbers of one channel for many callers at once. */
import { readAtp, readKitAtp } from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type Database, numbers } from '../store/index.ts';
import { packExposed, packFree, packFreeAndSupply } from './availability.sql.ts';

export const SKUS_PER_QUERY_MAX = 4_000;

export interface Numbers {
  /** The database's time at which they were true. */
  asOf: string;
  atp: readonly number[];
}

interface Batch {
  skuIds: number[];
  places: Map<number, number>;
  done: Promise<Numbers>;
  resolve: (numbers: Numbers) => void;
  reject: (error: unknown) => void;
}

/**
 * Requests of one turn, and those that come while a query runs, share the next query. Nothing is remembered between queries:
 * a number is never older than the request that asked for it.
 */
export class AvailabilityLoader {
  readonly #db: Database;
  readonly #directory: Directory;
  readonly #channel: ChannelEntry;
  #gathering: Batch | undefined;
  #running = false;

  constructor(db: Database, directory: Directory, channel: ChannelEntry) {
    this.#db = db;
    this.#directory = directory;
    this.#channel = channel;
  }

  /** @returns where each SKU's number stands in the batch's answer, and the answer */
  load(skuIds: readonly number[]): { places: number[]; done: Promise<Numbers> } {
    let batch = this.#gathering;
    if (batch === undefined || batch.skuIds.length + skuIds.length > SKUS_PER_QUERY_MAX) {
      // A full batch goes at once, beside the one that runs.
      if (batch !== undefined) void this.#ask(batch);
      batch = newBatch();
      this.#gathering = batch;
      if (!this.#running) setImmediate(() => this.#next());
    }
    const { places } = batch;
    const at = new Array<number>(skuIds.length);
    for (let i = 0; i < skuIds.length; i++) {
      const skuId = skuIds[i]!;
      let place = places.get(skuId);
      if (place === undefined) {
        place = batch.skuIds.length;
        places.set(skuId, place);
        batch.skuIds.push(skuId);
      }
      at[i] = place;
    }
    return { places: at, done: batch.done };
  }

  #next(): void {
    const batch = this.#gathering;
    if (this.#running || batch === undefined) return;
    this.#gathering = undefined;
    this.#running = true;
    void this.#ask(batch).finally(() => {
      this.#running = false;
      this.#next();
    });
  }

  async #ask(batch: Batch): Promise<void> {
    const channel = this.#channel;
    const values = [numbers(batch.skuIds), numbers(channel.locationIds)];
    try {
      if (!channel.sellsByItself && channel.horizonDays > 0) {
        const [row] = await this.#db.query(packFreeAndSupply, [...values, channel.share, channel.horizonDays]);
        const supply = (row!.packed_supply ?? '').split(',').map(Number);
        const within = await this.#withinQuotas(batch, row!.with_quotas, limited(channel, row!.packed ?? '', supply));
        const atp = row!.has_kits ? await this.#withKits(batch, within) : within;
        batch.resolve({ asOf: row!.as_of.toISOString(), atp });
        return;
      }
      if (channel.sellsByItself) {
        const [row] = await this.#db.query(packExposed, [...values, channel.channelId]);
        const shown = limited(channel, row!.packed ?? '');
        const atp = row!.has_kits ? await this.#withKits(batch, shown) : shown;
        batch.resolve({ asOf: row!.as_of.toISOString(), atp });
        return;
      }
      const [row] = await this.#db.query(packFree, [...values, channel.share]);
      const within = await this.#withinQuotas(batch, row!.with_quotas, limited(channel, row!.packed ?? ''));
      const atp = row!.has_kits ? await this.#withKits(batch, within) : within;
      batch.resolve({ asOf: row!.as_of.toISOString(), atp });
    } catch (error) {
      batch.reject(error);
    }
  }

  /** Of few SKUs: theirs are read anew, a moment later. */
  async #withinQuotas(batch: Batch, withQuotas: readonly string[], atp: number[]): Promise<number[]> {
    if (withQuotas.length === 0) return atp;
    const skuIds = withQuotas.map(Number);
    for (const [skuId, view] of await readAtp(this.#db, this.#channel, skuIds, this.#directory))
      atp[batch.places.get(skuId)!] = view.atp;
    return atp;
  }

  /** A kit has no stock of its own; its number is newer than the others'. */
  async #withKits({ skuIds, places }: Batch, atp: number[]): Promise<number[]> {
    const kits = await readKitAtp(this.#db, this.#channel, skuIds, this.#directory);
    for (const [skuId, kit] of kits) atp[places.get(skuId)!] = kit.atp;
    return atp;
  }
}

function newBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<Numbers>();
  return { skuIds: [], places: new Map(), done: promise, resolve, reject };
}

/** The channel's buffer, dated supply and cap on what the query added up: the same rule as the ledger's `atpOf`, which a test compares. */
function limited(channel: ChannelEntry, packed: string, supply?: readonly number[]): number[] {
  const { sellsByItself, buffer, cap } = channel;
  const result: number[] = [];
  let from = 0;
  while (from < packed.length) {
    let to = packed.indexOf(',', from);
    if (to < 0) to = packed.length;
    let atp = Number(packed.slice(from, to));
    if (!sellsByItself && buffer > 0) atp = Math.max(0, atp - buffer);
    if (supply !== undefined) atp += supply[result.length]!;
    if (cap !== null && atp > cap) atp = cap;
    result.push(atp);
    from = to + 1;
  }
  return result;
}
