import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { AT, channelOrder, closeSims, openSim } from './lib/testing.ts';

afterEach(closeSims);

test('the shop sells within its number, takes the rest as a backorder and says so', async () => {
  const shop = await openSim('shop');
  expect((await shop.post('/inventory/set', { items: [{ sku: 'S', from: null, to: 5 }] })).body.results).toEqual([
    { sku: 'S', status: 200, available: 5 },
  ]);
  const order = channelOrder('1', ['S', 4], ['S', 4], ['T', 1]);
  expect((await shop.post('/_drive/orders', { orders: [order, order] })).body.results).toEqual([
    { number: '1', status: 201 },
    { number: '1', status: 200 },
  ]);
  const [record] = (await shop.get('/events')).body.records;
  expect(record).toEqual({
    seq: 1,
    type: 'order',
    ...order,
    lines: order.lines.map((line, row) => ({ ...line, within: [4, 1, 0][row] })),
  });
  expect((await shop.post('/inventory/lookup', { skus: ['S', 'T'] })).body.found).toEqual([{ sku: 'S', available: 0 }]);
  expect(shop.stats()).toMatchObject({ soldWithin: 5, backordered: 4, records: 1, unread: 1 });
});

test('a number is set only by who knows it', async () => {
  const shop = await openSim('shop');
  await shop.post('/inventory/set', { items: [{ sku: 'S', from: null, to: 5 }] });
  await shop.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2])] });
  const items = [
    { sku: 'S', from: 5, to: 9 },
    { sku: 'S', from: null, to: 9 },
    { sku: 'T', from: 0, to: 9 },
    { sku: 'S', from: 3, to: 9 },
  ];
  expect((await shop.post('/inventory/set', { items })).body.results).toEqual([
    { sku: 'S', status: 409, available: 3 },
    { sku: 'S', status: 409, available: 3 },
    { sku: 'T', status: 409, available: null },
    { sku: 'S', status: 200, available: 9 },
  ]);
  expect(await shop.truth('numbers')).toEqual({ S: { available: 9 } });
});

test('the marketplace takes off what it sold after the order that the number knows', async () => {
  const market = await openSim('marketplace');
  const set = async (quantity: number, ordersThrough: number) =>
    (await market.post('/offers/quantity', { items: [{ sku: 'S', quantity, ordersThrough }] })).body.results[0]
      .available;
  expect(await set(10, 0)).toBe(10);
  for (const number of ['1', '2', '3'])
    await market.post('/_drive/orders', { orders: [channelOrder(number, ['S', 3])] });
  expect(await set(10, 0)).toBe(1);
  expect(await set(4, 2)).toBe(1);
  expect(await set(2, 2)).toBe(0);
  expect(await set(7, 3)).toBe(7);
  expect(await set(9, 1)).toBe(3);
  expect((await market.post('/offers/lookup', { skus: ['S', 'T'] })).body.found).toEqual([
    { sku: 'S', quantity: 9, ordersThrough: 1, available: 3 },
  ]);
  expect(market.stats()).toMatchObject({ ordersThroughBackwards: 1, soldWithin: 9 });
});

test.each(['shop', 'marketplace'] as const)(
  'the %s keeps the last status and price it was given and counts older ones',
  async (kind) => {
    const sim = await openSim(kind);
    const [setPrice, findPrice] =
      kind === 'shop' ? ['/prices/set', '/prices/lookup'] : ['/offers/price', '/offers/price/lookup'];
    await sim.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2, '1.115'], ['T', 3, '0.5'])] });
    const status = (version: number, shipped: number, number = '1') => {
      const lines = [{ lineNo: 1, cancelled: 0, backordered: 1, refused: 0, shipped, returned: 0 }];
      return { number, version, status: 'partly_shipped', lines };
    };
    const items = [status(2, 2), status(1, 1), status(1, 1, '9')];
    expect((await sim.post('/orders/status', { items })).body.results).toMatchObject([
      { number: '1', status: 200 },
      { number: '1', status: 200 },
      { number: '9', status: 404 },
    ]);
    expect((await sim.post('/orders/status/lookup', { numbers: ['1', '9'] })).body.found).toEqual([
      { number: '1', version: 1 },
    ]);
    const price = (version: number) => ({ sku: 'S', version, unitPrice: `1.${version}`, currency: 'GBP' });
    await sim.post(setPrice!, { items: [price(2), price(1)] });
    expect((await sim.post(findPrice!, { skus: ['S', 'T'] })).body.found).toEqual([
      { sku: 'S', version: 1, unitPrice: '1.1', currency: 'GBP' },
    ]);
    const lines = [{ order: '1', lineNo: 1, sku: 'S', quantity: 1, unitPrice: '1.115' }];
    await sim.post('/_drive/cancels', { cancels: [{ reference: 'C1', account: '1', at: AT, lines }] });
    expect((await sim.truth('orders'))['1']).toEqual({
      account: '17850',
      totalMinor: 223 + 150,
      lines: [
        {
          lineNo: 1,
          sku: 'S',
          quantity: 2,
          unitPrice: '1.115',
          within: 0,
          cancelRequested: 1,
          cancelled: 0,
          shipped: 1,
          returned: 0,
          backordered: 1,
          refused: 0,
        },
        {
          lineNo: 2,
          sku: 'T',
          quantity: 3,
          unitPrice: '0.5',
          within: 0,
          cancelRequested: 0,
          cancelled: 0,
          shipped: 0,
          returned: 0,
          backordered: 0,
          refused: 0,
        },
      ],
      statusVersion: 1,
      status: 'partly_shipped',
    });
    expect(sim.stats().backwards).toBe(2);
  },
);

