/** Taking units back: before the pick a cancel, after it a return. Pure, as `decide`. */
import { events, isRequested, refused, requestedUnits } from './decision.ts';
import { cancelledHeld } from './exceptions.ts';
import { leftOf, partsOf, rootOf, undoneAmount } from './line-parts.ts';
import { taxOfPart, undoneTax } from './tax-parts.ts';
import type { DecideContext, Decision, Order, OrderChange, OrderCommand, OrderEvent, OrderLine } from './types.ts';

export function standInsOf(order: Order, lineNo: number): OrderLine[] {
  return [...order.lines.values()].filter((line) => line.standsFor === lineNo);
}

export function cancel(
  order: Order,
  command: Extract<OrderCommand, { kind: 'cancel' }>,
  context: DecideContext,
): Decision {
  const line = order.lines.get(command.lineNo);
  if (line === undefined) return refused('unknown_line', `line ${command.lineNo}`);
  // Who names a line that stands for another means that one alone.
  const parts = rootOf(line) === line.lineNo ? partsOf(order, line.lineNo) : [line];
  const left = parts.reduce((sum, part) => sum + leftOf(part), 0);
  if (command.quantity > left)
    return refused('over_cancel', `line ${command.lineNo}: ${command.quantity} asked back, ${left} left`);
  return events(takeBack(order, parts, command.quantity, command.reference, context));
}

/**
 * Takes units of an ordered line back: from the line itself and from those that are part of it, by how early each unit can be stopped; at the
 * same stage what nobody ordered goes first.
 * @param quantity no more than is left of them
 */
export function takeBack(
  order: Order,
  parts: readonly OrderLine[],
  quantity: number,
  reference: string,
  context: DecideContext,
): OrderEvent[] {
  if (parts.length === 1) return cancelLine(order, parts[0]!, quantity, reference, context);
  const stages = [
    (part: OrderLine) => part.backordered,
    (part: OrderLine) => part.allocated - requestedUnits(order, part.lineNo),
    (part: OrderLine) => requestedUnits(order, part.lineNo) - part.cancelAsked,
    leftOf,
  ];
  const taken = new Map(parts.map((part) => [part, 0]));
  let missing = quantity;
  for (const there of stages)
    for (const part of parts) {
      const before = taken.get(part)!;
      const units = Math.max(0, Math.min(missing, leftOf(part) - before, there(part)));
      taken.set(part, before + units);
      missing -= units;
    }
  return [...taken].flatMap(([part, units]) => (units === 0 ? [] : cancelLine(order, part, units, reference, context)));
}

/**
 * Takes units of one line back as early as each can be stopped: a backorder first, then what is only allocated, then what
 * the WMS was told to pick (it is asked), then what was picked (it comes back as a return).
 */
export function cancelLine(
  order: Order,
  line: OrderLine,
  wanted: number,
  reference: string,
  context: DecideContext,
): OrderEvent[] {
  let missing = wanted;
  const fromBackorder = Math.min(line.backordered, missing);
  // Before the cancel itself: no more is ever held than waits.
  const result: OrderEvent[] = line.held === 0 ? [] : cancelledHeld(order, line, fromBackorder, reference);
  missing -= fromBackorder;
  const own = [...order.allocations.values()].filter(
    (allocation) => allocation.lineNo === line.lineNo && allocation.openQuantity > 0,
  );
  const released: Extract<OrderEvent, { type: 'order.lines_cancelled' }>['released'] = [];
  for (const allocation of own) {
    if (missing === 0) break;
    if (isRequested(order, allocation)) continue;
    const quantity = Math.min(allocation.openQuantity, missing);
    released.push({
      allocationId: allocation.allocationId,
      lineNo: line.lineNo,
      skuId: allocation.skuId,
      locationId: allocation.locationId,
      quantity,
    });
    missing -= quantity;
  }
  const cancelled = wanted - missing;
  if (cancelled > 0)
    result.push({
      type: 'order.lines_cancelled',
      reference,
      lines: [
        {
          lineNo: line.lineNo,
          quantity: cancelled,
          amountMinor: undoneAmount(order, line, cancelled),
          ...taxOfPart(line, undoneTax(line, cancelled)),
          fromBackorder,
        },
      ],
      released,
      answered: [],
      ...(!order.progress.told && { untold: true }),
    });
  // Units asked before are spoken for; which allocation they lie in doesn't matter, only how many are still to be asked.
  let askable = 0;
  const byFulfilment = new Map<number, number>();
  for (const allocation of own) {
    if (!isRequested(order, allocation)) continue;
    byFulfilment.set(
      allocation.fulfilmentId,
      (byFulfilment.get(allocation.fulfilmentId) ?? 0) + allocation.openQuantity,
    );
    askable += allocation.openQuantity;
  }
  let spokenFor = line.cancelAsked;
  let toAsk = Math.min(missing, Math.max(0, askable - line.cancelAsked));
  missing -= toAsk;
  for (const [fulfilmentId, open] of byFulfilment) {
    const busy = Math.min(open, spokenFor);
    spokenFor -= busy;
    const quantity = Math.min(open - busy, toAsk);
    if (quantity === 0) continue;
    toAsk -= quantity;
    result.push({
      type: 'order.cancel_asked',
      reference: `${reference}/F${fulfilmentId}`,
      fulfilmentId,
      lines: [{ lineNo: line.lineNo, quantity }],
    });
  }
  if (missing > 0)
    result.push(...authoriseReturn(order, reference, [{ lineNo: line.lineNo, quantity: missing }], [], context));
  return result;
}

