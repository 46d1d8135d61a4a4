import { expect, it } from 'vitest';
import { mapDemand, soldLine } from './demand.ts';

const at = '2010-12-01T09:41:00Z';
const map = (...records: unknown[]) => mapDemand(records, { system: 'web', channel: 'shop' }, soldLine);
const change = {
  ...{ seq: 3, type: 'change', order: '536365', reference: 'CH-1', at },
  lines: [
    { lineNo: 1, quantity: 9, within: 2 },
    { lineNo: 2, quantity: 0 },
    { lineNo: 7, sku: '71053', quantity: 4, unitPrice: '3.39', within: 4 },
  ],
};
const back = {
  ...{ seq: 4, type: 'return', order: '536365', reference: 'RMA-1', reason: 'too big', at },
  lines: [{ lineNo: 1, quantity: 2 }],
};

it('a change is one item with all its lines, known by its order and reference', () => {
  const [item] = map(change);
  expect([item!.scope, item!.key]).toEqual(['change/shop', '536365/CH-1']);
  expect(item!.command).toEqual({
    ...{ kind: 'order.change_requested', channel: 'shop', order: '536365', reference: 'CH-1' },
    occurredAt: '2010-12-01T09:41:00.000Z',
    lines: change.lines,
  });
});

it('a return is one item, known by its reference and order', () => {
  const [item] = map(back);
  expect([item!.scope, item!.key]).toEqual(['return/shop', 'RMA-1/536365']);
  expect(item!.command).toEqual({
    ...{ kind: 'return.requested', channel: 'shop', order: '536365', reference: 'RMA-1', reason: 'too big' },
    occurredAt: '2010-12-01T09:41:00.000Z',
    lines: back.lines,
  });
});

it('fingerprints follow the content and not the place in the feed', () => {
  for (const record of [change, back]) {
    const [first] = map(record);
    expect(map({ ...record, seq: 99 })[0]!.fingerprint).toBe(first!.fingerprint);
    expect(map({ ...record, at: '2010-12-02T09:41:00Z' })[0]!.fingerprint).not.toBe(first!.fingerprint);
  }
});

it.each([
  ['a line twice', { ...change, lines: [change.lines[0], change.lines[0]] }, '/records/0/lines/1/lineNo'],
  ['a quantity below 0', { ...change, lines: [{ lineNo: 1, quantity: -1 }] }, '/records/0/lines/0/quantity'],
  ['half a unit', { ...change, lines: [{ lineNo: 1, quantity: 1.5 }] }, '/records/0/lines/0/quantity'],
  ['no lines', { ...change, lines: [] }, '/records/0/lines'],
  ['no order', { ...back, order: '' }, '/records/0/order'],
  ['nothing that comes back', { ...back, lines: [{ lineNo: 1, quantity: 0 }] }, '/records/0/lines/0/quantity'],
])('%s is unreadable with its place, and its neighbour is read', (_, record, place) => {
  const [bad, good] = map(record, change);
  expect(bad!.unreadable?.place).toBe(place);
  expect(good!.command?.kind).toBe('order.change_requested');
});
