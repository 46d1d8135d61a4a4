/** Orders read and written in sets. The caller holds the lock of each order it writes. */
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import * as statements from './store.sql.ts';
import type { Allocation, Order, OrderEvent, OrderLine, OrderState } from './types.ts';

/** Locks the orders in id order, then reads what depends on them. Ids that don't exist are left out. */
export async function lockOrders(tx: Tx, orderIds: readonly number[]): Promise<Map<number, Order>> {
  if (orderIds.length === 0) return new Map();
  const rows = await tx.query(statements.lockOrders, [numbers(orderIds)]);
  return withParts(tx, rows);
}

/** Reads orders without locking them. */
export async function readOrders(db: Queryable, orderIds: readonly number[]): Promise<Map<number, Order>> {
  if (orderIds.length === 0) return new Map();
  return withParts(db, await db.query(statements.readOrders, [numbers(orderIds)]));
}

async function withParts(db: Queryable, rows: readonly statements.OrderRow[]): Promise<Map<number, Order>> {
  const orders = await withLines(db, rows);
  if (rows.length === 0) return orders;
  const ids = [numbers(rows.map((row) => row.order_id))];
  for (const row of await db.query(statements.readAllocations, ids)) {
    const [allocationId, lineNo, skuId, locationId, quantity, openQuantity, fulfilmentId] = unpack(row.numbers) as [
      number, number, number, number, number, number, number,
    ];
    orders.get(row.order_id)!.allocations.set(allocationId, {
      allocationId,
      lineNo,
      skuId,
      locationId,
      quantity,
      openQuantity,
      fulfilmentId: fulfilmentId === 0 ? null : fulfilmentId,
    });
  }
  for (const row of await db.query(statements.readFulfilments, ids))
    orders.get(row.order_id)!.fulfilments.set(row.fulfilment_id, { fulfilmentId: row.fulfilment_id, locationId: row.location_id, state: row.state });
  for (const row of await db.query(statements.readReturns, ids))
    orders.get(row.order_id)!.returns.set(row.return_id, {
      returnId: row.return_id,
      reference: row.reference,
      locationId: row.location_id,
      lines: row.lines,
      state: row.state,
    });
  return orders;
}

/** An array of whole numbers as PostgreSQL writes it: `{1,2,3}`. */
function unpack(text: string): number[] {
  return text.slice(1, -1).split(',').map(Number);
}

async function withLines(db: Queryable, rows: readonly statements.OrderRow[]): Promise<Map<number, Order>> {
  const orders = new Map<number, Order>();
  if (rows.length === 0) return orders;
  for (const row of rows)
    orders.set(row.order_id, {
      orderId: row.order_id,
      companyId: row.company_id,
      channelId: row.channel_id,
      accountId: row.account_id,
      externalNo: row.external_no,
      state: row.state as OrderState,
      version: row.version,
      currency: row.currency,
      totalMinor: row.total_minor,
      orderedAt: row.ordered_at.toISOString(),
      erpNumber: row.erp_number,
      lines: new Map(),
      allocations: new Map(),
      fulfilments: new Map(),
      returns: new Map(),
    });
  for (const row of await db.query(statements.readLines, [numbers(rows.map((r) => r.order_id))])) {
    // In the order of LINE_NUMBERS.
    const n = unpack(row.numbers);
    orders.get(row.order_id)!.lines.set(n[0]!, {
      lineNo: n[0]!,
      skuId: n[1]!,
      quantity: n[2]!,
      unitPrice: row.unit_price,
      amountMinor: n[3]!,
      within: n[4]!,
      withinShort: n[5]!,
      allocated: n[6]!,
      backordered: n[7]!,
      refused: n[8]!,
      picked: n[9]!,
      shipped: n[10]!,
      invoiced: n[11]!,
      cancelAsked: n[12]!,
      cancelled: n[13]!,
      returnExpected: n[14]!,
      returned: n[15]!,
      shippedMinor: n[16]!,
      invoicedMinor: n[17]!,
      cancelledMinor: n[18]!,
      returnedMinor: n[19]!,
      creditedMinor: n[20]!,
    });
  }
  return orders;
}

