import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Clock,
  type HttpClient,
  type KeysetRow,
  keysetSource,
  type Place,
  type Source,
  systemClock,
} from '../kit/index.ts';
import { mapOrders, type OrderRow, type OrderSettings } from './map.ts';

const PAGE_ORDERS = 50;
/** A change that commits later than this after its own time is met at the next one of its order only. */
export const OVERLAP_MS = 30_000;

/** Asked for with the totals, from which prices without tax and discount come. */
export const ORDER_FIELDS = [
  'id,display_id,status,version,currency_code,email,sales_channel_id,created_at,updated_at,canceled_at,metadata,total,payment_status',
  '*items,*items.tax_lines,*items.adjustments',
].join(',');

/**
 * The shop makes the order first, then its reservations and its payment, and throws the order away where one of them fails. So long one that is
 * not paid for may still be in the making; its checkout holds a lock for no longer.
 */
export const MAKING_MS = 30_000;
/** Until it is looked at again. */
const LOOK_AGAIN_MS = 250;

interface RawOrder {
  id: string;
  version?: unknown;
  updated_at: string;
  created_at?: unknown;
  payment_status?: unknown;
}

/** Beside a page's orders, of those that were edited: how they were placed, and what was changed. */
type Extra = Record<string, { original: unknown; changes: unknown[] }>;

export function orders(
  client: HttpClient,
  salesChannels: readonly string[],
  settings: OrderSettings,
  clock: Clock = systemClock,
): Source {
  const channels = salesChannels.map((id) => `&sales_channel_id[]=${id}`).join('');
  const list = async (query: string, signal: AbortSignal) => {
    const path = `/admin/orders?limit=${PAGE_ORDERS}&fields=${ORDER_FIELDS}${channels}${query}`;
    const { value, body, contentType } = await client.read(path, signal);
    const found = (value as { orders?: unknown } | null)?.orders;
    if (!Array.isArray(found)) client.malformed('GET', path, 'orders is not a list');
    for (const order of found as Partial<RawOrder>[])
      if (typeof order?.id !== 'string' || typeof order.updated_at !== 'string')
        client.malformed('GET', path, 'an order has no id or no time of change');
    return { orders: found as RawOrder[], body, contentType };
  };

  /**
   * The shop sorts by one field only, so orders of one moment come in any order. A full page is cut before its last moment, which is
   * read by id once nothing else is before it.
   */
  const readPage = async (after: Place | undefined, signal: AbortSignal) => {
    const page = await list(`&order=updated_at${after === undefined ? '' : `&updated_at[$gte]=${after.at}`}`, signal);
    const beyond = page.orders
      .filter((order) => after === undefined || isBeyond(placeOf(order), after))
      .sort((a, b) => (isBeyond(placeOf(a), placeOf(b)) ? 1 : -1));
    if (page.orders.length < PAGE_ORDERS) return { ...page, orders: beyond, more: false };
    const last = page.orders.at(-1)!.updated_at;
    const before = beyond.filter((order) => order.updated_at < last);
    if (before.length > 0) return { ...page, orders: before, more: true };
    const id = after?.at === last ? after.id : '';
    const moment = `&updated_at[$gte]=${last}&updated_at[$lt]=${momentAfter(last)}`;
    const same = await list(`&order=id&id[$gt]=${id === '' ? '0' : id}${moment}`, signal);
    if (same.orders.length > 0) return { ...same, more: true };
    const rest = await list(`&order=updated_at&updated_at[$gte]=${momentAfter(last)}`, signal);
    const full = rest.orders.length === PAGE_ORDERS;
    const end = rest.orders.at(-1)?.updated_at;
    const kept = full ? rest.orders.filter((order) => order.updated_at < end!) : rest.orders;
    kept.sort((a, b) => (isBeyond(placeOf(a), placeOf(b)) ? 1 : -1));
    if (full && kept.length === 0) {
      const group = await list(`&order=id&updated_at[$gte]=${end}&updated_at[$lt]=${momentAfter(end!)}`, signal);
      return { ...group, more: true };
    }
    return { ...rest, orders: kept, more: full };
  };

  /** A fulfilment makes a new version, too; only edits make an order differ from what was placed. */
  const extraOf = async (order: RawOrder, signal: AbortSignal): Promise<Extra[string] | undefined> => {
    if (order.version === 1) return undefined;
    const path = `/admin/orders/${order.id}/changes`;
    const { value } = await client.read(path, signal);
    const changes = (value as { order_changes?: unknown } | null)?.order_changes;
    if (!Array.isArray(changes)) client.malformed('GET', path, 'order_changes is not a list');
    if (!(changes as unknown[]).some(changesItems)) return undefined;
    const original = await client.read(`/admin/orders/${order.id}?version=1&fields=${ORDER_FIELDS}`, signal);
    return { original: (original.value as { order?: unknown } | null)?.order, changes: changes as unknown[] };
  };

  /** By our own clock, since the shop's may be ahead of ours: whatever it says, an order is held back for so long at most. */
  const seenAt = new Map<string, number>();
  const sinceSeen = ({ id, payment_status: payment }: RawOrder): number => {
    if (payment !== 'not_paid') return MAKING_MS;
    const at = seenAt.get(id) ?? clock.now();
    seenAt.set(id, at);
    if (seenAt.size > 1_000) seenAt.delete(seenAt.keys().next().value!);
    return clock.now() - at;
  };

  return keysetSource({
    feed: 'orders',
    pageMax: PAGE_ORDERS,
    overlapMs: OVERLAP_MS,
    async read(after, _limit, signal) {
      const found = await readPage(after, signal);
      const making = found.orders.findIndex((order) => isInTheMaking(order, sinceSeen(order)));
      const page = making < 0 ? found : { ...found, orders: found.orders.slice(0, making) };
      if (making === 0) await sleep(LOOK_AGAIN_MS, undefined, { signal });
      const extra: Extra = {};
      for (const order of page.orders) {
        const edited = await extraOf(order, signal);
        if (edited !== undefined) extra[order.id] = edited;
      }
      const rows = page.orders.map((order): KeysetRow => ({ ...placeOf(order), raw: rowOf(order, extra) }));
      const body =
        Object.keys(extra).length === 0
          ? page.body
          : Buffer.concat([Buffer.from('{"page":'), page.body, Buffer.from(`,"edited":${JSON.stringify(extra)}}`)]);
      return { body, contentType: page.contentType, rows, more: page.more, isHeld: making >= 0 };
    },
    map: (rows) => mapOrders(rows, settings),
    rowsOf: rowsOfPage,
  });
}

