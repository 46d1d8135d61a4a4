import { Type } from 'typebox';
import { defineConnector, HttpClient, probeBy, shownPrices } from '../kit/index.ts';
import { availability, orderStatus, prices } from './sink.ts';
import { events } from './source.ts';
import { webhook } from './webhook.ts';

const settings = Type.Object(
  {
    showsTracking: Type.Optional(
      Type.Boolean({ description: 'whether buyers are shown shipments with their tracking numbers; default false' }),
    ),
    showsChanges: Type.Optional(
      Type.Boolean({
        description:
          'whether orders are shown as their buyers changed them; without it nobody changes any; default false',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The shop of the simulated estate: sells by itself against the number it was told (`net_available`). */
export const simShop = defineConnector(
  {
    name: 'sim-shop',
    summary: 'The shop of the simulated estate: sells by itself against the number it was told.',
    provenAgainst: 'none: the system is simulated, its contract is sim/API.md',
    sources: {
      events: { domains: ['orders', 'cancels', 'returns'], cursor: 'sequence', ordering: 'per_thing', push: true },
    },
    deliveries: {},
    states: {
      availability: { batchMax: 250, readBack: 'content', guard: 'compare_and_set' },
      prices: { batchMax: 250, readBack: 'version' },
      orderStatus: { batchMax: 100, readBack: 'version' },
    },
    quotes: { batchMax: 250 },
    needs: [],
    settings,
    limits: { callsPerSecond: 100, concurrency: 4 },
    quirks: [
      'Webhooks come twice, out of order or never: the feed is what counts.',
      'It may answer 200 and keep nothing: each write is read back.',
    ],
  },
  (context) => {
    const { system, channel, limits, webhookSecret } = context;
    const client = new HttpClient(context);
    const wants = context.settings.showsTracking === true ? (['shipments'] as const) : [];
    const showsChanges = context.settings.showsChanges === true;
    const whose = channel === null ? null : { system, channel };
    return {
      confirmedBy: 'read_back',
      sources: whose === null ? [] : [events(client, whose)],
      deliveries: {},
      availability: availability(client, limits),
      prices: prices(client, limits),
      quotes: shownPrices(client, limits, { path: '/prices/lookup', itemsMax: 250 }),
      ...(whose !== null && { orderStatus: orderStatus(client, limits, whose.channel, { wants, showsChanges }) }),
      // An empty secret would make a signature that anybody can make.
      ...(whose !== null && webhookSecret && { webhook: webhook(webhookSecret, whose) }),
      probe: (signal) => probeBy(client, { path: '/inventory/lookup', list: 'skus' }, signal),
      pausedMs: () => client.pausedMs,
      close: () => client.close(),
    };
  },
);
