/** Quantities in other units, prices for several, and what may be ordered: through the doors, to the rows and the answers. */
import { describe, expect, it, vi } from 'vitest';
import { fingerprint, type OrderSubmitted, type SubmittedLine } from '../canonical/index.ts';
import { orderItem } from '../connectors/kit/index.ts';
import { testEstate, useApi } from './testing/hub.ts';

const channels = {
  ...testEstate.channels,
  shop: { ...testEstate.channels.shop, onOrderRule: 'hold' as const },
  market: { ...testEstate.channels.shop, system: 'erp' },
};
const api = useApi({ skus: ['NAIL', 'SCREW', 'CLOTH', 'FREE'], estate: { ...testEstate, channels } });
const BOXES = [
  { unit: 'BX', packLevel: 'case', numerator: 1_000 },
  { unit: 'PL', packLevel: 'pallet', numerator: 48_000 },
  { unit: 'DZ', packLevel: 'inner', numerator: 12 },
];
const products = (...list: object[]) => api.call('POST', '/v1/products', { products: list });
const rows = (text: string) => api.hub.db.execute(text);
let n = 0;

function body(externalNo: string, ...lines: Record<string, unknown>[]) {
  return {
    ...{
      company: 'UK',
      channel: 'api',
      externalNo,
      account: '17850',
      currency: 'GBP',
      orderedAt: '2026-03-02T09:00:00Z',
    },
    lines: lines.map((line, i) => ({ lineNo: i + 1, sku: 'NAIL', quantity: 1, unitPrice: '1.00', ...line })),
  };
}
const submit = (...lines: Record<string, unknown>[]) => api.order(body(`U${++n}`, ...lines));

it('the units of a product are kept as they are said last; those that are left out end', async () => {
  expect((await products({ sku: 'NAIL', description: 'Nail', units: BOXES })).json()).toEqual({ written: 1 });
  const there = () =>
    rows(
      "select u.unit, pack_level, numerator::int from sku_unit u join sku using (sku_id) where code = 'NAIL' order by numerator",
    );
  expect((await there()).map(({ unit }) => unit)).toEqual(['DZ', 'BX', 'PL']);
  await products({ sku: 'NAIL', description: 'Nail' });
  expect((await there()).length).toBe(3);
  await products({ sku: 'SCREW', units: BOXES }, { sku: 'SCREW', units: [] });
  expect(await rows("select u.unit from sku_unit u join sku using (sku_id) where code = 'SCREW'")).toEqual([]);
});