test('buyers wait while more is unread than may be, and go on when a reader has passed it', async () => {
  const shop = await openSim('shop', { unreadMax: 1 });
  const order = (number: string) => shop.post('/_drive/orders', { orders: [channelOrder(number, ['S', 1])] });
  expect([(await order('1')).status, (await order('2')).status]).toEqual([200, 200]);
  const refused = await order('3');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  await shop.get('/events?after=0');
  expect((await order('3')).status).toBe(503);
  await shop.get('/events?after=1');
  expect((await order('3')).status).toBe(200);
  expect(shop.stats()).toMatchObject({ records: 3, unread: 2 });
});

test.each(['shop', 'marketplace'] as const)(
  'the %s never sells beyond its number, whatever it is told and asked',
  async (kind) => {
    const sku = fc.constantFrom('S', 'T');
    const act = fc.oneof(
      fc.record({
        do: fc.constant('set' as const),
        sku,
        to: fc.nat(9),
        from: fc.option(fc.nat(9)),
        through: fc.nat(12),
      }),
      fc.record({
        do: fc.constant('order' as const),
        lines: fc.array(fc.tuple(sku, fc.integer({ min: 1, max: 6 })), { minLength: 1, maxLength: 3 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 4, maxLength: 20 }), async (acts) => {
        const sim = await openSim(kind);
        const offer: Record<string, { to: number; through: number }> = {};
        const sold: { seq: number; sku: string; within: number; sinceSet: boolean }[] = [];
        /** Units that may still go, worked out from all sales each time. */
        const left = (name: string): number => {
          const { to, through } = offer[name] ?? { to: 0, through: 0 };
          const counted = sold.filter(
            (sale) => sale.sku === name && (kind === 'shop' ? sale.sinceSet : sale.seq > through),
          );
          return Math.max(0, to - counted.reduce((sum, sale) => sum + sale.within, 0));
        };
        let seq = 0;
        for (const one of acts) {
          if (one.do === 'set') {
            const from = one.from ?? (offer[one.sku] ? left(one.sku) : null);
            const fits = kind === 'marketplace' || from === (offer[one.sku] ? left(one.sku) : null);
            const path = kind === 'shop' ? '/inventory/set' : '/offers/quantity';
            await sim.post(path, {
              items: [{ sku: one.sku, from, to: one.to, quantity: one.to, ordersThrough: one.through }],
            });
            if (!fits) continue;
            offer[one.sku] = { to: one.to, through: one.through };
            for (const sale of sold) if (sale.sku === one.sku) sale.sinceSet = false;
          } else {
            seq += 1;
            await sim.post('/_drive/orders', { orders: [channelOrder(String(seq), ...one.lines)] });
            const [record] = (await sim.get(`/_control/events?after=${seq - 1}`)).body.records;
            const mine: typeof sold = [];
            for (const line of record.lines) {
              const before = mine.filter((sale) => sale.sku === line.sku).reduce((sum, sale) => sum + sale.within, 0);
              expect(line.within).toBe(Math.min(line.quantity, left(line.sku) - before));
              mine.push({ seq, sku: line.sku, within: line.within, sinceSet: true });
            }
            sold.push(...mine);
          }
        }
        for (const [name, { available }] of Object.entries(await sim.truth('numbers')))
          expect(available).toBe(left(name));
        await sim.close();
      }),
      { numRuns: 30 },
    );
  },
);

test('a shop shows each shipment once with its tracking numbers: whole, or added to what it was told', async () => {
  const sim = await openSim('shop');
  await sim.post('/_drive/orders', { orders: [channelOrder('1', ['S', 2, '1.115'])] });
  const line = { lineNo: 1, cancelled: 0, backordered: 0, refused: 0, shipped: 1, returned: 0 };
  const tell = async (version: number, base: number, shipments?: unknown) =>
    (
      await sim.post('/orders/status', {
        items: [
          { number: '1', version, base, status: 'x', lines: [line], ...(shipments !== undefined && { shipments }) },
        ],
      })
    ).body.results;
  const shown = async () => ((await sim.truth('orders'))['1'] as { shipments?: unknown }).shipments;
  const [one, two] = [
    { shipment: 'wms/1', tracking: ['T-1', 'T-2'] },
    { shipment: 'wms/2', tracking: [] },
  ];
  await tell(1, 0);
  expect(await shown()).toBeUndefined();
  await tell(2, 1, [one]);
  await tell(3, 2, [one, two]);
  expect(await shown()).toEqual([one, two]);
  await tell(4, 0, [two]);
  expect(await shown()).toEqual([two]);
  expect(await tell(5, 4, [{ shipment: 'wms/3', tracking: 'T-3' }])).toMatchObject([{ status: 422 }]);
  expect(await shown()).toEqual([two]);
});
