import { defineConnector, HttpClient, noSettings, probeBy, quotesBy } from '../kit/index.ts';
import { orderStatus } from './sink.ts';
import { requests } from './source.ts';

/**
 * The CRM of the simulated estate: shows what became of its accounts' orders. It sends orders and cancels only where the
 * estate has a channel for them.
 */
export const simCrm = defineConnector(
  {
    name: 'sim-crm',
    summary:
      'The CRM of the simulated estate: shows what became of its orders, and sends those that salespeople enter.',
    provenAgainst: 'none: the system is simulated, its contract is sim/API.md',
    sources: {
      requests: { domains: ['orders', 'cancels', 'returns'], cursor: 'sequence', ordering: 'per_thing', push: false },
    },
    deliveries: {},
    states: { orderStatus: { batchMax: 100, readBack: 'version' } },
    quotes: { batchMax: 200 },
    needs: [],
    settings: noSettings,
    limits: { callsPerSecond: 100, concurrency: 4 },
    quirks: [
      'It takes an older version over a newer one: none is sent after a newer one.',
      'It may answer 200 and keep nothing: each write is read back.',
      'It sends orders only where the estate has a channel for it; without one there is no feed.',
    ],
  },
  (context) => {
    const { system, channel, limits } = context;
    const client = new HttpClient(context);
    return {
      confirmedBy: 'read_back',
      sources: channel === null ? [] : [requests(client, { system, channel })],
      deliveries: {},
      orderStatus: orderStatus(client, limits),
      quotes: quotesBy(client, limits, { path: '/quotes/ask', itemsMax: 200, isWhole: false }),
      probe: (signal) => probeBy(client, { path: '/orders/lookup', list: 'externalIds' }, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);
