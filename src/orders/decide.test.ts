import { describe, expect, it } from 'vitest';
import { amountMinor } from '../canonical/index.ts';
import {
  answer,
  cancel,
  confirm,
  invoice,
  pick,
  receiveReturn,
  requestReturn,
  ship,
  submit,
  World,
} from './testing.ts';
import type { OrderCommand, OrderEvent } from './types.ts';

const types = (world: World): string[] => world.history.map((event) => event.type);
const refusal = (reason: string) => expect.objectContaining({ ok: false, refused: reason });
const eventsOf = <T extends OrderEvent['type']>(world: World, type: T) =>
  world.history.filter((event): event is Extract<OrderEvent, { type: T }> => event.type === type);

describe('a submitted line', () => {
  it('takes all from the first location that has all, though a fuller one comes later', () => {
    const world = new World([
      [1, 1, 3],
      [1, 2, 5],
      [1, 3, 50],
    ]).given(submit({ quantity: 5 }));
    expect(world.allocated()).toEqual({ 2: 5 });
    expect(world.shown()).toBe('5 allocated 5');
  });

  it('takes from the fullest locations when none has all, and waits for the rest', () => {
    const world = new World([
      [1, 1, 3],
      [1, 2, 0],
      [1, 3, 4],
    ]).given(submit({ quantity: 10 }));
    expect(world.allocated()).toEqual({ 1: 3, 3: 4 });
    expect(world.shown()).toBe('10 allocated 7 backordered 3');
  });

  it('finds less when an earlier line of the order took the same SKU', () => {
    const world = new World([
      [1, 1, 6],
      [1, 2, 3],
    ]).given(submit({ quantity: 5 }, { quantity: 5 }));
    expect(world.shown(1)).toBe('5 allocated 5');
    expect(world.shown(2)).toBe('5 allocated 4 backordered 1');
    expect(world.allocated()).toEqual({ 1: 6, 2: 3 });
  });

  it('is refused for what is missing where the channel wants no backorders', () => {
    const world = new World([[1, 1, 2]]);
    world.onShort = 'refuse';
    world.given(submit({ quantity: 5 }, { skuId: 1, quantity: 1 }));
    expect(world.shown(1)).toBe('5 allocated 2 refused 3');
    expect(world.shown(2)).toBe('1 refused 1');
    expect(world.order?.state).toBe('accepted');
  });

  it('leaves an order refused when no unit of any line was there', () => {
    const world = new World([[1, 1, 0]]);
    world.onShort = 'refuse';
    expect(world.given(submit({ quantity: 5 })).order?.state).toBe('refused');
  });

  it('names a line number only once', () => {
    const command = submit({ quantity: 1 }, { quantity: 1 });
    command.lines[1]!.lineNo = 1;
    const world = new World([[1, 1, 5]]);
    expect(world.when(command)).toEqual(refusal('duplicate_line'));
    expect(world.order).toBeUndefined();
  });
});

