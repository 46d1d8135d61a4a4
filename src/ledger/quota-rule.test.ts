import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Kept, leftWithin, placeOf, type QuotaAsker, type QuotaNode, roomOf, withoutKept } from './quota-rule.ts';

let ids = 0;
function node(channelId: number, more: Partial<QuotaNode> = {}): QuotaNode {
  return {
    ...{
      quotaId: ++ids,
      channelId,
      region: null,
      accountId: null,
      ringFenced: 0,
      cap: null,
      borrow: false,
      lend: false,
    },
    ...{ used: 0, held: 0, setAside: 0, isRunning: true, ...more },
  };
}
function asks(channelId: number, region: string | null = null, accountId: number | null = null): QuotaAsker {
  return { channelId, region, accountId };
}
function membersOf(nodes: readonly QuotaNode[], asker: QuotaAsker): Set<number> {
  return new Set(
    nodes
      .filter(
        (one) =>
          one.channelId === asker.channelId &&
          (one.accountId !== null
            ? one.accountId === asker.accountId
            : one.region === null || one.region === asker.region),
      )
      .map(({ quotaId }) => quotaId),
  );
}
const room = (nodes: readonly QuotaNode[], asker: QuotaAsker) => roomOf(nodes, asker, membersOf(nodes, asker));
const keptFrom = (nodes: readonly QuotaNode[], asker: QuotaAsker, units = 1_000) =>
  room(nodes, asker)
    .keptOf([{ locationId: 1, units }], () => [1])
    .reduce((sum, one) => sum + one.units, 0);

describe('what is ring-fenced', () => {
  it('is kept from others, not from its own, and falls with what they use and what is set aside', () => {
    const nodes = [node(1, { ringFenced: 10, used: 3, setAside: 2 })];
    expect(keptFrom(nodes, asks(2))).toBe(5);
    expect(keptFrom(nodes, asks(1))).toBe(0);
  });

  it('is kept only while its period runs', () => {
    expect(keptFrom([node(1, { ringFenced: 10, isRunning: false })], asks(2))).toBe(0);
  });

  it('of a channel holds what is kept for those below it, and more where they are kept more', () => {
    const below = [node(1, { region: 'n', ringFenced: 4 }), node(1, { region: 's', ringFenced: 8 })];
    expect(keptFrom([node(1, { ringFenced: 10 }), ...below], asks(2))).toBe(12);
    expect(keptFrom([node(1, { ringFenced: 20 }), ...below], asks(2))).toBe(20);
    // The rest of 20 is for all of the channel; of what is kept for the regions the one gets its own alone.
    expect(keptFrom([node(1, { ringFenced: 20 }), ...below], asks(1))).toBe(12);
    expect(keptFrom([node(1, { ringFenced: 20 }), ...below], asks(1, 'n'))).toBe(8 + 8);
  });

  it.each([
    [false, false, 8 + 8],
    [false, true, 8 + 8],
    [true, false, 8],
    [true, true, 0],
  ])('is borrowed from above, and beside where that lends: borrow %s, lend %s leaves %i kept', (borrow, lend, kept) => {
    const nodes = [
      node(1, { ringFenced: 20 }),
      node(1, { region: 'n', ringFenced: 4, borrow }),
      node(1, { region: 's', ringFenced: 8, lend }),
    ];
    expect(keptFrom(nodes, asks(1, 'n'))).toBe(kept);
  });

  it('of another channel is borrowed only if all up to the channel borrow, and lent only as far as those below lend', () => {
    const lender = [node(2, { ringFenced: 9, lend: true }), node(2, { region: 'n', ringFenced: 5 })];
    const borrower = (channel: boolean, region: boolean) => [
      node(1, { borrow: channel }),
      node(1, { region: 'n', borrow: region }),
      ...lender,
    ];
    expect(keptFrom(borrower(true, true), asks(1, 'n'))).toBe(5);
    expect(keptFrom(borrower(true, false), asks(1, 'n'))).toBe(9);
    expect(keptFrom(borrower(false, true), asks(1, 'n'))).toBe(9);
    // Without a quota of its own nobody borrows.
    expect(keptFrom(lender, asks(1, 'n'))).toBe(9);
  });

  it('for an account lies below its region, or below the channel where that has none', () => {
    const account = node(1, { region: 'n', accountId: 7, ringFenced: 6 });
    expect(keptFrom([account], asks(1, 'n', 8))).toBe(6);
    expect(keptFrom([account], asks(1, 'n', 7))).toBe(0);
    expect(keptFrom([node(1, { region: 'n', ringFenced: 6 }), account], asks(2))).toBe(6);
  });

  it('and has a soft hold, is kept what it doesn’t hold', () => {
    expect(keptFrom([node(1, { ringFenced: 10, used: 3, held: 4 })], asks(2))).toBe(3);
    expect(room([node(1, { cap: 10, used: 3, held: 4 })], asks(1)).capLeft).toBe(3);
  });

  it('for an account that has moved since it ordered is still its own', () => {
    const nodes = [
      node(1, { region: 'n', ringFenced: 5 }),
      node(1, { region: 's', ringFenced: 4 }),
      node(1, { region: 's', accountId: 7, ringFenced: 3 }),
    ];
    const members = new Set([nodes[0]!.quotaId, nodes[2]!.quotaId]);
    const kept = roomOf(nodes, asks(1, 's', 7), members).keptOf([{ locationId: 1, units: 100 }], () => [1]);
    expect(kept).toEqual([{ channelId: 1, quotaId: nodes[1]!.quotaId, units: 1 }]);
  });
});

