/** Orders read in sets, locked or as they stand. */
import { numbers, type Queryable, type Tx } from '../store/index.ts';
import * as changeStatements from './changes.sql.ts';
import { readBilling } from './charges.sql.ts';
import * as exceptionStatements from './exceptions.sql.ts';
import * as holdStatements from './holds.sql.ts';
import { type ReturnRow, readReturns } from './returns.sql.ts';
import * as statements from './store.sql.ts';
import type { Order, OrderState, OrderTerms, ReturnLine } from './types.ts';

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
  /** Orders of which exceptions and holds are read, the lines that stand for others, and, while the ERP is not told, all lines. */
  behind: Set<number>;
  /** Orders of which everything is read: all lines, allocations and exceptions. */
  whole: Set<number>;
  /** Orders of which the lines are read that the ERP has not confirmed. */
  awaitingOf: Set<number>;
  /** Orders of which the changes are read. */
  changesOf: Set<number>;
}

/** Locks the orders in id order, then reads the named parts of them. Ids that don't exist are left out. */
export async function lockOrders(tx: Tx, parts: OrderParts): Promise<Map<number, Order>> {
  if (parts.orderIds.size === 0) return new Map();
  const { lines, fulfilmentIds, returnsOf, whole, changesOf } = parts;
  const allocationsOf = whole.size === 0 ? parts.allocationsOf : new Set([...parts.allocationsOf, ...whole]);
  const behind = new Set([...parts.behind].filter((id) => !whole.has(id)));
  const exceptionsOf = [...parts.behind, ...whole];
  const unique = [...new Map(lines.map((part) => [`${part.orderId}/${part.lineNo}`, part])).values()];
  const named = [numbers(unique.map((part) => part.orderId)), numbers(unique.map((part) => part.lineNo))];
  const none = Promise.resolve([]);
  // Sent together; each reads when those before it have ended, so what depends on the orders is read under their locks.
  const behindIds = [numbers([...behind])];
  const wholeIds = [numbers([...whole])];
  const [
    headers,
    someLines,
    ofLines,
    allocations,
    fulfilments,
    returns,
    linesBehind,
    ofBehind,
    exceptions,
    all,
    awaiting,
    changes,
    holds,
  ] = await Promise.all([
    tx.query(statements.lockOrders, [numbers([...parts.orderIds])]),
    unique.length === 0 ? none : tx.query(statements.readSomeLines, named),
    unique.length === 0 ? none : tx.query(statements.readAllocationsOfLines, named),
    allocationsOf.size === 0 ? none : tx.query(statements.readAllocations, [numbers([...allocationsOf])]),
    fulfilmentIds.size === 0 ? none : tx.query(statements.readFulfilmentsById, [numbers([...fulfilmentIds])]),
    returnsOf.size === 0 ? none : tx.query(readReturns, [numbers([...returnsOf])]),
    behind.size === 0 ? none : tx.query(statements.readLinesBehind, behindIds),
    behind.size === 0 ? none : tx.query(statements.readAllocationsBehind, behindIds),
    exceptionsOf.length === 0
      ? none
      : tx.query(exceptionStatements.readExceptions, [numbers([...new Set(exceptionsOf)])]),
    whole.size === 0 ? none : tx.query(statements.readLines, wholeIds),
    parts.awaitingOf.size === 0 ? none : tx.query(statements.readAwaitingLines, [numbers([...parts.awaitingOf])]),
    changesOf.size === 0 ? none : tx.query(changeStatements.readChanges, [numbers([...changesOf])]),
    exceptionsOf.length === 0 ? none : tx.query(holdStatements.readHolds, [numbers([...new Set(exceptionsOf)])]),
  ]);
  const orders = headersOf(headers);
  const isKnown = (row: { order_id: number }) => orders.has(row.order_id);
  for (const row of [...someLines, ...linesBehind, ...all, ...awaiting].filter(isKnown)) addLine(orders, row);
  for (const row of [...ofLines, ...allocations, ...ofBehind].filter(isKnown)) addAllocation(orders, row);
  for (const row of fulfilments.filter(isKnown)) addFulfilment(orders, row);
  for (const row of returns.filter(isKnown)) addReturn(orders, row);
  for (const row of exceptions.filter(isKnown)) addException(orders, row);
  for (const row of holds.filter(isKnown)) addHold(orders, row);
  for (const row of changes.filter(isKnown)) addChange(orders, row);
  // Few are on hold; whatever happens to one may be the last that there was to hold.
  const held = [...orders.values()].filter(({ orderId, progress }) => progress.holds > 0 && !behind.has(orderId));
  if (held.length > 0)
    for (const row of await tx.query(holdStatements.readHolds, [numbers(held.map(({ orderId }) => orderId))]))
      addHold(orders, row);
  await readSets(tx, orders);
  await readHeld(tx, orders);
  await readWhole(tx, orders, headers);
  await addBilling(tx, orders, headers);
  for (const order of orders.values()) {
    inOrder(order.lines);
    inOrder(order.allocations);
  }
  return orders;
}

