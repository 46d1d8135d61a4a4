import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fields } from '../kit/index.ts';
import recorded from './fixtures/stock.json' with { type: 'json' };
import {
  availableOf,
  noRows,
  type OpenRows,
  openOrdersOf,
  planNumber,
  stockOf,
  trueThreshold,
  type VariantStock,
} from './levels.ts';

const locations = ['1', '2'];
const terms = { locations, reserve: 0, corrects: true, unreadSince: undefined };
const stock = (onHand: number, allocated: number, threshold = 0, west = { onHand: 0, allocated: 0 }): VariantStock => ({
  id: 'v',
  tracked: true,
  threshold,
  usesGlobalThreshold: false,
  levels: [
    { location: '1', onHand, allocated },
    { location: '2', ...west },
  ],
});
const rows = (units: number, at = '2026-11-23T10:00:00.000Z'): OpenRows =>
  units === 0 ? noRows : { units, placedAt: [{ at, units }] };

/** What the shop shows once a plan is written. */
function written(before: VariantStock, plan: ReturnType<typeof planNumber>): VariantStock {
  if (plan === 'conflict') return before;
  const levels = before.levels.map((level) => ({
    ...level,
    onHand: plan.levels.find(({ location }) => location === level.location)?.onHand ?? level.onHand,
  }));
  return { ...before, levels, threshold: plan.threshold, usesGlobalThreshold: false };
}

describe('a number', () => {
  it.each<[string, VariantStock, number, number | null, number, OpenRows, number | 'conflict']>([
    ['first told is set', stock(100, 0), 30, null, 30, rows(0), 30],
    ['first told over sales is what is left for sale', stock(100, 5), 30, null, 30, rows(5), 30],
    ['moves by its difference', stock(30, 0), 50, 30, 50, rows(0), 50],
    ['keeps a sale that we have not read', stock(30, 4), 50, 30, 50, rows(4), 46],
    ['that is higher than we think is a conflict', stock(40, 0), 50, 30, 50, rows(0), 'conflict'],
  ])('%s', (_, before, __, from, quantity, open, shown) => {
    const plan = planNumber(before, { from, quantity }, open, terms);
    if (shown === 'conflict') expect(plan).toBe('conflict');
    else expect(availableOf(written(before, plan), locations)).toBe(shown);
  });

  it('that is there already changes nothing', () => {
    expect(planNumber(stock(35, 5), { from: 30, quantity: 30 }, rows(5), terms)).toMatchObject({ changes: false });
    expect(planNumber(stock(35, 5), { from: null, quantity: 30 }, rows(5), terms)).toMatchObject({ changes: false });
  });

  it('first told gathers what other locations would sell at the first', () => {
    const plan = planNumber(
      stock(10, 0, 0, { onHand: 70, allocated: 20 }),
      { from: null, quantity: 25 },
      rows(20),
      terms,
    );
    expect(plan).toMatchObject({
      levels: [
        { location: '1', onHand: 25 },
        { location: '2', onHand: 20 },
      ],
    });
  });

  it('is not taken for higher where only the level lies', () => {
    // 60 sold of 20; the level knows of 6 and shows 14, where 40 are missing.
    const plan = planNumber(stock(20, 6), { from: 0, quantity: 0 }, rows(60), terms);
    expect(plan).toMatchObject({ threshold: 54 });
    expect(availableOf(written(stock(20, 6), plan), locations)).toBe(-40);
  });

  it('takes in what the shop sold beyond it once all of that is read', () => {
    const item = { from: 0, quantity: 10 };
    const before = stock(20, 60);
    const late = { ...terms, unreadSince: '2026-11-23T09:59:00.000Z' };
    expect(availableOf(written(before, planNumber(before, item, rows(60), late)), locations)).toBe(-30);
    const settled = { ...terms, unreadSince: '2026-11-23T10:00:00.001Z' };
    expect(availableOf(written(before, planNumber(before, item, rows(60), settled)), locations)).toBe(10);
  });

  it('never shows more than it may with the sales that nobody has read', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(100), fc.nat(50), fc.boolean(), (from, quantity, unread, known) => {
        const before = stock(from, unread);
        const since = known ? '2026-11-23T09:00:00.000Z' : undefined;
        const plan = planNumber(before, { from, quantity }, rows(unread), { ...terms, unreadSince: since });
        expect(availableOf(written(before, plan), locations)).toBeLessThanOrEqual(quantity - unread);
      }),
    );
  });
});

