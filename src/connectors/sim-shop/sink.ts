import {
  type AvailabilityItem,
  type AvailabilitySink,
  type BatchRoute,
  type ConnectorContext,
  channelStatusSink,
  type HttpClient,
  keyedSink,
  type LookupRoute,
  priceSink,
  type StateSink,
  unlessConflict,
} from '../kit/index.ts';

const INVENTORY_MAX = 250;
const PRICES_MAX = 250;
/** The route takes 200; each carries all its lines. */
const STATUS_MAX = 100;
const STATUS_LOOKUP_MAX = 200;

const set: BatchRoute<AvailabilityItem> = {
  path: '/inventory/set',
  list: 'items',
  itemsMax: INVENTORY_MAX,
  keyName: 'sku',
  keyOf: (item) => item.sku,
  bodyOf: ({ sku, from, quantity }) => ({ sku, from, to: quantity }),
};

const find: LookupRoute<number> = {
  path: '/inventory/lookup',
  list: 'skus',
  itemsMax: INVENTORY_MAX,
  keyName: 'sku',
  valueOf: (found) => found.integer('available', 0),
};

/**
 * The shop's number is what it may sell from now on, and each sale takes it down. So it is only set where it still is what we
 * last saw: a sale that we have not read yet makes a conflict and is never overwritten.
 */
export function availability(client: HttpClient, limits: ConnectorContext['limits']): AvailabilitySink {
  return keyedSink(client, limits, set, find, unlessConflict);
}

/** It takes an older version as well; that none is sent after a newer one is for the caller to see to. */
export function prices(client: HttpClient, limits: ConnectorContext['limits']): StateSink {
  const routes = { write: '/prices/set', writeMax: PRICES_MAX, lookup: '/prices/lookup', lookupMax: PRICES_MAX };
  return priceSink(client, limits, routes);
}

/** @param shows `wants`: whether buyers are shown tracking numbers: each costs the hub a look at the order's shipments */
export function orderStatus(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  channel: string,
  shows: Parameters<typeof channelStatusSink>[4] = {},
): StateSink {
  const routes = {
    write: '/orders/status',
    writeMax: STATUS_MAX,
    lookup: '/orders/status/lookup',
    lookupMax: STATUS_LOOKUP_MAX,
  };
  return channelStatusSink(client, limits, channel, routes, shows);
}
