import { type ConnectorFactory, HttpClient, probeBy, refuseSettings } from '../kit/index.ts';
import { availability, orderStatus, prices } from './sink.ts';
import { orders } from './source.ts';

/** The marketplace of the simulated estate: sells by itself; its number means `on_hand`. Polled only. */
export const simMarketplace: ConnectorFactory = (context) => {
  refuseSettings(context);
  const { system, channel, limits } = context;
  const client = new HttpClient(context);
  return {
    name: 'sim-marketplace',
    confirmedBy: 'read_back',
    sources: channel === null ? [] : [orders(client, { system, channel })],
    deliveries: {},
    availability: availability(client, limits),
    prices: prices(client, limits),
    ...(channel !== null && { orderStatus: orderStatus(client, limits, channel) }),
    probe: (signal) => probeBy(client, { path: '/offers/lookup', list: 'skus' }, signal),
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
};
