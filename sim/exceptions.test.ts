/** What goes otherwise than it was ordered, system by system: also over a restart in the middle. */
import { afterEach, expect, test } from 'vitest';
import { manualTime } from './index.ts';
import { type Answer, AT, channelOrder, closeSims, goods, type Opened, openSim, salesOrder } from './lib/testing.ts';

afterEach(closeSims);

const SOON_MS = 5_000;
// biome-ignore lint/suspicious/noExplicitAny: events are asserted, not typed
const eventsOf = async (sim: Opened): Promise<any[]> => (await sim.get('/_control/events?limit=500')).body.records;
const results = ({ body }: Answer) => body.results;

async function warehouse(habits: object) {
  const time = manualTime(Date.parse('2011-01-01T00:00:00Z'));
  const wms = await openSim('wms', { time, seed: 3 });
  expect((await wms.post('/_drive/habits', habits)).status).toBe(200);
  await wms.post('/_drive/receipts', { receipts: [goods('PO', ['S', 100], ['T', 100])] });
  return { time, wms };
}
const fulfil = (wms: Opened, ...fulfilments: ReturnType<typeof goods>[]) =>
  wms.post('/fulfilments/batch', { fulfilments });

test('units that are not found are said, not picked, and taken off the books; the second fulfilment of an order is whole', async () => {
  const { time, wms } = await warehouse({ shortPicks: 1 });
  await fulfil(wms, goods('F1', ['S', 10], ['T', 4]));
  time.advance(SOON_MS);
  const short = (await eventsOf(wms)).filter((event) => event.type === 'short_picked');
  expect(short).toMatchObject([{ reference: 'F1', order: 'order of F1', location: 'A', reason: 'not_found' }]);
  const [missing] = short[0].lines;
  const { F1 } = await wms.truth('fulfilments');
  const line = F1.lines.find(({ lineNo }: { lineNo: number }) => lineNo === missing.lineNo);
  expect(line).toMatchObject({ short: missing.quantity, picked: line.quantity - missing.quantity });
  expect(F1.lines.every((one: { picked: number; shipped: number }) => one.picked === one.shipped)).toBe(true);
  const gone = (await eventsOf(wms)).filter((event) => event.type === 'adjusted');
  expect(gone).toMatchObject([
    { reference: 'short:F1', lines: [{ sku: missing.sku, quantity: -missing.quantity }], location: 'A' },
  ]);
  // 200 came, 14 are not there any more, whichever way they went.
  expect(wms.stats()).toMatchObject({ onHand: 186, pending: 0 });
  await fulfil(wms, { ...goods('F2', ['S', 3]), order: 'order of F1' });
  time.advance(SOON_MS);
  expect((await eventsOf(wms)).filter((event) => event.type === 'short_picked').length).toBe(1);
});

test('what was short cannot be cancelled any more, and a fulfilment of which nothing was found is over', async () => {
  const { time, wms } = await warehouse({ shortPicks: 1 });
  for (let n = 0; n < 20; n += 1) await fulfil(wms, goods(`F${n}`, ['S', 1]));
  time.advance(SOON_MS);
  const all = await wms.truth('fulfilments');
  expect(Object.values(all).map(({ stage }) => stage)).toEqual(Array.from({ length: 20 }, () => 'cancelled'));
  const cancels = [{ reference: 'K1', fulfilment: 'F3', lines: [{ lineNo: 1, quantity: 1 }] }];
  expect(results(await wms.post('/fulfilment-cancels/batch', { cancels }))).toMatchObject([
    { lines: [{ cancelled: 0, tooLate: 1 }] },
  ]);
  expect(wms.stats()).toMatchObject({ onHand: 180, pending: 0 });
});

test('habits that are none are refused', async () => {
  const { wms } = await warehouse({});
  for (const habits of [{ shortPicks: 2 }, { inspects: 'yes' }, { pickMs: [3, 1] }, { pickMs: 5 }])
    expect((await wms.post('/_drive/habits', habits)).status).toBe(422);
});

test('goods that come back are on hand as far as somebody found them good, once, also over a restart', async () => {
  const { time, wms } = await warehouse({ inspects: true });
  const back = Array.from({ length: 90 }, (_, n) => goods(`R${n}`, ['S', 4]));
  await wms.post('/returns/batch', { returns: back });
  time.advance(6);
  const half = wms.stats().pending as number;
  expect(half).toBeGreaterThan(0);
  const again = manualTime(time.now());
  const after = await wms.again({ time: again });
  again.advance(SOON_MS);
  expect(after.stats()).toMatchObject({ pending: 0 });
  const inspections = (await eventsOf(after)).filter((event) => event.type === 'inspected');
  let restocked = 0;
  let decided = 0;
  let apart = 0;
  const ways = new Set<string>();
  for (const { lines, by } of inspections) {
    expect(by).toBe('returns desk');
    for (const line of lines) {
      restocked += line.restock;
      if (line.from === 'quarantine') apart -= line.restock + line.scrap;
      else decided += line.restock + line.scrap + line.quarantine;
      apart += line.quarantine;
      for (const way of ['restock', 'scrap', 'quarantine']) if (line[way] > 0) ways.add(`${line.from} ${way}`);
      if (!line.credited) ways.add('not credited');
    }
  }
  // Every unit was looked at once, and what was set apart was decided once.
  expect([decided, apart]).toEqual([360, 0]);
  expect(ways.size).toBe(6);
  expect(after.stats()).toMatchObject({ onHand: 200 + restocked });
});

