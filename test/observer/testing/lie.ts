/** What a lie is made of, and how one is told. */
import type { PromiseName } from '../promises/index.ts';
import type { SystemName } from '../promises/world.ts';
import type { Edit, Told } from './tamper.ts';

export interface Lie {
  /** In the hub's tables. Each must change something. */
  sql?: string[];
  /** What a system says when it is asked. */
  says?: [SystemName, string, Edit];
  /** A line more of what a system kept, or of what a caller was answered. */
  kept?: [SystemName, object];
  answered?: object;
}

export const first =
  (change: (record: Told) => void): Edit =>
  (records) =>
    void (records.length > 0 && change(records[0]!));
export const remove: Edit = (records) => void records.splice(2, 1);
/** One record more in a feed, made of one that is there. */
export const again =
  (is: (record: Told) => boolean, change: Told = {}): Edit =>
  (records) =>
    void records.push({ ...records.find(is), ...change, seq: records.at(-1)!.seq + 1 });
export const one = (table: string, columns: string, where = 'true'): string =>
  `(${columns}) = (select ${columns} from ${table} where ${where} order by ${columns} limit 1)`;
export const shelf = (where: string): string => one('stock_balance', 'sku_id, location_id', where);
export const anOrder = one('sales_order', 'order_id', "state = 'closed'");
export const aShipment = one('delivery', 'delivery_id', "kind = 'shipment_posting'");

/** The promise it breaks, what it is, the lie, and the words in which the observer must name it. */
export type NamedLie = [PromiseName, string, Lie, RegExp];
