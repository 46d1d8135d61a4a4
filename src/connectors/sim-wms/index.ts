import { defineConnector, HttpClient, noSettings, probeBy } from '../kit/index.ts';
import { deliveries } from './sink.ts';
import { events } from './source.ts';

/** The WMS of the simulated estate: says what is physically where, and picks and ships what it is asked to. */
const written = { batchMax: 100, locator: 'reference', idempotency: 'native' } as const;

export const simWms = defineConnector(
  {
    name: 'sim-wms',
    summary: 'The WMS of the simulated estate: says what is physically where, picks and ships what it is asked to.',
    provenAgainst: 'none: the system is simulated, its contract is sim/API.md',
    sources: {
      events: { domains: ['stock', 'shipments', 'returns'], cursor: 'sequence', ordering: 'per_thing', push: false },
    },
    deliveries: { fulfilment: written, fulfilment_cancel: written, return_announcement: written },
    states: {},
    needs: [],
    settings: noSettings,
    limits: { callsPerSecond: 200, concurrency: 8 },
    quirks: ['It may answer 200 and keep nothing: each write is read back.'],
  },
  (context) => {
    const client = new HttpClient(context);
    return {
      confirmedBy: 'read_back',
      sources: [events(client, context.system)],
      deliveries: { ...deliveries(client, context.limits) },
      probe: (signal) => probeBy(client, { path: '/fulfilments/lookup', list: 'references' }, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);
