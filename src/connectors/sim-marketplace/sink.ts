import {
  type AvailabilityItem,
  type AvailabilitySink,
  type BatchRoute,
  batchMaxOf,
  type ConnectorContext,
  cursorOf,
  type HttpClient,
  type LookupRoute,
  lookUpOne,
  writeBatch,
} from '../kit/index.ts';

const OFFERS_MAX = 250;

const set: BatchRoute<AvailabilityItem> = {
  path: '/offers/quantity',
  list: 'items',
  itemsMax: OFFERS_MAX,
  keyName: 'sku',
  keyOf: (item) => item.sku,
  bodyOf: ({ sku, quantity, ordersThrough }) => ({ sku, quantity, ordersThrough: cursorOf(ordersThrough) }),
};

const find: LookupRoute<number> = {
  path: '/offers/lookup',
  list: 'skus',
  itemsMax: OFFERS_MAX,
  keyName: 'sku',
  valueOf: (found) => found.integer('quantity', 0),
};

/**
 * The marketplace's number means on hand. There is no compare-and-set: it is told a quantity and the last order that this
 * quantity knows of, and takes off by itself what it sold since. Read back is the quantity it was told, not what it sells
 * from: the one tells whether a write arrived, the other also moves with every sale.
 */
export function availability(client: HttpClient, limits: ConnectorContext['limits']): AvailabilitySink {
  return {
    batchMax: batchMaxOf(limits, OFFERS_MAX),
    write: async (items, signal) => (await writeBatch(client, set, items, signal)).map(({ outcome }) => outcome),
    readBack: (skus, signal) => lookUpOne(client, find, skus, signal),
  };
}
