import { afterEach, expect, test } from 'vitest';
import { AT, closeSims, openSim, salesOrder, until } from './lib/testing.ts';

afterEach(closeSims);

const shipment = (
  reference: string,
  order: string,
  ...lines: [lineNo: number, quantity: number, amountMinor: number][]
) => ({
  reference,
  order,
  location: 'A',
  shippedAt: AT,
  lines: lines.map(([lineNo, quantity, amountMinor]) => ({ lineNo, quantity, amountMinor })),
});

test('the same reference twice makes two documents, and both are found', async () => {
  const erp = await openSim('erp');
  const orders = [salesOrder('SO1', ['A', 2, 510]), salesOrder('SO1', ['A', 2, 510])];
  const { body } = await erp.post('/sales-orders/batch', { orders });
  expect(body.results).toEqual([
    { reference: 'SO1', status: 201, number: 'SO-1' },
    { reference: 'SO1', status: 201, number: 'SO-2' },
  ]);
  expect((await erp.post('/sales-orders/lookup', { references: ['SO1', 'SO9'] })).body.found).toEqual([
    { reference: 'SO1', number: 'SO-1' },
    { reference: 'SO1', number: 'SO-2' },
  ]);
  expect((await erp.truth('orders')).SO1).toMatchObject({
    count: 2,
    totalMinor: 510,
    account: '17850',
    currency: 'GBP',
  });
  expect(erp.stats()).toMatchObject({ duplicates: 1, orders: 1 });
});

test('a total that is not the sum, and an order without lines, are refused and their neighbour is taken', async () => {
  const erp = await openSim('erp');
  const wrong = { ...salesOrder('SO1', ['A', 2, 510]), totalMinor: 511 };
  const empty = salesOrder('SO2');
  const { body } = await erp.post('/sales-orders/batch', { orders: [wrong, empty, salesOrder('SO3', ['A', 1, 255])] });
  expect(body.results.map((result: { status: number }) => result.status)).toEqual([422, 422, 201]);
  expect(body.results.slice(0, 2).map((result: { error: { code: string } }) => result.error.code)).toEqual([
    'total_mismatch',
    'empty',
  ]);
  expect(Object.keys(await erp.truth('orders'))).toEqual(['SO3']);
});

test('an invoice holds exactly what the shipment carried, a credit note what the return did', async () => {
  const erp = await openSim('erp');
  await erp.post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 6, 1530], ['B', 3, 999])] });
  const shipments = [shipment('S1', 'SO1', [1, 4, 1020]), shipment('S2', 'SO1', [1, 2, 510], [2, 3, 999])];
  const returned = { reference: 'R1', order: 'SO1', lines: [{ lineNo: 2, quantity: 1, amountMinor: 333 }] };
  expect(
    (await erp.post('/shipments/batch', { shipments })).body.results.map((r: { status: number }) => r.status),
  ).toEqual([201, 201]);
  await until('two invoices', () => erp.stats().pending === 0);
  await erp.post('/returns/batch', { returns: [returned] });
  await until('the credit note', () => erp.stats().pending === 0);

  const { records } = (await erp.get('/documents?after=0&limit=500')).body;
  const byReference = Object.fromEntries(records.map((record: { reference: string }) => [record.reference, record]));
  expect(byReference.S1).toMatchObject({ kind: 'invoice', order: 'SO1', totalMinor: 1020, currency: 'GBP' });
  expect(byReference.S1.lines).toEqual([{ lineNo: 1, quantity: 4, amountMinor: 1020 }]);
  expect(byReference.S2).toMatchObject({ kind: 'invoice', totalMinor: 1509 });
  expect(byReference.R1).toMatchObject({ kind: 'credit_note', totalMinor: 333, lines: returned.lines });
  expect((await erp.truth('orders')).SO1.lines).toMatchObject([
    { lineNo: 1, sku: 'A', quantity: 6, shipped: 6, invoiced: 6, invoicedMinor: 1530, returned: 0, creditedMinor: 0 },
    { lineNo: 2, sku: 'B', quantity: 3, shipped: 3, invoiced: 3, invoicedMinor: 999, returned: 1, creditedMinor: 333 },
  ]);
});

test('a shipment written twice is shipped and invoiced twice', async () => {
  const erp = await openSim('erp');
  await erp.post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 6, 1530])] });
  for (let i = 0; i < 2; i++) await erp.post('/shipments/batch', { shipments: [shipment('S1', 'SO1', [1, 6, 1530])] });
  await until('both invoices', () => erp.stats().pending === 0);
  expect((await erp.truth('orders')).SO1.lines[0]).toMatchObject({ shipped: 12, invoiced: 12, invoicedMinor: 3060 });
  expect(erp.stats()).toMatchObject({ duplicates: 1, documents: 2 });
});