describe('52,900 pieces at the price of a box of 1,000', () => {
  it('cost what 52.9 boxes cost, however the line says it', async () => {
    const said = [
      { quantity: 52_900, unitPrice: '10.20', priceUnit: 'BX' },
      { quantity: 52_900, unitPrice: '10.20', pricePer: 1_000 },
      { quantity: '52.9', unit: 'BX', unitPrice: '10.20' },
      { quantity: '52.9', unit: 'BX', packLevel: 'case', unitPrice: '0.0102', priceUnit: 'each' },
    ];
    const answer = await submit(...said);
    expect(answer.statusCode).toBe(201);
    const { lines, total } = answer.json();
    expect(lines.map((line: Record<string, unknown>) => [line.quantity, line.unit, line.amountMinor])).toEqual(
      said.map(() => [52_900, 'each', 53_958]),
    );
    expect(lines.map((line: { pricePer?: number }) => line.pricePer)).toEqual([1_000, 1_000, 1_000, undefined]);
    expect(total).toBe('2158.32');
    expect(lines[2].ordered).toEqual({
      ...{ quantity: '52.9', unit: 'BX', packLevel: 'case', base: 52_900 },
      ...{ unitPrice: '10.20', priceUnit: 'BX', pricePer: 1 },
    });
    expect(lines[1].ordered).toBeUndefined();
    const shown = (await api.call('GET', `/v1/orders/${answer.json().orderId}`)).json();
    expect(shown.lines[2]).toMatchObject({ pricePer: 1_000, amountMinor: 53_958, ordered: { quantity: '52.9' } });
    expect(shown.lines[1]).toMatchObject({ pricePer: 1_000, ordered: null });
  });

  it.each([
    [{ quantity: 3, unit: 'CT' }, 'XD_UNKNOWN_UNIT', 'lines[0].unit'],
    [{ quantity: 3, unit: 'BX', packLevel: 'pallet' }, 'XD_UNKNOWN_UNIT', 'lines[0].unit'],
    [{ quantity: 3, priceUnit: 'CT' }, 'XD_UNKNOWN_UNIT', 'lines[0].priceUnit'],
    [{ quantity: '0.0001', unit: 'BX' }, 'XD_UNIT_INEXACT', 'lines[0].quantity'],
    [{ quantity: 1_000_000, unit: 'PL' }, 'XD_VALUE_INVALID', 'lines[0].quantity'],
    [{ quantity: '2.5' }, 'XD_BODY_INVALID', 'lines[0].quantity'],
    [{ quantity: 2.5, unit: 'BX' }, 'XD_BODY_INVALID', 'lines[0].quantity'],
    [{ quantity: -1, unit: 'BX' }, 'XD_VALUE_INVALID', 'lines[0].quantity'],
    [{ quantity: 1, pricePer: 0 }, 'XD_VALUE_INVALID', 'lines[0].pricePer'],
    [{ quantity: 1, unit: 'B X' }, 'XD_VALUE_INVALID', 'lines[0].unit'],
  ])('%j is refused as %s at %s, and leaves no key behind', async (line, code, place) => {
    const answer = await submit(line);
    expect([answer.json().code, answer.json().place]).toEqual([code, place]);
    expect(answer.statusCode).toBe(code === 'XD_BODY_INVALID' ? 400 : 422);
    expect(await rows(`select key from inbound where key = 'U${n}'`)).toEqual([]);
  });
});

it('the first answer stays the first answer, whatever became of the unit since; other words are another order', async () => {
  await products({ sku: 'FREE', units: [{ unit: 'CT', packLevel: 'case', numerator: 6 }] });
  const order = body('AGAIN', { sku: 'FREE', quantity: 2, unit: 'CT', unitPrice: '5' });
  const first = await api.order(order);
  expect(first.json().lines[0]).toMatchObject({ quantity: 12, amountMinor: 1_000 });
  for (const units of [[{ unit: 'CT', packLevel: 'case', numerator: 10 }], []]) {
    await products({ sku: 'FREE', units, orderMultiple: 7 });
    const again = await api.order(order);
    expect([again.statusCode, again.headers['idempotent-replayed'], again.json()]).toEqual([201, 'true', first.json()]);
  }
  const other = async (line: object) => {
    const { code, place, before, given } = (
      await api.order(body('AGAIN', { sku: 'FREE', quantity: 2, unit: 'CT', unitPrice: '5', ...line }))
    ).json();
    return [code, place, before, given];
  };
  expect(await other({ unit: 'each' })).toEqual(['XD_KEY_CONFLICT', 'lines[0].unit', 'CT', 'each']);
  expect(await other({ quantity: 3 })).toEqual(['XD_KEY_CONFLICT', 'lines[0].quantity', '2', 3]);
  expect(await other({ unitPrice: '6' })).toEqual(['XD_KEY_CONFLICT', 'lines[0].unitPrice', '5', '6']);
  await products({ sku: 'FREE', orderMultiple: 1 });
});

