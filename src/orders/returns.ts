/** Returns: asked for, received, inspected. Pure, as `decide`. */
import { events, refused } from './decision.ts';
import { inspectLine } from './evolve-returns.ts';
import { leftOf, partsOf, returnedAmount } from './line-parts.ts';
import type { ReturnAuthorisation, ReturnCommand, ReturnEvent, ReturnLine, ReturnName } from './return-types.ts';
import { begunUnits, type LineSet, setsOf, sumBegun, wholeUnits } from './sets.ts';
import { authoriseReturn, cancelLine, partsOfUnits } from './take-back.ts';
import { returnedTax } from './tax-parts.ts';
import type { DecideContext, Decision, Order, OrderEvent, OrderLine } from './types.ts';

type Command<Kind extends ReturnCommand['kind']> = Extract<ReturnCommand, { kind: Kind }>;
type Event<Type extends ReturnEvent['type']> = Extract<ReturnEvent, { type: Type }>;

/**
 * Who has the goods wants to give them back: what left comes first, what stands for a line before the line. Nobody waits for goods that
 * never left, so what is asked beyond them is cancelled instead.
 */
export function requestReturn(order: Order, command: Command<'request_return'>, context: DecideContext): Decision {
  const { reference, reason } = command;
  const wanted = new Map<number, number>();
  for (const { lineNo, quantity } of command.lines) wanted.set(lineNo, (wanted.get(lineNo) ?? 0) + quantity);
  const back: { lineNo: number; quantity: number }[] = [];
  const instead: OrderEvent[] = [];
  for (const [lineNo, quantity] of wanted) {
    const line = order.lines.get(lineNo);
    if (line === undefined) return refused('unknown_line', `line ${lineNo}`);
    if (line.setNo !== null) {
      // One part of a kit: of what has left, and no kit is given up by it.
      if (quantity > awayOf(line))
        return refused(
          'over_return',
          `line ${lineNo}: ${quantity} asked back, ${awayOf(line)} of this part of a kit left and are not back`,
        );
      back.push({ lineNo, quantity });
      continue;
    }
    const sets = setsOf(partsOf(order, lineNo));
    const left = sumBegun(sets, leftOf);
    if (quantity > left)
      return refused('over_return', `line ${lineNo}: ${quantity} asked back, ${left} left that could come back`);
    let missing = quantity;
    const unitsOf = new Map(sets.map((set) => [set, 0]));
    for (const there of [(set: LineSet) => wholeUnits(set, awayOf), (set: LineSet) => begunUnits(set, leftOf)])
      for (const set of sets) {
        const units = Math.min(missing, Math.max(0, there(set) - unitsOf.get(set)!));
        unitsOf.set(set, unitsOf.get(set)! + units);
        missing -= units;
      }
    for (const [set, units] of unitsOf)
      for (const [part, of] of units === 0 ? [] : partsOfUnits(set, units)) {
        const away = Math.min(of, awayOf(part));
        if (away > 0) back.push({ lineNo: part.lineNo, quantity: away });
        if (of > away) instead.push(...cancelLine(order, part, of - away, reference, context));
      }
  }
  const authorised = authoriseReturn(order, reference, back, [], context, reason);
  return events([...authorised, ...instead]);
}

/** Units that left the shelf and are neither back nor expected. */
function awayOf(line: OrderLine): number {
  return Math.max(0, Math.min(leftOf(line), line.picked - line.returned - line.returnExpected));
}

/** By our number or by what it was asked for with: of the latter there may be several, one for each place that goods go back to. */
export function returnsNamed(order: Order, { returnId, reference }: ReturnName): ReturnAuthorisation[] {
  if (returnId !== null) {
    const found = order.returns.get(returnId);
    return found === undefined ? [] : [found];
  }
  // One that the WMS was asked to stop first, and was too late for, names the fulfilment behind it.
  return [...order.returns.values()].filter(
    (one) => one.reference === reference || one.reference.startsWith(`${reference}/F`),
  );
}

function unknown(order: Order, { returnId, reference }: ReturnName): Decision {
  return returnId === null
    ? refused(
        'unknown_return',
        `no return ${reference} of order ${order.orderId}`,
        `authorised ${order.orderId} ${reference}`,
      )
    : refused('unknown_return', `return ${returnId}`);
}

export function receiveReturn(order: Order, command: Command<'receive_return'>): Decision {
  const named = returnsNamed(order, command);
  if (named.length === 0) return unknown(order, command);
  const lines = new Map<ReturnAuthorisation, Event<'return.received'>['lines']>();
  const before = new Map<number, number>();
  const ask = asking(order, 'minor');
  const askTax = asking(order, 'tax');
  for (const { lineNo, quantity } of command.lines) {
    const line = order.lines.get(lineNo);
    if (line === undefined) return refused('unknown_line', `line ${lineNo}`);
    // Goods may come back in parts; never more of them than is expected.
    const left = line.returnExpected - (before.get(lineNo) ?? 0);
    if (quantity > left) return refused('over_return', `line ${lineNo}: ${quantity} came back, ${left} expected`);
    const into =
      named.find((one) => openOf(one, lineNo) > 0) ?? named.find((one) => one.lines.has(lineNo)) ?? named[0]!;
    const amountMinor = returnedAmount(order, line, quantity, before.get(lineNo) ?? 0);
    const taxMinor = returnedTax(line, quantity, before.get(lineNo) ?? 0);
    before.set(lineNo, (before.get(lineNo) ?? 0) + quantity);
    const list = lines.get(into) ?? [];
    lines.set(into, list);
    const isLater = into.inspection === 'before_credit';
    const askedMinor = isLater ? amountMinor : ask(line, amountMinor);
    const askedTaxMinor = isLater ? taxMinor : askTax(line, taxMinor);
    list.push({
      ...{ lineNo, skuId: line.skuId, quantity, amountMinor },
      ...(line.taxMinor !== 0 && { taxMinor }),
      ...(askedMinor !== amountMinor && { askedMinor }),
      ...(askedTaxMinor !== taxMinor && { askedTaxMinor }),
    });
  }
  const { source, sourceId, sequence } = command;
  return events(
    [...lines].map(([{ returnId, reference, locationId, inspection }, list]) => ({
      type: 'return.received',
      ...{ returnId, reference, locationId, source, sourceId, sequence, lines: list },
      ...(inspection !== null && { inspection }),
    })),
  );
}

