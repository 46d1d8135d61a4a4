/**
 * Runs a batch of order commands in one transaction: lock the orders (by id), then the balances (by SKU and location), run the pure
 * `decide` for each in turn, apply its events to order and ledger in memory, write everything in sets.
 */

import {
  Commitments,
  claimFact,
  type HeldReservation,
  lockHeld,
  type OutsideWork,
  type Pair,
  pairsOfCommitments,
  StockSession,
  writeClaims,
} from '../ledger/index.ts';
import { appendFacts, type NewFact } from '../log/index.ts';
import type { Directory } from '../master/index.ts';
import { type Ids, numbers, type Queryable, type Tx } from '../store/index.ts';
import { addedSkus } from './change-needs.ts';
import { decide } from './decide.ts';
import { evolve } from './evolve.ts';
import { Gates } from './gates.ts';
import { OrderKits } from './kits.ts';
import { missingAt, setAsideMissing, withoutCorrected } from './missing-units.ts';
import { PromiseBook, writePromises } from './promises.ts';
import { QuotaCounts } from './quota-counts.ts';
import { sourcedFor, splitRuleOf } from './sourcing.ts';
import { applyToCommitments, applyToStock, lineOf, type Mine, offersOf } from './stock-effects.ts';
import * as statements from './store.sql.ts';
import { lockOrders } from './store.ts';
import { pairsOfSubstitutes, readSubstitutes } from './substitutes.ts';
import type { Order, OrderEvent, SubmitCommand } from './types.ts';
import { mayReturn, type OrderWork, pairsOf, partsOf, placesFor, resolve, unlimited, waitingLines } from './works.ts';
import { type ChangedOrder, writeOrders } from './write-orders.ts';

export type { OrderReference, OrderWork } from './works.ts';

export type WorkResult =
  | { outcome: 'applied'; orderId: number; events: OrderEvent[]; superseded?: true }
  | { outcome: 'refused'; orderId: number; refused: string; detail: string; waitFor?: string }
  /** The order the work is about is not known (yet). */
  | { outcome: 'unknown_order' };

