/** What became of an order, as the shop's own fulfilments, shipments and cancels. */
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  Fields,
  type HttpClient,
  type OrderStatusState,
  type Outcome,
  type StateItem,
  type StateSink,
  Unreadable,
} from '../kit/index.ts';
import { linesOf, OUR_CANCEL, OUR_NOTE, quantityOf } from './map.ts';

const STATUS_MAX = 10;
/** What the shop holds of one order line. */
export interface LineThere {
  itemId: string;
  lineNo: number;
  /** As it was placed, as it is now. */
  placed: number;
  quantity: number;
  fulfilled: number;
  shipped: number;
}

export interface OrderThere {
  id: string;
  isCancelled: boolean;
  metadata: Record<string, unknown>;
  lines: LineThere[];
  /** Packed, not shipped and not taken back. */
  unshipped: { id: string; isOurs: boolean; items: { itemId: string; quantity: number }[] }[];
  tracking: ReadonlySet<string>;
}

export interface Todo {
  cancelOrder: boolean;
  /** New quantities of lines. */
  lower: { itemId: string; quantity: number }[];
  /** Fulfilments to be shipped as they are. */
  ship: string[];
  /** Units to be fulfilled and shipped. */
  fulfil: { itemId: string; quantity: number }[];
}

/** Pure. What is missing in the shop; it never takes back what the shop did beyond it. */
export function missing(there: OrderThere, state: OrderStatusState): Todo {
  const todo: Todo = { cancelOrder: false, lower: [], ship: [], fulfil: [] };
  if (there.isCancelled) return todo;
  const byNo = new Map(state.lines.map((line) => [line.lineNo, line]));
  const wanted = there.lines.map((line) => {
    const said = byNo.get(line.lineNo);
    const gone = said === undefined ? 0 : said.cancelled + said.refused;
    const keep = Math.max(line.placed - gone, line.fulfilled);
    return { line, keep: Math.min(line.quantity, keep), ship: Math.max(0, (said?.shipped ?? 0) - line.shipped) };
  });
  const isAllGone = wanted.length > 0 && wanted.every(({ line, keep }) => keep === 0 && line.fulfilled === 0);
  if (isAllGone) return { ...todo, cancelOrder: true };
  todo.lower = wanted.flatMap(({ line, keep }) =>
    keep < line.quantity ? [{ itemId: line.itemId, quantity: keep }] : [],
  );
  const open = new Map(wanted.map(({ line, ship }) => [line.itemId, ship]));
  for (const { id, items } of there.unshipped) {
    if (items.length === 0 || !items.every(({ itemId, quantity }) => quantity <= (open.get(itemId) ?? 0))) continue;
    todo.ship.push(id);
    for (const { itemId, quantity } of items) open.set(itemId, open.get(itemId)! - quantity);
  }
  todo.fulfil = wanted.flatMap(({ line, keep }) => {
    const quantity = Math.min(open.get(line.itemId) ?? 0, keep - line.fulfilled);
    return quantity > 0 ? [{ itemId: line.itemId, quantity }] : [];
  });
  return todo;
}

export function isDone({ cancelOrder, lower, ship, fulfil }: Todo): boolean {
  return !cancelOrder && lower.length === 0 && ship.length === 0 && fulfil.length === 0;
}

const STATUS_FIELDS =
  'id,display_id,status,version,metadata,*items,*items.detail,*fulfillments,*fulfillments.items,*fulfillments.labels';

