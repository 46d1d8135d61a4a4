/** Orders written in sets: a statement a table. The caller holds the lock of each order it writes. */
import { numbers, type Tx, texts } from '../store/index.ts';
import * as changeStatements from './changes.sql.ts';
import * as exceptionStatements from './exceptions.sql.ts';
import * as holdStatements from './holds.sql.ts';
import type { RepricedLine } from './price-check.ts';
import { writeDifferences, writeRepriced } from './price-differences.ts';
import type { ReturnEvent } from './return-types.ts';
import * as statements from './store.sql.ts';
import type { Allocation, Order, OrderChange, OrderEvent, OrderException, OrderHold, OrderLine } from './types.ts';
import { writeCharges } from './write-charges.ts';
import { ReturnWrites } from './write-returns.ts';

/** An order that was changed in this transaction, with the events that changed it. */
export interface ChangedOrder {
  order: Order;
  isNew: boolean;
  /** Each with the version that the order has by it. */
  events: { event: OrderEvent; occurredAt: string; version: number }[];
}

interface Of<Type extends OrderEvent['type']> {
  order: Order;
  event: Extract<OrderEvent, { type: Type }>;
  at: string;
  version: number;
}

/** Their lines stay as they were. */
const TOUCHING_NO_LINE: ReadonlySet<string> = new Set(['fulfilment.requested', 'order.hold_ended']);

