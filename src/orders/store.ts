/** Orders read and written in sets. The caller holds the lock of each order it writes. */
import { numbers, type Queryable, type Tx, texts } from '../store/index.ts';
import * as statements from './store.sql.ts';
import type { Allocation, Order, OrderEvent, OrderLine, OrderState } from './types.ts';

/** What the work at hand touches of the orders it is about. */
export interface OrderParts {
  orderIds: Set<number>;
  /** Order and line number: read with their allocations. */
  lines: { orderId: number; lineNo: number }[];
  /** Orders of which all allocations are read. */
  allocationsOf: Set<number>;
  fulfilmentIds: Set<number>;
  /** Orders of which all returns are read: they have few. */
  returnsOf: Set<number>;
}

/** Locks the orders in id order, then reads the named parts of them. Ids that don't exist are left out. */
export async function lockOrders(tx: Tx, parts: OrderParts): Promise<Map<number, Order>> {
  if (parts.orderIds.size === 0) return new Map();
  const rows = await tx.query(statements.lockOrders, [numbers([...parts.orderIds])]);
  const orders = headersOf(rows);
  if (parts.lines.length > 0) {
    const unique = new Map(parts.lines.map((part) => [`${part.orderId}/${part.lineNo}`, part]));
    const pairs = [...unique.values()].filter((part) => orders.has(part.orderId));
    const named = [numbers(pairs.map((part) => part.orderId)), numbers(pairs.map((part) => part.lineNo))];
    for (const row of await tx.query(statements.readSomeLines, named)) addLine(orders, row);
    for (const row of await tx.query(statements.readAllocationsOfLines, named)) addAllocation(orders, row);
  }
  if (parts.allocationsOf.size > 0)
    for (const row of await tx.query(statements.readAllocations, [numbers([...parts.allocationsOf])]))
      addAllocation(orders, row);
  if (parts.fulfilmentIds.size > 0)
    for (const row of await tx.query(statements.readFulfilmentsById, [numbers([...parts.fulfilmentIds])]))
      addFulfilment(orders, row);
  if (parts.returnsOf.size > 0)
    for (const row of await tx.query(statements.readReturns, [numbers([...parts.returnsOf])])) addReturn(orders, row);
  return orders;
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
  for (const row of await db.query(statements.readAllocations, ids)) addAllocation(orders, row);
  for (const row of await db.query(statements.readFulfilments, ids)) addFulfilment(orders, row);
  for (const row of await db.query(statements.readReturns, ids)) addReturn(orders, row);
  return orders;
}

async function withLines(db: Queryable, rows: readonly statements.OrderRow[]): Promise<Map<number, Order>> {
  const orders = headersOf(rows);
  if (rows.length > 0)
    for (const row of await db.query(statements.readLines, [numbers(rows.map((r) => r.order_id))]))
      addLine(orders, row);
  return orders;
}

function headersOf(rows: readonly statements.OrderRow[]): Map<number, Order> {
  const orders = new Map<number, Order>();
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
      progress: {
        quantity: row.units,
        open: row.units_open,
        refused: row.units_refused,
        shipped: row.units_shipped,
        invoiced: row.units_invoiced,
        released: row.is_released,
        confirmed: row.erp_number !== null,
      },
      lines: new Map(),
      allocations: new Map(),
      fulfilments: new Map(),
      returns: new Map(),
    });
  return orders;
}

function addLine(
  orders: ReadonlyMap<number, Order>,
  row: { order_id: number; unit_price: string; numbers: string },
): void {
  // In the order of LINE_NUMBERS.
  const n = unpack(row.numbers);
  orders.get(row.order_id)?.lines.set(n[0]!, {
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
    changedVersion: n[21]!,
  });
}

function addAllocation(orders: ReadonlyMap<number, Order>, row: { order_id: number; numbers: string }): void {
  const [allocationId, lineNo, skuId, locationId, quantity, openQuantity, fulfilmentId] = unpack(row.numbers) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  orders.get(row.order_id)?.allocations.set(allocationId, {
    allocationId,
    lineNo,
    skuId,
    locationId,
    quantity,
    openQuantity,
    fulfilmentId,
  });
}

function addFulfilment(
  orders: ReadonlyMap<number, Order>,
  row: { order_id: number; fulfilment_id: number; location_id: number; state: 'requested' | 'released' },
): void {
  orders.get(row.order_id)?.fulfilments.set(row.fulfilment_id, {
    fulfilmentId: row.fulfilment_id,
    locationId: row.location_id,
    state: row.state,
  });
}

