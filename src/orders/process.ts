/**
 * Runs a batch of order commands in one transaction: lock the orders (by id), then the balances (by SKU and location), run the pure
 * `decide` for each in turn, apply its events to order and ledger in memory, write everything in sets.
 */

import {
  Commitments,
  claimFact,
  type HeldReservation,
  lockHeld,
  type Movement,
  type OrderLineKey,
  type Pair,
  pairsOfCommitments,
  StockSession,
  writeClaims,
} from '../ledger/index.ts';
import { appendFacts, type NewFact } from '../log/index.ts';
import type { ChannelEntry, Directory } from '../master/index.ts';
import { type Ids, numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import * as statements from './store.sql.ts';
import { type ChangedOrder, lockOrders, type OrderParts, writeOrders } from './store.ts';
import type { Offer, Order, OrderCommand, OrderEvent, SubmitCommand } from './types.ts';

export type OrderReference =
  | { orderId: number }
  | { channelId: number; externalNo: string }
  | { fulfilmentId: number }
  | { returnId: number };

export interface OrderWork {
  /** Absent for `submit`. */
  reference?: OrderReference;
  command: OrderCommand;
  occurredAt: string;
  correlationId?: string | null;
  causationId?: string | null;
  /** Soft holds that a submitted order turns into allocations. */
  reservationIds?: readonly number[];
}

export type WorkResult =
  | { outcome: 'applied'; orderId: number; events: OrderEvent[] }
  | { outcome: 'refused'; orderId: number; refused: string; detail: string }
  /** The order the work is about is not known (yet). */
  | { outcome: 'unknown_order' };

export interface OrderDeps {
  ids: Ids;
  directory: Directory;
}

/** The unit of work of one transaction. Stock that has no order moves through `stock`; `finish` writes all of it. */
export interface OrderBatch {
  results: WorkResult[];
  stock: StockSession;
  /** Open holds among those named, by reservation id; what is claimed of them is written by `finish`. */
  held: Map<number, HeldReservation[]>;
  /** Facts to record besides the orders' own. */
  facts: NewFact[];
  finish(): Promise<void>;
}

/**
 * @param extraPairs (SKU, location) pairs that the caller will move through `stock` itself
 * @param extraReservations holds that the caller will claim itself
 * Locks sales_order by id, then reservation by id, then stock_balance by (sku_id, location_id).
 */
export async function processOrders(
  tx: Tx,
  deps: OrderDeps,
  works: readonly OrderWork[],
  extraPairs: readonly Pair[] = [],
  extraReservations: readonly number[] = [],
): Promise<OrderBatch> {
  const orderIds = await resolve(tx, works);
  const orders = await lockOrders(tx, partsOf(works, orderIds));
  const channelIds = new Set<number>();
  const waiting = waitingLines(works, orderIds, orders);
  const pairs: Pair[] = [...extraPairs, ...(await pairsOfCommitments(tx, waiting))];
  const datedSkus = new Set<number>();
  let allocationsMax = 0;
  let fulfilmentsMax = 0;
  let returnsMax = 0;
  works.forEach(({ command }, i) => {
    const order = orders.get(orderIds[i]!);
    const channel = deps.directory.channelById.get(
      command.kind === 'submit' ? command.channelId : (order?.channelId ?? 0),
    );
    if (channel === undefined) return;
    const needed = pairsOf(command, order, channel);
    for (const pair of needed) pairs.push(pair);
    if (command.kind === 'submit') {
      if (channel.sellsByItself) channelIds.add(channel.channelId);
      else if (channel.horizonDays > 0) for (const { skuId } of command.lines) datedSkus.add(skuId);
      allocationsMax += command.lines.length * channel.locationIds.length * 2;
      fulfilmentsMax += channel.locationIds.length;
    } else if (command.kind === 'allocate_backorders') {
      allocationsMax += needed.length;
      fulfilmentsMax += channel.locationIds.length;
    } else if (command.kind === 'cancel' || command.kind === 'answer_cancel')
      returnsMax += deps.directory.locationById.size;
  });
  const allocationIds = await deps.ids.reserve(tx, 'allocation_id_seq', allocationsMax);
  const fulfilmentIds = await deps.ids.reserve(tx, 'fulfilment_id_seq', fulfilmentsMax);
  const returnIds = await deps.ids.reserve(tx, 'return_id_seq', returnsMax);
  const held = new Map<number, HeldReservation[]>();
  const wantedHolds = [...extraReservations, ...works.flatMap((work) => work.reservationIds ?? [])];
  for (const hold of await lockHeld(tx, wantedHolds)) {
    pairs.push([hold.skuId, hold.locationId]);
    const list = held.get(hold.reservationId);
    if (list === undefined) held.set(hold.reservationId, [hold]);
    else list.push(hold);
  }
  const stock = await StockSession.open(tx, deps.ids, pairs, [...channelIds]);
  const commitments = await Commitments.open(tx, [...datedSkus], waiting, (skuIds) => backorderedUnits(tx, skuIds));

  const changed = new Map<number, ChangedOrder>();
  const facts: NewFact[] = [];
  const results = works.map((work, i): WorkResult => {
    const { command } = work;
    const orderId = command.kind === 'submit' ? command.orderId : orderIds[i];
    const order =
      orderId === null || orderId === undefined ? undefined : (orders.get(orderId) ?? changed.get(orderId)?.order);
    if (command.kind !== 'submit' && order === undefined) return { outcome: 'unknown_order' };
    const channelId = command.kind === 'submit' ? command.channelId : order!.channelId;
    const channel = deps.directory.channelById.get(channelId)!;
    // A hold keeps units for its own channel; whose it is, is not this caller's to know.
    const foreign = work.reservationIds?.find((id) => held.get(id)?.some((hold) => hold.channelId !== channelId));
    if (foreign !== undefined)
      return {
        outcome: 'refused',
        orderId: orderId!,
        refused: 'foreign_reservation',
        detail: `reservation ${foreign} is held for another channel`,
      };
    // A hold's units become free in the moment in which its order takes them; the rows are locked, so nobody is between.
    const claimed: { hold: HeldReservation; quantity: number; version: number }[] = [];
    for (const id of work.reservationIds ?? [])
      for (const hold of held.get(id) ?? []) {
        if (hold.openQuantity === 0) continue;
        const quantity = hold.openQuantity;
        stock.reserve(hold.skuId, hold.locationId, -quantity);
        hold.openQuantity = 0;
        claimed.push({ hold, quantity, version: stock.balance(hold.skuId, hold.locationId).version });
      }
    const decision = decide(order, command, {
      offers: (skuId) => offersOf(stock, channel, skuId),
      supplies: (skuId) => commitments.offers(channel, skuId),
      onShort: channel.onShort,
      takeAllocationId: () => allocationIds.take(),
      takeFulfilmentId: () => fulfilmentIds.take(),
      takeReturnId: () => returnIds.take(),
    });
    if (!decision.ok) {
      // A refused order takes nothing: its holds stay as they were.
      for (const { hold, quantity } of claimed) {
        stock.reserve(hold.skuId, hold.locationId, quantity);
        hold.openQuantity = quantity;
      }
      return { outcome: 'refused', orderId: orderId!, refused: decision.refused, detail: decision.detail };
    }
    for (const { hold, quantity, version } of claimed)
      facts.push(claimFact(hold, quantity, version, channel.companyId, work.occurredAt));
    let current = order;
    for (const event of decision.events) {
      current = evolve(current, event);
      const moved = applyToStock(stock, channel, current, event, work.occurredAt);
      applyToCommitments(commitments, current, event);
      let change = changed.get(current.orderId);
      if (change === undefined) {
        change = { order: current, isNew: event.type === 'order.accepted', events: [] };
        changed.set(current.orderId, change);
      }
      change.events.push({ event, occurredAt: work.occurredAt });
      facts.push({
        type: event.type,
        stream: `order/${current.orderId}`,
        version: current.version,
        companyId: current.companyId,
        occurredAt: work.occurredAt,
        correlationId: work.correlationId ?? null,
        causationId: work.causationId ?? null,
        data: moved === undefined ? event : { ...event, ...moved },
      });
    }
    return { outcome: 'applied', orderId: orderId!, events: decision.events };
  });
  for (const block of [allocationIds, fulfilmentIds, returnIds]) block.giveBack();

  return {
    results,
    stock,
    held,
    facts,
    finish: async () => {
      await writeOrders(tx, [...changed.values()]);
      await writeClaims(tx, [...held.values()].flat());
      await stock.flush();
      await commitments.flush();
      await appendFacts(tx, facts);
    },
  };
}

async function resolve(db: Queryable, works: readonly OrderWork[]): Promise<(number | null)[]> {
  const ids: (number | null)[] = works.map(() => null);
  const external: { i: number; channelId: number; externalNo: string }[] = [];
  const fulfilments: { i: number; id: number }[] = [];
  const returns: { i: number; id: number }[] = [];
  works.forEach(({ reference, command }, i) => {
    if (command.kind === 'submit') return;
    if (reference === undefined) throw new Error(`${command.kind} names no order`);
    if ('orderId' in reference) ids[i] = reference.orderId;
    else if ('externalNo' in reference) external.push({ i, ...reference });
    else if ('fulfilmentId' in reference) fulfilments.push({ i, id: reference.fulfilmentId });
    else returns.push({ i, id: reference.returnId });
  });
  if (external.length > 0) {
    const rows = await db.query(statements.findByExternal, [
      numbers(external.map((e) => e.channelId)),
      texts(external.map((e) => e.externalNo)),
    ]);
    const found = new Map(rows.map((row) => [`${row.channel_id}/${row.external_no}`, row.order_id]));
    // An order of this very batch isn't in the table yet.
    for (const { command } of works)
      if (command.kind === 'submit') found.set(`${command.channelId}/${command.externalNo}`, command.orderId);
    for (const e of external) ids[e.i] = found.get(`${e.channelId}/${e.externalNo}`) ?? null;
  }
  if (fulfilments.length > 0) {
    const rows = await db.query(statements.findByFulfilment, [numbers(fulfilments.map((f) => f.id))]);
    const found = new Map(rows.map((row) => [row.fulfilment_id, row.order_id]));
    for (const f of fulfilments) ids[f.i] = found.get(f.id) ?? null;
  }
  if (returns.length > 0) {
    const rows = await db.query(statements.findByReturn, [numbers(returns.map((r) => r.id))]);
    const found = new Map(rows.map((row) => [row.return_id, row.order_id]));
    for (const r of returns) ids[r.i] = found.get(r.id) ?? null;
  }
  return ids;
}

/** What each command reads of its order: the lines it names with their allocations, and the fulfilment or return it is about. */
function partsOf(works: readonly OrderWork[], orderIds: readonly (number | null)[]): OrderParts {
  const parts: OrderParts = {
    orderIds: new Set(),
    lines: [],
    allocationsOf: new Set(),
    fulfilmentIds: new Set(),
    returnsOf: new Set(),
  };
  works.forEach(({ command }, i) => {
    const orderId = orderIds[i];
    if (orderId === null || orderId === undefined || orderId <= 0) return;
    parts.orderIds.add(orderId);
    if ('fulfilmentId' in command) parts.fulfilmentIds.add(command.fulfilmentId);
    if ('lines' in command) for (const { lineNo } of command.lines) parts.lines.push({ orderId, lineNo });
    if (command.kind === 'cancel') parts.lines.push({ orderId, lineNo: command.lineNo });
    if (command.kind === 'allocate_backorders')
      for (const lineNo of command.lineNos) parts.lines.push({ orderId, lineNo });
    // What is allocated goes to the WMS now, whichever line it is of.
    if (command.kind === 'confirm') parts.allocationsOf.add(orderId);
    if (command.kind === 'receive_return') parts.returnsOf.add(orderId);
  });
  return parts;
}

/** Lines of known orders that wait for stock and may cease to: what they hold of dated supply may end. */
function waitingLines(
  works: readonly OrderWork[],
  orderIds: readonly (number | null)[],
  orders: ReadonlyMap<number, Order>,
): OrderLineKey[] {
  const waiting: OrderLineKey[] = [];
  works.forEach(({ command }, i) => {
    const order = orders.get(orderIds[i]!);
    if (order === undefined) return;
    const lineNos =
      command.kind === 'cancel' ? [command.lineNo] : command.kind === 'allocate_backorders' ? command.lineNos : [];
    for (const lineNo of new Set(lineNos))
      if ((order.lines.get(lineNo)?.backordered ?? 0) > 0) waiting.push({ orderId: order.orderId, lineNo });
  });
  return waiting;
}

function pairsOf(command: OrderCommand, order: Order | undefined, channel: ChannelEntry): Pair[] {
  const pairs: Pair[] = [];
  const everywhere = (skuId: number) => {
    for (const locationId of channel.locationIds) pairs.push([skuId, locationId]);
  };
  switch (command.kind) {
    case 'submit':
      for (const line of command.lines) everywhere(line.skuId);
      return pairs;
    case 'allocate_backorders':
      for (const line of order?.lines.values() ?? [])
        if (line.backordered > 0 && command.lineNos.includes(line.lineNo)) everywhere(line.skuId);
      return pairs;
    case 'cancel':
      for (const a of order?.allocations.values() ?? [])
        if (a.lineNo === command.lineNo) pairs.push([a.skuId, a.locationId]);
      return pairs;
    case 'pick':
    case 'answer_cancel':
      for (const a of order?.allocations.values() ?? [])
        if (a.fulfilmentId === command.fulfilmentId) pairs.push([a.skuId, a.locationId]);
      return pairs;
    case 'receive_return': {
      const locationId = order?.returns.get(command.returnId)?.locationId;
      if (locationId !== undefined)
        for (const { lineNo } of command.lines) {
          const line = order!.lines.get(lineNo);
          if (line !== undefined) pairs.push([line.skuId, locationId]);
        }
      return pairs;
    }
    default:
      return pairs;
  }
}

function offersOf(stock: StockSession, channel: ChannelEntry, skuId: number): Offer[] {
  return channel.locationIds.map((locationId) => {
    const free = stock.free(skuId, locationId);
    const own = channel.sellsByItself ? stock.exposure(channel.channelId, skuId, locationId) : 0;
    return { locationId, free: Math.max(0, free), own, physical: free + own };
  });
}

/** What a movement did, for its fact: the balances' versions, and the SKUs whose count had known of it already. */
interface Moved {
  balanceVersions: number[];
  countedBefore?: number[];
}

function movedOf(moves: readonly { version: number; effect: number; skuId: number }[]): Moved {
  const balanceVersions = moves.map((move) => move.version);
  const countedBefore = moves.filter((move) => move.effect === 0).map((move) => move.skuId);
  return countedBefore.length === 0 ? { balanceVersions } : { balanceVersions, countedBefore };
}

/** What an event does to the ledger. */
function applyToStock(
  stock: StockSession,
  channel: ChannelEntry,
  order: Order,
  event: OrderEvent,
  occurredAt: string,
): Moved | undefined {
  switch (event.type) {
    case 'order.accepted': {
      const left = new Map(event.exposureUsed.map(({ skuId, quantity }) => [skuId, quantity]));
      for (const { skuId, locationId, quantity, fromExposure } of event.allocations) {
        if (fromExposure > 0) {
          stock.setExposure(
            channel.channelId,
            skuId,
            locationId,
            stock.exposure(channel.channelId, skuId, locationId) - fromExposure,
          );
          left.set(skuId, (left.get(skuId) ?? 0) - fromExposure);
        }
        stock.allocate(skuId, locationId, quantity);
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
        if (number.shown === null) continue;
        number.changed = true;
        const isOpen = number.sending !== null || number.readBackAt !== null;
        if (isOpen) number.soldSince += quantity;
        // While it is open whether the number counts this sale already, a net number keeps what was shown: too high is safe (the
        // next compare-and-set fails and it is read again), too low could match by chance while sales are still unread.
        if (!isOpen || channel.numberMeans === 'on_hand') number.shown = Math.max(0, number.shown - quantity);
      }
      for (const line of event.lines) stock.touched.add(line.skuId);
      return undefined;
    }
    case 'order.lines_allocated':
      for (const { skuId, locationId, quantity } of event.allocations) stock.allocate(skuId, locationId, quantity);
      return undefined;
    case 'order.lines_cancelled':
      for (const { skuId, locationId, quantity } of event.released) stock.release(skuId, locationId, quantity);
      return undefined;
    case 'stock.picked':
      return movedOf(
        event.lines.map(({ skuId, quantity }) => {
          stock.release(skuId, event.locationId, quantity);
          return { skuId, ...stock.move(movementOf(order, event, skuId, -quantity, 'picked', occurredAt)) };
        }),
      );
    case 'return.received':
      return movedOf(
        event.lines.map(({ skuId, quantity }) => ({
          skuId,
          ...stock.move(movementOf(order, event, skuId, quantity, 'returned', occurredAt)),
        })),
      );
    default:
      return undefined;
  }
}

/** What an event does to promises of dated supply: they are made with the order, and end as its lines cease to wait. */
function applyToCommitments(commitments: Commitments, order: Order, event: OrderEvent): void {
  if (commitments.isEmpty) return;
  const { orderId } = order;
  switch (event.type) {
    case 'order.accepted':
      for (const { lineNo, skuId, backordered } of event.lines)
        commitments.commit(
          { orderId, lineNo, skuId, backordered },
          event.commitments.filter((part) => part.lineNo === lineNo),
        );
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

/** Units waiting per SKU; SKUs without any are left out. */
export async function backorderedUnits(db: Queryable, skuIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.query(statements.sumBackorders, [numbers(skuIds)]);
  return new Map(rows.map((row) => [row.sku_id, row.quantity]));
}

export type { SubmitCommand };