/** Statements read them in any order; what is decided must not hang on it: whoever comes first gets what there is. */
function inOrder<Value>(byId: Map<number, Value>): void {
  let last = Number.NEGATIVE_INFINITY;
  let isSorted = true;
  for (const id of byId.keys()) {
    isSorted &&= id > last;
    last = id;
  }
  if (isSorted) return;
  const sorted = [...byId].sort(([a], [b]) => a - b);
  byId.clear();
  for (const [id, value] of sorted) byId.set(id, value);
}

/** Lines that only together make one of what was ordered are decided together. */
async function readSets(db: Queryable, orders: ReadonlyMap<number, Order>): Promise<void> {
  const found = [...orders.values()].filter(({ lines }) => [...lines.values()].some((line) => line.setNo !== null));
  if (found.length === 0) return;
  const ids = [numbers(found.map(({ orderId }) => orderId))];
  for (const row of await db.query(statements.readLinesBehind, ids)) addLine(orders, row);
  for (const row of await db.query(statements.readAllocationsBehind, ids)) addAllocation(orders, row);
}

/** Of orders with charges or taxes. */
async function addBilling(
  db: Queryable,
  orders: ReadonlyMap<number, Order>,
  headers: readonly statements.OrderRow[],
): Promise<void> {
  const charged = headers.filter((row) => row.is_charged);
  if (charged.length === 0) return;
  for (const row of await db.query(readBilling, [numbers(charged.map((one) => one.order_id))]))
    orders.get(row.order_id)!.billing = {
      charges: new Map((row.charges ?? []).map((charge) => [charge.chargeNo, charge])),
      goods: {
        acceptedMinor: row.accepted_minor,
        cancelledMinor: row.cancelled_minor,
        shippedMinor: row.shipped_minor,
        returnedMinor: row.returned_minor,
      },
      lines: new Map((row.lines ?? []).map(({ lineNo, ...line }) => [lineNo, line])),
    };
}

/** Orders that are held and of which the WMS was asked for something: with the hold's end it is asked for what it was not asked for yet. */
async function readHeld(db: Queryable, orders: ReadonlyMap<number, Order>): Promise<void> {
  const held = [...orders.values()].filter(({ progress }) => progress.handed && progress.holds + progress.held > 0);
  if (held.length === 0) return;
  const ids = [numbers(held.map(({ orderId }) => orderId))];
  for (const row of await db.query(statements.readAllocations, ids)) addAllocation(orders, row);
  for (const row of await db.query(statements.readAwaitingLines, ids)) addLine(orders, row);
}

/** Orders that leave only whole, until they do: whether everything is there is seen by all of their lines. */
async function readWhole(
  db: Queryable,
  orders: ReadonlyMap<number, Order>,
  headers: readonly statements.OrderRow[],
): Promise<void> {
  const whole = headers.filter((row) => row.ship_complete && !row.is_handed);
  if (whole.length === 0) return;
  const ids = [numbers(whole.map((row) => row.order_id))];
  for (const row of await db.query(statements.readLines, ids)) addLine(orders, row);
  for (const row of await db.query(statements.readAllocations, ids)) addAllocation(orders, row);
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
  for (const row of await db.query(readReturns, ids)) addReturn(orders, row);
  for (const row of await db.query(exceptionStatements.readExceptions, ids)) addException(orders, row);
  for (const row of await db.query(holdStatements.readHolds, ids)) addHold(orders, row);
  for (const row of await db.query(changeStatements.readChanges, ids)) addChange(orders, row);
  await addBilling(db, orders, rows);
  for (const row of await db.query(statements.readAsked, ids)) {
    const { quantity, unit, base, unit_price: unitPrice, price_unit: priceUnit, price_count: pricePer } = row;
    orders.get(row.order_id)!.lines.get(row.line_no)!.asked = {
      ...{ quantity, unit, packLevel: row.pack_level, base, unitPrice, priceUnit, pricePer },
      ...(row.rounding !== null && { rounding: row.rounding }),
    };
  }
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
      chargesMinor: row.charges_minor,
      taxMinor: row.tax_minor,
      orderedAt: row.ordered_at.toISOString(),
      erpNumber: row.erp_number,
      progress: {
        quantity: row.units,
        open: row.units_open,
        refused: row.units_refused,
        held: row.units_held,
        holds: row.holds,
        shipped: row.units_shipped,
        invoiced: row.units_invoiced,
        released: row.is_released,
        confirmed: row.erp_number !== null,
        told: row.is_told,
        handed: row.is_handed,
      },
      lines: new Map(),
      allocations: new Map(),
      fulfilments: new Map(),
      returns: new Map(),
      exceptions: new Map(),
      holds: new Map(),
      changes: [],
      ...termsOf(row),
    });
  return orders;
}

function termsOf(row: statements.OrderRow): { terms?: OrderTerms } {
  if (!row.ship_complete && row.requested_at === null && row.ship_to === null) return {};
  return {
    terms: {
      ...(row.ship_to !== null && { shipTo: row.ship_to }),
      ...(row.requested_at !== null && { requestedAt: row.requested_at.toISOString() }),
      ...(row.ship_complete && { shipComplete: true }),
    },
  };
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
    held: n[22]!,
    substituted: n[23]!,
    standsFor: n[24] === 0 ? null : n[24]!,
    pricePer: n[25]!,
    addsTo: n[26] === 0 ? null : n[26]!,
    awaitsErp: n[27] === 1,
    taxMinor: n[28]!,
    perUnit: n[29]!,
    setNo: n[30] === 0 ? null : n[30]!,
  });
}

