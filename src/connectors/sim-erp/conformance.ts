import { batchTables, deliveryTables, describeSystem, sequencePages } from '../kit/conformance/index.ts';

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

export default describeSystem({
  context: { channel: null },
  system: (rows) =>
    batchTables(
      deliveryTables(routes, {
        doubles: true,
        answer: (_kind, { reference }, nth) => ({ number: `N-${String(reference)}-${nth}` }),
      }),
      (call) => sequencePages(() => rows.documents!, call, { path: '/documents' }),
    ),
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
    order_change: (n) => ({
      reference: `A77${n}10`,
      payload: {
        ...{ reference: `A77${n}10`, order: 'shop/1', totalMinor: 510 },
        lines: [{ lineNo: 100_001, sku: '85123A', quantity: 2, unitPrice: '2.55', amountMinor: 510, addsTo: 1 }],
      },
    }),
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
