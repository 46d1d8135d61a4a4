import { expect, it } from 'vitest';
import { factsOf, untold } from './told-facts.ts';
import type { OrderStatusState } from './types.ts';

const line = { amountMinor: 0, cancelled: 0, backordered: 0, refused: 0, shipped: 0, invoiced: 0, returned: 0 };
const state: OrderStatusState = {
  ...{ channel: 'web', externalNo: '7', status: 'shipped', account: 'A', currency: 'USD', totalMinor: 1050 },
  lines: [
    { ...line, lineNo: 1, sku: 'SKU-1', quantity: 4 },
    { ...line, lineNo: 2, sku: 'SKU-2', quantity: 6 },
  ],
};
const at = '2026-03-02T23:59:59.000Z';

it('each thing that happened is one line, which begins with a name that no other has', () => {
  const facts = factsOf({
    ...state,
    shipments: [
      {
        ...{ shipment: 'wms/S-1', location: 'EAST', tracking: 'T-1', carrier: 'Parcel Post', at },
        parcels: [{ tracking: 'T-1' }, { tracking: 'T-2', url: 'https://carrier.example/T-2' }],
        lines: [
          { lineNo: 1, quantity: 4 },
          { lineNo: 9, quantity: 1 },
        ],
      },
      {
        ...{ shipment: 'wms/S-2', location: 'EAST', tracking: null, carrier: null, parcels: [], at },
        lines: [{ lineNo: 2, quantity: 6 }],
      },
    ],
    invoices: [
      { document: 'invoice', reference: 'erp/I-1', number: 'I-1', currency: 'USD', amountMinor: 1005, at },
      { document: 'credit_note', reference: 'erp/I-1', number: 'I-1', currency: 'USD', amountMinor: 5, at },
    ],
    returns: [
      {
        ...{ reference: 'R/4/9', return: 'R12', at },
        lines: [
          { lineNo: 1, quantity: 1, amountMinor: 105 },
          { lineNo: 2, quantity: 2, amountMinor: 210 },
        ],
      },
    ],
  });
  expect(facts.map(({ text }) => text)).toEqual([
    'shipment wms/S-1: 2026-03-02, 4 x SKU-1, 1 x line 9; Parcel Post T-1 T-2',
    'shipment wms/S-2: 2026-03-02, 6 x SKU-2',
    'invoice erp/I-1: 2026-03-02, 10.05 USD',
    'credit note erp/I-1: 2026-03-02, 0.05 USD',
    'return R/4/9: 2026-03-02, R12, 1 x SKU-1, 2 x SKU-2; 3.15 USD',
  ]);
  expect(facts.every(({ key, text }) => text.startsWith(`${key}: `))).toBe(true);
  expect(new Set(facts.map(({ key }) => key)).size).toBe(facts.length);
});

it('nothing is said of what nobody asked for', () => {
  expect(factsOf(state)).toEqual([]);
});

it('a fact is told by its name, however it is worded, and one whose name begins alike is another', () => {
  const facts = [
    { key: 'invoice erp/1', text: 'invoice erp/1: new words' },
    { key: 'invoice erp/11', text: 'invoice erp/11: new words' },
  ];
  expect(untold(facts, ['by a person', 'invoice erp/11: old words'])).toEqual([facts[0]]);
});
