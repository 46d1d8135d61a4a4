/**
 * Units that a WMS was told to pick and did not find. They leave their allocation, and their channel's rule says what becomes of them: another
 * place has them, they wait, are given up, another SKU is sent, or a person decides. Pure, as `decide`.
 *
 * The books of the place still have them. Until it is counted or corrected there they are promised to nobody (see the ledger's `outside.ts`).
 */
import { events, refused, requestedUnits } from './decision.ts';
import { addedInstead, type FulfilmentAt, fulfilmentsOf, substitutesFor } from './exceptions.ts';
import { requestFulfilments } from './fulfilments.ts';
import { isHeld, mayHandOver } from './holds.ts';
import { cancelledPart } from './line-parts.ts';
import { settleSets } from './set-lines.ts';
import { hasOf } from './sets.ts';
import { Taker } from './taker.ts';
import type {
  DecideContext,
  Decision,
  ExceptionPolicy,
  NewAllocation,
  Order,
  OrderEvent,
  OrderLine,
  ShortPickCommand,
  ShortPicked,
} from './types.ts';

type Units = Record<ExceptionPolicy, number>;

export function shortPick(order: Order, command: ShortPickCommand, context: DecideContext): Decision {
  const { fulfilmentId, source, sourceId, reason } = command;
  const fulfilment = order.fulfilments.get(fulfilmentId);
  if (fulfilment === undefined) return refused('unknown_fulfilment', `fulfilment ${fulfilmentId}`);
  const lines: ShortPicked['lines'] = [];
  const missing = new Map<number, number>();
  for (const { lineNo, quantity } of command.lines) {
    let left = quantity;
    for (const { allocationId, lineNo: of, skuId, fulfilmentId: to, openQuantity } of order.allocations.values()) {
      if (of !== lineNo || to !== fulfilmentId) continue;
      const open = openQuantity - sumOf(lines.filter((part) => part.allocationId === allocationId));
      const units = Math.min(left, open);
      if (units === 0) continue;
      lines.push({ lineNo, allocationId, skuId, quantity: units });
      left -= units;
    }
    if (left > 0)
      return refused(
        'over_short',
        `line ${lineNo}: ${quantity} not found, ${left} more than fulfilment ${fulfilmentId} has still to pick`,
      );
    missing.set(lineNo, (missing.get(lineNo) ?? 0) + quantity);
    // What has left was there, also where its pick is not heard of yet.
    const line = order.lines.get(lineNo)!;
    const there = line.picked + requestedUnits(order, lineNo) - line.shipped;
    if (missing.get(lineNo)! > there)
      return refused('over_short', `line ${lineNo}: ${quantity} not found, and all but ${there} have left`);
  }
  const { locationId } = fulfilment;
  const list: OrderEvent[] = [
    { type: 'fulfilment.short_picked', fulfilmentId, locationId, source, sourceId, reason, lines },
  ];
  const settling = new Settling(order, elsewhere(context, locationId), `short pick ${sourceId}`);
  for (const [lineNo, units] of missing) settling.settle(order.lines.get(lineNo)!, units);
  list.push(...settling.events());
  return events([...list, ...settleSets(order, list, missing.keys(), `short pick ${sourceId}`, context)]);
}

/** What becomes of the units, line by line; what is allocated together leaves together. */
class Settling {
  readonly #order: Order;
  readonly #context: DecideContext;
  readonly #reference: string;
  readonly #taker: Taker;
  readonly #fulfilmentAt: FulfilmentAt;
  readonly #list: OrderEvent[] = [];
  readonly #allocations: NewAllocation[] = [];
  #lastLineNo: number;
  #isHeld: boolean;

  constructor(order: Order, context: DecideContext, reference: string) {
    this.#order = order;
    this.#context = context;
    this.#reference = reference;
    this.#taker = new Taker(context);
    this.#fulfilmentAt = fulfilmentsOf(context);
    this.#lastLineNo = Math.max(100_000, ...order.lines.keys());
    this.#isHeld = isHeld(order);
  }

