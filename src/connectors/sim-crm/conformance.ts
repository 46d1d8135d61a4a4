import { batchTables, describeSystem, sequencePages } from '../kit/conformance/index.ts';

const at = '2010-12-01T09:41:00Z';

/** How the simulated CRM answers: sim/API.md. */
export default describeSystem({
  system: (rows) =>
    batchTables(
      [
        {
          kind: 'orderStatus',
          write: '/orders/upsert',
          list: 'records',
          lookup: '/orders/lookup',
          lookupList: 'externalIds',
          key: 'externalId',
          taken: () => ({}),
          found: ({ version }) => ({ version }),
        },
      ],
      (call) => sequencePages(() => rows.requests!, call, { path: '/requests' }),
    ),
  feeds: {
    requests: {
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
        lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55' }],
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
});
