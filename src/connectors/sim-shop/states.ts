import {
  type BatchRoute,
  batchMaxOf,
  type ConnectorContext,
  type HttpClient,
  type LookupRoute,
  lookUpOne,
  type OrderStatusState,
  type PriceState,
  type StateItem,
  type StateSink,
  unlessConflict,
  writeBatch,
} from '../kit/index.ts';

const PRICES_MAX = 250;
/** The route takes 200; each carries all its lines. */
const STATUS_MAX = 100;
const STATUS_LOOKUP_MAX = 200;

const setPrice: BatchRoute<StateItem> = {
  path: '/prices/set',
  list: 'items',
  itemsMax: PRICES_MAX,
  keyName: 'sku',
  keyOf: (item) => item.key,
  bodyOf({ key, version, state }) {
    const { unitPrice, currency } = state as PriceState;
    return { sku: key, version, unitPrice, currency };
  },
};

const findPrice: LookupRoute<number> = {
  path: '/prices/lookup',
  list: 'skus',
  itemsMax: PRICES_MAX,
  keyName: 'sku',
  valueOf: (found) => found.integer('version', 0),
};

const setStatus: BatchRoute<StateItem> = {
  path: '/orders/status',
  list: 'items',
  itemsMax: STATUS_MAX,
  keyName: 'number',
  keyOf: (item) => (item.state as OrderStatusState).externalNo,
  bodyOf({ version, base, state }) {
    const { externalNo, status, lines } = state as OrderStatusState;
    return {
      number: externalNo,
      version,
      base,
      status,
      lines: lines.map(({ lineNo, cancelled, backordered, refused, shipped, returned }) => {
        return { lineNo, cancelled, backordered, refused, shipped, returned };
      }),
    };
  },
};

const findStatus: LookupRoute<number> = {
  path: '/orders/status/lookup',
  list: 'numbers',
  itemsMax: STATUS_LOOKUP_MAX,
  keyName: 'number',
  valueOf: (found) => found.integer('version', 0),
};

/** It takes an older version as well; that none is sent after a newer one is for the caller to see to. */
export function prices(client: HttpClient, limits: ConnectorContext['limits']): StateSink {
  return {
    batchMax: batchMaxOf(limits, PRICES_MAX),
    write: async (items, signal) => (await writeBatch(client, setPrice, items, signal)).map(({ outcome }) => outcome),
    readBack: (skus, signal) => lookUpOne(client, findPrice, skus, signal),
  };
}

/** The system knows its orders by their number; publications know them by `<channel>/<number>`. */
export function orderStatus(client: HttpClient, limits: ConnectorContext['limits'], channel: string): StateSink {
  const prefix = `${channel}/`;
  return {
    batchMax: batchMaxOf(limits, STATUS_MAX),
    takesChanges: true,
    write: async (items, signal) => (await writeBatch(client, setStatus, items, signal)).map(unlessConflict),
    async readBack(keys, signal) {
      // Keys of other channels are not here; asked without their channel, they could be taken for a namesake of ours.
      const numbers = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      const versions = await lookUpOne(client, findStatus, numbers, signal);
      return new Map([...versions].map(([number, version]) => [prefix + number, version]));
    },
  };
}