describe('where all that is kept is more than there is', () => {
  it('each has its share of it, whoever comes first, and nobody else gets any', () => {
    const nodes = [node(1, { ringFenced: 20 }), node(2, { ringFenced: 10 })];
    const gets = (units: number) =>
      [1, 2, 3].map((channelId) => Math.max(0, units - keptFrom(nodes, asks(channelId), units)));
    expect(gets(9)).toEqual([6, 3, 0]);
    nodes[0]!.used = 4;
    expect(gets(5)).toEqual([2, 3, 0]);
    // Who has more than its share by now, because goods were lost, leaves what there is to the others.
    expect(gets(1)).toEqual([0, 1, 0]);
  });

  it('a unit that no share has whole is for who comes first of them', () => {
    const nodes = Array.from({ length: 10 }, (_, i) => node(i + 1, { ringFenced: 1 }));
    const gets = (channelId: number, units: number) => Math.max(0, units - keptFrom(nodes, asks(channelId), units));
    expect([gets(1, 5), gets(7, 5), gets(11, 5)]).toEqual([1, 1, 0]);
    nodes[0]!.used = 1;
    expect([gets(1, 4), gets(7, 4)]).toEqual([0, 1]);
  });

  it('regions share what their channel has', () => {
    const nodes = [
      node(1, { ringFenced: 12 }),
      node(1, { region: 'n', ringFenced: 8 }),
      node(1, { region: 's', ringFenced: 4 }),
      node(2, { ringFenced: 12 }),
    ];
    const gets = (asker: QuotaAsker) => Math.max(0, 12 - keptFrom(nodes, asker, 12));
    expect([asks(1, 'n'), asks(1, 's'), asks(1), asks(2), asks(3)].map(gets)).toEqual([4, 2, 0, 6, 0]);
  });

  it('who sells elsewhere has no share', () => {
    const nodes = [node(1, { ringFenced: 20 }), node(2, { ringFenced: 10 })];
    const kept = room(nodes, asks(2)).keptOf([{ locationId: 1, units: 9 }], (channelId) => [channelId - 1]);
    expect(withoutKept([{ locationId: 1, units: 9 }], kept, (channelId) => [channelId - 1]).left).toEqual([9]);
  });
});