/** Writes what the events changed: one statement a table. */
export async function writeOrders(tx: Tx, changed: readonly ChangedOrder[]): Promise<void> {
  const fresh = changed.filter((change) => change.isNew).map((change) => change.order);
  const known = changed.filter((change) => !change.isNew).map((change) => change.order);
  const newLines: [Order, OrderLine][] = [];
  const differences: [Order, OrderLine][] = [];
  const exceptionLines: [Order, OrderLine][] = [];
  const heldLines: [Order, OrderLine][] = [];
  const heldOrders: Order[] = [];
  const exceptions: [Order, OrderException][] = [];
  const holds: [Order, OrderHold][] = [];
  const lines: [Order, OrderLine][] = [];
  const newAllocations: [Order, Allocation][] = [];
  const allocations: [Order, Allocation][] = [];
  const fulfilments: { order: Order; fulfilmentId: number }[] = [];
  const returns = new ReturnWrites();
  const shipments: Of<'shipment.confirmed'>[] = [];
  const documents: Of<'document.posted'>[] = [];
  const changes: [Order, OrderChange][] = [];
  const confirmedLines: [Order, number][] = [];
  const repriced: [Order, RepricedLine][] = [];
  for (const { order, isNew, events } of changed) {
    const touchedLines = new Set<number>();
    const touchedAllocations = new Set<number>();
    const added = new Set<number>();
    const touchedFulfilments = new Set<number>();
    const touchedExceptions = new Set<number>();
    const touchedHolds = new Set<number>();
    const addedLines = new Set<number>();
    const settledLines = new Set<number>();
    let isRaised = false;
    for (const { event, occurredAt: at, version } of events) {
      if (event.type === 'order.exception_raised' || event.type === 'order.exception_resolved')
        touchedExceptions.add(event.exceptionId);
      if (event.type === 'order.held' || event.type === 'order.hold_released') touchedHolds.add(event.holdId);
      if (event.type === 'order.exception_raised' && event.kind === 'short_picked' && event.held > 0)
        settledLines.add(event.lineNo);
      if (event.type === 'order.exception_resolved') {
        settledLines.add(event.lineNo);
        for (const line of event.lines) addedLines.add(line.lineNo);
      } else if (event.type === 'order.lines_added') {
        for (const line of event.lines) addedLines.add(line.lineNo);
        isRaised = true;
      } else if (event.type === 'order.changed')
        changes.push([order, order.changes.find((c) => c.version === version)!]);
      else if (event.type === 'order.repriced') {
        for (const line of event.lines) {
          repriced.push([order, line]);
          touchedLines.add(line.lineNo);
        }
        isRaised = true;
      } else if (event.type === 'order.change_confirmed')
        for (const { lineNo } of event.lines) confirmedLines.push([order, lineNo]);
      else if ('lines' in event && !TOUCHING_NO_LINE.has(event.type))
        for (const line of event.lines) touchedLines.add(line.lineNo);
      if ('allocations' in event)
        for (const allocation of event.allocations) {
          added.add(allocation.allocationId);
          touchedLines.add(allocation.lineNo);
        }
      if (event.type === 'stock.picked' || event.type === 'fulfilment.short_picked')
        for (const line of event.lines) touchedAllocations.add(line.allocationId);
      if (event.type === 'order.lines_cancelled' || event.type === 'order.lines_reassigned')
        for (const part of event.released) {
          touchedAllocations.add(part.allocationId);
          touchedLines.add(part.lineNo);
        }
      if (event.type === 'order.lines_reassigned')
        for (const { lineNo } of event.answered ?? []) touchedLines.add(lineNo);
      if (event.type === 'fulfilment.requested' || event.type === 'fulfilment.released')
        touchedFulfilments.add(event.fulfilmentId);
      if (event.type.startsWith('return.')) returns.add(order, event as ReturnEvent, at, version);
      if (event.type === 'shipment.confirmed') shipments.push({ order, event, at, version });
      if (event.type === 'document.posted') documents.push({ order, event, at, version });
    }
    const insert = (line: OrderLine) =>
      (line.held > 0 ||
      line.substituted > 0 ||
      line.standsFor !== null ||
      line.addsTo !== null ||
      line.pricePer !== 1 ||
      line.taxMinor !== 0
        ? exceptionLines
        : newLines
      ).push([order, line]);
    if (isNew)
      for (const line of order.lines.values()) {
        insert(line);
        if (line.priceCheck !== undefined) differences.push([order, line]);
      }
    else {
      for (const lineNo of addedLines) {
        const line = order.lines.get(lineNo)!;
        insert(line);
        if (line.priceCheck !== undefined) differences.push([order, line]);
      }
      for (const lineNo of touchedLines) if (!addedLines.has(lineNo)) lines.push([order, order.lines.get(lineNo)!]);
      for (const lineNo of settledLines) heldLines.push([order, order.lines.get(lineNo)!]);
      if (settledLines.size > 0 || isRaised) heldOrders.push(order);
    }
    for (const id of touchedExceptions) exceptions.push([order, order.exceptions.get(id)!]);
    for (const id of touchedHolds) holds.push([order, order.holds.get(id)!]);
    for (const id of added) newAllocations.push([order, order.allocations.get(id)!]);
    for (const id of touchedAllocations) if (!added.has(id)) allocations.push([order, order.allocations.get(id)!]);
    for (const fulfilmentId of touchedFulfilments) fulfilments.push({ order, fulfilmentId });
  }
  if (fresh.length > 0)
    tx.write(statements.insertOrders, [
      numbers(fresh.map((o) => o.orderId)),
      numbers(fresh.map((o) => o.companyId)),
      numbers(fresh.map((o) => o.channelId)),
      numbers(fresh.map((o) => o.accountId)),
      texts(fresh.map((o) => o.externalNo)),
      texts(fresh.map((o) => o.state)),
      numbers(fresh.map((o) => o.version)),
      texts(fresh.map((o) => o.currency)),
      numbers(fresh.map((o) => o.totalMinor)),
      texts(fresh.map((o) => o.orderedAt)),
      numbers(fresh.map((o) => o.progress.quantity)),
      numbers(fresh.map((o) => o.progress.open)),
      numbers(fresh.map((o) => o.progress.refused)),
      numbers(fresh.map((o) => o.progress.held)),
      numbers(fresh.map((o) => o.progress.holds)),
      flags(fresh.map((o) => o.progress.told)),
      flags(fresh.map((o) => o.progress.handed)),
    ]);
  writeCharges(tx, changed);
  const termed = fresh.filter((o) => o.terms !== undefined);
  if (termed.length > 0)
    tx.write(statements.writeTerms, [
      numbers(termed.map((o) => o.orderId)),
      `{${termed.map((o) => (o.terms!.shipComplete === true ? 't' : 'f')).join(',')}}`,
      texts(termed.map((o) => o.terms!.requestedAt ?? null)),
      texts(termed.map((o) => (o.terms!.shipTo === undefined ? null : JSON.stringify(o.terms!.shipTo)))),
    ]);
  if (known.length > 0)
    tx.write(statements.updateOrders, [
      numbers(known.map((o) => o.orderId)),
      texts(known.map((o) => o.state)),
      numbers(known.map((o) => o.version)),
      texts(known.map((o) => o.erpNumber)),
      numbers(known.map((o) => o.progress.open)),
      numbers(known.map((o) => o.progress.shipped)),
      numbers(known.map((o) => o.progress.invoiced)),
      flags(known.map((o) => o.progress.released)),
      numbers(known.map((o) => o.progress.holds)),
      flags(known.map((o) => o.progress.told)),
      flags(known.map((o) => o.progress.handed)),
    ]);
  if (newLines.length > 0) tx.write(statements.insertLines, insertedLines(newLines));
  const asked = fresh.flatMap((order) =>
    [...order.lines.values()].flatMap((line) => (line.asked === undefined ? [] : [{ order, line, asked: line.asked }])),
  );
  if (asked.length > 0)
    tx.write(statements.insertAsked, [
      numbers(asked.map(({ order }) => order.orderId)),
      numbers(asked.map(({ line }) => line.lineNo)),
      texts(asked.map(({ asked }) => asked.quantity)),
      texts(asked.map(({ asked }) => asked.unit)),
      texts(asked.map(({ asked }) => asked.packLevel)),
      numbers(asked.map(({ asked }) => asked.base)),
      texts(asked.map(({ asked }) => asked.unitPrice)),
      texts(asked.map(({ asked }) => asked.priceUnit)),
      numbers(asked.map(({ asked }) => asked.pricePer)),
      texts(asked.map(({ asked }) => asked.rounding ?? null)),
    ]);
  if (exceptionLines.length > 0)
    tx.write(statements.insertExceptionLines, [
      ...insertedLines(exceptionLines),
      numbers(exceptionLines.map(([, l]) => l.held)),
      numbers(exceptionLines.map(([, l]) => l.substituted)),
      numbers(exceptionLines.map(([, l]) => l.standsFor)),
      numbers(exceptionLines.map(([, l]) => l.pricePer)),
      numbers(exceptionLines.map(([, l]) => l.addsTo)),
      `{${exceptionLines.map(([, l]) => (l.awaitsErp ? 't' : 'f')).join(',')}}`,
      numbers(exceptionLines.map(([, l]) => l.taxMinor)),
      numbers(exceptionLines.map(([, l]) => l.perUnit)),
      numbers(exceptionLines.map(([, l]) => l.setNo)),
    ]);
  if (differences.length > 0) writeDifferences(tx, differences);
  if (repriced.length > 0) writeRepriced(tx, repriced);
  // Before the cancel that settled them: no more is ever held than waits.
  if (heldOrders.length > 0)
    tx.write(statements.updateHeldOrders, [
      numbers(heldOrders.map((o) => o.orderId)),
      numbers(heldOrders.map((o) => o.progress.quantity)),
      numbers(heldOrders.map((o) => o.progress.refused)),
      numbers(heldOrders.map((o) => o.progress.held)),
      numbers(heldOrders.map((o) => o.totalMinor)),
    ]);
  if (heldLines.length > 0)
    tx.write(statements.updateHeldLines, [
      numbers(heldLines.map(([o]) => o.orderId)),
      numbers(heldLines.map(([, l]) => l.lineNo)),
      numbers(heldLines.map(([, l]) => l.allocated)),
      numbers(heldLines.map(([, l]) => l.backordered)),
      numbers(heldLines.map(([, l]) => l.refused)),
      numbers(heldLines.map(([, l]) => l.cancelled)),
      numbers(heldLines.map(([, l]) => l.cancelledMinor)),
      numbers(heldLines.map(([, l]) => l.held)),
      numbers(heldLines.map(([, l]) => l.substituted)),
      numbers(heldLines.map(([, l]) => l.changedVersion)),
    ]);
  if (lines.length > 0)
    tx.write(statements.updateLines, [
      numbers(lines.map(([o]) => o.orderId)),
      numbers(lines.map(([, l]) => l.lineNo)),
      numbers(lines.map(([, l]) => l.allocated)),
      numbers(lines.map(([, l]) => l.backordered)),
      numbers(lines.map(([, l]) => l.picked)),
      numbers(lines.map(([, l]) => l.shipped)),
      numbers(lines.map(([, l]) => l.invoiced)),
      numbers(lines.map(([, l]) => l.cancelAsked)),
      numbers(lines.map(([, l]) => l.cancelled)),
      numbers(lines.map(([, l]) => l.returnExpected)),
      numbers(lines.map(([, l]) => l.returned)),
      numbers(lines.map(([, l]) => l.shippedMinor)),
      numbers(lines.map(([, l]) => l.invoicedMinor)),
      numbers(lines.map(([, l]) => l.cancelledMinor)),
      numbers(lines.map(([, l]) => l.returnedMinor)),
      numbers(lines.map(([, l]) => l.creditedMinor)),
      numbers(lines.map(([, l]) => l.changedVersion)),
    ]);
  if (confirmedLines.length > 0)
    tx.write(changeStatements.confirmLines, [
      numbers(confirmedLines.map(([o]) => o.orderId)),
      numbers(confirmedLines.map(([, lineNo]) => lineNo)),
    ]);
  if (changes.length > 0)
    tx.write(changeStatements.insertChanges, [
      numbers(changes.map(([o]) => o.orderId)),
      numbers(changes.map(([, c]) => c.version)),
      numbers(changes.map(([, c]) => c.lastVersion)),
      texts(changes.map(([, c]) => c.reference)),
      numbers(changes.map(([, c]) => c.number)),
      `{${changes.map(([, c]) => (c.isWhole ? 't' : 'f')).join(',')}}`,
      texts(changes.map(([, c]) => JSON.stringify(c.lines))),
    ]);
  if (newAllocations.length > 0)
    tx.write(statements.insertAllocations, [
      numbers(newAllocations.map(([o]) => o.orderId)),
      numbers(newAllocations.map(([, a]) => a.allocationId)),
      numbers(newAllocations.map(([, a]) => a.lineNo)),
      numbers(newAllocations.map(([, a]) => a.skuId)),
      numbers(newAllocations.map(([, a]) => a.locationId)),
      numbers(newAllocations.map(([, a]) => a.quantity)),
      numbers(newAllocations.map(([, a]) => a.openQuantity)),
      numbers(newAllocations.map(([, a]) => a.fulfilmentId)),
      flags(newAllocations.map(([, a]) => a.fromBackorder)),
    ]);
  if (allocations.length > 0)
    tx.write(statements.updateAllocations, [
      numbers(allocations.map(([o]) => o.orderId)),
      numbers(allocations.map(([, a]) => a.lineNo)),
      numbers(allocations.map(([, a]) => a.allocationId)),
      numbers(allocations.map(([, a]) => a.openQuantity)),
    ]);
  if (fulfilments.length > 0) {
    const rows = fulfilments.map(({ order, fulfilmentId }) => ({
      orderId: order.orderId,
      ...order.fulfilments.get(fulfilmentId)!,
    }));
    tx.write(statements.writeFulfilments, [
      numbers(rows.map((f) => f.orderId)),
      numbers(rows.map((f) => f.fulfilmentId)),
      numbers(rows.map((f) => f.locationId)),
      texts(rows.map((f) => f.state)),
    ]);
  }
  returns.write(tx);
  if (shipments.length > 0)
    tx.write(statements.insertShipments, [
      texts(shipments.map(({ event }) => event.shipment)),
      texts(shipments.map(({ event }) => event.source)),
      numbers(shipments.map(({ order }) => order.orderId)),
      numbers(shipments.map(({ event }) => event.fulfilmentId)),
      texts(shipments.map(({ event }) => event.tracking)),
      texts(shipments.map(({ event }) => event.carrier ?? null)),
      texts(shipments.map(({ event }) => (event.parcels === undefined ? null : JSON.stringify(event.parcels)))),
      texts(shipments.map(({ event }) => JSON.stringify(event.lines))),
      texts(shipments.map(({ event }) => (event.charges === undefined ? null : JSON.stringify(event.charges)))),
      texts(shipments.map(({ at }) => at)),
      numbers(shipments.map(({ version }) => version)),
    ]);
  if (documents.length > 0)
    tx.write(statements.insertInvoices, [
      texts(documents.map(({ event }) => event.number)),
      texts(documents.map(({ event }) => event.document)),
      texts(documents.map(({ event }) => event.source)),
      numbers(documents.map(({ order }) => order.orderId)),
      texts(documents.map(({ event }) => event.currency)),
      numbers(documents.map(({ event }) => event.totalMinor)),
      texts(documents.map(({ event }) => JSON.stringify(event.lines))),
      texts(documents.map(({ event }) => (event.charges === undefined ? null : JSON.stringify(event.charges)))),
      numbers(documents.map(({ event }) => event.taxMinor ?? null)),
      texts(documents.map(({ at }) => at)),
      numbers(documents.map(({ version }) => version)),
    ]);
  if (holds.length > 0)
    tx.write(holdStatements.writeHolds, [
      numbers(holds.map(([o]) => o.orderId)),
      numbers(holds.map(([, h]) => h.holdId)),
      numbers(holds.map(([o]) => o.channelId)),
      texts(holds.map(([, h]) => h.kind)),
      texts(holds.map(([, h]) => h.reason)),
      texts(holds.map(([, h]) => h.detail)),
      texts(holds.map(([, h]) => h.owner)),
      texts(holds.map(([, h]) => h.dueAt)),
      numbers(holds.map(([, h]) => h.dueMinutes)),
      texts(holds.map(([, h]) => h.heldBy)),
      texts(holds.map(([, h]) => h.releasedBy)),
      texts(holds.map(([, h]) => h.releaseReason)),
    ]);
  if (exceptions.length > 0)
    tx.write(exceptionStatements.writeExceptions, [
      numbers(exceptions.map(([o]) => o.orderId)),
      numbers(exceptions.map(([, e]) => e.exceptionId)),
      numbers(exceptions.map(([, e]) => e.lineNo)),
      numbers(exceptions.map(([, e]) => e.skuId)),
      numbers(exceptions.map(([o]) => o.channelId)),
      texts(exceptions.map(([, e]) => e.kind)),
      texts(exceptions.map(([, e]) => e.policy)),
      numbers(exceptions.map(([, e]) => e.units)),
      numbers(exceptions.map(([, e]) => e.held)),
      numbers(exceptions.map(([, e]) => e.backordered)),
      numbers(exceptions.map(([, e]) => e.cancelled)),
      numbers(exceptions.map(([, e]) => e.substituted)),
      texts(exceptions.map(([, e]) => e.resolvedBy)),
      texts(exceptions.map(([, e]) => e.reason)),
      numbers(exceptions.map(([, e]) => e.resourced)),
    ]);
}

function flags(values: readonly boolean[]): string {
  return `{${values.map((value) => (value ? 't' : 'f')).join(',')}}`;
}

function insertedLines(lines: readonly [Order, OrderLine][]): string[] {
  return [
    numbers(lines.map(([o]) => o.orderId)),
    numbers(lines.map(([, l]) => l.lineNo)),
    numbers(lines.map(([, l]) => l.skuId)),
    numbers(lines.map(([, l]) => l.quantity)),
    texts(lines.map(([, l]) => l.unitPrice)),
    numbers(lines.map(([, l]) => l.amountMinor)),
    numbers(lines.map(([, l]) => l.within)),
    numbers(lines.map(([, l]) => l.withinShort)),
    numbers(lines.map(([, l]) => l.allocated)),
    numbers(lines.map(([, l]) => l.backordered)),
    numbers(lines.map(([, l]) => l.refused)),
    numbers(lines.map(([, l]) => l.cancelled)),
    numbers(lines.map(([, l]) => l.cancelledMinor)),
    numbers(lines.map(([, l]) => l.changedVersion)),
  ];
}
