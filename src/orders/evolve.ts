import { applyBilling, billingOf } from './evolve-billing.ts';
import { applyReturn } from './evolve-returns.ts';
import { mayMove, stateOf } from './machine.ts';
import type { AcceptedLine, AddedLine, NewAllocation, Order, OrderEvent, OrderLine } from './types.ts';

/** Applies one event to an order (in place) and returns it. Pure but for the order it is given. */
export function evolve(order: Order | undefined, event: OrderEvent): Order {
  if (event.type === 'order.accepted') {
    if (order !== undefined) throw new Error(`order ${order.orderId} was accepted before`);
    return accepted(event);
  }
  if (order === undefined) throw new Error(`${event.type} without an order`);
  applyBilling(order, event);
  apply(order, event);
  order.version++;
  const state = stateOf(order);
  if (!mayMove(order.state, state))
    throw new Error(`order ${order.orderId} can't move from ${order.state} to ${state} by ${event.type}`);
  order.state = state;
  return order;
}

function accepted(event: Extract<OrderEvent, { type: 'order.accepted' }>): Order {
  const order: Order = {
    orderId: event.orderId,
    companyId: event.companyId,
    channelId: event.channelId,
    accountId: event.accountId,
    externalNo: event.externalNo,
    state: 'accepted',
    version: 1,
    currency: event.currency,
    totalMinor: event.totalMinor,
    ...chargedIn(event),
    orderedAt: event.orderedAt,
    erpNumber: null,
    progress: {
      ...{ quantity: 0, open: 0, refused: 0, held: 0, holds: 0, shipped: 0, invoiced: 0 },
      ...{
        released: false,
        confirmed: false,
        told: event.untold !== true && !event.lines.some((line) => (line.held ?? 0) > 0),
        handed: false,
      },
    },
    lines: new Map(),
    allocations: new Map(),
    fulfilments: new Map(),
    returns: new Map(),
    exceptions: new Map(),
    holds: new Map(),
    changes: [],
    ...billingOf(event),
    ...(event.terms !== undefined && { terms: event.terms }),
  };
  addLines(order, event.lines, 1);
  addAllocations(order, event.allocations, false);
  order.state = stateOf(order);
  return order;
}

function addLines(order: Order, lines: readonly (AcceptedLine | AddedLine)[], version: number, isAsked = false): void {
  const { progress } = order;
  for (const line of lines) {
    progress.quantity += line.quantity;
    progress.open += line.quantity - line.refused;
    progress.refused += line.refused;
    progress.held += line.held ?? 0;
    order.lines.set(line.lineNo, {
      ...line,
      pricePer: line.pricePer ?? 1,
      taxMinor: line.taxMinor ?? 0,
      held: line.held ?? 0,
      substituted: line.substituted ?? 0,
      standsFor: line.standsFor ?? null,
      perUnit: line.perUnit ?? 1,
      setNo: line.setNo ?? null,
      addsTo: 'addsTo' in line ? line.addsTo : null,
      // A line of which nothing was accepted goes to no ERP.
      awaitsErp: isAsked && line.refused < line.quantity,
      allocated: 0,
      picked: 0,
      shipped: 0,
      invoiced: 0,
      cancelAsked: 0,
      cancelled: 0,
      returnExpected: 0,
      returned: 0,
      shippedMinor: 0,
      invoicedMinor: 0,
      cancelledMinor: 0,
      returnedMinor: 0,
      creditedMinor: 0,
      changedVersion: version,
    });
  }
}

function chargedIn({
  charges = [],
  taxes = [],
}: Extract<OrderEvent, { type: 'order.accepted' }>): Pick<Order, 'chargesMinor' | 'taxMinor'> {
  return {
    chargesMinor: charges.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
    taxMinor: taxes.reduce((sum, { taxMinor }) => sum + taxMinor, 0),
  };
}

function addAllocations(order: Order, allocations: readonly NewAllocation[], fromBackorder: boolean): void {
  for (const { allocationId, lineNo, skuId, locationId, fulfilmentId, quantity } of allocations) {
    order.allocations.set(allocationId, {
      allocationId,
      lineNo,
      skuId,
      locationId,
      quantity,
      openQuantity: quantity,
      fulfilmentId,
      fromBackorder,
    });
    const line = fromBackorder ? toldLineOf(order, lineNo) : lineOf(order, lineNo);
    line.allocated += quantity;
    if (fromBackorder) line.backordered -= quantity;
  }
}

