import {
  channelModel,
  demandRecords,
  describeSystem,
  sampleAvailability,
  sampleOrderStatus,
  samplePrice,
} from '../kit/conformance/index.ts';

/** What is left of a number. All that was sold in this suite was sold after the cursor that the numbers are told with. */
const left = (entry: Record<string, unknown> | undefined, sold: number) =>
  Math.max(0, Number(entry?.quantity ?? 0) - sold);

/** How the simulated marketplace answers: sim/API.md. It takes off by itself what it sold after `ordersThrough`. */
export default describeSystem({
  system: (rows) =>
    channelModel(
      rows,
      {
        feed: { name: 'orders', path: '/orders' },
        ...{ availability: '/offers/quantity', prices: '/offers/price', orderStatus: '/orders/status' },
        lookups: {
          availability: '/offers/lookup',
          prices: '/offers/price/lookup',
          orderStatus: '/orders/status/lookup',
        },
      },
      {
        left,
        taken: (entry, sold) => ({ answer: { available: left(entry, sold) } }),
        found: (entry, sold) => ({ quantity: entry.quantity, available: left(entry, sold) }),
      },
    ),
  feeds: { orders: demandRecords(100, { within: 6 }) },
  availability: sampleAvailability,
  prices: samplePrice,
  orderStatus: sampleOrderStatus,
});