describe('a cap', () => {
  it('is the least of all that count the order, and never below 0', () => {
    const nodes = [node(1, { cap: 10, used: 4 }), node(1, { region: 'n', cap: 5, used: 2 })];
    expect(room(nodes, asks(1, 'n')).capLeft).toBe(3);
    expect(room(nodes, asks(1, 's')).capLeft).toBe(6);
    expect(room(nodes, asks(2)).capLeft).toBe(null);
    expect(room([node(1, { cap: 5, used: 9 })], asks(1)).capLeft).toBe(0);
  });
});

const regions = [null, 'n', 's'] as const;
function inItsRegion({ region, accountId }: { region: string | null; accountId: number | null }) {
  return { region: accountId === 7 ? 'n' : accountId === 8 ? null : region };
}
const someNodes = fc
  .uniqueArray(
    fc.record({
      channelId: fc.integer({ min: 1, max: 3 }),
      region: fc.constantFrom(...regions),
      // Account 7 is in the north, 8 in no region.
      accountId: fc.constantFrom(null, 7, 8),
      ringFenced: fc.integer({ min: 0, max: 12 }),
      cap: fc.option(fc.integer({ min: 0, max: 15 })),
      borrow: fc.boolean(),
      lend: fc.boolean(),
      used: fc.constant(0),
    }),
    { maxLength: 8, selector: ({ channelId, region, accountId }) => placeOf({ channelId, region, accountId }) },
  )
  .map((list) => list.map((one) => node(one.channelId, { ...one, ...inItsRegion(one) })));
const someOrder = fc
  .record({
    channelId: fc.integer({ min: 1, max: 3 }),
    region: fc.constantFrom(...regions),
    accountId: fc.constantFrom(7, 8, 9),
    wants: fc.integer({ min: 1, max: 15 }),
  })
  .map((one) => ({ ...one, ...inItsRegion(one) }));
const sellsFrom = (channelId: number) => [[10, 11], [11, 12], [12]][channelId - 1]!;

/** Serves orders one after the other, each as far as the rule lets it, and counts. @returns what is free then, by place */
function serve(
  nodes: QuotaNode[],
  orders: readonly (QuotaAsker & { wants: number })[],
  units: readonly number[],
  each: (asker: QuotaAsker, got: number, free: ReadonlyMap<number, number>) => void = () => {},
): Map<number, number> {
  const free = new Map(units.map((quantity, i) => [10 + i, quantity]));
  for (const { wants, ...asker } of orders) {
    const members = membersOf(nodes, asker);
    const quotas = roomOf(nodes, asker, members);
    const places = sellsFrom(asker.channelId).map((locationId) => ({ locationId, units: free.get(locationId)! }));
    const left = leftWithin(quotas, places, sellsFrom);
    let missing = Math.min(wants, quotas.capLeft ?? wants);
    let got = 0;
    places.forEach(({ locationId }, i) => {
      const taken = Math.min(missing, left[i]!);
      missing -= taken;
      got += taken;
      free.set(locationId, free.get(locationId)! - taken);
      for (const one of nodes) if (members.has(one.quotaId)) one.used += taken;
    });
    each(asker, got, free);
  }
  return free;
}
const copied = (nodes: readonly QuotaNode[], more: Partial<QuotaNode> = {}) =>
  nodes.map((one) => ({ ...one, ...more }));
const someUnits = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 3, maxLength: 3 });
const someOrders = fc.array(someOrder, { maxLength: 12 });