describe('what a channel sold within its number', () => {
  it('comes out of its exposure, and only what it sold beyond comes out of what is free', () => {
    const world = new World([[1, 1, 4, 6]]).given(submit({ quantity: 8, within: 6 }));
    expect(world.shelf(1, 1)).toMatchObject({ own: 0, free: 2 });
    expect(eventsOf(world, 'order.accepted')[0]).toMatchObject({ exposureUsed: [{ skuId: 1, quantity: 6 }] });
  });

  it('never takes from the exposure what it sold beyond its number', () => {
    const world = new World([[1, 1, 0, 6]]).given(submit({ quantity: 5, within: 2 }));
    expect(world.shown()).toBe('5 allocated 2 backordered 3');
    expect(world.shelf(1, 1)).toMatchObject({ own: 4, free: 0 });
  });

  it('is oversell when a loss took it, unless something free stands in for it', () => {
    // 10 set aside, 4 of them lost since.
    const short = new World([[1, 1, -4, 10]]).given(submit({ quantity: 10, within: 10 }));
    expect(short.line()).toMatchObject({ allocated: 6, backordered: 4, withinShort: 4 });
    const stoodIn = new World([
      [1, 1, -4, 10],
      [1, 2, 9],
    ]).given(submit({ quantity: 10, within: 10 }));
    expect(stoodIn.line()).toMatchObject({ allocated: 10, backordered: 0, withinShort: 0 });
    expect(stoodIn.allocated()).toEqual({ 1: 6, 2: 4 });
  });

  it('is backordered, not refused, even where the channel wants no backorders: the buyer has paid', () => {
    const world = new World([[1, 1, -1, 1]]);
    world.onShort = 'refuse';
    expect(world.given(submit({ quantity: 1, within: 1 })).shown()).toBe('1 backordered 1');
  });

  it('is what lies in its exposure where it can’t say: the rest it sold by itself beyond its number, and nobody oversold it', () => {
    const world = new World([[1, 1, 2, 6]]).given(submit({ quantity: 10, within: null }));
    expect(world.shown()).toBe('10 allocated 8 backordered 2');
    expect(world.shelf(1, 1)).toMatchObject({ own: 0, free: 0 });
    expect(world.line()).toMatchObject({ within: 6, withinShort: 0 });
    expect(eventsOf(world, 'order.accepted')[0]?.exposureUsed).toEqual([{ skuId: 1, quantity: 6 }]);
    const two = new World([[1, 1, 0, 5]]).given(submit({ quantity: 3, within: null }, { quantity: 3, within: null }));
    expect([two.line(1), two.line(2)]).toMatchObject([{ allocated: 3 }, { allocated: 2, backordered: 1, within: 2 }]);
    expect(eventsOf(two, 'order.accepted')[0]?.exposureUsed).toEqual([{ skuId: 1, quantity: 5 }]);
  });

  it('beyond its number is taken back where nothing may wait, and what lay in its exposure is not', () => {
    const world = new World([[1, 1, 1, 6]]);
    world.onShort = 'refuse';
    world.given(submit({ quantity: 10, within: null }));
    expect(world.line()).toMatchObject({ allocated: 7, backordered: 0, refused: 3, within: 6, withinShort: 0 });
  });

  it('over two lines of one SKU takes each unit of the exposure once', () => {
    const world = new World([[1, 1, 0, 5]]).given(submit({ quantity: 3, within: 3 }, { quantity: 2, within: 2 }));
    expect(world.shelf(1, 1)).toMatchObject({ own: 0, free: 0 });
    expect(eventsOf(world, 'order.accepted')[0]?.exposureUsed).toEqual([{ skuId: 1, quantity: 5 }]);
  });
});

describe('an order at the ERP', () => {
  it('is handed to the WMS once, a fulfilment a location, lines of one SKU apart', () => {
    const world = new World([
      [1, 1, 4],
      [1, 2, 9],
    ]).given(submit({ quantity: 4 }, { quantity: 9 }), confirm, confirm);
    expect(eventsOf(world, 'fulfilment.requested')).toMatchObject([
      { locationId: 1, lines: [{ lineNo: 1, quantity: 4 }] },
      { locationId: 2, lines: [{ lineNo: 2, quantity: 9 }] },
    ]);
    expect(types(world).filter((type) => type === 'order.confirmed')).toHaveLength(1);
  });

  it('asks for nothing that was cancelled before', () => {
    const world = new World([[1, 1, 4]]).given(submit({ quantity: 4 }), cancel(4), confirm);
    expect(types(world)).toEqual(['order.accepted', 'order.lines_cancelled', 'order.confirmed']);
    expect(world.order?.state).toBe('cancelled');
  });

  it('gets another fulfilment for what was backordered, not for what it has', () => {
    const world = new World([[1, 1, 4]]).given(submit({ quantity: 6 }), confirm);
    world.shelf(1, 1).free = 9;
    world.given({ kind: 'allocate_backorders', lineNos: [1, 2, 3] });
    expect(eventsOf(world, 'fulfilment.requested').map((event) => event.lines)).toEqual([
      [{ lineNo: 1, skuId: 1, quantity: 4 }],
      [{ lineNo: 1, skuId: 1, quantity: 2 }],
    ]);
    expect(world.shelf(1, 1).free).toBe(7);
  });

  it('asks for what found stock before the ERP answered once it has', () => {
    const world = new World([[1, 1, 4]]).given(submit({ quantity: 6 }));
    world.shelf(1, 1).free = 2;
    world.given({ kind: 'allocate_backorders', lineNos: [1, 2, 3] });
    expect(eventsOf(world, 'fulfilment.requested')).toEqual([]);
    world.given(confirm);
    expect(eventsOf(world, 'fulfilment.requested').map((event) => event.lines)).toEqual([
      [{ lineNo: 1, skuId: 1, quantity: 4 }],
      [{ lineNo: 1, skuId: 1, quantity: 2 }],
    ]);
  });
});

/** Two locations of 5 and 4, released: fulfilments 10 and 11. */
const released = () =>
  new World([
    [1, 1, 5],
    [1, 2, 4],
  ]).given(
    submit({ quantity: 10 }),
    confirm,
    { kind: 'release', fulfilmentId: 10 },
    { kind: 'release', fulfilmentId: 11 },
  );

