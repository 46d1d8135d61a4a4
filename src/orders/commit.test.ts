import { describe, expect, it } from 'vitest';
import { submit, World } from './testing.ts';
import type { OrderEvent } from './types.ts';

const soon = { supplyId: 1, locationId: 2, quantity: 6, dueAt: '2026-03-05T00:00:00.000Z' };
const later = { supplyId: 2, locationId: 1, quantity: 4, dueAt: '2026-03-09T00:00:00.000Z' };
const accepted = (world: World) => world.history[0] as Extract<OrderEvent, { type: 'order.accepted' }>;
const committed = (world: World) =>
  accepted(world).commitments.map(
    (part) => `${part.lineNo}: ${part.quantity} of ${part.supplyId} by ${part.dueAt.slice(8, 10)}`,
  );

function world(free: number, ...supplies: (typeof soon)[]): World {
  const made = new World([[1, 1, free]]);
  made.toCome = { 1: supplies };
  return made;
}

describe('a line that is short of stock', () => {
  it('takes what is there, and for the rest what comes soonest', () => {
    const order = world(3, soon, later).given(submit({ quantity: 11 }));
    expect(order.shown()).toBe('11 allocated 3 backordered 8');
    expect(committed(order)).toEqual(['1: 6 of 1 by 05', '1: 2 of 2 by 09']);
  });

  it('leaves what is to come alone when its units are on the shelf', () => {
    const order = world(11, soon).given(submit({ quantity: 11 }));
    expect(order.shown()).toBe('11 allocated 11');
    expect(committed(order)).toEqual([]);
  });

  it('waits without a promise for what nothing covers', () => {
    const order = world(0, soon).given(submit({ quantity: 10 }));
    expect(order.shown()).toBe('10 backordered 10');
    expect(committed(order)).toEqual(['1: 6 of 1 by 05']);
  });

  it('finds less when an earlier line of the order took of the same supply', () => {
    const order = world(0, soon).given(submit({ quantity: 5 }, { quantity: 5 }));
    expect(committed(order)).toEqual(['1: 5 of 1 by 05', '2: 1 of 1 by 05']);
  });

  it('is refused only for what no dated supply covers, where the channel wants no backorders', () => {
    const order = world(2, soon);
    order.onShort = 'refuse';
    order.given(submit({ quantity: 10 }));
    expect(order.shown()).toBe('10 allocated 2 backordered 6 refused 2');
    expect(committed(order)).toEqual(['1: 6 of 1 by 05']);
    const none = world(2);
    none.onShort = 'refuse';
    expect(none.given(submit({ quantity: 10 })).shown()).toBe('10 allocated 2 refused 8');
  });
});