describe('what may be ordered', () => {
  const rule = (orderRounding: string) =>
    products({ sku: 'SCREW', orderMultiple: 12, orderMinimum: 30, orderRounding });
  const screws = (quantity: number | string, rest: object = {}) =>
    submit({ sku: 'SCREW', quantity, unitPrice: '0.10', ...rest });

  it('is refused with its place where the rule says so', async () => {
    await rule('refuse');
    expect((await screws(36)).statusCode).toBe(201);
    const answer = await screws(40);
    expect([answer.statusCode, answer.json().code, answer.json().place]).toEqual([
      422,
      'XD_ORDER_QUANTITY',
      'lines[0].quantity',
    ]);
    expect(answer.json().detail).toMatch(/at least 30, in multiples of 12/);
    expect((await screws(24)).json()).toMatchObject({ code: 'XD_ORDER_QUANTITY', refused: 'order_minimum' });
  });

  it.each([
    ['up', 40, 48],
    ['nearest', 41, 36],
    ['down', 47, 36],
  ])('is rounded %s, and the line says what was ordered and what it became', async (rounding, quantity, became) => {
    await rule(rounding);
    const [line] = (await screws(quantity)).json().lines;
    expect(line).toMatchObject({ quantity: became, amountMinor: became * 10 });
    expect(line.ordered).toMatchObject({ quantity: String(quantity), unit: 'each', base: quantity, rounding });
    expect(await rows('select base::int, rounding from order_line_asked order by order_id desc limit 1')).toEqual([
      { base: quantity, rounding },
    ]);
  });

  it('of a channel that sells by itself is never refused or rounded: it is held where that is declared, else taken', async () => {
    await rule('up');
    const sold = async (channel: 'shop' | 'market') => {
      const command: OrderSubmitted = {
        ...{
          kind: 'order.submitted',
          channel,
          externalNo: `S${++n}`,
          company: 'UK',
          account: '17850',
          currency: 'GBP',
        },
        orderedAt: '2026-03-02T09:00:00.000Z',
        lines: [{ lineNo: 1, sku: 'SCREW', quantity: 5, unitPrice: '0.10' }],
      };
      const [result] = await api.hub.receiver.receive({
        ...{
          system: channels[channel].system,
          source: 'webhook',
          contentType: 'application/json',
          body: Buffer.from(''),
        },
        ...{ items: [{ ...orderItem(command), itemNo: 0 }], onFault: 'park' },
      });
      const { orderId } = result as { orderId: number };
      return rows(
        `select l.quantity::int, h.kind, h.reason, h.detail from order_line l left join order_hold h using (order_id) where order_id = ${orderId}`,
      );
    };
    expect(await sold('market')).toEqual([{ quantity: 5, kind: null, reason: null, detail: null }]);
    expect(await sold('shop')).toEqual([
      { quantity: 5, kind: 'quantity', reason: 'order_minimum', detail: 'line 1: 5, order_minimum' },
    ]);
  });

  it('is held for a person where the rule says so', async () => {
    await rule('hold');
    const { orderId, lines } = (await screws(40)).json();
    expect(lines[0].quantity).toBe(40);
    expect(await rows(`select kind, reason, state from order_hold where order_id = ${orderId}`)).toEqual([
      { kind: 'quantity', reason: 'order_multiple', state: 'open' },
    ]);
    await products({ sku: 'SCREW', orderMultiple: 1, orderMinimum: 1, orderRounding: 'refuse' });
    expect((await screws(5)).statusCode).toBe(201);
  });

  it('set aside with its class where nobody waits, and taken once the rule allows it', async () => {
    await rule('refuse');
    const command: OrderSubmitted = {
      ...{
        kind: 'order.submitted',
        channel: 'api',
        externalNo: 'FEED1',
        company: 'UK',
        account: '17850',
        currency: 'GBP',
      },
      orderedAt: '2026-03-02T09:00:00.000Z',
      lines: [{ lineNo: 1, sku: 'SCREW', quantity: 5, unitPrice: '0.10' }] satisfies SubmittedLine[],
    };
    const receive = () =>
      api.hub.receiver.receive({
        ...{ system: 'erp', source: 'poll', contentType: 'application/json', body: Buffer.from('') },
        ...{ items: [{ ...orderItem(command), itemNo: 0 }], onFault: 'park' },
      });
    expect(await receive()).toMatchObject([{ status: 'parked', class: 'order_minimum' }]);
    const parked = await rows("select parked_id::int as id, place from parked_record where class = 'order_minimum'");
    expect(parked).toMatchObject([{ place: 'lines[0].quantity' }]);
    await products({ sku: 'SCREW', orderMultiple: 1, orderMinimum: 1 });
    expect(await api.hub.receiver.replay([parked[0]!.id as number])).toEqual({ applied: 1, still: 0 });
  });
});

