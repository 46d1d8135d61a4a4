/**
 * What becomes of units that an order can't have as they were ordered: they wait for stock, are given up, another SKU stands for them,
 * or a person decides. Pure, as `decide`.
 *
 * An order is told to the ERP once and whole, so while a unit of it is held no other system acts on it; what is allocated stays so.
 */
import { amountMinor, isWholeMinor } from '../canonical/index.ts';
import { isIncomplete } from './complete.ts';
import type { ShortRule } from './consent.ts';
import { events, nothing, refused } from './decision.ts';
import { cancelledPart, rootOf } from './line-parts.ts';
import { Taker } from './taker.ts';
import type {
  AcceptedLine,
  AddedLine,
  DecideContext,
  Decision,
  ExceptionPolicy,
  NewAllocation,
  Order,
  OrderCommand,
  OrderEvent,
  OrderLine,
  StandIn,
} from './types.ts';

/** What is allocated together leaves together: one fulfilment a location, named now and requested once the ERP knows the order. */
export function fulfilmentsOf(context: DecideContext, order?: Order): FulfilmentAt {
  // What the ERP hasn't confirmed is asked for later, line by line as it confirms them, and a fulfilment is asked for once.
  const byLocation = new Map<string, number>();
  const keyOf = (locationId: number, lineNo?: number) =>
    lineNo !== undefined && order?.lines.get(lineNo)?.awaitsErp === true ? `${locationId} ${lineNo}` : `${locationId}`;
  // What leaves only whole leaves together, whenever each part of it was found.
  if (order !== undefined && isIncomplete(order))
    for (const { locationId, lineNo, fulfilmentId } of order.allocations.values())
      byLocation.set(keyOf(locationId, lineNo), fulfilmentId);
  return (locationId, lineNo) => {
    const key = keyOf(locationId, lineNo);
    const known = byLocation.get(key);
    if (known !== undefined) return known;
    const taken = context.takeFulfilmentId();
    byLocation.set(key, taken);
    return taken;
  };
}

type Resolved = Extract<OrderEvent, { type: 'order.exception_resolved' }>;
export type FulfilmentAt = (locationId: number, lineNo?: number) => number;

/**
 * Takes from what is free of the SKU's substitutes, best first, as much as there is. Not from the channel's own exposure: it may sell
 * that itself.
 */
export function substitutesFor(
  line: { lineNo: number; skuId: number; unitPrice: string; pricePer?: number | undefined; taxMinor?: number },
  units: number,
  currency: string,
  context: DecideContext,
  takeLineNo: () => number,
  taker: Taker,
  fulfilmentAt: FulfilmentAt,
): { standIns: StandIn[]; allocations: NewAllocation[]; units: number } {
  const standIns: StandIn[] = [];
  const allocations: NewAllocation[] = [];
  let missing = units;
  const { unitPrice, pricePer = 1 } = line;
  // Any part of such a line and the rest add up to the whole, so another line may carry a part of it.
  // Another SKU may be taxed otherwise, and who says how is not here.
  if (!isWholeMinor(unitPrice, currency, pricePer) || (line.taxMinor ?? 0) !== 0)
    return { standIns, allocations, units: 0 };
  for (const skuId of context.substitutes(line.skuId)) {
    if (missing === 0) break;
    taker.begin(line.lineNo, skuId);
    const taken = taker.take(skuId, missing, 'free');
    if (taken.length === 0) continue;
    const lineNo = takeLineNo();
    const quantity = taken.reduce((sum, part) => sum + part.quantity, 0);
    standIns.push({
      ...{ lineNo, standsFor: line.lineNo, skuId, quantity, unitPrice },
      ...(pricePer !== 1 && { pricePer }),
      amountMinor: amountMinor(unitPrice, quantity, currency, pricePer),
    });
    for (const { locationId, quantity } of taken)
      allocations.push({
        ...{ allocationId: context.takeAllocationId(), lineNo, skuId, locationId },
        ...{ fulfilmentId: fulfilmentAt(locationId), quantity, fromExposure: 0 },
      });
    missing -= quantity;
  }
  return { standIns, allocations, units: units - missing };
}

/**
 * Decides the units of a new line that its channel sold by itself beyond what is there; with a rule, those that it is short of.
 * @param line as it is without this: the units are backordered or refused already
 * @param isRefused which of the two
 */
export function oversoldOf(
  line: AcceptedLine,
  units: number,
  isRefused: boolean,
  currency: string,
  context: DecideContext,
  takeLineNo: () => number,
  taker: Taker,
  fulfilmentAt: FulfilmentAt,
  rule: ShortRule = { kind: 'oversold', ...context.oversold! },
): { line: AcceptedLine; standIns: AcceptedLine[]; allocations: NewAllocation[]; raised: OrderEvent } {
  const { kind, policy = isRefused ? 'cancel' : 'backorder', otherwise } = rule;
  const by: Record<ExceptionPolicy, number> = { resource: 0, backorder: 0, cancel: 0, substitute: 0, hold: 0 };
  let standIns: StandIn[] = [];
  let allocations: NewAllocation[] = [];
  if (policy === 'substitute') {
    ({
      standIns,
      allocations,
      units: by.substitute,
    } = substitutesFor(...([line, units, currency, context, takeLineNo, taker, fulfilmentAt] as const)));
    by[otherwise] = units - by.substitute;
  } else by[policy] = units;
  const waiting = by.backorder + by.hold;
  return {
    line: {
      ...line,
      backordered: line.backordered - (isRefused ? 0 : units) + waiting,
      refused: line.refused - (isRefused ? units : 0) + units - waiting,
      ...(by.hold > 0 && { held: by.hold }),
      ...(by.substitute > 0 && { substituted: by.substitute }),
    },
    standIns: standIns.map((part) => ({ ...part, within: 0, withinShort: 0, backordered: 0, refused: 0 })),
    allocations,
    raised: {
      type: 'order.exception_raised',
      exceptionId: context.takeExceptionId(),
      kind,
      lineNo: line.lineNo,
      skuId: line.skuId,
      units,
      policy,
      held: by.hold,
      backordered: by.backorder,
      cancelled: by.cancel,
      substituted: by.substitute,
    },
  };
}

