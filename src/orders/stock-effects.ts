/** Orders and the ledger: what stock offers to an order, and what an order's events do to stock and to promises of what is to come. */
import {
  type Commitments,
  isLimited,
  type LineRef,
  limitedTo,
  type Movement,
  offeredTo,
  type StockSession,
} from '../ledger/index.ts';
import type { ChannelEntry } from '../master/index.ts';
import type { Offer, Offered, Order, OrderEvent } from './types.ts';

/** Units that an order has already, per place: they count towards what its channel's limits give it, and stay with it. */
export interface Mine {
  skuId: number;
  locationId: number;
  quantity: number;
  /** Out of the hold that it claims, and so among what is free by now; else allocated. */
  isFree: boolean;
}

/**
 * What an order may be promised of a SKU. Of a channel that asks, an order without units yet gets exactly the channel's ATP. One that
 * has some gets what it would get if it came now, less what it has: a line that waits does not get its share of the rest again and
 * again. What was held for it is its own, whoever took the rest meanwhile.
 * The same rule in SQL is `servable_units`.
 */
export function offersOf(
  stock: Pick<StockSession, 'free' | 'exposure'>,
  channel: ChannelEntry,
  skuId: number,
  mine: readonly Mine[],
): Offered {
  if (!isLimited(channel)) {
    const places = channel.locationIds.map((locationId): Offer => {
      const free = stock.free(skuId, locationId);
      const own = channel.sellsByItself ? stock.exposure(channel.channelId, skuId, locationId) : 0;
      return { locationId, free, own, physical: free + own };
    });
    return { places, allocatable: Number.POSITIVE_INFINITY, promisable: Number.POSITIVE_INFINITY };
  }
  let offered = 0;
  let had = 0;
  let allocated = 0;
  const places = channel.locationIds.map((locationId): Offer => {
    const free = stock.free(skuId, locationId);
    let hadHere = 0;
    let allocatedHere = 0;
    for (const part of mine)
      if (part.skuId === skuId && part.locationId === locationId) {
        hadHere += part.quantity;
        if (!part.isFree) allocatedHere += part.quantity;
      }
    const mayHave = Math.max(hadHere, offeredTo(channel, free + allocatedHere));
    offered += mayHave;
    had += hadHere;
    allocated += allocatedHere;
    return { locationId, free: Math.max(0, Math.min(free, mayHave - allocatedHere)), own: 0, physical: free };
  });
  return {
    places,
    allocatable: Math.max(had, limitedTo(channel, offered)) - allocated,
    promisable: Math.max(had, channel.cap ?? Number.POSITIVE_INFINITY) - allocated,
  };
}

/** What a movement did, for its fact: the balances' versions, and the SKUs whose count had known of it already. */
export interface Moved {
  balanceVersions: number[];
  countedBefore?: number[];
}

function movedOf(moves: readonly { version: number; effect: number; skuId: number }[]): Moved {
  const balanceVersions = moves.map((move) => move.version);
  const countedBefore = moves.filter((move) => move.effect === 0).map((move) => move.skuId);
  return countedBefore.length === 0 ? { balanceVersions } : { balanceVersions, countedBefore };
}

/** An order's line as other systems name it. */
export function lineOf(order: Pick<Order, 'channelId' | 'externalNo'>, lineNo: number): LineRef {
  return { channelId: order.channelId, externalNo: order.externalNo, lineNo };
}