/** Reads orders and their lines without locking them, and without what they are served by. */
export async function readOrderLines(db: Queryable, orderIds: readonly number[]): Promise<Map<number, Order>> {
  if (orderIds.length === 0) return new Map();
  return withLines(db, await db.query(statements.readOrders, [numbers(orderIds)]));
}

/** An order that was changed in this transaction, with the events that changed it. */
export interface ChangedOrder {
  order: Order;
  isNew: boolean;
  events: { event: OrderEvent; occurredAt: string }[];
}

/** Writes what the events changed: one statement a table. */
export async function writeOrders(tx: Tx, changed: readonly ChangedOrder[]): Promise<void> {
  const fresh = changed.filter((change) => change.isNew).map((change) => change.order);
  const known = changed.filter((change) => !change.isNew).map((change) => change.order);
  const newLines: [Order, OrderLine][] = [];
  const lines: [Order, OrderLine][] = [];
  const newAllocations: [Order, Allocation][] = [];
  const allocations: [Order, Allocation][] = [];
  const fulfilments: { order: Order; fulfilmentId: number }[] = [];
  const returns: { order: Order; returnId: number }[] = [];
  const shipments: { order: Order; event: Extract<OrderEvent, { type: 'shipment.confirmed' }>; at: string }[] = [];
  const documents: { order: Order; event: Extract<OrderEvent, { type: 'document.posted' }>; at: string }[] = [];
  for (const { order, isNew, events } of changed) {
    const touchedLines = new Set<number>();
    const touchedAllocations = new Set<number>();
    const added = new Set<number>();
    const touchedFulfilments = new Set<number>();
    const touchedReturns = new Set<number>();
    for (const { event, occurredAt } of events) {
      if ('lines' in event && event.type !== 'fulfilment.requested') for (const line of event.lines) touchedLines.add(line.lineNo);
      if ('allocations' in event)
        for (const allocation of event.allocations) {
          added.add(allocation.allocationId);
          touchedLines.add(allocation.lineNo);
        }
      if (event.type === 'stock.picked') for (const line of event.lines) touchedAllocations.add(line.allocationId);
      if (event.type === 'order.lines_cancelled') for (const part of event.released) touchedAllocations.add(part.allocationId);
      if (event.type === 'fulfilment.requested') for (const id of event.allocationIds) touchedAllocations.add(id);
      if (event.type === 'fulfilment.requested' || event.type === 'fulfilment.released') touchedFulfilments.add(event.fulfilmentId);
      if (event.type === 'return.authorised' || event.type === 'return.received') touchedReturns.add(event.returnId);
      if (event.type === 'shipment.confirmed') shipments.push({ order, event, at: occurredAt });
      if (event.type === 'document.posted') documents.push({ order, event, at: occurredAt });
    }
    if (isNew) for (const line of order.lines.values()) newLines.push([order, line]);
    else for (const lineNo of touchedLines) lines.push([order, order.lines.get(lineNo)!]);
    for (const id of added) newAllocations.push([order, order.allocations.get(id)!]);
    for (const id of touchedAllocations) if (!added.has(id)) allocations.push([order, order.allocations.get(id)!]);
    for (const fulfilmentId of touchedFulfilments) fulfilments.push({ order, fulfilmentId });
    for (const returnId of touchedReturns) returns.push({ order, returnId });
  }
  if (fresh.length > 0)
    await tx.query(statements.insertOrders, [
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
      texts(fresh.map((o) => o.erpNumber)),
    ]);
  if (known.length > 0)
    await tx.query(statements.updateOrders, [
      numbers(known.map((o) => o.orderId)),
      texts(known.map((o) => o.state)),
      numbers(known.map((o) => o.version)),
      texts(known.map((o) => o.erpNumber)),
    ]);
  if (newLines.length > 0)
    await tx.query(statements.insertLines, [
      numbers(newLines.map(([o]) => o.orderId)),
      numbers(newLines.map(([, l]) => l.lineNo)),
      numbers(newLines.map(([, l]) => l.skuId)),
      numbers(newLines.map(([, l]) => l.quantity)),
      texts(newLines.map(([, l]) => l.unitPrice)),
      numbers(newLines.map(([, l]) => l.amountMinor)),
      numbers(newLines.map(([, l]) => l.within)),
      numbers(newLines.map(([, l]) => l.withinShort)),
      numbers(newLines.map(([, l]) => l.allocated)),
      numbers(newLines.map(([, l]) => l.backordered)),
      numbers(newLines.map(([, l]) => l.refused)),
      numbers(newLines.map(([, l]) => l.cancelled)),
      numbers(newLines.map(([, l]) => l.cancelledMinor)),
    ]);
  if (lines.length > 0)
    await tx.query(statements.updateLines, [
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
    ]);
  if (newAllocations.length > 0)
    await tx.query(statements.insertAllocations, [
      numbers(newAllocations.map(([o]) => o.orderId)),
      numbers(newAllocations.map(([, a]) => a.allocationId)),
      numbers(newAllocations.map(([, a]) => a.lineNo)),
      numbers(newAllocations.map(([, a]) => a.skuId)),
      numbers(newAllocations.map(([, a]) => a.locationId)),
      numbers(newAllocations.map(([, a]) => a.quantity)),
      numbers(newAllocations.map(([, a]) => a.openQuantity)),
      numbers(newAllocations.map(([, a]) => a.fulfilmentId)),
    ]);
  if (allocations.length > 0)
    await tx.query(statements.updateAllocations, [
      numbers(allocations.map(([o]) => o.orderId)),
      numbers(allocations.map(([, a]) => a.allocationId)),
      numbers(allocations.map(([, a]) => a.openQuantity)),
      numbers(allocations.map(([, a]) => a.fulfilmentId)),
    ]);
  if (fulfilments.length > 0) {
    const rows = fulfilments.map(({ order, fulfilmentId }) => ({ orderId: order.orderId, ...order.fulfilments.get(fulfilmentId)! }));
    await tx.query(statements.writeFulfilments, [
      numbers(rows.map((f) => f.orderId)),
      numbers(rows.map((f) => f.fulfilmentId)),
      numbers(rows.map((f) => f.locationId)),
      texts(rows.map((f) => f.state)),
    ]);
  }
  if (returns.length > 0) {
    const rows = returns.map(({ order, returnId }) => ({ orderId: order.orderId, ...order.returns.get(returnId)! }));
    await tx.query(statements.writeReturns, [
      numbers(rows.map((r) => r.orderId)),
      numbers(rows.map((r) => r.returnId)),
      texts(rows.map((r) => r.reference)),
      numbers(rows.map((r) => r.locationId)),
      texts(rows.map((r) => JSON.stringify(r.lines))),
      texts(rows.map((r) => r.state)),
    ]);
  }
  if (shipments.length > 0)
    await tx.query(statements.insertShipments, [
      texts(shipments.map(({ event }) => event.shipment)),
      numbers(shipments.map(({ order }) => order.orderId)),
      numbers(shipments.map(({ event }) => event.fulfilmentId)),
      texts(shipments.map(({ event }) => event.tracking)),
      texts(shipments.map(({ event }) => JSON.stringify(event.lines))),
      texts(shipments.map(({ at }) => at)),
    ]);
  if (documents.length > 0)
    await tx.query(statements.insertInvoices, [
      texts(documents.map(({ event }) => event.number)),
      texts(documents.map(({ event }) => event.document)),
      numbers(documents.map(({ order }) => order.orderId)),
      texts(documents.map(({ event }) => event.currency)),
      numbers(documents.map(({ event }) => event.totalMinor)),
      texts(documents.map(({ event }) => JSON.stringify(event.lines))),
      texts(documents.map(({ at }) => at)),
    ]);
}