function openOf(one: ReturnAuthorisation, lineNo: number): number {
  const line = one.lines.get(lineNo);
  return line === undefined ? 0 : line.quantity - line.received;
}

/**
 * What the ERP is to credit of an amount: less what it credited of the line already without being asked. A refund may come before the goods.
 * Asked for one part after the other.
 */
function asking(order: Order, of: 'minor' | 'tax'): (line: OrderLine, amountMinor: number) => number {
  const ahead = new Map<number, number>();
  const dueOf = (line: ReturnLine | undefined) => (of === 'minor' ? line?.creditMinor : line?.creditTaxMinor) ?? 0;
  return (line, amountMinor) => {
    let left = ahead.get(line.lineNo);
    if (left === undefined) {
      let due = 0;
      for (const { lines } of order.returns.values()) due += dueOf(lines.get(line.lineNo));
      const credited =
        of === 'minor' ? line.creditedMinor : (order.billing?.lines.get(line.lineNo)?.creditedTaxMinor ?? 0);
      left = Math.max(0, credited - due);
    }
    const used = Math.min(left, amountMinor);
    ahead.set(line.lineNo, left - used);
    return amountMinor - used;
  };
}

export function inspectReturn(order: Order, command: Command<'inspect_return'>): Decision {
  const named = returnsNamed(order, command);
  if (named.length === 0) return unknown(order, command);
  const ask = asking(order, 'minor');
  const askTax = asking(order, 'tax');
  const copies = new Map<ReturnAuthorisation, Map<number, ReturnLine>>();
  const lines = new Map<ReturnAuthorisation, Event<'return.inspected'>['lines']>();
  for (const { lineNo, restock, scrap, quarantine, from, credited } of command.lines) {
    const line = order.lines.get(lineNo);
    if (line === undefined) return refused('unknown_line', `line ${lineNo}`);
    const units = restock + scrap + quarantine;
    const holds = (one: ReturnAuthorisation) => (copies.get(one) ?? one.lines).get(lineNo);
    const into =
      named.find((one) => thereOf(holds(one), from) >= units) ??
      named.find((one) => one.lines.has(lineNo)) ??
      named[0]!;
    if (into.inspection === null)
      return refused('not_inspected', `return ${into.returnId}: its goods are on hand as they come in`);
    let copy = copies.get(into);
    if (copy === undefined) {
      copy = new Map([...into.lines].map(([no, one]) => [no, { ...one }]));
      copies.set(into, copy);
    }
    const there = copy.get(lineNo);
    const found = thereOf(there, from);
    if (units > found) {
      const detail = `line ${lineNo} of return ${into.returnId}: ${units} inspected, ${found} ${from === 'receipt' ? 'received and not inspected' : 'set apart'}`;
      // What it is about may be told of later.
      const at = `${into.returnId} ${lineNo}`;
      const wait =
        from === 'receipt' ? `returned ${at} ${(there?.received ?? 0) + units - found}` : `quarantined ${at} ${units}`;
      return refused('not_received', detail, wait);
    }
    const list = lines.get(into) ?? [];
    lines.set(into, list);
    const decided = { lineNo, restock, scrap, quarantine, from, credited };
    const amountMinor = worthOf(there!, restock + scrap);
    const taxMinor = worthOf(there!, restock + scrap, 'tax');
    // Credited when it came in, or to be credited now.
    const isCredited = into.inspection === 'before_credit' && credited;
    const creditMinor = isCredited ? amountMinor : 0;
    const askedMinor = ask(line, creditMinor);
    const creditTaxMinor = isCredited ? taxMinor : 0;
    const entry = {
      ...{ ...decided, skuId: there!.skuId, amountMinor, creditMinor, askedMinor },
      ...(line.taxMinor !== 0 && { taxMinor, creditTaxMinor, askedTaxMinor: askTax(line, creditTaxMinor) }),
    };
    list.push(entry);
    inspectLine(there!, entry, into.inspection);
  }
  const { source, sourceId, sequence, by, reason } = command;
  return events(
    [...lines].map(([{ returnId, reference, locationId, inspection }, list]) => ({
      type: 'return.inspected',
      ...{ returnId, reference, locationId, source, sourceId, sequence, by, reason, lines: list },
      inspection: inspection!,
    })),
  );
}

function thereOf(line: ReturnLine | undefined, from: 'receipt' | 'quarantine'): number {
  if (line === undefined) return 0;
  return from === 'quarantine' ? line.quarantined : line.received - line.restocked - line.scrapped - line.quarantined;
}

/** What so many more decided units were sold for: parts of what the received ones were, so that they add up to it. */
function worthOf(line: ReturnLine, units: number, of: 'minor' | 'tax' = 'minor'): number {
  if (units === 0) return 0;
  const [received, before] =
    of === 'minor' ? [line.receivedMinor, line.decidedMinor] : [line.receivedTaxMinor, line.decidedTaxMinor];
  const decided = BigInt(line.restocked + line.scrapped + units);
  const upTo = Number((BigInt(received) * decided) / BigInt(line.received));
  return Math.max(before, upTo) - before;
}
