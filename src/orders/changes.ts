/**
 * Changes of an order after it was accepted. Pure, as `decide`.
 *
 * What is given back goes the way of a cancel, as early as each unit can be stopped; what was picked can't be given back: too late. What is
 * added is decided as an order of its own would be, and stands as lines of its own: amounts of a line stay whole. Who ordered sees the sum.
 */
import { events, nothing, refused, requestedUnits } from './decision.ts';
import { isHeld } from './holds.ts';
import { OWN_LINES_ABOVE } from './kit-lines.ts';
import { leftOf, partsOf, rootOf } from './line-parts.ts';
import { begunUnits, setsOf, stillWanted, sumBegun, sumWhole, wholeUnits } from './sets.ts';
import { takeBack } from './take-back.ts';
import type {
  AddedLine,
  ChangedLine,
  ChangeLine,
  ChangeRefusal,
  DecideContext,
  Decision,
  LateStage,
  NewAllocation,
  Order,
  OrderCommand,
  OrderEvent,
  OrderLine,
  SubmitCommand,
} from './types.ts';

type ChangeCommand = Extract<OrderCommand, { kind: 'change' }>;
type Accepted = Extract<OrderEvent, { type: 'order.accepted' }>;
type Added = Extract<OrderEvent, { type: 'order.lines_added' }>;
/** Decides new lines as an order of their own. */
export type SubmitLines = (lines: SubmitCommand['lines'], context: DecideContext) => Decision;

/** What a change does to one line: gives so many units back, adds so many, or neither. */
interface Plan {
  asked: ChangeLine;
  answer: ChangedLine;
  parts: OrderLine[];
  giveBack: number;
  add: {
    lineNo: number;
    addsTo: number;
    skuId: number;
    quantity: number;
    unitPrice: string;
    pricePer?: number;
    within: number | null;
  } | null;
}

export function change(
  order: Order,
  command: ChangeCommand,
  context: DecideContext,
  submitLines: SubmitLines,
): Decision {
  const asked = askedLines(order, command);
  if (!Array.isArray(asked)) return asked;
  const newer = order.changes.filter(({ number }) => (number ?? 0) > (command.number ?? Number.POSITIVE_INFINITY));
  const isSuperseded = ({ lineNo }: ChangeLine) =>
    newer.some(
      (other) => other.isWhole || other.lines.some((line) => line.lineNo === lineNo && line.outcome !== 'superseded'),
    );
  const live = asked.filter((line) => !isSuperseded(line));
  if (live.length === 0 && asked.length > 0) return { ok: true, events: [], superseded: true };
  const takeLineNo = lineNumbers(order, asked);
  const plans: Plan[] = [];
  const late: Plan[] = [];
  for (const line of live) {
    const plan = planOf(order, line, context, takeLineNo);
    if ('ok' in plan) return plan;
    (isRefusal(plan.answer) ? late : plans).push(plan);
  }
  if (late.length > 0 && (!command.partial || plans.length === 0)) {
    const [first] = late;
    return refused(
      first!.answer.outcome as ChangeRefusal,
      late.map(({ answer }) => `line ${answer.lineNo}: ${answer.detail}`).join('; '),
    );
  }
  const reference = command.reference;
  const given = plans.flatMap((plan) =>
    plan.giveBack === 0 ? [] : takeBack(order, plan.parts, plan.giveBack, reference, context),
  );
  const wanted = plans.flatMap(({ add }) => (add === null ? [] : [add]));
  let added: OrderEvent[] = [];
  let first = false;
  if (wanted.length > 0) {
    // An order doesn't move back: where what is given back would end it, what is added comes first.
    first = endsIt(order, given);
    const decided = addedLines(order, wanted, reference, withReleased(context, first ? [] : given), submitLines);
    if (!Array.isArray(decided)) return decided;
    added = decided;
  }
  for (const plan of plans) fillAnswer(plan, given, added);
  const answers = [...plans, ...late].map(({ answer }) => answer);
  for (const line of asked) if (isSuperseded(line)) answers.push({ ...answerOf(line, 0, 0), outcome: 'superseded' });
  answers.sort((a, b) => a.lineNo - b.lineNo);
  const following = first ? [...added, ...given] : [...given, ...added];
  return events([changed(command, answers, following.length), ...following]);
}

/** Every unit that is left, at whatever stage it is: what was picked comes back as a return. */
export function cancelOrder(
  order: Order,
  { reference }: Extract<OrderCommand, { kind: 'cancel_order' }>,
  context: DecideContext,
): Decision {
  const roots = new Set([...order.lines.values()].map(rootOf));
  const list = [...roots].flatMap((root) => {
    const parts = partsOf(order, root);
    const left = sumBegun(setsOf(parts), leftOf);
    return left === 0 ? [] : takeBack(order, parts, left, reference, context);
  });
  return list.length === 0 ? nothing : events(list);
}