  settle(line: OrderLine, units: number): void {
    // Whoever asked the WMS to stop units wants that many fewer: those that it has no more are given up, and nobody need answer for them.
    const unwanted = Math.min(units, Math.max(0, line.cancelAsked - (line.allocated - units)));
    const wanted = units - unwanted;
    let given = 0;
    if (unwanted > 0) {
      this.#giveUp(line, unwanted, given, unwanted);
      given = unwanted;
    }
    if (wanted === 0) return;
    const by: Units = { resource: 0, backorder: 0, cancel: 0, substitute: 0, hold: 0 };
    const { policy, otherwise } = this.#context.onShortPick;
    const instead: OrderEvent[] = [];
    // An order that is held gets no more stock.
    if (policy === 'resource') by.resource = this.#isHeld ? 0 : this.#resource(line, wanted);
    // A kit is sent as it is made up: nothing stands for a part of it.
    else if (policy === 'substitute')
      by.substitute = this.#isHeld || line.setNo !== null ? 0 : this.#substitute(line, wanted, instead);
    const rest = wanted - by.resource - by.substitute;
    const rule = policy === 'resource' || policy === 'substitute' ? otherwise : policy;
    by[rule] += rest;
    if (by.hold > 0) this.#isHeld = true;
    this.#list.push({
      ...{ type: 'order.exception_raised', exceptionId: this.#context.takeExceptionId(), kind: 'short_picked', policy },
      ...{ lineNo: line.lineNo, skuId: line.skuId, units: wanted, held: by.hold, backordered: by.backorder },
      ...{ cancelled: by.cancel, substituted: by.substitute, resourced: by.resource },
    });
    // What is sent instead comes first: without any unit left the order would have ended.
    this.#list.push(...instead);
    if (by.cancel + by.substitute > 0) this.#giveUp(line, by.cancel + by.substitute, given, 0);
  }

  events(): OrderEvent[] {
    const allocations = this.#allocations;
    const allocated: OrderEvent[] = allocations.length === 0 ? [] : [{ type: 'order.lines_allocated', allocations }];
    const asks = mayHandOver(this.#order) && !this.#isHeld ? requestFulfilments(this.#order, allocations) : [];
    return [...this.#list, ...allocated, ...asks];
  }

  #resource(line: OrderLine, units: number): number {
    this.#taker.begin(line.lineNo, line.skuId);
    let taken = 0;
    const { perUnit } = line;
    const there = Math.min(units, this.#taker.freeOf(line.skuId));
    // Of a kit's part no more than whole kits need; the order is as it was before the short pick.
    const left = hasOf(line) - units;
    const wanted = perUnit === 1 ? units : Math.max(0, Math.floor((left + there) / perUnit) * perUnit - left);
    for (const { locationId, quantity } of this.#taker.take(line.skuId, wanted, 'free')) {
      taken += quantity;
      this.#allocations.push({
        ...{ allocationId: this.#context.takeAllocationId(), lineNo: line.lineNo, skuId: line.skuId, locationId },
        ...{ fulfilmentId: this.#fulfilmentAt(locationId), quantity, fromExposure: 0 },
      });
    }
    return taken;
  }

  /** The ERP has the line: what is sent in its place is added to the order, under the line of who ordered it. */
  #substitute(line: OrderLine, units: number, instead: OrderEvent[]): number {
    if (!this.#context.takesChanges) return 0;
    const {
      standIns,
      allocations,
      units: covered,
    } = substitutesFor(
      ...([line, units, this.#order.currency, this.#context, () => ++this.#lastLineNo] as const),
      ...([this.#taker, this.#fulfilmentAt] as const),
    );
    if (covered > 0) instead.push(addedInstead(line, standIns, allocations, this.#reference));
    return covered;
  }

  #giveUp(line: OrderLine, quantity: number, before: number, answered: number): void {
    const { lineNo } = line;
    this.#list.push({
      ...{ type: 'order.lines_cancelled', reference: this.#reference, released: [] },
      lines: [{ ...cancelledPart(this.#order, line, quantity, before), fromBackorder: quantity }],
      answered: answered === 0 ? [] : [{ lineNo, quantity: answered }],
    });
  }
}

/** Where the units were not found is no place to look for them. */
function elsewhere(context: DecideContext, locationId: number): DecideContext {
  return {
    ...context,
    offers(skuId) {
      const offered = context.offers(skuId);
      return { ...offered, places: offered.places.filter((place) => place.locationId !== locationId) };
    },
  };
}

function sumOf(parts: readonly { quantity: number }[]): number {
  return parts.reduce((sum, { quantity }) => sum + quantity, 0);
}
