import { batchTables, deliveryTables, describeSystem, sequencePages } from '../kit/conformance/index.ts';

/** How the simulated WMS answers: sim/API.md. A write of one reference has one effect, however often it comes. */
const kinds = {
  fulfilment: { path: 'fulfilments', list: 'fulfilments' },
  fulfilment_cancel: { path: 'fulfilment-cancels', list: 'cancels' },
  return_announcement: { path: 'returns', list: 'returns' },
};
const goods = [{ lineNo: 1, sku: '85123A', quantity: 6 }];
const at = '2010-12-01T08:00:00Z';
const cancelled = { lines: [{ lineNo: 1, cancelled: 6, tooLate: 0 }] };

export default describeSystem({
  context: { channel: null },
  system: (rows) =>
    batchTables(
      deliveryTables(kinds, {
        doubles: false,
        answer: (kind) => (kind === 'fulfilment_cancel' ? cancelled : {}),
      }),
      (call) => sequencePages(() => rows.events!, call, { path: '/events' }),
    ),
  feeds: {
    events: {
      pageMax: 500,
      placeFields: ['seq'],
      record: (n, _changedAt, seq) =>
        n % 2 === 0
          ? {
              seq,
              id: `ev-${n}`,
              type: 'shipped',
              at,
              location: 'LON',
              reference: 'F7',
              order: 'shop/536365',
              lines: goods,
              shipment: `SHP-${n}`,
              tracking: 'TRK0000000001',
            }
          : { seq, id: `ev-${n}`, type: 'received', at, location: 'LON', reference: 'PO-1', order: null, lines: goods },
      broken: (_changedAt, seq) => [
        { seq, id: `broken-${seq}`, type: 'picked', at: 'yesterday', location: 'LON', reference: 'F7', lines: goods },
        { seq, id: `empty-${seq}`, type: 'received', at, location: 'LON', reference: 'PO-1', lines: [] },
        { seq },
      ],
      unknownEnum: (_changedAt, seq) => ({ seq, id: 'ev-x', type: 'teleported', at, location: 'LON', lines: goods }),
    },
  },
  deliveries: {
    fulfilment: (n) => ({
      reference: `F77${n}10`,
      payload: { order: 'shop/1', location: 'LON', lines: goods },
    }),
    fulfilment_cancel: (n) => ({
      reference: `K77${n}10`,
      payload: { fulfilment: 'F7', lines: [{ lineNo: 1, quantity: 6 }] },
    }),
    return_announcement: (n) => ({
      reference: `R77${n}10`,
      payload: { order: 'shop/1', location: 'LON', lines: goods },
    }),
  },
});
