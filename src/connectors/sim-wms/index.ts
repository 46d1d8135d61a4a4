import { type ConnectorFactory, HttpClient, probeBy, refuseSettings } from '../kit/index.ts';
import { deliveries } from './sink.ts';
import { events } from './source.ts';

/** The WMS of the simulated estate: says what is physically where, and picks and ships what it is asked to. */
export const simWms: ConnectorFactory = (context) => {
  refuseSettings(context);
  const client = new HttpClient(context);
  return {
    name: 'sim-wms',
    confirmedBy: 'read_back',
    sources: [events(client, context.system)],
    deliveries: { ...deliveries(client, context.limits) },
    probe: (signal) => probeBy(client, { path: '/fulfilments/lookup', list: 'references' }, signal),
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
};