export interface OrderDeps {
  ids: Ids;
  directory: Directory;
  /** Whether the system that orders go to can be told of lines that are added; default: it can. */
  takesChanges?: boolean | undefined;
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
 * @param outside reports of other systems' allocations, and net counts, that the caller will book through `stock` itself
 * @param reported accounts whose credit reports the caller will write itself
 * Locks sales_order by id, then reservation by id, then stock_balance by (sku_id, location_id), then quota by (sku_id, quota_id).
 */
export async function processOrders(
  tx: Tx,
  deps: OrderDeps,
  works: readonly OrderWork[],
  extraPairs: readonly Pair[] = [],
  extraReservations: readonly number[] = [],
  outside?: OutsideWork,
  reported: readonly number[] = [],
): Promise<OrderBatch> {
  const orderIds = await resolve(tx, works);
  const kits = await OrderKits.read(tx, works);
  const gates = await Gates.open(tx, deps.directory, works, {
    reported,
    orderIds,
    partsOf: (sku) => kits.skuIdsOf(sku),
  });
  const orders = await lockOrders(tx, partsOf(works, orderIds));
  const channelIds = new Set<number>();
  const waiting = waitingLines(works, orderIds, orders);
  const pairs: Pair[] = [...extraPairs, ...(await pairsOfCommitments(tx, waiting))];
  const datedSkus = new Set<number>();
  let allocationsMax = 0;
  let fulfilmentsMax = 0;
  let returnsMax = 0;
  let exceptionsMax = 0;
  let holdsMax = 0;
  await kits.readOf(tx, works, orderIds, orders);
  const substitutes = await readSubstitutes(tx, deps.directory, works, orderIds, orders);
  works.forEach(({ command }, i) => {
    const order = orders.get(orderIds[i]!);
    const channel = deps.directory.channelById.get(
      command.kind === 'submit' ? command.channelId : (order?.channelId ?? 0),
    );
    if (channel === undefined) return;
    const needed = pairsOf(command, order, channel, kits);
    for (const pair of needed) pairs.push(pair);
    const ofKits = kits.linesOf(command, order);
    allocationsMax += ofKits * channel.locationIds.length;
    if (ofKits > 0) holdsMax += command.kind === 'submit' || command.kind === 'change' ? command.lines.length : 0;
    if (substitutes.size > 0) {
      const instead = pairsOfSubstitutes(command, order, channel, substitutes);
      for (const pair of instead) pairs.push(pair);
      allocationsMax += instead.length;
    }
    if (command.kind === 'hold') holdsMax++;
    if (command.kind === 'submit') {
      holdsMax += gates.holdsMax;
      if (channel.sellsByItself) {
        channelIds.add(channel.channelId);
        exceptionsMax += command.lines.length;
      } else if (channel.horizonDays > 0)
        for (const { skuId } of command.lines) for (const part of kits.skuIdsOf(skuId)) datedSkus.add(part);
      if (command.consent !== undefined && !channel.sellsByItself) exceptionsMax += command.lines.length;
      allocationsMax += command.lines.length * channel.locationIds.length * 2;
      fulfilmentsMax += channel.locationIds.length;
    } else if (command.kind === 'reassign') {
      for (const { lineNo, take, commitments, basis } of command.lines) {
        allocationsMax += take.length;
        if (commitments.length > 0 || basis !== undefined) datedSkus.add(order!.lines.get(lineNo)?.skuId ?? 0);
      }
      const lineNos = command.lines.map(({ lineNo }) => lineNo);
      fulfilmentsMax += channel.locationIds.length * placesFor(lineNos, order);
    } else if (command.kind === 'change') {
      holdsMax += gates.holdsMax;
      const lines = addedSkus(command, order).length;
      if (channel.sellsByItself) {
        channelIds.add(channel.channelId);
        exceptionsMax += lines;
      } else if (channel.horizonDays > 0)
        for (const skuId of addedSkus(command, order)) for (const part of kits.skuIdsOf(skuId)) datedSkus.add(part);
      allocationsMax += lines * channel.locationIds.length * 2;
      fulfilmentsMax += channel.locationIds.length;
    } else if (command.kind === 'short_pick') {
      exceptionsMax += command.lines.length;
      allocationsMax += needed.length;
      fulfilmentsMax += channel.locationIds.length;
      // What of a kit was picked and is given up comes back.
      returnsMax += order!.lines.size;
    } else if (command.kind === 'allocate_backorders') {
      allocationsMax += needed.length;
      fulfilmentsMax += channel.locationIds.length * placesFor(command.lineNos, order);
    } else if (command.kind === 'resolve_exception') {
      fulfilmentsMax += channel.locationIds.length;
      returnsMax += order!.lines.size;
    } else if (mayReturn.has(command.kind)) returnsMax += 2 * (order?.lines.size ?? 0);
  });
  const allocationIds = await deps.ids.reserve(tx, 'allocation_id_seq', allocationsMax);
  const fulfilmentIds = await deps.ids.reserve(tx, 'fulfilment_id_seq', fulfilmentsMax);
  const returnIds = await deps.ids.reserve(tx, 'return_id_seq', returnsMax);
  const exceptionIds = await deps.ids.reserve(tx, 'exception_id_seq', exceptionsMax);
  const holdIds = await deps.ids.reserve(tx, 'order_hold_id_seq', holdsMax);
  const held = new Map<number, HeldReservation[]>();
  const wantedHolds = [...extraReservations, ...works.flatMap((work) => work.reservationIds ?? [])];
  for (const hold of await lockHeld(tx, wantedHolds)) {
    pairs.push([hold.skuId, hold.locationId]);
    const list = held.get(hold.reservationId);
    if (list === undefined) held.set(hold.reservationId, [hold]);
    else list.push(hold);
  }
  const missing = missingAt(works, orderIds, orders);
  const reports = [...(outside?.reports ?? []), ...missing.values()];
  const allOutside = missing.size === 0 ? outside : { reports, netCounts: outside?.netCounts ?? [] };
  const stock = await StockSession.open(tx, deps.ids, pairs, [...channelIds], allOutside);
  await withoutCorrected(tx, missing);
  const quotas = await QuotaCounts.open(tx, deps.directory, pairs, works, orders);
  const commitments = await Commitments.open(tx, [...datedSkus], waiting, (skuIds) => backorderedUnits(tx, skuIds));
  quotas.compare(
    works,
    (i) => orders.get(orderIds[i]!),
    (order) => deps.directory.channelById.get(order.channelId)!,
    ...([stock, commitments] as const),
  );

  const promises = await PromiseBook.open(tx, deps.directory, works, orderIds, orders);

  const changed = new Map<number, ChangedOrder>();
  const facts: NewFact[] = [];
  const completed = new Set(works.map(({ completes }) => completes));
  const run = (work: OrderWork, i: number): WorkResult => {
    const command = work.command.kind === 'submit' ? gates.adjust(work.command) : work.command;
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
        quotas.hold(hold.channelId, hold.skuId, -quantity);
        hold.openQuantity = 0;
        claimed.push({ hold, quantity, version: stock.balance(hold.skuId, hold.locationId).version });
      }
    const mine = unitsOf(order, claimed);
    const terms = command.kind === 'submit' ? command.terms : order!.terms;
    const sourced = sourcedFor(deps.directory, channel, terms?.shipTo);
    const decision = decide(order, command, {
      split: splitRuleOf(channel),
      offers: (skuId) => {
        const within = quotas.isAsDecided(skuId, command) ? unlimited(sourced) : sourced;
        return quotas.offers(offersOf(stock, within, skuId, mine), stock, skuId, command, order, mine);
      },
      kept: (skuId, locationId, lineNo) =>
        stock.keptFor(skuId, locationId, lineOf(command.kind === 'submit' ? command : order!, lineNo)),
      supplies: (skuId) => quotas.supplies(commitments.offers(channel, skuId), stock, sourced, skuId, command, order),
      supplyLeft: (skuId, supplyId) => quotas.supplyLeft(commitments, supplyId, stock, sourced, skuId, command, order),
      promisedOf: (lineNo, skuId, supplyId) =>
        commitments
          .of({ orderId: orderId!, lineNo, skuId })
          .reduce((sum, part) => sum + (part.supplyId === (supplyId ?? part.supplyId) ? part.quantity : 0), 0),
      onShort: channel.onShort,
      takesChanges: deps.takesChanges !== false,
      onShortPick: channel.onShortPick,
      oversold: channel.sellsByItself ? channel.onOversold : undefined,
      consent: command.kind === 'submit' && !channel.sellsByItself ? command.consent : undefined,
      substitutes: (skuId) => substitutes.get(skuId) ?? [],
      ...(!kits.isEmpty && {
        kit: kits.of(command.kind === 'submit' ? command : order!),
        kitsFromOwn: channel.sellsByItself && channel.sharedRisk,
      }),
      judge: (accepted) =>
        command.kind === 'submit' ? gates.judge(command, accepted) : gates.judgeAdded(order!, accepted),
      judgeRelease: (current, hold, by) => gates.release(current, hold, by),
      adjustAdded: (current, added) => gates.adjustAdded(current, added),
      holdTerms: (kind) => deps.directory.holdTerms(kind),
      takeHoldId: () => holdIds.take(),
      takeExceptionId: () => exceptionIds.take(),
      takeAllocationId: () => allocationIds.take(),
      takeFulfilmentId: () => fulfilmentIds.take(),
      takeReturnId: () => returnIds.take(),
      charging: channel.charging,
      inspection: (locationId) => deps.directory.inspectionOf(channel, locationId),
    });
    if (!decision.ok) {
      // A refused order takes nothing: its holds stay as they were.
      for (const { hold, quantity } of claimed) {
        stock.unclaim(hold.skuId, hold.locationId, quantity);
        quotas.hold(hold.channelId, hold.skuId, quantity);
        hold.openQuantity = quantity;
      }
      const { ok: _, ...why } = decision;
      return { outcome: 'refused', orderId: orderId!, ...why };
    }
    for (const { hold, quantity, version } of claimed)
      facts.push(claimFact(hold, quantity, version, channel.companyId, work.occurredAt));
    let current = order;
    const apply = (event: OrderEvent): Order => {
      if (event.type === 'order.accepted') promises?.accept(event);
      current = evolve(current, event);
      gates.applied(current, event);
      const moved = applyToStock(stock, channel, current, event, work.occurredAt);
      if (event.type === 'fulfilment.short_picked')
        facts.push(...setAsideMissing(stock, missing, event, channel.companyId));
      const before = quotas.committed(current, commitments);
      applyToCommitments(commitments, current, event);
      quotas.count(current, commitments, before);
      promises?.follow(current, event, commitments);
      let change = changed.get(current.orderId);
      if (change === undefined) {
        change = { order: current, isNew: event.type === 'order.accepted', events: [] };
        changed.set(current.orderId, change);
      }
      change.events.push({ event, occurredAt: work.occurredAt, version: current.version });
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
      return current;
    };
    for (const event of decision.events) apply(event);
    let done = decision.events;
    if (promises !== undefined && current !== undefined && !completed.has(i)) {
      if (command.kind === 'repromise')
        for (const lineNo of command.lineNos) promises.recheck(current, lineNo, commitments, 'supply_changed');
      const promised = promises.settle(current);
      if (promised !== undefined) {
        done = [...done, promised];
        apply(promised);
      }
    }
    const superseded = decision.superseded === true ? { superseded: true as const } : {};
    return { outcome: 'applied', orderId: orderId!, events: done, ...superseded };
  };
  const results: WorkResult[] = [];
  works.forEach((work, i) => {
    const first = work.completes === undefined ? undefined : results[work.completes];
    const result = first === undefined || first.outcome === 'applied' ? run(work, i) : first;
    if (first !== undefined && first.outcome === 'applied' && result.outcome !== 'applied')
      throw new Error(`order ${orderIds[i]} was left with half a work: ${JSON.stringify(result)}`);
    results.push(result);
  });
  for (const block of [allocationIds, fulfilmentIds, returnIds, exceptionIds, holdIds]) block.giveBack();

  return {
    results,
    stock,
    held,
    facts,
    finish: async () => {
      await gates.finish();
      await writeOrders(tx, [...changed.values()]);
      if (promises !== undefined) writePromises(tx, [...changed.values()]);
      await writeClaims(tx, [...held.values()].flat());
      await stock.flush();
      await commitments.flush();
      await quotas.flush();
      await appendFacts(tx, facts);
    },
  };
}

/** What an order has of each SKU: of a known one its open allocations, of a new one what it claims. */
function unitsOf(
  order: Order | undefined,
  claimed: readonly { hold: HeldReservation; quantity: number }[],
): readonly Mine[] {
  if (order === undefined) return claimed.map(({ hold, quantity }) => ({ ...hold, quantity, isFree: true }));
  return [...order.allocations.values()].map((part) => ({ ...part, quantity: part.openQuantity, isFree: false }));
}

/** Units waiting per SKU; SKUs without any are left out. */
export async function backorderedUnits(db: Queryable, skuIds: readonly number[]): Promise<Map<number, number>> {
  const rows = await db.query(statements.sumBackorders, [numbers(skuIds)]);
  return new Map(rows.map((row) => [row.sku_id, row.quantity]));
}

export type { SubmitCommand };
