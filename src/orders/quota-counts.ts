/** Quotas as a limit of orders: they narrow what stock and dated supply offer, and count what orders get of it. */
import {
  type Commitments,
  leftWithin,
  type Pair,
  type Place,
  QuotaBook,
  type QuotaOrder,
  type QuotaRoom,
  type SellsFrom,
  type StockSession,
  type SupplyOffer,
  supplyWithin,
} from '../ledger/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import type { Tx } from '../store/index.ts';
import type { Mine } from './stock-effects.ts';
import type { Offered, Order, OrderCommand } from './types.ts';

export function sellsFromOf(directory: Directory): SellsFrom {
  return (channelId) => directory.channelById.get(channelId)?.locationIds ?? [];
}

/**
 * What is kept for others leaves the places that they sell from too; what the order holds already of what is free stays with it, within its
 * caps.
 */
export function offersWithin(
  room: QuotaRoom,
  sellsFrom: SellsFrom,
  offered: Offered,
  free: (locationId: number) => number,
  claimed: readonly { locationId: number; quantity: number }[],
): Offered {
  const units = offered.places.map(({ locationId }) => ({ locationId, units: free(locationId) }));
  const left = leftWithin(room, units, sellsFrom);
  let own = 0;
  let open = 0;
  const places = offered.places.map((offer, i) => {
    let claimedHere = 0;
    for (const part of claimed) if (part.locationId === offer.locationId) claimedHere += part.quantity;
    own += claimedHere;
    const there = Math.min(offer.free, Math.max(left[i]!, claimedHere));
    open += Math.max(0, there);
    return { ...offer, free: there };
  });
  const cap = room.capLeft ?? Number.POSITIVE_INFINITY;
  return {
    places,
    allocatable: Math.min(offered.allocatable, Math.max(own, open), cap),
    promisable: Math.min(offered.promisable, cap),
  };
}

/** What stock can't keep for others, dated supply keeps: what comes last first. */
export function suppliesWithin(
  room: QuotaRoom,
  sellsFrom: SellsFrom,
  supplies: readonly SupplyOffer[],
  places: readonly Place[],
): SupplyOffer[] {
  const units = supplies.map(({ locationId, quantity }) => ({ locationId, units: quantity }));
  const left = supplyWithin(room, places, units, sellsFrom);
  return supplies.flatMap((supply, i) => (left[i]! > 0 ? [{ ...supply, quantity: left[i]! }] : []));
}

/** What a rerun of a SKU is decided upon, at the places of one channel. */
export function basisOf(
  book: QuotaBook,
  skuId: number,
  free: readonly number[],
  supplies: readonly { supplyId: number; units: number }[],
): string {
  const open = supplies
    .map(({ supplyId, units }) => `${supplyId}:${units}`)
    .sort()
    .join();
  return [book.basisOf(skuId), free.join(), open].join('|');
}

export class QuotaCounts {
  readonly #book: QuotaBook;
  /** SKUs of which nothing has changed since a rerun was decided: it has kept within all limits. */
  readonly #asDecided = new Set<number>();
  readonly #sellsFrom: SellsFrom;

  private constructor(book: QuotaBook, sellsFrom: SellsFrom) {
    this.#book = book;
    this.#sellsFrom = sellsFrom;
  }

  /** Locks as {@link QuotaBook.open} does. */
  static async open(
    tx: Tx,
    directory: Directory,
    pairs: readonly Pair[],
    works: readonly { command: OrderCommand }[],
    orders: ReadonlyMap<number, Order>,
  ): Promise<QuotaCounts> {
    const known: QuotaOrder[] = [...orders.values()];
    for (const { command } of works) if (command.kind === 'submit') known.push(command);
    const skuIds = pairs.map(([skuId]) => skuId);
    return new QuotaCounts(await QuotaBook.open(tx, directory, skuIds, known), sellsFromOf(directory));
  }

  #roomOf(skuId: number, command: OrderCommand, order: Order | undefined): QuotaRoom | undefined {
    if (this.#book.isEmpty || this.isAsDecided(skuId, command)) return undefined;
    return this.#book.roomOf(skuId, command.kind === 'submit' ? command : order!);
  }