describe('orders one after the other', () => {
  it('never get more than is there, nor than a cap leaves', () => {
    fc.assert(
      fc.property(someNodes, someOrders, someUnits, (some, orders, units) => {
        const nodes = copied(some);
        for (const quantity of serve(nodes, orders, units).values()) expect(quantity).toBeGreaterThanOrEqual(0);
        for (const { cap, used } of nodes) if (cap !== null) expect(used).toBeLessThanOrEqual(cap);
      }),
      { numRuns: 300 },
    );
  });

  it('leave each node what it is kept, where there is enough for all and it lends nothing', () => {
    fc.assert(
      fc.property(someNodes, someOrders, fc.integer({ min: 0, max: 7 }), (some, orders, which) => {
        fc.pre(some.length > 0);
        const nodes = copied(some, { lend: false, cap: null });
        const own = nodes[which % nodes.length]!;
        const others = orders.filter((asker) => !membersOf([own], asker).has(own.quotaId));
        // 1,000 anywhere would be plenty; so much is there as all are kept in all.
        const all = nodes.reduce((sum, { ringFenced }) => sum + ringFenced, 0);
        serve(nodes, others, [all, all, all]);
        const free = serve(nodes, others, [0, all, 0]);
        const asker = { channelId: own.channelId, region: own.region, accountId: own.accountId };
        const there = sellsFrom(own.channelId).reduce((sum, at) => sum + free.get(at)!, 0);
        if (sellsFrom(own.channelId).includes(11)) expect(there).toBeGreaterThanOrEqual(own.ringFenced);
        expect(own.used).toBe(0);
        expect(keptFrom([own], { ...asker, channelId: 9 })).toBe(own.ringFenced);
      }),
      { numRuns: 300 },
    );
  });

  it('leave nobody without anything where there is something and somebody is kept some', () => {
    fc.assert(
      fc.property(someNodes, someUnits, fc.array(someOrder, { maxLength: 6 }), (some, units, orders) => {
        const nodes = copied(some, { cap: null });
        const free = serve(nodes, orders, units);
        const kept = nodes.filter(
          (one) => one.ringFenced > one.used && sellsFrom(one.channelId).some((at) => free.get(at)! > 0),
        );
        fc.pre(kept.length > 0);
        const gets = kept.map((one) => {
          const members = membersOf(nodes, one);
          const places = sellsFrom(one.channelId).map((locationId) => ({ locationId, units: free.get(locationId)! }));
          return leftWithin(roomOf(nodes, one, members), places, sellsFrom).reduce((sum, at) => sum + at, 0);
        });
        expect(Math.max(...gets)).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('have the same share of too little, in whatever order channels come', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 3 }),
        fc.integer({ min: 0, max: 60 }),
        fc.array(fc.record({ channelId: fc.integer({ min: 1, max: 3 }), wants: fc.integer({ min: 1, max: 9 }) })),
        (fences, units, orders) => {
          const nodes = fences.map((ringFenced, i) => node(i + 1, { ringFenced }));
          const all = fences.reduce((sum, fence) => sum + fence, 0);
          let free = units;
          for (const { channelId, wants } of orders) {
            const got = Math.min(wants, Math.max(0, free - keptFrom(nodes, asks(channelId), free)));
            free -= got;
            for (const one of nodes) if (one.channelId === channelId) one.used += got;
          }
          // Whatever the others took, each can still have its share, but for units that are split.
          for (const { channelId, ringFenced, used } of nodes) {
            const share = Math.min(ringFenced, Math.floor((units * ringFenced) / all));
            const has = used + Math.max(0, free - keptFrom(nodes, asks(channelId), free));
            expect(has).toBeGreaterThanOrEqual(share - fences.length + 1);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('what is kept at places', () => {
  const kept = (channelId: number, units: number): Kept => ({ channelId, quotaId: channelId, units });
  it('leaves those that the asker comes to last first, and only where both sell', () => {
    const places = [10, 11, 12].map((locationId) => ({ locationId, units: 5 }));
    expect(withoutKept(places, [kept(2, 6)], sellsFrom)).toEqual({ left: [5, 4, 0], missing: [] });
    expect(withoutKept(places, [kept(2, 7), kept(3, 9)], sellsFrom)).toEqual({
      left: [5, 0, 0],
      missing: [kept(3, 4), kept(2, 2)],
    });
    expect(withoutKept([{ locationId: 10, units: 5 }], [kept(3, 9)], sellsFrom)).toEqual({ left: [5], missing: [] });
  });
});
