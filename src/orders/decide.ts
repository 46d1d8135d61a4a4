/**
 * Decides what a command does to an order: events, or a refusal. Pure: it reads the order, the offers it is given and ids
 * that are passed in; the runtime applies the events to order and ledger.
 */
import { amountMinor } from '../canonical/index.ts';
import { acceptedOf } from './accepted.ts';
import { events, handedOver, isHandedOver, nothing, refused } from './decision.ts';
import { answerCancel, cancel, receiveReturn } from './take-back.ts';
import type {
  DecideContext,
  Decision,
  NewAllocation,
  NewCommitment,
  Offer,
  Offered,
  Order,
  OrderCommand,
  OrderEvent,
  OrderLine,
  SubmitCommand,
} from './types.ts';

export function decide(order: Order | undefined, command: OrderCommand, context: DecideContext): Decision {
  if (command.kind === 'submit') return submit(order, command, context);
  if (order === undefined) throw new Error(`${command.kind} without an order`);
  switch (command.kind) {
    case 'confirm':
      return order.erpNumber !== null
        ? nothing
        : events([{ type: 'order.confirmed', erpNumber: command.erpNumber }, ...requestFulfilments(order)]);
    case 'release': {
      const fulfilment = order.fulfilments.get(command.fulfilmentId);
      if (fulfilment === undefined) return refused('unknown_fulfilment', `fulfilment ${command.fulfilmentId}`);
      return fulfilment.state === 'released'
        ? nothing
        : events([{ type: 'fulfilment.released', fulfilmentId: command.fulfilmentId }]);
    }
    case 'allocate_backorders':
      return allocateBackorders(order, command.lineNos, context);
    case 'pick':
      return pick(order, command);
    case 'ship':
      return ship(order, command);
    case 'post_document': {
      for (const { lineNo } of command.lines)
        if (!order.lines.has(lineNo)) return refused('unknown_line', `line ${lineNo}`);
      if (command.currency !== order.currency)
        return refused(
          'other_currency',
          `${command.document} ${command.number} is in ${command.currency}, the order in ${order.currency}`,
        );
      const { document, source, number, totalMinor, currency, lines } = command;
      return events([{ type: 'document.posted', document, source, number, totalMinor, currency, lines }]);
    }
    case 'cancel':
      return cancel(order, command, context);
    case 'answer_cancel':
      return answerCancel(order, command, context);
    case 'receive_return':
      return receiveReturn(order, command);
    default: {
      const never: never = command;
      throw new Error(`unknown command ${(never as OrderCommand).kind}`);
    }
  }
}

/**
 * What this decision has taken already, on top of the offers: two lines of one order may share one SKU.
 * Takes from one location if it can cover all, in the channel's order; else from the fullest ones.
 */
class Taker {
  readonly #context: DecideContext;
  readonly #left = new Map<number, Offered & { places: Offer[] }>();
  /** What other systems have allocated to the line at hand, by location: lines are served one after the other. */
  #kept = new Map<number, number>();
  readonly #toCome = new Map<number, { supplyId: number; locationId: number; quantity: number; dueAt: string }[]>();

  constructor(context: DecideContext) {
    this.#context = context;
  }

