import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { amountMinor, type InboundItem } from '../../src/canonical/index.ts';
import type { Connector, OrderStatusState, Source } from '../../src/connectors/kit/index.ts';
import { contextFor } from '../../src/connectors/kit/testing.ts';
import { vendure } from '../../src/connectors/vendure/index.ts';
import {
  type Any,
  administrator,
  arrange,
  basket,
  buy,
  cancel,
  countingProxy,
  isUp,
  openMarketplace,
  orderOf,
  pay,
  pool,
  type Session,
  updateVariants,
  variantOf,
  vendureUrl,
} from './vendure-shop.ts';

/** Against a real Vendure 3.7 shop with the seeded SKUs. `VENDURE_URL` says where; without one, all of it is skipped. */

const up = await isUp(vendureUrl);
if (!up) console.warn(`SKIPPED: no Vendure shop answers at ${vendureUrl}; start one with npm run peers -- up vendure`);

const signal = new AbortController().signal;
const settings = {
  user: 'superadmin',
  company: 'US',
  account: 'WALK-IN',
  locations: ['DC-EAST', 'DC-WEST'],
  lookEveryMs: 1_000,
};
const limits = { callsPerSecond: 200, concurrency: 4, timeoutMs: 60_000, batchMax: null };

describe.skipIf(!up)('the real Vendure shop', { timeout: 600_000 }, () => {
  let admin: Session;
  let shop: Connector;

  const connect = (more: object = {}, channel = 'shop') =>
    vendure(
      contextFor(vendureUrl, {
        system: 'vendure',
        channel,
        token: 'superadmin-pw',
        settings: { ...settings, ...more },
        limits,
      }),
    );

  beforeAll(async () => {
    admin = await administrator();
    await openMarketplace(admin);
    shop = connect();
  }, 120_000);
  afterAll(async () => {
    await shop?.close();
  });

  /** Reads a feed from `cursor` until nothing more is there. */
  async function drain(source: Source, cursor: string): Promise<{ items: InboundItem[]; cursor: string }> {
    const items: InboundItem[] = [];
    for (let at = cursor; ; ) {
      const page = await source.poll(at, signal);
      items.push(...page.items);
      expect(source.reread!(page.body).length).toBeGreaterThanOrEqual(page.items.length);
      at = page.cursor;
      if (page.drained) return { items, cursor: at };
    }
  }
  const ofOrder = (items: InboundItem[], code: string) =>
    items.filter(({ command }) => [(command as Any)?.externalNo, (command as Any)?.order].includes(code));
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const notesOf = async (id: string): Promise<string[]> => {
    const order = await admin.ask(
      `query ($i: ID!) { order(id: $i) {
        history(options: { filter: { type: { eq: "ORDER_NOTE" } }, sort: { createdAt: ASC } }) { items { data } } } }`,
      { i: id },
    );
    return order.history.items.map((entry: Any) => entry.data.note);
  };
  const numberOf = async (sku: string) => (await shop.availability!.readBack([sku], signal)).get(sku)!;
  const telling = (sku: string, from: number | null, quantity: number, ordersThrough = '') => ({
    sku,
    from,
    quantity,
    ordersThrough,
  });

  it('answers the probe, and one with a wrong password says why', async () => {
    expect(await shop.probe(signal)).toEqual({ ok: true, detail: 'answers, lets us in, channel __default_channel__' });
    const stranger = vendure(contextFor(vendureUrl, { channel: 'shop', token: 'wrong', settings, limits }));
    expect(await stranger.probe(signal)).toEqual({ ok: false, detail: expect.stringContaining('INVALID_CREDENTIALS') });
    await stranger.close();
  });

  it('an order arrives once with exact amounts, a cancel of a part and of the rest once each', async () => {
    const [a, b] = [await variantOf(admin, 'SKU-0020'), await variantOf(admin, 'SKU-0021')];
    await updateVariants(
      admin,
      [a, b].map(({ id }) => ({
        id,
        outOfStockThreshold: 0,
        stockLevels: [{ stockLocationId: '1', stockOnHand: 1_000 }],
      })),
    );
    const source = shop.sources[0]!;
    let { cursor } = await drain(source, '');
    const order = await buy([
      [a.id, 5],
      [b.id, 3],
    ]);
    const sold = await orderOf(admin, order.id);
    let read = await drain(source, cursor);
    const [submitted, ...others] = ofOrder(read.items, order.code);
    expect(others).toEqual([]);
    expect(submitted).toMatchObject({
      scope: 'order/shop',
      key: order.code,
      command: {
        kind: 'order.submitted',
        company: 'US',
        account: 'WALK-IN',
        currency: 'USD',
        lines: [
          { lineNo: 1, sku: 'SKU-0020', quantity: 5, unitPrice: (a.price / 100).toFixed(2) },
          { lineNo: 2, sku: 'SKU-0021', quantity: 3, unitPrice: (b.price / 100).toFixed(2) },
        ],
      },
    });
    const lines = (submitted!.command as Any).lines as { unitPrice: string; quantity: number }[];
    expect(lines.reduce((sum, line) => sum + amountMinor(line.unitPrice, line.quantity, 'USD'), 0)).toBe(sold.subTotal);
    cursor = read.cursor;
    await cancel(admin, order.id, [{ orderLineId: sold.lines[0].id, quantity: 2 }]);
    read = await drain(source, cursor);
    // The order itself has changed, too, and is read again as it was.
    const changed = ofOrder(read.items, order.code);
    expect(changed.filter(({ command }) => command?.kind === 'order.cancel_requested')).toMatchObject([
      { command: { kind: 'order.cancel_requested', order: order.code, lineNo: 1, sku: 'SKU-0020', quantity: 2 } },
    ]);
    for (const { scope, fingerprint } of changed)
      if (scope === 'order/shop') expect(fingerprint).toBe(submitted!.fingerprint);
    cursor = read.cursor;
    await cancel(admin, order.id);
    read = await drain(source, cursor);
    const ended = ofOrder(read.items, order.code).filter(
      ({ command }) => command?.kind === 'order.cancel_requested' && command.quantity !== 2,
    );
    expect(ended.map(({ command }) => [(command as Any).lineNo, (command as Any).quantity])).toEqual([
      [1, 3],
      [2, 3],
    ]);
    cursor = read.cursor;
    // A second process that starts anew reads the overlap once more, under the same keys and fingerprints.
    const again = connect();
    const twice = ofOrder((await drain(again.sources[0]!, cursor)).items, order.code);
    await again.close();
    const first = twice.find(({ command }) => command?.kind === 'order.submitted');
    expect([first?.key, first?.fingerprint]).toEqual([submitted!.key, submitted!.fingerprint]);
  });

  it('an order that stood at the payment longer than the overlap is not lost: it is read by when it was placed', async () => {
    const { id } = await variantOf(admin, 'SKU-0022');
    await updateVariants(admin, [
      { id, outOfStockThreshold: 0, stockLevels: [{ stockLocationId: '1', stockOnHand: 1_000 }] },
    ]);
    const slow = await basket([[id, 1]]);
    await arrange(slow);
    await wait(2_000);
    const other = await buy([[id, 1]]);
    const source = shop.sources[0]!;
    const { cursor, items } = await drain(source, '');
    expect(ofOrder(items, other.code)).toHaveLength(1);
    const late = await pay(slow);
    const at = await admin.ask('query ($i: ID!) { order(id: $i) { updatedAt orderPlacedAt } }', { i: late.id });
    expect(Date.parse(at.orderPlacedAt) - Date.parse(at.updatedAt)).toBeGreaterThan(1_000);
    expect(ofOrder((await drain(source, cursor)).items, late.code)).toHaveLength(1);
  });

  it('what the shop changes in an order without leaving a time is found by looking at everything open', async () => {
    const [a, b] = [await variantOf(admin, 'SKU-0023'), await variantOf(admin, 'SKU-0024')];
    await updateVariants(
      admin,
      [a, b].map(({ id }) => ({
        id,
        outOfStockThreshold: 0,
        stockLevels: [{ stockLocationId: '1', stockOnHand: 1_000 }],
      })),
    );
    const order = await buy([[a.id, 5]]);
    const { lines, payments } = await orderOf(admin, order.id);
    const source = shop.sources[0]!;
    const { cursor } = await drain(source, '');
    await admin.ask('mutation ($i: ID!) { settlePayment(id: $i) { __typename } }', { i: payments[0].id });
    await admin.ask('mutation ($i: ID!) { transitionOrderToState(id: $i, state: "Modifying") { __typename } }', {
      i: order.id,
    });
    const input = {
      orderId: order.id,
      dryRun: false,
      refund: { paymentId: payments[0].id },
      adjustOrderLines: [{ orderLineId: lines[0].id, quantity: 3 }],
      addItems: [{ productVariantId: b.id, quantity: 1 }],
    };
    await admin.ask(
      'mutation ($i: ModifyOrderInput!) { modifyOrder(input: $i) { __typename ... on ErrorResult { errorCode message } } }',
      { i: input },
    );
    const found: InboundItem[] = [];
    for (let at = cursor, tries = 0; tries < 5 && found.length < 2; tries++) {
      await wait(1_100);
      const read = await drain(source, at);
      at = read.cursor;
      found.push(
        ...read.items.filter((item) => item.key.includes(order.code) && item.command?.kind !== 'order.submitted'),
      );
    }
    expect(found).toMatchObject([
      { scope: 'cancel/shop', command: { kind: 'order.cancel_requested', lineNo: 1, quantity: 2 } },
      { scope: 'order_changed/shop', unreadable: { reason: expect.stringContaining('1 of SKU-0024') } },
    ]);
  });

  it('each channel has its own orders, though the default channel holds them all', async () => {
    const { id } = await variantOf(admin, 'SKU-0025');
    await updateVariants(admin, [
      { id, outOfStockThreshold: 0, stockLevels: [{ stockLocationId: '1', stockOnHand: 1_000 }] },
    ]);
    const market = connect({ shopChannel: 'marketplace', shopChannelToken: 'marketplace-token' }, 'market');
    try {
      const there = await buy([[id, 2]], 'marketplace-token');
      const here = await buy([[id, 1]]);
      const ours = (await drain(shop.sources[0]!, '')).items;
      const theirs = (await drain(market.sources[0]!, '')).items;
      expect([ofOrder(ours, here.code).length, ofOrder(ours, there.code).length]).toEqual([1, 0]);
      expect([ofOrder(theirs, here.code).length, ofOrder(theirs, there.code).length]).toEqual([0, 1]);
      const price = { key: 'SKU-0025', version: 1, base: 0, state: { unitPrice: '33.21', currency: 'USD' } };
      const cheap = { ...price, state: { unitPrice: '29.99', currency: 'USD' } };
      expect(await market.prices!.write([price], signal)).toEqual([{ outcome: 'confirmed' }]);
      expect(await shop.prices!.write([cheap], signal)).toEqual([{ outcome: 'confirmed' }]);
      expect([...(await market.prices!.holds!([price], signal))]).toEqual(['SKU-0025']);
      expect([...(await shop.prices!.holds!([price], signal))]).toEqual([]);
      expect(
        await shop.prices!.write([{ ...price, state: { unitPrice: '1.005', currency: 'USD' } }], signal),
      ).toMatchObject([{ outcome: 'refused' }]);
    } finally {
      await market.close();
    }
  });

  it('one variant that is gone holds up no other, and a batch that fails had no effect', async () => {
    const { id } = await variantOf(admin, 'SKU-0026');
    const before = (await variantOf(admin, 'SKU-0026')).stockLevels[0].stockOnHand;
    const poisoned = [
      { id, stockLevels: [{ stockLocationId: '1', stockOnHand: before + 1 }] },
      { id: '999999', outOfStockThreshold: 1 },
    ];
    await expect(updateVariants(admin, poisoned)).rejects.toThrow('ENTITY_NOT_FOUND');
    expect((await variantOf(admin, 'SKU-0026')).stockLevels[0].stockOnHand).toBe(before);
    expect(
      await shop.availability!.write([telling('SKU-0026', null, 40), telling('NO-SUCH', null, 1)], signal),
    ).toMatchObject([{ outcome: 'confirmed' }, { outcome: 'refused', error: expect.stringContaining('NO-SUCH') }]);
    expect(await numberOf('SKU-0026')).toBe(40);
  });

  it('a number moves by its difference: a sale in between stays, a restock in the shop is a conflict', async () => {
    const { id } = await variantOf(admin, 'SKU-0027');
    const write = async (from: number | null, quantity: number) =>
      (await shop.availability!.write([telling('SKU-0027', from, quantity)], signal))[0]!.outcome;
    expect([await write(null, 30), await numberOf('SKU-0027')]).toEqual(['confirmed', 30]);
    await buy([[id, 4]]);
    expect([await write(30, 50), await numberOf('SKU-0027')]).toEqual(['confirmed', 46]);
    const { stockLevels } = await variantOf(admin, 'SKU-0027');
    await updateVariants(admin, [
      {
        id,
        stockLevels: [
          {
            stockLocationId: '1',
            stockOnHand: stockLevels.find((l: Any) => l.stockLocationId === '1').stockOnHand + 10,
          },
        ],
      },
    ]);
    expect([await write(46, 10), await numberOf('SKU-0027')]).toEqual(['conflict', 56]);
    expect([await write(56, 10), await numberOf('SKU-0027')]).toEqual(['confirmed', 10]);
  });

  it('120 numbers changed at once are there within 3 times the bare batch, and none is sent again', async () => {
    const skus = Array.from({ length: 120 }, (_, i) => `SKU-${String(i + 1).padStart(4, '0')}`);
    const told = (quantity: number, from: number | null) => skus.map((sku) => telling(sku, from, quantity));
    const write = async (quantity: number, from: number | null) => {
      const items = told(quantity, from);
      const outcomes = (
        await Promise.all([0, 100].map((at) => shop.availability!.write(items.slice(at, at + 100), signal)))
      ).flat();
      const there = new Map(
        (
          await Promise.all([0, 100].map((at) => shop.availability!.readBack(skus.slice(at, at + 100), signal)))
        ).flatMap((part) => [...part]),
      );
      expect(outcomes.every(({ outcome }) => outcome === 'confirmed')).toBe(true);
      expect(skus.filter((sku) => there.get(sku) !== quantity)).toEqual([]);
    };
    await write(500, null);
    const bare: number[] = [];
    const ours: number[] = [];
    let number = 500;
    const stocks = new Map<string, Any>();
    for (const skip of [0, 100])
      for (const variant of (
        await admin.ask(`{ productVariants(options: { take: 100, skip: ${skip} }) { items {
          id sku stockLevels { stockLocationId stockOnHand } } } }`)
      ).items)
        stocks.set(variant.sku, variant);
    const onHand = (sku: string) =>
      stocks.get(sku).stockLevels.find((level: Any) => level.stockLocationId === '1').stockOnHand as number;
    // In turn, so that whatever else the machine does falls on both.
    for (const size of [30, 60, 120]) {
      const bareNumber = number + 10;
      const inputs = skus.map((sku) => {
        const stockOnHand = onHand(sku) - 500 + bareNumber;
        return { id: stocks.get(sku).id, stockLevels: [{ stockLocationId: '1', stockOnHand }] };
      });
      const chunks: object[][] = [];
      for (let at = 0; at < inputs.length; at += size) chunks.push(inputs.slice(at, at + size));
      const begin = performance.now();
      await pool(
        chunks.map((chunk) => () => updateVariants(admin, chunk)),
        4,
      );
      bare.push(performance.now() - begin);
      const start = performance.now();
      await write(number + 1, bareNumber);
      ours.push(performance.now() - start);
      number += 1;
    }
    const [best, own] = [Math.min(...bare), Math.min(...ours)];
    console.info(
      `120 numbers: bare ${bare.map(Math.round).join(', ')} ms at 30, 60, 120 a request; confirmed in ${ours.map(Math.round).join(', ')} ms; ${(own / best).toFixed(2)} x`,
    );
    expect(own / best).toBeLessThan(3);
    const proxy = await countingProxy();
    const counted = vendure(
      contextFor(proxy.url, { system: 'vendure', channel: 'shop', token: 'superadmin-pw', settings, limits }),
    );
    try {
      const say = (quantity: number, from: number | null) =>
        counted.availability!.write(told(quantity, from).slice(0, 100), signal);
      for (let again = 0; again < 3; again++) await say(number, number);
      await say(number, null);
      expect(proxy.count('updateProductVariants')).toBe(0);
      await say(number + 1, number);
      expect(proxy.count('updateProductVariants')).toBe(4);
    } finally {
      await counted.close();
      await proxy.close();
    }
  });

  it('ships, cancels and ships the rest by the difference; told twice, nothing happens twice', async () => {
    const { id } = await variantOf(admin, 'SKU-0028');
    await shop.availability!.write([telling('SKU-0028', null, 50)], signal);
    const order = await buy([[id, 6]]);
    const settling = connect({ settlePayments: true });
    const line = { lineNo: 1, sku: 'SKU-0028', quantity: 6, amountMinor: 0, backordered: 0, invoiced: 0, returned: 0 };
    const at = '2026-03-02T10:00:00.000Z';
    const parcel = (no: number, quantity: number): NonNullable<OrderStatusState['shipments']>[number] => ({
      ...{ shipment: `erp/S${no}`, location: 'DC-EAST', tracking: `1Z${no}`, carrier: null, at },
      ...{ parcels: [{ tracking: `1Z${no}` }], lines: [{ lineNo: 1, quantity }] },
    });
    const state = (shipped: number, cancelled: number, refused = 0): OrderStatusState => ({
      channel: 'shop',
      externalNo: order.code,
      status: 'partly_shipped',
      account: 'WALK-IN',
      currency: 'USD',
      totalMinor: 0,
      lines: [{ ...line, shipped, cancelled, refused }],
      shipments: shipped > 2 ? [parcel(1, 2), parcel(2, shipped - 2)] : [parcel(1, shipped)],
    });
    const item = (version: number, of: OrderStatusState) => ({
      key: `shop/${order.code}`,
      version,
      base: 0,
      state: of,
    });
    const source = settling.sources[0]!;
    const { cursor } = await drain(source, '');
    try {
      for (const [version, of] of [
        [1, state(2, 0)],
        [1, state(2, 0)],
        [2, state(2, 1, 1)],
        [2, state(2, 1, 1)],
        [3, state(4, 1, 1)],
        [3, state(4, 1, 1)],
      ] as const) {
        expect(await settling.orderStatus!.write([item(version, of)], signal)).toEqual([{ outcome: 'confirmed' }]);
        expect([...(await settling.orderStatus!.holds!([item(version, of)], signal))]).toEqual([`shop/${order.code}`]);
      }
      const shown = await orderOf(admin, order.id);
      expect(shown.lines).toMatchObject([{ quantity: 4, orderPlacedQuantity: 6 }]);
      expect(shown.fulfillments.map((f: Any) => [f.state, f.method, f.trackingCode, f.lines[0].quantity])).toEqual([
        ['Shipped', 'Crossdock', '1Z1', 2],
        ['Shipped', 'Crossdock', '1Z2', 2],
      ]);
      expect(shown.state).toBe('Shipped');
      expect(await settling.orderStatus!.write([item(4, state(5, 1, 1))], signal)).toMatchObject([
        { outcome: 'refused', error: expect.stringContaining('line 1') },
      ]);
      // Its invoice, and a unit that came back: notes, once each, and nothing on the shop's shelf.
      const before = await numberOf('SKU-0028');
      const told: OrderStatusState = {
        ...state(4, 1, 1),
        invoices: [{ document: 'invoice', reference: 'erp/41', number: '41', currency: 'USD', amountMinor: 805, at }],
        returns: [{ reference: 'R/4/9', return: 'R12', at, lines: [{ lineNo: 1, quantity: 1, amountMinor: 105 }] }],
      };
      expect([...(await settling.orderStatus!.holds!([item(5, told)], signal))]).toEqual([]);
      for (const of of [told, told, state(4, 1, 1)]) {
        expect(await settling.orderStatus!.write([item(5, of)], signal)).toEqual([{ outcome: 'confirmed' }]);
        expect([...(await settling.orderStatus!.holds!([item(5, of)], signal))]).toEqual([`shop/${order.code}`]);
      }
      expect(await notesOf(order.id)).toEqual([
        'invoice erp/41: 2026-03-02, 8.05 USD',
        'return R/4/9: 2026-03-02, R12, 1 x SKU-0028; 1.05 USD',
      ]);
      expect(await numberOf('SKU-0028')).toBe(before);
      // What we cancelled is no news to us.
      const news = ofOrder((await drain(source, cursor)).items, order.code).filter(
        ({ command }) => command?.kind !== 'order.submitted',
      );
      expect(news).toEqual([]);
    } finally {
      await settling.close();
    }
  });

  it('a level that lies after a rush is named; told anew, what was sold beyond it is sold no further', async () => {
    const sku = 'SKU-0030';
    const { id } = await variantOf(admin, sku);
    await shop.availability!.write([telling(sku, null, 20)], signal);
    expect(await numberOf(sku)).toBe(20);
    const buyers = await pool(
      Array.from({ length: 60 }, () => async () => {
        const one = await basket([[id, 1]]);
        await arrange(one);
        return one;
      }),
      6,
    );
    const paid = await pool(
      buyers.map((buyer) => () => pay((buyer as PromiseFulfilledResult<Session>).value)),
      30,
    );
    const sold = paid.filter(({ status }) => status === 'fulfilled').length;
    const shown = await numberOf(sku);
    console.info(`rush: ${sold} paid for 20, the shop still shows ${shown} where ${20 - sold} is true`);
    expect(sold).toBeGreaterThan(20);
    expect(shown).toBeGreaterThan(20 - sold);
    const { items } = await drain(shop.sources[0]!, '');
    const codes = new Set(paid.flatMap((one) => (one.status === 'fulfilled' ? [one.value.code] : [])));
    const arrived = items.filter((item) => item.command?.kind === 'order.submitted' && codes.has(item.key));
    expect(new Set(arrived.map((item) => item.key)).size).toBe(sold);
    // As the hub does: what is named is read back, and what is left is told.
    const tellNothingLeft = async () => {
      const named: string[] = [];
      for (let tries = 0; tries < 10 && !named.includes(sku); tries++) {
        await wait(1_100);
        named.push(...(await shop.availability!.doubtful!(signal)));
      }
      await shop.availability!.write([telling(sku, await numberOf(sku), 0)], signal);
      return named;
    };
    expect(await tellNothingLeft()).toContain(sku);
    expect(await numberOf(sku)).toBeLessThanOrEqual(0);
    await expect(basket([[id, 1]])).rejects.toThrow('INSUFFICIENT_STOCK_ERROR');
    // Cancelling what went beyond must not bring it back to what the level would say.
    const oversold = paid.slice(-(sold - 20)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await pool(
      oversold.map((order) => () => cancel(admin, order.id)),
      4,
    );
    await shop.availability!.write([telling(sku, await numberOf(sku), 0)], signal);
    expect(await numberOf(sku)).toBeLessThanOrEqual(0);
    await expect(basket([[id, 1]])).rejects.toThrow('INSUFFICIENT_STOCK_ERROR');
  });
});
