import { describe, expect, it } from 'vitest';
import { amountMinor } from '../../canonical/index.ts';
import { Fields } from '../kit/index.ts';
import recorded from './fixtures/orders.json' with { type: 'json' };
import { compareIds, DEFAULT_CHANNEL, decimal, linesOf, mapOrders, type OrderTerms, unitPrice } from './map.ts';

/** Recorded: 1 cancelled in two steps, the first by us; 2 cancelled whole; 3 untouched; 6 of the marketplace, changed by the shop's people. */
const orders = recorded.data.orders.items;
const terms: OrderTerms = {
  system: 'vendure',
  channel: 'shop',
  company: 'US',
  account: 'WALK-IN',
  accounts: { 'buyer@example.com': 'A1' },
  shopChannel: DEFAULT_CHANNEL,
};
const [first, second, third, market] = orders;
const commands = (raw: unknown, part: 'placed' | 'changed' = 'placed', more: Partial<OrderTerms> = {}) =>
  mapOrders([raw], { ...terms, ...more }, part);

describe('an order', () => {
  it('is what was sold, in the order of its lines, with net prices from whole cents', () => {
    expect(commands(first)[0]).toMatchObject({
      scope: 'order/shop',
      key: 'NRAHYD1U3WNWDSE8',
      command: {
        kind: 'order.submitted',
        account: 'A1',
        currency: 'USD',
        orderedAt: '2026-11-23T17:28:37.604Z',
        lines: [
          { lineNo: 1, sku: 'SKU-0003', quantity: 5, unitPrice: '9.11' },
          { lineNo: 2, sku: 'SKU-0004', quantity: 3, unitPrice: '10.48' },
        ],
      },
    });
  });

  it('keeps its key and fingerprint when it is cancelled, whole or in part', () => {
    const whole = {
      ...first!,
      state: 'PaymentAuthorized',
      history: { items: [] },
      lines: first!.lines.map((line) => ({
        ...line,
        quantity: line.orderPlacedQuantity,
        proratedLinePrice: line.proratedUnitPrice * line.orderPlacedQuantity,
      })),
    };
    const [before] = commands(whole);
    const [after] = commands(first);
    expect([after!.key, after!.fingerprint]).toEqual([before!.key, before!.fingerprint]);
  });

  it('that is not placed is none, and one of another channel is not ours', () => {
    expect(commands({ ...third!, orderPlacedAt: null })).toEqual([]);
    expect(commands(market)).toEqual([]);
    expect(commands(market, 'placed', { shopChannel: 'marketplace' })[0]!.key).toBe(market!.code);
    expect(commands(third, 'placed', { shopChannel: 'marketplace' })).toEqual([]);
  });

  it('of a buyer nobody knows is the walk-in account', () => {
    expect(commands(third, 'placed', { accounts: {} })[0]!.command).toMatchObject({ account: 'WALK-IN' });
    expect(commands({ ...third!, customer: null })[0]!.command).toMatchObject({ account: 'WALK-IN' });
  });

  it('that can not be read is an item with its place, and holds its neighbours up in nothing', () => {
    const broken = { ...third!, currencyCode: 'dollars' };
    const items = mapOrders([broken, second], terms, 'placed');
    expect(items[0]).toMatchObject({
      key: third!.code,
      unreadable: { place: '/placed/0/currencyCode', value: 'dollars' },
    });
    expect(items[1]).toMatchObject({ key: second!.code, command: { kind: 'order.submitted' } });
    expect(mapOrders([7, null, second], terms, 'placed').map((item) => item.command?.kind)).toEqual([
      undefined,
      undefined,
      'order.submitted',
      'order.cancel_requested',
    ]);
  });

  it('names the reservations asked for at its checkout', () => {
    const held = { ...third!, customFields: { holds: ['12', '13'] } };
    expect(commands(held, 'placed', { reservationsField: 'holds' })[0]!.command).toMatchObject({
      reservations: ['12', '13'],
    });
    expect(commands(held)[0]!.command).not.toHaveProperty('reservations');
    expect(
      commands({ ...held, customFields: { holds: ['x'] } }, 'placed', { reservationsField: 'holds' })[0]!.unreadable,
    ).toBeDefined();
  });
});

describe('cancels', () => {
  it('have the number of the history entry; those that we wrote ourselves are no news', () => {
    expect(commands(first, 'changed')).toMatchObject([
      {
        scope: 'cancel/shop',
        key: 'H12/NRAHYD1U3WNWDSE8/1',
        command: { lineNo: 1, sku: 'SKU-0003', quantity: 3, order: 'NRAHYD1U3WNWDSE8' },
      },
      { scope: 'cancel/shop', key: 'H12/NRAHYD1U3WNWDSE8/2', command: { lineNo: 2, sku: 'SKU-0004', quantity: 2 } },
    ]);
  });

  it('follow their order in one page', () => {
    expect(commands(second).map((item) => item.command?.kind)).toEqual(['order.submitted', 'order.cancel_requested']);
  });

  it('of an order that a process of the shop ended without cancelling its lines are all that was left', () => {
    expect(commands({ ...third!, state: 'Cancelled' }, 'changed')).toMatchObject([
      { command: { reference: 'ended', lineNo: 1, quantity: 5 } },
    ]);
  });

  it('of a change in the shop are cancels where units went, and set aside where units came', () => {
    expect(commands(market, 'changed', { shopChannel: 'marketplace' })).toMatchObject([
      { scope: 'cancel/shop', command: { lineNo: 1, quantity: 2 } },
      {
        scope: 'order_changed/shop',
        key: `${market!.code}/M1/7`,
        unreadable: { reason: expect.stringContaining('1 of SKU-0004') },
      },
    ]);
  });
});

describe('a price', () => {
  const line = (fields: object) =>
    new Fields({ quantity: 3, orderPlacedQuantity: 3, proratedUnitPrice: 333, ...fields }, '');
  it.each([
    [1000, 3, '3.333333'],
    [999, 3, '3.33'],
    [1, 3, '0.003333'],
    [5, 2, '0.025'],
    [0, 3, '0.00'],
    [123456789, 1, '1234567.89'],
  ])('of %i cents for %i units is %s', (cents, units, price) => {
    expect(decimal(BigInt(cents), BigInt(units))).toBe(price);
  });

  it('times the quantity is the total of the line, whatever the discount', () => {
    for (const total of [1, 2, 100, 1000, 1001, 99_999, 12_345_677])
      for (const quantity of [1, 2, 3, 7, 11, 97, 5_000])
        expect(amountMinor(decimal(BigInt(total), BigInt(quantity)), quantity, 'USD')).toBe(total);
  });

  it('of a line that was cut down is what is said of a unit', () => {
    expect(unitPrice(line({ proratedLinePrice: 1000 }))).toBe('3.333333');
    expect(unitPrice(line({ quantity: 1, proratedLinePrice: 333 }))).toBe('3.33');
  });
});

describe('lines', () => {
  it('are numbered by age, ids of numbers by their size', () => {
    const made = (id: string, createdAt: string) => ({ id, createdAt });
    const order = new Fields(
      {
        lines: [
          made('10', '2026-01-01T00:00:00.000Z'),
          made('9', '2026-01-01T00:00:00.000Z'),
          made('2', '2026-01-01T00:00:01.000Z'),
        ],
      },
      '',
    );
    expect(linesOf(order).map(({ id, lineNo }) => [id, lineNo])).toEqual([
      ['9', 1],
      ['10', 2],
      ['2', 3],
    ]);
    expect(compareIds('b1', 'b10')).toBeLessThan(0);
  });
});