  #offered(skuId: number): Offered & { places: Offer[] } {
    let left = this.#left.get(skuId);
    if (left === undefined) {
      const offered = this.#context.offers(skuId);
      left = { ...offered, places: offered.places.map((offer) => ({ ...offer })) };
      this.#left.set(skuId, left);
    }
    return left;
  }

  begin(lineNo: number, skuId: number): void {
    this.#kept = new Map();
    for (const { locationId } of this.#offered(skuId).places) {
      const kept = this.#context.kept(skuId, locationId, lineNo);
      if (kept > 0) this.#kept.set(locationId, kept);
    }
  }

  /** What another system has allocated to the line comes first, and from where that system has it: those units are deducted already. */
  take(skuId: number, asked: number, from: 'own' | 'free'): { locationId: number; quantity: number }[] {
    const left = this.#offered(skuId);
    const taken = new Map<number, number>();
    const take = (offer: Offer, quantity: number) =>
      taken.set(offer.locationId, (taken.get(offer.locationId) ?? 0) + quantity);
    let missing = asked;
    for (const offer of left.places) {
      const kept = this.#kept.get(offer.locationId) ?? 0;
      if (kept === 0 || missing === 0) continue;
      const there =
        from === 'own' ? Math.min(offer.own, offer.physical + kept) : Math.min(offer.free, offer.physical) + kept;
      const quantity = Math.min(missing, kept, Math.max(0, there));
      if (quantity === 0) continue;
      this.#kept.set(offer.locationId, kept - quantity);
      // Out of the channel's number, and its place on the shelf is another's now.
      if (from === 'own') {
        offer.own -= quantity;
        offer.free += quantity;
      }
      missing -= quantity;
      take(offer, quantity);
    }
    if (missing > 0) this.#takeOffered(left, missing, from, take);
    return [...taken].map(([locationId, quantity]) => ({ locationId, quantity }));
  }

  #takeOffered(
    left: Offered & { places: Offer[] },
    asked: number,
    from: 'own' | 'free',
    take: (offer: Offer, quantity: number) => void,
  ): void {
    const offers = left.places;
    const wanted = from === 'own' ? asked : Math.min(asked, left.allocatable);
    const there = (offer: Offer) =>
      from === 'own' ? Math.min(offer.own, offer.physical) : Math.min(offer.free, offer.physical);
    const whole = offers.find((offer) => there(offer) >= wanted);
    const ranked = whole !== undefined ? [whole] : [...offers].sort((a, b) => there(b) - there(a));
    let missing = wanted;
    for (const offer of ranked) {
      if (missing === 0) break;
      const quantity = Math.min(missing, Math.max(0, there(offer)));
      if (quantity === 0) continue;
      if (from === 'own') offer.own -= quantity;
      else {
        offer.free -= quantity;
        left.allocatable -= quantity;
        left.promisable -= quantity;
      }
      offer.physical -= quantity;
      missing -= quantity;
      take(offer, quantity);
    }
  }

  /** Takes from dated supply what no shelf has, soonest first. */
  commit(lineNo: number, skuId: number, wanted: number): NewCommitment[] {
    if (wanted === 0) return [];
    let toCome = this.#toCome.get(skuId);
    if (toCome === undefined) {
      toCome = this.#context.supplies(skuId).map((supply) => ({ ...supply }));
      this.#toCome.set(skuId, toCome);
    }
    const taken: NewCommitment[] = [];
    const left = this.#offered(skuId);
    let missing = Math.min(wanted, left.promisable);
    for (const supply of toCome) {
      const quantity = Math.min(missing, supply.quantity);
      if (quantity === 0) continue;
      supply.quantity -= quantity;
      left.promisable -= quantity;
      missing -= quantity;
      taken.push({ ...supply, lineNo, skuId, quantity });
    }
    return taken;
  }
}

/** What is allocated together leaves together: one fulfilment a location, named now and requested once the ERP knows the order. */
function fulfilmentsOf(context: DecideContext): (locationId: number) => number {
  const byLocation = new Map<number, number>();
  return (locationId) => {
    const known = byLocation.get(locationId);
    if (known !== undefined) return known;
    const taken = context.takeFulfilmentId();
    byLocation.set(locationId, taken);
    return taken;
  };
}

