/** What buyers and the shop's people did: orders by when they were placed, changes by when they were made, and all that is open. */
import { fail, type InboundItem } from '../../canonical/index.ts';
import { type FeedPage, Fields, type KeysetPage, keysetSource, type Place, type Source } from '../kit/index.ts';
import { type Answered, listOf, type Shop, TAKE_MAX } from './client.ts';
import { mapOrders, type OrderTerms, orderFields, type Part } from './map.ts';

/**
 * Both times are the server's, taken before the commit; a payment is one short transaction. A row that commits later than this after
 * its own time would be met by the changes or by the look at everything open only.
 */
export const OVERLAP_MS = 60_000;

const readOf = (
  fields: string,
) => `query ($filter: OrderFilterParameter, $sort: OrderSortParameter, $skip: Int, $take: Int) {
  orders(options: { filter: $filter, sort: $sort, skip: $skip, take: $take }) { totalItems items { ${fields} } }
}`;

type TimeField = 'orderPlacedAt' | 'updatedAt';

/**
 * Vendure has no filter "id greater than", and its times are kept in microseconds and told in milliseconds. So rows are asked for from
 * the millisecond before, those at or below the place are left out, and a page never ends within a millisecond.
 */
export async function readBeyond(
  shop: Shop,
  fields: string,
  field: TimeField,
  after: Place | undefined,
  limit: number,
  signal: AbortSignal,
): Promise<KeysetPage> {
  const since = after === undefined ? {} : { [field]: { after: millisecondBefore(after.at) } };
  const filter = { _and: [{ orderPlacedAt: { isNull: false } }, since] };
  const sort = { [field]: 'ASC', id: 'ASC' };
  const take = Math.min(limit, TAKE_MAX);
  const bodies: Buffer[] = [];
  const found: { at: string; id: string; raw: Answered }[] = [];
  for (;;) {
    const { data, body } = await shop.ask(readOf(fields), { filter, sort, skip: found.length, take }, signal);
    const list = listOf(data, 'orders') ?? shop.malformed('orders is not a list');
    bodies.push(body);
    for (const raw of list.items) {
      const { [field]: at, id } = raw;
      if (typeof at !== 'string' || typeof id !== 'string') return shop.malformed(`an order without ${field} or id`);
      found.push({ at, id: /^\d+$/.test(id) ? id.padStart(20, '0') : id, raw });
    }
    const more = list.items.length > 0 && found.length < list.totalItems;
    const last = found.at(-1)?.at;
    // The last millisecond may go on beyond this page.
    const whole = more ? found.filter((row) => row.at !== last) : found;
    const rows = whole
      .filter((row) => after === undefined || row.at > after.at || (row.at === after.at && row.id > after.id))
      .sort((one, other) => (one.at < other.at || (one.at === other.at && one.id < other.id) ? -1 : 1));
    if (rows.length > 0 || !more) return { body: joined(bodies), contentType: 'application/json', rows, more };
  }
}

function millisecondBefore(at: string): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) fail('XD_VALUE_INVALID', 'the cursor is not one of this feed', { cursor: at.slice(0, 40) });
  return new Date(time - 1).toISOString();
}

/** Answers as they came, in a list. */
export function joined(bodies: readonly Buffer[]): Buffer {
  const parts = bodies.flatMap((body, index) => (index === 0 ? [body] : [Buffer.from(','), body]));
  return Buffer.concat([Buffer.from('['), ...parts, Buffer.from(']')]);
}

export function ordersIn(answers: unknown): unknown[] {
  if (!Array.isArray(answers)) return [];
  return answers.flatMap((answer) => listOf((answer as { data?: Answered } | null)?.data ?? {}, 'orders')?.items ?? []);
}

/** A look at everything open: rows that changed without a time of change, and levels that lie. */
export interface OpenLook {
  /**
   * @param taken the name of the look whose orders were taken, as it stands in the cursor
   * @returns the orders with changes that weren't handed over, as they came; nothing where there are none or it isn't time to look
   */
  look(taken: string, signal: AbortSignal): Promise<{ name: string; body: Buffer } | undefined>;
}

/** The feed's cursor: of the orders, of the changes, and the last look that brought something. */
interface Cursors {
  placed: string;
  changed: string;
  looked: string;
}

