import { describe, expect, it } from 'vitest';
import { answer, cancel, change, confirm, pick, ship, shortPick, submit, World } from './testing.ts';
import type { NewHold, OrderCommand, OrderEvent } from './types.ts';

const credit: NewHold = { kind: 'credit', reason: 'over_limit', detail: '120.00 beyond the limit' };
const account: NewHold = { kind: 'account', reason: 'account_held', detail: 'dunning' };

function world(...holds: NewHold[]): World {
  const made = new World([
    [1, 1, 6],
    [1, 2, 9],
  ]);
  made.verdict = { ok: true, holds };
  return made;
}
const release = (holdId: number): OrderCommand => ({ kind: 'release_hold', holdId, by: 'ann', reason: 'paid' });
const put: OrderCommand = {
  kind: 'hold',
  hold: { kind: 'manual', reason: 'fraud_check', detail: 'new address' },
  dueAt: null,
  by: 'bob',
};
const types = (order: World) => order.history.map((event) => event.type.replace('order.', ''));
const last = <T extends OrderEvent['type']>(order: World, type: T) =>
  order.history.findLast((event): event is Extract<OrderEvent, { type: T }> => event.type === type);

describe('an order that is held when it is taken', () => {
  it('keeps what it was promised and is not told to the ERP', () => {
    const order = world(credit).given(submit({ quantity: 10 }));
    expect(order.shown()).toBe('10 allocated 10');
    expect(types(order)).toEqual(['accepted', 'held']);
    expect(last(order, 'order.accepted')!.untold).toBe(true);
    expect(order.order!.progress).toMatchObject({ holds: 1, told: false, handed: false });
  });

  it('is told with the last hold that is released, whole and once', () => {
    const order = world(credit, account).given(submit({ quantity: 10, unitPrice: '1.25' }), release(700));
    expect(last(order, 'order.hold_ended')).toBeUndefined();
    order.given(release(701));
    expect(last(order, 'order.hold_ended')!.lines).toEqual([
      { lineNo: 1, skuId: 1, unitPrice: '1.25', quantity: 10, amountMinor: 1250, cancelled: 0, cancelledMinor: 0 },
    ]);
    expect(order.order!.progress).toMatchObject({ holds: 0, told: true });
    expect(order.given(release(701)).history.filter((event) => event.type === 'order.hold_ended')).toHaveLength(1);
    expect(types(order.given(confirm))).toEqual([
      ...['accepted', 'held', 'held', 'hold_released', 'hold_released', 'hold_ended', 'confirmed'],
      ...['fulfilment.requested', 'fulfilment.requested'],
    ]);
  });

  it('tells what was cancelled meanwhile with the order', () => {
    const order = world(credit).given(submit({ quantity: 10 }), cancel(3), release(700));
    expect(last(order, 'order.lines_cancelled')!.untold).toBe(true);
    expect(last(order, 'order.hold_ended')!.lines).toMatchObject([{ quantity: 10, cancelled: 3, cancelledMinor: 300 }]);
  });

  it('is held by nothing once nothing of it is left', () => {
    const order = world(credit, account).given(submit({ quantity: 10 }), cancel(10));
    expect(order.order!).toMatchObject({ state: 'cancelled', progress: { holds: 0 } });
    expect(order.shelf(1, 2).free).toBe(9);
    expect(last(order, 'order.hold_released')).toMatchObject({ by: 'order', holdId: 701 });
  });

  it('gets no more stock until it is released', () => {
    const order = world(credit).given(submit({ quantity: 20 }));
    expect(order.shown()).toBe('20 allocated 15 backordered 5');
    order.shelf(1, 1).free = 50;
    order.given({ kind: 'allocate_backorders', lineNos: [1] });
    expect(order.shown()).toBe('20 allocated 15 backordered 5');
    order.given(release(700), { kind: 'allocate_backorders', lineNos: [1] });
    expect(order.shown()).toBe('20 allocated 20');
  });

  it('is held by no rule when nothing of it was accepted', () => {
    const order = world(credit);
    order.onShort = 'refuse';
    order.given(submit({ quantity: 1, skuId: 1 }));
    const none = new World([]);
    none.onShort = 'refuse';
    none.verdict = { ok: true, holds: [credit] };
    expect(types(none.given(submit({ quantity: 4, skuId: 5 })))).toEqual(['accepted']);
  });

  it('may be refused as a whole by a gate, and then nothing happened', () => {
    const order = world();
    order.verdict = { ok: false, refused: 'over_credit', detail: 'limit 5.00' };
    expect(order.when(submit({ quantity: 10 }))).toEqual({ ok: false, refused: 'over_credit', detail: 'limit 5.00' });
    expect(order.order).toBeUndefined();
    expect(order.shelf(1, 2).free).toBe(9);
  });
});