function submit(order: Order | undefined, command: SubmitCommand, context: DecideContext): Decision {
  if (order !== undefined) throw new Error(`order ${order.orderId} exists`);
  const taker = new Taker(context);
  const fulfilmentAt = fulfilmentsOf(context);
  const allocations: NewAllocation[] = [];
  const commitments: NewCommitment[] = [];
  const exposureUsed = new Map<number, number>();
  const seen = new Set<number>();
  let totalMinor = 0;
  const lines = [];
  for (const line of command.lines) {
    if (seen.has(line.lineNo)) return refused('duplicate_line', `line ${line.lineNo} appears twice`);
    seen.add(line.lineNo);
    taker.begin(line.lineNo, line.skuId);
    let missing = line.quantity;
    let within = Math.min(line.within ?? 0, line.quantity);
    let withinMissing = within;
    // What the channel sold within its number lies in its exposure; after a loss, anything free may stand in for it.
    for (const from of ['own', 'free'] as const) {
      const wanted = from === 'free' || line.within === null ? missing : withinMissing;
      if (wanted === 0) continue;
      for (const { locationId, quantity } of taker.take(line.skuId, wanted, from)) {
        allocations.push({
          allocationId: context.takeAllocationId(),
          lineNo: line.lineNo,
          skuId: line.skuId,
          locationId,
          fulfilmentId: fulfilmentAt(locationId),
          quantity,
          fromExposure: from === 'own' ? quantity : 0,
        });
        missing -= quantity;
        withinMissing = Math.max(0, withinMissing - quantity);
        if (from === 'own' && line.within === null) within += quantity;
      }
    }
    if (within > 0) exposureUsed.set(line.skuId, (exposureUsed.get(line.skuId) ?? 0) + within);
    const promised = taker.commit(line.lineNo, line.skuId, missing);
    commitments.push(...promised);
    // What dated supply covers is not short: it waits for it, also where nothing else may wait.
    const covered = promised.reduce((sum, part) => sum + part.quantity, 0);
    // What a channel sold beyond its number is the channel's own: where nothing may wait, it is told to take it back.
    const refuse = context.onShort === 'refuse' && (line.within ?? 0) === 0;
    const amount = amountMinor(line.unitPrice, line.quantity);
    totalMinor += amount;
    lines.push({
      lineNo: line.lineNo,
      skuId: line.skuId,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      amountMinor: amount,
      within: line.within ?? within,
      withinShort: withinMissing,
      backordered: refuse ? covered : missing,
      refused: refuse ? missing - covered : 0,
    });
  }
  const { orderId, companyId, channelId, accountId, externalNo, currency, orderedAt } = command;
  return events([
    {
      type: 'order.accepted',
      orderId,
      companyId,
      channelId,
      accountId,
      externalNo,
      currency,
      totalMinor,
      orderedAt,
      lines,
      allocations,
      commitments,
      exposureUsed: [...exposureUsed].map(([skuId, quantity]) => ({ skuId, quantity })),
    },
  ]);
}

/** Asks for what is allocated, by fulfilment. The ERP knows the order: before, nothing of it is asked; from then on, all at once. */
function requestFulfilments(
  order: Order,
  allocations: Iterable<Omit<NewAllocation, 'fromExposure'>> = openAllocations(order),
): OrderEvent[] {
  const requests = new Map<
    number,
    { locationId: number; lines: Map<number, { lineNo: number; skuId: number; quantity: number }> }
  >();
  for (const { fulfilmentId, locationId, lineNo, skuId, quantity } of allocations) {
    let request = requests.get(fulfilmentId);
    if (request === undefined) {
      request = { locationId, lines: new Map() };
      requests.set(fulfilmentId, request);
    }
    const line = request.lines.get(lineNo);
    if (line === undefined) request.lines.set(lineNo, { lineNo, skuId, quantity });
    else line.quantity += quantity;
  }
  return [...requests].map(([fulfilmentId, { locationId, lines }]) => ({
    type: 'fulfilment.requested',
    fulfilmentId,
    locationId,
    lines: [...lines.values()],
  }));
}

function* openAllocations(order: Order): Generator<Omit<NewAllocation, 'fromExposure'>> {
  for (const allocation of order.allocations.values())
    if (allocation.openQuantity > 0) yield { ...allocation, quantity: allocation.openQuantity };
}