export function orderStatus(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  channel: string,
  locationIds: readonly string[],
): StateSink {
  /** The shop's ids of orders never change. */
  const ids = new Map<string, string>();

  const read = async (externalNo: string, signal: AbortSignal): Promise<OrderThere | undefined> => {
    let id = ids.get(externalNo);
    if (id === undefined) {
      const path = `/admin/orders?limit=50&fields=id,display_id&q=${encodeURIComponent(externalNo)}`;
      const { value } = await client.read(path, signal);
      const found = (value as { orders?: { id?: unknown; display_id?: unknown }[] } | null)?.orders;
      if (!Array.isArray(found)) client.malformed('GET', path, 'orders is not a list');
      const order = (found as { id?: unknown; display_id?: unknown }[]).find(
        (o) => String(o.display_id) === externalNo,
      );
      if (typeof order?.id !== 'string') return undefined;
      id = order.id;
      if (ids.size > 20_000) ids.clear();
      ids.set(externalNo, id);
    }
    const path = `/admin/orders/${id}`;
    const { value } = await client.read(`${path}?fields=${STATUS_FIELDS}`, signal);
    const order = (value as { order?: { version?: unknown } } | null)?.order;
    // Lines that an edit took away are not in it any more; their numbers count all the same.
    const original =
      order?.version === 1
        ? order
        : ((await client.read(`${path}?version=1&fields=id,*items`, signal)).value as { order?: unknown })?.order;
    try {
      return orderThere(order, original);
    } catch (error) {
      if (error instanceof Unreadable) client.malformed('GET', path, error.message);
      throw error;
    }
  };

  const send = async (path: string, json: unknown, signal: AbortSignal): Promise<Outcome | undefined> => {
    const answer = await client.write(path, json, signal);
    return answer.answered ? undefined : answer.outcome;
  };

  /** Each step is one that the next look finds done or not, so that a repeat goes on where it broke off. */
  const carryOut = async (
    there: OrderThere,
    todo: Todo,
    state: OrderStatusState,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const order = `/admin/orders/${there.id}`;
    const steps: (() => Promise<Outcome | undefined>)[] = [];
    if (todo.cancelOrder) {
      // Said first, so that the feed knows the cancel for ours however soon it reads it.
      if (there.metadata[OUR_CANCEL] == null)
        steps.push(() => send(order, { metadata: { ...there.metadata, [OUR_CANCEL]: state.externalNo } }, signal));
      steps.push(() => send(`${order}/cancel`, {}, signal));
    }
    if (todo.lower.length > 0) {
      steps.push(() => beginEdit(there.id, signal));
      for (const { itemId, quantity } of todo.lower)
        steps.push(() => send(`/admin/order-edits/${there.id}/items/item/${itemId}`, { quantity }, signal));
      steps.push(() => send(`/admin/order-edits/${there.id}/confirm`, {}, signal));
    }
    const labels = labelsOf(state, there.tracking);
    for (const id of todo.ship)
      steps.push(() => {
        const { items } = there.unshipped.find((fulfilment) => fulfilment.id === id)!;
        return ship(there.id, id, items, labels.splice(0), signal);
      });
    if (todo.fulfil.length > 0) steps.push(() => fulfil(there.id, todo.fulfil, labels, signal));
    for (const [index, step] of steps.entries()) {
      const fault = await step();
      if (fault === undefined) continue;
      // What went before it has had its effect; the next look starts from there.
      if (index > 0 && fault.outcome === 'refused') return { ...fault, error: `${fault.error} (after ${index} steps)` };
      return fault;
    }
    return { outcome: 'confirmed' };
  };

  const ship = (
    orderId: string,
    fulfilmentId: string,
    items: readonly { itemId: string; quantity: number }[],
    labels: readonly unknown[],
    signal: AbortSignal,
  ) =>
    send(
      `/admin/orders/${orderId}/fulfillments/${fulfilmentId}/shipments`,
      { items: items.map(({ itemId, quantity }) => ({ id: itemId, quantity })), labels, no_notification: false },
      signal,
    );

  /** At the locations that the shop reserved at: elsewhere it would take units off that nobody had promised. */
  const fulfil = async (
    orderId: string,
    items: readonly { itemId: string; quantity: number }[],
    labels: unknown[],
    signal: AbortSignal,
  ): Promise<Outcome | undefined> => {
    const query = items.map(({ itemId }) => `line_item_id[]=${itemId}`).join('&');
    const path = `/admin/reservations?limit=1000&fields=id,quantity,location_id,line_item_id&${query}`;
    const rows = ((await client.read(path, signal)).value as { reservations?: Record<string, unknown>[] })
      ?.reservations;
    const perLocation = new Map<string, { itemId: string; quantity: number }[]>();
    for (const { itemId, quantity } of items) {
      let left = quantity;
      const put = (at: string, units: number) => {
        if (units <= 0) return;
        perLocation.set(at, [...(perLocation.get(at) ?? []), { itemId, quantity: units }]);
        left -= units;
      };
      for (const row of rows ?? [])
        if (row.line_item_id === itemId) put(String(row.location_id), Math.min(left, Number(row.quantity)));
      put(locationIds[0]!, left);
    }
    for (const [at, parts] of perLocation) {
      const body = {
        location_id: at,
        items: parts.map((part) => ({ id: part.itemId, quantity: part.quantity })),
        no_notification: true,
        metadata: { [OUR_NOTE]: 'fulfilled elsewhere' },
      };
      const answer = await client.write(`/admin/orders/${orderId}/fulfillments`, body, signal);
      if (!answer.answered) return answer.outcome;
      const made = (answer.value as { order?: { fulfillments?: Record<string, unknown>[] } })?.order?.fulfillments;
      const id = (made ?? []).filter((f) => f.shipped_at == null && f.canceled_at == null).at(-1)?.id;
      const newest = typeof id === 'string' ? id : await newestUnshipped(orderId, signal);
      if (newest === undefined) return { outcome: 'later', error: 'fulfilled, and not shown yet' };
      const fault = await ship(orderId, newest, parts, labels.splice(0), signal);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };

  const newestUnshipped = async (orderId: string, signal: AbortSignal): Promise<string | undefined> => {
    const { value } = await client.read(`/admin/orders/${orderId}?fields=id,*fulfillments`, signal);
    const list = (value as { order?: { fulfillments?: Record<string, unknown>[] } })?.order?.fulfillments ?? [];
    const open = list.filter((f) => f.shipped_at == null && f.canceled_at == null);
    open.sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    return open.at(-1)?.id as string | undefined;
  };

  /** One that we began and could not end is thrown away; a merchant's is waited for. */
  const beginEdit = async (orderId: string, signal: AbortSignal): Promise<Outcome | undefined> => {
    const begin = () =>
      send('/admin/order-edits', { order_id: orderId, internal_note: `${OUR_NOTE}: cancelled` }, signal);
    const fault = await begin();
    if (fault?.outcome !== 'later' || !/active order change/.test(fault.error)) return fault;
    const { value } = await client.read(`/admin/orders/${orderId}/changes`, signal);
    const changes = (value as { order_changes?: Record<string, unknown>[] })?.order_changes ?? [];
    const open = changes.find(({ status }) => status === 'pending' || status === 'requested');
    if (typeof open?.internal_note !== 'string' || !open.internal_note.startsWith(OUR_NOTE))
      return { outcome: 'later', error: 'a person edits this order in the shop' };
    const answer = await client.send({ method: 'DELETE', path: `/admin/order-edits/${orderId}` }, signal);
    return answer.answered ? await begin() : answer.outcome;
  };

  const prefix = `${channel}/`;
  const writeOne = async (item: StateItem, signal: AbortSignal): Promise<Outcome> => {
    const state = item.state as OrderStatusState;
    if (!item.key.startsWith(prefix)) return { outcome: 'refused', error: `${item.key} is no order of this shop` };
    let hasWritten = false;
    try {
      const there = await read(state.externalNo, signal);
      if (there === undefined) return { outcome: 'refused', error: `the shop has no order ${state.externalNo}` };
      const todo = missing(there, state);
      if (isDone(todo)) return { outcome: 'confirmed' };
      hasWritten = true;
      return await carryOut(there, todo, state, signal);
    } catch (error) {
      if (!(error instanceof CrossdockError)) throw error;
      return { outcome: hasWritten ? 'in_doubt' : 'later', error: error.message };
    }
  };

  return {
    batchMax: batchMaxOf(limits, STATUS_MAX),
    async write(items, signal) {
      const outcomes: Outcome[] = [];
      for (const item of items) outcomes.push(await writeOne(item, signal));
      return outcomes;
    },
    readBack: () => Promise.resolve(new Map()),
    async holds(items, signal) {
      const held = new Set<string>();
      for (const item of items) {
        if (!item.key.startsWith(prefix)) continue;
        const state = item.state as OrderStatusState;
        const there = await read(state.externalNo, signal);
        if (there !== undefined && isDone(missing(there, state))) held.add(item.key);
      }
      return held;
    },
  };
}

/** Pure. @throws Unreadable */
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
    return {
      itemId: id,
      lineNo: index + 1,
      placed: quantityOf(line),
      quantity: detail === undefined ? 0 : detail.integer('quantity', 0),
      fulfilled: detail === undefined ? 0 : detail.integer('fulfilled_quantity', 0),
      shipped: detail === undefined ? 0 : detail.integer('shipped_quantity', 0),
    };
  });
  const unshipped: OrderThere['unshipped'] = [];
  const tracking = new Set<string>();
  for (const [index, entry] of order.list('fulfillments').entries()) {
    const fulfilment = new Fields(entry, `/order/fulfillments/${index}`);
    for (const label of (fulfilment.raw.labels ?? []) as { tracking_number?: unknown }[])
      if (typeof label.tracking_number === 'string') tracking.add(label.tracking_number);
    if (fulfilment.raw.shipped_at != null || fulfilment.raw.canceled_at != null) continue;
    const items = (fulfilment.list('items') as Record<string, unknown>[]).map((item) => ({
      itemId: String(item.line_item_id),
      quantity: Number(item.quantity),
    }));
    const isOurs = (fulfilment.raw.metadata as Record<string, unknown> | null)?.[OUR_NOTE] != null;
    unshipped.push({ id: fulfilment.text('id'), isOurs, items });
  }
  const metadata = (order.raw.metadata ?? {}) as Record<string, unknown>;
  return { id: order.text('id'), isCancelled: order.raw.status === 'canceled', metadata, lines, unshipped, tracking };
}

/** Tracking numbers that the shop does not show yet. */
function labelsOf(state: OrderStatusState, shown: ReadonlySet<string>): unknown[] {
  const numbers = new Set((state.shipments ?? []).flatMap(({ tracking }) => (tracking === null ? [] : [tracking])));
  return [...numbers]
    .filter((number) => !shown.has(number))
    .map((number) => ({ tracking_number: number, tracking_url: '#', label_url: '#' }));
}
