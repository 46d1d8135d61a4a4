import { defineConnector, HttpClient, noSettings, probeBy, quotesBy } from '../kit/index.ts';
import { creditSource, LOOKUP_MAX } from './credit.ts';
import { deliveries } from './sink.ts';
import { documents } from './source.ts';

/** The ERP of the simulated estate: takes orders and what became of them, posts invoices and credit notes. */
const written = { batchMax: 100, locator: 'reference', idempotency: 'none' } as const;

export const simErp = defineConnector(
  {
    name: 'sim-erp',
    summary:
      'The ERP of the simulated estate: takes orders and what became of them, posts invoices and credit notes, says what accounts owe.',
    provenAgainst: 'none: the system is simulated, its contract is sim/API.md',
    sources: {
      documents: { domains: ['invoices', 'credit', 'prices'], cursor: 'sequence', ordering: 'per_thing', push: false },
    },
    deliveries: {
      sales_order: written,
      order_change: written,
      order_cancellation: written,
      shipment_posting: written,
      return_posting: written,
      charge: { ...written, batchMax: 200 },
    },
    states: {},
    credit: { accountsMax: LOOKUP_MAX },
    quotes: { batchMax: 200 },
    needs: [],
    settings: noSettings,
    limits: { callsPerSecond: 200, concurrency: 8 },
    quirks: [
      'A second create of one reference makes a second document: nothing is sent twice without a lookup, and locate names both.',
      'It may answer 201 and keep nothing: each write is read back.',
    ],
  },
  (context) => {
    const client = new HttpClient(context);
    return {
      confirmedBy: 'read_back',
      sources: [documents(client, context.system)],
      deliveries: { ...deliveries(client, context.limits) },
      credit: creditSource(client),
      quotes: quotesBy(client, context.limits, { path: '/quotes/ask', itemsMax: 200, isWhole: true }),
      probe: (signal) => probeBy(client, { path: '/sales-orders/lookup', list: 'references' }, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);
