import { Type } from 'typebox';
import { defineConnector, HttpClient, probeBy, shownPrices } from '../kit/index.ts';
import { availability, orderStatus, prices } from './sink.ts';
import { orders } from './source.ts';

const settings = Type.Object(
  {
    showsChanges: Type.Optional(
      Type.Boolean({
        description:
          'whether orders are shown as their buyers changed them; without it nobody changes any; default false',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The marketplace of the simulated estate: sells by itself; its number means `on_hand`. Polled only. */
export const simMarketplace = defineConnector(
  {
    name: 'sim-marketplace',
    summary: 'The marketplace of the simulated estate: sells by itself against the number it was told.',
    provenAgainst: 'none: the system is simulated, its contract is sim/API.md',
    sources: {
      orders: { domains: ['orders', 'cancels', 'returns'], cursor: 'sequence', ordering: 'per_thing', push: false },
    },
    deliveries: {},
    states: {
      availability: { batchMax: 250, readBack: 'content', guard: 'orders_through' },
      prices: { batchMax: 250, readBack: 'version' },
      orderStatus: { batchMax: 100, readBack: 'version' },
    },
    quotes: { batchMax: 250 },
    needs: [],
    settings,
    limits: { callsPerSecond: 100, concurrency: 4 },
    quirks: [
      'Read back is the number it was told, not what is left of it.',
      'It may answer 200 and keep nothing: each write is read back.',
    ],
  },
  (context) => {
    const { system, channel, limits } = context;
    const client = new HttpClient(context);
    return {
      confirmedBy: 'read_back',
      sources: channel === null ? [] : [orders(client, { system, channel })],
      deliveries: {},
      availability: availability(client, limits),
      prices: prices(client, limits),
      quotes: shownPrices(client, limits, { path: '/offers/price/lookup', itemsMax: 250 }),
      ...(channel !== null && {
        orderStatus: orderStatus(client, limits, channel, context.settings.showsChanges === true),
      }),
      probe: (signal) => probeBy(client, { path: '/offers/lookup', list: 'skus' }, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);
