/** What became of an order, as the shop's own fulfilments, shipments and cancels. */
import { CrossdockError } from '../../canonical/index.ts';
import {
  batchMaxOf,
  type ConnectorContext,
  type HttpClient,
  type OrderStatusState,
  type Outcome,
  type StateItem,
  type StateSink,
  Unreadable,
} from '../kit/index.ts';
import { INVOICES, OUR_CANCEL, OUR_NOTE, OUR_SHIPMENT } from './map.ts';
import { takeBack } from './returns.ts';
import { isDone, type Label, missing, type OrderThere, orderThere, type Part, type Todo } from './status-plan.ts';

const STATUS_MAX = 10;
interface OrderAnswer {
  order?: { fulfillments?: Record<string, unknown>[] };
}

/** Of those that were not there before. Their ids grow. */
function newestUnshipped(order: OrderAnswer['order'], known: ReadonlySet<string>): string | undefined {
  const open = (order?.fulfillments ?? []).filter(
    (f) => typeof f.id === 'string' && f.shipped_at == null && f.canceled_at == null && !known.has(f.id),
  );
  return open
    .map(({ id }) => id as string)
    .sort()
    .at(-1);
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
    for (const { id, items, labels } of todo.ship) steps.push(() => ship(there.id, id, items, labels, signal));
    const known = new Set(there.fulfilments.map(({ id }) => id));
    for (const parcel of todo.fulfil) steps.push(() => fulfil(there.id, parcel, known, signal));
    if (todo.takeBack.length > 0)
      steps.push(() => takeBack(client, send, there, todo.takeBack, locationIds[0]!, signal));
    if (todo.invoices !== null)
      steps.push(() => send(order, { metadata: { ...there.metadata, [INVOICES]: todo.invoices } }, signal));
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
    items: readonly Part[],
    labels: readonly Label[],
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
    { shipment, items, labels }: Todo['fulfil'][number],
    known: Set<string>,
    signal: AbortSignal,
  ): Promise<Outcome | undefined> => {
    const query = items.map(({ itemId }) => `line_item_id[]=${itemId}`).join('&');
    const path = `/admin/reservations?limit=1000&fields=id,quantity,location_id,line_item_id&${query}`;
    const rows = ((await client.read(path, signal)).value as { reservations?: Record<string, unknown>[] })
      ?.reservations;
    const perLocation = new Map<string, Part[]>();
    const toShow = [...labels];
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
        metadata: { [OUR_NOTE]: 'fulfilled elsewhere', ...(shipment !== null && { [OUR_SHIPMENT]: shipment }) },
      };
      const answer = await client.write(`/admin/orders/${orderId}/fulfillments`, body, signal);
      if (!answer.answered) return answer.outcome;
      const newest =
        newestUnshipped((answer.value as OrderAnswer)?.order, known) ??
        newestUnshipped((await readFulfilments(orderId, signal))?.order, known);
      if (newest === undefined) return { outcome: 'later', error: 'fulfilled, and not shown yet' };
      known.add(newest);
      const fault = await ship(orderId, newest, parts, toShow.splice(0), signal);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };

  const readFulfilments = async (orderId: string, signal: AbortSignal): Promise<OrderAnswer | null> =>
    (await client.read(`/admin/orders/${orderId}?fields=id,*fulfillments`, signal)).value as OrderAnswer | null;

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
    wants: ['shipments', 'invoices'],
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
