/** What is to be done with an order so that the shop shows what we say. Pure. */
import { Fields, factsOf, type OrderStatusState, untold } from '../kit/index.ts';
import { linesOf, skuOf } from './map.ts';
import type { StatusTerms } from './status.ts';

export interface Part {
  orderLineId: string;
  quantity: number;
}

/** In this order; nothing where the order shows what we say. */
export interface StatusPlan {
  orderId: string;
  cancel: Part[];
  settle: string[];
  /** A fulfilment for each shipment; the last may be of units that no shipment tells of. */
  fulfil: { method: string; tracking: string; lines: Part[] }[];
  /** Fulfilments of ours that stand at an earlier state than they should. */
  move: { id: string; from: string }[];
  /** What is told in the order's history: invoices, and goods that came back. */
  notes: string[];
  /** What can't be, for a person. */
  impossible?: string;
  variants: Map<string, string>;
}

/** A line of the order with what of it stands in fulfilments, by their tracking codes. */
interface LineThere {
  id: string;
  lineNo: number;
  fulfilled: Map<string, number>;
}

/**
 * What the shop has cancelled or fulfilled beyond what we say stays: it can't be undone there, and we read it as the shop's own doing.
 */
export function planStatus(
  order: Fields,
  state: OrderStatusState,
  terms: Pick<StatusTerms, 'method' | 'delivered' | 'settles'>,
): StatusPlan {
  const plan: StatusPlan = {
    orderId: order.text('id'),
    cancel: [],
    settle: [],
    fulfil: [],
    move: [],
    notes: [],
    variants: new Map(),
  };
  const byNumber = new Map(linesOf(order).map((line) => [line.lineNo, line]));
  const lines: LineThere[] = [];
  const open = new Map<string, number>();
  for (const { lineNo, cancelled, refused, shipped } of state.lines) {
    const line = byNumber.get(lineNo);
    if (line === undefined) return { ...plan, impossible: `the order has no line ${lineNo}` };
    const { id, fields } = line;
    const left = fields.integer('quantity', 0);
    const byCode = fulfilledByCode(fields);
    const fulfilled = [...byCode.values()].reduce((sum, units) => sum + units, 0);
    const toCancel = cancelled + refused - (fields.integer('orderPlacedQuantity', 0) - left);
    const toFulfil = Math.max(0, shipped - fulfilled);
    if (toCancel > 0) plan.cancel.push({ orderLineId: id, quantity: toCancel });
    // Below 0 where the shop took back what had left: nothing is to be done then, and that is possible.
    if (Math.max(0, toCancel) + toFulfil > Math.max(0, left - fulfilled))
      plan.impossible = `line ${lineNo} (${skuOf(fields)}) has ${left - fulfilled} units open in the shop: ${Math.max(0, toCancel)} to be cancelled, ${toFulfil} to be shipped`;
    lines.push({ id, lineNo, fulfilled: byCode });
    open.set(id, toFulfil);
    plan.variants.set(id, new Fields(fields.raw.productVariant, fields.place).text('id'));
  }
  plan.fulfil = planShipments(lines, open, state, terms.method);
  const records = (name: string) => order.list(name).map((raw) => new Fields(raw, `${order.place}/${name}`));
  for (const fulfilment of order.raw.fulfillments === null ? [] : records('fulfillments')) {
    const from = fulfilment.text('state');
    const isBehind = from === 'Pending' || (from === 'Shipped' && terms.delivered);
    if (isOurMethod(fulfilment.raw.method, terms.method) && isBehind)
      plan.move.push({ id: fulfilment.text('id'), from });
  }
  if (terms.settles && plan.fulfil.length > 0 && order.raw.payments !== null)
    plan.settle = records('payments')
      .filter((payment) => payment.raw.state === 'Authorized')
      .map((payment) => payment.text('id'));
  planNotes(order, state, plan);
  return plan;
}

/** With the carrier where it is known: that is what a buyer reads. */
function methodOf(method: string, carrier: string | null): string {
  return carrier === null ? method : `${method}, ${carrier}`;
}

function isOurMethod(there: unknown, method: string): boolean {
  return typeof there === 'string' && (there === method || there.startsWith(`${method}, `));
}

