/**
 * Goods that came back, as returns of the shop. They are received as written off (`dismiss-items`): the other way (`receive-items`) puts
 * them on the shop's shelf, and the hub's own number has them already.
 */
import type { HttpClient, Outcome } from '../kit/index.ts';
import { OUR_NOTE } from './map.ts';
import type { OrderThere, Part } from './status-plan.ts';

export interface ReturnThere {
  id: string;
  status: string;
  locationId: string | null;
  items: { itemId: string; open: number }[];
}

/** Pure. Units per return that the shop awaits already, oldest first, and what none of them has. */
export function spread(
  parts: readonly Part[],
  returns: readonly ReturnThere[],
  awaited: ReadonlyMap<string, number>,
): { receive: { id: string; locationId: string | null; items: Part[] }[]; rest: Part[] } {
  const left = new Map(parts.map(({ itemId, quantity }) => [itemId, quantity]));
  // The shop counts what a second receipt of one return brings anew: the order's line knows better how much is still to come.
  const stillAwaited = new Map(awaited);
  const receive = returns
    .filter(({ status }) => status === 'requested' || status === 'partially_received')
    .flatMap(({ id, locationId, items }) => {
      const taken: Part[] = [];
      for (const { itemId, open } of items) {
        const quantity = Math.min(open, left.get(itemId) ?? 0, stillAwaited.get(itemId) ?? 0);
        if (quantity <= 0) continue;
        left.set(itemId, left.get(itemId)! - quantity);
        stillAwaited.set(itemId, stillAwaited.get(itemId)! - quantity);
        taken.push({ itemId, quantity });
      }
      return taken.length === 0 ? [] : [{ id, locationId, items: taken }];
    });
  const rest = [...left].flatMap(([itemId, quantity]) => (quantity > 0 ? [{ itemId, quantity }] : []));
  return { receive, rest };
}

type Send = (path: string, json: unknown, signal: AbortSignal) => Promise<Outcome | undefined>;

/**
 * The shop counts per line what came back, so the difference to what we say is what is left to do, wherever a try broke off: a request
 * of ours that nobody received is received by the next one, and a change that was begun and not confirmed is thrown away.
 */
export async function takeBack(
  client: HttpClient,
  send: Send,
  there: OrderThere,
  parts: readonly Part[],
  locationId: string,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const awaited = new Map(there.lines.map((line) => [line.itemId, line.awaited]));
  const { receive, rest } = spread(parts, await returnsOf(client, there.id, signal), awaited);
  for (const { id, locationId: at, items } of receive) {
    if (at === null) {
      const fault = await send(`/admin/returns/${id}`, { location_id: locationId }, signal);
      if (fault !== undefined) return fault;
    }
    const fault = await receiveItems(client, send, there.id, id, items, signal);
    if (fault !== undefined) return fault;
  }
  if (rest.length === 0) return undefined;
  const asked = { order_id: there.id, location_id: locationId, internal_note: `${OUR_NOTE}: came back` };
  const begin = () => client.write('/admin/returns', { ...asked, no_notification: true }, signal);
  let begun = await begin();
  if (!begun.answered) {
    const fault = await throwAway(client, there.id, begun.outcome, signal);
    if (fault !== undefined) return fault;
    begun = await begin();
  }
  if (!begun.answered) return begun.outcome;
  const id = (begun.value as { return?: { id?: unknown } } | null)?.return?.id;
  if (typeof id !== 'string') return { outcome: 'in_doubt', error: 'it began a return without an id' };
  for (const [path, json] of [
    ['request-items', { items: rest.map(({ itemId, quantity }) => ({ id: itemId, quantity })) }],
    ['request', { no_notification: true }],
  ] as const) {
    const fault = await send(`/admin/returns/${id}/${path}`, json, signal);
    if (fault !== undefined) return fault;
  }
  return receiveItems(client, send, there.id, id, rest, signal);
}

async function receiveItems(
  client: HttpClient,
  send: Send,
  orderId: string,
  id: string,
  items: readonly Part[],
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const begin = () => send(`/admin/returns/${id}/receive`, { internal_note: `${OUR_NOTE}: came back` }, signal);
  let fault = await begin();
  if (fault !== undefined) fault = (await throwAway(client, orderId, fault, signal)) ?? (await begin());
  const body = { items: items.map(({ itemId, quantity }) => ({ id: itemId, quantity })) };
  fault ??= await send(`/admin/returns/${id}/dismiss-items`, body, signal);
  return fault ?? (await send(`/admin/returns/${id}/receive/confirm`, { no_notification: true }, signal));
}

/** An open change of ours that stands in the way; a person's is waited for. @returns undefined once nothing does */
async function throwAway(
  client: HttpClient,
  orderId: string,
  fault: Outcome,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  if (fault.outcome !== 'later' || !/active order change/.test(fault.error)) return fault;
  const { value } = await client.read(`/admin/orders/${orderId}/changes`, signal);
  const changes = (value as { order_changes?: Record<string, unknown>[] } | null)?.order_changes ?? [];
  const open = changes.find(({ status }) => status === 'pending' || status === 'requested');
  if (typeof open?.internal_note !== 'string' || !open.internal_note.startsWith(OUR_NOTE))
    return { outcome: 'later', error: 'a person changes this order in the shop' };
  const id = String(open.return_id);
  const paths: Record<string, string> = {
    edit: `/admin/order-edits/${orderId}`,
    return_request: `/admin/returns/${id}/request`,
    return_receive: `/admin/returns/${id}/receive`,
  };
  const path = paths[String(open.change_type)];
  if (path === undefined) return fault;
  const answer = await client.send({ method: 'DELETE', path }, signal);
  return answer.answered ? undefined : answer.outcome;
}

async function returnsOf(client: HttpClient, orderId: string, signal: AbortSignal): Promise<ReturnThere[]> {
  const path = `/admin/returns?order_id=${orderId}&limit=100&order=created_at&fields=id,status,location_id,*items`;
  const { value } = await client.read(path, signal);
  const list = (value as { returns?: unknown } | null)?.returns;
  if (!Array.isArray(list)) return client.malformed('GET', '/admin/returns', 'returns is not a list');
  return (list as Record<string, unknown>[]).map((row) => ({
    id: String(row.id),
    status: String(row.status),
    locationId: typeof row.location_id === 'string' ? row.location_id : null,
    items: ((row.items ?? []) as Record<string, unknown>[]).map((item) => ({
      itemId: String(item.item_id),
      open: Number(item.quantity) - Number(item.received_quantity ?? 0),
    })),
  }));
}