function allocateBackorders(order: Order, lineNos: readonly number[], context: DecideContext): Decision {
  const taker = new Taker(context);
  const fulfilmentAt = fulfilmentsOf(context);
  const allocations: NewAllocation[] = [];
  for (const line of order.lines.values()) {
    if (line.backordered === 0 || !lineNos.includes(line.lineNo)) continue;
    taker.begin(line.lineNo, line.skuId);
    for (const { locationId, quantity } of taker.take(line.skuId, line.backordered, 'free'))
      allocations.push({
        allocationId: context.takeAllocationId(),
        lineNo: line.lineNo,
        skuId: line.skuId,
        locationId,
        fulfilmentId: fulfilmentAt(locationId),
        quantity,
        fromExposure: 0,
      });
  }
  if (allocations.length === 0) return nothing;
  const requests = isHandedOver(order) ? requestFulfilments(order, allocations) : [];
  return events([{ type: 'order.lines_allocated', allocations }, ...requests]);
}

function pick(order: Order, command: Extract<OrderCommand, { kind: 'pick' }>): Decision {
  const fulfilment = order.fulfilments.get(command.fulfilmentId);
  if (fulfilment === undefined) return refused('unknown_fulfilment', `fulfilment ${command.fulfilmentId}`);
  const lines: Extract<OrderEvent, { type: 'stock.picked' }>['lines'] = [];
  const used = new Map<number, number>();
  for (const { lineNo, quantity } of command.lines) {
    let missing = quantity;
    for (const allocation of order.allocations.values()) {
      if (missing === 0) break;
      if (allocation.lineNo !== lineNo || allocation.fulfilmentId !== command.fulfilmentId) continue;
      const open = allocation.openQuantity - (used.get(allocation.allocationId) ?? 0);
      const take = Math.min(open, missing);
      if (take === 0) continue;
      used.set(allocation.allocationId, (used.get(allocation.allocationId) ?? 0) + take);
      lines.push({ lineNo, allocationId: allocation.allocationId, skuId: allocation.skuId, quantity: take });
      missing -= take;
    }
    if (missing > 0)
      return refused(
        'over_pick',
        `line ${lineNo}: picked ${quantity}, ${missing} more than fulfilment ${command.fulfilmentId} holds`,
      );
  }
  const { fulfilmentId, source, sourceId, sequence } = command;
  return events([
    { type: 'stock.picked', fulfilmentId, locationId: fulfilment.locationId, source, sourceId, sequence, lines },
  ]);
}

function ship(order: Order, command: Extract<OrderCommand, { kind: 'ship' }>): Decision {
  const fulfilment = order.fulfilments.get(command.fulfilmentId);
  if (fulfilment === undefined) return refused('unknown_fulfilment', `fulfilment ${command.fulfilmentId}`);
  const lines = [];
  const before = new Map<number, number>();
  for (const { lineNo, quantity } of command.lines) {
    const line = order.lines.get(lineNo);
    if (line === undefined) return refused('unknown_line', `line ${lineNo}`);
    const shipped = line.shipped + (before.get(lineNo) ?? 0);
    const left = line.picked + handedOver(order, lineNo) - shipped;
    if (quantity > left) return refused('over_ship', `line ${lineNo}: ${quantity} shipped, ${left} left to ship`);
    lines.push({
      lineNo,
      quantity,
      amountMinor: shippedAmount(line, shipped + quantity) - shippedAmount(line, shipped),
    });
    before.set(lineNo, (before.get(lineNo) ?? 0) + quantity);
  }
  const { fulfilmentId, source, shipment, tracking, carrier, parcels } = command;
  const { locationId } = fulfilment;
  const travels = { tracking, ...(carrier !== undefined && { carrier }), ...(parcels !== undefined && { parcels }) };
  return events([{ type: 'shipment.confirmed', source, shipment, fulfilmentId, locationId, ...travels, lines }]);
}

/**
 * The amount of all units shipped so far, counted from the end of what was accepted: the whole less the amount of the rest. What
 * is undone is counted from the beginning, so the two add up to the minor unit, whichever of them comes last.
 */
function shippedAmount(line: OrderLine, shipped: number): number {
  const accepted = acceptedOf(line);
  return accepted.amountMinor - amountMinor(line.unitPrice, accepted.quantity - shipped);
}
