import {
  type BatchRoute,
  type ConnectorContext,
  type HttpClient,
  keyedSink,
  type OrderStatusState,
  type StateItem,
  type StateSink,
  unlessConflict,
  versionLookup,
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

const lookup = versionLookup('/orders/lookup', 'externalIds', 'externalId', LOOKUP_MAX);

/** The external id is the publication's key, `<channel>/<external number>`: the CRM shows the orders of all channels. */
export function orderStatus(client: HttpClient, limits: ConnectorContext['limits']): StateSink {
  return { ...keyedSink(client, limits, upsert, lookup, unlessConflict), takesChanges: true };
}
