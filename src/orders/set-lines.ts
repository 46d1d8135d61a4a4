/** Stock for lines that only together make a unit of what was ordered, and back. Pure, as `decide`. */
import { isRequested } from './decision.ts';
import { evolve } from './evolve.ts';
import type { FulfilmentAt } from './exceptions.ts';
import { leftOf } from './line-parts.ts';
import { begunUnits, hasOf, type LineSet, setOf, setsOf, wholeUnits } from './sets.ts';
import { askToStop, cancelLine, partsOfUnits } from './take-back.ts';
import type { Taker } from './taker.ts';
import type { DecideContext, Decision, NewAllocation, Order, OrderEvent } from './types.ts';

/** Gives waiting lines what makes whole units of them. */
export function allocateSets(
  order: Order,
  lineNos: readonly number[],
  context: DecideContext,
  taker: Taker,
  fulfilmentAt: FulfilmentAt,
): NewAllocation[] {
  const named = lineNos.flatMap((lineNo) => order.lines.get(lineNo) ?? []).filter(({ setNo }) => setNo !== null);
  return setsOf(named).flatMap((set) => {
    const parts = set.map((line) => ({ ...line, has: hasOf(line), waits: line.backordered - line.held }));
    const { taken } = taker.takeSets(set[0]!.setNo!, parts, Number.MAX_SAFE_INTEGER);
    return taken.map(({ part, locationId, quantity }): NewAllocation => {
      const { lineNo, skuId } = set[part]!;
      return {
        ...{ allocationId: context.takeAllocationId(), lineNo, skuId, locationId },
        ...{ fulfilmentId: fulfilmentAt(locationId, lineNo), quantity, fromExposure: 0 },
      };
    });
  });
}

/**
 * What a short pick of some lines of a set means for the others: what is given up is given up of all of them, and what can't be made up now goes back
 * on the shelf until it can: the WMS is asked to stop it.
 * @param list what was decided for the lines that are short
 */
export function settleSets(
  order: Order,
  list: readonly OrderEvent[],
  lineNos: Iterable<number>,
  reference: string,
  context: DecideContext,
): OrderEvent[] {
  const short = [...lineNos].flatMap((lineNo) => order.lines.get(lineNo) ?? []).filter(({ setNo }) => setNo !== null);
  if (short.length === 0) return [];
  const next = structuredClone(order);
  for (const event of list) evolve(next, structuredClone(event));
  const result: OrderEvent[] = [];
  for (const [{ lineNo }] of setsOf(short) as [LineSet[number], ...LineSet][]) {
    const before = setOf(order, order.lines.get(lineNo)!);
    const after = setOf(next, next.lines.get(lineNo)!);
    const gone = Math.max(...before.map((line, i) => Math.ceil((leftOf(line) - leftOf(after[i]!)) / line.perUnit)));
    if (gone > 0) {
      const units = begunUnits(after, leftOf) - (begunUnits(before, leftOf) - gone);
      for (const [line, of] of partsOfUnits(after, units))
        if (of > 0) result.push(...cancelLine(next, line, of, reference, context));
    } else if (after.every((line) => line.held === 0)) result.push(...giveBack(next, after, reference));
  }
  return result;
}

/** The same when a person has settled what a short pick held of such a line. */
export function resolvedSets(order: Order, exceptionId: number, decision: Decision, context: DecideContext): Decision {
  const lineNo = order.exceptions.get(exceptionId)?.lineNo;
  if (!decision.ok || decision.events.length === 0 || lineNo === undefined) return decision;
  const settled = settleSets(order, decision.events, [lineNo], `exception ${exceptionId}`, context);
  return settled.length === 0 ? decision : { ok: true, events: [...decision.events, ...settled] };
}

/** What a set has beyond whole units. */
function giveBack(order: Order, set: LineSet, reference: string): OrderEvent[] {
  const units = wholeUnits(set, hasOf);
  const released: Extract<OrderEvent, { type: 'order.lines_reassigned' }>['released'] = [];
  const list: OrderEvent[] = [];
  for (const line of set) {
    let over = Math.min(line.allocated - line.cancelAsked, hasOf(line) - units * line.perUnit);
    if (over <= 0) continue;
    for (const allocation of order.allocations.values()) {
      const { allocationId, lineNo, skuId, locationId, openQuantity } = allocation;
      const quantity = lineNo === line.lineNo && !isRequested(order, allocation) ? Math.min(openQuantity, over) : 0;
      if (quantity === 0) continue;
      released.push({ allocationId, lineNo, skuId, locationId, quantity });
      over -= quantity;
    }
    list.push(...askToStop(order, line, over, reference).events);
  }
  if (released.length > 0) list.push({ type: 'order.lines_reassigned', released, allocations: [], commitments: [] });
  return list;
}