it('stock, supply and holds are said in boxes, too', async () => {
  const at = { sku: 'NAIL', location: 'LON' };
  const movements = [
    { id: 'M1', type: 'received', ...at, quantity: 3, unit: 'BX', occurredAt: '2026-03-01T08:00:00Z' },
    { id: 'M2', type: 'adjusted', ...at, quantity: -2, unit: 'DZ', occurredAt: '2026-03-01T09:00:00Z' },
    { id: 'M3', type: 'received', ...at, quantity: 1, unit: 'CT', occurredAt: '2026-03-01T08:00:00Z' },
  ];
  const { results } = (await api.call('POST', '/v1/stock-movements', { movements })).json();
  expect(results.map((result: { code?: string; place?: string }) => [result.code, result.place])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
    ['XD_UNKNOWN_UNIT', 'unit'],
  ]);
  const onHand = async () =>
    (
      await rows("select sum(on_hand)::int as on_hand from stock_balance join sku using (sku_id) where code = 'NAIL'")
    )[0]!.on_hand;
  expect(await onHand()).toBe(2_976);
  const counts = [{ id: 'C1', ...at, quantity: 2, unit: 'BX', countedAt: '2026-03-03T08:00:00Z' }];
  await api.call('POST', '/v1/stock-counts', { counts });
  expect(await onHand()).toBe(2_000);
  const supplies = [
    { id: 'P1', ...at, quantity: 1, unit: 'PL', dueAt: '2026-04-01T00:00:00Z', announcedAt: '2026-03-01T00:00:00Z' },
  ];
  await api.call('POST', '/v1/supplies', { supplies });
  expect(await rows("select quantity::int from supply join sku using (sku_id) where code = 'NAIL'")).toEqual([
    { quantity: 48_000 },
  ]);
  const hold = (rest: object) =>
    api.call(
      'POST',
      '/v1/reservations',
      { channel: 'planned', sku: 'NAIL', ...rest },
      { 'idempotency-key': `H${++n}` },
    );
  const held = (await hold({ quantity: '2.5', unit: 'DZ' })).json();
  expect(held.lines.reduce((sum: number, line: { quantity: number }) => sum + line.quantity, 0)).toBe(30);
  expect((await hold({ quantity: '0.1', unit: 'DZ' })).json()).toMatchObject({
    code: 'XD_UNIT_INEXACT',
    place: 'quantity',
  });
  expect((await hold({ quantity: '3' })).json()).toMatchObject({ code: 'XD_BODY_INVALID', place: 'quantity' });
});

it('a cancel in boxes takes back what they hold', async () => {
  const { externalNo } = (await submit({ quantity: 5, unit: 'DZ', unitPrice: '1.00' })).json();
  const cancellation = {
    ...{ channel: 'api', reference: 'K1', account: '17850', at: '2026-03-02T10:00:00Z' },
    lines: [{ order: externalNo, lineNo: 1, sku: 'NAIL', quantity: 2, unit: 'DZ' }],
  };
  const answer = await api.call(
    'POST',
    '/v1/cancellations',
    { cancellations: [cancellation] },
    { 'idempotency-key': 'K1' },
  );
  expect(answer.json().results[0].status).toBe(201);
  expect(
    await rows(
      `select l.quantity::int, l.cancelled::int, l.cancelled_minor::int from order_line l join sales_order o using (order_id) where o.external_no = '${externalNo}'`,
    ),
  ).toEqual([{ quantity: 60, cancelled: 24, cancelled_minor: 200 }]);
});