/** A person settles what is held. The same answer twice is one; another one comes too late. */
export function resolveException(
  order: Order,
  command: Extract<OrderCommand, { kind: 'resolve_exception' }>,
  context: DecideContext,
): Decision {
  const { exceptionId, by, reason } = command;
  const exception = order.exceptions.get(exceptionId);
  if (exception === undefined) return refused('unknown_exception', `exception ${exceptionId}`);
  const partOf = { backorder: 'backordered', cancel: 'cancelled', substitute: 'substituted' } as const;
  if (exception.held === 0)
    return exception[partOf[command.as]] > 0
      ? nothing
      : refused('exception_resolved', `exception ${exceptionId} was resolved by ${exception.resolvedBy ?? 'its rule'}`);
  const line = order.lines.get(exception.lineNo)!;
  const units = exception.held;
  const parts = { backordered: 0, cancelled: 0, substituted: 0 };
  let lines: StandIn[] = [];
  let allocations: NewAllocation[] = [];
  if (command.as === 'substitute' && line.setNo !== null)
    return refused('no_substitute', `line ${line.lineNo} is part of a kit, and nothing stands for a part`);
  if (command.as === 'substitute') {
    // Beside an order that who ordered may still change.
    let lastLineNo = Math.max(order.progress.told ? 100_000 : 0, ...order.lines.keys());
    const takeLineNo = () => ++lastLineNo;
    const taker = new Taker(context);
    ({
      standIns: lines,
      allocations,
      units: parts.substituted,
    } = substitutesFor(line, units, order.currency, context, takeLineNo, taker, fulfilmentsOf(context)));
    const left = units - parts.substituted;
    if (left > 0 && command.otherwise === null)
      return refused('no_substitute', `line ${line.lineNo}: substitutes cover ${parts.substituted} of ${units}`);
    if (left > 0) parts[partOf[command.otherwise!]] = left;
  } else parts[partOf[command.as]] = units;
  if (order.progress.told && lines.length > 0 && !context.takesChanges)
    return refused('change_not_supported', 'the system that orders go to takes no added lines');
  const resolved: Resolved = {
    type: 'order.exception_resolved',
    exceptionId,
    lineNo: line.lineNo,
    skuId: line.skuId,
    ...parts,
    refused: parts.cancelled + parts.substituted,
    by,
    reason,
    lines,
    allocations,
  };
  if (!order.progress.told) return events([resolved]);
  // The ERP has the line: what it gives up is cancelled there, what is sent instead is added.
  const { cancelled, substituted } = parts;
  const list: OrderEvent[] = [{ ...resolved, refused: 0, lines: [], allocations: [], told: true }];
  if (lines.length > 0) list.push(addedInstead(line, lines, allocations, `exception ${exceptionId}`));
  if (cancelled + substituted > 0) list.push(givenUp(order, line, cancelled + substituted, `exception ${exceptionId}`));
  return events(list);
}

/** Waiting units of a line that the ERP has, given up. */
function givenUp(order: Order, line: OrderLine, quantity: number, reference: string): OrderEvent {
  const lines = [{ ...cancelledPart(order, line, quantity), fromBackorder: quantity }];
  return { type: 'order.lines_cancelled', reference, lines, released: [], answered: [] };
}

/** What stands in for units of a line that the ERP has: added to the order, under the line of who ordered it. */
export function addedInstead(
  line: OrderLine,
  standIns: readonly StandIn[],
  allocations: NewAllocation[],
  reference: string,
): OrderEvent {
  const lines = standIns.map(
    ({ standsFor: _, ...part }): AddedLine => ({
      ...part,
      ...{ addsTo: rootOf(line), within: 0, withinShort: 0, backordered: 0, refused: 0 },
    }),
  );
  return { type: 'order.lines_added', reference, lines, allocations, commitments: [], exposureUsed: [] };
}

/** What of a channel's own cancel settles units that were held: they wait for nobody any more. */
export function cancelledHeld(order: Order, line: OrderLine, units: number, reference: string): OrderEvent[] {
  let left = Math.min(line.held, units);
  const result: OrderEvent[] = [];
  for (const exception of order.exceptions.values()) {
    const cancelled = exception.lineNo === line.lineNo ? Math.min(exception.held, left) : 0;
    if (cancelled === 0) continue;
    left -= cancelled;
    result.push({
      type: 'order.exception_resolved',
      exceptionId: exception.exceptionId,
      lineNo: line.lineNo,
      skuId: line.skuId,
      ...{ backordered: 0, cancelled, substituted: 0, refused: 0 },
      ...{ by: 'channel', reason: reference, lines: [], allocations: [] },
    });
  }
  return result;
}
