import { createHmac } from 'node:crypto';
import {
  channelModel,
  demandRecords,
  describeSystem,
  sampleAvailability,
  sampleOrderStatus,
  samplePrice,
} from '../kit/conformance/index.ts';

const left = (entry: Record<string, unknown> | undefined, sold: number) => Number(entry?.to ?? 0) - sold;

/** How the simulated shop answers: sim/API.md. A number is set only where it still is `from`. */
export default describeSystem({
  system: (rows) =>
    channelModel(
      rows,
      {
        feed: { name: 'events', path: '/events' },
        ...{ availability: '/inventory/set', prices: '/prices/set', orderStatus: '/orders/status' },
        lookups: { availability: '/inventory/lookup', prices: '/prices/lookup', orderStatus: '/orders/status/lookup' },
      },
      {
        left,
        refuse: (entry, held, sold) =>
          held !== undefined && entry.from !== null && left(held, sold) !== entry.from
            ? { status: 409, available: left(held, sold) }
            : undefined,
        taken: (entry) => ({ answer: { available: entry.to }, forget: true }),
        found: (entry, sold) => ({ available: left(entry, sold) }),
      },
    ),
  feeds: { events: demandRecords(100, { within: 6 }) },
  availability: sampleAvailability,
  prices: samplePrice,
  orderStatus: sampleOrderStatus,
  webhook: {
    feed: 'events',
    body: (records) => Buffer.from(JSON.stringify({ records })),
    headers: (body, secret) => ({
      'x-shop-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    }),
  },
});
