import type { Declaration } from '../kit/index.ts';
import { TAKE_MAX } from './client.ts';
import { settings } from './settings.ts';
import { OVERLAP_MS } from './source.ts';

export const declaration: Declaration = {
  name: 'vendure',
  summary: 'Vendure 3, a shop over GraphQL: sells by itself; takes stock, prices, cancels and fulfilments',
  provenAgainst: 'Vendure 3.7.3 on PostgreSQL 15, as it comes from npm',
  sources: {
    orders: {
      domains: ['orders', 'cancels'],
      cursor: 'keyset',
      overlapMs: OVERLAP_MS,
      ordering: 'per_thing',
      push: true,
    },
  },
  deliveries: {},
  states: {
    availability: { batchMax: TAKE_MAX, readBack: 'content', guard: 'difference' },
    prices: { batchMax: TAKE_MAX, readBack: 'content' },
    orderStatus: { batchMax: 20, readBack: 'content' },
  },
  needs: ['token', 'channel'],
  settings,
  limits: { callsPerSecond: 50, concurrency: 4 },
  quirks: [
    'Takes more orders than it has stock when buyers pay at once: read as sold, what lies beyond the number is backordered by the hub.',
    'stockAllocated loses updates for good: compared with the rows of open orders; what differs is read back and told anew, with outOfStockThreshold.',
    'updatedAt of an order stays when it is placed, paid, fulfilled or changed: orders are read by orderPlacedAt, cancels by updatedAt, changes by a look at everything open.',
    'The default channel holds the orders of all channels: those of others are left out.',
    'Failures come under HTTP 200, as errors or as a member of a union: each is classed by its code.',
    'One unknown variant fails a whole batch: it is halved until that one is alone.',
    'Two variants may carry one SKU: no number is told of them.',
    'Times are told in milliseconds and kept in microseconds: a page never ends within one.',
    'Cancelling what was fulfilled puts it on the shelf: goods that came back are a note, the number has them already.',
    'addFulfillmentToOrder takes goods off on hand, not the shipment: what was never told to the shop is added right before.',
  ],
};