/**
 * One feed, since numbers may be freed only once the channel's orders are read, and a second feed would say that it is drained.
 *
 * Placing an order doesn't touch its `updatedAt`: a buyer who paid ten minutes after the last change of the basket would be below a
 * cursor of that time for ever. So orders are read by `orderPlacedAt`. A cancel sets `updatedAt`; a change of an order by the shop's
 * people sets nothing at all, and is met by the look at everything open.
 */
export function orders(shop: Shop, terms: OrderTerms, open: OpenLook): Source {
  const keyset = (part: Part, field: TimeField) =>
    keysetSource({
      feed: part,
      pageMax: TAKE_MAX,
      overlapMs: OVERLAP_MS,
      read: (after, limit, signal) =>
        readBeyond(shop, orderFields(terms.reservationsField), field, after, limit, signal),
      map: (rows) => mapOrders(rows, terms, part),
      rowsOf: (body) => ordersIn(JSON.parse(body.toString('utf8'))),
    });
  const placed = keyset('placed', 'orderPlacedAt');
  const changed = keyset('changed', 'updatedAt');
  const itemsOf = (body: Buffer) => {
    const page = JSON.parse(body.toString('utf8')) as Partial<Record<Part, unknown>>;
    const parts = (['placed', 'changed', 'open'] as const).flatMap((part) =>
      mapOrders(ordersIn(page[part]), terms, part),
    );
    return once(parts);
  };
  return {
    feed: 'orders',
    reread: itemsOf,
    async poll(cursor, signal): Promise<FeedPage> {
      const before = cursorsOf(cursor);
      const sold = await placed.poll(before.placed, signal);
      // A cancel follows its order: what was sold is read to its end first.
      const told = sold.drained ? await changed.poll(before.changed, signal) : undefined;
      const rest = told?.drained === true ? await open.look(before.looked, signal) : undefined;
      const openItems =
        rest === undefined ? [] : mapOrders(ordersIn(JSON.parse(rest.body.toString('utf8'))), terms, 'open');
      const items = [...sold.items, ...(told?.items ?? []), ...openItems];
      const next: Cursors = {
        placed: sold.cursor,
        changed: told?.cursor ?? before.changed,
        looked: rest?.name ?? before.looked,
      };
      return {
        body: pageOf({ placed: sold.body, changed: told?.body, open: rest?.body }),
        contentType: 'application/json',
        items: once(items),
        cursor: JSON.stringify(next),
        drained: told?.drained === true,
      };
    },
  };
}

/** A cancel may be met by its time and by the look at everything open at once: it is the same thing, and is told once. */
function once(items: readonly InboundItem[]): InboundItem[] {
  const seen = new Map<string, InboundItem>();
  for (const item of items) {
    const name = `${item.scope} ${item.key}`;
    if (!seen.has(name)) seen.set(name, item);
  }
  return [...seen.values()].map((item, itemNo) => ({ ...item, itemNo }));
}

function pageOf(parts: Readonly<Record<Part, Buffer | undefined>>): Buffer {
  const given = Object.entries(parts).filter((part): part is [string, Buffer] => part[1] !== undefined);
  const bytes = given.flatMap(([name, body], index) => [Buffer.from(`${index === 0 ? '{' : ','}"${name}":`), body]);
  return Buffer.concat([...bytes, Buffer.from('}')]);
}

function cursorsOf(cursor: string): Cursors {
  if (cursor === '') return { placed: '', changed: '', looked: '' };
  try {
    const { placed, changed, looked } = new Fields(JSON.parse(cursor), '').raw;
    if (typeof placed === 'string' && typeof changed === 'string' && typeof looked === 'string')
      return { placed, changed, looked };
  } catch {
    // Told below.
  }
  return fail('XD_VALUE_INVALID', 'the cursor is not one of this feed', { cursor: cursor.slice(0, 100) });
}

/**
 * From when on orders may not be in the ledger yet, by what the feed's cursor says: the newest that was read, less the overlap in which
 * others may have become visible since. undefined: nobody knows.
 */
export function unreadSince(cursor: string): string | undefined {
  try {
    const { h } = JSON.parse(cursorsOf(cursor).placed) as { h?: Place };
    const at = Date.parse(h?.at ?? '');
    return Number.isNaN(at) ? undefined : new Date(at - OVERLAP_MS).toISOString();
  } catch {
    return undefined;
  }
}
