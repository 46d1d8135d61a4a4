import { type ConnectorFactory, HttpClient, probeBy, refuseSettings } from '../kit/index.ts';
import { availability, orderStatus, prices } from './sink.ts';
import { events } from './source.ts';
import { webhook } from './webhook.ts';

/** The shop of the simulated estate: sells by itself against the number it was told (`net_available`). */
export const simShop: ConnectorFactory = (context) => {
  refuseSettings(context);
  const { system, channel, limits, webhookSecret } = context;
  const client = new HttpClient(context);
  const whose = channel === null ? null : { system, channel };
  return {
    name: 'sim-shop',
    confirmedBy: 'read_back',
    sources: whose === null ? [] : [events(client, whose)],
    deliveries: {},
    availability: availability(client, limits),
    prices: prices(client, limits),
    ...(whose !== null && { orderStatus: orderStatus(client, limits, whose.channel) }),
    // An empty secret would make a signature that anybody can make.
    ...(whose !== null && webhookSecret && { webhook: webhook(webhookSecret, whose) }),
    probe: (signal) => probeBy(client, { path: '/inventory/lookup', list: 'skus' }, signal),
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
};