function addReturn(
  orders: ReadonlyMap<number, Order>,
  row: {
    order_id: number;
    return_id: number;
    reference: string;
    location_id: number;
    lines: { lineNo: number; quantity: number }[];
    state: 'expected' | 'received';
  },
): void {
  orders.get(row.order_id)?.returns.set(row.return_id, {
    returnId: row.return_id,
    reference: row.reference,
    locationId: row.location_id,
    lines: row.lines,
    state: row.state,
  });
}

/** An array of whole numbers as PostgreSQL writes it: `{1,2,3}`. */
function unpack(text: string): number[] {
  return text.slice(1, -1).split(',').map(Number);
}

/** An order as others are told of it, with the lines that changed since. */
export interface ToldOrder extends Omit<Order, 'lines' | 'allocations' | 'fulfilments' | 'returns'> {
  lines: {
    lineNo: number;
    skuId: number;
    quantity: number;
    amountMinor: number;
    cancelled: number;
    backordered: number;
    refused: number;
    shipped: number;
    invoiced: number;
    returned: number;
  }[];
}

/**
 * Reads orders without locking them, each with the lines that changed after the version that is known of it (0: all lines). An
 * order of a thousand lines changes a hundred times; all of them each time would be most of what the hub does.
 */
export async function readToldOrders(
  db: Queryable,
  known: readonly { orderId: number; version: number }[],
): Promise<Map<number, ToldOrder>> {
  if (known.length === 0) return new Map();
  const ids = numbers(known.map(({ orderId }) => orderId));
  const told = new Map<number, ToldOrder>();
  for (const [id, order] of headersOf(await db.query(statements.readOrders, [ids])))
    told.set(id, { ...order, lines: [] });
  for (const row of await db.query(statements.readToldLines, [ids, numbers(known.map(({ version }) => version))]))
    told.get(row.order_id)!.lines = row.lines.split(';').map((line) => {
      // In the order of the statement.
      const n = line.split(',').map(Number);
      return {
        lineNo: n[0]!,
        skuId: n[1]!,
        quantity: n[2]!,
        amountMinor: n[3]!,
        cancelled: n[4]!,
        backordered: n[5]!,
        refused: n[6]!,
        shipped: n[7]!,
        invoiced: n[8]!,
        returned: n[9]!,
      };
    });
  return told;
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
      if ('lines' in event && event.type !== 'fulfilment.requested')
        for (const line of event.lines) touchedLines.add(line.lineNo);
      if ('allocations' in event)
        for (const allocation of event.allocations) {
          added.add(allocation.allocationId);
          touchedLines.add(allocation.lineNo);
        }
      if (event.type === 'stock.picked') for (const line of event.lines) touchedAllocations.add(line.allocationId);
      if (event.type === 'order.lines_cancelled')
        for (const part of event.released) touchedAllocations.add(part.allocationId);
      if (event.type === 'fulfilment.requested' || event.type === 'fulfilment.released')
        touchedFulfilments.add(event.fulfilmentId);
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
      numbers(fresh.map((o) => o.progress.quantity)),
      numbers(fresh.map((o) => o.progress.open)),
      numbers(fresh.map((o) => o.progress.refused)),
    ]);
  if (known.length > 0)
    await tx.query(statements.updateOrders, [
      numbers(known.map((o) => o.orderId)),
      texts(known.map((o) => o.state)),
      numbers(known.map((o) => o.version)),
      texts(known.map((o) => o.erpNumber)),
      numbers(known.map((o) => o.progress.open)),
      numbers(known.map((o) => o.progress.shipped)),
      numbers(known.map((o) => o.progress.invoiced)),
      `{${known.map((o) => (o.progress.released ? 't' : 'f')).join(',')}}`,
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
      numbers(newLines.map(([, l]) => l.changedVersion)),
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
      numbers(lines.map(([, l]) => l.changedVersion)),
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
      numbers(allocations.map(([, a]) => a.lineNo)),
      numbers(allocations.map(([, a]) => a.allocationId)),
      numbers(allocations.map(([, a]) => a.openQuantity)),
    ]);
  if (fulfilments.length > 0) {
    const rows = fulfilments.map(({ order, fulfilmentId }) => ({
      orderId: order.orderId,
      ...order.fulfilments.get(fulfilmentId)!,
    }));
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