/** Allocated units that wait again. */
function waitAgain(order: Order, parts: readonly { lineNo: number; allocationId: number; quantity: number }[]): void {
  for (const { lineNo, allocationId, quantity } of parts) {
    order.allocations.get(allocationId)!.openQuantity -= quantity;
    const line = toldLineOf(order, lineNo);
    line.allocated -= quantity;
    line.backordered += quantity;
  }
}

/** A line of which something changes that systems are told of. The event at hand gives the order its next version. */
function toldLineOf(order: Order, lineNo: number): OrderLine {
  const line = lineOf(order, lineNo);
  line.changedVersion = order.version + 1;
  return line;
}

function lineOf(order: Order, lineNo: number): OrderLine {
  const line = order.lines.get(lineNo);
  if (line === undefined) throw new Error(`order ${order.orderId} has no line ${lineNo}`);
  return line;
}

function apply(order: Order, event: Exclude<OrderEvent, { type: 'order.accepted' }>): void {
  switch (event.type) {
    case 'order.confirmed':
      order.erpNumber = event.erpNumber;
      order.progress.confirmed = true;
      return;
    case 'fulfilment.requested':
      order.fulfilments.set(event.fulfilmentId, {
        fulfilmentId: event.fulfilmentId,
        locationId: event.locationId,
        state: 'requested',
      });
      order.progress.handed = true;
      return;
    case 'fulfilment.released':
      order.fulfilments.get(event.fulfilmentId)!.state = 'released';
      order.progress.released = true;
      return;
    case 'order.lines_allocated':
      addAllocations(order, event.allocations, true);
      return;
    case 'order.lines_reassigned':
      waitAgain(order, event.released);
      for (const { lineNo, quantity } of event.answered ?? []) lineOf(order, lineNo).cancelAsked -= quantity;
      addAllocations(order, event.allocations, true);
      return;
    case 'fulfilment.short_picked':
      waitAgain(order, event.lines);
      return;
    case 'stock.picked':
      for (const { lineNo, allocationId, quantity } of event.lines) {
        order.allocations.get(allocationId)!.openQuantity -= quantity;
        const line = lineOf(order, lineNo);
        line.allocated -= quantity;
        line.picked += quantity;
      }
      return;
    case 'shipment.confirmed':
      for (const { lineNo, quantity, amountMinor } of event.lines) {
        const line = toldLineOf(order, lineNo);
        line.shipped += quantity;
        order.progress.shipped += quantity;
        line.shippedMinor += amountMinor;
      }
      return;
    case 'document.posted':
      for (const { lineNo, quantity, amountMinor } of event.lines) {
        const line = toldLineOf(order, lineNo);
        if (event.document === 'invoice') {
          line.invoiced += quantity;
          order.progress.invoiced += quantity;
          line.invoicedMinor += amountMinor;
        } else line.creditedMinor += amountMinor;
      }
      return;
    case 'order.lines_cancelled':
      for (const { lineNo, quantity, amountMinor, fromBackorder } of event.lines) {
        const line = toldLineOf(order, lineNo);
        line.cancelled += quantity;
        order.progress.open -= quantity;
        line.cancelledMinor += amountMinor;
        line.backordered -= fromBackorder;
        line.allocated -= quantity - fromBackorder;
      }
      for (const { allocationId, quantity } of event.released)
        order.allocations.get(allocationId)!.openQuantity -= quantity;
      for (const { lineNo, quantity } of event.answered) lineOf(order, lineNo).cancelAsked -= quantity;
      return;
    case 'order.cancel_asked':
      for (const { lineNo, quantity } of event.lines) lineOf(order, lineNo).cancelAsked += quantity;
      return;
    case 'return.authorised':
      for (const { lineNo, quantity } of event.lines) lineOf(order, lineNo).returnExpected += quantity;
      for (const { lineNo, quantity } of event.answered) lineOf(order, lineNo).cancelAsked -= quantity;
      applyReturn(order, event);
      return;
    case 'return.received':
      for (const { lineNo, quantity, amountMinor } of event.lines) {
        const line = toldLineOf(order, lineNo);
        line.returnExpected -= quantity;
        line.returned += quantity;
        line.returnedMinor += amountMinor;
      }
      applyReturn(order, event);
      return;
    case 'return.inspected':
      for (const { lineNo } of event.lines) toldLineOf(order, lineNo);
      applyReturn(order, event);
      return;
    case 'order.exception_raised': {
      const { type: _, ...raised } = event;
      order.exceptions.set(event.exceptionId, {
        ...raised,
        resourced: raised.resourced ?? 0,
        resolvedBy: null,
        reason: null,
      });
      // Of a new order they came with its lines.
      if (raised.kind === 'short_picked' && raised.held > 0) {
        toldLineOf(order, raised.lineNo).held += raised.held;
        order.progress.held += raised.held;
      }
      return;
    }
    case 'order.exception_resolved':
      resolve(order, event);
      return;
    case 'order.held': {
      const { type: _, by, ...raised } = event;
      order.holds.set(event.holdId, { ...raised, heldBy: by, releasedBy: null, releaseReason: null });
      order.progress.holds++;
      return;
    }
    case 'order.hold_released': {
      const released = order.holds.get(event.holdId)!;
      released.releasedBy = event.by;
      released.releaseReason = event.reason;
      order.progress.holds--;
      return;
    }
    case 'order.repriced':
      for (const { lineNo, unitPrice, pricePer = 1, amountMinor, cancelledMinor } of event.lines) {
        const line = toldLineOf(order, lineNo);
        if (line.standsFor === null) order.totalMinor += amountMinor - line.amountMinor;
        Object.assign(line, { unitPrice, pricePer, amountMinor, cancelledMinor });
      }
      return;
    case 'order.promise_changed':
      for (const { lineNo } of event.lines) toldLineOf(order, lineNo);
      return;
    case 'order.hold_ended':
      order.progress.told = true;
      return;
    // It stands with the mode's own record; the order has a new version by it, and systems are told.
    case 'order.degraded_ended':
      return;
    case 'order.changed': {
      const { type: _, follows, ...change } = event;
      const version = order.version + 1;
      order.changes.push({ ...change, version, lastVersion: version + follows });
      return;
    }
    case 'order.lines_added':
      for (const line of event.lines) if (line.standsFor === undefined) order.totalMinor += line.amountMinor;
      addLines(order, event.lines, order.version + 1, event.untold !== true);
      addAllocations(order, event.allocations, false);
      return;
    case 'order.change_confirmed':
      for (const { lineNo } of event.lines) lineOf(order, lineNo).awaitsErp = false;
      return;
    case 'order.change_too_late':
      for (const { lineNo, quantity } of event.lines) toldLineOf(order, lineNo).cancelAsked -= quantity;
      return;
    default: {
      const never: never = event;
      throw new Error(`unknown event ${(never as OrderEvent).type}`);
    }
  }
}