describe('an order that a person holds', () => {
  it('before the ERP has answered, is handed to the WMS when it is released', () => {
    const order = world().given(submit({ quantity: 10 }), put, confirm);
    expect(types(order)).toEqual(['accepted', 'held', 'confirmed']);
    order.given(release(700));
    expect(types(order).slice(3)).toEqual(['hold_released', 'fulfilment.requested', 'fulfilment.requested']);
    expect(last(order, 'order.hold_ended')).toBeUndefined();
  });

  it('gives nothing back that is with the WMS, and is cancelled like any other', () => {
    const order = world().given(submit({ quantity: 6 }), confirm, put);
    expect(order.order!.progress).toMatchObject({ handed: true, told: true, holds: 1 });
    order.given(cancel(2));
    expect(order.shown()).toBe('6 allocated 6 asked 2');
    expect(last(order, 'order.cancel_asked')).toBeDefined();
  });

  it('frees what was not handed over when it is cancelled', () => {
    const order = world().given(submit({ quantity: 6 }), put, confirm, cancel(6));
    expect(order.order!.state).toBe('cancelled');
    expect(order.shelf(1, 1).free + order.shelf(1, 2).free).toBe(15);
  });

  describe('between a change and the ERP that confirms it', () => {
    const added = { kind: 'confirm_change', lineNos: [100_001] } as const;
    const held = () => world().given(submit({ quantity: 4 }), confirm, change([[1, 9]]), put, added);

    it('asks the WMS for what was added when it is released', () => {
      const order = held();
      expect(order.history.filter((event) => event.type === 'fulfilment.requested')).toHaveLength(1);
      order.given(release(700));
      expect(last(order, 'fulfilment.requested')!.lines).toEqual([{ lineNo: 100_001, skuId: 1, quantity: 5 }]);
      order.given(cancel(9));
      expect([order.shown(1), order.shown(100_001)]).toEqual(['4 allocated 4 asked 4', '5 allocated 5 asked 5']);
    });

    it('gives back at once what the WMS was not asked for, and asks it to stop the rest', () => {
      const order = held().given(cancel(6));
      expect([order.shown(1), order.shown(100_001)]).toEqual(['4 allocated 4 asked 1', '5 cancelled 5']);
      expect(order.shelf(1, 1).free + order.shelf(1, 2).free).toBe(11);
    });

    it('changes another SKU in for what was added, and not for what the WMS is picking', () => {
      const order = held().given(release(700), { ...put, hold: { ...put.hold, detail: 'again' } });
      expect(order.when(change([{ lineNo: 1, quantity: 0 }]))).toMatchObject({ ok: true });
      const other = held().when(change([[1, 0]], { reference: 'CH2' }));
      expect(other.ok && other.events[0]).toMatchObject({ lines: [{ cancelled: 5, asked: 4, outcome: 'asked' }] });
    });

    it('has left nothing that the WMS was not asked for', () => {
      const order = held();
      expect(order.when(ship(10, 4, 100_001))).toMatchObject({ ok: false, refused: 'over_ship' });
    });
  });

  it('gives back at once what a short pick found elsewhere and the WMS was not asked for', () => {
    const order = world();
    order.onShortPick = { policy: 'resource', otherwise: 'hold' };
    order.shelf(1, 2).free = 3;
    const lines = [1, 2].map((lineNo) => ({ lineNo, quantity: 3 }));
    const notFound = { ...(shortPick(10, 3) as Extract<OrderCommand, { kind: 'short_pick' }>), lines };
    order.given(submit({ quantity: 3 }, { quantity: 3 }), confirm, notFound);
    expect([order.shown(1), order.shown(2)]).toEqual(['3 allocated 3', '3 backordered 3 held 3']);
    order.given(cancel(2));
    expect(order.shown(1)).toBe('3 allocated 1 cancelled 2');
  });

  it('is held once by one reason', () => {
    const order = world().given(submit({ quantity: 6 }), put, put);
    expect(order.order!.progress.holds).toBe(1);
  });

  it('is held by nothing once all that is left of it has left, or was stopped', () => {
    const order = world().given(submit({ quantity: 6 }), confirm, put, pick(10, 4), cancel(2), answer(10, 2, 0));
    expect(order.order!.progress.holds).toBe(1);
    order.given(ship(10, 4));
    expect(last(order, 'order.hold_released')).toMatchObject({ by: 'order' });
    expect(order.order!).toMatchObject({ state: 'shipped', progress: { holds: 0 } });
  });

  it('can not be held when all of it has left', () => {
    const order = world().given(submit({ quantity: 6 }), confirm, pick(10, 6));
    order.given({
      kind: 'ship',
      fulfilmentId: 10,
      source: 'wms',
      shipment: 'S',
      tracking: null,
      lines: [{ lineNo: 1, quantity: 6 }],
    });
    expect(order.when(put)).toMatchObject({ ok: false, refused: 'order_ended' });
    expect(order.when(release(999))).toMatchObject({ ok: false, refused: 'unknown_hold' });
  });
});