describe('a cancel', () => {
  it('takes the backorder first, then what the WMS does not know', () => {
    const world = new World([
      [1, 1, 5],
      [1, 2, 4],
    ]).given(submit({ quantity: 10 }), cancel(3));
    expect(world.shown()).toBe('10 allocated 7 cancelled 3');
    expect(eventsOf(world, 'order.lines_cancelled')[0]).toMatchObject({
      lines: [{ quantity: 3, fromBackorder: 1 }],
      released: [{ locationId: 1, quantity: 2 }],
    });
  });

  it('over several fulfilments asks each for its part', () => {
    const world = released().given(cancel(8));
    expect(world.shown()).toBe('10 allocated 9 asked 7 cancelled 1');
    expect(eventsOf(world, 'order.cancel_asked').map((e) => [e.fulfilmentId, e.lines[0]?.quantity])).toEqual([
      [10, 5],
      [11, 2],
    ]);
  });

  it('over an earlier one asks only for what was not asked', () => {
    const world = released().given(cancel(8), cancel(2, 1, 'C2'));
    expect(eventsOf(world, 'order.cancel_asked').map((e) => [e.fulfilmentId, e.lines[0]?.quantity])).toEqual([
      [10, 5],
      [11, 2],
      [11, 2],
    ]);
    expect(world.when(cancel(1, 1, 'C3'))).toEqual(refusal('over_cancel'));
  });

  it('is settled by each answer for its own fulfilment', () => {
    const world = released().given(cancel(10), answer(11, 4, 0));
    expect(world.shown()).toBe('10 allocated 5 asked 5 cancelled 5');
    world.given(answer(10, 2, 3), pick(10, 3));
    expect(world.shown()).toBe('10 picked 3 cancelled 7 expected 3');
    expect(world.order?.state).toBe('released');
    expect(world.given(ship(10, 3), receiveReturn(50, 3)).shown()).toBe('10 picked 3 shipped 3 cancelled 7 returned 3');
    expect(world.shelf(1, 1).free).toBe(5);
    expect(world.shelf(1, 2).free).toBe(4);
  });

  it('after the pick becomes a return, and a second one only of what is left', () => {
    const world = released().given(pick(10, 5), pick(11, 4), cancel(6));
    expect(world.shown()).toBe('10 picked 9 cancelled 1 expected 5');
    expect(world.when(cancel(5, 1, 'C2'))).toEqual(refusal('over_cancel'));
    expect(world.given(cancel(4, 1, 'C2')).shown()).toBe('10 picked 9 cancelled 1 expected 9');
  });

  it('whose answer says too late waits for the pick that the hub has not heard of', () => {
    const world = released().given(cancel(3), answer(10, 0, 2), pick(10, 5), ship(10, 5));
    expect(world.shown()).toBe('10 allocated 4 picked 5 shipped 5 cancelled 1 expected 2');
  });

  it('of an unknown line changes nothing', () => {
    const world = released();
    const before = JSON.stringify([...world.order!.lines.values()]);
    expect(world.when(cancel(1, 9))).toEqual(refusal('unknown_line'));
    expect(world.when(cancel(11))).toEqual(refusal('over_cancel'));
    expect(JSON.stringify([...world.order!.lines.values()])).toBe(before);
  });
});

describe('picks, shipments and returns', () => {
  it('may come in parts, and the pick after its shipment', () => {
    const world = released().given(ship(10, 2), pick(10, 2), pick(10, 3), ship(10, 3));
    expect(world.shown()).toBe('10 allocated 4 backordered 1 picked 5 shipped 5');
    expect(world.order?.state).toBe('partly_shipped');
  });

  it('are never more than there is to pick, to ship and to come back', () => {
    const world = released();
    expect(world.when(pick(10, 6))).toEqual(refusal('over_pick'));
    expect(world.when(pick(12, 1))).toEqual(refusal('unknown_fulfilment'));
    expect(world.when(ship(10, 11))).toEqual(refusal('over_ship'));
    world.given(pick(10, 5), cancel(3));
    expect(world.shown()).toBe('10 allocated 4 picked 5 asked 2 cancelled 1');
    world.given(answer(11, 0, 2));
    expect(world.when(receiveReturn(50, 3))).toEqual(refusal('over_return'));
    expect(world.when(receiveReturn(99, 1))).toEqual(refusal('unknown_return'));
  });

  it('of a return in two parts are both restocked', () => {
    const world = new World([[1, 1, 5]]).given(submit({ quantity: 5 }), confirm, pick(10, 5), cancel(4));
    expect(world.given(receiveReturn(50, 1), receiveReturn(50, 3)).shown()).toBe('5 picked 5 returned 4');
    expect(world.shelf(1, 1).free).toBe(4);
    expect(world.when(receiveReturn(50, 1))).toEqual(refusal('over_return'));
  });
});

