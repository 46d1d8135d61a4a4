import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evolve } from './evolve.ts';
import { mayMove, stateRules } from './machine.ts';
import { standInsOf } from './take-back.ts';
import {
  answer,
  cancel,
  change,
  confirm,
  invoice,
  pick,
  receiveReturn,
  ship,
  shortPick,
  submit,
  World,
} from './testing.ts';
import type { Order, OrderCommand, OrderLine } from './types.ts';

describe('the declared machine', () => {
  it('names only states it declares, and no way out of an end', () => {
    const states = stateRules.map((rule) => rule.state);
    expect(new Set(states).size).toBe(8);
    for (const rule of stateRules) for (const next of rule.next) expect(states).toContain(next);
    for (const state of ['closed', 'cancelled', 'refused'] as const)
      expect(stateRules.find((rule) => rule.state === state)?.next).toEqual([]);
  });

  it('never leads back', () => {
    const seen = (from: string, path: string[] = []): void => {
      expect(path, 'a way back').not.toContain(from);
      for (const next of stateRules.find((rule) => rule.state === from)!.next) seen(next, [...path, from]);
    };
    seen('accepted');
    expect(mayMove('shipped', 'released')).toBe(false);
  });
});

const units = fc.integer({ min: 1, max: 6 });
/** Also of lines that stand for others. */
const lineNos = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 5 }) },
  fc.integer({ min: 100_001, max: 100_003 }),
);
const fulfilments = fc.integer({ min: 10, max: 15 });

