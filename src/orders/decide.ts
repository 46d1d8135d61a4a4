/**
 * Decides what a command does to an order: events, or a refusal. Pure: it reads the order, the offers it is given and ids
 * that are passed in; the runtime applies the events to order and ledger.
 */
import { amountMinor } from '../canonical/index.ts';
import { withCharges } from './billing.ts';
import { cancelOrder, change } from './changes.ts';
import { taxedParts } from './charges.ts';
import { isIncomplete } from './complete.ts';
import { consented } from './consent.ts';
import { events, nothing, refused, requestedUnits } from './decision.ts';
import { fulfilmentsOf, oversoldOf, resolveException } from './exceptions.ts';
import { openAllocations, requestFulfilments } from './fulfilments.ts';
import { withComplete } from './hand-over.ts';
import { heldBy, hold, isHeld, mayHandOver, releaseHold, withHoldEnded } from './holds.ts';
import { shippedAmount } from './line-parts.ts';
import { OrderedKits, wantsOf } from './ordered-kits.ts';
import { postDocument } from './post-document.ts';
import { reassign } from './reassign.ts';
import { inspectReturn, receiveReturn, requestReturn } from './returns.ts';
import { allocateSets, resolvedSets } from './set-lines.ts';
import { withSets } from './sets.ts';
import { shortPick } from './short-picks.ts';
import { answerCancel, cancel } from './take-back.ts';
import { Taker } from './taker.ts';
import { shippedTax, taxOfPart } from './tax-parts.ts';
import type {
  AcceptedLine,
  DecideContext,
  Decision,
  NewAllocation,
  NewCommitment,
  Order,
  OrderCommand,
  OrderEvent,
  SubmitCommand,
} from './types.ts';

export function decide(order: Order | undefined, command: OrderCommand, context: DecideContext): Decision {
  if (command.kind === 'submit') return submit(order, command, context);
  if (order === undefined) throw new Error(`${command.kind} without an order`);
  const decision = decideKnown(order, command, context);
  if (!decision.ok || decision.events.length === 0) return decision;
  const charged = withCharges(order, decision.events, context.charging);
  return withComplete(order, events(withHoldEnded(order, charged)));
}

function decideKnown(order: Order, command: Exclude<OrderCommand, SubmitCommand>, context: DecideContext): Decision {
  switch (command.kind) {
    case 'confirm':
      return order.erpNumber !== null
        ? nothing
        : events([
            { type: 'order.confirmed', erpNumber: command.erpNumber },
            ...(isHeld(order) || isIncomplete(order) ? [] : requestFulfilments(order)),
          ]);
    case 'release': {
      const fulfilment = order.fulfilments.get(command.fulfilmentId);
      if (fulfilment === undefined) return refused('unknown_fulfilment', `fulfilment ${command.fulfilmentId}`);
      return fulfilment.state === 'released'
        ? nothing
        : events([{ type: 'fulfilment.released', fulfilmentId: command.fulfilmentId }]);
    }
    case 'allocate_backorders':
      return allocateBackorders(order, command.lineNos, context);
    // What follows from what is read with the order: it changes nothing of the order itself.
    case 'repromise':
      return nothing;
    case 'reassign':
      return reassign(order, command, context);
    case 'pick':
      return pick(order, command);
    case 'short_pick':
      return shortPick(order, command, context);
    case 'ship':
      return ship(order, command);
    case 'post_document':
      return postDocument(order, command);
    case 'resolve_exception':
      return resolvedSets(order, command.exceptionId, resolveException(order, command, context), context);
    case 'end_degraded':
      return events([{ type: 'order.degraded_ended', mode: command.mode }]);
    case 'hold':
      return hold(order, command, context);
    case 'release_hold':
      return releaseHold(order, command, context);
    case 'cancel':
      return cancel(order, command, context);
    case 'change':
      return change(order, command, context, (lines, within) =>
        submit(
          undefined,
          within.adjustAdded?.(order, submissionOf(order, lines)) ?? submissionOf(order, lines),
          within,
        ),
      );
    case 'cancel_order':
      return cancelOrder(order, command, context);
    case 'confirm_change':
      return confirmChange(order, command.lineNos);
    case 'answer_cancel':
      return answerCancel(order, command, context);
    case 'request_return':
      return requestReturn(order, command, context);
    case 'receive_return':
      return receiveReturn(order, command);
    case 'inspect_return':
      return inspectReturn(order, command);
    default: {
      const never: never = command;
      throw new Error(`unknown command ${(never as OrderCommand).kind}`);
    }
  }
}

