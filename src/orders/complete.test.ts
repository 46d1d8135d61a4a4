import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cancel, confirm, submit, World } from './testing.ts';
import type { OrderCommand } from './types.ts';

const complete = (...lines: Parameters<typeof submit>) => ({
  ...submit(...lines),
  terms: { shipComplete: true as const },
});
const asked = (world: World) => world.history.filter(({ type }) => type === 'fulfilment.requested').length;
const serve = (...lineNos: number[]): OrderCommand => ({ kind: 'allocate_backorders', lineNos });

describe('an order that leaves only whole', () => {
  it('goes at once where everything is there', () => {
    const world = new World([[1, 1, 9]]).given(complete({ quantity: 4 }), confirm);
    expect(asked(world)).toBe(1);
  });

  it('waits for its last unit, and then all of it goes', () => {
    const world = new World([
      [1, 1, 3],
      [2, 2, 5],
    ]).given(complete({ quantity: 5 }, { skuId: 2, quantity: 5 }), confirm);
    expect(asked(world)).toBe(0);
    world.shelf(1, 1).free = 1;
    world.given(serve(1));
    expect(asked(world)).toBe(0);
    world.shelf(1, 1).free = 1;
    world.given(serve(1));
    // One a location, though line 1 came there in three parts.
    expect(world.history.slice(-2).map((event) => event.type)).toEqual([
      'fulfilment.requested',
      'fulfilment.requested',
    ]);
    expect(asked(world)).toBe(2);
    const units = world.history.flatMap((event) => (event.type === 'fulfilment.requested' ? event.lines : []));
    expect(units.reduce((sum, { quantity }) => sum + quantity, 0)).toBe(10);
  });

  it('waits no more for what is given up', () => {
    const world = new World([[1, 1, 3]]).given(complete({ quantity: 5 }), confirm, cancel(2));
    expect(world.shown()).toBe('5 allocated 3 cancelled 2');
    expect(asked(world)).toBe(1);
  });

  it('what it has is given back at once while it waits: the WMS was not asked', () => {
    const world = new World([[1, 1, 3]]).given(complete({ quantity: 5 }), confirm, cancel(4));
    expect(world.shown()).toBe('5 allocated 1 cancelled 4');
    expect(world.shelf(1, 1).free).toBe(2);
  });

  it('that is cancelled while it waits asks for nothing', () => {
    const world = new World([[1, 1, 3]]).given(complete({ quantity: 5 }), confirm, cancel(5));
    expect([world.order!.state, asked(world)]).toEqual(['cancelled', 0]);
  });

  it('is asked of the WMS exactly when it waits for nothing, and once, in whatever order stock, cancels and the ERP come', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('serve' as const),
        line: fc.constantFrom(1, 2),
        units: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({
        kind: fc.constant('cancel' as const),
        line: fc.constantFrom(1, 2),
        units: fc.integer({ min: 1, max: 3 }),
      }),
      fc.constant({ kind: 'confirm' as const, line: 1, units: 0 }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: 5 }),
        fc.array(step, { maxLength: 12 }),
        (first, second, steps) => {
          const world = new World([
            [1, 1, first],
            [2, 1, second],
          ]).given(complete({ quantity: 5 }, { skuId: 2, quantity: 5 }));
          steps.forEach(({ kind, line, units }, i) => {
            if (kind === 'confirm') world.when(confirm);
            else if (kind === 'cancel') world.when(cancel(units, line, `C${i}`));
            else {
              world.shelf(line, 1).free += units;
              world.when(serve(line));
            }
            const lines = [...world.order!.lines.values()];
            const waits = lines.some((one) => one.backordered > 0);
            const has = [...world.order!.allocations.values()].some((one) => one.openQuantity > 0);
            if (waits || world.order!.erpNumber === null) expect(asked(world)).toBe(0);
            else if (has) expect(asked(world)).toBe(1);
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});
