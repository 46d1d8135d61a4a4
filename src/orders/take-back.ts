/** Taking units back: before the pick a cancel, after it a return. Pure, as `decide`. */
import { events, isRequested, refused, requestedUnits } from './decision.ts';
import { cancelledHeld } from './exceptions.ts';
import { cancelledPart, leftOf, partsOf, rootOf } from './line-parts.ts';
import { begunUnits, type LineSet, setsOf, stoppedParts, sumBegun, wholeUnits } from './sets.ts';
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
  if (line.setNo !== null)
    return refused(
      'kit_component',
      `line ${command.lineNo} is part of a kit: line ${rootOf(line)} is what was ordered`,
    );
  // Who names a line that stands for another, or was added to one, means that one alone; of an added kit, what it is made of.
  const kit = standInsOf(order, line.lineNo).filter(({ setNo }) => setNo !== null);
  const parts = rootOf(line) === line.lineNo ? partsOf(order, line.lineNo) : [line, ...kit];
  const left = sumBegun(setsOf(parts), leftOf);
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
  const sets = setsOf(parts);
  const stages = [
    (part: OrderLine) => part.backordered,
    (part: OrderLine) => part.allocated - requestedUnits(order, part.lineNo),
    (part: OrderLine) => requestedUnits(order, part.lineNo) - part.cancelAsked,
    leftOf,
  ];
  const taken = new Map(sets.map((set) => [set, 0]));
  let missing = quantity;
  for (const there of stages)
    for (const set of sets) {
      const before = taken.get(set)!;
      const units = Math.max(0, Math.min(missing, begunUnits(set, leftOf) - before, wholeUnits(set, there)));
      taken.set(set, before + units);
      missing -= units;
    }
  // A set's last unit may be one that only some of its lines have.
  for (const set of sets) {
    const units = Math.min(missing, begunUnits(set, leftOf) - taken.get(set)!);
    taken.set(set, taken.get(set)! + units);
    missing -= units;
  }
  return [...taken].flatMap(([set, units]) => (units === 0 ? [] : lowerSet(order, set, units, reference, context)));
}

/** Units of each line that go with so many of what they stand for. */
export function partsOfUnits(set: LineSet, units: number): Map<OrderLine, number> {
  const level = begunUnits(set, leftOf) - units;
  return new Map(set.map((line) => [line, Math.max(0, leftOf(line) - level * line.perUnit)]));
}

/** Takes so many of what the lines stand for back: each line by what it has beyond the rest. */
function lowerSet(order: Order, set: LineSet, units: number, reference: string, context: DecideContext): OrderEvent[] {
  return [...partsOfUnits(set, units)].flatMap(([line, of]) =>
    of === 0 ? [] : cancelLine(order, line, of, reference, context),
  );
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
      lines: [{ ...cancelledPart(order, line, cancelled), fromBackorder }],
      released,
      answered: [],
      ...(!order.progress.told && { untold: true }),
    });
  const stop = askToStop(order, line, missing, reference);
  result.push(...stop.events);
  missing -= stop.units;
  if (missing > 0)
    result.push(...authoriseReturn(order, reference, [{ lineNo: line.lineNo, quantity: missing }], [], context));
  return result;
}

/** Asks the WMS to stop units of a line, as many as it can be asked for. */
export function askToStop(
  order: Order,
  line: OrderLine,
  units: number,
  reference: string,
): { events: OrderEvent[]; units: number } {
  if (units === 0) return { events: [], units: 0 };
  // Units asked before are spoken for; which allocation they lie in doesn't matter, only how many are still to be asked.
  let askable = 0;
  const byFulfilment = new Map<number, number>();
  for (const allocation of order.allocations.values()) {
    const { lineNo, fulfilmentId, openQuantity } = allocation;
    if (lineNo !== line.lineNo || openQuantity === 0 || !isRequested(order, allocation)) continue;
    byFulfilment.set(fulfilmentId, (byFulfilment.get(fulfilmentId) ?? 0) + openQuantity);
    askable += openQuantity;
  }
  let spokenFor = line.cancelAsked;
  const asked = Math.min(units, Math.max(0, askable - line.cancelAsked));
  let toAsk = asked;
  const list: OrderEvent[] = [];
  for (const [fulfilmentId, open] of byFulfilment) {
    const busy = Math.min(open, spokenFor);
    spokenFor -= busy;
    const quantity = Math.min(open - busy, toAsk);
    if (quantity === 0) continue;
    toAsk -= quantity;
    list.push({
      ...{ type: 'order.cancel_asked', reference: `${reference}/F${fulfilmentId}`, fulfilmentId },
      lines: [{ lineNo: line.lineNo, quantity }],
    });
  }
  return { events: list, units: asked };
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
  const again: Extract<OrderEvent, { type: 'order.lines_reassigned' }>['released'] = [];
  const settled: { lineNo: number; quantity: number }[] = [];
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
    // Units that were stopped only because their kit can't be made up now wait again, or stay where the WMS was too late.
    const stopped = stoppedParts(order, line, cancelled, tooLate);
    if (stopped.again + stopped.stays > 0) settled.push({ lineNo, quantity: stopped.again + stopped.stays });
    tooLate -= stopped.stays;
    if (cancelled > 0) {
      let missing = cancelled;
      let first = stopped.again;
      for (const allocation of order.allocations.values()) {
        if (missing === 0) break;
        if (allocation.lineNo !== lineNo || allocation.fulfilmentId !== command.fulfilmentId) continue;
        const quantity = Math.min(allocation.openQuantity, missing);
        if (quantity === 0) continue;
        const { allocationId, skuId, locationId } = allocation;
        const part = { allocationId, lineNo, skuId, locationId };
        const back = Math.min(quantity, first);
        first -= back;
        if (back > 0) again.push({ ...part, quantity: back });
        if (quantity > back) released.push({ ...part, quantity: quantity - back });
        missing -= quantity;
      }
      if (missing > 0)
        return refused('over_cancel', `line ${lineNo}: the WMS cancelled ${cancelled}, ${missing} more than was open`);
      const units = cancelled - stopped.again;
      if (units > 0) {
        lines.push({ ...cancelledPart(order, line, units), fromBackorder: 0 });
        answered.push({ lineNo, quantity: units });
      }
    }
    if (tooLate > 0) late.push({ lineNo, quantity: tooLate });
  }
  const result: OrderEvent[] = [];
  if (settled.length > 0)
    result.push({
      type: 'order.lines_reassigned',
      ...{ released: again, allocations: [], commitments: [], answered: settled },
    });
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
