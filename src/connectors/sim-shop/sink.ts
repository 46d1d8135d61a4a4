import {
  type AvailabilityItem,
  type AvailabilitySink,
  type BatchRoute,
  batchMaxOf,
  type ConnectorContext,
  type HttpClient,
  type LookupRoute,
  lookUpOne,
  writeBatch,
} from '../kit/index.ts';

const INVENTORY_MAX = 250;
const CONFLICT = 409;

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
  return {
    batchMax: batchMaxOf(limits, INVENTORY_MAX),
    async write(items, signal) {
      const answers = await writeBatch(client, set, items, signal);
      return answers.map(({ status, outcome }) => (status === CONFLICT ? { outcome: 'conflict' } : outcome));
    },
    readBack: (skus, signal) => lookUpOne(client, find, skus, signal),
  };
}
