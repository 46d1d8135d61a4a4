import { beforeEach, describe, expect, it } from 'vitest';
import { stateOf } from './machine.ts';
import { cancel, confirm, pick, ship, submit, World } from './testing.ts';
import type { OrderCommand, OrderEvent, Oversold } from './types.ts';

/** SKU 1: 4 in the channel's number at location 1. SKU 2 and 3 may be sent instead of it. */
function world(
  oversold: Oversold['policy'],
  otherwise: Oversold['otherwise'] = 'backorder',
  two = 3,
  three = 9,
): World {
  const made = new World([
    [1, 1, 0, 4],
    [2, 1, two, 5],
    [3, 2, three],
  ]);
  made.oversold = { policy: oversold, otherwise };
  made.instead = { 1: [2, 3] };
  return made;
}
const sold = (quantity: number, unitPrice = '1.25') => submit({ quantity, unitPrice, within: null });
const settle = (
  as: 'backorder' | 'cancel' | 'substitute',
  otherwise: 'backorder' | 'cancel' | null = null,
): OrderCommand => ({
  kind: 'resolve_exception',
  exceptionId: 900,
  as,
  otherwise,
  by: 'ann',
  reason: 'called them',
});
const types = (world: World) => world.history.map((event) => event.type.replace('order.', ''));
const exception = (world: World) => world.order!.exceptions.get(900)!;
const ended = (world: World) =>
  world.history.find(
    (event): event is Extract<OrderEvent, { type: 'order.hold_ended' }> => event.type === 'order.hold_ended',
  );

describe('what a shop oversold by itself', () => {
  it('waits for stock where nothing is declared, and is on record', () => {
    const order = world(undefined).given(sold(10));
    expect(order.shown()).toBe('10 allocated 4 backordered 6');
    expect(types(order)).toEqual(['accepted', 'exception_raised']);
    expect(exception(order)).toMatchObject({
      kind: 'oversold',
      policy: 'backorder',
      units: 6,
      held: 0,
      backordered: 6,
    });
  });

  it('is refused where nothing may wait, and is on record', () => {
    const order = world(undefined);
    order.onShort = 'refuse';
    order.given(sold(10));
    expect(order.shown()).toBe('10 allocated 4 refused 6');
    expect(exception(order)).toMatchObject({ policy: 'cancel', cancelled: 6 });
  });

  it('is no exception when there is enough, nor when a channel asked, nor when it said so itself', () => {
    expect(types(world('hold').given(sold(4)))).toEqual(['accepted']);
    const asks = world('hold');
    asks.oversold = undefined;
    expect(types(asks.given(sold(10)))).toEqual(['accepted']);
    const said = world('hold').given(submit({ quantity: 10, within: 4 }));
    expect([types(said), said.shown()]).toEqual([['accepted'], '10 allocated 4 backordered 6']);
  });

  it('is given up by policy: the rest of the order goes on', () => {
    const order = world('cancel').given(sold(10), confirm);
    expect(order.shown()).toBe('10 allocated 4 refused 6');
    expect(order.allocated()).toEqual({ 1: 4 });
    const none = world('cancel');
    none.shelves[0]!.own = 0;
    expect(none.given(sold(2)).order!.state).toBe('refused');
  });

  it('is sent as something else at the same price, best first, never out of the number that the shop still sells', () => {
    const order = world('substitute').given(sold(10));
    expect(order.shown()).toBe('10 allocated 4 refused 6 substituted 6');
    expect(
      [2, 3].map((lineNo) => [order.line(lineNo).skuId, order.line(lineNo).standsFor, order.shown(lineNo)]),
    ).toEqual([
      [2, 1, '3 allocated 3'],
      [3, 1, '3 allocated 3'],
    ]);
    expect(order.line(2)).toMatchObject({ unitPrice: '1.25', amountMinor: 375 });
    expect(order.shelf(2, 1)).toMatchObject({ free: 0, own: 5 });
    expect(order.order!.totalMinor).toBe(1250);
  });

  it('falls back as declared for what no substitute covers', () => {
    expect(world('substitute', 'cancel', 1, 0).given(sold(10)).shown()).toBe('10 allocated 4 refused 6 substituted 1');
    expect(world('substitute', 'hold', 1, 0).given(sold(10)).shown()).toBe(
      '10 allocated 4 backordered 5 held 5 refused 1 substituted 1',
    );
    expect(world('substitute', 'backorder', 0, 0).given(sold(10)).shown()).toBe('10 allocated 4 backordered 6');
  });

  it('is not substituted at a price whose parts would not add up', () => {
    const order = world('substitute', 'cancel').given(sold(10, '0.333'));
    expect(order.shown()).toBe('10 allocated 4 refused 6');
  });

  it('leaves a substitute to the line that ordered it', () => {
    const order = world('substitute', 'cancel', 3, 0);
    order.given(submit({ quantity: 6, within: null }, { quantity: 8, skuId: 2, within: null }));
    expect(order.shown(2)).toBe('8 allocated 8');
    expect(order.shown(1)).toBe('6 allocated 4 refused 2');
  });

  it('ships no more than was ordered, both SKUs together', () => {
    const order = world('substitute').given(
      sold(10),
      confirm,
      pick(10, 4),
      pick(10, 3, 2),
      ship(10, 4),
      ship(10, 3, 2),
    );
    for (const command of [ship(10, 1), ship(10, 1, 2), pick(10, 1), pick(10, 1, 2), pick(11, 4, 3)])
      expect(order.when(command).ok, JSON.stringify(command)).toBe(false);
    order.given(pick(11, 3, 3), ship(11, 3, 3));
    expect([order.order!.state, order.order!.progress]).toMatchObject(['shipped', { shipped: 10, open: 10 }]);
  });
});