describe('the state', () => {
  it('moves from accepted to closed along the goods and the invoice', () => {
    const world = new World([[1, 1, 5]]);
    const states: (string | undefined)[] = [];
    for (const command of [
      submit({ quantity: 5 }),
      confirm,
      { kind: 'release', fulfilmentId: 10 } as const,
      pick(10, 5),
      ship(10, 2),
      ship(10, 3),
      invoice(5, 500),
    ])
      states.push(world.given(command).order?.state);
    expect(states).toEqual(['accepted', 'confirmed', 'released', 'released', 'partly_shipped', 'shipped', 'closed']);
  });

  it('is closed when the invoice was heard of before the shipment', () => {
    const world = new World([[1, 1, 5]]).given(submit({ quantity: 5 }), confirm, pick(10, 5), invoice(5, 500));
    expect(world.order?.state).toBe('confirmed');
    expect(world.given(ship(10, 5)).order?.state).toBe('closed');
  });

  it('is shipped or closed once the rest is cancelled', () => {
    const world = new World([[1, 1, 5]]).given(submit({ quantity: 8 }), confirm, pick(10, 5), ship(10, 5));
    expect(world.order?.state).toBe('partly_shipped');
    expect(world.given(cancel(3)).order?.state).toBe('shipped');
    expect(world.given(invoice(5, 500)).order?.state).toBe('closed');
  });
});

describe('money', () => {
  it('of a document in another currency than the order is refused: the two can not be added', () => {
    const world = new World([[1, 1, 5]]).given(submit({ quantity: 5 }), confirm, pick(10, 5), ship(10, 5));
    expect(world.when({ ...invoice(5, 500), currency: 'EUR' } as OrderCommand)).toEqual(refusal('other_currency'));
    expect(world.order?.state).toBe('shipped');
    expect(world.given(invoice(5, 500)).order?.state).toBe('closed');
  });

  const prices = ['1.335', '0.005', '0.125', '2.333', '0.001', '19.995', '0.335'];

  it('of parts adds up to the line to the minor unit, whichever part comes last', () => {
    for (const unitPrice of prices)
      for (const shippedFirst of [true, false]) {
        const world = new World([
          [1, 1, 4],
          [1, 2, 3],
        ]).given(submit({ quantity: 7, unitPrice }), confirm);
        // Location 1 ships its 4 in parts; location 2's 3 are cancelled in parts.
        const shipping = [pick(10, 4), ship(10, 1), ship(10, 2), ship(10, 1)];
        const stopping = [cancel(2, 1, 'C2'), cancel(1, 1, 'C3'), answer(11, 2, 0), answer(11, 1, 0)];
        world.given(...(shippedFirst ? [...shipping, ...stopping] : [shipping[0]!, ...stopping, ...shipping.slice(1)]));
        expect(world.shown()).toBe('7 picked 4 shipped 4 cancelled 3');
        const line = world.line();
        expect(line.shippedMinor + line.cancelledMinor, `at ${unitPrice}`).toBe(amountMinor(unitPrice, 7, 'GBP'));
        expect(line.cancelledMinor).toBe(amountMinor(unitPrice, 3, 'GBP'));
      }
  });

  it('of what came back is what it was shipped for, whatever was cancelled before, between and after', () => {
    for (const unitPrice of prices)
      for (const between of [true, false]) {
        const world = new World([[1, 1, 10]]).given(submit({ quantity: 10, unitPrice }), confirm, pick(10, 5));
        const back = receiveReturn(50, 5);
        const rest = [ship(10, 5), cancel(5, 1, 'C'), answer(10, 5, 0)];
        const asked = requestReturn(5);
        world.given(rest[0]!, ...(between ? [asked, back, rest[1]!, rest[2]!] : [rest[1]!, rest[2]!, asked, back]));
        expect(world.shown()).toBe('10 picked 5 shipped 5 cancelled 5 returned 5');
        const { shippedMinor, returnedMinor, cancelledMinor } = world.line();
        expect(returnedMinor, `at ${unitPrice}`).toBe(shippedMinor);
        expect(cancelledMinor).toBe(amountMinor(unitPrice, 5, 'GBP'));
      }
  });
});