/** What an event does to the ledger. */
export function applyToStock(
  stock: StockSession,
  channel: ChannelEntry,
  order: Order,
  event: OrderEvent,
  occurredAt: string,
): Moved | undefined {
  switch (event.type) {
    case 'order.lines_added':
    case 'order.accepted': {
      const left = new Map(event.exposureUsed.map(({ skuId, quantity }) => [skuId, quantity]));
      for (const { lineNo, skuId, locationId, quantity, fromExposure } of event.allocations) {
        if (fromExposure > 0) {
          stock.setExposure(
            channel.channelId,
            skuId,
            locationId,
            stock.exposure(channel.channelId, skuId, locationId) - fromExposure,
          );
          left.set(skuId, (left.get(skuId) ?? 0) - fromExposure);
        }
        stock.allocate(skuId, locationId, quantity, lineOf(order, lineNo));
      }
      // Sold within the number but not taken from the exposure (a loss): the channel believes it no longer all the same.
      for (const [skuId, quantity] of left) {
        let missing = quantity;
        for (const locationId of channel.locationIds) {
          const own = stock.exposure(channel.channelId, skuId, locationId);
          const drop = Math.min(own, missing);
          if (drop > 0) stock.setExposure(channel.channelId, skuId, locationId, own - drop);
          missing -= drop;
        }
      }
      for (const { skuId, quantity } of event.exposureUsed) {
        const number = stock.channelNumber(channel.channelId, skuId);
        const isOpen = number.sending !== null || number.readBackAt !== null;
        if (number.shown === null && !isOpen) continue;
        number.changed = true;
        if (isOpen) number.soldSince += quantity;
        // While it is open whether the number counts this sale already, a net number keeps what was shown: too high is safe (the
        // next compare-and-set fails and it is read again), too low could match by chance while sales are still unread.
        if (number.shown !== null && (!isOpen || channel.numberMeans === 'on_hand'))
          number.shown = Math.max(0, number.shown - quantity);
      }
      for (const line of event.lines) stock.touched.add(line.skuId);
      return undefined;
    }
    case 'order.lines_reassigned':
      for (const { lineNo, skuId, locationId, quantity } of event.released)
        stock.release(skuId, locationId, quantity, lineOf(order, lineNo));
      for (const { lineNo, skuId, locationId, quantity } of event.allocations)
        stock.allocate(skuId, locationId, quantity, lineOf(order, lineNo));
      return undefined;
    case 'order.exception_resolved':
    case 'order.lines_allocated':
      for (const { lineNo, skuId, locationId, quantity } of event.allocations)
        stock.allocate(skuId, locationId, quantity, lineOf(order, lineNo));
      return undefined;
    case 'order.lines_cancelled':
      for (const { lineNo, skuId, locationId, quantity } of event.released)
        stock.release(skuId, locationId, quantity, lineOf(order, lineNo));
      return undefined;
    case 'fulfilment.short_picked':
      for (const { lineNo, skuId, quantity } of event.lines)
        stock.release(skuId, event.locationId, quantity, lineOf(order, lineNo));
      return undefined;
    case 'stock.picked':
      return movedOf(
        event.lines.map(({ lineNo, skuId, quantity }) => {
          const line = lineOf(order, lineNo);
          stock.release(skuId, event.locationId, quantity, line);
          const movement = movementOf(order, event, skuId, -quantity, 'picked', occurredAt);
          return { skuId, ...stock.move({ ...movement, line }) };
        }),
      );
    case 'return.received':
      if (event.inspection !== undefined) return undefined;
      return movedOf(
        event.lines.map(({ skuId, quantity }) => ({
          skuId,
          ...stock.move(movementOf(order, event, skuId, quantity, 'returned', occurredAt)),
        })),
      );
    case 'return.inspected':
      return movedOf(
        event.lines
          .filter(({ restock }) => restock > 0)
          .map(({ skuId, restock }) => ({
            skuId,
            ...stock.move(movementOf(order, event, skuId, restock, 'returned', occurredAt)),
          })),
      );
    default:
      return undefined;
  }
}

/** What an event does to promises of dated supply: they are made with the order, and end as its lines cease to wait. */
export function applyToCommitments(commitments: Commitments, order: Order, event: OrderEvent): void {
  if (commitments.isEmpty) return;
  const { orderId } = order;
  switch (event.type) {
    case 'order.lines_added':
    case 'order.accepted':
      for (const { lineNo, skuId, backordered } of event.lines)
        commitments.commit(
          { orderId, lineNo, skuId, backordered },
          event.commitments.filter((part) => part.lineNo === lineNo),
        );
      return;
    case 'order.lines_reassigned':
      for (const { lineNo, skuId, supplyId, quantity } of event.commitments)
        commitments.change({ orderId, lineNo, skuId }, supplyId, quantity);
      return;
    case 'fulfilment.short_picked':
      for (const { lineNo, skuId, quantity } of event.lines) {
        const { backordered } = order.lines.get(lineNo)!;
        commitments.serve({ orderId, lineNo, skuId, backordered }, -quantity);
      }
      return;
    case 'order.lines_allocated':
      for (const { lineNo, quantity } of event.allocations) {
        const { skuId, backordered } = order.lines.get(lineNo)!;
        commitments.serve({ orderId, lineNo, skuId, backordered }, quantity);
      }
      return;
    case 'order.lines_cancelled':
      for (const { lineNo, fromBackorder } of event.lines) {
        const { skuId, backordered } = order.lines.get(lineNo)!;
        if (fromBackorder > 0) commitments.serve({ orderId, lineNo, skuId, backordered }, fromBackorder);
      }
  }
}

function movementOf(
  order: Order,
  event: { locationId: number; source: string; sourceId: string; sequence: number | null },
  skuId: number,
  quantity: number,
  kind: Movement['kind'],
  occurredAt: string,
): Movement {
  return {
    skuId,
    locationId: event.locationId,
    kind,
    quantity,
    orderId: order.orderId,
    source: event.source,
    sourceId: event.sourceId,
    sourceSequence: event.sequence,
    occurredAt,
  };
}