function submit(order: Order | undefined, command: SubmitCommand, context: DecideContext): Decision {
  if (order !== undefined) throw new Error(`order ${order.orderId} exists`);
  const taker = new Taker(context);
  taker.limit(wantsOf(command.lines, context));
  const fulfilmentAt = fulfilmentsOf(context);
  const allocations: NewAllocation[] = [];
  const commitments: NewCommitment[] = [];
  const kits = new OrderedKits(command, context, taker, fulfilmentAt);
  const exposureUsed = new Map<number, number>();
  const seen = new Set<number>();
  let totalMinor = 0;
  const lines: AcceptedLine[] = [];
  const standIns: AcceptedLine[] = [];
  const raised: OrderEvent[] = [];
  const pending: { at: number; units: number; isRefused: boolean; isShort?: true }[] = [];
  for (const line of command.lines) {
    if (seen.has(line.lineNo)) return refused('duplicate_line', `line ${line.lineNo} appears twice`);
    seen.add(line.lineNo);
    const parts = context.kit?.(line.skuId);
    if (parts !== undefined) {
      const kit = kits.take(line, parts);
      if ('ok' in kit) return kit;
      totalMinor += kit.amountMinor;
      lines.push(kit);
      continue;
    }
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
    const amount = amountMinor(line.unitPrice, line.quantity, command.currency, line.pricePer);
    totalMinor += amount;
    const decided = {
      lineNo: line.lineNo,
      skuId: line.skuId,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      ...(line.pricePer !== undefined && { pricePer: line.pricePer }),
      ...(line.priceCheck !== undefined && { priceCheck: line.priceCheck }),
      amountMinor: amount,
      within: line.within ?? within,
      withinShort: withinMissing,
      ...(line.asked !== undefined && { asked: line.asked }),
      backordered: refuse ? covered : missing,
      refused: refuse ? missing - covered : 0,
    };
    const oversold = context.oversold === undefined ? 0 : line.within === null ? missing - covered : withinMissing;
    if (oversold > 0) pending.push({ at: lines.length, units: oversold, isRefused: refuse });
    else if (context.consent !== undefined && missing > covered)
      pending.push({ at: lines.length, units: missing - covered, isRefused: refuse, isShort: true });
    lines.push(decided);
  }
  const { charged } = command;
  const taxed = charged === undefined ? undefined : taxedParts(charged, lines);
  if (taxed === null) return refused('unknown_line', 'a tax names a line that the order has not');
  for (const line of taxed === undefined ? [] : lines) {
    const tax = taxed!.lineTaxes.get(line.lineNo)!;
    if (tax !== 0) line.taxMinor = tax;
  }
  for (const { amountMinor: charge } of taxed?.charges ?? []) totalMinor += charge;
  // Once all lines have what they ordered: none of them is given another's substitute first.
  for (const [skuId, units] of kits.used) exposureUsed.set(skuId, units);
  standIns.push(...kits.lines(lines));
  allocations.push(...kits.allocations);
  commitments.push(...kits.commitments);
  raised.push(...kits.raised);
  let lastLineNo = pending.length === 0 ? 0 : Math.max(kits.lastLineNo, ...seen);
  for (const { at, units: wanted, isRefused, isShort } of pending) {
    const takeLineNo = () => ++lastLineNo;
    const short = isShort ? consented(lines[at]!.skuId, wanted, isRefused, context, taker) : undefined;
    const units = short?.units ?? wanted;
    if (units === 0) continue;
    const settled = oversoldOf(
      ...([
        lines[at]!,
        units,
        isRefused,
        command.currency,
        context,
        takeLineNo,
        taker,
        fulfilmentAt,
        short?.rule,
      ] as const),
    );
    // Nothing could be sent for it: it is short as it would be without.
    if (short?.rule.policy === 'substitute' && settled.standIns.length === 0) continue;
    lines[at] = settled.line;
    standIns.push(...settled.standIns);
    allocations.push(...settled.allocations);
    raised.push(settled.raised);
  }
  const { orderId, companyId, channelId, accountId, externalNo, currency, orderedAt } = command;
  const accepted: Extract<OrderEvent, { type: 'order.accepted' }> = {
    type: 'order.accepted',
    orderId,
    companyId,
    channelId,
    accountId,
    externalNo,
    currency,
    totalMinor,
    orderedAt,
    lines: standIns.length === 0 ? lines : [...lines, ...standIns],
    allocations,
    commitments,
    exposureUsed: [...exposureUsed].map(([skuId, quantity]) => ({ skuId, quantity })),
    ...(command.terms !== undefined && { terms: command.terms }),
    ...(taxed !== undefined && { charges: taxed.charges, taxes: charged!.taxes }),
  };
  const verdict = context.judge(accepted);
  if (!verdict.ok) return refused(verdict.refused, verdict.detail);
  Object.assign(accepted, verdict.marks);
  // What was refused as a whole goes nowhere, whatever there was to say of it.
  const isOpen = lines.some((line) => line.refused < line.quantity) || standIns.length > 0;
  const holds = isOpen ? heldBy([...verdict.holds, ...kits.holds], context) : [];
  if (holds.length > 0 || lines.some((line) => (line.held ?? 0) > 0)) accepted.untold = true;
  return events([accepted, ...raised, ...holds]);
}