function resolve(order: Order, event: Extract<OrderEvent, { type: 'order.exception_resolved' }>): void {
  const { backordered, cancelled, substituted, refused, by, reason } = event;
  const exception = order.exceptions.get(event.exceptionId)!;
  const units = backordered + cancelled + substituted;
  exception.held -= units;
  exception.backordered += backordered;
  exception.cancelled += cancelled;
  exception.substituted += substituted;
  exception.resolvedBy = by;
  exception.reason = reason;
  const line = toldLineOf(order, event.lineNo);
  line.held -= units;
  line.backordered -= refused;
  line.refused += refused;
  if (event.told !== true) line.substituted += substituted;
  const { progress } = order;
  progress.held -= units;
  progress.refused += refused;
  progress.open -= refused;
  for (const { lineNo, standsFor, skuId, quantity, unitPrice, pricePer = 1, amountMinor } of event.lines) {
    progress.quantity += quantity;
    progress.open += quantity;
    order.lines.set(lineNo, {
      ...{ lineNo, skuId, quantity, unitPrice, pricePer, amountMinor, standsFor, perUnit: 1, setNo: null },
      // What stands for an added line belongs where that one does.
      ...{ addsTo: line.addsTo, awaitsErp: false, taxMinor: 0 },
      ...{
        within: 0,
        withinShort: 0,
        allocated: 0,
        held: 0,
        refused: 0,
        substituted: 0,
        picked: 0,
        shipped: 0,
        invoiced: 0,
      },
      ...{ cancelAsked: 0, cancelled: 0, returnExpected: 0, returned: 0 },
      ...{ shippedMinor: 0, invoicedMinor: 0, cancelledMinor: 0, returnedMinor: 0, creditedMinor: 0 },
      // Until its allocations are added, right below.
      backordered: quantity,
      changedVersion: order.version + 1,
    });
  }
  addAllocations(order, event.allocations, true);
}
