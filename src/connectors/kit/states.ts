/** What a channel shows its buyers, told with a version: prices by SKU, orders by their number. */
import { type BatchRoute, keyedSink, type LookupRoute, unlessConflict } from './batch.ts';
import type { HttpClient } from './http.ts';
import type { ConnectorContext, OrderStatusState, PriceState, StateItem, StateSink } from './types.ts';

/** Where a kind of state is written and looked up, and how many at once. */
export interface StateRoutes {
  write: string;
  writeMax: number;
  lookup: string;
  lookupMax: number;
}

/** The version held, of what is known by `keyName`. */
export function versionLookup(path: string, list: string, keyName: string, itemsMax: number): LookupRoute<number> {
  return { path, list, itemsMax, keyName, valueOf: (found) => found.integer('version', 0) };
}

export function priceSink(client: HttpClient, limits: ConnectorContext['limits'], routes: StateRoutes): StateSink {
  const write: BatchRoute<StateItem> = {
    path: routes.write,
    list: 'items',
    itemsMax: routes.writeMax,
    keyName: 'sku',
    keyOf: (item) => item.key,
    bodyOf({ key, version, state }) {
      const { unitPrice, currency } = state as PriceState;
      return { sku: key, version, unitPrice, currency };
    },
  };
  return keyedSink(client, limits, write, versionLookup(routes.lookup, 'skus', 'sku', routes.lookupMax));
}

/**
 * A channel knows its orders by their number; publications know them by `<channel>/<number>`.
 * @param showsChanges whether it is told what lines are by now, and not only what became of them
 */
export function channelStatusSink(
  client: HttpClient,
  limits: ConnectorContext['limits'],
  channel: string,
  routes: StateRoutes,
  { wants = [], showsChanges = false }: { wants?: readonly 'shipments'[]; showsChanges?: boolean } = {},
): StateSink {
  const write: BatchRoute<StateItem> = {
    path: routes.write,
    list: 'items',
    itemsMax: routes.writeMax,
    keyName: 'number',
    keyOf: (item) => (item.state as OrderStatusState).externalNo,
    bodyOf({ version, base, state }) {
      const { externalNo, status, lines, shipments } = state as OrderStatusState;
      return {
        number: externalNo,
        version,
        base,
        status,
        lines: lines.map((line) => {
          const { lineNo, cancelled, backordered, refused, shipped, returned, promised } = line;
          const { sku, quantity, amountMinor } = line;
          const told = promised === undefined ? {} : { promised };
          const counts = { lineNo, cancelled, backordered, refused, shipped, returned };
          return { ...counts, ...(showsChanges && { sku, quantity, amountMinor }), ...told };
        }),
        ...(shipments !== undefined && {
          shipments: shipments.map(({ shipment, parcels }) => {
            return { shipment, tracking: parcels.map(({ tracking }) => tracking) };
          }),
        }),
      };
    },
  };
  const lookup = versionLookup(routes.lookup, 'numbers', 'number', routes.lookupMax);
  const byNumber = keyedSink(client, limits, write, lookup, unlessConflict);
  const prefix = `${channel}/`;
  return {
    ...byNumber,
    takesChanges: true,
    ...(wants.length > 0 && { wants }),
    async readBack(keys, signal) {
      // Keys of other channels are not here; asked without their channel, they could be taken for a namesake of ours.
      const numbers = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
      const versions = await byNumber.readBack(numbers, signal);
      return new Map([...versions].map(([number, version]) => [prefix + number, version]));
    },
  };
}
