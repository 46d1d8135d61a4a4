import {
  type Answer,
  batchTables,
  type Call,
  deliveryTables,
  describeSystem,
  sampleOrderChange,
  sequencePages,
} from '../kit/conformance/index.ts';

/** How the simulated ERP answers: sim/API.md. */
const routes = {
  sales_order: { path: 'sales-orders', list: 'orders' },
  order_change: { path: 'order-changes', list: 'changes' },
  order_cancellation: { path: 'cancellations', list: 'cancellations' },
  shipment_posting: { path: 'shipments', list: 'shipments' },
  return_posting: { path: 'returns', list: 'returns' },
  charge: { path: 'charges', list: 'charges' },
};
const lines = [{ lineNo: 1, quantity: 6, amountMinor: 1530 }];
const at = '2026-03-01T09:00:00Z';

const ORDER = 'shop/1';

/** What the accounts of the suite owe; of others it has nothing. */
function creditOf({ path, body }: Call): Answer | undefined {
  if (path !== '/credit/lookup') return undefined;
  const asked = ((body ?? {}) as { accounts?: unknown[] }).accounts ?? [];
  const found = asked
    .map(String)
    .filter((key) => /^UK\/1785\d$/.test(key))
    .map((key) => ({
      ...{ key, company: 'UK', account: key.slice('UK/'.length), currency: 'GBP', limitMinor: 500_000 },
      ...{ openOrdersMinor: 1_200, openInvoicesMinor: -300, orders: ['shop/1', 'shop/2'], at },
    }));
  return { json: { found } };
}

export default describeSystem({
  context: { channel: null },
  system: (rows) => {
    const orders = new Set([ORDER]);
    const tables = deliveryTables(routes, {
      doubles: true,
      answer: (_kind, { reference }, nth) => ({ number: `N-${String(reference)}-${nth}` }),
    }).map((table) =>
      table.kind !== 'order_change'
        ? table
        : {
            ...table,
            refuse: ({ order }: Record<string, unknown>) =>
              orders.has(String(order))
                ? undefined
                : { status: 404, error: { code: 'unknown_order', message: 'no such' } },
          },
    );
    const model = batchTables(
      tables,
      (call) => creditOf(call) ?? sequencePages(() => rows.documents!, call, { path: '/documents' }),
    );
    return { ...model, endOrder: (order) => void orders.delete(order) };
  },
  credit: (n) => ({ company: 'UK', account: `1785${n}` }),
  feeds: {
    documents: {
      pageMax: 250,
      placeFields: ['seq'],
      record: (n, _changedAt, seq) => ({
        seq,
        kind: 'invoice',
        number: `INV-${n}`,
        order: 'shop/536365',
        reference: `S${n}`,
        currency: 'GBP',
        lines: [{ lineNo: 1, quantity: 6, amountMinor: 1530 }],
        totalMinor: 1530,
        at: '2026-03-01T09:30:00Z',
      }),
      broken: (_changedAt, seq) => [
        { seq, kind: 'invoice', number: 4 },
        { seq, kind: 'invoice', number: 'INV-9', order: 'shop/1', currency: 'pounds', lines, totalMinor: 1, at },
      ],
      unknownEnum: (_changedAt, seq) => ({
        seq,
        kind: 'pro_forma',
        number: 'PRO-1',
        order: 'shop/1',
        currency: 'GBP',
        lines,
        totalMinor: 1530,
        at,
      }),
    },
  },
  deliveries: {
    sales_order: (n) => ({
      reference: `shop/77${n}10`,
      payload: {
        reference: `shop/77${n}10`,
        company: 'UK',
        account: '17850',
        currency: 'GBP',
        orderedAt: at,
        totalMinor: 1530,
        lines: [{ lineNo: 1, sku: '85123A', quantity: 6, unitPrice: '2.55', amountMinor: 1530 }],
      },
    }),
    order_change: (n) => sampleOrderChange(n, { order: ORDER }),
    order_cancellation: (n) => ({ reference: `X77${n}10`, payload: { order: 'shop/1', lines } }),
    shipment_posting: (n) => ({
      reference: `S77${n}10`,
      payload: { order: 'shop/1', location: 'LON', shippedAt: at, lines },
    }),
    return_posting: (n) => ({ reference: `R77${n}10`, payload: { order: 'shop/1', lines } }),
    charge: (n) => ({
      reference: `C77${n}10`,
      payload: { kind: 'postage', account: '17850', code: 'POST', quantity: 1, amountMinor: 1800, currency: 'GBP', at },
    }),
  },
});