  /** Before anything of the batch is done. */
  compare(
    works: readonly { command: OrderCommand }[],
    orderOf: (at: number) => Order | undefined,
    channelOf: (order: Order) => ChannelEntry,
    stock: StockSession,
    commitments: Commitments,
  ): void {
    const changed = new Set<number>();
    works.forEach(({ command }, i) => {
      const order = orderOf(i);
      if (command.kind !== 'reassign' || order === undefined) return;
      for (const { lineNo, basis } of command.lines) {
        const skuId = order.lines.get(lineNo)?.skuId;
        if (skuId === undefined || basis === undefined) continue;
        const free = channelOf(order).locationIds.map((locationId) => stock.free(skuId, locationId));
        const supplies = commitments.open(skuId).map(({ supplyId, quantity }) => ({ supplyId, units: quantity }));
        if (basis === basisOf(this.#book, skuId, free, supplies)) this.#asDecided.add(skuId);
        else changed.add(skuId);
      }
    });
    for (const skuId of changed) this.#asDecided.delete(skuId);
  }

  isAsDecided(skuId: number, { kind }: OrderCommand): boolean {
    return kind === 'reassign' && this.#asDecided.has(skuId);
  }

  offers(
    offered: Offered,
    stock: StockSession,
    skuId: number,
    command: OrderCommand,
    order: Order | undefined,
    mine: readonly Mine[],
  ): Offered {
    const room = this.#roomOf(skuId, command, order);
    if (room === undefined) return offered;
    const claimed = mine.filter((part) => part.isFree && part.skuId === skuId);
    return offersWithin(room, this.#sellsFrom, offered, (locationId) => stock.free(skuId, locationId), claimed);
  }

  supplies(
    supplies: SupplyOffer[],
    stock: StockSession,
    { locationIds }: ChannelEntry,
    skuId: number,
    command: OrderCommand,
    order: Order | undefined,
  ): SupplyOffer[] {
    const room = supplies.length === 0 ? undefined : this.#roomOf(skuId, command, order);
    if (room === undefined) return supplies;
    const places = locationIds.map((locationId) => ({ locationId, units: stock.free(skuId, locationId) }));
    return suppliesWithin(room, this.#sellsFrom, supplies, places);
  }

  /** What of one supply may be promised to an order that waits already. */
  supplyLeft(
    commitments: Commitments,
    supplyId: number,
    stock: StockSession,
    channel: ChannelEntry,
    skuId: number,
    command: OrderCommand,
    order: Order | undefined,
  ): number {
    const left = commitments.left(skuId, supplyId);
    if (left === 0 || !this.#book.has(skuId)) return left;
    const within = this.supplies(commitments.open(skuId), stock, channel, skuId, command, order);
    return within.find((one) => one.supplyId === supplyId)?.quantity ?? 0;
  }

  /** By line, what an order holds of dated supply; of SKUs with quotas. */
  committed(order: Order, commitments: Commitments): ReadonlyMap<number, number> | undefined {
    if (this.#book.isEmpty) return undefined;
    const held = new Map<number, number>();
    for (const { lineNo, skuId } of order.lines.values())
      if (this.#book.has(skuId)) held.set(lineNo, committedOf(commitments, order.orderId, lineNo, skuId));
    return held;
  }

  /** An event was applied to order and commitments. What is returned stays counted: it was promised, and kept. */
  count(order: Order, commitments: Commitments, before: ReadonlyMap<number, number> | undefined): void {
    if (before === undefined) return;
    for (const line of order.lines.values()) {
      if (!this.#book.has(line.skuId)) continue;
      const held = committedOf(commitments, order.orderId, line.lineNo, line.skuId);
      this.#book.count(order, line, line.allocated + line.picked, held - (before.get(line.lineNo) ?? 0));
    }
  }

  /** A soft hold of a channel turns into promises of an order, or doesn't after all. */
  hold(channelId: number, skuId: number, units: number): void {
    this.#book.hold(channelId, skuId, units);
  }

  flush(): Promise<void> {
    return this.#book.flush();
  }
}

function committedOf(commitments: Commitments, orderId: number, lineNo: number, skuId: number): number {
  return commitments.of({ orderId, lineNo, skuId }).reduce((sum, { quantity }) => sum + quantity, 0);
}