/** The lines that the change is about; one that is whole is about all. */
function askedLines(order: Order, command: ChangeCommand): ChangeLine[] | Decision {
  const seen = new Set<number>();
  for (const { lineNo } of command.lines) {
    if (lineNo === null) continue;
    if (seen.has(lineNo)) return refused('duplicate_line', `line ${lineNo} appears twice`);
    seen.add(lineNo);
  }
  if (!command.isWhole) return command.lines;
  const lines = [...command.lines];
  for (const root of new Set([...order.lines.values()].map(rootOf)))
    if (!seen.has(root))
      lines.push({ lineNo: root, skuId: null, quantity: 0, unitPrice: null, within: null, requestedOn: null });
  return lines;
}

function planOf(order: Order, asked: ChangeLine, context: DecideContext, takeLineNo: () => number): Plan | Decision {
  const known = asked.lineNo === null ? undefined : order.lines.get(asked.lineNo);
  if (known !== undefined && rootOf(known) !== known.lineNo)
    return fault(
      asked,
      'line_taken',
      `the hub gave that number to units of line ${rootOf(known)}; number it otherwise`,
    );
  if (known === undefined) return newLine(order, asked, context, takeLineNo);
  const parts = partsOf(order, known.lineNo);
  const current = currentOf(parts);
  const undone = undoneOf(parts);
  const before = askedSoFar(order, parts, known.lineNo, undone);
  const left = sumBegun(setsOf(parts), leftOf);
  const isOther = asked.skuId !== null && asked.skuId !== current.skuId && asked.quantity > 0;
  // Units that were refused were never to come: whoever takes them off its own line gives nothing back.
  const giveBack = isOther ? left : Math.max(0, left - asked.quantity);
  const more = isOther ? asked.quantity : Math.max(0, asked.quantity - before);
  const answer = answerOf(asked, before, undone + giveBack);
  const plan: Plan = { asked, answer, parts, giveBack, add: null };
  if (giveBack > 0) {
    const late = lateUnits(order, parts, giveBack, isOther);
    if (late !== undefined)
      return refuse(
        plan,
        'too_late',
        `${giveBack} to give back, and ${late.units} can't be any more: ${SAID[late.stage]}`,
        late,
      );
  }
  if (more === 0) return plan;
  const problem = mayAdd(order, context);
  if (problem !== undefined) return refuse(plan, ...problem);
  const unitPrice = asked.unitPrice ?? (isOther ? null : current.unitPrice);
  if (unitPrice === null) return refuse(plan, 'no_price', 'another SKU needs a price of its own');
  const { skuId } = isOther ? (asked as { skuId: number }) : current;
  const { within } = asked;
  plan.add = { lineNo: takeLineNo(), addsTo: known.lineNo, skuId, quantity: more, unitPrice, within };
  // A price that is given is for one unit; the line's own may be for several.
  if (asked.unitPrice === null && current.pricePer !== 1) plan.add.pricePer = current.pricePer;
  return plan;
}

const SAID: Record<LateStage, string> = {
  requested: 'the WMS was told to pick them; give them back first, and add the other SKU once it has stopped them',
  picked: 'they are picked',
  shipped: 'they have left',
};

function newLine(order: Order, asked: ChangeLine, context: DecideContext, takeLineNo: () => number): Plan | Decision {
  const { skuId, unitPrice, quantity, within } = asked;
  // What is removed and was never there: a change that repeats another, or overtook it.
  if (quantity === 0 && asked.lineNo !== null)
    return { asked, answer: answerOf(asked, 0, 0), parts: [], giveBack: 0, add: null };
  if (skuId === null || quantity === 0)
    return fault(asked, 'unknown_line', 'the order has no such line, and the change names no SKU to add');
  const problem = mayAdd(order, context);
  if (problem !== undefined) return fault(asked, ...problem);
  if (unitPrice === null) return fault(asked, 'no_price', 'a new line needs a price');
  const lineNo = asked.lineNo ?? takeLineNo();
  const answer = answerOf({ ...asked, lineNo }, 0, 0);
  return { asked, answer, parts: [], giveBack: 0, add: { lineNo, addsTo: lineNo, skuId, quantity, unitPrice, within } };
}

const ENDED: ReadonlySet<string> = new Set(['shipped', 'closed', 'cancelled', 'refused']);