/** Added lines are decided as an order of their own would be. */
function submissionOf(order: Order, lines: SubmitCommand['lines']): SubmitCommand {
  const { orderId, companyId, channelId, accountId, externalNo, currency, orderedAt } = order;
  return { kind: 'submit', orderId, companyId, channelId, accountId, externalNo, currency, orderedAt, lines };
}

/** The ERP has added lines: what is allocated to them is asked of the WMS. */
function confirmChange(order: Order, lineNos: readonly number[]): Decision {
  const confirmed = lineNos.filter((lineNo) => order.lines.get(lineNo)?.awaitsErp === true);
  if (confirmed.length === 0) return nothing;
  const open = [...openAllocations(order)].filter(({ lineNo }) => confirmed.includes(lineNo));
  const lines = confirmed.map((lineNo) => ({ lineNo }));
  const requests = mayHandOver(order) ? requestFulfilments(order, open) : [];
  return events([{ type: 'order.change_confirmed', lines }, ...requests]);
}

function allocateBackorders(order: Order, lineNos: readonly number[], context: DecideContext): Decision {
  const taker = new Taker(context);
  const fulfilmentAt = fulfilmentsOf(context, order);
  const allocations: NewAllocation[] = [];
  if (order.progress.holds > 0) return nothing;
  const named = withSets(order.lines, lineNos);
  const lines = [...order.lines.values()]
    .map((line) => ({ ...line, quantity: line.backordered - line.held }))
    .filter(({ quantity, lineNo }) => quantity > 0 && named.includes(lineNo));
  taker.limit(lines, order);
  for (const line of lines) {
    if (line.setNo !== null) continue;
    const waiting = line.quantity;
    taker.begin(line.lineNo, line.skuId);
    for (const { locationId, quantity } of taker.take(line.skuId, waiting, 'free'))
      allocations.push({
        allocationId: context.takeAllocationId(),
        lineNo: line.lineNo,
        skuId: line.skuId,
        locationId,
        fulfilmentId: fulfilmentAt(locationId, line.lineNo),
        quantity,
        fromExposure: 0,
      });
  }
  allocations.push(...allocateSets(order, named, context, taker, fulfilmentAt));
  if (allocations.length === 0) return nothing;
  const told = mayHandOver(order)
    ? allocations.filter(({ lineNo }) => order.lines.get(lineNo)?.awaitsErp !== true)
    : [];
  return events([{ type: 'order.lines_allocated', allocations }, ...requestFulfilments(order, told)]);
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
    const left = line.picked + requestedUnits(order, lineNo) - shipped;
    if (quantity > left) return refused('over_ship', `line ${lineNo}: ${quantity} shipped, ${left} left to ship`);
    lines.push({
      lineNo,
      quantity,
      ...taxOfPart(line, shippedTax(line, shipped + quantity) - shippedTax(line, shipped)),
      amountMinor: shippedAmount(order, line, shipped + quantity) - shippedAmount(order, line, shipped),
    });
    before.set(lineNo, (before.get(lineNo) ?? 0) + quantity);
  }
  const { fulfilmentId, source, shipment, tracking, carrier, parcels } = command;
  const { locationId } = fulfilment;
  const travels = { tracking, ...(carrier !== undefined && { carrier }), ...(parcels !== undefined && { parcels }) };
  return events([{ type: 'shipment.confirmed', source, shipment, fulfilmentId, locationId, ...travels, lines }]);
}