describe('a level that lies', () => {
  it('is corrected as it is, not by a step: found again, it is the same; with its orders gone it still is', () => {
    const lying = stock(20, 6);
    const threshold = trueThreshold(lying, rows(60), 0);
    expect(threshold).toBe(54);
    expect(trueThreshold({ ...lying, threshold }, rows(60), 0)).toBe(54);
    // 40 cancelled: Vendure takes 40 off what is allocated, to less than nothing.
    expect(availableOf(stock(20, 6 - 40, trueThreshold(stock(20, 6 - 40, threshold), rows(20), 0)), locations)).toBe(0);
    expect(trueThreshold(stock(20, 20), rows(20), 3)).toBe(3);
  });

  it('is told as what is left, on hand less allocated less threshold, wherever the lie stands', () => {
    // [on hand, allocated, threshold, rows] of a shop that sold 8 of 20; what it has left is 12.
    const cases: [string, VariantStock, number, number][] = [
      ['the level knows all', stock(20, 8), 8, 12],
      ['two units are hidden', stock(20, 6), 8, 12],
      ['they are in the threshold already', stock(20, 6, 2), 8, 12],
      ['they lie at the other location', stock(15, 6, 2, { onHand: 5, allocated: 0 }), 8, 12],
      ['shipped: on hand fell by all, and the level is below nothing', stock(12, -2, 2), 0, 12],
      ['shipped, two were never allocated: on hand fell by six, the threshold keeps them', stock(14, 0, 2), 0, 12],
    ];
    for (const [name, before, units, left] of cases) {
      const plan = planNumber(before, { from: availableOf(before, locations), quantity: left }, rows(units), terms);
      if (plan === 'conflict') throw new Error(name);
      const after = written(before, { ...plan, levels: [] });
      expect([name, availableOf(after, locations)]).toEqual([name, left]);
    }
  });

  it.each([-5, 0, 3])('with a reserve of %i of the shop, sells that much less', (reserve) => {
    const own = { ...terms, reserve };
    const before = stock(20, 6, reserve);
    expect(trueThreshold(before, rows(6), reserve)).toBe(reserve);
    expect(availableOf(before, locations)).toBe(14 - reserve);
    const plan = planNumber(before, { from: null, quantity: 10 }, rows(8), own);
    expect(plan).toMatchObject({ threshold: reserve + 2 });
    expect(availableOf(written(before, plan), locations)).toBe(10);
  });

  it('is left to the shop where that was said, and its own threshold stays', () => {
    const plan = planNumber(stock(20, 6, 1), { from: 13, quantity: 13 }, rows(60), { ...terms, corrects: false });
    expect(plan).toMatchObject({ threshold: 1, changes: false });
    // Also where it is the one of the whole shop: it goes on following that.
    const shared = { ...stock(20, 6, 1), usesGlobalThreshold: true };
    const told = planNumber(shared, { from: 13, quantity: 15 }, rows(60), { ...terms, corrects: false });
    expect(told).toMatchObject({ levels: [{ location: '1', onHand: 22 }], setsThreshold: false });
    expect(planNumber(shared, { from: 13, quantity: 13 }, rows(6), terms)).toMatchObject({ setsThreshold: true });
  });

  it('is not taken down by a level that knows of a sale the rows came too early for', () => {
    const plan = planNumber(stock(20, 7, 5), { from: 8, quantity: 8 }, rows(6), terms);
    expect(plan).toMatchObject({ threshold: 5, changes: false });
  });
});

describe('what was read', () => {
  it('is the recorded stock, with global settings where the variant has none of its own', () => {
    const [raw] = recorded.data.productVariants.items;
    const global = new Fields({ trackInventory: false, outOfStockThreshold: -5 }, '/globalSettings');
    expect(stockOf(new Fields(raw, ''), global)).toMatchObject({ id: '3', tracked: true, threshold: 0 });
    const inherits = { ...raw!, trackInventory: 'INHERIT', useGlobalOutOfStockThreshold: true };
    expect(stockOf(new Fields(inherits, ''), global)).toMatchObject({
      tracked: false,
      threshold: -5,
      usesGlobalThreshold: true,
    });
    expect(() => stockOf(new Fields({ ...raw!, trackInventory: 'MAYBE' }, ''), global)).toThrow('trackInventory');
  });

  it('of orders is what is neither cancelled nor fulfilled; one met twice counts once', () => {
    const line = (quantity: number, sold: number, fulfilled: [number, string][]) => ({
      quantity,
      orderPlacedQuantity: sold,
      productVariant: { id: 'v' },
      fulfillmentLines: fulfilled.map(([units, state]) => ({ quantity: units, fulfillment: { state } })),
    });
    const order = (id: string, lines: object[]) => ({
      id,
      orderPlacedAt: '2026-11-23T10:00:00.000Z',
      modifications: [],
      lines,
    });
    const open = openOrdersOf([
      order('1', [
        line(5, 5, [
          [2, 'Shipped'],
          [1, 'Cancelled'],
        ]),
      ]),
      order('2', [line(3, 4, [])]),
      order('1', [line(5, 5, [])]),
    ]);
    expect(open.byVariant.get('v')?.units).toBe(6);
    expect([...open.changed]).toEqual([['2', '0/3']]);
    expect(open.isWhole).toBe(true);
    // One that can't be read holds no other up, and says that something is missing.
    const spoiled = openOrdersOf([{ ...order('3', []), lines: null }, order('4', [line(2, 2, [])])]);
    expect([spoiled.byVariant.get('v')?.units, spoiled.isWhole]).toEqual([2, false]);
  });
});
