/** What a shop shows of an order, and what is missing of what we say. Pure. */
import { Fields, factsOf, type OrderStatusState, type ShipmentState } from '../kit/index.ts';
import { INVOICES, linesOf, OUR_SHIPMENT, quantityOf } from './map.ts';

export interface Part {
  itemId: string;
  quantity: number;
}

/** What the shop holds of one order line. */
export interface LineThere {
  itemId: string;
  lineNo: number;
  /** As it was placed, as it is now. */
  placed: number;
  quantity: number;
  fulfilled: number;
  shipped: number;
  /** Came back, put on the shelf or not. */
  returned: number;
  /** To come back, as a return that was asked for in the shop says. */
  awaited: number;
}

export interface FulfilmentThere {
  id: string;
  /** The shipment of ours that it shows; null: made by the shop's people, or before shipments were told. */
  shipment: string | null;
  isShipped: boolean;
  items: Part[];
}

export interface OrderThere {
  id: string;
  isCancelled: boolean;
  metadata: Record<string, unknown>;
  lines: LineThere[];
  /** Those that were not taken back. */
  fulfilments: FulfilmentThere[];
  tracking: ReadonlySet<string>;
}

export interface Label {
  tracking_number: string;
  tracking_url: string;
  label_url: string;
}

export interface Todo {
  cancelOrder: boolean;
  /** New quantities of lines. */
  lower: Part[];
  /** Fulfilments to be shipped as they are. */
  ship: { id: string; items: Part[]; labels: Label[] }[];
  /** Units to be fulfilled and shipped, one shipment of ours each; null: of none that we know of. */
  fulfil: { shipment: string | null; items: Part[]; labels: Label[] }[];
  /** Units that came back. */
  takeBack: Part[];
  /** The text of the order's metadata about its invoices, where it is another one. */
  invoices: string | null;
}

/** What is missing in the shop; it never takes back what the shop did beyond it. */
export function missing(there: OrderThere, state: OrderStatusState): Todo {
  const todo: Todo = { cancelOrder: false, lower: [], ship: [], fulfil: [], takeBack: [], invoices: null };
  if (there.isCancelled) return todo;
  const byNo = new Map(state.lines.map((line) => [line.lineNo, line]));
  const wanted = there.lines.map((line) => {
    const said = byNo.get(line.lineNo);
    const gone = said === undefined ? 0 : said.cancelled + said.refused;
    const keep = Math.max(line.placed - gone, line.fulfilled);
    const ship = Math.max(0, (said?.shipped ?? 0) - line.shipped);
    // What it has not shipped by then can't come back there.
    const shipped = Math.max(line.shipped, said?.shipped ?? 0);
    const back = Math.max(0, Math.min(said?.returned ?? 0, shipped) - line.returned);
    return { line, keep: Math.min(line.quantity, keep), ship, back };
  });
  const isAllGone = wanted.length > 0 && wanted.every(({ line, keep }) => keep === 0 && line.fulfilled === 0);
  if (isAllGone) return { ...todo, cancelOrder: true };
  todo.lower = wanted.flatMap(({ line, keep }) =>
    keep < line.quantity ? [{ itemId: line.itemId, quantity: keep }] : [],
  );
  planShipments(there, state, wanted, todo);
  todo.takeBack = wanted.flatMap(({ line, back }) => (back > 0 ? [{ itemId: line.itemId, quantity: back }] : []));
  const said = factsOf({ ...state, shipments: [], returns: [] }).map(({ text }) => text);
  if (said.length > 0 && there.metadata[INVOICES] !== said.join('; ')) todo.invoices = said.join('; ');
  return todo;
}

/**
 * Shipment by shipment, oldest first, each with its own tracking numbers. What is open of a line bounds them all, so whatever the shop
 * shipped in another way is not shipped again: it counts for the oldest shipments that the shop does not know by name.
 */