/** Why nothing may be added, if so. */
function mayAdd(order: Order, context: DecideContext): [ChangeRefusal, string] | undefined {
  if (ENDED.has(order.state)) return ['order_ended', `the order is ${order.state}; what is wanted more is a new order`];
  if (!context.takesChanges)
    return [
      'change_not_supported',
      'the system that orders go to takes no added units; what is wanted more is a new order',
    ];
  if (isHeld(order) && order.progress.told)
    return ['order_held', 'the order is held, and the ERP has it: settle what holds it first'];
  return undefined;
}

/** Units that can't be given back; `atOnce`: not even those that the WMS would be asked for. */
function lateUnits(
  order: Order,
  parts: readonly OrderLine[],
  units: number,
  atOnce: boolean,
): { units: number; stage: LateStage } | undefined {
  let free = 0;
  let askable = 0;
  let picked = 0;
  for (const set of setsOf(parts)) {
    const early = (part: OrderLine) => part.backordered + part.allocated - requestedUnits(order, part.lineNo);
    // Some may be on their way back already: the WMS was too late to stop them, and that it has picked them is not heard of yet. Or it was asked
    // to stop them and says that they are picked.
    const late = (part: OrderLine) => {
      const requested = requestedUnits(order, part.lineNo) - part.cancelAsked + stillWanted(set, part);
      return Math.max(0, Math.min(requested, leftOf(part) - early(part)));
    };
    const atOnceOf = wholeUnits(set, early);
    free += atOnceOf;
    askable += wholeUnits(set, (part) => early(part) + late(part)) - atOnceOf;
    picked += begunUnits(set, (part) => Math.max(0, part.picked - part.shipped));
  }
  const gone = units - free - askable;
  if (gone > 0) return { units: gone, stage: gone > picked ? 'shipped' : 'picked' };
  const requested = units - free;
  return atOnce && requested > 0 ? { units: requested, stage: 'requested' } : undefined;
}

/**
 * Units that who ordered wants of the line as far as we know: what its last change said, or what was ordered, less what it took back since.
 */
function askedSoFar(order: Order, parts: readonly OrderLine[], lineNo: number, undone: number): number {
  const last = order.changes
    .flatMap(({ lines }) => lines)
    .findLast((line) => line.lineNo === lineNo && !isRefusal(line) && line.outcome !== 'superseded');
  if (last !== undefined) return last.quantity - (undone - last.undone);
  return parts.reduce((sum, part) => sum + (part.standsFor === null ? part.quantity : 0), 0) - undone;
}

function undoneOf(parts: readonly OrderLine[]): number {
  return sumWhole(setsOf(parts), (part) => part.cancelled + part.cancelAsked + part.returnExpected + part.returned);
}

/** What a line is by now: the SKU and price that its channel gave it last. */
function currentOf(parts: readonly OrderLine[]): OrderLine {
  return parts
    .filter((part) => part.standsFor === null)
    .reduce((last, part) => (part.lineNo > last.lineNo ? part : last));
}

/** Numbers above all that the order has, so that what stands for an added line is numbered above it, too. */
function lineNumbers(order: Order, asked: readonly ChangeLine[]): () => number {
  let last = Math.max(OWN_LINES_ABOVE, ...order.lines.keys(), ...asked.map(({ lineNo }) => lineNo ?? 0));
  return () => ++last;
}

function endsIt(order: Order, given: readonly OrderEvent[]): boolean {
  let { open } = order.progress;
  for (const event of given)
    if (event.type === 'order.lines_cancelled') for (const { quantity } of event.lines) open -= quantity;
  return order.progress.shipped >= open;
}

/** With what this change gives back at once: it may move units from one line of the order to another. */
function withReleased(context: DecideContext, given: readonly OrderEvent[]): DecideContext {
  const released = given.flatMap((event) => (event.type === 'order.lines_cancelled' ? event.released : []));
  if (released.length === 0) return context;
  return {
    ...context,
    offers(skuId) {
      const offered = context.offers(skuId);
      const places = offered.places.map((place) => ({ ...place }));
      let units = 0;
      for (const part of released) {
        const place =
          part.skuId === skuId ? places.find(({ locationId }) => locationId === part.locationId) : undefined;
        if (place === undefined) continue;
        place.free += part.quantity;
        place.physical += part.quantity;
        units += part.quantity;
      }
      return { places, allocatable: offered.allocatable + units, promisable: offered.promisable + units };
    },
  };
}