/** The rows of a page, from its bytes. */
export function rowsOfPage(body: Buffer): OrderRow[] {
  const value = JSON.parse(body.toString('utf8')) as {
    orders?: RawOrder[];
    page?: { orders: RawOrder[] };
    edited?: Extra;
  };
  const found = value.page?.orders ?? value.orders ?? [];
  return found.map((order) => rowOf(order, value.edited ?? {}));
}

function rowOf(order: RawOrder, extra: Extra): OrderRow {
  return { order, ...extra[order.id] };
}

function changesItems(change: unknown): boolean {
  const { status, actions } = (change ?? {}) as { status?: unknown; actions?: { action?: unknown }[] };
  return (
    status === 'confirmed' && (actions ?? []).some(({ action }) => /^ITEM_(ADD|UPDATE|REMOVE)$/.test(String(action)))
  );
}

function isInTheMaking({ payment_status: payment, created_at: created }: RawOrder, seenForMs: number): boolean {
  return payment === 'not_paid' && seenForMs < MAKING_MS && Date.now() - Date.parse(String(created)) < MAKING_MS;
}

const placeOf = (order: RawOrder): Place => ({ at: order.updated_at, id: order.id });

function isBeyond(one: Place, other: Place): boolean {
  return one.at > other.at || (one.at === other.at && one.id > other.id);
}

/** The shop keeps more digits than it says. */
function momentAfter(at: string): string {
  return new Date(Date.parse(at) + 1).toISOString();
}
