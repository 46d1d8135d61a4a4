import {
  type BatchRoute,
  batchMaxOf,
  type ConnectorContext,
  type HttpClient,
  type LookupRoute,
  lookUpOne,
  type OrderStatusState,
  type StateItem,
  type StateSink,
  unlessConflict,
  writeBatch,
} from '../kit/index.ts';

/** The route takes 200. Records carry all their lines, so a hundred is where a call stops getting cheaper per record. */
const STATUS_MAX = 100;
const LOOKUP_MAX = 200;

const upsert: BatchRoute<StateItem> = {
  path: '/orders/upsert',
  list: 'records',
  itemsMax: STATUS_MAX,
  keyName: 'externalId',
  keyOf: (item) => item.key,
  bodyOf({ key, version, base, state }) {
    const { status, account, currency, totalMinor, lines } = state as OrderStatusState;
    return { externalId: key, version, base, status, account, currency, totalMinor, lines };
  },
};

const lookup: LookupRoute<number> = {
  path: '/orders/lookup',
  list: 'externalIds',
  itemsMax: LOOKUP_MAX,
  keyName: 'externalId',
  valueOf: (found) => found.integer('version', 0),
};

/** The external id is the publication's key, `<channel>/<external number>`: the CRM shows the orders of all channels. */
export function orderStatus(client: HttpClient, limits: ConnectorContext['limits']): StateSink {
  return {
    batchMax: batchMaxOf(limits, STATUS_MAX),
    takesChanges: true,
    write: async (items, signal) => (await writeBatch(client, upsert, items, signal)).map(unlessConflict),
    readBack: (keys, signal) => lookUpOne(client, lookup, keys, signal),
  };
}
