import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { manualTime } from './index.ts';
import { AT, channelOrder, closeSims, goods, openSim, salesOrder } from './lib/testing.ts';

afterEach(closeSims);

test('an ERP that is started again has everything, and posts the invoice it still owed', async () => {
  const erp = await openSim('erp', { time: manualTime() });
  const order = salesOrder('SO1', ['A', 6, 1530]);
  await erp.post('/sales-orders/batch', { orders: [order, order] });
  const lines = [{ lineNo: 1, quantity: 2, amountMinor: 510 }];
  await erp.post('/cancellations/batch', { cancellations: [{ reference: 'C1', order: 'SO1', lines }] });
  await erp.post('/shipments/batch', {
    shipments: [{ reference: 'S1', order: 'SO1', location: 'A', shippedAt: AT, lines }],
  });
  const charge = {
    reference: 'X1',
    kind: 'fee',
    account: '1',
    code: 'POST',
    quantity: 1,
    amountMinor: 5,
    currency: 'GBP',
    at: AT,
  };
  await erp.post('/charges/batch', { charges: [charge] });
  const before = [await erp.truth('orders'), await erp.truth('charges'), erp.stats().duplicates];
  const time = manualTime();
  const again = await erp.again({ time });
  expect([await again.truth('orders'), await again.truth('charges'), again.stats().duplicates]).toEqual(before);
  expect(again.stats()).toMatchObject({ pending: 1, documents: 0 });
  time.advance(100);
  expect((await again.get('/documents')).body.records).toMatchObject([
    { seq: 1, number: 'INV-1', reference: 'S1', lines },
  ]);
  const { results } = (await again.post('/sales-orders/batch', { orders: [salesOrder('SO2', ['A', 1, 1])] })).body;
  expect(results[0].number).toBe('SO-3');
  time.advance(100);
  expect((await again.again()).stats()).toMatchObject({ pending: 0, documents: 1, orders: 2 });
});

test('a WMS that is started again goes on where it was, without doing anything twice', async () => {
  let time = manualTime();
  let wms = await openSim('wms', { time, speed: 1 });
  await wms.post('/_drive/receipts', { receipts: [goods('R1', ['S', 10])] });
  const cancels = [{ reference: 'C1', fulfilment: 'F1', lines: [{ lineNo: 1, quantity: 1 }] }];
  await wms.post('/fulfilments/batch', { fulfilments: [goods('F1', ['S', 4]), goods('F2', ['S', 99])] });
  const answer = (await wms.post('/fulfilment-cancels/batch', { cancels })).body;
  await wms.post('/returns/batch', { returns: [goods('T1', ['S', 1])] });
  const types: string[] = [];
  for (let starts = 0; starts < 12; starts++) {
    time.advance(starts * 4);
    time = manualTime(time.now());
    wms = await wms.again({ time });
  }
  time.advance(1000);
  for (const event of (await wms.get('/events')).body.records) types.push(`${event.type} ${event.reference}`);
  expect(types.filter((type) => !type.startsWith('shipped')).sort()).toEqual([
    'picked F1',
    'received R1',
    'returned T1',
  ]);
  expect((await wms.truth('fulfilments')).F1.lines).toMatchObject([{ cancelled: 1, picked: 3, shipped: 3 }]);
  expect((await wms.post('/fulfilment-cancels/batch', { cancels })).body).toEqual(answer);
  expect(wms.stats()).toMatchObject({
    onHand: 8,
    askedBeyondStock: expect.any(Number),
    waitingForStock: 1,
    pending: 0,
  });
});

test('what was asked beyond stock is counted once, whatever is started again', async () => {
  let time = manualTime();
  let wms = await openSim('wms', { time });
  await wms.post('/fulfilments/batch', { fulfilments: [goods('F1', ['S', 4])] });
  for (let starts = 0; starts < 3; starts++) {
    time.advance(1000);
    expect(wms.stats()).toMatchObject({ askedBeyondStock: 4, waitingForStock: 1, pending: 0 });
    time = manualTime();
    wms = await wms.again({ time });
  }
});

test.each(['shop', 'marketplace', 'crm'] as const)(
  'a %s that is started again has its orders, numbers, statuses and feed',
  async (kind) => {
    const sim = await openSim(kind);
    if (kind === 'shop') await sim.post('/inventory/set', { items: [{ sku: 'S', from: null, to: 5 }] });
    if (kind === 'marketplace')
      await sim.post('/offers/quantity', { items: [{ sku: 'S', quantity: 5, ordersThrough: 0 }] });
    await sim.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2]), channelOrder('2', ['S', 4])] });
    const lines = [{ order: '1', lineNo: 1, sku: 'S', quantity: 1, unitPrice: '2.55' }];
    await sim.post('/_drive/cancels', { cancels: [{ reference: 'C1', account: '1', at: AT, lines }] });
    const status = { cancelled: 0, backordered: 0, refused: 0, shipped: 1, invoiced: 0, returned: 0 };
    const record = { externalId: '1', account: '1', currency: 'GBP', totalMinor: 1 };
    const last = { number: '1', version: 4, status: 'shipped', ...record };
    const item = { ...last, lines: [{ lineNo: 1, sku: 'S', quantity: 2, amountMinor: 1, ...status }] };
    await sim.post(kind === 'crm' ? '/orders/upsert' : '/orders/status', { items: [item], records: [item] });
    const kinds = kind === 'crm' ? ['orders'] : ['orders', 'numbers', 'prices'];
    const state = async (of: typeof sim) => [
      await Promise.all(kinds.map((name) => of.truth(name))),
      (await of.get('/_control/events')).body,
      { ...of.stats(), calls: 0 },
    ];
    const before = await state(sim);
    const again = await sim.again();
    expect(await state(again)).toEqual(before);
    expect((await again.post('/_drive/orders', { orders: [channelOrder('2', ['S', 4])] })).body.results[0].status).toBe(
      200,
    );
    await again.post('/_drive/orders', { orders: [channelOrder('3', ['S', 9])] });
    expect((await again.get('/_control/events?after=3')).body.records[0]).toMatchObject({ seq: 4, number: '3' });
  },
);

test('a torn last line is cut off, and what comes after it is whole', async () => {
  const crm = await openSim('crm');
  const path = join(crm.data, 'crm.ndjson');
  for (const number of ['1', '2', '3']) await crm.post('/_drive/orders', { orders: [channelOrder(number, ['S', 1])] });
  await crm.close();
  const whole = readFileSync(path);
  for (const torn of [1, 2, 40]) {
    writeFileSync(path, whole);
    truncateSync(path, whole.length - torn);
    const again = await openSim('crm', { data: crm.data });
    expect((await again.get('/requests')).body.records.map((record: { number: string }) => record.number)).toEqual([
      '1',
      '2',
    ]);
    await again.post('/_drive/orders', { orders: [channelOrder('3', ['S', 1])] });
    await again.close();
    expect(readFileSync(path)).toEqual(whole);
  }
  appendFileSync(path, 'no json\n{"do":');
  await expect(openSim('crm', { data: crm.data })).resolves.toBeDefined();
});

test('damage before the last line stops the start instead of being skipped', async () => {
  const crm = await openSim('crm');
  await crm.post('/_drive/orders', { orders: [channelOrder('1', ['S', 1])] });
  await crm.close();
  const path = join(crm.data, 'crm.ndjson');
  const line = readFileSync(path, 'utf8');
  writeFileSync(path, `${line}{"seq":2,"ty\n${line.replace('"seq":1', '"seq":3')}`);
  await expect(openSim('crm', { data: crm.data })).rejects.toThrow('unreadable line at byte');
});