/**
 * Oldest shipment first, each known again by its tracking codes. What is open of a line bounds them all. What the shop fulfilled under
 * other codes, or none, counts for the oldest that it does not know by theirs: nothing is fulfilled twice.
 */
function planShipments(
  lines: readonly LineThere[],
  open: Map<string, number>,
  state: OrderStatusState,
  method: string,
): StatusPlan['fulfil'] {
  const told = (state.shipments ?? []).map((shipment) => ({
    code: shipment.parcels.map(({ tracking }) => tracking).join(', '),
    method: methodOf(method, shipment.carrier),
    units: new Map(lines.map(({ id, lineNo }) => [id, unitsOf(shipment.lines, lineNo)])),
  }));
  const codes = new Set(told.map(({ code }) => code).filter((code) => code !== ''));
  const byOthers = new Map(
    lines.map(({ id, fulfilled }) => [
      id,
      [...fulfilled].reduce((sum, [code, units]) => (codes.has(code) ? sum : sum + units), 0),
    ]),
  );
  const byCode = new Map(lines.map(({ id, fulfilled }) => [id, new Map(fulfilled)]));
  const planned: StatusPlan['fulfil'] = [];
  for (const { code, method: by, units } of [...told, { code: '', method, units: undefined }]) {
    const parts: Part[] = [];
    for (const { id } of lines) {
      let quantity = units?.get(id) ?? (units === undefined ? open.get(id)! : 0);
      if (units !== undefined) {
        const own = byCode.get(id)!;
        if (code !== '') quantity -= takeFrom(own, code, quantity);
        quantity -= takeFrom(byOthers, id, quantity);
      }
      quantity = takeFrom(open, id, quantity);
      if (quantity > 0) parts.push({ orderLineId: id, quantity });
    }
    if (parts.length > 0) planned.push({ method: by, tracking: code, lines: parts });
  }
  return planned;
}

/** @returns how many there were, at most as asked */
function takeFrom(left: Map<string, number>, key: string, asked: number): number {
  const there = left.get(key) ?? 0;
  const quantity = Math.min(there, asked);
  left.set(key, there - quantity);
  return quantity;
}

function unitsOf(lines: readonly { lineNo: number; quantity: number }[], lineNo: number): number {
  return lines.reduce((sum, line) => sum + (line.lineNo === lineNo ? line.quantity : 0), 0);
}

/** Units of a line in fulfilments that stand, by their tracking codes. */
function fulfilledByCode(line: Fields): Map<string, number> {
  const units = new Map<string, number>();
  for (const [index, raw] of line.list('fulfillmentLines').entries()) {
    const part = new Fields(raw, `${line.place}/fulfillmentLines/${index}`);
    const fulfilment = new Fields(part.raw.fulfillment, `${part.place}/fulfillment`);
    if (fulfilment.raw.state === 'Cancelled') continue;
    const code = typeof fulfilment.raw.trackingCode === 'string' ? fulfilment.raw.trackingCode : '';
    units.set(code, (units.get(code) ?? 0) + part.integer('quantity', 0));
  }
  return units;
}

/**
 * Vendure has no field for an invoice's number, and none for goods that came back: cancelling what was fulfilled would put it on the
 * shop's shelf, and the hub's own number has it already. Both are notes in the order's history, found again by their first words.
 */
function planNotes(order: Fields, state: OrderStatusState, plan: StatusPlan): void {
  const facts = factsOf({ ...state, shipments: [] });
  if (facts.length === 0) return;
  const history = new Fields(order.raw.history, `${order.place}/history`);
  const entries = history.list('items');
  const there = entries.flatMap((entry) => {
    const { note } = ((entry as { data?: unknown } | null)?.data ?? {}) as { note?: unknown };
    return typeof note === 'string' ? [note] : [];
  });
  plan.notes = untold(facts, there).map(({ text }) => text);
  if (plan.notes.length > 0 && history.integer('totalItems', 0) > entries.length)
    plan.impossible = `it has ${history.integer('totalItems', 0)} notes, more than the shop gives at once`;
}

export function isDone({ cancel, fulfil, move, notes, impossible }: StatusPlan): boolean {
  return impossible === undefined && cancel.length + fulfil.length + move.length + notes.length === 0;
}