function addAllocation(orders: ReadonlyMap<number, Order>, row: { order_id: number; numbers: string }): void {
  // In the order of the statements.
  const n = unpack(row.numbers);
  const order = orders.get(row.order_id);
  if (order === undefined) return;
  const fulfilmentId = n[6]!;
  const state = ([undefined, 'requested', 'released'] as const)[n[8]!];
  if (state !== undefined && !order.fulfilments.has(fulfilmentId))
    order.fulfilments.set(fulfilmentId, { fulfilmentId, locationId: n[3]!, state });
  order.allocations.set(n[0]!, {
    allocationId: n[0]!,
    lineNo: n[1]!,
    skuId: n[2]!,
    locationId: n[3]!,
    quantity: n[4]!,
    openQuantity: n[5]!,
    fulfilmentId,
    fromBackorder: n[7] === 1,
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

function addReturn(orders: ReadonlyMap<number, Order>, row: ReturnRow): void {
  const { return_id: returnId, reference, reason, location_id: locationId, inspection, state } = row;
  const lines = new Map<number, ReturnLine>();
  for (const text of row.lines === null ? [] : row.lines.split(';')) {
    const n = text.split(',').map(Number);
    lines.set(n[0]!, {
      ...{ lineNo: n[0]!, skuId: n[1]!, quantity: n[2]!, received: n[3]!, restocked: n[4]!, scrapped: n[5]! },
      ...{ quarantined: n[6]!, receivedMinor: n[7]!, decidedMinor: n[8]!, creditMinor: n[9]! },
      ...{ receivedTaxMinor: n[10]!, decidedTaxMinor: n[11]!, creditTaxMinor: n[12]! },
    });
  }
  orders
    .get(row.order_id)
    ?.returns.set(returnId, { returnId, reference, reason, locationId, inspection, lines, state });
}

function addException(orders: ReadonlyMap<number, Order>, row: exceptionStatements.ExceptionRow): void {
  const { exception_id: exceptionId, line_no: lineNo, sku_id: skuId, kind, policy, units } = row;
  const { held, backordered, cancelled, substituted, resourced, resolved_by: resolvedBy, reason } = row;
  orders.get(row.order_id)?.exceptions.set(exceptionId, {
    ...{ exceptionId, kind, lineNo, skuId, policy, units },
    ...{ held, backordered, cancelled, substituted, resourced, resolvedBy, reason },
  });
}

function addHold(orders: ReadonlyMap<number, Order>, row: holdStatements.HoldRow): void {
  const { hold_id: holdId, kind, reason, detail, owner, held_by: heldBy } = row;
  orders.get(row.order_id)?.holds.set(holdId, {
    ...{ holdId, kind, reason, detail, owner, heldBy },
    dueAt: row.due_at?.toISOString() ?? null,
    dueMinutes: null,
    releasedBy: row.released_by,
    releaseReason: row.release_reason,
  });
}

function addChange(orders: ReadonlyMap<number, Order>, row: changeStatements.ChangeRow): void {
  const { change_version: version, last_version: lastVersion, is_whole: isWhole, reference, number, lines } = row;
  orders.get(row.order_id)?.changes.push({ version, lastVersion, reference, number, isWhole, lines });
}

/** An array of whole numbers as PostgreSQL writes it: `{1,2,3}`. */
function unpack(text: string): number[] {
  return text.slice(1, -1).split(',').map(Number);
}

/** An order as others are told of it, with the lines that changed since. */
export interface ToldOrder
  extends Omit<
    Order,
    'lines' | 'allocations' | 'fulfilments' | 'returns' | 'exceptions' | 'holds' | 'changes' | 'billing'
  > {
  /** It has charges or taxes. */
  isCharged: boolean;
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
  const rows = await db.query(statements.readOrders, [ids]);
  const charged = new Set(rows.filter((row) => row.is_charged).map((row) => row.order_id));
  for (const [id, order] of headersOf(rows)) told.set(id, { ...order, isCharged: charged.has(id), lines: [] });
  const versions = [ids, numbers(known.map(({ version }) => version))];
  for (const row of await db.query(statements.readToldLines, versions)) {
    const { lines } = told.get(row.order_id)!;
    for (const line of row.lines.split(';').map(toldLine)) {
      const at = row.is_replaced ? lines.findIndex((one) => one.lineNo === line.lineNo) : -1;
      if (at >= 0) lines[at] = line;
      else if (row.is_replaced) lines.splice(lines.findLastIndex((one) => one.lineNo < line.lineNo) + 1, 0, line);
      else lines.push(line);
    }
  }
  return told;
}

function toldLine(text: string): ToldOrder['lines'][number] {
  // In the order of the statements.
  const n = text.split(',').map(Number);
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
}