/** The events of what is added; or why it can't be. */
function addedLines(
  order: Order,
  wanted: readonly NonNullable<Plan['add']>[],
  reference: string,
  context: DecideContext,
  submitLines: SubmitLines,
): OrderEvent[] | Decision {
  // While they are decided they have the highest numbers: what stands for one of them is numbered above these.
  const base = Math.max(OWN_LINES_ABOVE, ...order.lines.keys(), ...wanted.map(({ lineNo }) => lineNo));
  const ownNo = new Map(wanted.map(({ lineNo }, i) => [base + 1 + i, lineNo]));
  const addsTo = new Map(wanted.map(({ lineNo, addsTo }) => [lineNo, addsTo]));
  const decision = submitLines(
    wanted.map(({ addsTo: _, ...line }, i) => ({ ...line, lineNo: base + 1 + i })),
    context,
  );
  if (!decision.ok) return decision;
  const [accepted, ...raised] = decision.events as [Accepted, ...OrderEvent[]];
  const numbered = <T extends { lineNo: number }>(part: T): T => ({
    ...part,
    lineNo: ownNo.get(part.lineNo) ?? part.lineNo,
  });
  const untold = !order.progress.told;
  const lines = accepted.lines.map((line): AddedLine => {
    const { standsFor, ...rest } = numbered(line);
    const instead = standsFor === undefined ? undefined : (ownNo.get(standsFor) ?? standsFor);
    return {
      ...rest,
      ...(instead !== undefined && { standsFor: instead }),
      addsTo: addsTo.get(instead ?? rest.lineNo)!,
    };
  });
  const held = raised.find((event) => event.type === 'order.held');
  if (!untold && (held !== undefined || lines.some((line) => (line.held ?? 0) > 0)))
    return refused(
      'would_hold',
      `what is added would be held (${held?.detail ?? 'units that are not there wait for a person'}), and the ERP has the order without it: give it as a new order`,
    );
  const added: Added = {
    type: 'order.lines_added',
    reference,
    lines,
    allocations: accepted.allocations.map((part): NewAllocation => numbered(part)),
    commitments: accepted.commitments.map(numbered),
    exposureUsed: accepted.exposureUsed,
    ...(untold && { untold: true }),
  };
  return [added, ...raised.map((event) => ('lineNo' in event ? numbered(event) : event))];
}

function changed({ reference, number, isWhole }: ChangeCommand, lines: ChangedLine[], follows: number): OrderEvent {
  return { type: 'order.changed', reference, number, isWhole, follows, lines };
}

function answerOf(asked: ChangeLine, before: number, undone: number): ChangedLine {
  const { lineNo, quantity, requestedOn } = asked;
  return {
    ...{ lineNo: lineNo ?? 0, quantity, before, outcome: 'unchanged', undone },
    ...(requestedOn !== null && { requestedOn }),
  };
}

function fillAnswer(
  { answer, add, parts, giveBack }: Plan,
  given: readonly OrderEvent[],
  added: readonly OrderEvent[],
): void {
  const sum = (type: 'order.lines_cancelled' | 'order.cancel_asked') => (part: OrderLine) =>
    given.reduce((all, event) => {
      if (event.type !== type) return all;
      return event.lines.reduce((of, line) => of + (line.lineNo === part.lineNo ? line.quantity : 0), all);
    }, 0);
  const sets = giveBack > 0 ? setsOf(parts) : [];
  const cancelled = sumWhole(sets, sum('order.lines_cancelled'));
  const asked = sumBegun(sets, sum('order.cancel_asked'));
  if (add !== null) {
    const lines = added.flatMap((event) => (event.type === 'order.lines_added' ? event.lines : []));
    const { lineNo, skuId, quantity, priceCheck } = lines.find((line) => line.lineNo === add.lineNo)!;
    answer.added = { lineNo, skuId, quantity, ...(priceCheck !== undefined && { priceCheck }) };
  }
  if (cancelled > 0) answer.cancelled = cancelled;
  if (asked > 0) answer.asked = asked;
  if (asked > 0) answer.outcome = 'asked';
  else if (cancelled > 0 || add !== null) answer.outcome = 'applied';
}

function isRefusal({ outcome }: ChangedLine): boolean {
  return !['applied', 'asked', 'unchanged', 'superseded'].includes(outcome);
}

function refuse(plan: Plan, outcome: ChangeRefusal, detail: string, tooLate?: ChangedLine['tooLate']): Plan {
  const answer = { ...plan.answer, outcome, detail, undone: 0, ...(tooLate !== undefined && { tooLate }) };
  return { ...plan, answer, giveBack: 0, add: null };
}

function fault(asked: ChangeLine, outcome: ChangeRefusal, detail: string): Plan {
  return refuse({ asked, answer: answerOf(asked, 0, 0), parts: [], giveBack: 0, add: null }, outcome, detail);
}
