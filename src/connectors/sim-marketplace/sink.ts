import {
  type AvailabilityItem,
  type AvailabilitySink,
  type BatchRoute,
  type ConnectorContext,
  channelStatusSink,
  cursorOf,
  type HttpClient,
  keyedSink,
  type LookupRoute,
  priceSink,
  type StateSink,
} from '../kit/index.ts';

const OFFERS_MAX = 250;
/** The route takes 200; each carries all its lines. */
const STATUS_MAX = 100;
const STATUS_LOOKUP_MAX = 200;

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
  return keyedSink(client, limits, set, find);
}

/** It takes an older version as well; that none is sent after a newer one is for the caller to see to. */
export function prices(client: HttpClient, limits: ConnectorContext['limits']): StateSink {
  const routes = {
    write: '/offers/price',
    writeMax: OFFERS_MAX,
    lookup: '/offers/price/lookup',
    lookupMax: OFFERS_MAX,
  };
  return priceSink(client, limits, routes);
}

export function orderStatus(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  channel: string,
  showsChanges = false,
): StateSink {
  const routes = {
    write: '/orders/status',
    writeMax: STATUS_MAX,
    lookup: '/orders/status/lookup',
    lookupMax: STATUS_LOOKUP_MAX,
  };
  return channelStatusSink(client, limits, channel, routes, { showsChanges });
}
