import { type ConnectorFactory, HttpClient, probeBy, refuseSettings } from '../kit/index.ts';
import { orderStatus } from './sink.ts';
import { requests } from './source.ts';

/**
 * The CRM of the simulated estate: shows what became of its accounts' orders. It sends orders and cancels only where the
 * estate has a channel for them.
 */
export const simCrm: ConnectorFactory = (context) => {
  refuseSettings(context);
  const { system, channel, limits } = context;
  const client = new HttpClient(context);
  return {
    name: 'sim-crm',
    confirmedBy: 'read_back',
    sources: channel === null ? [] : [requests(client, { system, channel })],
    deliveries: {},
    orderStatus: orderStatus(client, limits),
    probe: (signal) => probeBy(client, { path: '/orders/lookup', list: 'externalIds' }, signal),
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
};