test('a change takes more out of the number at once and is shown when it is told; the same again is none', async () => {
  const shop = await openSim('shop');
  await shop.post('/inventory/set', { items: [{ sku: 'S', from: null, to: 5 }] });
  await shop.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2], ['T', 1])] });
  const change = {
    ...{ order: '1', reference: 'CH-1', at: AT },
    lines: [
      { lineNo: 1, quantity: 7 },
      { lineNo: 9, quantity: 1, sku: 'U', unitPrice: '0.335' },
    ],
  };
  expect(results(await shop.post('/_drive/changes', { changes: [change, change] }))).toEqual([
    { reference: 'CH-1', status: 201 },
    { reference: 'CH-1', status: 200 },
  ]);
  expect((await eventsOf(shop)).at(-1)).toEqual({
    ...{ seq: 2, type: 'change', ...change },
    lines: [
      { ...change.lines[0], within: 3 },
      { ...change.lines[1]!, within: 0 },
    ],
  });
  expect(await shop.truth('numbers')).toEqual({ S: { available: 0 } });
  const held = async () =>
    (await shop.truth('orders'))['1'].lines.map((line: { lineNo: number; quantity: number; within: number }) => [
      line.lineNo,
      line.quantity,
      line.within,
    ]);
  expect(await held()).toEqual([
    [1, 2, 2],
    [2, 1, 0],
  ]);
  const none = { cancelled: 0, backordered: 0, refused: 0, shipped: 0, returned: 0 };
  const lines = [
    { lineNo: 1, sku: 'S', quantity: 7, amountMinor: 1785, ...none },
    { lineNo: 9, sku: 'U', quantity: 1, amountMinor: 34, ...none },
  ];
  await shop.post('/orders/status', { items: [{ number: '1', version: 2, status: 'accepted', lines }] });
  const shown = [
    [1, 7, 5],
    [2, 1, 0],
    [9, 1, 0],
  ];
  expect(await held()).toEqual(shown);
  const again = await shop.again();
  const { totalMinor, lines: kept } = (await again.truth('orders'))['1'];
  expect(totalMinor).toBe(1785 + 255 + 34);
  expect(kept.map((line: { within: number }) => line.within)).toEqual([5, 0, 0]);
  expect(await again.truth('numbers')).toEqual({ S: { available: 0 } });
  const unknown = { ...change, order: '2', reference: 'CH-2' };
  expect(results(await again.post('/_drive/changes', { changes: [unknown] }))).toMatchObject([{ status: 404 }]);
});

test('the marketplace counts what a change sold among its sales', async () => {
  const market = await openSim('marketplace');
  const set = async (ordersThrough: number) =>
    results(await market.post('/offers/quantity', { items: [{ sku: 'S', quantity: 10, ordersThrough }] }))[0].available;
  await set(0);
  await market.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2])] });
  const change = { order: '1', reference: 'C', at: AT, lines: [{ lineNo: 1, quantity: 6 }] };
  await market.post('/_drive/changes', { changes: [change] });
  expect([await set(0), await set(1), await set(2)]).toEqual([4, 6, 10]);
});

test('who wants to give goods back says so once, of an order that is known', async () => {
  const crm = await openSim('crm');
  await crm.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2])] });
  const back = { order: '1', reference: 'RMA-1', reason: 'too big', at: AT, lines: [{ lineNo: 1, quantity: 1 }] };
  const returns = [back, back, { ...back, order: '7', reference: 'RMA-7' }];
  expect(results(await crm.post('/_drive/returns', { returns }))).toMatchObject([
    { status: 201 },
    { status: 200 },
    { status: 404 },
  ]);
  expect((await eventsOf(crm)).slice(1)).toEqual([{ seq: 2, type: 'return', ...back }]);
});

test('the ERP counts added lines among open orders, keeps whose they are, and says when a price moves', async () => {
  const erp = await openSim('erp');
  const owner = { company: 'gifts', account: '17850', currency: 'GBP' };
  expect(results(await erp.post('/_drive/limits', { limits: [{ ...owner, limitMinor: 9_000 }] }))).toMatchObject([
    { status: 200 },
  ]);
  await erp.post('/sales-orders/batch', { orders: [salesOrder('SO1', ['A', 6, 1530])] });
  const line = { lineNo: 100_001, sku: 'A', quantity: 2, unitPrice: '2.55', amountMinor: 510, addsTo: 1 };
  const changes = [{ reference: 'AM1', order: 'SO1', totalMinor: 510, lines: [line] }];
  await erp.post('/order-changes/batch', { changes });
  await erp.post('/_drive/payments', { payments: [{ ...owner, reference: 'P1', amountMinor: 100 }] });
  const price = { sku: 'A', company: 'gifts', currency: 'GBP' };
  await erp.post('/_drive/prices', {
    prices: [
      { ...price, unitPrice: '2.60' },
      { ...price, unitPrice: '2.70' },
    ],
  });
  const events = await eventsOf(erp);
  expect(
    events.filter(({ kind }) => kind === 'credit').map((one) => [one.openOrdersMinor, one.openInvoicesMinor]),
  ).toEqual([
    [0, 0],
    [1530, 0],
    [2040, 0],
    [2040, -100],
  ]);
  const prices = events.filter(({ kind }) => kind === 'price');
  expect(prices).toMatchObject([
    { ...price, unitPrice: '2.60' },
    { ...price, unitPrice: '2.70' },
  ]);
  expect(prices[0].at < prices[1].at).toBe(true);
  const again = await erp.again();
  expect((await again.truth('orders')).SO1.lines.map((one: { root?: number }) => one.root)).toEqual([undefined, 1]);
  expect(await again.truth('prices')).toEqual({ A: { unitPrice: '2.70', currency: 'GBP' } });
});