function planShipments(
  there: OrderThere,
  state: OrderStatusState,
  wanted: readonly { line: LineThere; keep: number; ship: number }[],
  todo: Todo,
): void {
  const itemOf = new Map(there.lines.map(({ lineNo, itemId }) => [lineNo, itemId]));
  const open = new Map(wanted.map(({ line, ship }) => [line.itemId, ship]));
  const room = new Map(wanted.map(({ line, keep }) => [line.itemId, keep - line.fulfilled]));
  const named = there.fulfilments.filter(({ shipment }) => shipment !== null);
  const byOthers = new Map(wanted.map(({ line }) => [line.itemId, line.shipped]));
  for (const { isShipped, items } of named) if (isShipped) for (const part of items) take(byOthers, part);
  const unnamed = new Set(there.fulfilments.filter(({ shipment, isShipped }) => shipment === null && !isShipped));

  const told = (state.shipments ?? []).map((shipment) => ({
    name: shipment.shipment as string | null,
    labels: labelsOf(shipment, there.tracking),
    units: unitsOf(shipment, itemOf),
  }));
  for (const { name, labels, units } of [...told, { name: null, labels: [], units: new Map(open) }]) {
    const own = named.filter(({ shipment }) => shipment === name);
    for (const { id, isShipped, items } of own) {
      for (const part of items) take(units, part);
      if (isShipped) continue;
      for (const part of items) take(open, part);
      todo.ship.push({ id, items, labels: labels.splice(0) });
    }
    if (name !== null)
      for (const [itemId, quantity] of units) {
        const known = Math.min(quantity, byOthers.get(itemId) ?? 0);
        take(byOthers, { itemId, quantity: known });
        take(units, { itemId, quantity: known });
      }
    for (const [itemId, quantity] of units) units.set(itemId, Math.min(quantity, open.get(itemId) ?? 0));
    for (const packed of unnamed) {
      if (packed.items.length === 0) continue;
      if (!packed.items.every(({ itemId, quantity }) => quantity <= (units.get(itemId) ?? 0))) continue;
      unnamed.delete(packed);
      for (const part of packed.items) for (const left of [units, open]) take(left, part);
      todo.ship.push({ id: packed.id, items: packed.items, labels: labels.splice(0) });
    }
    const items: Part[] = [];
    for (const [itemId, quantity] of units) {
      const part = { itemId, quantity: Math.min(quantity, room.get(itemId) ?? 0) };
      if (part.quantity <= 0) continue;
      for (const left of [open, room]) take(left, part);
      items.push(part);
    }
    if (items.length > 0) todo.fulfil.push({ shipment: name, items, labels: labels.splice(0) });
  }
}

function take(left: Map<string, number>, { itemId, quantity }: Part): void {
  left.set(itemId, Math.max(0, (left.get(itemId) ?? 0) - quantity));
}

function unitsOf({ lines }: ShipmentState, itemOf: ReadonlyMap<number, string>): Map<string, number> {
  const units = new Map<string, number>();
  for (const { lineNo, quantity } of lines) {
    const itemId = itemOf.get(lineNo);
    if (itemId !== undefined) units.set(itemId, (units.get(itemId) ?? 0) + quantity);
  }
  return units;
}

/** Of parcels whose tracking number the shop does not show yet. It takes http links only, and `#` for none. */
function labelsOf({ parcels }: ShipmentState, shown: ReadonlySet<string>): Label[] {
  const urls = new Map(parcels.map(({ tracking, url }) => [tracking, url]));
  return [...urls]
    .filter(([tracking]) => !shown.has(tracking))
    .map(([tracking, url]) => ({
      tracking_number: tracking,
      tracking_url: url !== undefined && /^https?:\/\//.test(url) && URL.canParse(url) ? url : '#',
      label_url: '#',
    }));
}

export function isDone({ cancelOrder, lower, ship, fulfil, takeBack, invoices }: Todo): boolean {
  return !cancelOrder && lower.length + ship.length + fulfil.length + takeBack.length === 0 && invoices === null;
}

/** @throws Unreadable */
export function orderThere(raw: unknown, original: unknown): OrderThere {
  const order = new Fields(raw, '/order');
  const current = new Map(
    (order.list('items') as unknown[]).map((item, index) => {
      const line = new Fields(item, `/order/items/${index}`);
      return [line.text('id'), line] as const;
    }),
  );
  const lines = linesOf(new Fields(original, '/original')).map(({ id, line }, index): LineThere => {
    const now = current.get(id);
    const detail = now === undefined ? undefined : new Fields(now.raw.detail, `${now.place}/detail`);
    const units = (name: string) => (detail?.raw[name] == null ? 0 : detail.integer(name, 0));
    return {
      itemId: id,
      lineNo: index + 1,
      placed: quantityOf(line),
      quantity: units('quantity'),
      fulfilled: units('fulfilled_quantity'),
      shipped: units('shipped_quantity'),
      returned: units('return_received_quantity') + units('return_dismissed_quantity'),
      awaited: units('return_requested_quantity'),
    };
  });
  const fulfilments: FulfilmentThere[] = [];
  const tracking = new Set<string>();
  for (const [index, entry] of order.list('fulfillments').entries()) {
    const fulfilment = new Fields(entry, `/order/fulfillments/${index}`);
    for (const label of (fulfilment.raw.labels ?? []) as { tracking_number?: unknown }[])
      if (typeof label.tracking_number === 'string') tracking.add(label.tracking_number);
    if (fulfilment.raw.canceled_at != null) continue;
    const items = (fulfilment.list('items') as Record<string, unknown>[]).map((item) => ({
      itemId: String(item.line_item_id),
      quantity: Number(item.quantity),
    }));
    const shipment = (fulfilment.raw.metadata as Record<string, unknown> | null)?.[OUR_SHIPMENT];
    fulfilments.push({
      id: fulfilment.text('id'),
      shipment: typeof shipment === 'string' ? shipment : null,
      isShipped: fulfilment.raw.shipped_at != null,
      items,
    });
  }
  const metadata = (order.raw.metadata ?? {}) as Record<string, unknown>;
  const isCancelled = order.raw.status === 'canceled';
  return { id: order.text('id'), isCancelled, metadata, lines, fulfilments, tracking };
}