test('no more can be cancelled than is open, and a refused cancellation changes nothing', async () => {
  const erp = await openSim('erp');
  await erp.post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 6, 1530])] });
  await erp.post('/shipments/batch', { shipments: [shipment('S1', 'SO1', [1, 2, 510])] });
  const cancellation = (reference: string, order: string, quantity: number) => {
    return { reference, order, lines: [{ lineNo: 1, quantity, amountMinor: quantity * 255 }] };
  };
  const cancellations = [
    cancellation('C1', 'SO9', 1),
    cancellation('C2', 'SO1', 5),
    cancellation('C3', 'SO1', 4),
    cancellation('C4', 'SO1', 1),
  ];
  const { results } = (await erp.post('/cancellations/batch', { cancellations })).body;
  expect(results.map((result: { status: number }) => result.status)).toEqual([404, 409, 201, 409]);
  expect((await erp.truth('orders')).SO1.lines[0]).toMatchObject({ cancelled: 4, cancelledMinor: 1020, shipped: 2 });
  expect((await erp.post('/cancellations/lookup', { references: ['C1', 'C2', 'C3', 'C4'] })).body.found).toEqual([
    { reference: 'C3', number: 'CA-1' },
  ]);
});

test('a charge is kept as it is', async () => {
  const erp = await openSim('erp');
  const charge = {
    reference: 'X1',
    kind: 'postage',
    account: '1',
    code: 'POST',
    quantity: -1,
    amountMinor: -1800,
    currency: 'GBP',
    at: AT,
  };
  expect((await erp.post('/charges/batch', { charges: [charge] })).body.results).toEqual([
    { reference: 'X1', status: 201, number: 'CH-1' },
  ]);
  const { reference, ...rest } = charge;
  expect(await erp.truth('charges')).toEqual({ [reference]: { count: 1, reference, ...rest } });
});

test('more than the named maximum is refused as a whole', async () => {
  const erp = await openSim('erp');
  const orders = Array.from({ length: 101 }, (_, i) => salesOrder(`SO${i}`, ['A', 1, 1]));
  const answer = await erp.post('/sales-orders/batch', { orders });
  expect([answer.status, answer.body.error.code]).toEqual([413, 'too_many']);
  expect(await erp.truth('orders')).toEqual({});
});

test('an account owes what is ordered and invoiced, less what was cancelled, credited and paid; each change is told', async () => {
  const erp = await openSim('erp');
  const owner = { company: 'gifts', account: '17850', currency: 'GBP' };
  const credit = async () => {
    const [found] = (await erp.post('/credit/lookup', { accounts: ['gifts/17850', 'gifts/none'] })).body.found;
    return found === undefined
      ? 'none'
      : `${found.openOrdersMinor}+${found.openInvoicesMinor} of ${found.limitMinor} ${found.orders}`;
  };
  await erp.post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 6, 1530], ['B', 3, 999])] });
  expect(await credit()).toBe('none');
  await erp.post('/credit-limits/batch', {
    limits: [
      { ...owner, limitMinor: 5_000 },
      { ...owner, account: 'bad', limitMinor: -1 },
    ],
  });
  expect(await credit()).toBe('2529+0 of 5000 SO1');
  const lines = [{ lineNo: 2, quantity: 1, amountMinor: 333 }];
  await erp.post('/cancellations/batch', { cancellations: [{ reference: 'C1', order: 'SO1', lines }] });
  expect(await credit()).toBe('2196+0 of 5000 SO1');
  const more = { reference: 'SO1/2', order: 'SO1', currency: 'GBP', totalMinor: 255 };
  const added = [{ lineNo: 100_001, sku: 'A', quantity: 1, unitPrice: '2.55', amountMinor: 255, addsTo: 1 }];
  expect((await erp.post('/order-changes/batch', { changes: [{ ...more, lines: added }] })).body).toMatchObject({
    results: [{ status: 201 }],
  });
  expect(await credit()).toBe('2451+0 of 5000 SO1');
  const [shown] = (await erp.post('/credit/lookup', { accounts: ['gifts/17850'] })).body.found;
  expect(shown.orderLines).toEqual(['SO1#100001']);
  const undo = [{ lineNo: 100_001, quantity: 1, amountMinor: 255 }];
  await erp.post('/cancellations/batch', { cancellations: [{ reference: 'C2', order: 'SO1', lines: undo }] });
  await erp.post('/shipments/batch', { shipments: [shipment('S1', 'SO1', [1, 6, 1530], [2, 2, 666])] });
  await until('the invoice', () => erp.stats().pending === 0);
  expect(await credit()).toBe('0+2196 of 5000 ');
  const payment = { ...owner, reference: 'P1', amountMinor: 2_000 };
  for (let i = 0; i < 2; i++) await erp.post('/payments/batch', { payments: [payment] });
  expect(await credit()).toBe('0+196 of 5000 ');
  const { records } = (await erp.get('/documents?after=0&limit=500')).body;
  const told = records.filter((record: { kind: string }) => record.kind === 'credit');
  expect(
    told.map((record: { openOrdersMinor: number; openInvoicesMinor: number }) => [
      record.openOrdersMinor,
      record.openInvoicesMinor,
    ]),
  ).toEqual([
    [2529, 0],
    [2196, 0],
    [2451, 0],
    [2196, 0],
    [0, 2196],
    [0, 196],
  ]);
  expect(new Set(told.map((record: { at: string }) => record.at)).size).toBe(6);
});
