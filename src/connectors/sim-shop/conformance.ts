import { createHmac } from 'node:crypto';
import {
  batchTables,
  describeSystem,
  type FeedRows,
  type SystemModel,
  sequencePages,
} from '../kit/conformance/index.ts';

type Entry = Record<string, unknown>;

const at = '2010-12-01T09:41:00Z';

/** How the simulated shop answers: sim/API.md. A number is set only where it still is `from`. */
function system(rows: FeedRows): SystemModel {
  const sold = new Map<string, number>();
  const left = (sku: string, entry: Entry | undefined) => Number(entry?.to ?? 0) - (sold.get(sku) ?? 0);
  const kinds = {
    availability: {
      refuse: (entry: Entry, held: Entry | undefined) =>
        held !== undefined && entry.from !== null && left(String(entry.sku), held) !== entry.from
          ? { status: 409, available: left(String(entry.sku), held) }
          : undefined,
      taken: (entry: Entry) => {
        sold.delete(String(entry.sku));
        return { available: entry.to };
      },
      found: (entry: Entry) => ({ available: left(String(entry.sku), entry) }),
    },
  };
  const model = batchTables(
    [
      {
        kind: 'availability',
        write: '/inventory/set',
        list: 'items',
        lookup: '/inventory/lookup',
        lookupList: 'skus',
        key: 'sku',
        ...kinds.availability,
      },
      {
        kind: 'prices',
        write: '/prices/set',
        list: 'items',
        lookup: '/prices/lookup',
        lookupList: 'skus',
        key: 'sku',
        taken: () => ({}),
        found: ({ version }) => ({ version }),
      },
      {
        kind: 'orderStatus',
        write: '/orders/status',
        list: 'items',
        lookup: '/orders/status/lookup',
        lookupList: 'numbers',
        key: 'number',
        taken: () => ({}),
        found: ({ version }) => ({ version }),
      },
    ],
    (call) => sequencePages(() => rows.events!, call, { path: '/events' }),
  );
  return {
    ...model,
    sellable: (sku) => left(sku, model.entry('availability', sku)),
    sell: (sku, units) => void sold.set(sku, (sold.get(sku) ?? 0) + units),
  };
}

export default describeSystem({
  system,
  feeds: {
    events: {
      pageMax: 100,
      placeFields: ['seq'],
      record: (n, _changedAt, seq) => ({
        seq,
        type: 'order',
        number: `53${n}65`,
        account: '17850',
        company: 'UK',
        currency: 'GBP',
        orderedAt: '2010-12-01T08:26:00Z',
        lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', within: 6 }],
      }),
      broken: (_changedAt, seq) => [
        {
          seq,
          type: 'order',
          number: `1${seq}`,
          account: '1',
          company: 'UK',
          currency: 'GBP',
          orderedAt: at,
          lines: [],
        },
        { seq, type: 'cancel', reference: `C${seq}`, account: '1', at, lines: [null] },
      ],
      unknownEnum: (_changedAt, seq) => ({ seq, type: 'wish', number: '1', account: '1' }),
    },
  },
  availability: (n) => ({ sku: `SKU77${n}10`, from: null, quantity: 4, ordersThrough: '17' }),
  prices: (n) => ({ key: `SKU77${n}10`, version: 7, base: 0, state: { unitPrice: '2.55', currency: 'GBP' } }),
  orderStatus: (n) => ({
    key: `channel/77${n}10`,
    version: 3,
    base: 0,
    state: {
      channel: 'channel',
      externalNo: `77${n}10`,
      status: 'confirmed',
      account: '17850',
      currency: 'GBP',
      totalMinor: 1530,
      lines: [
        {
          lineNo: 1,
          sku: '85123A',
          quantity: 6,
          amountMinor: 1530,
          cancelled: 0,
          backordered: 0,
          refused: 0,
          shipped: 6,
          invoiced: 6,
          returned: 0,
        },
      ],
    },
  }),
  webhook: {
    feed: 'events',
    body: (records) => Buffer.from(JSON.stringify({ records })),
    headers: (body, secret) => ({
      'x-shop-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    }),
  },
});