describe('units that are held', () => {
  let order: World;
  beforeEach(() => {
    order = world('hold').given(sold(10));
  });

  it('wait for a person: no stock is given to them, and what else there is stays allocated', () => {
    expect(order.shown()).toBe('10 allocated 4 backordered 6 held 6');
    order.shelf(1, 1).free = 20;
    order.given({ kind: 'allocate_backorders', lineNos: [1] });
    expect(order.shown()).toBe('10 allocated 4 backordered 6 held 6');
    expect(order.order!.progress.held).toBe(6);
  });

  it('wait for stock once a person says so, and the ERP is told all of it', () => {
    order.given(settle('backorder'));
    expect(order.shown()).toBe('10 allocated 4 backordered 6');
    expect(exception(order)).toMatchObject({ held: 0, backordered: 6, resolvedBy: 'ann', reason: 'called them' });
    expect(ended(order)?.lines).toMatchObject([{ lineNo: 1, quantity: 10, amountMinor: 1250, cancelled: 0 }]);
    order.shelf(1, 1).free = 5;
    order.given({ kind: 'allocate_backorders', lineNos: [1] });
    expect(order.shown()).toBe('10 allocated 9 backordered 1');
  });

  it('are given up by a person: the ERP never hears of them', () => {
    order.given(settle('cancel'));
    expect(order.shown()).toBe('10 allocated 4 refused 6');
    expect(ended(order)?.lines).toMatchObject([{ quantity: 4, amountMinor: 500 }]);
    expect(order.order!.state).toBe('accepted');
  });

  it('leave nothing to tell where they were all of the order', () => {
    const none = world('hold');
    none.shelves[0]!.own = 0;
    none.given(sold(2), settle('cancel'));
    expect([none.order!.state, types(none)]).toEqual([
      'refused',
      ['accepted', 'exception_raised', 'exception_resolved'],
    ]);
  });

  it('are sent as something else by a person, or not at all when there is too little and nothing said about the rest', () => {
    const short = world('hold', 'backorder', 2, 1).given(sold(10));
    expect(short.when(settle('substitute'))).toMatchObject({ ok: false, refused: 'no_substitute' });
    expect(short.shown()).toBe('10 allocated 4 backordered 6 held 6');
    short.given(settle('substitute', 'cancel'));
    expect(short.shown()).toBe('10 allocated 4 refused 6 substituted 3');
    expect(exception(short)).toMatchObject({ substituted: 3, cancelled: 3, held: 0 });
    order.given(settle('substitute'));
    expect([order.shown(2), order.shown(3)]).toEqual(['3 allocated 3', '3 allocated 3']);
    expect(ended(order)?.lines).toMatchObject([
      { lineNo: 1, quantity: 4 },
      { lineNo: 2, skuId: 2, quantity: 3, standsFor: 1 },
      { lineNo: 3, skuId: 3, quantity: 3, standsFor: 1 },
    ]);
    expect(stateOf(order.order!)).toBe('accepted');
  });

  it('are settled once: the same again changes nothing, another answer comes too late', () => {
    order.given(settle('backorder'));
    const { version } = order.order!;
    order.given(settle('backorder'));
    expect(order.order!.version).toBe(version);
    expect(order.when(settle('cancel'))).toMatchObject({ ok: false, refused: 'exception_resolved' });
    expect(order.when({ ...settle('cancel'), exceptionId: 5 } as OrderCommand)).toMatchObject({
      refused: 'unknown_exception',
    });
    expect(order.order!.version).toBe(version);
  });

  it('end with a cancel of the channel; what the ERP is told then names what was cancelled meanwhile', () => {
    order.given(cancel(2));
    expect(order.shown()).toBe('10 allocated 4 backordered 4 held 4 cancelled 2');
    expect(ended(order)).toBeUndefined();
    order.given(cancel(5));
    expect(order.shown()).toBe('10 allocated 3 cancelled 7');
    expect(exception(order)).toMatchObject({ held: 0, cancelled: 6, resolvedBy: 'channel' });
    expect(ended(order)?.lines).toMatchObject([{ quantity: 10, amountMinor: 1250, cancelled: 7, cancelledMinor: 875 }]);
    expect(order.history.filter((event) => 'untold' in event)).toHaveLength(3);
    order.given(cancel(1));
    expect(order.history.at(-1)).not.toHaveProperty('untold');
  });

  it('end with a cancel of the whole order', () => {
    order.given(cancel(10));
    expect([order.shown(), order.order!.state]).toEqual(['10 cancelled 10', 'cancelled']);
    expect(ended(order)?.lines).toMatchObject([{ quantity: 10, cancelled: 10 }]);
  });
});

describe('a cancel of a line that others stand for', () => {
  it('takes back first what can be stopped first, then what nobody ordered, and never more than was ordered', () => {
    const order = world('substitute').given(sold(10));
    expect(order.when(cancel(11))).toMatchObject({ ok: false, refused: 'over_cancel' });
    order.given(cancel(7));
    expect([1, 2, 3].map((lineNo) => order.shown(lineNo))).toEqual([
      '10 allocated 3 refused 6 substituted 6 cancelled 1',
      '3 cancelled 3',
      '3 cancelled 3',
    ]);
    order.given(cancel(3));
    expect(order.order!.state).toBe('cancelled');
    expect(order.when(cancel(1))).toMatchObject({ ok: false, refused: 'over_cancel' });
  });

  it('asks the WMS for what it was told, and brings back what was picked', () => {
    const order = world('substitute', 'backorder', 6, 0).given(sold(10), confirm, pick(10, 2, 2));
    order.given(cancel(10));
    expect([order.shown(), order.shown(2)]).toEqual([
      '10 allocated 4 refused 6 substituted 6 asked 4',
      '6 allocated 4 picked 2 asked 4 expected 2',
    ]);
  });
});
