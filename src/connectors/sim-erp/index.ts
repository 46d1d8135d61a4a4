import { type ConnectorFactory, HttpClient, probeBy, refuseSettings } from '../kit/index.ts';
import { deliveries } from './sink.ts';
import { documents } from './source.ts';

/** The ERP of the simulated estate: takes orders and what became of them, posts invoices and credit notes. */
export const simErp: ConnectorFactory = (context) => {
  refuseSettings(context);
  const client = new HttpClient(context);
  return {
    name: 'sim-erp',
    confirmedBy: 'read_back',
    sources: [documents(client, context.system)],
    deliveries: { ...deliveries(client, context.limits) },
    probe: (signal) => probeBy(client, { path: '/sales-orders/lookup', list: 'references' }, signal),
    pausedMs: () => client.pausedMs,
    close: () => client.close(),
  };
};
