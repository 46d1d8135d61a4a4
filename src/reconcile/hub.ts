import { numbers, type Queryable } from '../store/index.ts';
import * as statements from './hub.sql.ts';

const ORDERS_PER_PAGE = 200;
const ROWS_PER_PAGE = 2_000;
const FULFILMENTS_PER_PAGE = 4_000;

export interface HubOrder extends Omit<statements.HubOrderRow, 'order_id'> {
  channel: string;
  /** The system that sells for this channel, if one does. */
  system: string | null;
  lines: statements.HubLineRow[];
}

/** All orders in the order of `<channel>/<external number>`, a page at a time. */
export async function* hubOrders(db: Queryable): AsyncGenerator<HubOrder[]> {
  for (const channel of await db.query(statements.readChannels)) {
    let after = '';
    for (;;) {
      const rows = await db.query(statements.readOrders, [channel.channel_id, after, ORDERS_PER_PAGE]);
      if (rows.length === 0) break;
      const lines = new Map<number, statements.HubLineRow[]>(rows.map((row) => [row.order_id, []]));
      for (const line of await db.query(statements.readLines, [numbers(rows.map((row) => row.order_id))]))
        lines.get(line.order_id)!.push(line);
      yield rows.map(({ order_id, ...row }) => ({
        ...row,
        channel: channel.code,
        system: channel.system,
        lines: lines.get(order_id)!,
      }));
      after = rows.at(-1)!.external_no;
    }
  }
}

export interface HubCharge {
  key: string;
  /** How often it was recorded: once. */
  count: number;
  charge: string;
  account: string;
  code: string;
  quantity: number;
  amountMinor: number;
  currency: string;
}

export async function* hubCharges(db: Queryable): AsyncGenerator<HubCharge[]> {
  let stream = 'charge/';
  let version = 0;
  for (;;) {
    const rows = await db.query(statements.readCharges, [stream, version, ROWS_PER_PAGE]);
    const last = rows.at(-1);
    if (last === undefined) return;
    const page = new Map<string, HubCharge>();
    for (const row of rows) {
      const key = row.stream.slice('charge/'.length);
      const known = page.get(key);
      if (known === undefined) page.set(key, { ...(row.data as Omit<HubCharge, 'key' | 'count'>), key, count: 1 });
      else known.count++;
    }
    yield [...page.values()];
    stream = last.stream;
    version = last.stream_version;
  }
}

async function* byKey<Row extends { key: string }>(read: (after: string) => Promise<Row[]>): AsyncGenerator<Row[]> {
  let after = '';
  for (;;) {
    const rows = await read(after);
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1)!.key;
  }
}

export function hubFulfilments(db: Queryable): AsyncGenerator<statements.HubFulfilmentRow[]> {
  return byKey((after) => db.query(statements.readFulfilments, [after, FULFILMENTS_PER_PAGE]));
}

export function hubReturns(db: Queryable): AsyncGenerator<statements.HubReturnRow[]> {
  return byKey((after) => db.query(statements.readReturns, [after, FULFILMENTS_PER_PAGE]));
}

/** On hand by `<location>/<SKU>`. */
export async function* hubStock(db: Queryable): AsyncGenerator<{ key: string; onHand: number }[]> {
  for (const location of await db.query(statements.readLocations)) {
    let after = '';
    for (;;) {
      const rows = await db.query(statements.readShelf, [location.location_id, after, ROWS_PER_PAGE]);
      if (rows.length === 0) break;
      yield rows.map((row) => ({ key: `${location.code}/${row.sku}`, onHand: row.on_hand }));
      after = rows.at(-1)!.sku;
    }
  }
}