/** Anything a system might say, in any order, sensible or not. */
const commands: fc.Arbitrary<OrderCommand> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(confirm) },
  { weight: 2, arbitrary: fulfilments.map((fulfilmentId): OrderCommand => ({ kind: 'release', fulfilmentId })) },
  {
    weight: 2,
    arbitrary: fc.constant<OrderCommand>({ kind: 'allocate_backorders', lineNos: [1, 2, 3, 100_001, 100_002] }),
  },
  { weight: 6, arbitrary: fc.tuple(fulfilments, units, lineNos).map((args) => pick(...args)) },
  { weight: 6, arbitrary: fc.tuple(fulfilments, units, lineNos).map((args) => ship(...args)) },
  { weight: 4, arbitrary: fc.tuple(units, lineNos).map((args) => cancel(...args)) },
  { weight: 4, arbitrary: fc.tuple(fulfilments, fc.nat(3), fc.nat(3), lineNos).map((args) => answer(...args)) },
  { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 50, max: 54 }), units, lineNos).map((a) => receiveReturn(...a)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('fraud_check', 'waits').map(
      (reason): OrderCommand => ({
        kind: 'hold',
        hold: { kind: 'manual', reason, detail: '' },
        dueAt: null,
        by: 'bob',
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .integer({ min: 700, max: 704 })
      .map((holdId): OrderCommand => ({ kind: 'release_hold', holdId, by: 'ann', reason: null })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({
        lines: fc.uniqueArray(
          fc.record({
            lineNo: fc.oneof(lineNos, fc.constant(null), fc.constant(100_001)),
            skuId: fc.option(fc.integer({ min: 1, max: 3 })),
            quantity: fc.nat(9),
            unitPrice: fc.option(fc.constantFrom('0.01', '1.005', '2.55')),
            within: fc.option(fc.nat(3)),
          }),
          { maxLength: 3, selector: ({ lineNo }) => lineNo ?? {} },
        ),
        number: fc.option(fc.nat(5)),
        isWhole: fc.boolean(),
        partial: fc.boolean(),
      })
      .map(({ lines, ...rest }) => change(lines, rest)),
  },
  { weight: 3, arbitrary: fc.tuple(fulfilments, units, lineNos).map((args) => shortPick(...args)) },
  { weight: 1, arbitrary: fc.constant<OrderCommand>({ kind: 'cancel_order', reference: 'ALL' }) },
  {
    weight: 2,
    arbitrary: fc
      .uniqueArray(fc.integer({ min: 100_001, max: 100_004 }))
      .map((lineNos): OrderCommand => ({ kind: 'confirm_change', lineNos })),
  },
  { weight: 1, arbitrary: fc.tuple(units, lineNos).map(([quantity, lineNo]) => invoice(quantity, 100, lineNo)) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('resolve_exception' as const),
      exceptionId: fc.integer({ min: 900, max: 903 }),
      as: fc.constantFrom('backorder', 'cancel', 'substitute'),
      otherwise: fc.constantFrom('backorder', 'cancel', null),
      by: fc.constant('ann'),
      reason: fc.constant(null),
    }),
  },
);

const shortPicks = fc.record({
  policy: fc.constantFrom('resource', 'backorder', 'cancel', 'substitute', 'hold'),
  otherwise: fc.constantFrom('backorder', 'cancel', 'hold'),
});
const oversold = fc.option(
  fc.record({
    policy: fc.constantFrom('backorder', 'cancel', 'substitute', 'hold', undefined),
    otherwise: fc.constantFrom('backorder', 'cancel', 'hold'),
  }),
  { nil: undefined },
);

describe('any sequence of commands', () => {
  it('keeps every line whole, no quantity below zero, and every state change on the machine', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ skuId: fc.integer({ min: 1, max: 2 }), quantity: units, within: fc.option(fc.nat(3)) }), {
          minLength: 1,
          maxLength: 3,
        }),
        fc.array(fc.nat(6), { minLength: 8, maxLength: 8 }),
        fc.boolean(),
        oversold,
        shortPicks,
        fc.nat(2),
        fc.array(fc.tuple(commands, fc.nat(3)), { maxLength: 40 }),
        (lines, stock, refuses, policy, onShortPick, holds, steps) => {
          const world = new World([
            [1, 1, stock[0]!, stock[1]],
            [1, 2, stock[2]!, stock[3]],
            [2, 1, stock[4]!, stock[5]],
            [2, 2, stock[6]!, stock[7]],
          ]);
          const total = stock.reduce((sum, n) => sum + n, 0);
          world.onShort = refuses ? 'refuse' : 'backorder';
          world.oversold = policy;
          world.onShortPick = onShortPick;
          world.verdict = {
            ok: true,
            holds: Array.from({ length: holds }, () => ({ kind: 'credit', reason: 'over_limit', detail: '' })),
          };
          world.instead = { 1: [2], 2: [1] };
          world.given(
            submit(
              ...lines.map((line) => ({
                ...line,
                within: line.within === null ? null : Math.min(line.within, line.quantity),
              })),
            ),
          );
          check(world);
          let arrived = 0;
          for (const [command, more] of steps) {
            // Nobody confirms what nobody was told.
            if (command.kind === 'confirm' && world.order!.progress.held > 0) continue;
            world.shelves[more]!.free++;
            arrived++;
            const before = world.order!.state;
            const version = world.order!.version;
            const decision = world.when(command);
            // A refusal changes nothing.
            if (!decision.ok) expect(world.order!.version).toBe(version);
            expect(mayMove(before, world.order!.state)).toBe(true);
            check(world);
          }
          // Played again, its events give the same order (I8).
          let again: Order | undefined;
          for (const event of world.history) again = evolve(again, structuredClone(event));
          expect(again).toEqual(world.order);
          // Nothing was made or lost on the way: on a shelf, promised, picked and not back.
          let held = 0;
          for (const line of world.order!.lines.values()) held += line.allocated + line.picked - line.returned;
          expect(world.shelves.reduce((sum, shelf) => sum + shelf.free + shelf.own, 0) + held + world.missing).toBe(
            total + arrived,
          );
        },
      ),
      { numRuns: 1_500 },
    );
  }, 60_000);

  function check(world: World): void {
    for (const line of world.order!.lines.values()) {
      const { quantity, allocated, backordered, picked, cancelled, refused } = line;
      expect(allocated + backordered + picked + cancelled + refused).toBe(quantity);
      for (const value of [
        allocated,
        backordered,
        picked,
        cancelled,
        refused,
        line.shipped,
        line.returned,
        line.returnExpected,
      ])
        expect(value).toBeGreaterThanOrEqual(0);
      expect(line.shipped).toBeLessThanOrEqual(quantity);
      expect(line.cancelAsked).toBeGreaterThanOrEqual(0);
      let open = 0;
      for (const a of world.order!.allocations.values()) {
        expect(a.openQuantity).toBeGreaterThanOrEqual(0);
        if (a.lineNo === line.lineNo) open += a.openQuantity;
      }
      expect(open).toBe(allocated);
      // What stands for a line stands for units that it gave up; both together are never more than was ordered.
      expect(line.held).toBeLessThanOrEqual(backordered);
      expect(line.substituted).toBeLessThanOrEqual(refused);
      const standIns = standInsOf(world.order!, line.lineNo);
      const sum = (of: (part: OrderLine) => number) => standIns.reduce((all, part) => all + of(part), 0);
      expect(sum((part) => part.quantity)).toBe(line.substituted);
      expect(sum((part) => part.shipped) + line.shipped).toBeLessThanOrEqual(quantity);
      expect(sum((part) => part.picked) + picked).toBeLessThanOrEqual(quantity - (refused - line.substituted));
      const { progress, holds, fulfilments } = world.order!;
      expect(progress.holds).toBe([...holds.values()].filter((hold) => hold.releasedBy === null).length);
      expect(progress.handed).toBe(fulfilments.size > 0);
      // The WMS is asked for an allocation when the ERP knows the order, and the ERP when nothing holds it.
      expect(progress.handed && world.order!.erpNumber === null).toBe(false);
      expect(world.history.filter((event) => event.type === 'order.hold_ended').length).toBeLessThanOrEqual(1);
      let heldHere = 0;
      for (const exception of world.order!.exceptions.values()) {
        const { units, held, substituted } = exception;
        expect(held + exception.backordered + exception.cancelled + substituted + exception.resourced).toBe(units);
        if (exception.lineNo === line.lineNo) heldHere += held;
      }
      expect(line.held).toBe(heldHere);
    }
    const lines = [...world.order!.lines.values()];
    expect(world.order!.progress.held).toBe(lines.reduce((sum, line) => sum + line.held, 0));
    checkTold(world);
    for (const shelf of world.shelves) {
      expect(shelf.own).toBeGreaterThanOrEqual(0);
      expect(shelf.free).toBeGreaterThanOrEqual(0);
    }
  }

  /** The ERP hears of an order once, and of no cancel before; of one that is held, when it is not any more. */
  function checkTold(world: World): void {
    let told = 0;
    let units = 0;
    let cancelled = 0;
    for (const event of world.history) {
      if (event.type === 'order.accepted' && event.untold === undefined) {
        told++;
        units = event.lines.reduce((sum, line) => sum + line.quantity - line.refused, 0);
      }
      if (event.type === 'order.hold_ended') {
        told++;
        units = event.lines.reduce((sum, line) => sum + line.quantity, 0);
        cancelled = event.lines.reduce((sum, line) => sum + line.cancelled, 0);
      }
      if (event.type === 'order.lines_added') {
        expect(event.untold === true).toBe(told === 0);
        if (told > 0) units += event.lines.reduce((sum, line) => sum + line.quantity - line.refused, 0);
      }
      if (event.type !== 'order.lines_cancelled') continue;
      expect(event.untold === true).toBe(told === 0);
      if (told > 0) for (const line of event.lines) cancelled += line.quantity;
    }
    const { open, refused, quantity, ...progress } = world.order!.progress;
    expect(told).toBe(progress.told ? 1 : 0);
    // What a short pick holds, it holds of an order that the ERP knows.
    if (progress.held > 0 && world.history.every((event) => event.type !== 'fulfilment.short_picked'))
      expect(told).toBe(0);
    if (progress.held === 0 && progress.holds === 0 && refused < quantity) expect(told).toBe(1);
    // What it was told, less what it was told to be cancelled, is what is left.
    if (told > 0) expect(units - cancelled).toBe(open);
  }
});