/** Goods go back to where the line was first served from. */
export function authoriseReturn(
  order: Order,
  reference: string,
  lines: readonly { lineNo: number; quantity: number }[],
  answered: readonly { lineNo: number; quantity: number }[],
  context: DecideContext,
  reason: string | null = null,
): OrderEvent[] {
  const byLocation = new Map<number, { lineNo: number; skuId: number; quantity: number }[]>();
  for (const { lineNo, quantity } of lines) {
    const line = { lineNo, skuId: order.lines.get(lineNo)!.skuId, quantity };
    let locationId: number | undefined;
    for (const allocation of order.allocations.values())
      if (allocation.lineNo === line.lineNo) {
        locationId = allocation.locationId;
        break;
      }
    if (locationId === undefined) throw new Error(`line ${line.lineNo} of order ${order.orderId} was never allocated`);
    const list = byLocation.get(locationId);
    if (list === undefined) byLocation.set(locationId, [line]);
    else list.push(line);
  }
  return [...byLocation].map(([locationId, list]) => {
    const inspection = context.inspection?.(locationId);
    return {
      type: 'return.authorised',
      returnId: context.takeReturnId(),
      reference,
      locationId,
      lines: list,
      answered: answered.filter((answer) => list.some((line) => line.lineNo === answer.lineNo)),
      ...(reason !== null && { reason }),
      ...(inspection !== undefined && { inspection }),
    };
  });
}

export function answerCancel(
  order: Order,
  command: Extract<OrderCommand, { kind: 'answer_cancel' }>,
  context: DecideContext,
): Decision {
  const lines: Extract<OrderEvent, { type: 'order.lines_cancelled' }>['lines'] = [];
  const released: Extract<OrderEvent, { type: 'order.lines_cancelled' }>['released'] = [];
  const answered: { lineNo: number; quantity: number }[] = [];
  const late: { lineNo: number; quantity: number }[] = [];
  if (!order.fulfilments.has(command.fulfilmentId))
    return refused('unknown_fulfilment', `fulfilment ${command.fulfilmentId}`);
  for (const { lineNo, asked, ...said } of command.lines) {
    const line = order.lines.get(lineNo);
    if (line === undefined) return refused('unknown_line', `line ${lineNo}`);
    let { cancelled, tooLate } = said;
    if (asked !== undefined && cancelled + tooLate <= asked) {
      // Of what it was asked for, some was not found and is settled.
      cancelled = Math.min(cancelled, line.cancelAsked);
      tooLate = Math.min(tooLate, line.cancelAsked - cancelled);
    }
    if (cancelled + tooLate > line.cancelAsked)
      return refused('over_cancel', `line ${lineNo}: ${cancelled + tooLate} answered, ${line.cancelAsked} asked`);
    const left = line.picked + requestedUnits(order, lineNo) - line.shipped;
    if (cancelled > left)
      return refused('over_cancel', `line ${lineNo}: the WMS cancelled ${cancelled}, but shipped all but ${left}`);
    if (cancelled > 0) {
      let missing = cancelled;
      for (const allocation of order.allocations.values()) {
        if (missing === 0) break;
        if (allocation.lineNo !== lineNo || allocation.fulfilmentId !== command.fulfilmentId) continue;
        const quantity = Math.min(allocation.openQuantity, missing);
        if (quantity === 0) continue;
        released.push({
          allocationId: allocation.allocationId,
          lineNo,
          skuId: allocation.skuId,
          locationId: allocation.locationId,
          quantity,
        });
        missing -= quantity;
      }
      if (missing > 0)
        return refused('over_cancel', `line ${lineNo}: the WMS cancelled ${cancelled}, ${missing} more than was open`);
      lines.push({
        lineNo,
        quantity: cancelled,
        amountMinor: undoneAmount(order, line, cancelled),
        ...taxOfPart(line, undoneTax(line, cancelled)),
        fromBackorder: 0,
      });
      answered.push({ lineNo, quantity: cancelled });
    }
    if (tooLate > 0) late.push({ lineNo, quantity: tooLate });
  }
  const result: OrderEvent[] = [];
  if (lines.length > 0)
    result.push({ type: 'order.lines_cancelled', reference: command.reference, lines, released, answered });
  if (late.length > 0) {
    const change = changeOf(order, command.askedVersion);
    // Who changed the line was told that it was being asked: too late, and it stays as it was. A cancel's goods come back.
    if (change !== undefined)
      result.push({
        type: 'order.change_too_late',
        changeVersion: change.version,
        reference: change.reference,
        lines: late,
      });
    else result.push(...authoriseReturn(order, command.reference, late, late, context));
  }
  return events(result);
}

/** The change that asked the WMS, if it was one. */
function changeOf(order: Order, askedVersion: number | undefined): OrderChange | undefined {
  if (askedVersion === undefined) return undefined;
  return order.changes.find(({ version, lastVersion }) => askedVersion > version && askedVersion <= lastVersion);
}
