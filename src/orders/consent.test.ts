import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followSubstitutes } from './substitutes.ts';
import { confirm, submit, World } from './testing.ts';

const short = (consent: 'offer' | 'allow' | undefined, onShort: 'backorder' | 'refuse' = 'backorder') => {
  const world = new World([
    [1, 1, 3],
    [2, 1, 4],
    [3, 1, 0],
  ]);
  world.instead = { 1: [3, 2] };
  world.consent = consent;
  world.onShort = onShort;
  return world;
};

describe('units that an order of a channel that asks cannot have', () => {
  it('wait, without consent, whatever could be sent for them', () => {
    const world = short(undefined).given(submit({ quantity: 5 }));
    expect([world.shown(), world.order!.lines.size, world.order!.exceptions.size]).toEqual([
      '5 allocated 3 backordered 2',
      1,
      0,
    ]);
  });

  it('are sent as substitutes where that is allowed, at the price of what was ordered', () => {
    const world = short('allow').given(submit({ quantity: 5, unitPrice: '2.50' }), confirm);
    expect([world.shown(1), world.shown(2)]).toEqual(['5 allocated 3 refused 2 substituted 2', '2 allocated 2']);
    expect(world.line(2)).toMatchObject({ skuId: 2, standsFor: 1, unitPrice: '2.50', amountMinor: 500 });
    expect(world.history.find(({ type }) => type === 'order.exception_raised')).toMatchObject({
      ...{ kind: 'short', policy: 'substitute', units: 2, substituted: 2, held: 0 },
    });
  });

  it('as far as substitutes go; the rest waits, or is refused where nothing waits', () => {
    expect(
      short('allow')
        .given(submit({ quantity: 9 }))
        .shown(),
    ).toBe('9 allocated 3 backordered 2 refused 4 substituted 4');
    expect(
      short('allow', 'refuse')
        .given(submit({ quantity: 9 }))
        .shown(),
    ).toBe('9 allocated 3 refused 6 substituted 4');
  });

  it('are no exception where nothing could be sent for them', () => {
    const world = short('allow');
    world.instead = { 1: [3] };
    world.given(submit({ quantity: 5 }));
    expect([world.shown(), world.order!.exceptions.size]).toEqual(['5 allocated 3 backordered 2', 0]);
    const asked = short('offer');
    asked.instead = { 1: [3] };
    expect(asked.given(submit({ quantity: 5 })).order!.exceptions.size).toBe(0);
  });

  it("are offered: what substitutes could cover is held, nothing of it is taken, and the answer is somebody's", () => {
    const world = short('offer').given(submit({ quantity: 9 }));
    expect(world.shown()).toBe('9 allocated 3 backordered 6 held 4');
    expect(world.shelf(2, 1).free).toBe(4);
    const [exception] = world.order!.exceptions.values();
    const resolve = {
      kind: 'resolve_exception',
      exceptionId: exception!.exceptionId,
      by: 'buyer',
      reason: null,
    } as const;
    world.given({ ...resolve, as: 'substitute', otherwise: null });
    expect([world.shown(1), world.shown(2)]).toEqual([
      '9 allocated 3 backordered 2 refused 4 substituted 4',
      '4 allocated 4',
    ]);
    expect(world.order!.progress.told).toBe(true);
  });

  it('what is to come in time is not short', () => {
    const world = short('allow');
    world.toCome = { 1: [{ supplyId: 5, locationId: 1, quantity: 1, dueAt: '2026-03-05T00:00:00.000Z' }] };
    expect(world.given(submit({ quantity: 5 })).shown()).toBe('5 allocated 3 backordered 1 refused 1 substituted 1');
  });

  it('two lines of one SKU never get the same substitute', () => {
    const world = short('allow').given(submit({ quantity: 5 }, { quantity: 4 }));
    expect([world.shown(1), world.shown(2)]).toEqual([
      '5 allocated 3 refused 2 substituted 2',
      '4 backordered 2 refused 2 substituted 2',
    ]);
    expect(world.shelf(2, 1).free).toBe(0);
  });
});

describe('chains of substitutes', () => {
  const follow = (lists: Record<number, number[]>, ...skuIds: number[]) =>
    followSubstitutes(skuIds, async (of) => new Map(of.map((skuId) => [skuId, lists[skuId] ?? []])));

  it('are followed: what stands for it first, then what stands for that', async () => {
    expect((await follow({ 1: [2, 3], 2: [4], 3: [2, 5], 4: [6] }, 1, 4)).get(1)).toEqual([2, 3, 4, 5, 6]);
    expect((await follow({ 1: [2, 3], 2: [4], 3: [2, 5], 4: [6] }, 1, 4)).get(4)).toEqual([6]);
  });

  it('end whatever the lists say: no SKU twice, none for itself, 10 at most, 5 steps at most', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.integer({ min: 0, max: 14 }), { maxLength: 4 }), { minLength: 15, maxLength: 15 }),
        async (lists) => {
          let steps = 0;
          const found = await followSubstitutes([0, 1, 2], async (of) => {
            steps++;
            return new Map(of.map((skuId) => [skuId, lists[skuId]!]));
          });
          expect(steps).toBeLessThanOrEqual(5);
          for (const [skuId, list] of found) {
            expect(list).not.toContain(skuId);
            expect(new Set(list).size).toBe(list.length);
            expect(list.length).toBeLessThanOrEqual(10);
          }
        },
      ),
    );
  });
});
