import { afterEach, expect, test } from 'vitest';
import { AT, channelOrder, closeSims, openSim } from './lib/testing.ts';

afterEach(closeSims);

const record = (externalId: string, version: number, shipped: number) => ({
  externalId,
  version,
  status: shipped > 0 ? 'shipped' : 'accepted',
  account: '17850',
  currency: 'GBP',
  totalMinor: 510,
  lines: [
    {
      lineNo: 1,
      sku: 'A',
      quantity: 2,
      amountMinor: 510,
      cancelled: 0,
      backordered: 0,
      refused: 0,
      shipped,
      invoiced: 0,
      returned: 0,
    },
  ],
});

test('the last record written wins, also an older version, which is counted', async () => {
  const crm = await openSim('crm');
  const records = [record('O1', 1, 0), record('O1', 3, 2), record('O1', 2, 0)];
  const { results } = (await crm.post('/orders/upsert', { records })).body;
  expect(results.map((result: { status: number }) => result.status)).toEqual([201, 200, 200]);
  const { externalId, ...last } = record('O1', 2, 0);
  expect(await crm.truth('orders')).toEqual({ [externalId]: last });
  expect((await crm.post('/orders/lookup', { externalIds: ['O1', 'O2'] })).body.found).toEqual([
    { externalId: 'O1', version: 2 },
  ]);
  expect(crm.stats().backwards).toBe(1);
});

test('orders and cancels that people enter become requests, each once', async () => {
  const crm = await openSim('crm');
  const order = channelOrder('536365', ['85123A', 6]);
  const cancel = {
    reference: 'C536379/1',
    account: '14527',
    at: AT,
    lines: [{ order: null, lineNo: null, sku: '22139', quantity: 1, unitPrice: '4.25' }],
  };
  for (const status of [201, 200]) {
    expect((await crm.post('/_drive/orders', { orders: [order] })).body.results).toEqual([
      { number: '536365', status },
    ]);
    expect((await crm.post('/_drive/cancels', { cancels: [cancel] })).body.results).toEqual([
      { reference: 'C536379/1', status },
    ]);
  }
  expect((await crm.get('/requests')).body).toEqual({
    records: [
      { seq: 1, type: 'order', ...order },
      { seq: 2, type: 'cancel', ...cancel },
    ],
    next: 2,
    more: false,
  });
});

test('a record that says only what changed keeps its other lines, and is refused when what it builds on is missing', async () => {
  const crm = await openSim('crm');
  const whole = record('O1', 1, 0);
  const two = { ...whole, lines: [whole.lines[0], { ...whole.lines[0], lineNo: 2 }] };
  const shipped = { ...record('O1', 4, 2), base: 1, lines: [{ ...whole.lines[0], lineNo: 2, shipped: 2 }] };
  const lost = { ...record('O1', 9, 2), base: 7, lines: [] };
  const { results } = (await crm.post('/orders/upsert', { records: [two, shipped, lost] })).body;
  expect(results.map((result: { status: number }) => result.status)).toEqual([201, 200, 409]);
  expect(await crm.truth('orders')).toMatchObject({
    O1: {
      version: 4,
      status: 'shipped',
      lines: [
        { lineNo: 1, shipped: 0 },
        { lineNo: 2, shipped: 2 },
      ],
    },
  });
});