describe('a base unit', () => {
  it('may be any code, is what answers say, and changes while nothing is counted in it', async () => {
    expect(
      (await products({ sku: 'CLOTH', unit: 'MTR', units: [{ unit: 'ROLL', packLevel: 'case', numerator: 50 }] }))
        .statusCode,
    ).toBe(200);
    expect(await rows("select unit from sku where code = 'CLOTH'")).toEqual([{ unit: 'MTR' }]);
    const [line] = (await submit({ sku: 'CLOTH', quantity: 2, unit: 'ROLL', unitPrice: '75.00' })).json().lines;
    expect(line).toMatchObject({ quantity: 100, pricePer: 50, amountMinor: 15_000 });
    const refused = await products({ sku: 'FREE', description: 'taken' }, { sku: 'CLOTH', unit: 'CMT', units: [] });
    expect(refused.json()).toMatchObject({ code: 'XD_UNIT_IN_USE', place: 'products[1].unit' });
    expect(refused.json().detail).toMatch(/CLOTH is counted in MTR, not CMT, and there are open orders in it/);
    expect(await rows("select description from sku where code = 'FREE'")).not.toEqual([{ description: 'taken' }]);
    // Without a unit, nothing is said of it.
    expect((await products({ sku: 'CLOTH', description: 'linen' })).statusCode).toBe(200);
    expect(await rows("select unit, description from sku where code = 'CLOTH'")).toEqual([
      { unit: 'MTR', description: 'linen' },
    ]);
  });

  it('is what answers say soon after it changed, also in a process that knew another one', async () => {
    const asked = async () =>
      (await api.call('GET', '/v1/availability?channel=api&sku=CLOTH&sku=NAIL'))
        .json()
        .items.map(({ unit }: { unit: string }) => unit);
    await asked();
    const later = performance.now() + 6_000;
    vi.spyOn(performance, 'now').mockReturnValue(later);
    try {
      expect(await asked()).toEqual(['MTR', 'each']);
    } finally {
      vi.restoreAllMocks();
    }
  });

  it('from a feed that may not change is set aside, and the rest of the product is taken', async () => {
    const command = {
      ...{ kind: 'product.changed' as const, sku: 'CLOTH', description: 'from the ERP', unit: 'YRD' },
      changedAt: '2026-05-01T00:00:00.000Z',
    };
    const results = await api.hub.receiver.receive({
      ...{ system: 'erp', source: 'poll', contentType: 'application/json', body: Buffer.from('') },
      items: [{ scope: 'product/erp', key: 'CLOTH', fingerprint: fingerprint('t1', command), itemNo: 0, command }],
      onFault: 'park',
    });
    expect(results).toMatchObject([{ status: 'parked', class: 'unit_in_use', place: 'unit' }]);
    expect(await rows("select unit, description from sku where code = 'CLOTH'")).toEqual([
      { unit: 'MTR', description: 'from the ERP' },
    ]);
  });

  it('is no multiple of itself, and a trade item number is one unit’s', async () => {
    const one = (...units: object[]) => products({ sku: 'NAIL', units });
    expect((await one({ unit: 'each', packLevel: 'case', numerator: 5 })).json()).toMatchObject({
      ...{ code: 'XD_VALUE_INVALID', place: 'products[0].units' },
    });
    const gtin = '4006381333931';
    expect((await one(...BOXES.map((box, i) => (i === 0 ? { ...box, gtin } : box)))).statusCode).toBe(200);
    const taken = await products({ sku: 'SCREW', units: [{ unit: 'BX', packLevel: 'case', numerator: 100, gtin }] });
    expect(taken.json().detail).toMatch(/GTIN 04006381333931 of SCREW BX is that of NAIL already/);
  });
});
